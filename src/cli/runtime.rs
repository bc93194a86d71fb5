//! The runtime of asynchronous commands.

use tokio::runtime::{Builder, Runtime};

use super::error::Error;

/// How many tasks a thread polls before it looks for new bytes on the sockets: those of about two requests.
///
/// One poll can sanitize for 100 µs. With tokio's default of 61, a connection whose bytes have arrived waits up to 6 ms
/// for each of its polls, while connections that always have bytes go on. With four large pages at once, one in a
/// hundred took ten times as long as the others. With 8, the sockets are read and written more often, and less each time:
/// the small page takes 4 % more.
const POLLS_BETWEEN_SOCKET_CHECKS: u32 = 16;

/// A runtime with one thread for each core that the process may use.
pub(super) fn runtime() -> Result<Runtime, Error> {
    Builder::new_multi_thread()
        .event_interval(POLLS_BETWEEN_SOCKET_CHECKS)
        .enable_all()
        .build()
        .map_err(Error::Runtime)
}
