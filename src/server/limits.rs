//! Every bound of a listener, with its reason.
//!
//! The program uses [`ServerLimits::default`], with the few limits that the configuration overrides. Tests set small
//! ones.

use std::time::Duration;

/// See [`crate::config::DEFAULT_CONNECTIONS`].
pub(crate) const CONNECTIONS: usize = 1024;

/// A quarter of all, as [`crate::config::ListenerLimits`] has it by default: a consumer behind one address needs a few
/// dozen, and three strangers with an address each leave places to others.
pub(crate) const CONNECTIONS_PER_ADDRESS: usize = CONNECTIONS / 4;

/// How many connections may be on their way out while newcomers have their places already. Each ends as soon as its task
/// runs, within milliseconds; the bound keeps memory bounded if tasks are late.
pub(crate) const MAX_LEAVING: usize = 64;

/// A handshake takes two round trips; ten seconds allow for bad links. An unfinished handshake occupies a connection.
pub(crate) const TLS_HANDSHAKE: Duration = Duration::from_secs(10);

/// From the accepted connection to the end of the first request's head, TLS included. Whoever connects has a request to
/// send; only a stranger waits.
pub(crate) const FIRST_HEAD: Duration = Duration::from_secs(10);

/// How long an idle connection lives after this side decided to end it: time for a request that is already on its way.
/// Ten times the round trip to the other side of the earth.
pub(crate) const LAST_REQUEST: Duration = Duration::from_secs(1);

/// From the last response, or the start of the connection, to the end of the next request's head (HTTP/1). This limit
/// ends slow heads and also idle connections, so it must be longer than an SDK's pauses between pages.
pub(crate) const HEADER_READ: Duration = Duration::from_secs(30);

/// An HTTP/2 connection without requests ends after this time. Clients reconnect when they need to.
pub(crate) const IDLE: Duration = Duration::from_secs(120);

/// A peer that takes nothing of a response for this long is gone or hostile. An SDK reads its socket within
/// milliseconds.
pub(crate) const WRITE_STALL: Duration = Duration::from_secs(30);

/// The longest target has 24 KiB: a sealed link with a token of 16 KiB. A bearer token of 4 KiB, and as many bytes of other
/// fields, stand beside it. Without such a link, heads stay under a fifth of this.
pub(crate) const HEAD_BYTES: usize = 32 * 1024;

/// SDKs send about 15 header fields, and gateways add a few.
pub(crate) const HEAD_FIELDS: usize = 64;

/// How many bytes may wait in memory for a slow HTTP/1 connection, besides the piece that is being written.
pub(crate) const HTTP1_SEND_BUFFER: usize = 64 * 1024;

/// Requests at once on one HTTP/2 connection: RFC 9113, section 6.5.2, recommends at least 100.
pub(crate) const HTTP2_STREAMS: u32 = 100;

/// How many streams a peer may reset before hyper accepts them. This is hyper's default, against rapid reset
/// (CVE-2023-44487).
pub(crate) const HTTP2_PENDING_RESETS: usize = 20;

/// How many streams of one connection this side resets because of the peer's errors before it closes the connection.
pub(crate) const HTTP2_ERROR_RESETS: usize = 256;

/// Request bodies are small (`$batch`), so the initial window of RFC 9113, section 6.9.2, is enough.
pub(crate) const HTTP2_STREAM_WINDOW: u32 = 64 * 1024;

/// Four full stream windows at once.
pub(crate) const HTTP2_CONNECTION_WINDOW: u32 = 256 * 1024;

/// How many bytes may wait in memory for one slow stream.
pub(crate) const HTTP2_SEND_BUFFER: usize = 128 * 1024;

/// How often a silent HTTP/2 peer gets a ping, and how long it has to acknowledge it.
pub(crate) const HTTP2_PING: Duration = Duration::from_secs(20);

/// The bounds of one listener.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    /// Connections at once. For more, idle ones make room; if all are busy, more wait in the kernel's backlog.
    pub connections: usize,
    /// Connections at once from one address (IPv4 /32, IPv6 /64). Trusted proxies may have more.
    pub connections_per_address: usize,
    /// Time for a TLS handshake.
    pub tls_handshake: Duration,
    /// Time for the first request's head, from when the connection was accepted, TLS included. Trusted proxies, which may
    /// connect in advance, have `header_read` or `idle` instead.
    pub first_head: Duration,
    /// Time for a request's head (HTTP/1), from when the connection is ready for it.
    pub header_read: Duration,
    /// How long a connection may be without requests.
    pub idle: Duration,
    /// How long a peer may take nothing of a response.
    pub write_stall: Duration,
    /// The longest request head, in bytes. At least 8 KiB.
    pub head_bytes: usize,
    /// The most header fields of a request.
    pub head_fields: usize,
    /// How long an idle connection lives after this side decided to end it.
    pub last_request: Duration,
    /// How long the drain waits for responses that have begun.
    pub drain: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS,
            connections_per_address: CONNECTIONS_PER_ADDRESS,
            tls_handshake: TLS_HANDSHAKE,
            first_head: FIRST_HEAD,
            header_read: HEADER_READ,
            idle: IDLE,
            write_stall: WRITE_STALL,
            head_bytes: HEAD_BYTES,
            head_fields: HEAD_FIELDS,
            last_request: LAST_REQUEST,
            drain: crate::config::DEFAULT_DRAIN,
        }
    }
}
