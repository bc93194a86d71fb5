//! How long the upstream may take, step by step. Each limit has its own error, so that a log line names the cause.

use std::time::Duration;

/// Connecting takes milliseconds where it works. A lost SYN is repeated after 1 s and a second one after 3 s (RFC 6298): 10 s
/// survive both, with time for the handshake.
const CONNECT: Duration = Duration::from_secs(10);

/// Graph's slowest pages (`$orderby` or a `$filter` over a large mailbox) take tens of seconds. This is above the minute after
/// which gateways usually respond 504, since that tells more than a limit of ours that fires first.
const HEAD: Duration = Duration::from_secs(100);

/// Within a body Graph sends steadily; half a minute of silence is a dead connection.
const IDLE: Duration = Duration::from_secs(30);

/// A slow consumer slows the body down too, so this is generous: the end of bodies that never end.
const TOTAL: Duration = Duration::from_secs(600);

/// The limits of one exchange. The default is what the configuration says if it says nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timeouts {
    /// For a connection as a whole: resolving the name, TCP, the tunnel through a proxy, and the TLS handshake.
    pub connect: Duration,
    /// From the request until the head of the response, connecting included where no pooled connection is free.
    pub head: Duration,
    /// Silence of the upstream within a body. The time in which nobody asks for bytes does not count.
    pub idle: Duration,
    /// The whole body, from the head of the response, slow readers included.
    pub total: Duration,
}

impl Timeouts {
    /// The same, but for exchanges that others wait for: each step of a response within `limit`.
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
