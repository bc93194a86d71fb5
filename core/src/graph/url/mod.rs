//! Absolute URLs, of the configuration and of Graph's links: one parser for all of them.
//!
//! | type | what it is | where |
//! |---|---|---|
//! | [`Origin`] | scheme, host, port | `upstream.graph`, `upstream.authority`, the origin of Graph's links |
//! | [`BaseUrl`] | an origin and perhaps a path prefix | `public_url`, `return_url` |
//! | [`Url`] | an origin, a path and perhaps a query | `jwks_url`, the documents of issuers |
//!
//! The parser is strict: it refuses whatever a lenient parser would repair (a backslash, a tab, user information, an
//! escaped or non-ASCII host, an empty port), so that no two readers see different hosts.
//!
//! Each of the three uses `https` or leads to this machine, so that nobody can read on the way what is sent there.

mod base;
mod host;
mod origin;

use std::fmt;

use thiserror::Error;

pub use base::BaseUrl;
pub use host::Host;
pub use origin::{Origin, Scheme};

/// The most bytes of a URL: a link of Graph with the longest target that could be followed, behind its origin. URLs that people
/// write have fewer than 200.
const MAX_URL: usize = 25 * 1024;

/// Why a URL was refused.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum UrlError {
    /// A path prefix that needs escaping, or that two readers could resolve to two places.
    #[error("the path of the URL has more than letters, digits, `-`, `.`, `_` and `~` between its slashes")]
    BasePath,
    /// `#`.
    #[error("the URL has a fragment (`#`)")]
    Fragment,
    /// Neither a name of letters, digits, hyphens and underscores, nor an IP address.
    #[error("the host of the URL is neither a name nor an IP address")]
    Host,
    /// A control character, a space, a backslash, a non-ASCII character, or another that must be escaped.
    #[error("the URL has a character that a URL can have only in an escaped form")]
    InvalidCharacter,
    /// No `scheme://`, or another scheme than `http` and `https`.
    #[error("the URL does not begin with `https://`")]
    NotAbsolute,
    /// A path where an origin has none.
    #[error("the URL has a path")]
    Path,
    /// `http` to another machine.
    #[error("plaintext is allowed to this machine only (`localhost`, 127.0.0.0/8, `[::1]`)")]
    Plaintext,
    /// Not a decimal number from 1 to 65535.
    #[error("the port of the URL is not a number from 1 to 65535")]
    Port,
    /// `?` where no query is allowed.
    #[error("the URL has a query (`?`)")]
    Query,
    /// More than any URL needs.
    #[error("the URL has more than {MAX_URL} bytes")]
    TooLong,
    /// `user@host`, which is either a mistake or made to mislead a reader.
    #[error("the URL has a user name (`@`)")]
    UserInformation,
}

/// The URL of a document: an origin, a path, and perhaps a query.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Url {
    origin: Origin,
    /// Invariant: begins with a slash; every character is allowed unescaped in a URL.
    target: String,
}

impl Url {
    /// Parses an absolute URL.
    ///
    /// # Errors
    /// [`UrlError`], for example for plaintext to another machine.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Self::of(Parts::parse(text)?, Origin::new)
    }

    /// As [`Self::parse`], but `http` may also lead to a link-local address (RFC 3927, RFC 4291 section 2.5.6), such as
    /// that of a cloud's metadata service: its packets do not leave this machine's link.
    ///
    /// # Errors
    /// [`UrlError`], for example for plaintext beyond this machine's link.
    pub fn parse_link_local(text: &str) -> Result<Self, UrlError> {
        Self::of(Parts::parse(text)?, Origin::new_link_local)
    }

    /// As [`Self::parse_link_local`], but `http` may also lead to a private address (RFC 1918, RFC 4193), such as that of the
    /// token service that App Service puts beside an app's container.
    ///
    /// # Errors
    /// [`UrlError`], for example for plaintext to a public address or to a name.
    pub fn parse_private(text: &str) -> Result<Self, UrlError> {
        Self::of(Parts::parse(text)?, Origin::new_private)
    }

    fn of(
        parts: Parts<'_>,
        origin: fn(Scheme, Host, u16) -> Result<Origin, UrlError>,
    ) -> Result<Self, UrlError> {
        let Parts { scheme, host, port, target } = parts;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte);
        if target.len() > MAX_URL {
            return Err(UrlError::TooLong);
        }
        if !target.bytes().all(is_plain) {
            return Err(UrlError::InvalidCharacter);
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self { origin: origin(scheme, host, port)?, target: format!("{slash}{target}") })
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The path, and the query if it has one (origin-form, RFC 9112 section 3.2.1).
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.target)
    }
}

/// A URL in its parts. Whether the connection is protected is not checked yet.
pub(super) struct Parts<'u> {
    pub(super) scheme: Scheme,
    pub(super) host: Host,
    /// The scheme's default port if none was written.
    pub(super) port: u16,
    /// Everything after host and port.
    pub(super) target: &'u str,
}

impl<'u> Parts<'u> {
    pub(super) fn parse(text: &'u str) -> Result<Self, UrlError> {
        check_characters(text)?;
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::NotAbsolute)?;
        let scheme = Scheme::parse(scheme).ok_or(UrlError::NotAbsolute)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).ok_or(UrlError::Host)?;
        if authority.contains('@') {
            return Err(UrlError::UserInformation);
        }
        let (host, port) = split_port(authority)?;
        let port = port.map_or(Ok(scheme.default_port()), parse_port)?;
        Ok(Self { scheme, host: Host::parse(host)?, port, target })
    }
}

fn check_characters(text: &str) -> Result<(), UrlError> {
    if text.contains('#') {
        return Err(UrlError::Fragment);
    }
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    if text.bytes().all(is_allowed) { Ok(()) } else { Err(UrlError::InvalidCharacter) }
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), UrlError> {
    let after_host = authority.rfind(']').map_or(0, |bracket| bracket.saturating_add(1));
    let (_, tail) = authority.split_at_checked(after_host).ok_or(UrlError::Host)?;
    match tail.split_once(':') {
        Some((between, port)) => {
            let host = authority.get(..after_host.saturating_add(between.len())).ok_or(UrlError::Host)?;
            Ok((host, Some(port)))
        }
        None => Ok((authority, None)),
    }
}

fn parse_port(text: &str) -> Result<u16, UrlError> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let port = text.parse().ok().filter(|_| is_decimal);
    port.ok_or(UrlError::Port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_behind_https_or_on_this_machine() {
        for (text, written) in [
            ("https://login.example/t/keys", "https://login.example/t/keys"),
            ("https://a.example/k?v=2", "https://a.example/k?v=2"),
            ("http://127.0.0.1:80/keys", "http://127.0.0.1/keys"),
            ("https://A.example", "https://a.example/"),
            ("https://a.example?v=2", "https://a.example/?v=2"),
            ("https://my_host.example/keys", "https://my_host.example/keys"),
        ] {
            assert_eq!(Url::parse(text).unwrap().to_string(), written, "{text}");
        }
        for (text, error) in [
            ("http://login.example/keys", UrlError::Plaintext),
            ("http://169.254.169.254/keys", UrlError::Plaintext),
            ("ftp://a.example/x", UrlError::NotAbsolute),
            ("https://u@a.example/x", UrlError::UserInformation),
            ("https://a.example/k#x", UrlError::Fragment),
            ("https://a.example/k x", UrlError::InvalidCharacter),
            ("https://a.example/<k>", UrlError::InvalidCharacter),
            ("https://", UrlError::Host),
            ("a.example/keys", UrlError::NotAbsolute),
            ("/keys", UrlError::NotAbsolute),
            ("", UrlError::NotAbsolute),
        ] {
            assert_eq!(Url::parse(text), Err(error), "{text}");
        }
        let long = format!("https://a.example/{}", "x".repeat(MAX_URL));
        assert_eq!(Url::parse(&long), Err(UrlError::TooLong));
    }

    #[test]
    fn plaintext_on_the_machines_own_link_is_for_its_own_services() {
        for good in [
            "http://169.254.169.254/token",
            "http://[fe80::1]/token",
            "http://localhost:42356/token",
            "https://a.example/token",
        ] {
            assert_eq!(Url::parse_link_local(good).unwrap().path(), "/token", "{good}");
        }
        for bad in ["http://10.0.0.1/", "http://169.254.169.254.evil.example/", "http://169.253.0.1/"] {
            assert_eq!(Url::parse_link_local(bad), Err(UrlError::Plaintext), "{bad}");
        }
    }

    #[test]
    fn plaintext_in_a_private_network_is_for_the_platforms_services() {
        for good in [
            "http://172.16.5.3:8081/msi/token",
            "http://10.0.0.1/msi/token",
            "http://192.168.1.1/msi/token",
            "http://[fd00::3]/msi/token",
            "http://169.254.129.2:8081/msi/token",
            "http://localhost:42356/msi/token",
            "https://a.example/msi/token",
        ] {
            assert_eq!(Url::parse_private(good).unwrap().path(), "/msi/token", "{good}");
        }
        for bad in ["http://172.32.0.1/", "http://8.8.8.8/", "http://a.example/", "http://[2001:db8::1]/"] {
            assert_eq!(Url::parse_private(bad), Err(UrlError::Plaintext), "{bad}");
        }
    }
}
