//! Every bound of a listener, with its reason.
//!
//! A program sets [`ServerLimits::default`] and the few that the configuration overrides; tests set small ones.

use std::time::Duration;

/// See [`crate::config::DEFAULT_CONNECTIONS`].
pub const CONNECTIONS: usize = 1024;

/// A handshake is two round trips; ten seconds allow for bad links. An unfinished handshake holds a connection.
pub const TLS_HANDSHAKE: Duration = Duration::from_secs(10);

/// From the last response, or the start of the connection, to the end of the next request's head (HTTP/1). It ends both
/// slow heads and idle connections, so it is no shorter than the pauses of an SDK between pages.
pub const HEADER_READ: Duration = Duration::from_secs(30);

/// An HTTP/2 connection without any request ends after this; clients reconnect when they need to.
pub const IDLE: Duration = Duration::from_secs(120);

/// A peer that takes nothing of a response for so long has gone or means harm; an SDK drains its socket within
/// milliseconds.
pub const WRITE_STALL: Duration = Duration::from_secs(30);

/// Graph URLs with a long `$filter` and a bearer token of 4 KiB stay under half of this.
pub const HEAD_BYTES: usize = 16 * 1024;

/// SDKs send about 15 header fields; gateways between add a few.
pub const HEAD_FIELDS: usize = 64;

/// What may wait in memory for a slow HTTP/1 connection, beside the piece that goes over it.
pub const HTTP1_SEND_BUFFER: usize = 64 * 1024;

/// Requests at once on one HTTP/2 connection: RFC 9113, section 6.5.2, recommends no fewer than 100.
pub const HTTP2_STREAMS: u32 = 100;

/// Streams that a peer may reset before they were taken up: hyper's default, its response to rapid reset (CVE-2023-44487).
pub const HTTP2_PENDING_RESETS: usize = 20;

/// Streams that this side may have to reset because of the peer's errors, over a connection's life.
pub const HTTP2_ERROR_RESETS: usize = 256;

/// Request bodies are small (`$batch`), so windows need not be large (RFC 9113, section 6.9.2, begins with this).
pub const HTTP2_STREAM_WINDOW: u32 = 64 * 1024;

/// Four bodies at once without waiting.
pub const HTTP2_CONNECTION_WINDOW: u32 = 256 * 1024;

/// What may wait in memory for one slow stream.
pub const HTTP2_SEND_BUFFER: usize = 128 * 1024;

/// How often a silent HTTP/2 peer is asked whether it is still there, and how long it has to respond.
pub const HTTP2_PING: Duration = Duration::from_secs(20);

/// The bounds of one listener.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    /// Connections at once; more wait in the kernel's backlog.
    pub connections: usize,
    /// For a TLS handshake.
    pub tls_handshake: Duration,
    /// For a request's head (HTTP/1), from when the connection is ready for it.
    pub header_read: Duration,
    /// For a connection without requests.
    pub idle: Duration,
    /// For a peer to take some of what is sent to it.
    pub write_stall: Duration,
    /// Bytes of a request's head. At least 8 KiB.
    pub head_bytes: usize,
    /// Header fields of a request.
    pub head_fields: usize,
    /// How long a stop waits for responses that have begun.
    pub drain: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS,
            tls_handshake: TLS_HANDSHAKE,
            header_read: HEADER_READ,
            idle: IDLE,
            write_stall: WRITE_STALL,
            head_bytes: HEAD_BYTES,
            head_fields: HEAD_FIELDS,
            drain: crate::config::DEFAULT_DRAIN,
        }
    }
}
