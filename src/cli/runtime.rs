//! Where asynchronous commands run.

use tokio::runtime::{Builder, Runtime};

use super::error::Error;

/// Steps of tasks between two looks at the sockets.
///
/// A step of a response is up to 100 µs of sanitizing, and with tokio's 61 a connection whose bytes have arrived would wait
/// 6 ms for every step that it takes, while those that never run out of bytes go on: with four large pages at once, one
/// in a hundred took ten times as long as the others. A look costs less than a microsecond.
const STEPS_BETWEEN_LOOKS: u32 = 8;

/// As many threads as the process may use cores.
pub(super) fn runtime() -> Result<Runtime, Error> {
    Builder::new_multi_thread()
        .event_interval(STEPS_BETWEEN_LOOKS)
        .enable_all()
        .build()
        .map_err(Error::Runtime)
}
