//! The same client over HTTP/2.

use glassine::upstream::{GraphClient, Network, Settings, UpstreamError};

use super::{PATIENT, ask, headers, text, token};
use crate::support::h2::{Frames, Http2Upstream};

#[tokio::test]
async fn requests_share_one_connection() {
    let graph = Http2Upstream::always(Frames { data: vec!["{\"value\":", "[]}"], reset: false }).await;
    let client = client_of(&graph);
    for _ in 0..3 {
        let response = client.get("/v1.0/users", &headers(), &token()).await.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_2);
        assert_eq!(text(response).await.unwrap(), r#"{"value":[]}"#);
    }
    assert_eq!(graph.connections(), 1);
}

/// Fault: Graph resets an HTTP/2 stream within a body. Outcome: the body ends with an error, and the connection stays in use.
#[tokio::test]
async fn a_stream_reset_is_not_the_end_of_a_body() {
    let graph = Http2Upstream::always(Frames { data: vec!["{\"value\":"], reset: true }).await;
    let client = client_of(&graph);
    assert_eq!(ask(&client).await, Err(UpstreamError::Protocol));
    assert_eq!(ask(&client).await, Err(UpstreamError::Protocol));
    assert_eq!(graph.connections(), 1, "the connection outlives the stream");
}

/// Fault: consumers do not read 24 responses on one HTTP/2 connection. Outcome: another response on the connection arrives whole.
#[tokio::test]
async fn responses_that_nobody_reads_do_not_hold_up_another() {
    let part: &'static str = "x".repeat(1 << 16).leak();
    let graph = Http2Upstream::always(Frames { data: vec![part; 16], reset: false }).await;
    let client = client_of(&graph);
    let mut unread = Vec::new();
    for _ in 0..24 {
        unread.push(client.get("/v1.0/users", &headers(), &token()).await.unwrap());
    }
    let (_, read) = ask(&client).await.unwrap();
    assert_eq!(read.len(), 1 << 20);
    assert_eq!(graph.connections(), 1);
}

fn client_of(graph: &Http2Upstream) -> GraphClient {
    let network = Network { extra_roots: graph.ca(), timeouts: PATIENT, ..Network::default() };
    GraphClient::new(Settings { graph: graph.origin(), network, max_body: 1 << 20 }).unwrap()
}
