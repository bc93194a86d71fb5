//! How connections are kept, and when they are doubted.

use std::time::Duration;

use crate::upstream::body::{CONNECTION_WINDOW, STREAM_WINDOW};

/// Shorter than the shortest idle limit that we know before Microsoft's servers, so that this proxy closes first: IIS and
/// HTTP.sys close after 120 s (`webLimits connectionTimeout`), Azure's load balancer silently forgets a flow after 4 minutes,
/// and load balancers and NAT tables elsewhere after 60 s.
const IDLE: Duration = Duration::from_secs(50);

/// The most idle HTTP/1.1 connections that are kept: as many as a consumer's concurrent requests by default.
const IDLE_CONNECTIONS: usize = 64;

/// The most connections to one server. Requests beyond these wait for a connection. Far more than the consumers' requests
/// that run at once; it bounds sockets and memory if a server allows one request per connection.
const CONNECTIONS: usize = 256;

/// The most requests at a time on one HTTP/2 connection, whatever the server allows. Then consumers that stop reading
/// cannot block others on the same connection: their unread bytes fit into its window.
const STREAMS: usize = (CONNECTION_WINDOW / STREAM_WINDOW) as usize;

/// After this much silence while requests wait, an HTTP/2 connection gets a ping. Graph's slow pages are silent for longer,
/// but its servers acknowledge pings meanwhile.
const PING_AFTER: Duration = Duration::from_secs(3);

/// How long a ping may stay unanswered, with no other byte from the server, before the connection is given up. TCP sends a
/// lost packet again within a second.
const PING_LIMIT: Duration = Duration::from_secs(3);

/// A connection that was silent for this long is doubted when a request uses it: over HTTP/2, a ping goes out with the
/// request; over HTTP/1.1, [`PoolLimits::no_response`] applies.
const QUIET: Duration = Duration::from_secs(1);

/// HTTP/1.1 has no pings. If a doubted connection brings no response for this long, the request is sent on a new one too, and
/// the first response counts. This is how long a request waits at most because a middlebox swallows it.
const NO_RESPONSE: Duration = Duration::from_secs(5);

/// The most requests at a time that are sent twice for this reason. So a server that is slow, not dead, gets few requests
/// more. If it is dead, the next requests get new connections at once.
const DOUBLED: usize = 4;

/// How long no further connection is opened after one could not be, while others are in use.
const REST: Duration = Duration::from_secs(1);

/// If so many HTTP/2 connections allow no request at all, no further one is opened: the server means it. Requests wait until
/// it allows some.
const SHUT_CONNECTIONS: usize = 3;

/// A timer needs a period.
const LEAST_CHECK: Duration = Duration::from_millis(1);

/// The limits of one pool. The defaults always apply, but in tests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PoolLimits {
    /// How long an unused connection is kept.
    pub idle: Duration,
    /// The most idle HTTP/1.1 connections.
    pub idle_connections: usize,
    /// The most connections.
    pub connections: usize,
    /// The most requests at a time on one HTTP/2 connection.
    pub streams: usize,
    /// The silence before an HTTP/2 connection gets a ping while requests wait.
    pub ping_after: Duration,
    /// How long a ping may stay unanswered.
    pub ping_limit: Duration,
    /// The silence after which a connection is doubted when it is used.
    pub quiet: Duration,
    /// How long a doubted HTTP/1.1 connection may bring no response until the request is sent on a new one too.
    pub no_response: Duration,
    /// The most requests at a time that are sent twice for that reason.
    pub doubled: usize,
    /// The pause after a connection could not be opened.
    pub rest: Duration,
    /// How many connections that allow no request are enough.
    pub shut_connections: usize,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl PoolLimits {
    /// The limits outside of tests.
    pub const DEFAULT: Self = Self {
        idle: IDLE,
        idle_connections: IDLE_CONNECTIONS,
        connections: CONNECTIONS,
        streams: STREAMS,
        ping_after: PING_AFTER,
        ping_limit: PING_LIMIT,
        quiet: QUIET,
        no_response: NO_RESPONSE,
        doubled: DOUBLED,
        rest: REST,
        shut_connections: SHUT_CONNECTIONS,
    };

    /// How often a connection looks whether it has been idle for too long: it closes a tenth too late at most.
    pub(super) fn idle_check(&self) -> Duration {
        (self.idle / 10).max(LEAST_CHECK)
    }

    /// How often an HTTP/2 connection looks whether a ping is due or overdue.
    pub(super) fn ping_check(&self) -> Duration {
        (self.ping_after.min(self.ping_limit) / 6).max(LEAST_CHECK)
    }
}
