//! What can go wrong between the proxy and Graph, Entra or an issuer. Each variant names the likely cause.
//!
//! No variant holds a byte of a response: the texts go to the operator's log and must be safe there. The consumer gets
//! a status and a fixed sentence instead.

use std::error::Error;
use std::{fmt, io, iter};

use glassine_core::graph::Origin;
use rustls::AlertDescription;

/// Why a request to a server failed. The likely cause stands in parentheses. A 4xx or 5xx of Graph is a response, not
/// an error.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum UpstreamError {
    /// The body is longer than the bound (upstream, or the bound is too low).
    #[error("the upstream's body is larger than the bound of {limit} bytes")]
    BodyTooLarge {
        /// The bound, in bytes as sent, before decompression.
        limit: u64,
    },
    /// The server requested a client certificate, got none, and ended the TLS session (configuration: wrong host; or a
    /// gateway in front of it).
    #[error(
        "the upstream requested a client certificate, which this proxy does not have: check the configured host, and gateways on the way"
    )]
    ClientCertificate,
    /// The TCP connection could not be opened (network, firewall).
    #[error("cannot connect to the upstream ({0}): check the network and the firewall")]
    Connect(io::ErrorKind),
    /// The server is ending the HTTP/2 connection (GOAWAY) and has not processed the request (upstream: a restart, or too
    /// many requests).
    #[error("the upstream is shutting the HTTP/2 connection down ({0})")]
    GoingAway(h2::Reason),
    /// The head has more or longer header fields than any honest response (upstream).
    #[error("the head of the upstream's response is too large")]
    HeadTooLarge,
    /// The network lost the connection (network, firewall, or a middlebox that forgot it).
    #[error("the connection to the upstream was lost ({0}): check the network and the firewall")]
    Lost(io::ErrorKind),
    /// The server allows no request on any of its connections (upstream).
    #[error(
        "the upstream allows no request on its HTTP/2 connections (SETTINGS_MAX_CONCURRENT_STREAMS is 0)"
    )]
    NoStreams,
    /// The bytes are not HTTP, or break its rules (upstream, or a middlebox).
    #[error("the upstream broke the HTTP protocol")]
    Protocol,
    /// The outbound proxy did not open a tunnel (configuration of that proxy, or of `HTTPS_PROXY`).
    #[error(
        "the proxy in HTTPS_PROXY did not open a tunnel: check its address, whether it allows this host, and whether it needs a password"
    )]
    Proxy,
    /// The status is 3xx. A redirect could lead anywhere, so none is followed (configuration: wrong host; or a captive
    /// portal).
    #[error("the upstream responded with a redirect, which is never followed: check the configured host")]
    Redirect,
    /// The connection was reset (upstream, or a middlebox).
    #[error("the upstream reset the connection")]
    Reset,
    /// The server reset the stream of this request (upstream).
    #[error("the upstream reset the HTTP/2 stream ({0})")]
    StreamReset(h2::Reason),
    /// The server refused the stream before processing the request (upstream: overload, or a new limit).
    #[error("the upstream refused the HTTP/2 stream")]
    StreamRefused,
    /// The server, or a middlebox, takes bytes but left a ping unanswered (network, upstream).
    #[error("the HTTP/2 connection to the upstream stopped answering pings")]
    Unresponsive,
    /// The name has no address (DNS, configuration).
    #[error("the upstream's host name cannot be resolved: check the name and DNS")]
    Resolve,
    /// The target cannot be sent unchanged (a defect of the caller).
    #[error("the request target is not in origin-form")]
    Target,
    /// A time limit passed (network, upstream).
    #[error("the upstream took too long: {0}")]
    Timeout(Phase),
    /// The TLS handshake failed (certificate, roots, middlebox). `None`: the server left or did not speak TLS.
    #[error("no TLS session with the upstream{}", because(.0.as_ref()))]
    Tls(#[source] Option<rustls::Error>),
    /// The token has characters that no header field can hold (configuration).
    #[error("the access token has characters that cannot be sent")]
    Token,
    /// The body is encoded by another transfer coding than `chunked`, or its length is given twice (upstream, or a
    /// middlebox: RFC 9112 section 6.3).
    #[error(
        "the upstream's response has a Transfer-Encoding other than chunked, or a Content-Length beside it"
    )]
    TransferEncoding,
    /// The connection ended before the response was complete (upstream).
    #[error("the upstream closed the connection before the response was complete")]
    Truncated,
}

/// Why a request to a server failed, and to which: an operator has to know whether to mend the way to Graph or to Entra.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{origin}: {error}")]
pub struct ServerError {
    /// The server: scheme, host, and the port if it is not the scheme's own.
    pub origin: Origin,
    /// What happened.
    pub error: UpstreamError,
}

/// What took too long. [`Timeouts::connect`](super::Timeouts::connect) limits all steps of opening a connection
/// together. Each other field of [`Timeouts`](super::Timeouts) limits one phase.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Opening the TCP connection.
    Connect,
    /// Waiting for the head of the response.
    Head,
    /// Waiting for more of the body.
    Idle,
    /// Opening a tunnel through a proxy.
    Proxy,
    /// Waiting for a connection: all are in use, or none is open yet.
    Queue,
    /// Resolving the host name.
    Resolve,
    /// Waiting for the settings of a new HTTP/2 connection.
    Settings,
    /// The TLS handshake.
    Tls,
    /// Reading the whole body.
    Total,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "opening the connection",
            Self::Head => "waiting for the head of the response",
            Self::Proxy => "opening a tunnel through the proxy",
            Self::Idle => "silence within the body",
            Self::Queue => "waiting for a connection",
            Self::Resolve => "resolving the host name",
            Self::Settings => "waiting for the settings of a new HTTP/2 connection",
            Self::Tls => "the TLS handshake",
            Self::Total => "reading the whole body",
        })
    }
}

impl UpstreamError {
    /// Whether the connection is at fault, and another one may do better.
    pub(super) fn is_lost_connection(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Reset | Self::Truncated | Self::Unresponsive)
            || self.is_unprocessed()
    }

    /// Whether the server said that it did not process the request (RFC 9113 section 8.7).
    pub(super) fn is_unprocessed(&self) -> bool {
        matches!(self, Self::GoingAway(_) | Self::StreamRefused)
    }
}

impl From<&hyper::Error> for UpstreamError {
    fn from(error: &hyper::Error) -> Self {
        if error.is_parse_too_large() {
            return Self::HeadTooLarge;
        }
        if error.is_incomplete_message() {
            return Self::Truncated;
        }
        of_io(error).unwrap_or_else(|| match error.is_canceled() || error.is_closed() {
            true => Self::Reset,
            false => Self::Protocol,
        })
    }
}

impl From<&h2::Error> for UpstreamError {
    fn from(error: &h2::Error) -> Self {
        let reason = error.reason().filter(|_| error.is_remote());
        match reason {
            Some(h2::Reason::REFUSED_STREAM) if error.is_reset() => Self::StreamRefused,
            Some(reason) if error.is_reset() => Self::StreamReset(reason),
            // Streams that the server may have processed end with the connection, not with this error.
            Some(reason) if error.is_go_away() => Self::GoingAway(reason),
            _ => error.get_io().map_or(Self::Protocol, |error| of_io(error).unwrap_or(Self::Reset)),
        }
    }
}

/// What happened to an open connection, if `error` comes from its bytes.
fn of_io(error: &(dyn Error + 'static)) -> Option<UpstreamError> {
    if let Some(tls) = find::<rustls::Error>(error) {
        return Some(match tls {
            rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
                UpstreamError::ClientCertificate
            }
            tls => UpstreamError::Tls(Some(tls.clone())),
        });
    }
    Some(match io_kind(error)? {
        io::ErrorKind::UnexpectedEof => UpstreamError::Truncated,
        io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::NotConnected => UpstreamError::Reset,
        kind @ (io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::TimedOut) => UpstreamError::Lost(kind),
        // Among these are mistakes in chunks.
        _ => return None,
    })
}

/// The kind of the first I/O error in the chain of causes.
pub(super) fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    find::<io::Error>(error).map(io::Error::kind)
}

/// The first cause of type `T`, `error` itself included.
pub(super) fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    iter::successors(Some(error), |e| cause(*e)).find_map(|e| e.downcast_ref())
}

/// The next cause. `source` of an [`io::Error`] skips the error that it wraps, so that one is taken out.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn because(reason: Option<&rustls::Error>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_found_through_io_errors() {
        let wrapped = io::Error::other(io::Error::other(UpstreamError::Resolve));
        assert_eq!(find::<UpstreamError>(&wrapped), Some(&UpstreamError::Resolve));
        assert_eq!(find::<rustls::Error>(&wrapped), None);
    }

    #[test]
    fn a_tls_failure_says_why_if_the_reason_is_known() {
        let known = UpstreamError::Tls(Some(rustls::CertificateError::Expired.into()));
        assert_eq!(known.to_string(), "no TLS session with the upstream: invalid peer certificate: Expired");
        assert_eq!(UpstreamError::Tls(None).to_string(), "no TLS session with the upstream");
    }
}
