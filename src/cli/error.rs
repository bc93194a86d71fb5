//! Why a command failed, in words for the person who typed it.

use std::io;
use std::path::PathBuf;

use super::init::InitError;
use super::pseudonym::{InputError, NoName, UnknownConsumer};
use super::review::description::NoDescription;
use super::statement::NoStatement;
use super::test::CaseError;
use crate::config::files::FileError;
use crate::demo::analytics::AnalyticsError;
use crate::demo::folder::FolderError;
use crate::service::StartError;
use crate::service::logs::{Form, LogsError};
use glassine_core::admit::Refusal;
use glassine_core::diagnostic::Causes;
use glassine_core::graph::UrlError;
use glassine_core::pseudonym::{KeyFileError, RingError};
use glassine_core::sanitize::{Failure, Violation};

/// The exit code when the command's finding is negative.
pub(super) const NO: u8 = 1;

/// The exit code of bad usage and bad input. Clap uses the same one.
pub(super) const BAD_INPUT: u8 = 2;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// A file cannot be read.
    #[error(transparent)]
    Input(#[from] FileError),
    /// Several files cannot be read. The message names all of them.
    #[error("{}", .0.iter().map(|error| Causes(error).to_string()).collect::<Vec<_>>().join("\nerror: "))]
    Inputs(Vec<FileError>),
    /// The rules file has errors; the text is the rendered report.
    #[error("{file}: the rules cannot be used\n\n{report}", file = .file.display())]
    Rules {
        /// The rules file.
        file: PathBuf,
        /// What is wrong with it, rendered.
        report: String,
    },
    /// The key file is malformed.
    #[error("{file}: {error}", file = .file.display())]
    Keys {
        /// The key file.
        file: PathBuf,
        /// What is wrong with it.
        error: KeyFileError,
    },
    /// The keys cannot change in this way.
    #[error("{file}: {error}", file = .file.display())]
    Ring {
        /// The key file.
        file: PathBuf,
        /// Why not.
        error: RingError,
    },
    /// A new key file cannot be written.
    #[error("{file}: {advice}", file = .file.display())]
    NewKeys {
        /// The file that was to be written.
        file: PathBuf,
        /// What is in the way and what to do.
        advice: NewKeysAdvice,
    },
    /// The rules refuse the request given with `--request`.
    #[error("the request is refused with {status} {code}: {0}", status = .0.status(), code = .0.code())]
    Refused(Refusal),
    /// The document on standard input is refused.
    #[error("standard input: {0}")]
    Document(Failure),
    /// The document is JSON, but the rules cannot be applied to it.
    #[error("standard input: {violation} (found at byte {position})")]
    Violation {
        /// What is wrong with it.
        violation: Violation,
        /// How many bytes were read before the violation was found.
        position: usize,
    },
    /// The document is not a response to `/$count`.
    #[error("standard input: expected a number and nothing else, as in a response to `/$count`")]
    Count,
    /// Graph's address is malformed.
    #[error("the address of Graph is not one: {0}")]
    Graph(UrlError),
    /// A value is not of the kind that `--as` names. Holds the value's position, never the value.
    #[error("value {0} is empty or not of the kind that `--as` names; nothing was written")]
    Value(usize),
    /// Only tokens of ids can be reversible.
    #[error("`--reversible` is for ids: say `--as id`")]
    Reversible,
    /// The configuration has no such consumer.
    #[error(transparent)]
    Consumer(#[from] UnknownConsumer),
    /// No consumer can have this name.
    #[error(transparent)]
    Name(#[from] NoName),
    /// Lines or a table on standard input cannot be used.
    #[error(transparent)]
    Rows(#[from] InputError),
    /// A case of rules cannot be tried.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// The audit log cannot be read.
    #[error("{file}: the file cannot be read: {error}", file = .file.display())]
    Audit {
        /// The audit log.
        file: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Standard input cannot be read.
    #[error("standard input cannot be read: {0}")]
    StandardInput(io::Error),
    /// There is no description to print.
    #[error(transparent)]
    Description(#[from] NoDescription),
    /// There is no statement to print.
    #[error(transparent)]
    Statement(#[from] NoStatement),
    /// The service does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The environment asks for a log format that does not exist.
    #[error(transparent)]
    Logs(#[from] LogsError),
    /// A folder with a configuration cannot be made.
    #[error(transparent)]
    Init(#[from] InitError),
    /// The demo cannot be set up.
    #[error(transparent)]
    Demo(#[from] FolderError),
    /// The demo's analytics application cannot be set up.
    #[error("the demo's analytics application cannot be set up: {0}")]
    Analytics(#[from] AnalyticsError),
    /// The operating system refuses a resource, such as threads or a socket's address.
    #[error("the program cannot run here: {0}")]
    Runtime(io::Error),
    /// The operating system gives no randomness.
    #[error("the operating system gives no random numbers: {0}")]
    Randomness(getrandom::Error),
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(io::Error),
}

/// Why a new key file cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum NewKeysAdvice {
    /// Overwriting keys would make every token that was made with them useless.
    #[error("the file exists and was not changed, because keys are never overwritten; name another file")]
    Exists,
    /// Anything else.
    #[error("the file cannot be written: {0}")]
    Other(io::Error),
}

impl Error {
    /// The error with its causes. A JSON log gets one line for each finding in a file.
    pub(super) fn tell(&self, form: Form) -> String {
        match (form, self) {
            (Form::Json, Self::Start(StartError::Reports(reports))) => form.reports(reports),
            _ => form.error(self),
        }
    }

    /// The process's exit code.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) | Self::Runtime(_) | Self::Demo(_) | Self::Analytics(_) => NO,
            Self::Start(error) if !error.is_input() => NO,
            _ => BAD_INPUT,
        }
    }

    /// Whether the reader of standard output closed it, as `head` does.
    pub(super) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
