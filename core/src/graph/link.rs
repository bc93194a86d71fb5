//! Absolute links that Graph gives, and the one origin on which they are accepted.
//!
//! A link is taken apart by hand and strictly: whatever a lenient URL parser would repair (a backslash, a tab, user
//! information, an escaped or non-ASCII host, an empty port) is refused, so that no two readers can see two hosts.

use std::fmt;

use thiserror::Error;

/// Longest host name (RFC 1035 section 2.3.4).
const MAX_HOST: usize = 253;

/// The schemes a Graph origin can have; plain HTTP is for a look-alike on the same machine.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scheme {
    /// `http`, port 80.
    Http,
    /// `https`, port 443.
    Https,
}

/// An origin (RFC 6454): two are equal if and only if scheme, host and effective port are.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
}

/// Why a link or an origin was refused.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum LinkError {
    /// `#`.
    #[error("the link has a fragment")]
    Fragment,
    /// Not a plain ASCII host name or address.
    #[error("the link's host is malformed")]
    Host,
    /// A control character, a space, a backslash or a non-ASCII character.
    #[error("the link holds a character that must be escaped")]
    InvalidCharacter,
    /// No `scheme://`, or another scheme than `http` and `https`.
    #[error("the link is not an absolute http or https link")]
    NotAbsolute,
    /// The link is on another host.
    #[error("the link leads to another host")]
    OtherHost,
    /// The link is on another port.
    #[error("the link leads to another port")]
    OtherPort,
    /// The link has another scheme.
    #[error("the link has another scheme")]
    OtherScheme,
    /// No path where a link needs one, or a path where an origin has none.
    #[error("a link needs a path and an origin has none")]
    Path,
    /// Not a decimal number from 1 to 65535.
    #[error("the link's port is malformed")]
    Port,
    /// `user@host`.
    #[error("the link holds user information")]
    UserInformation,
}

/// The origin-form target of an absolute link, if and only if the link is on exactly this origin. The target still
/// has to be parsed and admitted.
///
/// # Errors
/// [`LinkError`] for another origin and for every link that two readers could read as two.
pub fn relative_target<'l>(link: &'l str, origin: &Origin) -> Result<&'l str, LinkError> {
    let (actual, target) = split(link)?;
    if actual.scheme != origin.scheme {
        return Err(LinkError::OtherScheme);
    }
    if actual.host != origin.host {
        return Err(LinkError::OtherHost);
    }
    if actual.port != origin.port {
        return Err(LinkError::OtherPort);
    }
    if target.starts_with('/') { Ok(target) } else { Err(LinkError::Path) }
}

impl Origin {
    /// Parses `scheme://host[:port]`, with at most a `/` after it.
    ///
    /// # Errors
    /// [`LinkError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let (origin, target) = split(text)?;
        if matches!(target, "" | "/") { Ok(origin) } else { Err(LinkError::Path) }
    }

    /// The scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host, lower-case; an IPv6 address has its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own if none was written.
    pub const fn port(&self) -> u16 {
        self.port
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

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Http, Self::Https].into_iter().find(|scheme| scheme.as_str().eq_ignore_ascii_case(text))
    }
}

/// `scheme://host`, with the port if it is not the scheme's own.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port == self.scheme.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl LinkError {
    /// A stable name, for responses, logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fragment => "linkFragment",
            Self::Host => "linkHost",
            Self::InvalidCharacter => "linkInvalidCharacter",
            Self::NotAbsolute => "linkNotAbsolute",
            Self::OtherHost => "linkOtherHost",
            Self::OtherPort => "linkOtherPort",
            Self::OtherScheme => "linkOtherScheme",
            Self::Path => "linkPath",
            Self::Port => "linkPort",
            Self::UserInformation => "linkUserInformation",
        }
    }
}

/// The origin of an absolute link, and everything after it.
fn split(link: &str) -> Result<(Origin, &str), LinkError> {
    check_characters(link)?;
    let (scheme, rest) = link.split_once("://").ok_or(LinkError::NotAbsolute)?;
    let scheme = Scheme::parse(scheme).ok_or(LinkError::NotAbsolute)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at_checked(end).ok_or(LinkError::Host)?;
    if authority.contains('@') {
        return Err(LinkError::UserInformation);
    }
    let (host, port) = split_port(authority)?;
    let port = port.map_or(Ok(scheme.default_port()), parse_port)?;
    let host = host.to_ascii_lowercase();
    if is_name(&host) || is_ipv6(&host) {
        Ok((Origin { scheme, host, port }, target))
    } else {
        Err(LinkError::Host)
    }
}

fn check_characters(link: &str) -> Result<(), LinkError> {
    if link.contains('#') {
        return Err(LinkError::Fragment);
    }
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    if link.bytes().all(is_allowed) { Ok(()) } else { Err(LinkError::InvalidCharacter) }
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), LinkError> {
    let after_host = authority.rfind(']').map_or(0, |bracket| bracket.saturating_add(1));
    let (_, tail) = authority.split_at_checked(after_host).ok_or(LinkError::Host)?;
    match tail.split_once(':') {
        Some((between, port)) => {
            let host = authority.get(..after_host.saturating_add(between.len())).ok_or(LinkError::Host)?;
            Ok((host, Some(port)))
        }
        None => Ok((authority, None)),
    }
}

fn parse_port(text: &str) -> Result<u16, LinkError> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let port = text.parse().ok().filter(|_| is_decimal);
    port.ok_or(LinkError::Port)
}

/// A DNS name or an IPv4 address. A trailing dot would be another spelling of the same host, so it is none.
fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.len() <= MAX_HOST && host.split('.').all(is_label)
}

/// An IPv6 address in brackets, as far as comparing its text needs.
fn is_ipv6(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    address.is_some_and(|address| {
        address.contains(':') && address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Origin {
        Origin::parse("https://graph.microsoft.com").unwrap()
    }

    #[test]
    fn links_on_the_origin_give_their_target() {
        for (link, target) in [
            ("https://graph.microsoft.com/v1.0/users?$skiptoken=a", "/v1.0/users?$skiptoken=a"),
            ("https://graph.microsoft.com:443/v1.0/users", "/v1.0/users"),
            ("HTTPS://Graph.Microsoft.Com/", "/"),
            ("https://graph.microsoft.com/v1.0/users/a@b?x=http://c/@d:1", "/v1.0/users/a@b?x=http://c/@d:1"),
        ] {
            assert_eq!(relative_target(link, &graph()), Ok(target), "{link}");
        }
    }

    #[test]
    fn links_elsewhere_are_refused() {
        for (link, error) in [
            ("http://graph.microsoft.com/v1.0", LinkError::OtherScheme),
            ("https://graph.microsoft.com:444/v1.0", LinkError::OtherPort),
            ("https://graph.microsoft.com.evil.example/v1.0", LinkError::OtherHost),
            ("https://graph.microsoft.com-evil.example/v1.0", LinkError::OtherHost),
            ("https://evil.example/graph.microsoft.com", LinkError::OtherHost),
            ("https://xgraph.microsoft.com/v1.0", LinkError::OtherHost),
            ("https://xn--grph-xoa.microsoft.com/v1.0", LinkError::OtherHost),
            ("https://169.254.169.254/metadata", LinkError::OtherHost),
            ("https://[::1]/v1.0", LinkError::OtherHost),
            ("https://graph.microsoft.com@evil.example/v1.0", LinkError::UserInformation),
            ("https://a:b@graph.microsoft.com/v1.0", LinkError::UserInformation),
            ("https://@graph.microsoft.com/v1.0", LinkError::UserInformation),
            ("https://graph.microsoft.com./v1.0", LinkError::Host),
            ("https://graph.microsoft.com%2eevil.example/", LinkError::Host),
            ("https:///v1.0", LinkError::Host),
            ("https://[::1/v1.0", LinkError::Port),
            ("https://[x]/v1.0", LinkError::Host),
            ("https://a[::1]/v1.0", LinkError::Host),
            ("https://[::1]a:443/v1.0", LinkError::Host),
            ("https://graph.microsoft.com:/v1.0", LinkError::Port),
            ("https://graph.microsoft.com:0443/v1.0", LinkError::Port),
            ("https://graph.microsoft.com:+443/v1.0", LinkError::Port),
            ("https://graph.microsoft.com:443:443/v1.0", LinkError::Port),
            ("https://graph.microsoft.com:65536/v1.0", LinkError::Port),
            ("https://graph.microsoft.com\\@evil.example/", LinkError::InvalidCharacter),
            ("https://gr\u{e1}ph.microsoft.com/", LinkError::InvalidCharacter),
            ("https://graph.microsoft.com/a b", LinkError::InvalidCharacter),
            ("https://graph.microsoft.com/\t", LinkError::InvalidCharacter),
            ("https://graph.microsoft.com/v1.0#x", LinkError::Fragment),
            ("https://graph.microsoft.com#@evil.example/", LinkError::Fragment),
            ("https://graph.microsoft.com", LinkError::Path),
            ("https://graph.microsoft.com?x=1", LinkError::Path),
            ("//graph.microsoft.com/v1.0", LinkError::NotAbsolute),
            ("/v1.0/users", LinkError::NotAbsolute),
            ("https:graph.microsoft.com/v1.0", LinkError::NotAbsolute),
            ("ftp://graph.microsoft.com/v1.0", LinkError::NotAbsolute),
            ("", LinkError::NotAbsolute),
        ] {
            assert_eq!(relative_target(link, &graph()), Err(error), "{link}");
        }
    }

    #[test]
    fn origins_are_read_and_written() {
        for (text, written) in [
            ("https://Graph.Microsoft.com/", "https://graph.microsoft.com"),
            ("https://graph.microsoft.com:443", "https://graph.microsoft.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), written);
        }
        assert_eq!(Origin::parse("https://graph.microsoft.com/v1.0"), Err(LinkError::Path));
        assert_eq!(Origin::parse("https://a?b"), Err(LinkError::Path));
        let local = Origin::parse("http://[::1]:8080").unwrap();
        assert_eq!((local.scheme(), local.host(), local.port()), (Scheme::Http, "[::1]", 8080));
        assert_eq!(relative_target("http://[::1]:8080/v1.0", &local), Ok("/v1.0"));
    }
}
