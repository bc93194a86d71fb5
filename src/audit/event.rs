//! The audit log's records of the service itself: start, reload, failed reload, stop.
//!
//! They say which rules served which consumer from when on, and with which keys. Like the records of requests, they have
//! room for numbers, members of closed sets, and names from the operator's own files only. A finding is a code and its
//! place: what it says about a file's content is in the log.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::unidentified::Counts;
use glassine_core::diagnostic::{Located, Report, Severity};
use glassine_core::statement::Fingerprint;

/// The most consumers, and the most findings, in one line, so that a line stays under
/// [`super::chain::MAX_LINE_BYTES`]. A longer event takes several lines.
const PER_LINE: usize = 16;

/// What happened to the service.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// It begins to serve.
    Start(&'a Serving),
    /// It serves what the files say now.
    Reload(&'a Serving),
    /// The files cannot be used. The last good state goes on serving.
    ReloadFailed(&'a [Finding]),
    /// It has ended. Nothing follows until the next start.
    Stop,
    /// The log can be written again, or takes records again. So many requests were refused meanwhile, and have no record.
    Resumed {
        /// Requests without a record.
        refused: u64,
    },
    /// Requests whose sender was not identified, summed.
    Unidentified(&'a Counts),
}

/// What serves from an event on.
#[derive(Clone, Debug)]
pub struct Serving {
    /// The program's version.
    pub version: &'static str,
    /// The key ring, the newest key first.
    pub keys: Vec<Key>,
    /// Every consumer, and those that a reload removed.
    pub consumers: Vec<Served>,
    /// Warnings about the files.
    pub warnings: Vec<Finding>,
}

/// A key of the ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The key id that tokens carry.
    pub id: char,
    /// The fingerprint that `glassine keys fingerprint` prints.
    pub fingerprint: String,
}

/// The rules of one consumer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Served {
    /// The consumer's name.
    pub consumer: String,
    /// The fingerprint of the statement before; `None` if the consumer was not served.
    pub before: Option<Fingerprint>,
    /// The fingerprint of the statement from now on; `None` if the consumer is no longer served.
    pub rules: Option<Fingerprint>,
    /// Who approved the statement.
    pub approved_by: Vec<String>,
}

/// A finding about a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The stable code.
    pub code: &'static str,
    /// The file's name, without its folder.
    pub file: String,
    /// The line, from one on; `None` if the whole file is meant.
    pub line: Option<usize>,
}

impl Finding {
    /// A finding about a whole file.
    pub fn of_file(code: &'static str, file: &Path) -> Self {
        let name = file.file_name().unwrap_or(file.as_os_str());
        Self { code, file: name.to_string_lossy().into_owned(), line: None }
    }

    /// The findings of one severity in these reports.
    pub fn all(reports: &[Report], severity: Severity) -> Vec<Self> {
        let located = reports.iter().flat_map(Report::located);
        located.filter(|located| located.severity == severity).map(|located| Self::at(&located)).collect()
    }

    fn at(located: &Located<'_>) -> Self {
        Self { line: located.line, ..Self::of_file(located.code, Path::new(located.file)) }
    }
}

/// A line of an event, without its link.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    /// When it happened: RFC 3339, UTC, milliseconds.
    time: String,
    #[serde(flatten)]
    content: Content<'a>,
    /// Which line of its event this is, from one on; absent if the event has one line.
    #[serde(flatten)]
    part: Option<Part>,
}

#[derive(Debug, Serialize)]
struct Part {
    part: usize,
    parts: usize,
}

#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Content<'a> {
    Start(Excerpt<'a>),
    Reload(Excerpt<'a>),
    ReloadFailed { errors: &'a [Finding] },
    Stop,
    Resumed { refused: u64 },
    Unidentified(&'a Counts),
}

/// What one line says of [`Serving`].
#[derive(Debug, Serialize)]
struct Excerpt<'a> {
    version: &'static str,
    keys: &'a [Key],
    consumers: &'a [Served],
    warnings: &'a [Finding],
}

impl<'a> Event<'a> {
    /// The lines of an event that happens now.
    pub(super) fn lines(self) -> Vec<Line<'a>> {
        let time = format!("{:.3}", Timestamp::now());
        let parts = self.parts();
        let line = |at: usize| Line {
            time: time.clone(),
            content: self.content(at),
            part: (parts > 1).then_some(Part { part: at + 1, parts }),
        };
        (0..parts).map(line).collect()
    }

    fn parts(self) -> usize {
        let longest = match self {
            Self::Start(serving) | Self::Reload(serving) => {
                serving.consumers.len().max(serving.warnings.len())
            }
            Self::ReloadFailed(errors) => errors.len(),
            Self::Stop | Self::Resumed { .. } | Self::Unidentified(_) => 0,
        };
        longest.div_ceil(PER_LINE).max(1)
    }

    fn content(self, at: usize) -> Content<'a> {
        match self {
            Self::Start(serving) => Content::Start(serving.excerpt(at)),
            Self::Reload(serving) => Content::Reload(serving.excerpt(at)),
            Self::ReloadFailed(errors) => Content::ReloadFailed { errors: excerpt(errors, at) },
            Self::Stop => Content::Stop,
            Self::Resumed { refused } => Content::Resumed { refused },
            Self::Unidentified(counts) => Content::Unidentified(counts),
        }
    }
}

impl Serving {
    fn excerpt(&self, at: usize) -> Excerpt<'_> {
        let Self { version, keys, consumers, warnings } = self;
        Excerpt { version, keys, consumers: excerpt(consumers, at), warnings: excerpt(warnings, at) }
    }
}

/// The items in the line at this index.
fn excerpt<T>(all: &[T], at: usize) -> &[T] {
    all.chunks(PER_LINE).nth(at).unwrap_or_default()
}
