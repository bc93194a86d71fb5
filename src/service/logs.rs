//! Logs: this program's own events, on standard error. Events of libraries are never shown: at their finer levels they
//! print headers.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The environment variable that sets the level: `error`, `warn`, `info`, `debug` or `off`.
pub const LEVEL: &str = "GLASSINE_LOG";
/// The environment variable that sets the form: `json`, or text.
pub const FORM: &str = "GLASSINE_LOG_FORMAT";

/// Starts logging. A second call changes nothing.
pub fn start() {
    let level = std::env::var(LEVEL).ok().and_then(|level| level.parse::<LevelFilter>().ok());
    let level = level.unwrap_or(LevelFilter::INFO);
    let filter = EnvFilter::new(format!("off,glassine={level}"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match std::env::var(FORM).as_deref() {
        Ok("json") => logs.json().try_init(),
        _ => logs.with_ansi(false).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging had been started before");
    }
}
