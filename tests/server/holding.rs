//! Strangers that hold connections: newcomers get in at once, and who is being served is not disturbed.

use std::io;
use std::net::Ipv4Addr;

use tokio::net::TcpSocket;

use super::*;
use crate::support::waiting::until;

/// A connection from an address of this machine: all of 127.0.0.0/8 are.
async fn from(last: u8, server: &Server) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into())?;
    socket.connect(server.address).await
}

/// The response's status on a connection that stays open.
async fn ask(stream: &mut TcpStream, path: &str) -> io::Result<String> {
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut response = Vec::new();
    while !response.ends_with(b"\r\n0\r\n\r\n") {
        if stream.read_buf(&mut response).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(String::from_utf8(response).unwrap())
}

async fn is_served(stream: &mut TcpStream) -> bool {
    soon("a response", ask(stream, "/known"))
        .await
        .is_ok_and(|response| response.starts_with("HTTP/1.1 200 "))
}

/// Whether the server closes the connection without a byte.
async fn is_closed(stream: &mut TcpStream) -> bool {
    // A reset is an end, too.
    soon("the server closes", stream.read(&mut [0; 64])).await.unwrap_or(0) == 0
}

fn limits(connections: usize, share: usize) -> ServerLimits {
    ServerLimits { connections, connections_per_address: share, ..ServerLimits::default() }
}

/// A door with rules, and its metrics.
fn door_with(rules: DoorRules) -> (Arc<Door>, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::new());
    (Arc::new(Door::public(rules, Arc::clone(&metrics))), metrics)
}

fn networks(list: &[&str]) -> glassine::config::Networks {
    list.iter().map(|network| network.parse().unwrap()).collect()
}

/// The value of a series; 0 if there is none.
fn value(metrics: &Metrics, series: &str) -> u64 {
    let text = metrics.text().unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().unwrap())
}

fn closed(metrics: &Metrics, reason: &str) -> u64 {
    value(metrics, &format!("glassine_connections_closed_total{{listener=\"public\",reason=\"{reason}\"}}"))
}

/// Fault: strangers from many addresses hold every connection and send nothing. Outcome: each newcomer is served at once.
#[tokio::test]
async fn silent_strangers_from_many_addresses_keep_nobody_out() {
    let (door, metrics) = door_with(DoorRules::default());
    let server = start_behind(door, None, limits(16, 4)).await;
    let mut silent = Vec::new();
    for last in 2..6 {
        for _ in 0..4 {
            silent.push(from(last, &server).await.unwrap());
        }
    }
    let (began, mut newcomers) = (Instant::now(), Vec::new());
    for last in 20..32 {
        newcomers.push(from(last, &server).await.unwrap());
        assert!(is_served(newcomers.last_mut().unwrap()).await, "{last}");
    }
    assert!(began.elapsed() < ServerLimits::default().first_head / 2, "nobody waits for a stranger");
    assert_eq!(closed(&metrics, "idle_when_full"), 12);
}

/// Fault: strangers hold connections by an unauthenticated request every now and then. Outcome: a 401 closes its connection.
#[tokio::test]
async fn a_refused_stranger_loses_the_connection() {
    let server = start(None, ServerLimits::default()).await;
    let mut stranger = from(2, &server).await.unwrap();
    let response = ask(&mut stranger, "/refused").await.unwrap().to_ascii_lowercase();
    assert!(
        response.starts_with("http/1.1 401 ") && response.contains("\r\nconnection: close\r\n"),
        "{response}"
    );
    assert!(is_closed(&mut stranger).await);
    let mut honest = from(3, &server).await.unwrap();
    for _ in 0..3 {
        assert!(is_served(&mut honest).await, "whoever is identified keeps the connection");
        // Also if a token has expired.
        assert!(ask(&mut honest, "/refused").await.unwrap().starts_with("HTTP/1.1 401 "));
    }
}

/// Fault: a stranger is refused on an HTTP/2 connection. Outcome: the connection ends, and its other responses are whole.
#[tokio::test]
async fn a_refused_stranger_loses_the_http2_connection() {
    let certificates = Certificates::new(false);
    let server = start(Some(certificates.state()), ServerLimits::default()).await;
    let stream = tls_connect(&server, &certificates.client(b"h2", false)).await.unwrap();
    let (mut sender, ended) = http2(stream).await;
    let gated = sender.send_request(get("/gated")).await.unwrap();
    let refused = sender.send_request(get("/refused")).await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(!refused.headers().contains_key("connection"));
    text(refused).await;
    server.stage.gate.notify_one();
    assert_eq!(text(gated).await, "begin end");
    soon("the connection ends", ended).await.unwrap();
}

/// Fault: one address opens connections without end. Outcome: it displaces its own, and no one else's.
#[tokio::test]
async fn a_flood_from_one_address_stays_within_its_share() {
    let (door, metrics) = door_with(DoorRules::default());
    let server = start_behind(door, None, limits(16, 4)).await;
    let mut honest = from(1, &server).await.unwrap();
    assert!(is_served(&mut honest).await);
    let mut quiet = from(3, &server).await.unwrap();
    let mut flood = Vec::new();
    for _ in 0..100 {
        flood.push(from(2, &server).await.unwrap());
    }
    assert!(
        is_served(&mut honest).await && is_served(&mut quiet).await,
        "an idle connection of another address stays"
    );
    assert!(is_closed(&mut flood[0]).await, "the longest idle one went first");
    assert!(is_served(flood.last_mut().unwrap()).await);
    assert_eq!(closed(&metrics, "idle_over_share"), 96);
    let idle = value(&metrics, "glassine_connections{listener=\"public\",state=\"idle\"}");
    assert_eq!((idle, closed(&metrics, "idle_when_full")), (3, 0));
}

/// Fault: an address has its share of connections, all busy, and opens another. Outcome: the new one is closed, and the busy ones are served.
#[tokio::test]
async fn a_busy_connection_is_never_closed_for_another() {
    let (door, metrics) = door_with(DoorRules::default());
    let server = start_behind(door, None, limits(2, 1)).await;
    let busy = from(2, &server).await.unwrap();
    let mut sender = http1(busy).await;
    let response = sender.send_request(get("/gated")).await.unwrap();
    assert!(is_closed(&mut from(2, &server).await.unwrap()).await);
    assert_eq!(closed(&metrics, "share"), 1);
    for last in 3..10 {
        assert!(is_served(&mut from(last, &server).await.unwrap()).await, "{last}");
    }
    server.stage.gate.notify_one();
    assert_eq!(text(response).await, "begin end");
}

#[tokio::test]
async fn an_idle_connection_of_an_identified_client_is_closed_only_when_needed() {
    let limits = ServerLimits { last_request: SHORT, ..limits(2, 2) };
    let server = start(None, limits).await;
    let mut honest = from(1, &server).await.unwrap();
    assert!(is_served(&mut honest).await);
    tokio::time::sleep(SHORT * 2).await;
    // Strangers displace each other, although the honest connection has been idle for longer.
    let mut strangers = Vec::new();
    for last in 2..6 {
        strangers.push(from(last, &server).await.unwrap());
    }
    assert!(is_closed(&mut strangers[0]).await);
    assert!(is_served(&mut honest).await);
    // Two others who are identified need both places.
    assert!(is_served(strangers.last_mut().unwrap()).await);
    tokio::time::sleep(SHORT * 2).await;
    assert!(is_served(&mut from(9, &server).await.unwrap()).await);
    assert!(is_closed(&mut honest).await, "it had been idle longest");
}

/// Fault: a trusted proxy opens more connections than one address may hold. Outcome: all of them are served.
#[tokio::test]
async fn a_trusted_proxy_may_hold_more_than_a_share() {
    let rules = DoorRules { trusted: networks(&["127.0.0.2/32"]), allowed: None };
    let first_head = ServerLimits { first_head: SHORT, ..limits(8, 1) };
    let server = start_behind(door_with(rules).0, None, first_head).await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(from(2, &server).await.unwrap());
    }
    // It connects in advance, and carries requests of strangers as well.
    tokio::time::sleep(SHORT * 2).await;
    for stream in &mut streams {
        assert!(ask(stream, "/refused").await.unwrap().starts_with("HTTP/1.1 401 "));
        assert!(is_served(stream).await);
    }
}

/// Fault: somebody connects from an address that no consumer may use. Outcome: the connection is closed before TLS.
#[tokio::test]
async fn an_address_that_may_not_connect_is_closed_before_tls() {
    let rules =
        DoorRules { trusted: networks(&["127.0.0.9/32"]), allowed: Some(networks(&["127.0.0.1/32"])) };
    let (door, metrics) = door_with(rules);
    let certificates = Certificates::new(false);
    let server = start_behind(Arc::clone(&door), Some(certificates.state()), ServerLimits::default()).await;
    let handshake = async |last| {
        let stream = from(last, &server).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        certificates.client(b"http/1.1", false).connect(name, stream).await
    };
    assert!(is_closed(&mut from(2, &server).await.unwrap()).await);
    assert!(handshake(2).await.is_err());
    assert_eq!(closed(&metrics, "address_not_allowed"), 2);
    for last in [1, 9] {
        assert!(handshake(last).await.is_ok(), "{last}");
    }
    door.replace(DoorRules { allowed: Some(networks(&["127.0.0.2/32"])), ..DoorRules::default() });
    assert!(handshake(2).await.is_ok() && handshake(1).await.is_err(), "a reload changes who may connect");
}

/// Fault: a client connects and sends no request. Outcome: the connection is closed after the short limit of the first head.
#[tokio::test]
async fn the_first_request_has_less_time_than_later_ones() {
    let (door, metrics) = door_with(DoorRules::default());
    let limits = ServerLimits { first_head: SHORT, ..ServerLimits::default() };
    let server = start_behind(door, None, limits).await;
    let mut served = from(3, &server).await.unwrap();
    assert!(is_served(&mut served).await);
    let began = Instant::now();
    let mut silent = from(2, &server).await.unwrap();
    silent.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    assert!(is_closed(&mut silent).await && began.elapsed() >= SHORT);
    assert_eq!(closed(&metrics, "no_request"), 1);
    assert!(is_served(&mut served).await, "the limit is for the first request only");
}

/// Fault: all places are taken by TLS handshakes that never end. Outcome: a newcomer is served at once.
#[tokio::test]
async fn an_unfinished_handshake_makes_room() {
    let certificates = Certificates::new(false);
    let server = start(Some(certificates.state()), limits(1, 1)).await;
    let mut halfway = from(2, &server).await.unwrap();
    halfway.write_all(b"\x16\x03\x01").await.unwrap();
    let began = Instant::now();
    let stream = tls_connect(&server, &certificates.client(b"http/1.1", false)).await.unwrap();
    let response = http1(stream).await.send_request(get("/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(began.elapsed() < ServerLimits::default().tls_handshake / 2);
    assert!(is_closed(&mut halfway).await);
}

#[tokio::test]
async fn connections_are_counted_by_what_they_do() {
    let (door, metrics) = door_with(DoorRules::default());
    let server = start_behind(door, None, ServerLimits::default()).await;
    let state = |state: &str| {
        value(&metrics, &format!("glassine_connections{{listener=\"public\",state=\"{state}\"}}"))
    };
    let silent = from(2, &server).await.unwrap();
    let mut known = from(3, &server).await.unwrap();
    assert!(is_served(&mut known).await);
    let mut sender = http1(from(4, &server).await.unwrap()).await;
    let busy = sender.send_request(get("/gated")).await.unwrap();
    let expected = [("unidentified", 1), ("idle", 1), ("busy", 1)];
    until("the counts", async || expected.iter().all(|(name, count)| state(name) == *count)).await;
    drop((silent, known, busy, sender));
    until("nothing is left", async || expected.iter().all(|(name, _)| state(name) == 0)).await;
}
