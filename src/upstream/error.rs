//! What can go wrong between the proxy and a server above it, by who is to blame.
//!
//! No variant holds a byte of a response: their text is for the operator's log and must be safe there. It is not for the
//! consumer, who is told a status and a fixed sentence.

use std::error::Error;
use std::{fmt, io, iter};

/// Why an exchange failed. Not one of these is a response: a 4xx or 5xx of Graph is a response, not an error.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum UpstreamError {
    /// The body is longer than the configured bound (upstream, or a bound set too low).
    #[error("the upstream's body is larger than the bound of {limit} bytes")]
    BodyTooLarge {
        /// The bound, in bytes as sent, before any decompression.
        limit: u64,
    },
    /// No TCP connection (network, firewall).
    #[error("cannot connect to the upstream ({0}): check the network and the firewall")]
    Connect(io::ErrorKind),
    /// More or longer header fields than any honest response has (upstream).
    #[error("the head of the upstream's response is too large")]
    HeadTooLarge,
    /// Not HTTP, or HTTP used wrongly (upstream, or a middlebox).
    #[error("the upstream broke the HTTP protocol")]
    Protocol,
    /// The proxy on the way did not open a tunnel (configuration of the proxy, or of `HTTPS_PROXY`).
    #[error(
        "the proxy that HTTPS_PROXY names opened no tunnel: check its address, whether it lets this host through, and whether it wants a password"
    )]
    Proxy,
    /// A 3xx status. Following it could lead anywhere (configuration: wrong host; or a captive portal).
    #[error("the upstream answered with a redirect, which is never followed: check the configured host")]
    Redirect,
    /// The connection was reset (upstream, or a middlebox).
    #[error("the upstream reset the connection")]
    Reset,
    /// The name has no address (DNS, configuration).
    #[error("the upstream's host name cannot be resolved: check the name and DNS")]
    Resolve,
    /// The target is not one that can be sent unchanged (a defect of the caller).
    #[error("the request target is not in origin-form")]
    Target,
    /// A time limit passed (network, upstream).
    #[error("the upstream took too long: {0}")]
    Timeout(Phase),
    /// No TLS session (certificate, roots, middlebox). `None`: the other side left or did not speak TLS.
    #[error("no TLS session with the upstream{}", because(.0.as_ref()))]
    Tls(#[source] Option<rustls::Error>),
    /// The token has characters that no header field can hold (configuration).
    #[error("the access token has characters that cannot be sent")]
    Token,
    /// The connection ended before the response did (upstream).
    #[error("the upstream closed the connection before the response was complete")]
    Truncated,
}

/// What took too long. [`Timeouts::connect`](super::Timeouts::connect) limits the steps to a connection together, the other
/// fields of [`Timeouts`](super::Timeouts) one phase each.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Opening the TCP connection.
    Connect,
    /// Waiting for the head of the response.
    Head,
    /// Silence within the body.
    Idle,
    /// Opening a tunnel through a proxy.
    Proxy,
    /// Resolving the host name.
    Resolve,
    /// The TLS handshake.
    Tls,
    /// The body as a whole.
    Total,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "opening the connection",
            Self::Head => "waiting for the head of the response",
            Self::Proxy => "opening a tunnel through the proxy",
            Self::Idle => "silence within the body",
            Self::Resolve => "resolving the host name",
            Self::Tls => "the TLS handshake",
            Self::Total => "reading the whole body",
        })
    }
}

impl From<&hyper::Error> for UpstreamError {
    fn from(error: &hyper::Error) -> Self {
        if error.is_parse_too_large() {
            return Self::HeadTooLarge;
        }
        match io_kind(error) {
            _ if error.is_incomplete_message() => Self::Truncated,
            Some(io::ErrorKind::UnexpectedEof) => Self::Truncated,
            Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => Self::Reset,
            _ if error.is_canceled() || error.is_closed() => Self::Reset,
            _ => Self::Protocol,
        }
    }
}

impl From<&hyper_util::client::legacy::Error> for UpstreamError {
    fn from(error: &hyper_util::client::legacy::Error) -> Self {
        if let Some(known) = find::<Self>(error) {
            return known.clone();
        }
        find::<hyper::Error>(error).map_or(Self::Protocol, Self::from)
    }
}

/// The kind of the first I/O error in the chain of causes.
pub(super) fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    find::<io::Error>(error).map(io::Error::kind)
}

/// The first cause of type `T`, `error` itself included.
pub(super) fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    iter::successors(Some(error), |e| cause(*e)).find_map(|e| e.downcast_ref())
}

/// The next cause. [`io::Error`] hides the error that it wraps from `source`, so it is opened.
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
    fn a_tls_failure_says_why_where_it_is_known() {
        let known = UpstreamError::Tls(Some(rustls::CertificateError::Expired.into()));
        assert_eq!(known.to_string(), "no TLS session with the upstream: invalid peer certificate: Expired");
        assert_eq!(UpstreamError::Tls(None).to_string(), "no TLS session with the upstream");
    }
}
