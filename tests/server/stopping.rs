//! A stop on real sockets: clients are asked to leave, and a request that was sent is answered.

use super::*;
use crate::support::waiting::until;

async fn kept_connection(server: &Server) -> http1::SendRequest<Empty<Bytes>> {
    let mut sender = http1(TcpStream::connect(server.address).await.unwrap()).await;
    text(sender.send_request(get("/known")).await.unwrap()).await;
    sender
}

fn closes(response: &Response<Incoming>) -> bool {
    response.headers().get("connection").is_some_and(|value| value == "close")
}

/// Fault: a request is on its way on a kept connection when the server stops. Outcome: it is answered, and then the connection ends.
#[tokio::test]
async fn a_request_on_its_way_at_a_stop_is_answered() {
    let server = start(None, ServerLimits::default()).await;
    let mut idle = kept_connection(&server).await;
    let new = TcpStream::connect(server.address).await.unwrap();
    server.trigger.trigger();
    tokio::time::sleep(SHORT).await;
    let response = soon("a response", idle.send_request(get("/known"))).await.unwrap();
    assert!(response.status() == StatusCode::OK && closes(&response));
    text(response).await;
    let response = soon("a response", http1(new).await.send_request(get("/known"))).await.unwrap();
    assert!(response.status() == StatusCode::OK && closes(&response));
    text(response).await;
    soon("serving ends", server.serving).await.unwrap();
}

/// Fault: a request is on its way on a kept connection when it has been idle for too long. Outcome: it is answered.
#[tokio::test]
async fn a_request_on_its_way_at_the_idle_limit_is_answered() {
    let limits = ServerLimits { idle: SHORT, ..ServerLimits::default() };
    let server = start(None, limits).await;
    let mut idle = kept_connection(&server).await;
    tokio::time::sleep(SHORT * 2).await;
    let response = soon("a response", idle.send_request(get("/known"))).await.unwrap();
    assert!(
        response.status() == StatusCode::OK && closes(&response),
        "the limit was exceeded, so this is the last"
    );
}

/// Fault: connections are in the kernel's backlog when the listener closes. Outcome: their requests are answered.
#[tokio::test]
async fn whoever_is_in_the_backlog_at_a_stop_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /known HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        streams.push(stream);
    }
    let stage = Arc::new(Stage::default());
    let handler =
        move |request: Request<Incoming>, peer: Peer| std::future::ready(handle(&request, &peer, &stage));
    let (trigger, shutdown) = Shutdown::channel();
    trigger.trigger();
    let serving = tokio::spawn(serve(listener, None, ServerLimits::default(), door(), handler, shutdown));
    for stream in &mut streams {
        let mut response = Vec::new();
        soon("the server closes", stream.read_to_end(&mut response)).await.unwrap();
        assert!(response.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&response));
    }
    soon("serving ends", serving).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn clients_are_asked_to_leave_before_the_stop() {
    let server = start(None, ServerLimits::default()).await;
    let mut kept = kept_connection(&server).await;
    server.trigger.leave();
    let response = kept.send_request(get("/known")).await.unwrap();
    assert!(response.status() == StatusCode::OK && closes(&response));
    text(response).await;
    until("the kept connection ends", async || kept.ready().await.is_err()).await;
    for _ in 0..3 {
        let mut new = http1(TcpStream::connect(server.address).await.unwrap()).await;
        let response = new.send_request(get("/known")).await.unwrap();
        assert!(response.status() == StatusCode::OK && closes(&response), "newcomers are served");
    }
    assert!(!server.serving.is_finished());
    server.trigger.trigger();
    soon("serving ends", server.serving).await.unwrap();
}

#[tokio::test]
async fn http2_clients_are_asked_to_leave_before_the_stop() {
    let certificates = Certificates::new(false);
    let server = start(Some(certificates.state()), ServerLimits::default()).await;
    let connect =
        async || http2(tls_connect(&server, &certificates.client(b"h2", false)).await.unwrap()).await;
    let (mut idle, idle_ended) = connect().await;
    text(idle.send_request(get("/known")).await.unwrap()).await;
    let (mut busy, busy_ended) = connect().await;
    let gated = busy.send_request(get("/gated")).await.unwrap();
    server.trigger.leave();
    soon("the idle connection ends", idle_ended).await.unwrap();
    let (mut new, new_ended) = connect().await;
    let response = new.send_request(get("/known")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "newcomers are served");
    text(response).await;
    soon("the new connection ends after its first response", new_ended).await.unwrap();
    server.stage.gate.notify_one();
    assert_eq!(text(gated).await, "begin end");
    soon("the busy connection ends", busy_ended).await.unwrap();
}

/// Fault: a client is in the TLS handshake when the server stops, and never finishes. Outcome: the stop does not wait for it.
#[tokio::test]
async fn a_stop_does_not_wait_for_an_unfinished_handshake() {
    let certificates = Certificates::new(false);
    let server = start(Some(certificates.state()), ServerLimits::default()).await;
    let mut halfway = TcpStream::connect(server.address).await.unwrap();
    halfway.write_all(b"\x16\x03\x01").await.unwrap();
    let late = TcpStream::connect(server.address).await.unwrap();
    let began = Instant::now();
    server.trigger.trigger();
    let name = ServerName::try_from("localhost").unwrap();
    let late = certificates.client(b"http/1.1", false).connect(name, late).await.unwrap();
    let response = http1(late).await.send_request(get("/known")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "a client that does finish is served");
    text(response).await;
    soon("serving ends", server.serving).await.unwrap();
    assert!(began.elapsed() < ServerLimits::default().tls_handshake / 2);
}
