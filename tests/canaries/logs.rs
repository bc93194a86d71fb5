//! Everything that this program logs in this test binary, at the finest level. Tests run at the same time and share the
//! buffer, so only markers can be looked for in it.

use std::io::{self, Write};
use std::sync::{Mutex, OnceLock};

use glassine::service::logs::ours;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

static CAPTURED: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static STARTED: OnceLock<()> = OnceLock::new();

/// Begins to capture, if it has not begun. The filter is that of `service::logs` at its finest.
pub(crate) fn capture() {
    STARTED.get_or_init(|| {
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(|| Captured)
            .finish()
            .with(ours(LevelFilter::TRACE))
            .try_init()
            .expect("no other test may set the subscriber of this binary");
    });
}

/// What was logged so far.
pub(crate) fn captured() -> Vec<u8> {
    CAPTURED.lock().unwrap().clone()
}

struct Captured;

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        CAPTURED.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{capture, captured};

    #[test]
    fn what_this_program_logs_at_any_level_is_captured_and_nothing_of_libraries() {
        capture();
        tracing::trace!(target: "glassine::proxy", "said-by-the-program");
        tracing::error!(target: "hyper::proto", "said-by-a-library");
        let text = String::from_utf8_lossy(&captured()).into_owned();
        assert!(text.contains("said-by-the-program") && !text.contains("said-by-a-library"));
    }
}
