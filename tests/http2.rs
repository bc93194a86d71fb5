//! What only HTTP/2 has: `:authority` beside `host`, and a `:path` that a client writes byte by byte.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::glassine::{Consumer, Glassine};
use crate::support::upstream::Script;
use crate::tls::{PAGE, USERS, http2, request, tls, tls_stage};

/// A client's preface with empty settings (RFC 9113, 3.4).
const OPENING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// RFC 9113, 8.3.1: a `host` that names another host than `:authority` makes a request malformed.
/// Fault: an HTTP/2 request names one host in `:authority` and another in `Host`. Outcome: the client gets 400.
#[tokio::test]
async fn host_and_authority_name_one_host() {
    let (graph, proxy) = tls_stage(|_| Script::json(PAGE), true).await;
    let mut sender = http2(&proxy).await;
    let (address, port) = (proxy.address, proxy.address.port());
    for (hosts, status) in [
        (vec![], 200),
        (vec![format!("{address}")], 200),
        // This proxy as well, but another spelling of no use to anybody who compares.
        (vec![format!("localhost:{port}")], 400),
        (vec!["evil.example".to_owned()], 400),
        (vec![format!("user@{address}")], 400),
        (vec!["127.0.0.1".to_owned()], 400),
        (vec![String::new()], 400),
        (vec![format!("{address}"), format!("{address}")], 400),
        (vec![format!("{address}"), "evil.example".to_owned()], 400),
    ] {
        let mut request = request(&proxy, USERS);
        for host in &hosts {
            request.headers_mut().append("host", host.parse().unwrap());
        }
        assert_eq!(sender.send_request(request).await.unwrap().status().as_u16(), status, "{hosts:?}");
    }
    assert_eq!(graph.requests().len(), 2);
}

/// RFC 9113, 8.3.1: a gateway that translates from HTTP/1.1 leaves `:authority` out and keeps `Host`.
/// Fault: an HTTP/2 request names no host, or another one. Outcome: the client gets 400 or 421, and Graph gets no request.
#[tokio::test]
async fn without_an_authority_the_host_counts() {
    let (graph, proxy) = tls_stage(|_| Script::json(PAGE), true).await;
    let mut sender = http2(&proxy).await;
    for (host, status) in
        [(Some(proxy.address.to_string()), 200), (Some("evil.example".to_owned()), 421), (None, 400)]
    {
        let mut request = http::Request::get(USERS).header("authorization", bearer());
        if let Some(host) = &host {
            request = request.header("host", host);
        }
        let request = request.body(Full::<Bytes>::default()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status().as_u16(), status, "{host:?}");
    }
    assert_eq!(graph.requests().len(), 1);
}

/// The library for URIs drops a fragment before anybody sees it (SECURITY.md). Graph gets what it would get without.
/// Fault: the path of an HTTP/2 request has a fragment. Outcome: Graph gets the request without the fragment.
#[tokio::test]
async fn a_fragment_in_the_path_reaches_nobody() {
    let (graph, proxy) = tls_stage(|_| Script::json(PAGE), true).await;
    let mut stream = tls(&proxy, b"h2").await;
    for (id, path) in [(1, USERS), (3, "/v1.0/users#/../../me"), (5, "/v1.0/users?#$select=x")] {
        let opening = if id == 1 { OPENING } else { b"" };
        stream.write_all(&[opening, &head(&proxy, id, path)].concat()).await.unwrap();
    }
    for _ in 0..400 {
        if graph.requests().len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let targets: Vec<_> = graph.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(targets.len(), 3, "{targets:?}");
    assert!(targets.iter().all(|target| *target == targets[0]), "{targets:?}");
}

/// Regression: each response put its ids and quotas into HPACK's table. They pushed out the fields that come again, and h2 compared each new
/// value with every earlier one of its name: 3 % of a small page.
#[tokio::test]
async fn what_differs_each_time_stays_out_of_hpacks_table() {
    let (_graph, proxy) = tls_stage(|_| Script::json(PAGE), true).await;
    let mut stream = tls(&proxy, b"h2").await;
    stream.write_all(OPENING).await.unwrap();
    let mut inserted = Vec::new();
    for id in [1, 3, 5] {
        stream.write_all(&head(&proxy, id, USERS)).await.unwrap();
        inserted.push(insertions(&response_head(&mut stream).await));
    }
    // Those of every response, and the time, which changes every second.
    assert!(inserted[0] > 3, "{inserted:?}");
    assert!(inserted[1..].iter().all(|inserted| *inserted <= 1), "{inserted:?}");
}

/// The next HEADERS frame's block (RFC 9113, 6.2).
async fn response_head(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        stream.read_exact(&mut payload).await.unwrap();
        if head[3] == 1 {
            return payload;
        }
    }
}

/// How many fields of a block go into the table (RFC 7541, 6).
fn insertions(block: &[u8]) -> usize {
    let (mut rest, mut inserted) = (block, 0);
    while let Some(first) = rest.first() {
        // Indexed; with insertion; a new size of the table; without insertion.
        let (prefix, is_literal) = match first.leading_zeros() {
            0 => (7, false),
            1 => (6, true),
            2 => (5, false),
            _ => (4, true),
        };
        inserted += usize::from(prefix == 6);
        let has_name = integer(&mut rest, prefix) == 0;
        for _ in 0..usize::from(is_literal) + usize::from(is_literal && has_name) {
            let length = integer(&mut rest, 7);
            rest = &rest[length..];
        }
    }
    inserted
}

/// RFC 7541, 5.1.
fn integer(rest: &mut &[u8], prefix: u32) -> usize {
    let mut next = || {
        let (first, behind) = rest.split_first().unwrap();
        *rest = behind;
        usize::from(*first)
    };
    let most = (1 << prefix) - 1;
    let mut value = next() & most;
    if value == most {
        for shift in (0..).step_by(7) {
            let byte = next();
            value += (byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
    }
    value
}

fn bearer() -> String {
    format!("Bearer {}", Consumer::token("acme"))
}

/// A HEADERS frame (RFC 9113, 6.2) with END_STREAM and END_HEADERS. Each field is a literal without indexing, with a new
/// name and without Huffman coding (RFC 7541, 6.2.2).
fn head(proxy: &Glassine, stream: u32, path: &str) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", &proxy.address.to_string()),
        (":path", path),
        ("authorization", &bearer()),
    ] {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    let length = u32::try_from(block.len()).unwrap().to_be_bytes();
    [&length[1..], &[0x1, 0x5], &stream.to_be_bytes(), &block].concat()
}
