//! Requests with odd framing, addresses and fields: only method, target, `Host` and `Authorization` decide, and one
//! request on the wire is one request to Graph.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::glassine::{Consumer, Glassine, Setup, read_all};
use crate::support::upstream::{FakeUpstream, Script};

const TARGET: &str = "/v1.0/users";

struct Stage {
    proxy: Glassine,
    graph: FakeUpstream,
}

impl Stage {
    async fn new() -> Self {
        let graph = FakeUpstream::always(Script::json(r#"{"value":[]}"#)).await;
        let proxy = Setup::scripted(&graph).start().await;
        Self { proxy, graph }
    }

    fn host(&self) -> String {
        format!("Host: {}\r\n", self.proxy.address)
    }

    /// A head of this request line and these lines, with a good `Host` and credential.
    fn head(&self, line: &str, more: &str) -> String {
        format!("{line}\r\n{}{}{more}\r\n", self.host(), credential())
    }

    /// The statuses of the responses to these bytes. The client sends nothing after them.
    async fn statuses(&self, bytes: &str) -> Vec<String> {
        let mut stream = TcpStream::connect(self.proxy.address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        statuses(&read_all(&mut stream).await)
    }

    fn reached(&self) -> usize {
        self.graph.requests().len()
    }
}

fn credential() -> String {
    format!("Authorization: Bearer {}\r\n", Consumer::token("acme"))
}

fn statuses(responses: &str) -> Vec<String> {
    let heads = responses.split("HTTP/1.1 ").skip(1);
    heads.map(|head| head.chars().take(3).collect()).collect()
}

const CLOSE: &str = "Connection: close\r\n";

/// Fault: the target of a request is a URL of another host, or no path. Outcome: the client gets 421 or 400, and Graph gets no request.
#[tokio::test]
async fn the_target_is_a_path_or_a_url_of_this_proxy() {
    let stage = Stage::new().await;
    let (address, port) = (stage.proxy.address, stage.proxy.address.port());
    let accepted = [
        TARGET.to_owned(),
        format!("http://{address}{TARGET}"),
        format!("HTTP://LOCALHOST:{port}{TARGET}?$top=1"),
        // Only somebody in front of this proxy can know whether its clients speak TLS.
        format!("https://{address}{TARGET}"),
    ];
    for target in &accepted {
        let responses = stage.statuses(&stage.head(&format!("GET {target} HTTP/1.1"), CLOSE)).await;
        assert_eq!(responses, ["200"], "{target}");
    }
    assert!(stage.graph.requests().iter().all(|request| request.path() == TARGET));
    for (target, status) in [
        (format!("http://evil.example{TARGET}"), "421"),
        (format!("http://evil.example:{port}{TARGET}"), "421"),
        (format!("https://localhost:{port}{TARGET}"), "421"),
        (format!("http://127.0.0.1{TARGET}"), "421"),
        (format!("http://user@{address}{TARGET}"), "421"),
        (format!("http://{address}@evil.example{TARGET}"), "421"),
        (format!("http://evil.example#@{address}{TARGET}"), "421"),
        (format!("ftp://{address}{TARGET}"), "400"),
        (format!("http://{address}"), "400"),
        (format!("http://{address}?x=1"), "400"),
        (format!("http://{address}/{TARGET}"), "400"),
        (format!("http:{TARGET}"), "400"),
        (format!("{address}"), "400"),
        ("*".to_owned(), "400"),
    ] {
        let responses = stage.statuses(&stage.head(&format!("GET {target} HTTP/1.1"), CLOSE)).await;
        assert_eq!(responses, [status], "{target}");
    }
    for target in [format!("{address}"), format!("http://{address}{TARGET}")] {
        let connect = stage.head(&format!("CONNECT {target} HTTP/1.1"), CLOSE);
        assert_eq!(stage.statuses(&connect).await, ["400"], "{target}");
    }
    assert_eq!(stage.statuses(&stage.head("OPTIONS * HTTP/1.1", CLOSE)).await, ["405"]);
    assert_eq!(stage.reached(), accepted.len());
}

/// RFC 9112, 3.2.2: the URL counts, not `Host`. But 3.2 wants one valid `Host` in every request, and one that names
/// somebody else is refused, because a program in front of this proxy may have decided by it.
/// Fault: `Host` contradicts the URL in the request line. Outcome: the client gets 421, and Graph gets no request.
#[tokio::test]
async fn beside_a_url_as_target_the_host_has_to_be_this_proxy_too() {
    let stage = Stage::new().await;
    let (address, port) = (stage.proxy.address, stage.proxy.address.port());
    for (host, status) in [
        (format!("Host: {address}\r\n"), "200"),
        (format!("Host: localhost:{port}\r\n"), "200"),
        ("Host: evil.example\r\n".to_owned(), "421"),
        (format!("Host: {address}\r\nHost: {address}\r\n"), "400"),
        ("Host: \r\n".to_owned(), "400"),
        (String::new(), "400"),
    ] {
        let head = format!("GET http://{address}{TARGET} HTTP/1.1\r\n{host}{}{CLOSE}\r\n", credential());
        assert_eq!(stage.statuses(&head).await, [status], "{host:?}");
    }
    assert_eq!(stage.reached(), 2);
}

/// Fault: `Host` is missing, doubled, or names another host. Outcome: the client gets 400 or 421, and Graph gets no request.
#[tokio::test]
async fn the_host_has_to_be_this_proxy() {
    let stage = Stage::new().await;
    let (address, port) = (stage.proxy.address, stage.proxy.address.port());
    for (host, status) in [
        (format!("Host: {address}\r\n"), "200"),
        (format!("Host: localhost:{port}\r\n"), "200"),
        (format!("Host: LOCALHOST:{port}\r\n"), "200"),
        ("Host: graph.microsoft.com\r\n".to_owned(), "421"),
        (format!("Host: evil.example:{port}\r\n"), "421"),
        (format!("Host: 127.0.0.1.evil.example:{port}\r\n"), "421"),
        ("Host: 127.0.0.1:1\r\n".to_owned(), "421"),
        ("Host: 127.0.0.1\r\n".to_owned(), "421"),
        (format!("Host: user@{address}\r\n"), "421"),
        (format!("Host: {address}@evil.example\r\n"), "421"),
        (format!("Host: {address}\r\nHost: {address}\r\n"), "400"),
        (format!("Host: {address}\r\nHost: evil.example\r\n"), "400"),
        (format!("Host: {address}, evil.example\r\n"), "400"),
        (format!("Host: {address}{TARGET}\r\n"), "400"),
        ("Host: \r\n".to_owned(), "400"),
        (String::new(), "400"),
    ] {
        let head = format!("GET {TARGET} HTTP/1.1\r\n{host}{}{CLOSE}\r\n", credential());
        assert_eq!(stage.statuses(&head).await, [status], "{host:?}");
    }
    assert_eq!(stage.reached(), 3);
}

/// Fault: a request has headers that rewrite method, target or address in other servers. Outcome: the headers change nothing.
#[tokio::test]
async fn headers_that_other_servers_obey_decide_nothing() {
    let stage = Stage::new().await;
    for line in [
        "X-HTTP-Method-Override: DELETE",
        "X-HTTP-Method: PATCH",
        "X-Method-Override: POST",
        "X-Original-URL: /v1.0/me/messages",
        "X-Rewrite-URL: /v1.0/me/messages",
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Prefix: /v1.0/me",
        "X-Forwarded-Proto: https",
        "X-Forwarded-For: 10.0.0.1",
        "Forwarded: host=evil.example;proto=https",
        "X-Host: evil.example",
        "Via: 1.1 evil.example",
        "Cookie: a=b",
        "Accept: text/html",
        "If-None-Match: *",
        "Range: bytes=0-1",
        "Prefer: outlook.body-content-type=\"text\"",
        "Connection: close, Authorization",
        "Expect: 100-continue",
        "Upgrade: h2c",
        "TE: trailers",
    ] {
        let response = stage
            .proxy
            .raw(stage.head(&format!("GET {TARGET} HTTP/1.1"), &format!("{line}\r\n{CLOSE}")).as_bytes())
            .await;
        assert!(response.starts_with("HTTP/1.1 200 "), "{line}: {response}");
        assert!(!response.contains("evil.example"), "{line}: {response}");
    }
    let requests = stage.graph.requests();
    let plain = &requests[0];
    for request in &requests {
        assert_eq!((request.method.as_str(), &request.target), ("GET", &plain.target));
        let names = |it: &crate::support::upstream::Received| {
            it.headers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(request), names(plain));
        assert_eq!(request.body, "");
    }
}

/// Fault: a request has another method than GET or HEAD. Outcome: the client gets 405, and Graph gets no request.
#[tokio::test]
async fn only_get_and_head_are_methods() {
    let stage = Stage::new().await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "get", "GETS"] {
        let response =
            stage.proxy.raw(stage.head(&format!("{method} {TARGET} HTTP/1.1"), CLOSE).as_bytes()).await;
        assert!(response.starts_with("HTTP/1.1 405 "), "{method}: {response}");
        assert!(response.to_ascii_lowercase().contains("\r\nallow: get, head\r\n"), "{method}: {response}");
    }
    let body = "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n";
    let posted = stage.head("POST /v1.0/users HTTP/1.1", body) + "{}";
    assert_eq!(stage.statuses(&posted).await, ["405"], "the method is what is wrong, not the body");
    assert_eq!(stage.reached(), 0);
    for method in ["GET", "HEAD"] {
        assert_eq!(stage.statuses(&stage.head(&format!("{method} {TARGET} HTTP/1.1"), CLOSE)).await, ["200"]);
    }
    assert_eq!(stage.reached(), 2);
}

/// Fault: a GET has a body. Outcome: the client gets 413, or 400 if its framing is malformed.
#[tokio::test]
async fn a_request_has_no_body() {
    let stage = Stage::new().await;
    for (fields, body, expected) in [
        ("Content-Length: 0\r\n", "", "200"),
        ("Content-Length: 2\r\n", "{}", "413"),
        ("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n", "413"),
        ("Transfer-Encoding: chunked\r\n", "xyz\r\n", "400"),
    ] {
        let request = stage.head(&format!("GET {TARGET} HTTP/1.1"), &format!("{fields}{CLOSE}")) + body;
        assert_eq!(stage.statuses(&request).await, [expected], "{fields:?}");
    }
    assert_eq!(stage.reached(), 1);
}

/// Each of these would hide a second request from one of two readers. Graph may see the first one, never the second.
/// Fault: a request has contradictory or malformed framing that hides a second request. Outcome: the client gets 4xx, and Graph never sees the second request.
#[tokio::test]
async fn no_request_is_smuggled_in_another() {
    let stage = Stage::new().await;
    let hidden = format!("GET /v1.0/groups HTTP/1.1\r\n{}{}{CLOSE}\r\n", stage.host(), credential());
    let length = format!("Content-Length: {}\r\n", hidden.len());
    for fields in [
        format!("{length}Transfer-Encoding: chunked\r\n"),
        format!("Transfer-Encoding: chunked\r\n{length}"),
        format!("{length}Content-Length: 0\r\n"),
        format!("Content-Length: 0\r\n{length}"),
        format!("Content-Length: 0, {}\r\n", hidden.len()),
        format!("Content-Length: +{}\r\n", hidden.len()),
        "Content-Length: -1\r\n".to_owned(),
        "Content-Length: 0x10\r\n".to_owned(),
        format!("Content-Length : {}\r\n", hidden.len()),
        format!(" {length}"),
        "Transfer-Encoding: xchunked\r\n".to_owned(),
        "Transfer-Encoding: chunked, identity\r\n".to_owned(),
        "Transfer-Encoding: identity\r\n".to_owned(),
        "Transfer-Encoding : chunked\r\n".to_owned(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n".to_owned(),
        "Transfer-Encoding:\u{b}chunked\r\n".to_owned(),
        "X: a\r\n Transfer-Encoding: chunked\r\n".to_owned(),
        "X: a\0\r\n".to_owned(),
    ] {
        let request = stage.head(&format!("GET {TARGET} HTTP/1.1"), &fields) + &hidden;
        let responses = stage.statuses(&request).await;
        let reached = stage.graph.requests();
        assert!(reached.iter().all(|it| it.path() == TARGET), "{fields:?} let the hidden request out");
        assert!(responses.iter().all(|status| status.starts_with('4')), "{fields:?}: {responses:?}");
    }
    assert_eq!(stage.reached(), 0);

    // One reading only: a body, which is refused, and the request behind it.
    let body = stage.head(&format!("GET {TARGET} HTTP/1.1"), &length) + &hidden;
    let behind = stage.head(&format!("GET {TARGET} HTTP/1.1"), CLOSE);
    assert_eq!(stage.statuses(&(body + &behind)).await, ["413", "200"]);
    assert!(stage.graph.requests().iter().all(|it| it.path() == TARGET));
}

/// Fault: a head has a bare carriage return. Outcome: the client gets 400.
#[tokio::test]
async fn line_ends_have_one_reading() {
    let stage = Stage::new().await;
    let good = stage.head(&format!("GET {TARGET} HTTP/1.1"), CLOSE);
    assert_eq!(stage.statuses(&good).await, ["200"]);
    // RFC 9112, 2.2: a recipient may take a bare LF for a line end; it must never take a bare CR for one.
    let bare_cr = good.replacen("\r\nHost", "\rHost", 1);
    assert_eq!(stage.statuses(&bare_cr).await, ["400"]);
    let injected = good.replacen("Connection", "X: a\rAuthorization: b\r\nConnection", 1);
    assert_eq!(stage.statuses(&injected).await, ["400"]);
    let bare_lf = good.replacen("Connection", "X: a\nHost: evil.example\r\nConnection", 1);
    assert_eq!(stage.statuses(&bare_lf).await, ["400"], "a bare LF ends a line, so there are two hosts");
    assert_eq!(stage.reached(), 1);
}

/// Fault: a client speaks HTTP/1.0, which cannot mark a cut response. Outcome: the client gets 505.
#[tokio::test]
async fn http_1_0_cannot_tell_a_cut_response_from_a_whole_one() {
    let stage = Stage::new().await;
    let response = stage.proxy.raw(stage.head(&format!("GET {TARGET} HTTP/1.0"), CLOSE).as_bytes()).await;
    assert!(response.starts_with("HTTP/1.0 505 "), "{response}");
    assert_eq!(stage.reached(), 0);
}

/// Fault: a client sends several requests at once, some of them refused. Outcome: each gets its own response, in order, and its own audit record.
#[tokio::test]
async fn pipelined_requests_are_answered_in_order_each_on_its_own() {
    let stage = Stage::new().await;
    let pipeline = [
        stage.head("GET /v1.0/users HTTP/1.1", ""),
        format!("GET /v1.0/users HTTP/1.1\r\n{}\r\n", stage.host()),
        stage.head("GET /v1.0/me HTTP/1.1", ""),
        stage.head("GET /v1.0/groups HTTP/1.1", CLOSE),
        stage.head("GET /beta/groups HTTP/1.1", ""),
    ];
    assert_eq!(stage.statuses(&pipeline.concat()).await, ["200", "401", "403", "200"]);
    let reached = stage.graph.requests();
    assert_eq!(reached.iter().map(|it| it.path()).collect::<Vec<_>>(), ["/v1.0/users", "/v1.0/groups"]);
    assert_eq!(stage.proxy.audited(4).await.len(), 4);
}

/// Fault: a request arrives byte by byte. Outcome: the client gets the response.
#[tokio::test]
async fn a_request_may_come_byte_by_byte() {
    let stage = Stage::new().await;
    let mut stream = TcpStream::connect(stage.proxy.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in stage.head(&format!("GET {TARGET} HTTP/1.1"), CLOSE).bytes() {
        stream.write_all(&[byte]).await.unwrap();
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    assert_eq!(statuses(&read_all(&mut stream).await), ["200"]);
    assert_eq!(stage.reached(), 1);
}

/// An empty body is no body, however the request declares it.
/// Fault: a GET has an empty body in chunks, with or without trailers. Outcome: the client gets the response.
#[tokio::test]
async fn an_empty_body_is_no_body() {
    let stage = Stage::new().await;
    let chunked = |chunks: &str| {
        stage.head(&format!("GET {TARGET} HTTP/1.1"), &format!("Transfer-Encoding: chunked\r\n{CLOSE}"))
            + chunks
    };
    assert_eq!(stage.statuses(&chunked("0\r\n\r\n")).await, ["200"]);
    assert_eq!(stage.statuses(&chunked("0\r\nX-Trailer: 1\r\n\r\n")).await, ["200"]);
    assert_eq!(stage.statuses(&chunked("1\r\n{\r\n0\r\n\r\n")).await, ["413"]);
    assert_eq!(stage.reached(), 2);
}
