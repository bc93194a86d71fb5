//! A batch that waits for one of its requests: the responses that are there leave, compressed or not.

use std::io::Read as _;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::glassine::{Consumer, Glassine, Setup};
use crate::support::upstream::{FakeUpstream, Received, Script};

/// Users whose ids do not compress, too few to fill a block of the encoder.
const USERS: usize = 40;

fn users() -> String {
    let ids: Vec<_> = (0..USERS).map(|n| format!(r#"{{"id":"user-{n}","accountEnabled":true}}"#)).collect();
    format!(r#"{{"value":[{}]}}"#, ids.join(","))
}

async fn ask(proxy: &Glassine, coding: &str) -> TcpStream {
    let requests = json!([
        { "id": "1", "method": "GET", "url": "/users" },
        { "id": "2", "method": "GET", "url": "/groups" },
    ]);
    let body = json!({ "requests": requests }).to_string();
    let head = format!(
        "POST /v1.0/$batch HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\naccept-encoding: {coding}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        proxy.address,
        Consumer::token("acme"),
        body.len(),
    );
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    stream
}

/// The payload of the whole chunks (RFC 9112 section 7.1).
fn payload(response: &[u8]) -> Option<Vec<u8>> {
    let line_end = |bytes: &[u8]| bytes.windows(2).position(|two| two == b"\r\n");
    let mut rest = &response[response.windows(4).position(|four| four == b"\r\n\r\n")? + 4..];
    let mut payload = Vec::new();
    while let Some(end) = line_end(rest) {
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        let Some(chunk) = rest.get(end + 2..end + 2 + length) else { break };
        payload.extend_from_slice(chunk);
        rest = rest.get(end + 2 + length + 2..).unwrap_or_default();
    }
    Some(payload)
}

/// What can be read of it so far.
fn text(payload: &[u8], coding: &str) -> String {
    let mut text = Vec::new();
    match coding {
        // Ends with an error, since the member is not whole.
        "gzip" => drop(flate2::read::GzDecoder::new(payload).read_to_end(&mut text)),
        _ => text.extend_from_slice(payload),
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Fault: a request of a batch waits for Graph. Outcome: the responses before it leave, also compressed.
#[tokio::test]
async fn the_responses_that_are_there_leave() {
    let respond = |request: &Received| match request.path() {
        "/v1.0/users" => Script::json(users()),
        _ => Script::never(),
    };
    let graph = FakeUpstream::start(respond).await;
    let proxy = Setup::scripted(&graph).start().await;
    for coding in ["identity", "gzip"] {
        let mut stream = ask(&proxy, coding).await;
        let mut response = Vec::new();
        let last = proxy.id(&format!("user-{}", USERS - 1));
        let mut seen = String::new();
        while !seen.contains(&last) {
            let read = timeout(Duration::from_secs(10), stream.read_buf(&mut response)).await;
            assert!(
                read.is_ok_and(|read| read.unwrap() > 0),
                "{coding}: {}",
                String::from_utf8_lossy(&response)
            );
            seen = payload(&response).map(|payload| text(&payload, coding)).unwrap_or_default();
        }
        assert!(!seen.contains(r#""id":"2""#), "{coding}: the second request waits");
    }
}
