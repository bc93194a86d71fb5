//! Faults between Graph and its client: as the client meets them, and what the proxy makes of them.

use std::io::Read as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use glassine::demo::tenant::{Tenant, TransportFault, serve_connection};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Graph;
use crate::support::glassine::{Glassine, Setup, serve_tenant};
use crate::support::h2::Http2Server;
use crate::support::waiting::until;

const FIVE: &str = "/v1.0/users?$top=5";

fn with(fault: TransportFault, every: u64) -> Tenant {
    Tenant::new(7).unreliable(&[fault], every)
}

/// A tenant whose every request to Graph has the fault.
async fn always(fault: TransportFault) -> Graph {
    Graph::of(Arc::new(with(fault, 1))).await
}

/// A connection that speaks HTTP/2 at once.
async fn http2(graph: &Graph) -> SendRequest<Full<Bytes>> {
    let stream = TokioIo::new(TcpStream::connect(graph.address).await.unwrap());
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn ask(sender: &mut SendRequest<Full<Bytes>>) -> Result<Response<Incoming>, hyper::Error> {
    let request = Request::get(format!("http://graph.example{FIVE}")).body(Full::default()).unwrap();
    sender.send_request(request).await
}

#[tokio::test]
async fn a_throttled_request_is_refused_as_graph_does() {
    let graph = always(TransportFault::Throttled).await;
    let response = graph.get_with(FIVE, &[]).await;
    assert_eq!((response.status.as_u16(), response.header("retry-after")), (429, "1"));
    assert_eq!(response.json()["error"]["code"], "TooManyRequests");
    let entra = format!("/{}/v2.0/.well-known/openid-configuration", graph.tenant.tenant_id());
    assert_eq!(graph.get_with(&entra, &[]).await.status.as_u16(), 200, "Entra has its own throttling");
}

#[tokio::test]
async fn json_that_is_cut_is_framed_as_whole() {
    let graph = always(TransportFault::CutJson).await;
    let mut framings = Vec::new();
    for coding in ["identity", "identity", "gzip", "gzip"] {
        let response = graph.get_with(FIVE, &[("accept-encoding", coding)]).await;
        assert_eq!(response.status.as_u16(), 200);
        framings.push(response.headers.contains_key("content-length"));
        let mut text = String::new();
        match coding {
            "gzip" => flate2::read::GzDecoder::new(response.body.as_ref()).read_to_string(&mut text),
            _ => std::io::Read::read_to_string(&mut response.body.as_ref(), &mut text),
        }
        .unwrap();
        assert!(text.starts_with("{\"@odata.context\"") && serde_json::from_str::<Value>(&text).is_err());
    }
    framings.sort_unstable();
    assert_eq!(framings, [false, false, true, true], "chunked and with a length");
    let mut sender = http2(&graph).await;
    let body = ask(&mut sender).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    assert!(serde_json::from_slice::<Value>(&body).is_err());
    assert_eq!(graph.get_with("/v1.0/nothing", &[]).await.json()["error"]["code"], json!("BadRequest"));
}

#[tokio::test]
async fn connections_are_closed_within_and_before_a_response() {
    let within = always(TransportFault::ClosedWithin).await;
    let response = ask(&mut http2(&within).await).await.unwrap();
    assert!(response.into_body().collect().await.is_err(), "the stream is reset");
    let text = bytes_of(&within, "Connection: close\r\n").await;
    assert!(text.starts_with("HTTP/1.1 200") && !text.ends_with("0\r\n\r\n"), "{text}");

    let unanswered = always(TransportFault::ClosedUnanswered).await;
    assert_eq!(bytes_of(&unanswered, "").await, "");
    assert!(ask(&mut http2(&unanswered).await).await.is_err());
}

/// All that comes on one connection after one request, until the tenant closes it.
async fn bytes_of(graph: &Graph, fields: &str) -> String {
    let mut stream = TcpStream::connect(graph.address).await.unwrap();
    let request = format!("GET {FIVE} HTTP/1.1\r\nHost: graph.example\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    drop(
        tokio::time::timeout(Duration::from_secs(10), read).await.expect("the tenant closes the connection"),
    );
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn connections_are_closed_when_they_are_idle() {
    let graph = always(TransportFault::ClosedIdle).await;
    let text = bytes_of(&graph, "").await;
    assert!(text.ends_with("0\r\n\r\n") && !text.contains("connection: close"), "{text}");
    let mut sender = http2(&graph).await;
    ask(&mut sender).await.unwrap();
    closes(&mut sender).await;
}

async fn closes(sender: &mut SendRequest<Full<Bytes>>) {
    until("a GOAWAY ends the connection", async || sender.ready().await.is_err() || sender.is_closed()).await;
}

#[tokio::test]
async fn a_server_that_leaves_says_so_and_finishes_its_response() {
    let graph = always(TransportFault::GoAway).await;
    let text = bytes_of(&graph, "").await;
    assert!(text.contains("connection: close\r\n") && text.ends_with("0\r\n\r\n"), "{text}");
    let mut sender = http2(&graph).await;
    let response = ask(&mut sender).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(serde_json::from_slice::<Value>(&body).is_ok());
    closes(&mut sender).await;
}

#[tokio::test]
async fn a_refused_stream_was_not_processed() {
    let graph = always(TransportFault::Refused).await;
    let error = ask(&mut http2(&graph).await).await.unwrap_err();
    let source = std::error::Error::source(&error).and_then(|it| it.downcast_ref::<h2::Error>()).unwrap();
    assert_eq!(source.reason(), Some(h2::Reason::REFUSED_STREAM));
}

/// A proxy in front of a tenant that has the fault in one of three requests, over HTTP/1.1 or HTTP/2.
async fn stage(fault: TransportFault, over_http2: bool) -> Glassine {
    let tenant = with(fault, 3);
    let domain = tenant.domain().to_owned();
    let mut setup = if over_http2 {
        let (tenant, base) = (Arc::new(tenant), Arc::<OnceLock<String>>::default());
        let known = Arc::clone(&base);
        let server = Http2Server::start(move |_, stream| {
            let (tenant, base) = (Arc::clone(&tenant), known.get().unwrap().clone());
            async move {
                serve_connection(stream, tenant, base).await;
                Some(())
            }
        })
        .await;
        base.set(server.origin().to_string()).unwrap();
        Setup::in_front_of(server.origin().to_string()).trusting(&server.ca()[0])
    } else {
        Setup::in_front_of(serve_tenant(tenant).await.1)
    };
    setup.domain = domain;
    setup.start().await
}

/// The statuses and codes of nine requests in turn.
async fn nine(proxy: &Glassine, pause: Duration) -> Vec<(u16, String)> {
    let mut seen = Vec::new();
    for _ in 0..9 {
        let response = proxy.get(FIVE).await;
        let code = if response.status == 200 { String::new() } else { response.code() };
        assert!(code.is_empty() || !response.everything().contains("@odata.context"));
        seen.push((response.status, code));
        tokio::time::sleep(pause).await;
    }
    seen
}

/// Fault: Graph closes a connection when a request arrives. Outcome: every request succeeds.
/// Fault: Graph closes a connection within its idle time, over HTTP/1.1 or HTTP/2. Outcome: every request succeeds.
/// Fault: Graph leaves with `Connection: close` or a graceful GOAWAY, or refuses a stream. Outcome: every request succeeds.
#[tokio::test]
async fn closed_connections_cost_a_consumer_nothing() {
    let mut all = tokio::task::JoinSet::new();
    for (fault, over_http2) in [
        (TransportFault::ClosedUnanswered, false),
        (TransportFault::ClosedIdle, false),
        (TransportFault::ClosedIdle, true),
        (TransportFault::GoAway, false),
        (TransportFault::GoAway, true),
        (TransportFault::Refused, false),
        (TransportFault::Refused, true),
    ] {
        all.spawn(async move {
            let pause = Duration::from_millis(if fault == TransportFault::ClosedIdle { 600 } else { 0 });
            let seen = nine(&stage(fault, over_http2).await, pause).await;
            assert!(seen.iter().all(|it| it.0 == 200), "{fault:?}, HTTP/2: {over_http2}: {seen:?}");
        });
    }
    all.join_all().await;
}

/// Fault: Graph resets a stream of HTTP/2 with an error of its own, without a response. Outcome: the consumer gets 502, and the next request succeeds.
#[tokio::test]
async fn a_stream_that_graph_resets_is_an_error_of_graph() {
    let seen = nine(&stage(TransportFault::ClosedUnanswered, true).await, Duration::ZERO).await;
    let expected = (1..=9).map(|number| match number % 3 {
        0 => (502, "upstreamFailed".to_owned()),
        _ => (200, String::new()),
    });
    assert!(seen.iter().cloned().eq(expected), "{seen:?}");
}

/// Fault: Graph's JSON ends too early inside a whole 200, over HTTP/1.1 or HTTP/2, within gzip. Outcome: the consumer gets 502 `upstreamMalformed`.
/// Fault: Graph closes the connection, or resets the stream, within a short response. Outcome: the consumer gets 502, and the next request succeeds.
#[tokio::test]
async fn a_response_that_is_not_whole_never_looks_whole() {
    for (fault, code) in
        [(TransportFault::CutJson, "upstreamMalformed"), (TransportFault::ClosedWithin, "upstreamMalformed")]
    {
        for over_http2 in [false, true] {
            let seen = nine(&stage(fault, over_http2).await, Duration::ZERO).await;
            let expected: Vec<_> = (1..=9)
                .map(|number| if number % 3 == 0 { (502, code.to_owned()) } else { (200, String::new()) })
                .collect();
            assert_eq!(seen, expected, "{fault:?}, HTTP/2: {over_http2}");
        }
    }
}

/// Fault: Graph throttles one request in three (429 with `Retry-After: 1`). Outcome: the proxy repeats it after a second, and the consumer gets 200.
#[tokio::test]
async fn a_throttled_request_is_repeated_when_its_time_is_over() {
    let proxy = stage(TransportFault::Throttled, true).await;
    for _ in 0..4 {
        assert_eq!(proxy.get(FIVE).await.status, 200);
    }
}
