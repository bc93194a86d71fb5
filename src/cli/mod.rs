//! The command line: one file per subcommand, and the exit codes.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | success |
//! | 1 | the finding is negative: a rules file with errors, a refused request, a deployment that fails a check |
//! | 2 | bad usage or input: nothing was decided, and nothing was written to standard output, of a table aside |
//!
//! A command writes to standard output only when its whole output is ready; `pseudonym` writes a table as it reads it. Errors go to standard error and say what,
//! where and what to do; they never contain keys, tokens or properties.

mod audit;
mod check;
mod demo;
mod diff;
mod doctor;
mod error;
mod explain;
mod health;
mod init;
mod input;
mod keys;
mod options;
mod pseudonym;
mod request;
mod review;
mod runtime;
mod sanitize;
mod serve;
mod stand_in;
mod statement;
mod test;
mod token;
mod why;

use std::io::{self, Read, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::service::logs::{Form, Logs};
use error::Error;

/// A reverse proxy that hands an analytics consumer sanitized Microsoft Graph metadata, and nothing else.
#[derive(Debug, Parser)]
#[command(
    name = "glassine",
    version,
    after_help = "Exit codes: 0 fine, 1 the answer is no, 2 bad usage or input."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The subcommands. None turns a token back into the value that it stands for.
#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Demo(demo::Args),
    Init(init::Args),
    Doctor(doctor::Args),
    Check(check::Args),
    Review(review::Args),
    Diff(diff::Args),
    Explain(explain::Args),
    Statement(statement::Args),
    Sanitize(sanitize::Args),
    Test(test::Args),
    #[command(subcommand)]
    Keys(keys::Command),
    #[command(subcommand)]
    Token(token::Command),
    Pseudonym(pseudonym::Args),
    #[command(subcommand)]
    Audit(audit::Command),
    Health(health::Args),
}

/// What a command reads and writes.
struct Streams<'a> {
    input: &'a mut dyn Read,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

/// The finding of a command that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ExitStatus {
    Yes,
    No,
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    match Cli::try_parse() {
        Ok(Cli { command }) if command.is_service() => run_service(command),
        Ok(Cli { command }) => {
            let mut err = io::stderr();
            let mut streams = Streams { input: &mut io::stdin(), out: &mut io::stdout(), err: &mut err };
            finish(&command.run(&mut streams), Form::Text, &mut err)
        }
        Err(usage) => show_usage(&usage),
    }
}

/// Runs a command that logs. All that it writes to standard error goes through the log, so that it never waits for a reader.
fn run_service(command: Command) -> ExitCode {
    // The log itself reports an unknown form.
    let form = Form::from_env().unwrap_or_default();
    let logs = match Logs::open(io::stderr()) {
        Ok(logs) => logs,
        Err(error) => return finish(&Err(Error::Runtime(error)), form, &mut io::stderr()),
    };
    let mut err = logs.raw();
    let mut streams = Streams { input: &mut io::stdin(), out: &mut io::stdout(), err: &mut err };
    let result = logs.start().map_err(Error::Logs).and_then(|()| command.run(&mut streams));
    finish(&result, form, &mut err)
}

impl Command {
    /// Whether the command serves and logs. Its errors have the form of log lines, those of others are plain text.
    fn is_service(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Demo(_))
    }

    fn run(self, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
        match self {
            Self::Serve(args) => serve::run(&args, streams),
            Self::Demo(args) => demo::run(&args, streams),
            Self::Init(args) => init::run(&args, streams),
            Self::Doctor(args) => doctor::run(&args, streams),
            Self::Check(args) => check::run(&args, streams),
            Self::Review(args) => review::run(&args, streams),
            Self::Diff(args) => diff::run(&args, streams),
            Self::Explain(args) => explain::run(&args, streams),
            Self::Statement(args) => statement::run(&args, streams),
            Self::Sanitize(args) => sanitize::run(&args, streams),
            Self::Test(args) => test::run(&args, streams),
            Self::Keys(command) => keys::run(&command, streams),
            Self::Token(command) => token::run(&command, streams),
            Self::Pseudonym(args) => pseudonym::run(&args, streams),
            Self::Audit(command) => audit::run(&command, streams),
            Self::Health(args) => health::run(&args, streams),
        }
    }
}

fn finish(result: &Result<ExitStatus, Error>, form: Form, err: &mut dyn Write) -> ExitCode {
    if let Some(error) = result.as_ref().err().filter(|error| !error.is_broken_pipe()) {
        // If standard error is closed too, only the exit code reports the error.
        err.write_all(error.tell(form).as_bytes()).ok();
    }
    exit_code(result)
}

fn exit_code(result: &Result<ExitStatus, Error>) -> ExitCode {
    match result {
        Ok(ExitStatus::Yes) => ExitCode::SUCCESS,
        Ok(ExitStatus::No) => ExitCode::from(error::NO),
        // A reader that closes the pipe early, as `head` does, is not a failure.
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(error.exit_code()),
    }
}

/// Help and version go to standard output and succeed. Everything else that clap reports is bad usage.
fn show_usage(usage: &clap::Error) -> ExitCode {
    usage.print().ok();
    if usage.use_stderr() { ExitCode::from(error::BAD_INPUT) } else { ExitCode::SUCCESS }
}

impl Streams<'_> {
    /// Writes the whole output.
    fn print(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes).and_then(|()| self.out.flush()).map_err(Error::Output)
    }

    /// Writes the whole output as JSON, for scripts.
    fn print_json(&mut self, output: &impl serde::Serialize) -> Result<(), Error> {
        let mut text = serde_json::to_vec_pretty(output).map_err(|error| Error::Output(error.into()))?;
        text.push(b'\n');
        self.print(&text)
    }

    /// Writes one line of JSON, for scripts that read line by line while the command keeps running.
    fn print_json_line(&mut self, output: &impl serde::Serialize) -> Result<(), Error> {
        let mut text = serde_json::to_vec(output).map_err(|error| Error::Output(error.into()))?;
        text.push(b'\n');
        self.print(&text)
    }

    /// Writes findings and notes to standard error.
    fn remark(&mut self, text: &str) -> Result<(), Error> {
        self.err.write_all(text.as_bytes()).map_err(Error::Output)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_reader_that_closes_the_pipe_early_is_no_failure() {
        let closed = || Error::Output(io::ErrorKind::BrokenPipe.into());
        let full = || Error::Output(io::ErrorKind::StorageFull.into());
        assert_eq!(exit_code(&Err(closed())), ExitCode::SUCCESS);
        assert_eq!(exit_code(&Err(full())), ExitCode::from(error::BAD_INPUT));
    }
}
