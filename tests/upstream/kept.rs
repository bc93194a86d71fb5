//! Connections that the client keeps, and that die unseen. None of the requests may fail for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use glassine::metrics::{Metrics, UpstreamConnections};
use glassine::upstream::{GraphClient, Network, PoolLimits, Settings, UpstreamError};

use super::{PATIENT, PAUSE, SHORT, ask, succeed};
use crate::support::kept::{Death, Kept};
use crate::support::upstream::{FakeUpstream, Script};

/// Every kept connection is doubted, and the second request is sent soon.
const IMPATIENT: Duration = Duration::from_millis(100);

fn doubting() -> PoolLimits {
    PoolLimits { quiet: Duration::ZERO, no_response: IMPATIENT, ..PoolLimits::default() }
}

fn client_of(server: &Kept, pool: PoolLimits) -> Arc<GraphClient> {
    let network = Network { timeouts: PATIENT, pool, ..Network::default() };
    Arc::new(GraphClient::new(Settings { graph: server.origin(), network, max_body: 1 << 20 }).unwrap())
}

/// A client with so many kept connections, which then die.
async fn with_dead(connections: usize, death: Death, pool: PoolLimits) -> (Kept, Arc<GraphClient>) {
    let server = Kept::gathering(connections, death).await;
    let client = client_of(&server, pool);
    assert_eq!(succeed(&client, connections).await, connections);
    assert_eq!(server.connections(), connections);
    // Until the connections are back in the pool.
    tokio::time::sleep(PAUSE).await;
    server.kill();
    (server, client)
}

/// Fault: a middlebox closed kept HTTP/1.1 connections unseen (2, 5, 20 or 60). Outcome: every request succeeds on a fresh connection.
/// Fault: a server responds with 408 to a request on a connection that it is closing. Outcome: the request succeeds on a fresh connection.
#[tokio::test]
async fn requests_at_the_same_time_survive_dead_connections() {
    for death in [Death::Fin, Death::Rst, Death::TimedOut] {
        for kept in [2, 5, 20, 60] {
            let (server, client) = with_dead(kept, death, PoolLimits::default()).await;
            assert_eq!(succeed(&client, kept).await, kept, "{death:?} {kept}");
            assert!(server.connections() <= 2 * kept, "{death:?} {kept}: {}", server.connections());
        }
    }
}

/// Fault: one kept connection turns out to be dead. Outcome: the other kept ones are closed unused, so one request is sent twice, not each.
#[tokio::test]
async fn one_dead_connection_makes_the_others_suspect() {
    for death in [Death::Fin, Death::Rst] {
        for kept in [2, 5, 20, 60] {
            let (server, client) = with_dead(kept, death, PoolLimits::default()).await;
            for _ in 0..kept {
                assert!(ask(&client).await.is_ok(), "{death:?} {kept}");
            }
            assert_eq!(server.lost(), 1, "{death:?} {kept}");
            assert_eq!(server.connections(), kept + 1, "{death:?} {kept}");
        }
    }
}

/// Fault: a middlebox swallows all bytes of kept HTTP/1.1 connections. Outcome: every request succeeds on a fresh connection within seconds.
#[tokio::test]
async fn swallowed_requests_are_sent_on_a_new_connection_too() {
    for kept in [2, 20] {
        let (_server, client) = with_dead(kept, Death::Swallow, doubting()).await;
        assert_eq!(succeed(&client, kept).await, kept, "at the same time");

        let (server, client) = with_dead(kept, Death::Swallow, doubting()).await;
        for _ in 0..kept {
            assert!(ask(&client).await.is_ok());
        }
        assert_eq!(server.lost(), 1, "the first one pays for all");
    }
}

/// Fault: a server is slow, not dead. Outcome: few requests are sent twice.
#[tokio::test]
async fn a_slow_server_gets_few_requests_twice() {
    let server = Kept::start(8, Death::Fin, 4 * IMPATIENT).await;
    let client = client_of(&server, PoolLimits { doubled: 2, ..doubting() });
    assert_eq!(succeed(&client, 8).await, 8);
    server.slow_down();
    tokio::time::sleep(PAUSE).await;
    assert_eq!(succeed(&client, 8).await, 8);
    assert!(server.connections() <= 8 + 2, "{}", server.connections());
}

/// Fault: a server closes an idle connection properly. Outcome: the pool drops it at once, and no request is sent twice.
#[tokio::test]
async fn a_connection_that_the_server_closes_is_dropped_at_once() {
    let graph = FakeUpstream::start(|_| Script::json(r#"{"value":[]}"#).close_after(12)).await;
    let counts = UpstreamConnections::default();
    let network = Network { timeouts: PATIENT, connections: counts.clone(), ..Network::default() };
    let settings = Settings { graph: graph.origin(), network, max_body: 1 << 20 };
    let client = GraphClient::new(settings).unwrap();
    let metrics = Metrics::new();
    metrics.know_connections(counts);
    for number in 1..=3 {
        assert!(ask(&client).await.is_ok());
        tokio::time::sleep(2 * PAUSE).await;
        let text = metrics.text().unwrap();
        let closed = format!(
            "glassine_upstream_connections_closed_total{{protocol=\"http1\",reason=\"server\"}} {number}"
        );
        assert!(text.contains(&closed), "{text}");
        assert!(
            text.contains("glassine_upstream_connections{protocol=\"http1\",state=\"idle\"} 0"),
            "{text}"
        );
        let repeated = "glassine_upstream_requests_repeated_total{";
        let mut repeated = text.lines().filter(|line| line.starts_with(repeated)).peekable();
        assert!(repeated.peek().is_some() && repeated.all(|line| line.ends_with(" 0")), "{text}");
    }
    assert_eq!((graph.requests().len(), graph.connections()), (3, 3));
}

#[tokio::test]
async fn unused_connections_are_closed_after_the_idle_limit() {
    let server = Kept::gathering(3, Death::Fin).await;
    let client = client_of(&server, PoolLimits { idle: SHORT, ..PoolLimits::default() });
    assert_eq!(succeed(&client, 3).await, 3);
    assert_eq!(server.closed(), 0);
    let started = Instant::now();
    while server.closed() < 3 {
        assert!(started.elapsed() < PATIENT.head, "{} are closed", server.closed());
        tokio::time::sleep(PAUSE).await;
    }
    server.kill();
    assert!(ask(&client).await.is_ok());
    assert_eq!(server.lost(), 0);
}

#[tokio::test]
async fn a_hundred_requests_in_turn_use_one_connection() {
    let server = Kept::gathering(1, Death::Fin).await;
    let client = client_of(&server, PoolLimits::default());
    for _ in 0..100 {
        assert!(ask(&client).await.is_ok());
    }
    assert_eq!(server.connections(), 1);
}

/// Fault: more requests run than the pool may have connections. Outcome: the others wait, and succeed.
#[tokio::test]
async fn the_number_of_connections_is_bounded() {
    let graph = FakeUpstream::start(|_| Script::json(r#"{"value":[]}"#).delayed(PAUSE)).await;
    let pool = PoolLimits { connections: 3, ..PoolLimits::default() };
    let network = Network { timeouts: PATIENT, pool, ..Network::default() };
    let settings = Settings { graph: graph.origin(), network, max_body: 1 << 20 };
    let client = Arc::new(GraphClient::new(settings).unwrap());
    assert_eq!(succeed(&client, 20).await, 20);
    assert!(graph.connections() <= 3, "{}", graph.connections());
}

/// Fault: a server closes every connection before it responds. Outcome: the request fails after its second attempt.
#[tokio::test]
async fn a_request_is_sent_twice_at_most() {
    let graph = FakeUpstream::always(Script::raw("")).await;
    let network = Network { timeouts: PATIENT, ..Network::default() };
    let client = GraphClient::new(Settings { graph: graph.origin(), network, max_body: 1 }).unwrap();
    assert_eq!(ask(&client).await, Err(UpstreamError::Truncated));
    assert_eq!(graph.requests().len(), 2);
}
