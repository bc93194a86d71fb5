//! An upstream that fails before the response's head goes out: the consumer gets an error status and Graph's error
//! shape without any text from upstream, and there is one audit record. `streams` has the later failures.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::support::glassine::{Glassine, METADATA_ONLY, ProxyResponse, Setup};
use crate::support::logs::Logs;
use crate::support::upstream::{FakeUpstream, Script};

/// Is in every text from upstream, and must not be in any byte that leaves.
pub(crate) const MARKER: &str = "MARKER";
pub(crate) const USERS: &str = "/v1.0/users";
pub(crate) const PAGE: &str = r#"{"value":[{"id":"u1","displayName":"MARKER","accountEnabled":true}]}"#;
pub(crate) const GRAPH_ERROR: &str = r#"{"error":{"code":"ErrorItemNotFound","message":"MARKER alice@contoso.com","innerError":{"MARKER":1}}}"#;

/// The response to one request with this script upstream, after the checks that every failure has to pass.
pub(crate) async fn failure(name: &str, script: Script, outcome: &str) -> ProxyResponse {
    let graph = FakeUpstream::always(script).await;
    let proxy = Setup::scripted(&graph).impatient().start().await;
    let response = proxy.get(USERS).await;
    assert_shape(name, &response);
    assert_audited(name, &proxy, &response, outcome).await;
    response
}

fn assert_shape(name: &str, response: &ProxyResponse) {
    assert!(!response.everything().contains(MARKER), "{name}: {}", response.everything());
    let error = &response.json()["error"];
    let inner = &error["innerError"];
    let keys: Vec<_> = error.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["code", "innerError", "message"], "{name}");
    assert!(error["code"].is_string() && !error["message"].as_str().unwrap().is_empty(), "{name}: {error}");
    let id = response.headers["request-id"].to_str().unwrap();
    assert_eq!(inner["request-id"], id, "{name}");
    assert_eq!(inner["client-request-id"], response.headers["client-request-id"].to_str().unwrap(), "{name}");
    assert_eq!(inner["date"].as_str().unwrap().len(), "2026-01-02T03:04:05".len(), "{name}");
}

async fn assert_audited(name: &str, proxy: &Glassine, response: &ProxyResponse, outcome: &str) -> Value {
    let record = proxy.audited(1).await.remove(0);
    assert_eq!(record["outcome"], outcome, "{name}: {record}");
    assert_eq!(record["status"], response.status, "{name}: {record}");
    assert_eq!(record["request_id"], response.headers["request-id"].to_str().unwrap(), "{name}");
    assert_eq!(
        (&record["decision"], &record["endpoint"]),
        (&"allowed".into(), &"list-users".into()),
        "{name}"
    );
    record
}

async fn assert_all(cases: Vec<(&str, Script, u16, &str)>) {
    for (name, script, status, code) in cases {
        let response = failure(name, script, "upstream_failed").await;
        assert_eq!((response.status, response.code().as_str()), (status, code), "{name}");
    }
}

/// Fault: an upstream response has another transfer coding than chunked, or a length beside it. Outcome: 502, and nothing of it leaves.
#[tokio::test]
async fn transfer_codings_are_chunked_once_or_nothing() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let whole = format!("{:x}\r\n{PAGE}\r\n0\r\n\r\n", PAGE.len());
    let coded = |fields: &str, body: &str| Script::raw(format!("{head}{fields}\r\n{body}"));
    let length = PAGE.len();
    let mut refused = Vec::new();
    for (fields, body) in [
        ("Transfer-Encoding: gzip\r\n".to_owned(), PAGE),
        ("Transfer-Encoding: identity\r\n".to_owned(), PAGE),
        ("Transfer-Encoding: xchunked\r\n".to_owned(), PAGE),
        ("Transfer-Encoding:\r\n".to_owned(), PAGE),
        ("Transfer-Encoding: gzip, chunked\r\n".to_owned(), whole.as_str()),
        ("Transfer-Encoding: chunked, gzip\r\n".to_owned(), PAGE),
        ("Transfer-Encoding: chunked, chunked\r\n".to_owned(), &whole),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n".to_owned(), &whole),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n".to_owned(), &whole),
        (format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n"), &whole),
        (format!("Content-Length: {length}\r\nTransfer-Encoding: gzip\r\n"), PAGE),
    ] {
        refused.push(("another transfer coding", coded(&fields, body), 502, "upstreamFailed"));
    }
    assert_all(refused).await;
    assert_accepted(vec![
        ("chunked", coded("Transfer-Encoding: chunked\r\n", &whole)),
        ("CHUNKED", coded("transfer-encoding: CHUNKED\r\n", &whole)),
        ("until the connection ends", coded("", PAGE)),
    ])
    .await;
}

/// The neighbours of the refused responses: these leave, sanitized.
async fn assert_accepted(scripts: Vec<(&str, Script)>) {
    for (name, script) in scripts {
        let graph = FakeUpstream::always(script).await;
        let proxy = Setup::scripted(&graph).impatient().start().await;
        let response = proxy.get(USERS).await;
        assert_eq!(response.status, 200, "{name}: {}", response.text());
        let expected = format!(r#"{{"value":[{{"id":"{}","accountEnabled":true}}]}}"#, proxy.id("u1"));
        assert_eq!(response.text(), expected, "{name}");
        assert_audited(name, &proxy, &response, "complete").await;
    }
}

/// Fault: Graph sends no head, or half a head. Outcome: the consumer gets 504 `upstreamTimeout` when the time limit is over.
/// Fault: Graph falls silent in the first part of a body, or announces more bytes than it sends. Outcome: the consumer gets 504 `upstreamTimeout`.
/// Fault: Graph is slow without falling silent. Outcome: the consumer gets the whole response.
#[tokio::test]
async fn silence_is_a_504() {
    let page = Script::json(PAGE);
    let stalls = vec![
        ("no head", Script::never(), 504, "upstreamTimeout"),
        ("half a head", page.clone().stall_in_head(20), 504, "upstreamTimeout"),
        ("no body", page.clone().stall_after(0), 504, "upstreamTimeout"),
        ("half a body", page.clone().stall_after(20), 504, "upstreamTimeout"),
        ("a length that is too long", page.clone().claiming(10_000), 504, "upstreamTimeout"),
        ("no last chunk", page.clone().chunked(10).stall_after(100), 504, "upstreamTimeout"),
    ];
    // Each waits for a second, so all wait at once.
    let mut waiting = tokio::task::JoinSet::new();
    stalls.into_iter().for_each(|case| drop(waiting.spawn(assert_all(vec![case]))));
    waiting.join_all().await;
    let slow = page.chunked(10).paced(std::time::Duration::from_millis(50));
    assert_accepted(vec![("slow is not silent", slow)]).await;
}

/// Fault: Graph closes or resets the connection before the end of the head. Outcome: the consumer gets 502 `upstreamFailed`.
/// Fault: Graph closes or resets the connection within a short body, or before its last chunk. Outcome: the consumer gets 502 `upstreamMalformed`.
#[tokio::test]
async fn a_connection_that_ends_too_early_is_a_502() {
    let page = Script::json(PAGE);
    let chunked = page.clone().chunked(10);
    // Each chunk has a digit and two line ends around it.
    let chunks = PAGE.len() + PAGE.len().div_ceil(10) * 5;
    assert_all(vec![
        ("closed in the head", page.clone().close_in_head(20), 502, "upstreamFailed"),
        ("reset in the head", page.clone().reset_in_head(20), 502, "upstreamFailed"),
        ("closed before the head", Script::raw(""), 502, "upstreamFailed"),
        ("closed in the body", page.clone().close_after(20), 502, "upstreamMalformed"),
        ("reset in the body", page.clone().reset_after(20), 502, "upstreamMalformed"),
        ("closed in a chunk", chunked.clone().close_after(24), 502, "upstreamMalformed"),
        ("closed before the last chunk", chunked.clone().close_after(chunks), 502, "upstreamMalformed"),
    ])
    .await;
    assert_accepted(vec![("whole", page), ("whole, in chunks", chunked)]).await;
}

/// Fault: Graph sends bytes that are not HTTP, or two different lengths. Outcome: the consumer gets 502 `upstreamFailed`.
/// Fault: Graph announces fewer bytes than the document has. Outcome: the consumer gets 502 `upstreamMalformed`.
/// Fault: Graph sends a chunk without a size, with an impossible size, or with text behind it. Outcome: the consumer gets 502 `upstreamMalformed`.
#[tokio::test]
async fn broken_framing_is_a_502() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let raw = |rest: &str| Script::raw(format!("{head}{rest}"));
    assert_all(vec![
        ("no http", Script::raw("MARKER\r\n\r\n"), 502, "upstreamFailed"),
        ("a length that is too short", Script::json(PAGE).claiming(20), 502, "upstreamMalformed"),
        (
            "two lengths",
            raw("Content-Length: 12\r\nContent-Length: 13\r\n\r\n{\"value\":[]}"),
            502,
            "upstreamFailed",
        ),
        ("no chunk size", raw("Transfer-Encoding: chunked\r\n\r\nMARKER\r\n"), 502, "upstreamMalformed"),
        (
            "a negative chunk",
            raw("Transfer-Encoding: chunked\r\n\r\n-1\r\nMARKER\r\n"),
            502,
            "upstreamMalformed",
        ),
        (
            "a chunk too long",
            raw("Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"),
            502,
            "upstreamMalformed",
        ),
        (
            "text behind a chunk",
            raw("Transfer-Encoding: chunked\r\n\r\nc\r\n{\"value\":[]}MARKER\r\n0\r\n\r\n"),
            502,
            "upstreamMalformed",
        ),
    ])
    .await;
}

/// Fault: Graph sends a gzip bomb. Outcome: the consumer gets 502 `upstreamMalformed`.
/// Fault: Graph sends gzip that is damaged, cut short, or followed by other bytes. Outcome: the consumer gets 502 `upstreamMalformed`.
/// Fault: Graph uses another content coding than gzip, or gzip twice. Outcome: the consumer gets 502 `upstreamNotJson`.
#[tokio::test]
async fn content_codings_are_gzip_once_or_nothing() {
    let packed = gzip(PAGE);
    let mut corrupt = packed.clone();
    corrupt[packed.len() / 2] ^= 0xff;
    let mut checksum = packed.clone();
    *checksum.iter_mut().rev().nth(5).unwrap() ^= 1;
    let coded = |coding: &str, body: &[u8]| Script::json(body).header("Content-Encoding", coding);
    assert_all(vec![
        ("a bomb", Script::bomb(64), 502, "upstreamMalformed"),
        ("damaged", coded("gzip", &corrupt), 502, "upstreamMalformed"),
        ("a wrong checksum", coded("gzip", &checksum), 502, "upstreamMalformed"),
        ("cut short", coded("gzip", &packed[..packed.len() - 4]), 502, "upstreamMalformed"),
        ("two members", coded("gzip", &[gzip(PAGE), gzip(" ")].concat()), 502, "upstreamMalformed"),
        ("bytes behind it", coded("gzip", &[&packed[..], b"MARKER"].concat()), 502, "upstreamMalformed"),
        ("not packed", coded("gzip", PAGE.as_bytes()), 502, "upstreamMalformed"),
        ("packed, and not said so", Script::json(&packed), 502, "upstreamMalformed"),
        ("brotli", coded("br", PAGE.as_bytes()), 502, "upstreamNotJson"),
        ("deflate", coded("deflate", PAGE.as_bytes()), 502, "upstreamNotJson"),
        ("gzip twice", coded("gzip, gzip", &packed), 502, "upstreamNotJson"),
        (
            "gzip on two lines",
            coded("gzip", &packed).header("Content-Encoding", "gzip"),
            502,
            "upstreamNotJson",
        ),
    ])
    .await;
    assert_accepted(vec![
        ("gzip", coded("gzip", &packed)),
        ("GZIP", coded("GZIP", &packed)),
        ("identity", coded("identity", PAGE.as_bytes())),
    ])
    .await;
}

/// Fault: Graph or a proxy on the way sends HTML, text, or no media type. Outcome: the consumer gets 502 `upstreamNotJson`.
/// Fault: Graph sends JSON in another character set than UTF-8. Outcome: the consumer gets 502, and nothing of the document.
#[tokio::test]
async fn only_json_in_utf_8_is_let_out() {
    let typed = |value: &str| Script::status(200).header("Content-Type", value).body(PAGE);
    let utf16: Vec<u8> = PAGE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_all(vec![
        (
            "html",
            Script::status(200).header("Content-Type", "text/html").body("<html>MARKER"),
            502,
            "upstreamNotJson",
        ),
        ("text", typed("text/plain"), 502, "upstreamNotJson"),
        ("no type", Script::status(200).body(PAGE), 502, "upstreamNotJson"),
        ("another json", typed("application/problem+json"), 502, "upstreamNotJson"),
        ("a list of types", typed("application/json, text/html"), 502, "upstreamNotJson"),
        ("two types", typed("application/json").header("Content-Type", "text/html"), 502, "upstreamNotJson"),
        ("utf-16", typed("application/json; charset=utf-16"), 502, "upstreamNotJson"),
        ("latin-1", typed("application/json;charset=ISO-8859-1"), 502, "upstreamNotJson"),
        ("utf-16, not said so", Script::json(utf16), 502, "upstreamMalformed"),
    ])
    .await;
    assert_accepted(vec![
        ("parameters", typed("application/json;odata.metadata=minimal;odata.streaming=true;charset=utf-8")),
        ("letter case", typed("Application/JSON; Charset=\"UTF-8\"")),
    ])
    .await;
}

/// Fault: Graph sends a document in which a known property comes twice. Outcome: the consumer gets 502 `upstreamMalformed`.
/// Fault: Graph sends a document that is nested more deeply than 64 levels. Outcome: the consumer gets 502 `upstreamMalformed`.
/// Fault: Graph sends a document that RFC 8259 does not allow, or two documents. Outcome: the consumer gets 502 `upstreamMalformed`.
/// Fault: Graph sends an error document with status 200. Outcome: the consumer gets 502 `upstreamMalformed`.
/// Fault: half of a surrogate pair in a text or a name that does not leave. Outcome: the page leaves, sanitized.
#[tokio::test]
async fn documents_with_two_readings_are_not_let_out() {
    let deep = |depth| format!(r#"{{"value":[],"MARKER":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let documents = [
        ("empty", String::new()),
        ("a byte order mark", format!("\u{feff}{PAGE}")),
        ("bytes behind it", format!("{PAGE}MARKER")),
        ("two documents", format!("{PAGE}{PAGE}")),
        ("cut short, and framed as whole", PAGE.split_at(30).0.to_owned()),
        ("value twice", r#"{"value":[],"value":[{"displayName":"MARKER"}]}"#.to_owned()),
        ("value twice, once in escapes", r#"{"value":[],"\u0076alue":[]}"#.to_owned()),
        ("an id twice", r#"{"value":[{"id":"u1","id":"u2"}]}"#.to_owned()),
        ("too deep", deep(64)),
        ("no value", r#"{"displayName":"MARKER"}"#.to_owned()),
        ("value is an object", r#"{"value":{"id":"u1"}}"#.to_owned()),
        ("value is a string", r#"{"value":"MARKER"}"#.to_owned()),
        ("value is null", r#"{"value":null}"#.to_owned()),
        ("an array", r#"[{"id":"u1"}]"#.to_owned()),
        ("a string", r#""MARKER""#.to_owned()),
        ("an unknown escape", r#"{"value":[],"MARKER":"\q"}"#.to_owned()),
        ("half an escape", "{\"value\":[],\"MARKER\":\"\\ud8\"}".to_owned()),
        ("a trailing comma", r#"{"value":[],}"#.to_owned()),
        ("a control character", "{\"value\":[],\"MARKER\":\"\u{1}\"}".to_owned()),
        ("not a number", r#"{"value":[],"MARKER":NaN}"#.to_owned()),
        ("an error with status 200", GRAPH_ERROR.to_owned()),
    ];
    assert_all(
        documents.iter().map(|(name, text)| (*name, Script::json(text), 502, "upstreamMalformed")).collect(),
    )
    .await;
    let invalid = [br#"{"value":[],"MARKER":""#.as_slice(), &[0xc0, 0xae], br#""}"#].concat();
    assert_all(vec![("overlong utf-8", Script::json(invalid), 502, "upstreamMalformed")]).await;

    let page = PAGE.strip_suffix('}').unwrap();
    assert_accepted(vec![
        ("white space", Script::json(format!(" {PAGE}\r\n"))),
        ("deep", Script::json(format!("{page},\"MARKER\":{}{}}}", "[".repeat(63), "]".repeat(63)))),
        ("unknown twice", Script::json(format!(r#"{page},"MARKER":1,"MARKER":2}}"#))),
        ("half of a surrogate pair", Script::json(format!(r#"{page},"MARKER":"\ud800","\udc00":1}}"#))),
        ("a huge number", Script::json(format!(r#"{page},"MARKER":1e400}}"#))),
        ("another letter case", Script::json(format!(r#"{page},"VALUE":"MARKER"}}"#))),
    ])
    .await;
}

/// Fault: Graph sends an error document with status 200 in place of one object. Outcome: the consumer gets 502, and nothing of the document.
#[tokio::test]
async fn nothing_of_an_error_in_place_of_an_object_leaves() {
    let graph = FakeUpstream::always(Script::json(GRAPH_ERROR)).await;
    let proxy = Setup::scripted(&graph).start().await;
    let response = proxy.get(&format!("{USERS}/{}", proxy.id("u1"))).await;
    assert_eq!((response.status, response.code().as_str()), (502, "upstreamMalformed"));
    assert!(!response.everything().contains(MARKER), "{}", response.everything());
}

/// Fault: Graph's link makes a link to this proxy that is longer than a request's target may be. Outcome: the consumer gets 502 `linkTooLong`, and the log says what to do.
#[tokio::test]
async fn a_link_that_no_request_could_follow_is_refused_with_what_to_do() {
    let logs = Logs::start();
    for characters in [24_400, 25_000, 70_000] {
        let graph = FakeUpstream::start(move |request| {
            let (host, token) = (request.header("host").unwrap(), "a".repeat(characters));
            let link = format!("http://{host}/v1.0/users?$skiptoken=MARKER{token}");
            Script::json(format!(r#"{{"@odata.nextLink":"{link}","value":[]}}"#))
        })
        .await;
        let proxy = Setup::scripted(&graph).start().await;
        let response = proxy.get(USERS).await;
        assert_shape("too long", &response);
        assert_eq!((response.status, response.code().as_str()), (502, "linkTooLong"), "{characters}");
        assert!(response.text().contains("smaller $top"), "{}", response.text());
        let record = assert_audited("too long", &proxy, &response, "upstream_failed").await;
        assert_eq!(record["reason"], "link_too_long", "{record}");
    }
    let text = logs.text();
    assert_eq!(text.matches("more than 24576 bytes").count(), 3, "{text}");
    assert!(text.contains("smaller `$top`") && !text.contains(MARKER), "{text}");
}

/// Fault: Graph's link to the next page leads to another host, port or scheme. Outcome: the consumer gets 502, and nothing of the link.
#[tokio::test]
async fn links_that_lead_elsewhere_are_not_let_out() {
    let graph = FakeUpstream::start(|request| {
        // The original of the token in the path is the origin of the link, so that one upstream serves all pages.
        let link = request.path().strip_prefix("/v1.0/groups/").unwrap().strip_suffix("/members").unwrap();
        let link = percent_decoded(link).replace("SELF", request.header("host").unwrap()) + request.path();
        Script::json(format!(r#"{{"value":[],"@odata.nextLink":"{link}?$skiptoken=MARKER"}}"#))
    })
    .await;
    let proxy = Setup::scripted(&graph).start().await;
    let at = |base: &str| format!("/v1.0/groups/{}/members", proxy.id(base));
    let good = proxy.get(&at("http://SELF")).await;
    assert!(good.json()["@odata.nextLink"].as_str().unwrap().starts_with(&proxy.url()), "{}", good.text());
    for base in [
        "https://SELF",
        "http://evil.example",
        "http://SELF.evil.example",
        "http://SELF@evil.example",
        "http://user@SELF",
        "http://SELF:1",
        "http://127.0.0.1:1",
        "http://127.0.0.1",
        "//SELF",
        "http:SELF",
        "http://SELF/v1.0/me",
        "http://evil.example#SELF",
        "javascript:",
    ] {
        let response = proxy.get(&at(base)).await;
        let told = response.status == 502 && response.code() == "upstreamMalformed";
        assert!(told, "{base}: {}", response.everything());
        assert!(!response.everything().contains(MARKER) && !response.everything().contains("evil"), "{base}");
    }
}

/// Fault: Graph sends something else than a number as a count. Outcome: the consumer gets 502, and nothing of the text.
#[tokio::test]
async fn a_count_is_a_number_or_nothing() {
    let endpoint =
        "endpoints:\n  - name: count-users\n    get: /v1.0/users/$count\n    response: { count: user }\n";
    let rules = METADATA_ONLY.replacen("endpoints:\n", endpoint, 1);
    for (kind, body, status) in [
        ("text/plain", "42", 200),
        ("text/plain; charset=utf-8", "\u{feff}42", 200),
        ("text/plain", "MARKER", 502),
        ("text/plain", "42 MARKER", 502),
        ("application/json", "42", 502),
        ("text/html", "42", 502),
    ] {
        let script = Script::status(200).header("Content-Type", kind).body(body);
        let graph = FakeUpstream::always(script).await;
        let proxy = Setup::scripted(&graph).rules(&rules).start().await;
        let response = proxy.get("/v1.0/users/$count").await;
        assert_eq!(response.status, status, "{kind} {body}: {}", response.text());
        assert!(!response.everything().contains(MARKER));
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let (digits, after) = after.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).unwrap());
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).unwrap()
}

/// Fault: Graph's name cannot be resolved, or nobody listens at its address. Outcome: 502, and the log names the server.
#[tokio::test]
async fn the_log_names_the_server_that_is_not_reached() {
    for graph in ["https://graph.invalid", "http://127.0.0.1:1"] {
        let logs = Logs::start();
        let proxy = Setup::in_front_of(graph).start().await;
        let response = proxy.get(USERS).await;
        assert_eq!((response.status, response.code().as_str()), (502, "upstreamFailed"), "{graph}");
        assert!(logs.text().contains(graph), "{graph}: {}", logs.text());
        assert!(!response.everything().contains(graph), "a consumer learns no name: {}", response.text());
    }
}
