//! Logs: this program's own events, on standard error. Events of libraries are never shown, because some of them print
//! headers.

use std::env::{self, VarError};
use std::error::Error;

use jiff::Timestamp;
use serde::Serialize;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use glassine_core::diagnostic::{Causes, Report, Severity};

/// The environment variable that sets the level: `error`, `warn`, `info`, `debug`, `trace` or `off`.
pub(crate) const LEVEL: &str = "GLASSINE_LOG";
/// The environment variable that sets the form: `json` or `text`.
pub(crate) const FORM: &str = "GLASSINE_LOG_FORMAT";

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

/// Starts logging as the environment variables say. A second call changes nothing.
///
/// # Errors
///
/// [`LogsError`]; logging has not started then.
pub fn start() -> Result<(), LogsError> {
    let (level, form) = (Level::read(variable(LEVEL).ok_or(LogsError::Level)?)?, Form::from_env()?);
    let logs =
        tracing_subscriber::fmt().with_max_level(level.0).with_ansi(false).with_writer(std::io::stderr);
    let started = match form {
        Form::Json => logs.json().finish().with(ours(level.0)).try_init(),
        Form::Text => logs.finish().with(ours(level.0)).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was already started");
    }
    Ok(())
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
