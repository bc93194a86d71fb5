//! The same client over HTTP/2.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use glassine::upstream::{GraphClient, Network, PoolLimits, Settings, Timeouts, UpstreamError};

use super::{PATIENT, PAUSE, SHORT, ask, headers, succeed, text, token};
use crate::support::h2::{Frames, Http2Server};
use crate::support::wire::{CANCEL, NO_ERROR, REFUSED_STREAM, Wire};

/// Pings soon, and waits shortly for pongs.
const NERVOUS: PoolLimits =
    PoolLimits { ping_after: Duration::from_millis(200), ping_limit: Duration::from_millis(300), ..DEFAULT };

const DEFAULT: PoolLimits = PoolLimits::DEFAULT;

/// More streams than any test has.
const MANY: u32 = 100;

#[tokio::test]
async fn a_hundred_requests_in_turn_share_one_connection() {
    let graph = Http2Server::always(Frames { data: vec!["{\"value\":", "[]}"], reset: false }).await;
    let client = client_of(&graph);
    for _ in 0..100 {
        let response = client.get("/v1.0/users", &headers(), &token()).await.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_2);
        assert_eq!(text(response).await.unwrap(), r#"{"value":[]}"#);
    }
    assert_eq!(graph.connections(), 1);
}

/// Fault: Graph resets an HTTP/2 stream within a body. Outcome: the body ends with an error, and the connection stays in use.
#[tokio::test]
async fn a_stream_reset_is_not_the_end_of_a_body() {
    let graph = Http2Server::always(Frames { data: vec!["{\"value\":"], reset: true }).await;
    let client = client_of(&graph);
    let reset = Err(UpstreamError::StreamReset(h2::Reason::INTERNAL_ERROR));
    assert_eq!(ask(&client).await, reset);
    assert_eq!(ask(&client).await, reset);
    assert_eq!(graph.connections(), 1, "the connection outlives the stream");
}

/// Fault: a server cancels a stream within a body, without an error code. Outcome: the body ends with an error, not as if it were whole.
#[tokio::test]
async fn a_cancelled_stream_is_not_the_end_of_a_body() {
    for code in [NO_ERROR, CANCEL] {
        let graph = Http2Server::framed(move |_, mut wire| async move {
            wire.allow(MANY).await?;
            let stream = wire.request().await?;
            wire.head(stream).await?;
            wire.data(stream, b"12").await?;
            wire.reset(stream, code).await?;
            wire.fall_silent().await
        })
        .await;
        let cut = ask(&pooled(&graph, DEFAULT)).await;
        assert!(matches!(cut, Err(UpstreamError::StreamReset(_))), "{cut:?}");
    }
}

/// Fault: consumers do not read 24 responses on one HTTP/2 connection. Outcome: another response on the connection arrives whole.
#[tokio::test]
async fn responses_that_nobody_reads_do_not_hold_up_another() {
    let part: &'static str = "x".repeat(1 << 16).leak();
    let graph = Http2Server::always(Frames { data: vec![part; 16], reset: false }).await;
    let client = client_of(&graph);
    let mut unread = Vec::new();
    for _ in 0..24 {
        unread.push(client.get("/v1.0/users", &headers(), &token()).await.unwrap());
    }
    let (_, read) = ask(&client).await.unwrap();
    assert_eq!(read.len(), 1 << 20);
    assert_eq!(graph.connections(), 1);
}

/// Fault: an HTTP/2 connection falls silent and leaves pings unanswered while five requests wait on it. Outcome: all five succeed on one new connection.
#[tokio::test]
async fn a_silent_connection_is_given_up_and_its_requests_succeed() {
    let graph = Http2Server::framed(|number, mut wire| async move {
        wire.allow(MANY).await?;
        if number > 0 {
            return wire.serve(100, Duration::ZERO, &AtomicUsize::new(0)).await;
        }
        let first = wire.request().await?;
        wire.respond(first).await?;
        wire.fall_silent().await
    })
    .await;
    let client = pooled(&graph, NERVOUS);
    assert!(ask(&client).await.is_ok());
    let started = Instant::now();
    assert_eq!(succeed(&client, 5).await, 5);
    assert!(started.elapsed() < PATIENT.head / 2, "{:?}", started.elapsed());
    assert_eq!(graph.connections(), 2, "all share the new connection");
}

/// Fault: an idle HTTP/2 connection died unseen. Outcome: the next request pings it, and succeeds on a new connection.
#[tokio::test]
async fn an_idle_connection_is_pinged_when_it_is_used() {
    let graph = Http2Server::framed(|number, mut wire| async move {
        wire.allow(MANY).await?;
        let first = wire.request().await?;
        wire.respond(first).await?;
        if number == 0 { wire.fall_silent().await } else { wire.request().await.map(drop) }
    })
    .await;
    // Only the doubt leads to a ping.
    let limits = PoolLimits { quiet: Duration::ZERO, ping_after: PATIENT.head, ..NERVOUS };
    let client = pooled(&graph, PoolLimits { ping_limit: SHORT, ..limits });
    assert!(ask(&client).await.is_ok());
    let started = Instant::now();
    assert!(ask(&client).await.is_ok());
    assert!(started.elapsed() < PATIENT.head / 2, "{:?}", started.elapsed());
    assert_eq!(graph.connections(), 2);
}

/// Fault: every HTTP/2 connection of a server falls silent. Outcome: the request fails within seconds, and the error names the pings.
#[tokio::test]
async fn a_server_that_answers_no_pings_is_named() {
    let graph = Http2Server::framed(|_, mut wire| async move {
        wire.allow(MANY).await?;
        wire.fall_silent().await
    })
    .await;
    let failed = ask(&pooled(&graph, NERVOUS)).await.unwrap_err();
    assert_eq!(failed, UpstreamError::Unresponsive);
    assert_eq!(failed.to_string(), "the HTTP/2 connection to the upstream stopped answering pings");
    assert_eq!(graph.connections(), 2);
}

#[tokio::test]
async fn a_slow_server_that_answers_pings_is_waited_for() {
    let graph = Http2Server::framed(|_, mut wire| async move {
        wire.allow(MANY).await?;
        wire.serve(10, 5 * SHORT, &AtomicUsize::new(0)).await
    })
    .await;
    assert!(ask(&pooled(&graph, NERVOUS)).await.is_ok());
    assert_eq!(graph.connections(), 1);
}

/// Fault: a server allows ten streams a connection, and a hundred requests come at once. Outcome: all succeed, on ten connections.
#[tokio::test]
async fn there_are_as_many_connections_as_the_requests_need() {
    for (limit, requests, connections) in [(10, 100, 10), (1, 8, 8), (100, 30, 1)] {
        let refused = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&refused);
        let graph = Http2Server::framed(move |_, mut wire| {
            let count = Arc::clone(&count);
            async move {
                wire.allow(limit).await?;
                wire.serve(limit as usize, SHORT, &count).await
            }
        })
        .await;
        let client = pooled(&graph, DEFAULT);
        assert_eq!(succeed(&client, requests).await, requests, "limit {limit}");
        assert_eq!(graph.connections(), connections, "limit {limit}");
        assert_eq!(refused.load(Ordering::SeqCst), 0, "limit {limit}");
    }
}

/// Fault: a server allows no stream on one connection. Outcome: another connection is opened, and the request succeeds.
#[tokio::test]
async fn a_connection_without_streams_is_not_the_last_one() {
    let graph = Http2Server::framed(|number, mut wire| async move {
        wire.allow(if number == 0 { 0 } else { 10 }).await?;
        wire.serve(10, Duration::ZERO, &AtomicUsize::new(0)).await
    })
    .await;
    let client = pooled(&graph, DEFAULT);
    assert_eq!(succeed(&client, 5).await, 5);
    assert_eq!(graph.connections(), 2);
}

/// Fault: a server allows no stream on any connection. Outcome: a clear error within the time limit, after three connections.
#[tokio::test]
async fn a_server_without_streams_is_named() {
    let graph = Http2Server::framed(|_, mut wire| async move {
        wire.allow(0).await?;
        wire.request().await.map(drop)
    })
    .await;
    let client = limited(&graph, DEFAULT, Timeouts { head: 3 * SHORT, ..PATIENT });
    assert_eq!(ask(&client).await, Err(UpstreamError::NoStreams));
    assert_eq!(graph.connections(), DEFAULT.shut_connections);
}

/// Fault: a server changes its limit of streams while connections are open. Outcome: the client follows, and no request fails.
#[tokio::test]
async fn limits_that_change_are_followed() {
    let refused = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&refused);
    let graph = Http2Server::framed(move |_, mut wire| {
        let count = Arc::clone(&count);
        async move {
            wire.allow(0).await?;
            tokio::time::sleep(SHORT).await;
            wire.allow(2).await?;
            wire.serve(2, PAUSE, &count).await
        }
    })
    .await;
    let client = pooled(&graph, PoolLimits { connections: 2, ..DEFAULT });
    assert_eq!(succeed(&client, 20).await, 20);
    assert_eq!(refused.load(Ordering::SeqCst), 0);
}

/// Fault: a server ends an HTTP/2 connection (GOAWAY) with requests unprocessed. Outcome: they succeed on a new connection; those in work finish.
#[tokio::test]
async fn requests_that_a_closing_server_did_not_process_are_sent_again() {
    let graph = Http2Server::framed(|number, mut wire| async move {
        wire.allow(MANY).await?;
        if number > 0 {
            return wire.serve(100, Duration::ZERO, &AtomicUsize::new(0)).await;
        }
        let first = wire.request().await?;
        for _ in 0..4 {
            wire.request().await?;
        }
        wire.go_away(first, NO_ERROR).await?;
        tokio::time::sleep(PAUSE).await;
        wire.respond(first).await?;
        wire.request().await.map(drop)
    })
    .await;
    let client = pooled(&graph, DEFAULT);
    assert_eq!(succeed(&client, 5).await, 5);
    assert_eq!(graph.connections(), 2, "the four share the new connection");
    assert!(ask(&client).await.is_ok());
    assert_eq!(graph.connections(), 2);
}

/// Fault: an HTTP/2 connection is reset before the responses. Outcome: all requests on it succeed on one new connection.
#[tokio::test]
async fn requests_of_a_reset_connection_are_sent_again() {
    let graph = Http2Server::framed(|number, mut wire| async move {
        wire.allow(MANY).await?;
        if number > 0 {
            return wire.serve(100, Duration::ZERO, &AtomicUsize::new(0)).await;
        }
        for _ in 0..5 {
            wire.request().await?;
        }
        wire.kill();
        Some(())
    })
    .await;
    let client = pooled(&graph, DEFAULT);
    assert_eq!(succeed(&client, 5).await, 5);
    assert_eq!(graph.connections(), 2);
}

/// Fault: a server refuses a stream. Outcome: the request succeeds on another connection.
/// Fault: a server refuses the stream on two connections. Outcome: the request fails, and the error says what happened.
#[tokio::test]
async fn a_refused_stream_is_sent_again_once() {
    for (refusing, expected) in [(1, None), (2, Some(UpstreamError::StreamRefused))] {
        let graph = Http2Server::framed(move |number, wire| refuse(wire, number < refusing)).await;
        assert_eq!(ask(&pooled(&graph, DEFAULT)).await.err(), expected);
        assert_eq!(graph.connections(), 2);
    }
}

async fn refuse(mut wire: Wire, refuses: bool) -> Option<()> {
    wire.allow(MANY).await?;
    loop {
        let stream = wire.request().await?;
        match refuses {
            true => wire.reset(stream, REFUSED_STREAM).await?,
            false => wire.respond(stream).await?,
        }
    }
}

/// Fault: a server opens an HTTP/2 connection and never sends its settings. Outcome: an error names them after the time limit for connecting.
#[tokio::test]
async fn settings_that_do_not_come_are_named() {
    let graph = Http2Server::framed(|_, wire| wire.fall_silent()).await;
    let client = limited(&graph, DEFAULT, Timeouts { connect: SHORT, ..PATIENT });
    let failed = ask(&client).await.unwrap_err().to_string();
    assert_eq!(failed, "the upstream took too long: waiting for the settings of a new HTTP/2 connection");
}

#[tokio::test]
async fn unused_connections_are_closed_after_the_idle_limit() {
    let closed = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&closed);
    let graph = Http2Server::framed(move |_, mut wire| {
        let count = Arc::clone(&count);
        async move {
            wire.allow(1).await?;
            wire.serve(1, PAUSE, &AtomicUsize::new(0)).await;
            count.fetch_add(1, Ordering::SeqCst);
            None
        }
    })
    .await;
    let client = pooled(&graph, PoolLimits { idle: SHORT, ..DEFAULT });
    assert_eq!(succeed(&client, 3).await, 3);
    let started = Instant::now();
    while closed.load(Ordering::SeqCst) < 3 {
        assert!(started.elapsed() < PATIENT.head, "{closed:?} are closed");
        tokio::time::sleep(PAUSE).await;
    }
}

fn client_of(graph: &Http2Server) -> GraphClient {
    let network = Network { extra_roots: graph.ca(), timeouts: PATIENT, ..Network::default() };
    GraphClient::new(Settings { graph: graph.origin(), network, max_body: 1 << 20 }).unwrap()
}

fn pooled(graph: &Http2Server, pool: PoolLimits) -> Arc<GraphClient> {
    limited(graph, pool, PATIENT)
}

fn limited(graph: &Http2Server, pool: PoolLimits, timeouts: Timeouts) -> Arc<GraphClient> {
    let network = Network { extra_roots: graph.ca(), timeouts, pool, ..Network::default() };
    Arc::new(GraphClient::new(Settings { graph: graph.origin(), network, max_body: 1 << 20 }).unwrap())
}
