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

    /// A service of the machine's own that is asked without TLS, because no packet leaves its link: `http` to a link-local
    /// address (RFC 3927, RFC 4291 section 2.5.6), such as the metadata services of clouds. Otherwise as [`Self::new`].
    ///
    /// # Errors
    /// [`OriginError`] where the origin cannot be trusted with a credential.
    pub(super) fn on_machine(scheme: Scheme, authority: Authority) -> Result<Self, OriginError> {
        match Self::new(scheme.clone(), authority.clone()) {
            Err(OriginError::Plaintext) if is_link_local(authority.host()) => Ok(Self { scheme, authority }),
            done => done,
        }
    }

    /// Whether the host can only be this machine.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(self.authority.host())
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
    host.eq_ignore_ascii_case("localhost") || address(host).is_some_and(|address| address.is_loopback())
}

fn is_link_local(host: &str) -> bool {
    match address(host) {
        Some(IpAddr::V4(address)) => address.is_link_local(),
        Some(IpAddr::V6(address)) => address.is_unicast_link_local(),
        None => false,
    }
}

fn address(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
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
    fn plaintext_on_the_machines_own_link_is_for_its_own_services() {
        let on_machine = |text: &str| {
            let parts = text.parse::<Uri>().unwrap().into_parts();
            Origin::on_machine(parts.scheme.unwrap(), parts.authority.unwrap())
        };
        for good in
            ["http://169.254.169.254", "http://[fe80::1]", "http://localhost:42356", "https://a.example"]
        {
            assert!(on_machine(good).is_ok(), "{good}");
        }
        for bad in ["http://10.0.0.1", "http://169.254.169.254.evil.example", "http://169.253.0.1"] {
            assert_eq!(on_machine(bad), Err(OriginError::Plaintext), "{bad}");
        }
        assert_eq!(origin("http://169.254.169.254"), Err(OriginError::Plaintext));
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
