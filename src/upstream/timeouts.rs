//! How long a server may take for each step. Each limit has its own error, so that a log line names the cause.

use std::time::Duration;

/// Connecting usually takes milliseconds. TCP repeats a lost SYN after 1 s, and a second one after 3 s (RFC 6298). 10 s
/// are enough for both, and for the handshake.
const CONNECT: Duration = Duration::from_secs(10);

/// Graph's slowest pages (`$orderby` or a `$filter` over a large mailbox) take tens of seconds. This limit is longer
/// than the minute after which gateways usually respond with 504, because their 504 tells more than a limit of this
/// proxy.
const HEAD: Duration = Duration::from_secs(100);

/// Graph sends a body steadily. After half a minute of silence, the connection is dead.
const IDLE: Duration = Duration::from_secs(30);

/// A slow consumer slows the body down too, so this limit is generous. It ends bodies that would never end.
const TOTAL: Duration = Duration::from_secs(600);

/// The time limits of one request. The defaults apply if the configuration has no `timeouts`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timeouts {
    /// For opening a connection: resolving the name, TCP, the tunnel through a proxy, and the TLS handshake.
    pub connect: Duration,
    /// From the request to the head of the response, with connecting if no pooled connection is free.
    pub head: Duration,
    /// The server's silence within a body. Only the time during which a reader waits counts.
    pub idle: Duration,
    /// The whole body, from the head of the response, slow readers included.
    pub total: Duration,
}

impl Timeouts {
    /// Limits each step of a response to `limit` at most, for requests that consumers' requests wait for.
    pub(super) fn within(self, limit: Duration) -> Self {
        let short = |own: Duration| own.min(limit);
        Self { head: short(self.head), idle: short(self.idle), total: short(self.total), ..self }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: CONNECT, head: HEAD, idle: IDLE, total: TOTAL }
    }
}
