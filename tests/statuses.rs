//! Statuses of Graph: which of them the consumer gets, and which parts of their responses.

use std::time::Duration;

use crate::faults::{GRAPH_ERROR, MARKER, PAGE, USERS, failure};
use crate::support::glassine::Setup;
use crate::support::upstream::{FakeUpstream, Script};

/// Fault: Graph responds with a status about the request, or with 500, 503 or 504. Outcome: the consumer gets this status and Graph's error code only.
/// Fault: Graph responds with another status, such as 201, 206, 405 or 502. Outcome: the consumer gets 502 with Graph's error code.
/// Fault: Graph does not accept the proxy's access token. Outcome: the consumer gets 502 `upstreamUnauthorized`.
#[tokio::test]
async fn statuses_of_graph_are_passed_on_where_they_mean_the_consumer() {
    for (upstream, status, outcome) in [
        (400, 400, "complete"),
        (403, 403, "complete"),
        (404, 404, "complete"),
        (409, 409, "complete"),
        (410, 410, "complete"),
        (500, 500, "complete"),
        (503, 503, "complete"),
        (504, 504, "complete"),
        (401, 502, "upstream_failed"),
        (201, 502, "upstream_failed"),
        (206, 502, "upstream_failed"),
        (405, 502, "upstream_failed"),
        (418, 502, "upstream_failed"),
        (501, 502, "upstream_failed"),
        (502, 502, "upstream_failed"),
        (599, 502, "upstream_failed"),
    ] {
        let name = upstream.to_string();
        let script = Script::status(upstream).header("Content-Type", "application/json").body(GRAPH_ERROR);
        let response = failure(&name, script, outcome).await;
        let code = if upstream == 401 { "upstreamUnauthorized" } else { "ErrorItemNotFound" };
        assert_eq!((response.status, response.code().as_str()), (status, code), "{name}");
    }
    for status in [204, 205, 304] {
        let head = format!("HTTP/1.1 {status} MARKER\r\nContent-Length: 0\r\n\r\n");
        let response = failure(&head, Script::raw(head.clone()), "upstream_failed").await;
        assert_eq!(response.status, 502, "{status}");
    }
}

/// Fault: Graph writes a byte order mark before an error document. Outcome: the consumer gets the status with Graph's error code.
#[tokio::test]
async fn a_byte_order_mark_hides_no_code() {
    for (status, code) in [
        (403, "ErrorAccessDenied"),
        (404, "ErrorItemNotFound"),
        (400, "syncStateNotFound"),
        (410, "resyncRequired"),
    ] {
        let body = format!("\u{feff}{{\"error\":{{\"code\":\"{code}\",\"message\":\"MARKER\"}}}}");
        let script = Script::status(status).header("Content-Type", "application/json").body(body);
        let response = failure(code, script, "complete").await;
        assert_eq!((response.status, response.code().as_str()), (status, code));
    }
}

/// Fault: the access token has no permission at all, and Exchange responds 401 to it. Outcome: the consumer gets 403 with Graph's error code.
#[tokio::test]
async fn a_token_without_any_permission_is_denied_and_not_refused() {
    for (code, status, expected, outcome) in [
        ("NoPermissionsInAccessToken", 403, "NoPermissionsInAccessToken", "complete"),
        ("InvalidAuthenticationToken", 502, "upstreamUnauthorized", "upstream_failed"),
    ] {
        let body = format!(r#"{{"error":{{"code":"{code}","message":"MARKER"}}}}"#);
        let script = Script::status(401).header("Content-Type", "application/json").body(body);
        let response = failure(code, script, outcome).await;
        assert_eq!((response.status, response.code().as_str()), (status, expected));
    }
}

/// Fault: Graph's error document is malformed, HTML, or has no plain code. Outcome: the consumer gets the status with the code `upstreamError`.
#[tokio::test]
async fn an_error_without_a_plain_code_gets_this_proxys() {
    for (kind, body) in [
        ("application/json", r#"{"error":{"code":"MARKER alice@contoso.com"}}"#),
        ("application/json", r#"{"error":{"code":"A","code":"B"}}"#),
        ("application/json", "MARKER"),
        ("text/html", "<html>MARKER"),
        ("text/plain", GRAPH_ERROR),
    ] {
        let script = Script::status(404).header("Content-Type", kind).body(body);
        assert_eq!(failure(body, script, "complete").await.code(), "upstreamError", "{body}");
    }
}

/// Fault: Graph responds with a redirect to another server. Outcome: the consumer gets 502, and the other server gets no connection.
#[tokio::test]
async fn a_redirect_is_neither_followed_nor_passed_on() {
    let elsewhere = FakeUpstream::always(Script::json(PAGE)).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("http://{}/MARKER", elsewhere.address());
        let script = Script::status(status).header("Location", &location).body(MARKER);
        let response = failure("a redirect", script, "upstream_failed").await;
        assert_eq!((response.status, response.headers.get("location")), (502, None));
    }
    assert_eq!(elsewhere.connections(), 0);
}

/// Fault: Graph throttles the application with 429. Outcome: the consumer gets 429 with Graph's error code, `Retry-After` and quota.
#[tokio::test]
async fn throttling_passes_with_its_wait() {
    for (value, passes) in
        [("17", true), ("0.5", true), ("Sun, 06 Nov 1994 08:49:37 GMT", true), ("17; MARKER", false)]
    {
        let script = Script::status(429)
            .header("Content-Type", "application/json")
            .header("Retry-After", value)
            .header("RateLimit-Limit", "1250")
            .header("RateLimit-Remaining", "0")
            .header("RateLimit-Reset", "60")
            .header("X-MARKER", MARKER)
            .body(r#"{"error":{"code":"ApplicationThrottled","message":"MARKER"}}"#);
        let response = failure(value, script, "complete").await;
        assert_eq!((response.status, response.code().as_str()), (429, "ApplicationThrottled"));
        let wait = response.headers.get("retry-after").map(|wait| wait.to_str().unwrap());
        assert_eq!(wait, passes.then_some(value));
        assert_eq!(response.headers["ratelimit-remaining"], "0");
    }
}

/// Fault: Graph stops accepting an access token before it ends. Outcome: the proxy gets a new token, and later requests succeed.
#[tokio::test]
async fn a_token_that_graph_no_longer_takes_is_renewed_once() {
    let graph = FakeUpstream::start(|request| match request.header("authorization") {
        Some("Bearer renewed") => Script::json(PAGE),
        _ => Script::status(401).header("Content-Type", "application/json").body(GRAPH_ERROR),
    })
    .await;
    let proxy = Setup::scripted(&graph).start().await;
    assert_eq!(proxy.get(USERS).await.status, 502, "a new token is not the cause");
    assert_eq!(graph.requests().len(), 1);

    // The proxy renews a token after a 401 only if the token is ten seconds old.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    std::fs::write(proxy.file("graph-token"), "renewed").unwrap();
    assert_eq!(proxy.get(USERS).await.status, 200);
    let records = proxy.audited(2).await;
    assert_eq!((&records[0]["upstream_status"], &records[1]["upstream_status"]), (&401.into(), &200.into()));
}
