//! A server above the proxy: scheme, host and port.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

use super::error::UpstreamError;

/// The origin (RFC 6454) of Graph or of Entra. A value of this type is safe to send a credential to: it is
/// `https`, or on this very host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    scheme: Scheme,
    authority: Authority,
}

/// Why an origin was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OriginError {
    /// `http` to another host.
    #[error("plaintext is allowed to a loopback address only: use https")]
    Plaintext,
    /// Neither `https` nor `http`.
    #[error("the scheme must be https")]
    Scheme,
    /// `user@host`, which is either a mistake or made to mislead a reader.
    #[error("the host must not have a user part")]
    UserInfo,
}

impl Origin {
    /// Checks and joins the parts.
    ///
    /// # Errors
    /// [`OriginError`] where the origin cannot be trusted with a credential.
    pub fn new(scheme: Scheme, authority: Authority) -> Result<Self, OriginError> {
        if authority.as_str().contains('@') {
            return Err(OriginError::UserInfo);
        }
        match scheme.as_str() {
            "https" => {}
            "http" if is_loopback(authority.host()) => {}
            "http" => return Err(OriginError::Plaintext),
            _ => return Err(OriginError::Scheme),
        }
        Ok(Self { scheme, authority })
    }

    /// Whether TLS protects the connection.
    pub(super) fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The absolute address of `target`, a path with an optional query (origin-form, RFC 9112 section 3.2.1). It goes
    /// out byte for byte or not at all: `http` would cut a fragment off in silence.
    pub(super) fn uri(&self, target: &str) -> Result<Uri, UpstreamError> {
        let path = PathAndQuery::try_from(target).map_err(|_| UpstreamError::Target)?;
        if !target.starts_with('/') || path.as_str() != target {
            return Err(UpstreamError::Target);
        }
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .map_err(|_| UpstreamError::Target)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

/// Whether `host` can only be this machine. A name other than `localhost` (RFC 6761 section 6.3) can be anybody.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Result<Origin, OriginError> {
        let parts = text.parse::<Uri>().unwrap().into_parts();
        Origin::new(parts.scheme.unwrap(), parts.authority.unwrap())
    }

    #[test]
    fn https_anywhere_and_plaintext_on_loopback() {
        for good in
            ["https://graph.microsoft.com", "http://127.0.0.1:80", "http://[::1]:8080", "http://LocalHost"]
        {
            assert!(origin(good).is_ok(), "{good}");
        }
        for bad in ["http://graph.microsoft.com", "http://10.0.0.1", "http://127.0.0.1.evil.example"] {
            assert_eq!(origin(bad), Err(OriginError::Plaintext), "{bad}");
        }
        assert_eq!(origin("ftp://graph.microsoft.com"), Err(OriginError::Scheme));
        assert_eq!(origin("https://graph.microsoft.com@evil.example"), Err(OriginError::UserInfo));
    }

    #[test]
    fn a_target_goes_out_unchanged_or_not_at_all() {
        let graph = origin("https://graph.microsoft.com").unwrap();
        for good in ["/v1.0/users?$top=5", "//evil.example/x", "/a%2Fb?c=%23", "/v1.0/users('a')"] {
            assert_eq!(graph.uri(good).unwrap().to_string(), format!("https://graph.microsoft.com{good}"));
        }
        for bad in
            ["", "v1.0/users", "*", "?a", "/a#b", "/a b", "/a\r\nb", "/\u{e9}\u{7f}", "https://evil.example/"]
        {
            assert_eq!(graph.uri(bad), Err(UpstreamError::Target), "{bad:?}");
        }
    }
}
