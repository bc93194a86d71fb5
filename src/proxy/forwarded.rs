//! `X-Forwarded-For`: which address a request comes from, behind trusted proxies.
//!
//! Each proxy appends the address of its client. Addresses are therefore read from the right up to the first one that
//! is not a trusted proxy's. The rest may be forged, and is ignored.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::header::HeaderName;

use super::problem::Problem;
use crate::config::Networks;

/// The address that the request comes from: the peer's, or the forwarded one if the peer is a trusted proxy.
pub(super) fn client_address(
    peer: IpAddr,
    headers: &HeaderMap,
    trusted: &Networks,
) -> Result<IpAddr, Problem> {
    let name = HeaderName::from_static("x-forwarded-for");
    let lines: Vec<_> = headers.get_all(&name).iter().collect();
    let mut address = peer;
    for line in lines.into_iter().rev() {
        // `rsplit` begins at the right. The first untrusted address ends the search.
        for item in line.as_bytes().rsplit(|byte| *byte == b',') {
            if !trusted.contain(address) {
                return Ok(address);
            }
            address = parse(item).ok_or(Problem::ForwardedFor)?;
        }
    }
    Ok(address)
}

/// The address that a request for another part of this program comes from; `None` if an entry cannot be read.
pub(crate) fn address_of(peer: IpAddr, headers: &HeaderMap, trusted: &Networks) -> Option<IpAddr> {
    client_address(peer, headers, trusted).ok()
}

/// An address, with or without the port that some proxies append.
fn parse(item: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(item.trim_ascii()).ok()?;
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn address(peer: &str, lines: &[&[u8]]) -> Option<String> {
        let trusted =
            ["10.0.0.0/8", "2001:db8::/32"].iter().map(|network| network.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
        }
        client_address(peer.parse().unwrap(), &headers, &trusted).ok().map(|address| address.to_string())
    }

    #[test]
    fn the_rightmost_address_that_is_not_a_trusted_proxy_counts() {
        let found = |peer, lines: &[&[u8]]| address(peer, lines).unwrap();
        assert_eq!(found("192.0.2.1", &[b"203.0.113.9"]), "192.0.2.1", "the peer is not trusted");
        assert_eq!(found("10.0.0.1", &[]), "10.0.0.1", "the proxy is the client");
        assert_eq!(found("10.0.0.1", &[b"203.0.113.9"]), "203.0.113.9");
        assert_eq!(found("::ffff:10.0.0.1", &[b"203.0.113.9"]), "203.0.113.9");
        assert_eq!(found("2001:db8::1", &[b"2001:db9::1"]), "2001:db9::1");
        assert_eq!(
            found("10.0.0.1", &[b"198.51.100.1, 203.0.113.9"]),
            "203.0.113.9",
            "the left may be forged"
        );
        assert_eq!(found("10.0.0.1", &[b"198.51.100.1", b"203.0.113.9, 10.9.9.9"]), "203.0.113.9");
        assert_eq!(found("10.0.0.1", &[b"10.0.0.3,10.0.0.2"]), "10.0.0.3");
        for with_port in [&b"203.0.113.9:4711"[..], b"[2001:db9::1]:4711"] {
            assert!(!found("10.0.0.1", &[with_port]).contains("4711"));
        }
    }

    #[test]
    fn an_entry_that_is_read_must_be_an_address() {
        for bad in [
            &b""[..],
            b"unknown",
            b"203.0.113.9,",
            b"203.0.113.999",
            b"203.0.113.9 10.0.0.2",
            b"a,\xff",
            b"::1]",
        ] {
            assert_eq!(address("10.0.0.1", &[bad]), None, "{bad:?}");
            assert!(address("192.0.2.1", &[bad]).is_some(), "an untrusted peer's header is not read");
        }
        assert_eq!(address("10.0.0.1", &[b"203.0.113.9", b""]), None);
        assert_eq!(address("10.0.0.1", &[b"garbage, 203.0.113.9"]).unwrap(), "203.0.113.9");
    }
}
