//! Requests to Graph, and their responses if everything works.

use glassine::upstream::{ConsistencyLevel, MediaType, RequestHeaders, UpstreamError};
use glassine_core::graph::Preference;

use super::{PAGE, PATIENT, client, get, headers, response, text, token};
use crate::support::upstream::{FakeUpstream, Script};

#[tokio::test]
async fn a_page_arrives_unchanged() {
    let graph = FakeUpstream::always(Script::json(PAGE).header("Retry-After", "2.128")).await;
    let (status, body) = get(&graph).await.unwrap();
    assert_eq!((status, body.as_str()), (200, PAGE));
}

#[tokio::test]
async fn the_request_has_only_the_proxys_target_and_headers() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let mut headers = headers();
    headers.prefer = vec![Preference::ImmutableId, Preference::MaxPageSize(5.try_into().unwrap())];
    headers.consistency_level = Some(ConsistencyLevel::Eventual);
    let target = "/v1.0/users/a%2Fb/messages?$top=5&$filter=x%20eq%20'%23'";
    client(&graph, PATIENT).get(target, &headers, &token()).await.unwrap();

    let [request] = graph.requests().try_into().unwrap();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", target));
    let mut sent = request.headers.iter().map(|(n, v)| format!("{n}: {v}")).collect::<Vec<_>>();
    sent.sort();
    assert_eq!(
        sent,
        [
            "accept-encoding: gzip",
            "accept: application/json;odata.metadata=minimal",
            "authorization: Bearer t0ken",
            "client-request-id: 07070707-0707-0707-0707-070707070707",
            "consistencylevel: eventual",
            &format!("host: {}", graph.address()),
            "prefer: IdType=\"ImmutableId\", odata.maxpagesize=5",
            concat!("user-agent: glassine/", env!("CARGO_PKG_VERSION")),
        ]
    );
}

#[tokio::test]
async fn a_count_is_asked_for_as_text() {
    let graph = FakeUpstream::always(Script::status(200).body("42")).await;
    let headers = RequestHeaders { accept: MediaType::PlainText, ..headers() };
    client(&graph, PATIENT).get("/v1.0/users/$count", &headers, &token()).await.unwrap();
    assert_eq!(graph.requests()[0].header("accept"), Some("text/plain"));
}

#[tokio::test]
async fn errors_from_graph_are_responses_and_not_failures() {
    for status in [401, 403, 404, 429, 503] {
        let graph = FakeUpstream::always(Script::status(status).body("{}")).await;
        assert_eq!(get(&graph).await, Ok((status, "{}".into())));
    }
}

#[tokio::test]
async fn the_reason_phrase_is_left_behind() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    assert!(response(&graph, PATIENT).await.unwrap().extensions().is_empty());
}

/// Fault: Graph redirects to another server. Outcome: the request fails, and the other server gets no request.
#[tokio::test]
async fn a_redirect_is_never_followed() {
    let other = FakeUpstream::always(Script::json(PAGE)).await;
    for status in [300, 301, 302, 304, 307, 308] {
        let location = format!("{}/v1.0/users", other.origin());
        let graph = FakeUpstream::always(Script::status(status).header("Location", &location)).await;
        assert_eq!(get(&graph).await, Err(UpstreamError::Redirect));
    }
    assert!(other.requests().is_empty());
}

/// Fault: a target has characters that a server could read differently. Outcome: the request is not sent.
#[tokio::test]
async fn a_target_that_could_change_on_the_way_is_not_sent() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    for target in ["", "v1.0", "/v1.0/users#x", "/v1.0/a b", "/v1.0/a\r\nX: y", "http://evil.example/"] {
        let refused = client(&graph, PATIENT).get(target, &headers(), &token()).await.err();
        assert_eq!(refused, Some(UpstreamError::Target), "{target:?}");
    }
    assert!(graph.requests().is_empty());
}

#[tokio::test]
async fn connections_are_used_again_after_a_whole_response() {
    let graph = FakeUpstream::always(Script::json(PAGE).chunked(7)).await;
    let client = client(&graph, PATIENT);
    for _ in 0..3 {
        let response = client.get("/v1.0/users", &headers(), &token()).await.unwrap();
        assert_eq!(text(response).await.unwrap(), PAGE);
    }
    assert_eq!((graph.requests().len(), graph.connections()), (3, 1));
}
