//! Logs: this program's own events, on standard error. Events of libraries are never shown, because some of them print
//! headers.
//!
//! | file | what |
//! |---|---|
//! | `queue` | lines on their way to standard error, which nobody waits for |
//! | `limit` | how many lines of one kind there are |

mod limit;
mod queue;

use std::env::{self, VarError};
use std::error::Error;
use std::io::{self, Write};
use std::panic::{Location, PanicHookInfo};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use limit::{LimitLayer, Limits, Summary};
use queue::Queue;

use glassine_core::diagnostic::{Causes, Report, Severity};

/// The environment variable that sets the level: `error`, `warn`, `info`, `debug`, `trace` or `off`.
pub(crate) const LEVEL: &str = "GLASSINE_LOG";
/// The environment variable that sets the form: `json` or `text`.
pub(crate) const FORM: &str = "GLASSINE_LOG_FORMAT";

/// The time between two lines that say how many were left out. A flood is known within seconds, at a tenth of the lines that
/// are written of it.
const BETWEEN_SUMMARIES: Duration = Duration::from_secs(10);
/// How long the end of the process waits until standard error has all lines: a reader that works takes milliseconds, and
/// one that stands still must not keep a process alive.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// A logging variable of the environment has an unknown value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogsError {
    /// The level is unknown. If it were ignored, a typing mistake would hide the events that somebody looks for.
    #[error("{LEVEL} is not a level: set it to error, warn, info, debug, trace or off")]
    Level,
    /// The form is unknown.
    #[error("{FORM} is not a form: set it to json or text")]
    Form,
}

/// The log of a service. When it is dropped, it waits a moment until standard error has all lines.
pub struct Logs(Shared);

#[derive(Clone, Default)]
struct Shared {
    queue: Arc<Queue>,
    limits: Arc<Limits>,
}

impl Logs {
    /// Starts the thread that writes to `sink`. Nothing else waits for the sink.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn open(mut sink: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Shared::default();
        let writing = shared.clone();
        // The thread ends with the process. A reader that stands still may hold it up until then.
        std::thread::Builder::new().name("logs".to_owned()).spawn(move || writing.write_to(&mut sink))?;
        Ok(Self(shared))
    }

    /// Logs this program's events as the environment variables say, and panics. A second call in a process changes nothing.
    ///
    /// # Errors
    ///
    /// [`LogsError`]; logging has not started then.
    pub fn start(&self) -> Result<(), LogsError> {
        let (level, form) = (Level::read(variable(LEVEL).ok_or(LogsError::Level)?)?, Form::from_env()?);
        let limited =
            tracing_subscriber::registry().with(ours(level.0)).with(LimitLayer(Arc::clone(&self.0.limits)));
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Arc::clone(&self.0.queue));
        let started = match form {
            Form::Json => limited.with(lines.json()).try_init(),
            Form::Text => limited.with(lines).try_init(),
        };
        match started {
            Ok(()) => std::panic::set_hook(Box::new(log_panic)),
            Err(_) => tracing::debug!("logging was already started"),
        }
        Ok(())
    }

    /// For lines that must be seen at every level, such as errors of the start.
    pub fn raw(&self) -> impl Write + '_ {
        self.0.queue.as_ref()
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        self.0.say_what_was_left_out();
        self.0.queue.flush(LAST_LINES);
    }
}

impl Shared {
    fn write_to(&self, sink: &mut impl Write) {
        let (mut batch, mut next) = (Vec::new(), Instant::now() + BETWEEN_SUMMARIES);
        loop {
            self.queue.write_next(sink, &mut batch, next);
            if Instant::now() >= next {
                self.say_what_was_left_out();
                next = Instant::now() + BETWEEN_SUMMARIES;
            }
        }
    }

    fn say_what_was_left_out(&self) {
        if let Some(left_out) = self.queue.unsaid() {
            tracing::warn!(left_out, "lines were left out, because the log was not read fast enough");
        }
        self.limits.left_out().iter().for_each(Summary::log);
    }
}

/// Logs where the program panicked. The standard library would write to standard error itself, and wait for its reader;
/// and it would print the panic's text, which can quote a value.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location();
    let (file, line) = (place.map(Location::file), place.map(Location::line));
    tracing::error!(file, line, "the program panicked: report this as a defect");
}

/// Passes only this program's events, down to a level.
pub fn ours(level: LevelFilter) -> Targets {
    Targets::new().with_target("glassine", level)
}

/// The value of a variable; empty if it is not set, `None` if it is not valid Unicode.
fn variable(name: &str) -> Option<String> {
    match env::var(name) {
        Ok(value) => Some(value),
        Err(VarError::NotPresent) => Some(String::new()),
        Err(VarError::NotUnicode(_)) => None,
    }
}

struct Level(LevelFilter);

impl Level {
    fn read(value: String) -> Result<Self, LogsError> {
        // The library would read an empty text as `error`.
        if value.is_empty() {
            return Ok(Self(LevelFilter::INFO));
        }
        value.parse().map(Self).map_err(|_| LogsError::Level)
    }
}

impl Form {
    /// The form that the environment variable names.
    ///
    /// # Errors
    ///
    /// [`LogsError::Form`].
    pub(crate) fn from_env() -> Result<Self, LogsError> {
        Self::read(&variable(FORM).ok_or(LogsError::Form)?)
    }

    fn read(value: &str) -> Result<Self, LogsError> {
        match value {
            "" | "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(LogsError::Form),
        }
    }

    /// The findings in files: as text for people, or each as a JSON event.
    pub fn reports(self, reports: &[Report]) -> String {
        match self {
            Self::Text => reports.iter().map(Report::render).collect(),
            Self::Json => {
                let found = reports.iter().flat_map(Report::located);
                found.map(|located| Event::new(level_of(located.severity), located).line()).collect()
            }
        }
    }

    /// Why the program ends, with all causes.
    pub fn error(self, error: &(dyn Error + 'static)) -> String {
        let message = Causes(error).to_string();
        match self {
            Self::Text => format!("error: {message}\n"),
            Self::Json => Event::new("ERROR", Message { message }).line(),
        }
    }
}

fn level_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "ERROR",
        Severity::Warning => "WARN",
    }
}

/// A JSON line in the subscriber's form. Findings before the service runs bypass `tracing`, so that no level hides why
/// the service does not start.
#[derive(Serialize)]
struct Event<F> {
    timestamp: String,
    level: &'static str,
    fields: F,
    target: &'static str,
}

#[derive(Serialize)]
struct Message {
    message: String,
}

impl<F: Serialize> Event<F> {
    fn new(level: &'static str, fields: F) -> Self {
        Self { timestamp: Timestamp::now().to_string(), level, fields, target: "glassine" }
    }

    fn line(&self) -> String {
        // Serialization cannot fail: there are only texts and numbers.
        serde_json::to_string(self).map(|line| line + "\n").unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_level_is_an_error_and_an_unset_one_is_info() {
        for (value, level) in [
            ("", LevelFilter::INFO),
            ("debug", LevelFilter::DEBUG),
            ("WARN", LevelFilter::WARN),
            ("off", LevelFilter::OFF),
        ] {
            assert_eq!(Level::read(value.to_owned()).unwrap().0, level, "{value:?}");
        }
        for bad in ["debg", "info,hyper=trace", "glassine=debug", " "] {
            assert_eq!(Level::read(bad.to_owned()).err(), Some(LogsError::Level), "{bad:?}");
        }
    }

    #[test]
    fn an_unknown_form_is_an_error() {
        assert_eq!((Form::read(""), Form::read("text")), (Ok(Form::Text), Ok(Form::Text)));
        assert_eq!(Form::read("json"), Ok(Form::Json));
        assert_eq!((Form::read("JSON"), Form::read("jsn")), (Err(LogsError::Form), Err(LogsError::Form)));
    }
}
