//! The listener on real sockets: TLS, hostile peers, limits, drain, certificate reload.
//!
//! The limits are small, and every wait is for an event, under one deadline.

mod holding;
mod stopping;

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::support::waiting::{soon, until};
use bytes::Bytes;
use glassine::config::files::FileError;
use glassine::config::{Config, TlsFiles};
use glassine::metrics::Metrics;
use glassine::server::admin::Admin;
use glassine::server::{
    Door, DoorRules, Identified, Peer, Phase, Readiness, ServerLimits, Shutdown, ShutdownTrigger, TlsError,
    TlsState, serve,
};
use glassine_core::graph::target::MAX_TARGET;
use http::{Request, Response, StatusCode, Version};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, CertifiedKey, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const SHORT: Duration = Duration::from_millis(200);

/// What the handler under test shares with the test.
#[derive(Default)]
struct Stage {
    requests: AtomicUsize,
    bodies_dropped: AtomicUsize,
    dropped: Notify,
    /// Lets a `/gated` body end.
    gate: Notify,
}

impl Stage {
    async fn body_was_dropped(&self) {
        soon("the body is dropped", async {
            while self.bodies_dropped.load(Ordering::SeqCst) == 0 {
                self.dropped.notified().await;
            }
        })
        .await;
    }
}

/// A body that is fed through a channel, or endless.
struct TestBody {
    source: Source,
    stage: Arc<Stage>,
}

enum Source {
    Channel(mpsc::Receiver<Bytes>),
    Endless,
}

impl Body for TestBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut self.source {
            Source::Channel(receiver) => {
                receiver.poll_recv(cx).map(|it| it.map(|bytes| Ok(Frame::data(bytes))))
            }
            Source::Endless => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'a'; 16 * 1024]))))),
        }
    }
}

impl Drop for TestBody {
    fn drop(&mut self) {
        self.stage.bodies_dropped.fetch_add(1, Ordering::SeqCst);
        self.stage.dropped.notify_one();
    }
}

/// `/endless` never ends, `/gated` begins and ends when the gate opens, `/refused` is refused with 401, every other path
/// describes the request. Who asks for `/known` is identified.
fn handle(request: &Request<Incoming>, peer: &Peer, stage: &Arc<Stage>) -> Response<TestBody> {
    stage.requests.fetch_add(1, Ordering::SeqCst);
    let (sender, receiver) = mpsc::channel(2);
    let source = match request.uri().path() {
        "/endless" => Source::Endless,
        "/gated" => {
            sender.try_send(Bytes::from_static(b"begin ")).unwrap();
            let stage = Arc::clone(stage);
            tokio::spawn(async move {
                stage.gate.notified().await;
                sender.send(Bytes::from_static(b"end")).await.unwrap();
            });
            Source::Channel(receiver)
        }
        _ => {
            let text =
                format!("{:?} tls={} certs={}", request.version(), peer.tls, peer.client_certificates.len());
            sender.try_send(text.into()).unwrap();
            Source::Channel(receiver)
        }
    };
    let mut response = Response::new(TestBody { source, stage: Arc::clone(stage) });
    match request.uri().path() {
        "/refused" => *response.status_mut() = StatusCode::UNAUTHORIZED,
        "/known" => drop(response.extensions_mut().insert(Identified)),
        _ => {}
    }
    response
}

struct Server {
    address: SocketAddr,
    stage: Arc<Stage>,
    trigger: ShutdownTrigger,
    serving: JoinHandle<()>,
}

/// A door that is open to all.
fn door() -> Arc<Door> {
    Arc::new(Door::public(DoorRules::default(), Arc::new(Metrics::new())))
}

async fn start(tls: Option<Arc<TlsState>>, limits: ServerLimits) -> Server {
    start_behind(door(), tls, limits).await
}

async fn start_behind(door: Arc<Door>, tls: Option<Arc<TlsState>>, limits: ServerLimits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stage = Arc::new(Stage::default());
    let (trigger, shutdown) = Shutdown::channel();
    let on_stage = Arc::clone(&stage);
    let handler = move |request: Request<Incoming>, peer: Peer| {
        let response = handle(&request, &peer, &on_stage);
        async move { response }
    };
    let serving = tokio::spawn(serve(listener, tls, limits, door, handler, shutdown));
    Server { address, stage, trigger, serving }
}

/// Certificates in files, as an operator has them.
struct Certificates {
    directory: TempDir,
    files: TlsFiles,
    clients: CertifiedIssuer<'static, KeyPair>,
}

impl Certificates {
    fn new(require_client: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let clients = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(directory.path().join("ca.pem"), clients.pem()).unwrap();
        let files = tls_files(directory.path(), require_client);
        let certificates = Self { directory, files, clients };
        certificates.renew();
        certificates
    }

    /// Replaces the certificate and its key. Returns the new certificate.
    fn renew(&self) -> CertificateDer<'static> {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(self.directory.path().join("tls.crt"), cert.pem()).unwrap();
        std::fs::write(self.directory.path().join("tls.key"), signing_key.serialize_pem()).unwrap();
        cert.der().clone()
    }

    fn state(&self) -> Arc<TlsState> {
        Arc::new(TlsState::load(&self.files).unwrap())
    }

    /// A client that trusts the current certificate and offers `alpn`.
    fn client(&self, alpn: &[u8], with_certificate: bool) -> TlsConnector {
        let current = CertificateDer::from_pem_file(self.directory.path().join("tls.crt")).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(current).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = if with_certificate {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["client".to_owned()]).unwrap();
            let certificate = params.signed_by(&key, &self.clients).unwrap();
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            builder.with_client_auth_cert(vec![certificate.der().clone()], key).unwrap()
        } else {
            builder.with_no_client_auth()
        };
        config.alpn_protocols = vec![alpn.to_vec()];
        TlsConnector::from(Arc::new(config))
    }
}

fn tls_files(directory: &Path, require_client: bool) -> TlsFiles {
    let client_ca = if require_client { ", client_ca_file: ca.pem" } else { "" };
    let text = format!(
        "listen: 127.0.0.1:0\npublic_url: https://localhost\n\
         tls: {{ certificate_file: tls.crt, private_key_file: tls.key{client_ca} }}\n\
         upstream: {{ credential: {{ access_token_env: A }} }}\nkeys: {{ environment: B }}\naudit: {{ stdout: true }}\n\
         consumers: [{{ name: a, rules: r, credential: {{ bearer_sha256: [{}] }} }}]\n",
        "ab".repeat(32)
    );
    let file = directory.join("glassine.yaml");
    let config = Config::load(&file.display().to_string(), &text).unwrap();
    config.tls().unwrap().clone()
}

async fn tls_connect(server: &Server, connector: &TlsConnector) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(server.address).await?;
    connector.connect(ServerName::try_from("localhost").unwrap(), stream).await
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    let uri = format!("https://localhost{path}");
    Request::get(uri).header("host", "localhost").body(Empty::new()).unwrap()
}

async fn text(response: Response<Incoming>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

async fn http1<S>(stream: S) -> http1::SendRequest<Empty<Bytes>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn http2<S>(stream: S) -> (http2::SendRequest<Empty<Bytes>>, JoinHandle<()>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let ended = tokio::spawn(async move { drop(connection.await) });
    (sender, ended)
}

/// Sends raw bytes and reads until the server closes the connection.
async fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut response = Vec::new();
    // A reset after the response is fine, too.
    drop(soon("the server closes", stream.read_to_end(&mut response)).await);
    String::from_utf8_lossy(&response).into_owned()
}

#[tokio::test]
async fn tls_speaks_http1_and_http2_by_alpn() {
    let certificates = Certificates::new(false);
    let server = start(Some(certificates.state()), ServerLimits::default()).await;

    let stream = tls_connect(&server, &certificates.client(b"http/1.1", false)).await.unwrap();
    let response = http1(stream).await.send_request(get("/")).await.unwrap();
    assert_eq!(text(response).await, "HTTP/1.1 tls=true certs=0");

    let stream = tls_connect(&server, &certificates.client(b"h2", false)).await.unwrap();
    let (mut sender, _ended) = http2(stream).await;
    let response = sender.send_request(get("/")).await.unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    assert_eq!(text(response).await, "HTTP/2.0 tls=true certs=0");
}

/// Fault: a client offers an unknown ALPN protocol. Outcome: the handshake fails, and other clients are served.
#[tokio::test]
async fn an_unknown_alpn_protocol_is_refused() {
    let certificates = Certificates::new(false);
    let server = start(Some(certificates.state()), ServerLimits::default()).await;
    assert!(tls_connect(&server, &certificates.client(b"spdy/3", false)).await.is_err());
    assert!(tls_connect(&server, &certificates.client(b"h2", false)).await.is_ok());
}

/// Fault: a client speaks plaintext on the TLS port. Outcome: the connection is closed, and no request is handled.
#[tokio::test]
async fn plaintext_on_the_tls_port_reaches_nothing() {
    let certificates = Certificates::new(false);
    let server = start(Some(certificates.state()), ServerLimits::default()).await;
    let response = raw(&server, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(!response.contains("HTTP/"), "{response:?}");
    assert_eq!(server.stage.requests.load(Ordering::SeqCst), 0);
}

/// Fault: a peer never finishes the TLS handshake. Outcome: the connection is closed when the time limit is over.
#[tokio::test]
async fn a_peer_that_never_finishes_the_handshake_is_cut() {
    let certificates = Certificates::new(false);
    let limits = ServerLimits { tls_handshake: SHORT, ..ServerLimits::default() };
    let server = start(Some(certificates.state()), limits).await;
    let began = Instant::now();
    raw(&server, b"\x16\x03\x01").await;
    assert!(began.elapsed() >= SHORT);
}

/// Fault: a client has no certificate, or one of another authority. Outcome: the connection is refused before any request.
#[tokio::test]
async fn client_certificates_are_required_where_configured() {
    let certificates = Certificates::new(true);
    let server = start(Some(certificates.state()), ServerLimits::default()).await;

    let stream = tls_connect(&server, &certificates.client(b"http/1.1", true)).await.unwrap();
    let response = http1(stream).await.send_request(get("/")).await.unwrap();
    assert_eq!(text(response).await, "HTTP/1.1 tls=true certs=1");

    // In TLS 1.3 the client learns of the refusal with its first read.
    let other = Certificates::new(true);
    std::fs::copy(certificates.directory.path().join("tls.crt"), other.directory.path().join("tls.crt"))
        .unwrap();
    for connector in [certificates.client(b"http/1.1", false), other.client(b"http/1.1", true)] {
        let refused = async {
            let stream = tls_connect(&server, &connector).await.ok()?;
            http1(stream).await.send_request(get("/")).await.ok()
        };
        assert!(soon("the refusal", refused).await.is_none());
    }
    assert_eq!(server.stage.requests.load(Ordering::SeqCst), 1);
}

/// Fault: the TLS certificate is replaced while connections are open. Outcome: new connections get the new certificate, and open ones go on.
#[tokio::test]
async fn a_renewed_certificate_serves_new_connections() {
    let certificates = Certificates::new(false);
    let state = certificates.state();
    let server = start(Some(Arc::clone(&state)), ServerLimits::default()).await;
    let before = tls_connect(&server, &certificates.client(b"http/1.1", false)).await.unwrap();

    let renewed = certificates.renew();
    assert!(tls_connect(&server, &certificates.client(b"http/1.1", false)).await.is_err());
    state.reload(&certificates.files).unwrap();
    let after = tls_connect(&server, &certificates.client(b"http/1.1", false)).await.unwrap();
    assert_eq!(after.get_ref().1.peer_certificates().unwrap()[0], renewed);
    let response = http1(before).await.send_request(get("/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "the old connection goes on");
}

/// Fault: a new TLS certificate or key is malformed, missing, or does not fit the other. Outcome: the last good one stays in use, and the error names the file.
#[tokio::test]
async fn a_bad_reload_keeps_the_last_good_certificate_and_names_the_file() {
    let certificates = Certificates::new(false);
    let state = certificates.state();
    let server = start(Some(Arc::clone(&state)), ServerLimits::default()).await;
    let client = certificates.client(b"http/1.1", false);
    let key = certificates.directory.path().join("tls.key");

    std::fs::write(&key, "-----BEGIN PRIVATE KEY-----\nsecret!\n-----END PRIVATE KEY-----\n").unwrap();
    let malformed = state.reload(&certificates.files).unwrap_err();
    assert!(malformed.to_string().contains("tls.key") && !malformed.to_string().contains("secret"));
    std::fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(matches!(state.reload(&certificates.files), Err(TlsError::Pair { .. })));
    std::fs::write(&key, "").unwrap();
    assert!(matches!(state.reload(&certificates.files), Err(TlsError::NoPrivateKey { .. })));
    std::fs::write(certificates.directory.path().join("tls.crt"), "hello").unwrap();
    assert!(matches!(state.reload(&certificates.files), Err(TlsError::NoCertificate { .. })));
    std::fs::remove_file(certificates.directory.path().join("tls.crt")).unwrap();
    assert!(matches!(state.reload(&certificates.files), Err(TlsError::File(FileError::Missing { .. }))));

    assert!(tls_connect(&server, &client).await.is_ok());
}

#[tokio::test]
async fn plaintext_speaks_http1_only() {
    let server = start(None, ServerLimits::default()).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let response = http1(stream).await.send_request(get("/")).await.unwrap();
    assert_eq!(text(response).await, "HTTP/1.1 tls=false certs=0");
    raw(&server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert_eq!(server.stage.requests.load(Ordering::SeqCst), 1);
}

/// Fault: a client sends half a head and then nothing. Outcome: the connection is closed when the time limit is over.
#[tokio::test]
async fn a_slow_head_is_cut() {
    let limits = ServerLimits { header_read: SHORT, ..ServerLimits::default() };
    let server = start(None, limits).await;
    let began = Instant::now();
    raw(&server, b"GET / HTTP/1.1\r\nHost: local").await;
    assert!(began.elapsed() >= SHORT);
    raw(&server, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(server.stage.requests.load(Ordering::SeqCst), 1, "the slow one never arrived");
}

/// Fault: a client sends a malformed head. Outcome: the client gets 400, and no request is handled.
#[tokio::test]
async fn malformed_requests_are_answered_with_400() {
    let server = start(None, ServerLimits::default()).await;
    for head in [
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
        "nonsense\r\n\r\n",
    ] {
        let response = raw(&server, head.as_bytes()).await;
        assert!(response.starts_with("HTTP/1.1 400 "), "{head:?}: {response:?}");
    }
    assert_eq!(server.stage.requests.load(Ordering::SeqCst), 0);
}

fn head_with(fields: usize, bytes_each: usize) -> Vec<u8> {
    let filler = "a".repeat(bytes_each);
    let fields: String = (0..fields).map(|n| format!("x-{n}: {filler}\r\n")).collect();
    format!("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{fields}\r\n").into_bytes()
}

/// Fault: a client sends a head with too many bytes or fields over HTTP/1. Outcome: the client gets 431.
#[tokio::test]
async fn an_oversize_head_gets_the_status_431() {
    let server = start(None, ServerLimits::default()).await;
    for (head, status) in [
        (head_with(1, 28 * 1024), "200"),
        (head_with(1, 33 * 1024), "431"),
        (head_with(50, 10), "200"),
        (head_with(80, 10), "431"),
    ] {
        let response = raw(&server, &head).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response:.80}");
    }
    assert_eq!(server.stage.requests.load(Ordering::SeqCst), 2);
}

/// Fault: a client sends a head with too many bytes over HTTP/2. Outcome: no request is handled.
#[tokio::test]
async fn an_oversize_head_over_http2_does_not_arrive() {
    let certificates = Certificates::new(false);
    let server = start(Some(certificates.state()), ServerLimits::default()).await;
    let stream = tls_connect(&server, &certificates.client(b"h2", false)).await.unwrap();
    let (mut sender, _ended) = http2(stream).await;
    // The longest target that the proxy takes arrives.
    let longest =
        soon("a response", sender.send_request(get(&format!("/{}", "a".repeat(MAX_TARGET - 1))))).await;
    assert_eq!(longest.unwrap().status(), 200);
    let mut request = get("/");
    request.headers_mut().insert("x", "a".repeat(33 * 1024).parse().unwrap());
    let refused = match soon("a response", sender.send_request(request)).await {
        Ok(response) => response.status() == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Err(_) => true,
    };
    assert!(refused);
    assert_eq!(server.stage.requests.load(Ordering::SeqCst), 1);
}

/// Fault: a client sends too many header fields over HTTP/2. Outcome: the client gets 431, and its next request is served.
#[tokio::test]
async fn header_fields_are_counted_over_http2_as_over_http1() {
    let certificates = Certificates::new(false);
    let server = start(Some(certificates.state()), ServerLimits::default()).await;
    let most = ServerLimits::default().head_fields;
    let with = |fields: usize| {
        let mut request = get("/");
        // `host` is one of them.
        for _ in 1..fields {
            request.headers_mut().append("x", "a".parse().unwrap());
        }
        request
    };
    let stream = tls_connect(&server, &certificates.client(b"h2", false)).await.unwrap();
    let (mut http2, _ended) = http2(stream).await;
    for (fields, status) in [(most, 200), (most + 1, 431), (most, 200)] {
        let response = soon("a response", http2.send_request(with(fields))).await.unwrap();
        assert_eq!(response.status(), status, "HTTP/2, {fields}");
        let stream = tls_connect(&server, &certificates.client(b"http/1.1", false)).await.unwrap();
        let response = http1(stream).await.send_request(with(fields)).await.unwrap();
        assert_eq!(response.status(), status, "HTTP/1, {fields}");
    }
    assert_eq!(server.stage.requests.load(Ordering::SeqCst), 4);
}

fn impatient() -> ServerLimits {
    ServerLimits { write_stall: SHORT, ..ServerLimits::default() }
}

/// Fault: a client takes nothing of a response. Outcome: the connection is closed when the time limit is over.
#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut() {
    let server = start(None, impatient()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    server.stage.body_was_dropped().await;
    drop(stream);
}

/// Fault: a client reads for longer than the time limit. Outcome: the response goes on.
#[tokio::test]
async fn a_reader_that_keeps_reading_is_not_cut() {
    let server = start(None, impatient()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let began = Instant::now();
    let mut buffer = vec![0; 1024 * 1024];
    while began.elapsed() < SHORT * 4 {
        assert!(soon("more data", stream.read(&mut buffer)).await.unwrap() > 0);
    }
    assert_eq!(server.stage.bodies_dropped.load(Ordering::SeqCst), 0);
}

/// Fault: a client keeps the window of an HTTP/2 stream shut. Outcome: the connection is closed when the time limit is over.
#[tokio::test]
async fn a_http2_stream_whose_window_stays_shut_is_cut() {
    let certificates = Certificates::new(false);
    let server = start(Some(certificates.state()), impatient()).await;
    let stream = tls_connect(&server, &certificates.client(b"h2", false)).await.unwrap();
    let (mut sender, ended) = http2(stream).await;
    let response = sender.send_request(get("/endless")).await.unwrap();
    // The client's connection goes on reading and responding to pings; only this body is never read.
    server.stage.body_was_dropped().await;
    soon("the connection ends", ended).await.unwrap();
    drop(response);
}

/// Fault: an HTTP/2 connection stays idle. Outcome: the connection is closed when the time limit is over.
#[tokio::test]
async fn an_idle_http2_connection_is_closed() {
    let certificates = Certificates::new(false);
    let limits = ServerLimits { idle: SHORT, ..ServerLimits::default() };
    let server = start(Some(certificates.state()), limits).await;
    let stream = tls_connect(&server, &certificates.client(b"h2", false)).await.unwrap();
    let (mut sender, ended) = http2(stream).await;
    text(sender.send_request(get("/")).await.unwrap()).await;
    soon("the idle connection ends", ended).await.unwrap();
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_while_all_are_busy() {
    let limits = ServerLimits { connections: 1, ..ServerLimits::default() };
    let server = start(None, limits).await;
    let mut first = http1(TcpStream::connect(server.address).await.unwrap()).await;
    let response = first.send_request(get("/gated")).await.unwrap();
    let mut second = http1(TcpStream::connect(server.address).await.unwrap()).await;
    let mut waiting = Box::pin(second.send_request(get("/")));
    assert!(tokio::time::timeout(SHORT, &mut waiting).await.is_err());
    server.stage.gate.notify_one();
    assert_eq!(text(response).await, "begin end");
    assert_eq!(soon("the second is served", waiting).await.unwrap().status(), StatusCode::OK);
}

/// Fault: the process is stopped within an HTTP/1 response. Outcome: the response ends whole, and then the process ends.
#[tokio::test]
async fn a_stop_lets_responses_end_and_takes_no_new_ones() {
    let server = start(None, ServerLimits::default()).await;
    let mut sender = http1(TcpStream::connect(server.address).await.unwrap()).await;
    let mut response = sender.send_request(get("/gated")).await.unwrap();
    let first = response.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "begin ");

    server.trigger.trigger();
    until("the listener closes", async || TcpStream::connect(server.address).await.is_err()).await;
    assert!(!server.serving.is_finished());
    server.stage.gate.notify_one();
    assert_eq!(text(response).await, "end");
    soon("serving ends", server.serving).await.unwrap();
}

/// Fault: the process is stopped within an HTTP/2 response. Outcome: the response ends whole, and then the process ends.
#[tokio::test]
async fn a_stop_lets_http2_responses_end() {
    let certificates = Certificates::new(false);
    let server = start(Some(certificates.state()), ServerLimits::default()).await;
    let stream = tls_connect(&server, &certificates.client(b"h2", false)).await.unwrap();
    let (mut sender, _ended) = http2(stream).await;
    let response = sender.send_request(get("/gated")).await.unwrap();
    server.trigger.trigger();
    server.stage.gate.notify_one();
    assert_eq!(text(response).await, "begin end");
    soon("serving ends", server.serving).await.unwrap();
}

/// Fault: a response does not end within the time for a stop. Outcome: the response breaks off visibly.
#[tokio::test]
async fn a_drain_that_takes_too_long_is_cut_visibly() {
    let limits = ServerLimits { drain: SHORT, ..ServerLimits::default() };
    let server = start(None, limits).await;
    let mut sender = http1(TcpStream::connect(server.address).await.unwrap()).await;
    let response = sender.send_request(get("/gated")).await.unwrap();
    server.trigger.trigger();
    soon("serving ends", server.serving).await.unwrap();
    assert!(response.into_body().collect().await.is_err(), "never a clean end of half a response");
}

/// Fault: connections are silent or halfway through a head when the process is stopped. Outcome: the stop does not wait for them.
#[tokio::test]
async fn a_stop_does_not_wait_for_silent_connections() {
    let server = start(None, ServerLimits::default()).await;
    let silent = TcpStream::connect(server.address).await.unwrap();
    let mut halfway = TcpStream::connect(server.address).await.unwrap();
    halfway.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let mut sender = http1(TcpStream::connect(server.address).await.unwrap()).await;
    text(sender.send_request(get("/")).await.unwrap()).await;
    let began = Instant::now();
    server.trigger.trigger();
    soon("serving ends", server.serving).await.unwrap();
    assert!(began.elapsed() < ServerLimits::default().drain.min(ServerLimits::default().header_read) / 2);
    drop((silent, halfway));
}

#[tokio::test]
async fn the_admin_pages_are_served_by_the_same_loop() {
    let readiness = Readiness::default();
    readiness.enter(Phase::Serving);
    let admin = Admin::new(Arc::new(Metrics::new()), readiness, &[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (trigger, shutdown) = Shutdown::channel();
    let handler = move |request: Request<Incoming>, _: Peer| std::future::ready(admin.respond(&request));
    let serving = tokio::spawn(serve(listener, None, ServerLimits::default(), door(), handler, shutdown));
    let mut sender = http1(TcpStream::connect(address).await.unwrap()).await;
    assert_eq!(text(sender.send_request(get("/readyz")).await.unwrap()).await, "ready\n");
    let metrics = text(sender.send_request(get("/metrics")).await.unwrap()).await;
    assert!(metrics.contains("glassine_requests_in_flight 0"), "{metrics}");
    trigger.trigger();
    soon("serving ends", serving).await.unwrap();
}
