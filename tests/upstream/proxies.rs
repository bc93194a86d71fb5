//! Proxies for upstream requests: TLS through a tunnel, and every way in which the tunnel fails.

use std::sync::{Arc, Mutex};

use glassine::upstream::{GraphClient, Network, Phase, Proxies, Settings, Timeouts, UpstreamError};
use glassine_core::graph::Origin;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{PAGE, PATIENT, SHORT, ask};
use crate::support::upstream::Identity;

const HOST: &str = "graph.example";

/// A proxy that sends `response`. If that opens the tunnel, it also is the server behind the tunnel.
struct Proxy {
    address: String,
    heads: Arc<Mutex<Vec<String>>>,
    identity: rustls_pki_types::CertificateDer<'static>,
}

impl Proxy {
    async fn start(response: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (heads, identity) = (Arc::<Mutex<Vec<String>>>::default(), Identity::new(&[HOST]));
        let (seen, certificate) = (Arc::clone(&heads), identity.certificate.clone());
        let tls = identity.acceptor(&[b"http/1.1"]);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let connect = head(&mut stream).await;
                seen.lock().unwrap().push(connect);
                stream.write_all(response.as_bytes()).await.unwrap();
                if response.contains(" 200 ")
                    && let Ok(mut stream) = tls.accept(stream).await
                {
                    let request = head(&mut stream).await;
                    seen.lock().unwrap().push(request);
                    let page = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{PAGE}",
                        PAGE.len()
                    );
                    stream.write_all(page.as_bytes()).await.unwrap();
                    stream.shutdown().await.unwrap();
                } else if response.is_empty() {
                    std::future::pending::<()>().await;
                }
            }
        });
        Self { address, heads, identity: certificate }
    }

    /// A client of `https://graph.example` that goes through this proxy, except for the hosts in `except`.
    fn client(&self, except: &str, timeouts: Timeouts) -> GraphClient {
        let proxies = Proxies::new(&format!("http://user:pass@{}", self.address), except).unwrap();
        let network =
            Network { extra_roots: vec![self.identity.clone()], timeouts, proxies, ..Network::default() };
        let graph = Origin::parse(&format!("https://{HOST}")).unwrap();
        GraphClient::new(Settings { graph, network, max_body: 1 << 20 }).unwrap()
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn tls_goes_through_a_tunnel_and_the_proxy_sees_a_host_name() {
    let proxy = Proxy::start("HTTP/1.1 200 Connection established\r\n\r\n").await;
    let response = ask(&proxy.client("", PATIENT)).await;
    assert_eq!(response, Ok((200, PAGE.to_owned())));
    let [connect, request] = &proxy.heads()[..] else { panic!("{:?}", proxy.heads()) };
    let connect = connect.to_ascii_lowercase();
    assert!(connect.starts_with("connect graph.example:443 http/1.1\r\n"), "{connect}");
    assert!(connect.contains("proxy-authorization: basic dxnlcjpwyxnz\r\n"), "{connect}");
    assert!(!connect.contains("t0ken"), "{connect}");
    assert!(request.starts_with("GET /v1.0/users HTTP/1.1\r\n") && request.contains("t0ken"), "{request}");
    assert!(!request.to_ascii_lowercase().contains("proxy-authorization"), "{request}");
}

/// Fault: the HTTPS proxy wants a password, refuses, redirects, or does not speak HTTP. Outcome: the error says that the proxy refused the tunnel.
#[tokio::test]
async fn a_proxy_that_opens_no_tunnel_is_named() {
    for response in [
        "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\n\r\n",
        "HTTP/1.1 302 Found\r\nlocation: https://portal.example/\r\n\r\n",
        "nonsense\r\n\r\n",
    ] {
        let proxy = Proxy::start(response).await;
        assert_eq!(ask(&proxy.client("", PATIENT)).await, Err(UpstreamError::Proxy), "{response}");
    }
}

/// Fault: the HTTPS proxy stalls or is down. Outcome: the request fails within the time limit for connecting, and the error names the proxy's step.
#[tokio::test]
async fn a_proxy_that_stalls_or_is_not_there_is_named() {
    let quick = Timeouts { connect: SHORT / 3, ..PATIENT };
    let proxy = Proxy::start("").await;
    assert_eq!(ask(&proxy.client("", quick)).await, Err(UpstreamError::Timeout(Phase::Proxy)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = Proxy { address: listener.local_addr().unwrap().to_string(), ..proxy };
    drop(listener);
    let refused = std::io::ErrorKind::ConnectionRefused;
    assert_eq!(ask(&gone.client("", PATIENT)).await, Err(UpstreamError::Connect(refused)));
}

#[tokio::test]
async fn a_listed_host_is_asked_directly() {
    let proxy = Proxy::start("HTTP/1.1 200 OK\r\n\r\n").await;
    let quick = Timeouts { connect: SHORT, ..PATIENT };
    let direct = ask(&proxy.client("example", quick)).await;
    // This host does not exist.
    let expected = [UpstreamError::Resolve, UpstreamError::Timeout(Phase::Resolve)];
    assert!(direct.as_ref().is_err_and(|error| expected.contains(error)), "{direct:?}");
    assert!(proxy.heads().is_empty());
    assert_eq!(ask(&proxy.client("other.example", PATIENT)).await.unwrap().0, 200);
}
