//! Failures after the head of the response was sent: the consumer sees a broken response, never a clean end of half a
//! document. A consumer that disconnects or reads slowly affects only its own connection.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::glassine::{Consumer, Glassine, Setup};
use crate::support::upstream::{FakeUpstream, Script};
use crate::support::waiting::soon;

const USERS: &str = "/v1.0/users";

/// A page with this many items is longer, with or without gzip, than what hyper reads at once (417,792 bytes). So its
/// end arrives after the head of the response has gone out.
const ITEMS: usize = 2_000;

/// An item whose id and text cannot be compressed. The text starts with the marker, which must not leave.
fn item(n: usize) -> String {
    let digest = |part: usize| URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{n} {part}")));
    let text: String = (1..7).map(digest).collect();
    format!(r#"{{"id":"{}","displayName":"MARKER{text}","accountEnabled":true}}"#, digest(0))
}

/// A page with `end` in place of its proper end.
pub(crate) fn page(end: &str) -> String {
    static ITEMS_OF_A_PAGE: LazyLock<String> =
        LazyLock::new(|| (0..ITEMS).map(item).collect::<Vec<_>>().join(","));
    format!(r#"{{"value":[{}{end}"#, *ITEMS_OF_A_PAGE)
}

async fn assert_cut(name: &str, script: Script) {
    assert_cut_in(&["identity", "gzip"], name, script).await;
}

async fn assert_cut_in(codings: &[&str], name: &str, script: Script) {
    let graph = FakeUpstream::always(script).await;
    let proxy = Setup::scripted(&graph).impatient().start().await;
    let token = format!("Bearer {}", Consumer::token("acme"));
    for (count, &coding) in codings.iter().enumerate() {
        let headers = [("authorization", token.as_str()), ("accept-encoding", coding)];
        let response = proxy.try_send("GET", USERS, &headers).await;
        assert!(response.is_err(), "{name}, {coding}: a clean end of {}", response.unwrap().status);
        let record = proxy.audited(count + 1).await.pop().unwrap();
        let told = (&record["outcome"], &record["status"], &record["reason"]);
        assert_eq!(told, (&"aborted".into(), &200.into(), &"response_broken".into()), "{name}, {coding}");
        assert!(record["bytes_sent"].as_u64() > Some(0), "{name}, {coding}: {record}");
    }
}

/// Fault: Graph closes the connection after part of the response went out. Outcome: the response breaks off visibly, and the audit record says `aborted`.
#[tokio::test]
async fn an_upstream_that_breaks_off_breaks_the_response() {
    let whole = page("]}");
    let late = whole.len() - 100;
    let json = Script::json(&whole);
    assert_cut("closed", json.clone().close_after(late)).await;
    assert_cut(
        "closed before the last chunk",
        json.clone().chunked(whole.len()).close_after(whole.len() + 8),
    )
    .await;
    assert_cut("a length that is too short", json.clone().claiming(late as u64)).await;
}

/// Fault: Graph falls silent after part of the response went out. Outcome: the consumer's response breaks off visibly.
#[tokio::test]
async fn an_upstream_that_falls_silent_breaks_the_response() {
    let whole = page("]}");
    assert_cut_in(&["gzip"], "stalled", Script::json(&whole).stall_after(whole.len() - 100)).await;
}

/// Fault: a document turns out to be malformed after part of it went out. Outcome: the consumer's response breaks off visibly.
#[tokio::test]
async fn a_document_that_turns_bad_breaks_the_response() {
    let codings = ["identity", "gzip"].into_iter().cycle();
    let ends = [
        ("no end", ""),
        ("an open object", "]"),
        ("bytes behind it", "]}MARKER"),
        ("two documents", "]}{}"),
        ("value twice", r#"],"value":[]}"#),
        ("an id twice", r#",{"id":"a","id":"b"}]}"#),
        ("a link elsewhere", r#"],"@odata.nextLink":"https://evil.example/v1.0/users?$skiptoken=x"}"#),
        ("an unknown escape", r#"],"MARKER":"\q"}"#),
    ];
    for ((name, end), coding) in ends.into_iter().zip(codings) {
        assert_cut_in(&[coding], name, Script::json(page(end))).await;
    }
}

/// Fault: gzip turns out to be damaged after part of the document went out. Outcome: the consumer's response breaks off visibly.
#[tokio::test]
async fn gzip_that_turns_bad_breaks_the_response() {
    let whole = Script::gzip(page("]}"));
    assert_cut("cut short", whole.clone().trimmed(4)).await;
    assert_cut("bytes behind it", whole.clone().followed_by(b"MARKER")).await;
    let graph = FakeUpstream::always(whole).await;
    let proxy = Setup::scripted(&graph).start().await;
    let response = proxy.get(USERS).await;
    assert_eq!(response.json()["value"].as_array().unwrap().len(), ITEMS);
    assert!(!response.text().contains("MARKER"));
    assert_eq!(proxy.audited(1).await[0]["outcome"], "complete");
}

/// Fault: a response is cut by one byte. Outcome: the consumer gets no last chunk, so that no client takes the response for whole.
#[tokio::test]
async fn on_the_wire_a_cut_response_has_no_last_chunk() {
    let whole = page("]}");
    for (script, ends) in
        [(Script::json(&whole), true), (Script::json(&whole).close_after(whole.len() - 1), false)]
    {
        let graph = FakeUpstream::always(script).await;
        let proxy = Setup::scripted(&graph).start().await;
        let response = proxy.raw(request(&proxy).as_bytes()).await;
        assert!(response.starts_with("HTTP/1.1 200 ") && response.contains("transfer-encoding: chunked"));
        assert_eq!(response.ends_with("\r\n0\r\n\r\n"), ends);
        assert!(!response.contains("MARKER"));
    }
}

fn request(proxy: &Glassine) -> String {
    let token = Consumer::token("acme");
    format!(
        "GET {USERS} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n",
        proxy.address
    )
}

/// An upstream with one connection, which the test drives by hand.
struct Hand {
    listener: TcpListener,
}

impl Hand {
    async fn new() -> (Self, Glassine) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Setup::in_front_of(url).start().await;
        (Self { listener }, proxy)
    }

    /// The connection, after a request has come in.
    async fn asked(&self) -> TcpStream {
        let (mut stream, _) = soon("a connection", self.listener.accept()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert!(soon("a request", stream.read_buf(&mut head)).await.unwrap() > 0);
        }
        stream
    }
}

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

async fn send_chunk(stream: &mut TcpStream, data: &str) -> std::io::Result<()> {
    stream.write_all(format!("{:x}\r\n{data}\r\n", data.len()).as_bytes()).await
}

async fn assert_client_gone(proxy: &Glassine, status: Value) {
    let record = proxy.audited(1).await.remove(0);
    assert_eq!((&record["outcome"], &record["status"]), (&"client_gone".into(), &status), "{record}");
}

/// Whether the other side has dropped the connection: nothing more to read.
async fn is_dropped(stream: &mut TcpStream) -> bool {
    matches!(soon("the end", stream.read(&mut [0; 16])).await, Ok(0) | Err(_))
}

/// Fault: a consumer disconnects before the response. Outcome: the proxy ends its request to Graph and records `client_gone`.
#[tokio::test]
async fn a_consumer_that_leaves_before_the_response_ends_the_request() {
    let (hand, proxy) = Hand::new().await;
    let mut consumer = TcpStream::connect(proxy.address).await.unwrap();
    consumer.write_all(request(&proxy).as_bytes()).await.unwrap();
    let mut upstream = hand.asked().await;
    drop(consumer);
    assert!(is_dropped(&mut upstream).await);
    assert_client_gone(&proxy, Value::Null).await;
}

/// Fault: a consumer disconnects within the response. Outcome: the proxy ends its request to Graph and records `client_gone`.
#[tokio::test]
async fn a_consumer_that_leaves_within_the_response_ends_the_request() {
    let (hand, proxy) = Hand::new().await;
    let mut consumer = TcpStream::connect(proxy.address).await.unwrap();
    consumer.write_all(request(&proxy).as_bytes()).await.unwrap();
    let mut upstream = hand.asked().await;
    upstream.write_all(HEAD).await.unwrap();
    send_chunk(&mut upstream, &page("")).await.unwrap();
    assert!(
        soon("a response", consumer.read(&mut [0; 1024])).await.unwrap() > 0,
        "the first part comes while Graph still sends"
    );
    drop(consumer);
    assert!(is_dropped(&mut upstream).await);
    assert_client_gone(&proxy, 200.into()).await;
}

/// Fault: Graph resets the connection after part of the response went out. Outcome: the response breaks off visibly, and the audit record says `aborted`.
#[tokio::test]
async fn an_upstream_that_resets_breaks_the_response() {
    let (hand, proxy) = Hand::new().await;
    let mut consumer = TcpStream::connect(proxy.address).await.unwrap();
    consumer.write_all(request(&proxy).as_bytes()).await.unwrap();
    let mut upstream = hand.asked().await;
    upstream.write_all(HEAD).await.unwrap();
    send_chunk(&mut upstream, &page("")).await.unwrap();
    let mut response = vec![0; 1024];
    assert!(soon("a response", consumer.read(&mut response)).await.unwrap() > 0);
    upstream.set_zero_linger().unwrap();
    drop(upstream);
    drop(soon("the end", consumer.read_to_end(&mut response)).await);
    assert!(!response.ends_with(b"0\r\n\r\n"));
    assert_eq!(proxy.audited(1).await[0]["outcome"], "aborted");
}

/// Fault: a consumer stops reading within a response without end. Outcome: the proxy stops reading from Graph, so memory stays bounded.
#[tokio::test]
async fn a_consumer_that_reads_nothing_stops_the_upstream() {
    let (hand, proxy) = Hand::new().await;
    let mut consumer = TcpStream::connect(proxy.address).await.unwrap();
    consumer.write_all(request(&proxy).as_bytes()).await.unwrap();
    let mut upstream = hand.asked().await;
    upstream.write_all(HEAD).await.unwrap();
    send_chunk(&mut upstream, r#"{"value":["#).await.unwrap();
    let block = (0..1_000).map(item).collect::<Vec<_>>().join(",") + ",";
    let mut sent = 0;
    // Sockets buffer some MiB on both sides; without a limit in between this would go on for ever.
    while tokio::time::timeout(Duration::from_millis(500), send_chunk(&mut upstream, &block)).await.is_ok() {
        sent += block.len();
        assert!(sent < 64 << 20, "the proxy swallows what nobody reads");
    }
    drop(consumer);
    soon("the end", async { while upstream.write_all(block.as_bytes()).await.is_ok() {} }).await;
    assert_client_gone(&proxy, 200.into()).await;
}

/// Fault: a consumer reads slowly. Outcome: the consumer gets the whole response.
#[tokio::test]
async fn a_consumer_that_reads_slowly_gets_everything() {
    let graph = FakeUpstream::always(Script::json(page("]}"))).await;
    // Longer than a second in total, without a silence of the upstream of that length.
    let proxy = Setup::scripted(&graph).impatient().start().await;
    let mut consumer = TcpStream::connect(proxy.address).await.unwrap();
    consumer.write_all(request(&proxy).as_bytes()).await.unwrap();
    let (mut response, began) = (Vec::new(), Instant::now());
    while soon("a response", consumer.read_buf(&mut response)).await.unwrap() > 0 {
        if began.elapsed() < Duration::from_millis(1_500) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    assert!(response.ends_with(b"\r\n0\r\n\r\n"));
    assert_eq!(proxy.audited(1).await[0]["outcome"], "complete");
}

/// Fault: Graph sends a page of 50 MB. Outcome: the first bytes reach the consumer before Graph has sent the last.
#[tokio::test]
async fn a_huge_page_streams() {
    const MESSAGES: usize = 1_000;
    const BODY: usize = 50 * 1024;
    let (hand, proxy) = Hand::new().await;
    let mut consumer = TcpStream::connect(proxy.address).await.unwrap();
    consumer.write_all(request(&proxy).as_bytes()).await.unwrap();
    let mut upstream = hand.asked().await;
    let sending = tokio::spawn(async move {
        upstream.write_all(HEAD).await.unwrap();
        send_chunk(&mut upstream, r#"{"value":["#).await.unwrap();
        for n in 0..MESSAGES {
            let comma = if n == 0 { "" } else { "," };
            let text = "MARKER".repeat(BODY / 6);
            let message =
                format!(r#"{comma}{{"id":"u{n}","aboutMe":"{text}","otherMails":["a{n}@b.example"]}}"#);
            send_chunk(&mut upstream, &message).await.unwrap();
        }
        send_chunk(&mut upstream, "]}").await.unwrap();
        upstream.write_all(b"0\r\n\r\n").await.unwrap();
        Instant::now()
    });
    let mut response = Vec::new();
    assert!(soon("a response", consumer.read_buf(&mut response)).await.unwrap() > 0);
    let first = Instant::now();
    soon("the end", consumer.read_to_end(&mut response)).await.unwrap();
    assert!(first < sending.await.unwrap(), "the first bytes came before the last were sent");
    let response = String::from_utf8(response).unwrap();
    assert!(response.ends_with("\r\n0\r\n\r\n") && !response.contains("MARKER"));
    let record = proxy.audited(1).await.remove(0);
    assert_eq!((&record["outcome"], &record["transformed"]), (&"complete".into(), &(2 * MESSAGES).into()));
    assert!(record["bytes_read"].as_u64().unwrap() > 50_000_000);
}
