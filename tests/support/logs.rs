//! What the program logs.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use crate::canaries::logs::capture;

/// What this thread logs while this value lives.
pub(crate) struct Logs(
    Arc<Mutex<Vec<u8>>>,
    #[expect(dead_code, reason = "ends with the test")] tracing::subscriber::DefaultGuard,
);

impl Logs {
    pub(crate) fn start() -> Self {
        // So that every thread has a subscriber. With one in the whole process, tracing lets the thread that comes to a place in the
        // code first decide, for all, whether anybody wants its lines (tracing-core, `callsite::Rebuilder::JustOne`): another
        // test's thread would say no.
        capture();
        let text = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&text);
        let logs = tracing_subscriber::fmt().with_ansi(false).with_writer(move || Shared(Arc::clone(&sink)));
        Self(text, tracing::subscriber::set_default(logs.finish()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
