//! The listeners for health and metrics of the real program, and `glassine health`.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use super::signals::{Program, fetch, graph, health, that_never_starts, until_health_says};
use super::{Ran, glassine};
use crate::support::glassine::Setup;
use crate::support::waiting::until;

/// The token that opens the metrics.
const TOKEN: &str = "the-token-of-prometheus";

async fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// Replaces the address in the section `admin` by these words.
fn configure_admin(config: &Path, admin: SocketAddr, words: &str) {
    let text = std::fs::read_to_string(config).unwrap();
    let old = format!("'{admin}'");
    assert!(text.contains(&old), "{text}");
    std::fs::write(config, text.replace(&old, words)).unwrap();
}

/// What follows the head of a response.
fn body(response: &str) -> &str {
    response.split_once("\r\n\r\n").unwrap().1
}

async fn says(address: SocketAddr, path: &str, status: &str, word: &str) {
    let response = fetch(address, path).await;
    assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {response}");
    assert_eq!(body(&response), word, "{path}");
}

/// Fault: somebody reaches the listener for probes. Outcome: it says a word about health and readiness, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn probes_get_a_word_over_plain_http() {
    let graph = graph().await;
    let mut setup = Setup::scripted(&graph);
    setup.more = "limits: { lame_duck_seconds: 2 }\n".to_owned();
    let (folder, _, admin) = setup.write_all().await;
    let (config, probes) = (folder.path().join("config.yaml"), free().await);
    configure_admin(&config, admin, &format!("'{admin}', probes: '0.0.0.0:{}'", probes.port()));
    let mut program = Program::serve(&config);
    until_health_says(admin, "ready").await;
    until("health is good", async || health(admin).code == Some(0)).await;
    says(probes, "/healthz", "200", "ok\n").await;
    says(probes, "/readyz", "200", "ready\n").await;
    says(probes, "/readyz?verbose", "200", "ready\n").await;
    for path in ["/metrics", "/", "/v1.0/users", "/healthz/", "/readyz/verbose"] {
        says(probes, path, "404", "not found\n").await;
    }
    assert!(fetch(admin, "/readyz?verbose").await.contains("[+] audit ok"), "the admin listener says more");
    program.signal("TERM");
    until("not ready", async || !fetch(probes, "/readyz").await.starts_with("HTTP/1.1 200")).await;
    says(probes, "/readyz", "503", "not ready\n").await;
    says(probes, "/healthz", "200", "ok\n").await;
    assert_eq!(program.ended().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_are_answered_before_the_files_are_read() {
    let graph = graph().await;
    let (_folder, config, admin) = that_never_starts(Setup::scripted(&graph)).await;
    let probes = free().await;
    configure_admin(&config, admin, &format!("'{admin}', probes: '{probes}'"));
    let _program = Program::serve(&config);
    until_health_says(admin, "the proxy is starting").await;
    says(probes, "/healthz", "200", "ok\n").await;
    says(probes, "/readyz?verbose", "503", "not ready\n").await;
}

/// A proxy whose admin listener is reachable from other machines, so that it uses TLS and wants a token.
struct Beyond {
    folder: tempfile::TempDir,
    admin: SocketAddr,
    _program: Program,
}

impl Beyond {
    /// Consumers must have certificates of an authority.
    async fn start() -> Self {
        let graph = graph().await;
        let mut setup = Setup::scripted(&graph);
        setup.tls = true;
        setup.tls_more = ", client_ca_file: clients.pem, client_certificates: required".to_owned();
        setup.files.push(("clients.pem", authority().pem()));
        let (folder, _, admin) = setup.write_all().await;
        let hash: String = Sha256::digest(TOKEN).iter().map(|byte| format!("{byte:02x}")).collect();
        let config = folder.path().join("config.yaml");
        configure_admin(&config, admin, &format!("'0.0.0.0:{}', bearer_sha256: [{hash}]", admin.port()));
        let program = Program::serve(&config);
        let this = Self { folder, admin, _program: program };
        let config = this.file("config.yaml");
        until("health is good", async || this.health(&["--config", &config]).code == Some(0)).await;
        this
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn health(&self, words: &[&str]) -> Ran {
        let admin = self.admin.to_string();
        let address: &[&str] = if words.contains(&"--config") { &[] } else { &["--admin", &admin] };
        glassine(&[&["health"], address, words].concat())
    }

    /// The response to a client that has no certificate.
    async fn fetch(&self, path: &str, token: Option<&str>) -> String {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.file("tls.crt")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.admin).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{token}Connection: close\r\n\r\n", self.admin);
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Fault: somebody without the token reaches the admin listener from another machine. Outcome: no metrics, and of readiness a word.
#[tokio::test(flavor = "multi_thread")]
async fn metrics_beyond_this_machine_need_a_token() {
    let beyond = Beyond::start().await;
    for path in ["/metrics", "/readyz?verbose"] {
        for token in [None, Some("another"), Some("")] {
            let refused = beyond.fetch(path, token).await;
            assert!(refused.starts_with("HTTP/1.1 401 "), "{path} {token:?}: {refused}");
            assert!(refused.to_lowercase().contains("\r\nwww-authenticate: bearer\r\n"), "{refused}");
            assert!(!refused.contains("acme"), "{refused}");
        }
        let told = beyond.fetch(path, Some(TOKEN)).await;
        assert!(
            told.starts_with("HTTP/1.1 200 ") && told.contains("acme") | told.contains("[+] audit ok"),
            "{told}"
        );
    }
    for (path, word) in [("/readyz", "ready\n"), ("/healthz", "ok\n")] {
        let told = beyond.fetch(path, None).await;
        assert_eq!((told.starts_with("HTTP/1.1 200 "), body(&told)), (true, word), "{told}");
    }
}

/// Fault: another certificate than the trusted one is shown to `glassine health`. Outcome: not ready, with the reason.
#[tokio::test(flavor = "multi_thread")]
async fn health_speaks_tls_to_the_admin_listener() {
    let beyond = Beyond::start().await;
    assert_eq!(beyond.health(&["--ca-file", &beyond.file("tls.crt")]).fine(), "ready\n");
    beyond
        .health(&["--ca-file", &beyond.file("clients.pem")])
        .fails(1, &["not ready: ", "does not respond: invalid peer certificate: "]);
    beyond.health(&["--ca-file", &beyond.file("none.pem")]).fails(2, &["none.pem: there is no such file"]);
    beyond.health(&[]).fails(1, &["not ready: ", "--config FILE"]);
}

/// Fault: the certificate file was replaced a moment ago. Outcome: `glassine health` trusts what the same issuer signed.
#[test]
fn health_trusts_what_the_file_has_issued() {
    let authority = authority();
    let key = KeyPair::generate().unwrap();
    let made = CertificateParams::new(vec!["proxy.example".to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
    let server = ready_behind(made.der().clone(), &key);
    let ca = folder.path().join("ca.pem");
    let ran = glassine(&["health", "--admin", &server.to_string(), "--ca-file", ca.to_str().unwrap()]);
    assert_eq!(ran.fine(), "ready\n");
}

/// A TLS server with this certificate that says once that it is ready.
fn ready_behind(certificate: CertificateDer<'static>, key: &KeyPair) -> SocketAddr {
    use std::io::{Read as _, Write as _};
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let session = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::StreamOwned::new(session, stream);
        let read = stream.read(&mut [0; 1024]).unwrap();
        assert!(read > 0);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nready\n")
            .unwrap();
        stream.conn.send_close_notify();
        stream.flush().unwrap();
    });
    address
}
