//! Base URLs: ours, Graph's and Entra's.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use http::Uri;

use super::check::Context;
use super::raw::Text;
use crate::config::codes::{CONFIG_PLAINTEXT, CONFIG_VALUE};

/// An absolute `http` or `https` URL with nothing but a host, perhaps a port and a path prefix.
///
/// Invariant: `https` unless the host is loopback; host lower-case; no default port; no trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    https: bool,
    host: String,
    port: u16,
    path: String,
}

impl BaseUrl {
    /// The URL as text, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is `https`; `http` is for loopback only.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Scheme, host and, unless it is the scheme's own, port (RFC 6454, section 6.2).
    pub fn origin(&self) -> &str {
        self.text.strip_suffix(&self.path).unwrap_or(&self.text)
    }

    /// The host, lower-case; an IPv6 address is in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own if none was written.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path prefix: empty, or `/` and segments of unreserved characters (RFC 3986).
    pub fn path(&self) -> &str {
        &self.path
    }

    /// `public_url`, which may have a path prefix.
    pub(super) fn check_public(text: &Text, context: &mut Context<'_>) -> Option<Self> {
        Self::check(text, context)
    }

    /// `upstream.graph` and `upstream.authority`, which may not.
    pub(super) fn check_origin(text: &Text, context: &mut Context<'_>) -> Option<Self> {
        let url = Self::check(text, context)?;
        if url.path.is_empty() {
            return Some(url);
        }
        context.refuse(
            CONFIG_VALUE,
            &text.span,
            "this URL has a path",
            "write scheme and host only, as in https://graph.microsoft.com; versions belong to the rules",
        )
    }

    fn check(text: &Text, context: &mut Context<'_>) -> Option<Self> {
        let url = match Self::parse(&text.value) {
            Ok(url) => url,
            Err(fault) => {
                let hint = "write it as in https://graph-proxy.contoso.example";
                return context.refuse(CONFIG_VALUE, &text.span, fault.message(), hint);
            }
        };
        if url.https || url.is_loopback() {
            return Some(url);
        }
        context.refuse(
            CONFIG_PLAINTEXT,
            &text.span,
            "plaintext is allowed to loopback hosts only",
            "use https",
        )
    }

    /// Whether the host is this machine by its spelling. Names other than `localhost` are not resolved.
    fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost"
            || bare.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
            || bare.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        if text.contains('#') {
            return Err(Fault::Fragment);
        }
        if text.contains('?') {
            return Err(Fault::Query);
        }
        let uri: Uri = text.parse().map_err(|_| Fault::NotAUrl)?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(Fault::Scheme),
        };
        let authority = uri.authority().ok_or(Fault::NotAUrl)?;
        if authority.as_str().contains('@') {
            return Err(Fault::UserInfo);
        }
        let host = check_host(authority.host()).ok_or(Fault::Host)?;
        let default_port = if https { 443 } else { 80 };
        let port = match authority.as_str().get(host.len()..) {
            Some("") => default_port,
            _ => authority.port_u16().filter(|port| *port != 0).ok_or(Fault::Port)?,
        };
        let path = check_path(uri.path()).ok_or(Fault::Path)?;
        Ok(Self::build(https, host, port, path))
    }

    fn build(https: bool, host: String, port: u16, path: String) -> Self {
        let scheme = if https { "https" } else { "http" };
        let text = match (https, port) {
            (true, 443) | (false, 80) => format!("{scheme}://{host}{path}"),
            _ => format!("{scheme}://{host}:{port}{path}"),
        };
        Self { text, https, host, port, path }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Fragment,
    Host,
    NotAUrl,
    Path,
    Port,
    Query,
    Scheme,
    UserInfo,
}

impl Fault {
    fn message(self) -> &'static str {
        match self {
            Self::Fragment => "this URL has a fragment (`#`)",
            Self::Host => "the host of this URL is neither a name nor an IP address",
            Self::NotAUrl => "this is not an absolute URL",
            Self::Path => {
                "the path of this URL has more than letters, digits, `-`, `.`, `_` and `~` between its slashes"
            }
            Self::Port => "the port of this URL is not a number from 1 to 65535",
            Self::Query => "this URL has a query (`?`)",
            Self::Scheme => "the scheme of this URL is neither https nor http",
            Self::UserInfo => "this URL has a user name (`@`)",
        }
    }
}

fn check_host(host: &str) -> Option<String> {
    let host = host.to_ascii_lowercase();
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']')?;
        return address.parse::<Ipv6Addr>().is_ok().then_some(host);
    }
    let label_fits = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    host.split('.').all(label_fits).then_some(host)
}

/// The path without its trailing slash. Nothing in it may need escaping or be a dot segment, so that the prefix of a
/// link and the prefix of a request are compared as they are.
fn check_path(path: &str) -> Option<String> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let segment_fits = |segment: &str| {
        !segment.is_empty() && !matches!(segment, "." | "..") && segment.bytes().all(unreserved)
    };
    match path.strip_prefix('/') {
        None => path.is_empty().then(String::new),
        Some(segments) => segments.split('/').all(segment_fits).then(|| path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_url_has_one_spelling() {
        for (written, canonical) in [
            ("https://Proxy.Contoso.Example/", "https://proxy.contoso.example"),
            ("https://proxy.contoso.example:443", "https://proxy.contoso.example"),
            ("https://proxy.contoso.example:8443/graph/", "https://proxy.contoso.example:8443/graph"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(BaseUrl::parse(written).unwrap().as_str(), canonical);
        }
    }

    #[test]
    fn parts_are_read() {
        let url = BaseUrl::parse("https://a.example:8443/x/y").unwrap();
        assert_eq!((url.host(), url.port(), url.path()), ("a.example", 8443, "/x/y"));
        assert_eq!(BaseUrl::parse("https://a.example").unwrap().port(), 443);
    }

    #[test]
    fn what_a_base_url_cannot_have_is_named() {
        for (written, fault) in [
            ("https://a.example/#x", Fault::Fragment),
            ("https://a.example/?x", Fault::Query),
            ("ftp://a.example", Fault::Scheme),
            ("a.example", Fault::Scheme),
            ("/v1.0", Fault::Scheme),
            ("https://user@a.example", Fault::UserInfo),
            ("https://graph.microsoft.com@evil.example", Fault::UserInfo),
            ("https://a..example", Fault::Host),
            ("https://a.example:0", Fault::Port),
            ("https://a.example:", Fault::Port),
            ("https://a.example:99999", Fault::Port),
            ("https://a.example/x/../y", Fault::Path),
            ("https://a.example/x%2fy", Fault::Path),
            ("https://a.example//x", Fault::Path),
            ("https://a example", Fault::NotAUrl),
            ("", Fault::NotAUrl),
        ] {
            assert_eq!(BaseUrl::parse(written).unwrap_err(), fault, "{written:?}");
        }
    }

    #[test]
    fn loopback_is_a_matter_of_spelling() {
        for (written, loopback) in [
            ("http://localhost", true),
            ("http://127.8.9.1", true),
            ("http://[::1]", true),
            ("http://localhost.evil.example", false),
            ("http://127.0.0.1.evil.example", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(BaseUrl::parse(written).unwrap().is_loopback(), loopback, "{written}");
        }
    }
}
