//! How long the upstream may take, step by step. Each limit has its own error, so that a log line names the cause.

use std::time::Duration;

/// One lost SYN is repeated after 1 s and a second after 3 s (RFC 6298): 5 s survives both.
const CONNECT: Duration = Duration::from_secs(5);

/// A handshake is two round trips and a signature.
const TLS: Duration = Duration::from_secs(5);

/// Graph's slowest pages (`$orderby` over a large mailbox) take tens of seconds; this is above
/// the minute after which gateways usually response 504, since that tells more than a limit of ours that fires first.
const HEAD: Duration = Duration::from_secs(70);

/// Within a body Graph sends steadily; half a minute of silence is a dead connection.
const IDLE: Duration = Duration::from_secs(30);

/// A slow consumer slows the body down too, so this is generous: the end of bodies that never end.
const TOTAL: Duration = Duration::from_secs(600);

/// The limits of one exchange.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Resolving the name, and again opening the TCP connection.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls: Duration,
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
        Self { connect: CONNECT, tls: TLS, head: HEAD, idle: IDLE, total: TOTAL }
    }
}
