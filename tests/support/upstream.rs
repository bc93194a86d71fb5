//! A scripted upstream: a raw HTTP/1.1 server on loopback. A test writes its every byte, pause and fault.
//!
//! ```ignore
//! let graph = FakeUpstream::start(|request| match request.path() {
//!     "/v1.0/users" => Script::json(r#"{"value":[]}"#),
//!     "/v1.0/groups" => Script::json(PAGE).stall_after(100),
//!     _ => Script::status(404),
//! })
//! .await;
//! // point the client at graph.origin(), then look at graph.requests()
//! ```
//!
//! It has no HTTP library below it, because libraries refuse to break the protocol.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use glassine_core::graph::Origin;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A running server; it stops when dropped.
pub(crate) struct FakeUpstream {
    address: SocketAddr,
    log: Arc<Log>,
    ca: Option<CertificateDer<'static>>,
    accepting: JoinHandle<()>,
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    /// In order, names as sent.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Received {
    /// The target without its query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first field of this name, in any letter case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every field of this name, in any letter case.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

impl FakeUpstream {
    /// A plaintext server that responds to each request with the script that `respond` returns.
    pub(crate) async fn start(respond: impl Fn(&Received) -> Script + Send + Sync + 'static) -> Self {
        Self::listen(respond, None).await
    }

    /// The same over TLS, with a certificate for `localhost` and 127.0.0.1. [`FakeUpstream::ca`] has its root.
    pub(crate) async fn start_tls(respond: impl Fn(&Received) -> Script + Send + Sync + 'static) -> Self {
        Self::listen(respond, Some(Identity::new(&["localhost", "127.0.0.1"]))).await
    }

    /// A server that sends the same response to every request.
    pub(crate) async fn always(script: Script) -> Self {
        Self::start(move |_| script.clone()).await
    }

    /// A server that sends these responses in turn, and the last one from then on.
    pub(crate) async fn in_turn(scripts: Vec<Script>) -> Self {
        let next = AtomicUsize::new(0);
        let last = scripts.len() - 1;
        Self::start(move |_| scripts[next.fetch_add(1, Ordering::SeqCst).min(last)].clone()).await
    }

    /// Where it listens, as a host and port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as an origin.
    pub(crate) fn origin(&self) -> Origin {
        let scheme = if self.ca.is_some() { "https" } else { "http" };
        Origin::parse(&format!("{scheme}://{}", self.address)).unwrap()
    }

    /// The root certificates that a client needs to trust it.
    pub(crate) fn ca(&self) -> Vec<CertificateDer<'static>> {
        self.ca.iter().cloned().collect()
    }

    /// Every request so far, in the order of their arrival.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.log.requests.lock().unwrap().clone()
    }

    /// The number of connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }

    async fn listen(
        respond: impl Fn(&Received) -> Script + Send + Sync + 'static,
        identity: Option<Identity>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Log::default());
        let ca = identity.as_ref().map(|identity| identity.certificate.clone());
        let server = Server {
            respond: Box::new(respond),
            log: log.clone(),
            tls: identity.map(|identity| identity.acceptor(&[])),
        };
        let accepting = tokio::spawn(Arc::new(server).accept(listener));
        Self { address, log, ca, accepting }
    }
}

impl Drop for FakeUpstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A response and the fault in it. Without a fault the connection stays open for the next request.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    delay: Duration,
    head: Vec<u8>,
    fields: Vec<(String, String)>,
    body: Vec<Vec<u8>>,
    framing: Framing,
    pace: Duration,
    fault: Option<(usize, Fault)>,
}

#[derive(Clone, Debug)]
enum Framing {
    Chunked,
    Length(Option<u64>),
    /// Raw bytes, without a generated head.
    Raw,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Close,
    Reset,
    Stall,
}

impl Script {
    /// A status with no body.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            delay: Duration::ZERO,
            head: format!("HTTP/1.1 {status} Because\r\n").into_bytes(),
            fields: Vec::new(),
            body: Vec::new(),
            framing: Framing::Length(None),
            pace: Duration::ZERO,
            fault: None,
        }
    }

    /// 200 with a JSON body.
    pub(crate) fn json(body: impl AsRef<[u8]>) -> Self {
        Self::status(200).header("Content-Type", "application/json").body(body)
    }

    /// 200 with a JSON body in gzip.
    pub(crate) fn gzip(body: impl AsRef<[u8]>) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(body.as_ref()).unwrap();
        Self::json(encoder.finish().unwrap()).header("Content-Encoding", "gzip")
    }

    /// 200 with a gzip body that is a thousand times as long when decoded.
    pub(crate) fn bomb(decoded_mib: usize) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let block = vec![b' '; 1 << 20];
        (0..decoded_mib).for_each(|_| encoder.write_all(&block).unwrap());
        Self::json(encoder.finish().unwrap()).header("Content-Encoding", "gzip")
    }

    /// These bytes in place of a response, then the connection closes.
    pub(crate) fn raw(bytes: impl AsRef<[u8]>) -> Self {
        let len = bytes.as_ref().len();
        let script = Self { framing: Framing::Raw, head: Vec::new(), ..Self::status(200) };
        Self { fault: Some((len, Fault::Close)), ..script.body(bytes) }
    }

    /// No response at all.
    pub(crate) fn never() -> Self {
        Self { fault: Some((0, Fault::Stall)), ..Self::raw("") }
    }

    /// Adds a header field.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = vec![body.as_ref().to_vec()];
        self
    }

    /// Takes this many bytes off the body's end.
    pub(crate) fn trimmed(self, bytes: usize) -> Self {
        let body = self.body.concat();
        self.body(&body[..body.len() - bytes])
    }

    /// Adds bytes after the body.
    pub(crate) fn followed_by(self, bytes: &[u8]) -> Self {
        let body = [self.body.concat().as_slice(), bytes].concat();
        self.body(body)
    }

    /// Sends the body in HTTP/1.1 chunks of `size` bytes, each in its own TCP segment.
    pub(crate) fn chunked(mut self, size: usize) -> Self {
        self.body = self.body.concat().chunks(size).map(<[u8]>::to_vec).collect();
        self.framing = Framing::Chunked;
        self
    }

    /// Declares that the body has `length` bytes, which need not be true.
    pub(crate) fn claiming(mut self, length: u64) -> Self {
        self.framing = Framing::Length(Some(length));
        self
    }

    /// Waits before the first byte.
    pub(crate) fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Waits before each chunk.
    pub(crate) fn paced(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// Sends `bytes` bytes of the framed body, then nothing, until the client disconnects.
    pub(crate) fn stall_after(self, bytes: usize) -> Self {
        self.fault_in_body(bytes, Fault::Stall)
    }

    /// Sends `bytes` bytes of the framed body, then closes the connection properly.
    pub(crate) fn close_after(self, bytes: usize) -> Self {
        self.fault_in_body(bytes, Fault::Close)
    }

    /// Sends `bytes` bytes of the framed body, then a TCP reset.
    pub(crate) fn reset_after(self, bytes: usize) -> Self {
        self.fault_in_body(bytes, Fault::Reset)
    }

    /// Sends `bytes` bytes of the head, then nothing, until the client disconnects.
    pub(crate) fn stall_in_head(self, bytes: usize) -> Self {
        Self { fault: Some((bytes, Fault::Stall)), ..self }
    }

    /// Sends `bytes` bytes of the head, then closes the connection properly.
    pub(crate) fn close_in_head(self, bytes: usize) -> Self {
        Self { fault: Some((bytes, Fault::Close)), ..self }
    }

    /// Sends `bytes` bytes of the head, then a TCP reset.
    pub(crate) fn reset_in_head(self, bytes: usize) -> Self {
        Self { fault: Some((bytes, Fault::Reset)), ..self }
    }

    fn fault_in_body(self, bytes: usize, fault: Fault) -> Self {
        let at = self.encoded_head().len() + bytes;
        Self { fault: Some((at, fault)), ..self }
    }

    fn encoded_head(&self) -> Vec<u8> {
        let mut head = self.head.clone();
        for (name, value) in &self.fields {
            head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        let real: usize = self.body.iter().map(Vec::len).sum();
        match self.framing {
            Framing::Raw => return Vec::new(),
            Framing::Chunked => head.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n"),
            Framing::Length(claimed) => {
                let length = claimed.unwrap_or(real as u64);
                head.extend_from_slice(format!("Content-Length: {length}\r\n\r\n").as_bytes());
            }
        }
        head
    }

    /// What goes over the wire, in segments.
    fn segments(&self) -> Vec<Vec<u8>> {
        let chunk = |data: &Vec<u8>| match self.framing {
            Framing::Chunked => [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat(),
            Framing::Length(_) | Framing::Raw => data.clone(),
        };
        let mut segments = vec![self.encoded_head()];
        segments.extend(self.body.iter().map(chunk));
        if let Framing::Chunked = self.framing {
            segments.push(b"0\r\n\r\n".to_vec());
        }
        segments
    }

    /// Plays the script. Returns whether the connection can serve the next request.
    async fn play(&self, stream: &mut impl Connection) -> bool {
        tokio::time::sleep(self.delay).await;
        let mut left = self.fault.map_or(usize::MAX, |(at, _)| at);
        for segment in self.segments() {
            tokio::time::sleep(self.pace).await;
            let now = left.min(segment.len());
            left -= now;
            if stream.write_all(&segment[..now]).await.is_err() || stream.flush().await.is_err() {
                return false;
            }
        }
        match self.fault.map(|(_, fault)| fault) {
            None => return true,
            Some(Fault::Close) => drop(stream.shutdown().await),
            Some(Fault::Reset) => stream.tcp().set_zero_linger().unwrap(),
            Some(Fault::Stall) => while stream.read(&mut [0; 1024]).await.is_ok_and(|n| n > 0) {},
        }
        false
    }
}

#[derive(Default)]
struct Log {
    requests: Mutex<Vec<Received>>,
    connections: AtomicUsize,
}

struct Server {
    respond: Box<dyn Fn(&Received) -> Script + Send + Sync>,
    log: Arc<Log>,
    tls: Option<TlsAcceptor>,
}

impl Server {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            self.log.connections.fetch_add(1, Ordering::SeqCst);
            stream.set_nodelay(true).unwrap();
            tokio::spawn(Arc::clone(&self).connection(stream));
        }
    }

    async fn connection(self: Arc<Self>, mut stream: TcpStream) {
        match &self.tls {
            None => self.serve(&mut stream).await,
            Some(tls) => {
                if let Ok(mut stream) = tls.accept(stream).await {
                    self.serve(&mut stream).await;
                }
            }
        }
    }

    async fn serve(&self, stream: &mut impl Connection) {
        let mut unread = Vec::new();
        while let Some(request) = receive(stream, &mut unread).await {
            self.log.requests.lock().unwrap().push(request.clone());
            if !(self.respond)(&request).play(stream).await {
                return;
            }
        }
    }
}

/// A stream that may be inside TLS.
trait Connection: AsyncRead + AsyncWrite + Unpin + Send {
    fn tcp(&self) -> &TcpStream;
}

impl Connection for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Connection for tokio_rustls::server::TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// The next request, or `None` when the client is gone.
async fn receive(stream: &mut impl Connection, unread: &mut Vec<u8>) -> Option<Received> {
    let end = loop {
        match unread.windows(4).position(|w| w == b"\r\n\r\n") {
            Some(at) => break at + 4,
            None => more(stream, unread).await?,
        }
    };
    let head = String::from_utf8(unread.drain(..end).collect()).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let field = |line: &str| line.split_once(": ").map(|(n, v)| (n.to_owned(), v.to_owned()));
    let mut request = Received {
        method: first.next()?,
        target: first.next()?,
        headers: lines.filter_map(field).collect(),
        body: String::new(),
    };
    let length = request.header("content-length").map_or(0, |n| n.parse().unwrap());
    while unread.len() < length {
        more(stream, unread).await?;
    }
    request.body = String::from_utf8(unread.drain(..length).collect()).unwrap();
    Some(request)
}

async fn more(stream: &mut impl Connection, unread: &mut Vec<u8>) -> Option<()> {
    (stream.read_buf(unread).await.ok()? > 0).then_some(())
}

/// A self-signed certificate and its key.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    pub(crate) fn new(names: &[&str]) -> Self {
        let names = names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        Self { certificate: made.cert.der().clone(), key: key.into() }
    }

    /// A TLS server's side that requests a client certificate, which nobody has.
    pub(crate) fn requesting_a_certificate(
        self,
        version: &'static rustls::SupportedProtocolVersion,
        protocol: &str,
        optional: bool,
    ) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let clients = if optional { clients.allow_unauthenticated() } else { clients };
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(vec![self.certificate], self.key)
            .unwrap();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    /// A TLS server's side that offers these protocols (ALPN).
    pub(crate) fn acceptor(self, protocols: &[&[u8]]) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate], self.key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}
