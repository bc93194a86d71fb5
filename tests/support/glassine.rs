//! The whole proxy on real sockets, in front of any upstream, set up by files as an operator would.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use glassine::audit::AuditLog;
use glassine::config::Config;
use glassine::demo::tenant::{self, Tenant};
use glassine::metrics::Metrics;
use glassine::proxy::{Proxy, ProxyState};
use glassine::server::{Door, DoorRules, ServerLimits, Shutdown, serve};
use glassine::service::{Listeners, Service, Signals, Stop};
use glassine_core::pseudonym::{AddressPolicy, Class, KeyRing, Outcome, OwnDomain, Pseudonyms};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::upstream::FakeUpstream;

/// The connector that most tests use.
pub(crate) const METADATA_ONLY: &str = include_str!("../../rules/outlook-mail-metadata-only.yaml");
/// The other one.
pub(crate) const OUTLOOK_MAIL: &str = include_str!("../../rules/outlook-mail.yaml");
/// The access token that this proxy sends to Graph.
pub(crate) const GRAPH_TOKEN: &str = "graph-access-token";
/// The tenant's own domain in the configuration.
pub(crate) const DOMAIN: &str = "contoso.com";

/// A consumer of a test: its name is its pseudonym domain, its token is made from its name.
pub(crate) struct Consumer {
    pub(crate) name: &'static str,
    pub(crate) rules: String,
    /// Its credential. By default, the bearer token that is made from its name.
    pub(crate) credential: Option<String>,
    /// More lines of its entry, indented by four spaces.
    pub(crate) more: String,
}

impl Consumer {
    pub(crate) fn new(name: &'static str, rules: &str) -> Self {
        Self { name, rules: rules.to_owned(), credential: None, more: String::new() }
    }

    /// A consumer with this credential in YAML, such as `{ mtls: { san: a.example } }`.
    pub(crate) fn known_by(name: &'static str, credential: impl Into<String>) -> Self {
        Self { credential: Some(credential.into()), ..Self::new(name, METADATA_ONLY) }
    }

    pub(crate) fn token(name: &str) -> String {
        format!("bearer-of-{name}")
    }
}

/// A running proxy. It stops and removes its files when dropped.
pub(crate) struct Glassine {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    folder: tempfile::TempDir,
    stop: Option<mpsc::UnboundedSender<Stop>>,
    running: JoinHandle<()>,
    keys: KeyRing,
    domain: String,
}

/// What a test configures.
pub(crate) struct Setup {
    pub(crate) graph: String,
    pub(crate) consumers: Vec<Consumer>,
    /// The tenant's own domains, joined by `, `.
    pub(crate) domain: String,
    /// More lines of the configuration.
    pub(crate) more: String,
    /// Seconds until the head of a response, and between two pieces of it.
    pub(crate) timeouts: (u64, u64),
    /// How the proxy authenticates to Graph, and more lines of `upstream`, indented by two spaces.
    pub(crate) credential: String,
    /// More files beside the configuration.
    pub(crate) files: Vec<(&'static str, String)>,
    /// Whether consumers speak TLS, by the certificate in `tls.crt`.
    pub(crate) tls: bool,
    /// More of `tls`, beginning with a comma.
    pub(crate) tls_more: String,
    /// What is done with the folder once its files are written.
    pub(crate) prepare: Box<dyn FnOnce(&Path) + Send>,
}

impl Setup {
    /// One consumer `acme` with the metadata-only rules.
    pub(crate) fn in_front_of(graph: impl Into<String>) -> Self {
        let consumers = vec![Consumer::new("acme", METADATA_ONLY)];
        let domain = DOMAIN.to_owned();
        Self {
            graph: graph.into(),
            consumers,
            domain,
            more: String::new(),
            timeouts: (5, 2),
            credential: "credential: { access_token_file: graph-token }".to_owned(),
            files: vec![("graph-token", GRAPH_TOKEN.to_owned())],
            tls: false,
            tls_more: String::new(),
            prepare: Box::new(|_| {}),
        }
    }

    /// In front of a scripted server.
    pub(crate) fn scripted(upstream: &FakeUpstream) -> Self {
        Self::in_front_of(format!("http://{}", upstream.address()))
    }

    /// Both timeouts are a second, the shortest that a configuration can have.
    pub(crate) fn impatient(self) -> Self {
        Self { timeouts: (1, 1), ..self }
    }

    /// Trusts the authority of Graph's certificate.
    pub(crate) fn trusting(mut self, ca: &[u8]) -> Self {
        let der = base64::engine::general_purpose::STANDARD.encode(ca);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n");
        self.files.push(("graph-ca.pem", pem));
        self.credential.push_str("\n  ca_file: graph-ca.pem");
        self
    }

    pub(crate) fn rules(mut self, rules: &str) -> Self {
        self.consumers[0].rules = rules.to_owned();
        self
    }

    pub(crate) fn consumer(mut self, consumer: Consumer) -> Self {
        self.consumers.push(consumer);
        self
    }

    pub(crate) async fn start(self) -> Glassine {
        Glassine::start(self).await
    }

    /// Writes the files for a program that another process runs, at an address that is reserved for it.
    pub(crate) async fn write(&self) -> (tempfile::TempDir, SocketAddr) {
        let (folder, public, _) = self.write_all().await;
        (folder, public)
    }

    /// As [`Self::write`], with the address of the admin listener at the end.
    pub(crate) async fn write_all(&self) -> (tempfile::TempDir, SocketAddr, SocketAddr) {
        let folder = tempfile::tempdir().unwrap();
        let (public, admin) = (reserved_address(), reserved_address());
        self.write_files(folder.path(), public, admin);
        (folder, public, admin)
    }

    fn write_files(&self, folder: &Path, public: SocketAddr, admin: SocketAddr) -> String {
        let keys = KeyRing::render_new(&test_master(), 'T', "2026-01-01T00:00:00Z");
        write(folder, "keys.yaml", &keys);
        for (name, text) in &self.files {
            write(folder, name, text);
        }
        write(folder, "config.yaml", &config(self, folder, public, admin));
        keys.to_string()
    }
}

impl Glassine {
    pub(crate) async fn start(mut setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let public = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let admin = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, admin_address) = (public.local_addr().unwrap(), admin.local_addr().unwrap());
        let keys = setup.write_files(folder.path(), address, admin_address);
        std::mem::replace(&mut setup.prepare, Box::new(|_| {}))(folder.path());
        let service = Service::build(&folder.path().join("config.yaml")).unwrap();
        let (stop, stops) = mpsc::unbounded_channel();
        let signals = Signals::stopped_by(stops).unwrap();
        let listeners = Listeners { public, admin: Some(admin) };
        let running = tokio::spawn(async move {
            service.run(listeners, signals).await.unwrap();
        });
        let keys = KeyRing::parse(&keys).unwrap();
        Self { address, admin: admin_address, folder, stop: Some(stop), running, keys, domain: setup.domain }
    }

    /// The keys of a consumer, for tests that play the operator.
    pub(crate) fn pseudonyms(&self, consumer: &str) -> Pseudonyms {
        let own = self.domain.split(", ").map(|domain| OwnDomain::parse(domain).unwrap()).collect();
        let policy = AddressPolicy { own, ..AddressPolicy::default() };
        self.keys.pseudonyms(consumer, &policy)
    }

    /// The token of a Graph id for the consumer `acme`.
    pub(crate) fn id(&self, raw: &str) -> String {
        let mut token = Vec::new();
        assert_eq!(self.pseudonyms("acme").reversible(Class::Id, raw, &mut token), Outcome::Written);
        String::from_utf8(token).unwrap()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The audit records of requests.
    pub(crate) fn audit(&self) -> Vec<Value> {
        lines_of(&self.file("audit.jsonl")).into_iter().filter(|line| line["event"].is_null()).collect()
    }

    /// The audit records of the service itself.
    pub(crate) fn events(&self) -> Vec<Value> {
        lines_of(&self.file("audit.jsonl")).into_iter().filter(|line| !line["event"].is_null()).collect()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every object of a list, page after page, and how many pages there were.
    pub(crate) async fn walk(&self, first: &str) -> (Vec<Value>, usize) {
        let (mut objects, mut next, mut pages) = (Vec::new(), Some(first.to_owned()), 0);
        while let Some(target) = next {
            let response = self.get(&target).await;
            assert_eq!(response.status, 200, "{target}: {}", response.text());
            let page = response.json();
            objects.extend(page["value"].as_array().unwrap().clone());
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
            assert!(next.as_ref().is_none_or(|link| link.starts_with(&self.url())), "{next:?}");
            pages += 1;
            assert!(pages < 1000, "a walk without end");
        }
        (objects, pages)
    }

    /// A GET as `acme`. `target` may be a link that the proxy made.
    pub(crate) async fn get(&self, target: &str) -> ProxyResponse {
        self.get_as("acme", target, &[]).await
    }

    pub(crate) async fn get_as(
        &self,
        consumer: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> ProxyResponse {
        let token = format!("Bearer {}", Consumer::token(consumer));
        let mut all = vec![("authorization", token.as_str())];
        all.extend_from_slice(headers);
        self.send("GET", target, &all).await
    }

    pub(crate) async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> ProxyResponse {
        self.try_send(method, target, headers).await.unwrap()
    }

    /// As [`Self::send`]; a response that was cut off is an error.
    pub(crate) async fn try_send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Result<ProxyResponse, hyper::Error> {
        self.try_send_body(method, target, headers, String::new()).await
    }

    pub(crate) async fn send_body(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> ProxyResponse {
        self.try_send_body(method, target, headers, body).await.unwrap()
    }

    async fn try_send_body(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<ProxyResponse, hyper::Error> {
        let target = target.strip_prefix(&self.url()).unwrap_or(target);
        let mut request = http::Request::builder().method(method).uri(target);
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request = request.header("host", self.address.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(self.address, request.body(Full::from(body)).unwrap()).await
    }

    /// A GET as `acme` from a program that another process runs.
    pub(crate) async fn ask(address: SocketAddr, target: &str) -> ProxyResponse {
        let request = http::Request::get(target)
            .header("host", address.to_string())
            .header("authorization", format!("Bearer {}", Consumer::token("acme")));
        send(address, request.body(Full::default()).unwrap()).await.unwrap()
    }

    /// Sends the head of a GET as this consumer, on a new connection.
    pub(crate) async fn open(&self, consumer: &str, target: &str) -> TcpStream {
        let token = Consumer::token(consumer);
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n",
            self.address
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }

    /// Writes raw bytes and reads until the connection ends.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        read_all(&mut stream).await
    }

    /// The audit records once there are `count` of them; the last one may still be on its way.
    pub(crate) async fn audited(&self, count: usize) -> Vec<Value> {
        for _ in 0..400 {
            if self.audit().len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let records = self.audit();
        assert_eq!(records.len(), count, "{records:?}");
        records
    }

    pub(crate) async fn admin_get(&self, path: &str) -> ProxyResponse {
        let request = http::Request::get(path).header("host", self.admin.to_string());
        send(self.admin, request.body(Full::default()).unwrap()).await.unwrap()
    }

    /// Replaces a file of the running proxy.
    pub(crate) fn write(&self, name: &str, text: &str) {
        write(self.folder.path(), name, text);
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    /// Waits until the response to `target` shows that the reload has happened.
    pub(crate) async fn until(&self, target: &str, is_new: impl Fn(&ProxyResponse) -> bool) -> ProxyResponse {
        for _ in 0..120 {
            let response = self.get(target).await;
            if is_new(&response) {
                return response;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{target}: nothing has changed");
    }

    /// Begins to stop.
    pub(crate) fn signal(&self, stop: Stop) {
        self.stop.as_ref().unwrap().send(stop).unwrap();
    }

    /// Waits for the end of a stop that has begun.
    pub(crate) async fn ended(mut self) {
        let ended = tokio::time::timeout(Duration::from_secs(20), &mut self.running);
        ended.await.expect("the proxy stops").unwrap();
    }

    /// Stops, and waits until everything has been written.
    pub(crate) async fn stop(mut self) -> tempfile::TempDir {
        drop(self.stop.take());
        (&mut self.running).await.unwrap();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }
}

impl Drop for Glassine {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct ProxyResponse {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl ProxyResponse {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Everything that a consumer sees, as one text.
    pub(crate) fn everything(&self) -> String {
        let mut text = format!("{}\n", self.status);
        for (name, value) in &self.headers {
            writeln!(text, "{name}: {}", String::from_utf8_lossy(value.as_bytes())).unwrap();
        }
        text + &String::from_utf8_lossy(&self.body)
    }
}

/// Reads until the connection ends, which must be soon.
pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    let mut response = Vec::new();
    // A reset after the response is fine, too.
    let reading = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut response));
    drop(reading.await.expect("the proxy ends the connection"));
    String::from_utf8_lossy(&response).into_owned()
}

/// The lines of an audit log.
pub(crate) fn lines_of(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How often requests were refused before their sender was identified, by reason: in a log, after the stop. A request has a
/// record, or it is in a count.
pub(crate) fn unidentified(log: &Path) -> BTreeMap<String, u64> {
    let mut reasons = BTreeMap::new();
    for line in lines_of(log).iter().filter(|line| line["consumer"].is_null()) {
        if line["event"] == "unidentified" {
            for (reason, count) in line["reasons"].as_object().unwrap() {
                *reasons.entry(reason.clone()).or_default() += count.as_u64().unwrap();
            }
        } else if line["event"].is_null() {
            *reasons.entry(line["reason"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    reasons
}

/// The sample tenant on its own socket.
pub(crate) async fn sample_tenant() -> (Arc<Tenant>, String) {
    serve_tenant(Tenant::new(7)).await
}

pub(crate) async fn serve_tenant(tenant: Tenant) -> (Arc<Tenant>, String) {
    let tenant = Arc::new(tenant);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(tenant::serve(listener, Arc::clone(&tenant), url.clone(), std::future::pending()));
    (tenant, url)
}

/// Serves the configuration with this audit log, without anything else of a service.
pub(crate) async fn serve_audited_by(config: &Path, audit: AuditLog) -> SocketAddr {
    let (name, text) = (config.display().to_string(), std::fs::read_to_string(config).unwrap());
    let checked = Config::load(&name, &text).unwrap();
    let (state, _) = ProxyState::build(&name, &text, &checked).unwrap();
    let proxy = Arc::new(Proxy::new(state, Arc::new(audit), Arc::new(Metrics::new())));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let handler = move |request, peer| {
        let proxy = Arc::clone(&proxy);
        async move { proxy.handle(request, peer).await }
    };
    tokio::spawn(async move {
        let (_trigger, shutdown) = Shutdown::channel();
        let door = Door::public(DoorRules::default(), Arc::new(Metrics::new()));
        serve(listener, None, ServerLimits::default(), Arc::new(door), handler, shutdown).await;
    });
    address
}

/// The sockets that reserve addresses, until the tests end.
static RESERVED: Mutex<Vec<TcpSocket>> = Mutex::new(Vec::new());

/// An address that nobody gets by chance: the kernel gives the port of a socket that is bound to no connection and to nobody who
/// asks for any port. With `SO_REUSEADDR`, which servers set, another program can listen on it, again and again.
fn reserved_address() -> SocketAddr {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    RESERVED.lock().unwrap().push(socket);
    address
}

pub(crate) async fn send(
    address: SocketAddr,
    request: http::Request<Full<Bytes>>,
) -> Result<ProxyResponse, hyper::Error> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driving = tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    drop(sender);
    drop(driving.await);
    Ok(ProxyResponse { status: head.status.as_u16(), headers: head.headers, body })
}

fn config(setup: &Setup, folder: &Path, address: SocketAddr, admin: SocketAddr) -> String {
    let Setup { graph, domain, more, timeouts: (response, idle), credential, .. } = setup;
    let (scheme, tls) = if setup.tls {
        write_certificate(folder);
        let more = &setup.tls_more;
        ("https", format!("tls: {{ certificate_file: tls.crt, private_key_file: tls.key{more} }}\n"))
    } else {
        ("http", String::new())
    };
    let mut text = format!(
        "listen: {address}\npublic_url: {scheme}://{address}\nadmin: {{ listen: '{admin}' }}\n\
         upstream:\n  graph: {graph}\n  {credential}\n  timeouts: {{ response_seconds: {response}, idle_seconds: {idle} }}\n\
         keys: {{ file: keys.yaml }}\ntenant_domains: [{domain}]\naudit: {{ file: audit.jsonl }}\n{tls}{more}consumers:\n"
    );
    for consumer in &setup.consumers {
        let rules = format!("{}.yaml", consumer.name);
        write(folder, &rules, &consumer.rules);
        let digest = Sha256::digest(Consumer::token(consumer.name));
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let bearer = format!("{{ bearer_sha256: [{digest}] }}");
        let credential = consumer.credential.as_ref().unwrap_or(&bearer);
        writeln!(
            text,
            "  - name: {}\n    rules: {rules}\n    credential: {credential}\n{}",
            consumer.name, consumer.more
        )
        .unwrap();
    }
    text
}

/// A self-signed certificate for the listener's address.
fn write_certificate(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    write(folder, "tls.crt", &made.cert.pem());
    write(folder, "tls.key", &made.signing_key.serialize_pem());
}

fn write(folder: &Path, name: &str, text: &str) {
    write_private(folder.join(name), text);
}

/// Writes a file. A new one can be read by its owner only: `check` warns about a secret that others can read.
pub(crate) fn write_private(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) {
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    opened.unwrap().write_all(contents.as_ref()).unwrap();
}

/// Not random, and not weak enough to be refused.
fn test_master() -> [u8; 32] {
    let digest: [u8; 32] = Sha256::digest(b"the master key of the tests").into();
    assert_eq!(base64::engine::general_purpose::STANDARD.encode(digest).len(), 44);
    digest
}
