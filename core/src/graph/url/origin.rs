//! Origins: the servers that requests go to.

use std::fmt;

use super::{Host, Parts, UrlError};

/// The schemes a URL can have; plain HTTP is for this machine.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scheme {
    /// `http`, port 80.
    Http,
    /// `https`, port 443.
    Https,
}

/// An origin (RFC 6454): two are equal if and only if scheme, host and effective port are.
///
/// Invariant: `https`, or this machine, so that a credential can be sent there. Only
/// [`Url::parse_link_local`](super::Url::parse_link_local) and [`Url::parse_private`](super::Url::parse_private) also accept
/// addresses on this machine's link and in private networks.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Origin {
    scheme: Scheme,
    host: Host,
    port: u16,
    text: String,
}

impl Origin {
    /// Parses `scheme://host[:port]`, with at most a `/` after it.
    ///
    /// # Errors
    /// [`UrlError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let Parts { scheme, host, port, target } = Parts::parse(text)?;
        match target {
            "" | "/" => Self::new(scheme, host, port),
            _ if target.contains('?') => Err(UrlError::Query),
            _ => Err(UrlError::Path),
        }
    }

    pub(super) fn new(scheme: Scheme, host: Host, port: u16) -> Result<Self, UrlError> {
        let is_protected = scheme == Scheme::Https || host.is_loopback();
        if is_protected { Ok(Self::of(scheme, host, port)) } else { Err(UrlError::Plaintext) }
    }

    pub(super) fn new_link_local(scheme: Scheme, host: Host, port: u16) -> Result<Self, UrlError> {
        if host.is_link_local() { Ok(Self::of(scheme, host, port)) } else { Self::new(scheme, host, port) }
    }

    pub(super) fn new_private(scheme: Scheme, host: Host, port: u16) -> Result<Self, UrlError> {
        if host.is_private() { Ok(Self::of(scheme, host, port)) } else { Self::new(scheme, host, port) }
    }

    fn of(scheme: Scheme, host: Host, port: u16) -> Self {
        let text = match port {
            port if port == scheme.default_port() => format!("{}://{host}", scheme.as_str()),
            port => format!("{}://{host}:{port}", scheme.as_str()),
        };
        Self { scheme, host, port, text }
    }

    /// `scheme://host`, with the port if it is not the scheme's default (RFC 6454, section 6.2).
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host.
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port; the scheme's default if none was written.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether TLS protects the connection.
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }
}

impl Scheme {
    /// The scheme's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port where none is written.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Http, Self::Https].into_iter().find(|scheme| scheme.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_origin_has_one_spelling() {
        for (text, written) in [
            ("https://Graph.Microsoft.com/", "https://graph.microsoft.com"),
            ("HTTPS://graph.microsoft.com:443", "https://graph.microsoft.com"),
            ("https://my_graph.example:8443", "https://my_graph.example:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[0::1]:80", "http://[::1]"),
            ("http://LocalHost", "http://localhost"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().as_str(), written);
        }
        let local = Origin::parse("http://[::1]:8080").unwrap();
        assert_eq!((local.scheme(), local.host().as_str(), local.port()), (Scheme::Http, "[::1]", 8080));
    }

    #[test]
    fn what_an_origin_cannot_have_is_named() {
        for (text, error) in [
            ("https://graph.microsoft.com/v1.0", UrlError::Path),
            ("https://graph.microsoft.com//", UrlError::Path),
            ("https://a?b", UrlError::Query),
            ("https://a/?b", UrlError::Query),
            ("https://a#b", UrlError::Fragment),
            ("https://graph.microsoft.com@evil.example", UrlError::UserInformation),
            ("https://a:0", UrlError::Port),
            ("https://a:", UrlError::Port),
            ("https://a:99999", UrlError::Port),
            ("https://a:443:443", UrlError::Port),
            ("https://a..example", UrlError::Host),
            ("https://a example", UrlError::InvalidCharacter),
            ("ftp://a.example", UrlError::NotAbsolute),
            ("a.example", UrlError::NotAbsolute),
            ("", UrlError::NotAbsolute),
            ("http://graph.microsoft.com", UrlError::Plaintext),
            ("http://10.0.0.1", UrlError::Plaintext),
            ("http://169.254.169.254", UrlError::Plaintext),
            ("http://127.0.0.1.evil.example", UrlError::Plaintext),
        ] {
            assert_eq!(Origin::parse(text), Err(error), "{text}");
        }
    }
}
