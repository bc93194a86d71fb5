//! What can go wrong between the proxy and Graph, Entra or an issuer. Each variant names the likely cause.
//!
//! No variant holds a byte of a response: the texts go to the operator's log and must be safe there. The consumer gets
//! a status and a fixed sentence instead.

use std::error::Error;
use std::{fmt, io, iter};

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
    /// The TCP connection could not be opened (network, firewall).
    #[error("cannot connect to the upstream ({0}): check the network and the firewall")]
    Connect(io::ErrorKind),
    /// The head has more or longer header fields than any honest response (upstream).
    #[error("the head of the upstream's response is too large")]
    HeadTooLarge,
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
    /// The connection ended before the response was complete (upstream).
    #[error("the upstream closed the connection before the response was complete")]
    Truncated,
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
    /// Resolving the host name.
    Resolve,
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
