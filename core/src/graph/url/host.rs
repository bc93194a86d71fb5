//! Hosts: one spelling for each.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::UrlError;

/// Longest host name (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 253;

/// Longest label of a host name.
const MAX_LABEL: usize = 63;

/// A DNS name or an IP address.
///
/// Invariant: lower-case ASCII; an IPv6 address is in brackets and in its canonical form (RFC 5952). Two hosts are
/// equal only if their texts are: names are never resolved.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Host(String);

impl Host {
    /// Parses a host as URLs and `Host` fields have it: an IPv6 address is in brackets.
    ///
    /// Underscores are accepted, although DNS host names have none: container networks and old directories use them.
    ///
    /// # Errors
    /// [`UrlError::Host`].
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if let Some(rest) = text.strip_prefix('[') {
            let address = rest.strip_suffix(']').and_then(|address| address.parse::<Ipv6Addr>().ok());
            return address.map(|address| Self(format!("[{address}]"))).ok_or(UrlError::Host);
        }
        let is_address = || text.parse::<Ipv4Addr>().is_ok();
        // Resolvers read a name that ends in a number as an address. Forms such as `127.1` and `0x7f.1` would be a
        // second spelling of it.
        let fits = is_name(text) && (!ends_in_number(text) || is_address());
        if fits { Ok(Self(text.to_ascii_lowercase())) } else { Err(UrlError::Host) }
    }

    /// The host, lower-case; an IPv6 address has its brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host without the brackets of an IPv6 address.
    pub fn without_brackets(&self) -> &str {
        self.0.trim_start_matches('[').trim_end_matches(']')
    }

    /// The address, if the host is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.without_brackets().parse().ok()
    }

    /// Whether the host can only be this machine. A name other than `localhost` (RFC 6761 section 6.3) can be any
    /// machine.
    pub fn is_loopback(&self) -> bool {
        self.0 == "localhost" || self.address().is_some_and(|address| address.is_loopback())
    }

    /// Whether the host can only be on this machine's own link.
    pub(super) fn is_link_local(&self) -> bool {
        match self.address() {
            Some(IpAddr::V4(address)) => address.is_link_local(),
            Some(IpAddr::V6(address)) => address.is_unicast_link_local(),
            None => false,
        }
    }

    /// Whether the host can only be in a private network (RFC 1918, RFC 4193), or nearer.
    pub(super) fn is_private(&self) -> bool {
        match self.address() {
            Some(IpAddr::V4(address)) => address.is_private() || self.is_link_local(),
            Some(IpAddr::V6(address)) => address.is_unique_local() || self.is_link_local(),
            None => false,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Labels between dots. A dot at the end would be another spelling of the same host.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    text.len() <= MAX_NAME && text.split('.').all(is_label)
}

fn ends_in_number(text: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or_default();
    let is_hexadecimal = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let prefixed = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    last.bytes().all(|byte| byte.is_ascii_digit()) || prefixed.is_some_and(is_hexadecimal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_has_one_spelling() {
        for (text, written) in [
            ("Graph.Microsoft.com", "graph.microsoft.com"),
            ("my_graph.example", "my_graph.example"),
            ("graph", "graph"),
            ("3com.example", "3com.example"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[0:0:0:0:0:0:0:1]", "[::1]"),
            ("[FE80::1]", "[fe80::1]"),
        ] {
            assert_eq!(Host::parse(text).unwrap().as_str(), written, "{text}");
        }
        let (label, name) = ("a".repeat(64), ["a"; 130].join("."));
        for bad in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "-a",
            "a-",
            "a b",
            "a%2eb",
            "\u{e1}.example",
            "::1",
            "[::1",
            "[x]",
            "[::1]a",
            "a[::1]",
            "[fe80::1%25eth0]",
            "127.1",
            "256.0.0.1",
            "0x7f.1",
            "127.0.0.0x1",
            "2130706433",
            "127.0.0.01",
            &label,
            &name,
        ] {
            assert_eq!(Host::parse(bad), Err(UrlError::Host), "{bad}");
        }
    }

    #[test]
    fn loopback_is_a_matter_of_spelling() {
        for (text, loopback) in [
            ("localhost", true),
            ("LocalHost", true),
            ("127.8.9.1", true),
            ("[::1]", true),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("10.0.0.1", false),
            ("[::ffff:10.0.0.1]", false),
        ] {
            assert_eq!(Host::parse(text).unwrap().is_loopback(), loopback, "{text}");
        }
    }
}
