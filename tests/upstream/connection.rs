//! An upstream that cannot be reached, or is somebody else.

use std::time::{Duration, Instant};

use glassine::upstream::{ConnectorError, GraphClient, Network, Phase, Settings, Timeouts, UpstreamError};
use glassine_core::graph::Origin;
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::{PAGE, PATIENT, SHORT, ask, get, network, settings};
use crate::support::upstream::{FakeUpstream, Identity, Script};

/// Fault: Graph's host refuses the connection. Outcome: the error says that the connection was refused.
#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let graph = Origin::parse(&format!("http://{address}")).unwrap();
    let settings =
        Settings { graph, network: Network { timeouts: PATIENT, ..Network::default() }, max_body: 1 };
    let refused = ask(&GraphClient::new(settings).unwrap()).await;
    assert_eq!(refused, Err(UpstreamError::Connect(std::io::ErrorKind::ConnectionRefused)));
}

/// Fault: Graph's certificate is of an unknown authority. Outcome: the error says so, and nothing is sent.
#[tokio::test]
async fn a_known_certificate_opens_and_an_unknown_one_does_not() {
    let graph = FakeUpstream::start_tls(|_| Script::json(PAGE)).await;
    assert_eq!(get(&graph).await, Ok((200, PAGE.into())));

    let other = FakeUpstream::start_tls(|_| Script::json(PAGE)).await;
    let settings = Settings { network: network(&other, PATIENT), ..settings(&graph, PATIENT) };
    let refused = ask(&GraphClient::new(settings).unwrap()).await;
    assert!(matches!(refused, Err(UpstreamError::Tls(Some(_)))), "{refused:?}");
    assert!(graph.requests().len() == 1, "nothing was sent to a stranger");
}

/// Fault: Graph's certificate names another host. Outcome: no session is opened.
#[tokio::test]
async fn the_certificate_must_name_the_host() {
    let graph = FakeUpstream::start_tls(|_| Script::json(PAGE)).await;
    for (host, fine) in [("localhost", true), ("127.0.0.1", true), ("127.0.0.2", false)] {
        let origin = https(&format!("{host}:{}", graph.address().port()));
        let settings = Settings { graph: origin, ..settings(&graph, PATIENT) };
        // On 127.0.0.2 nobody listens, or the certificate is for another host: no session either way.
        assert_eq!(ask(&GraphClient::new(settings).unwrap()).await.is_ok(), fine, "{host}");
    }
}

/// Fault: the connection is cut inside TLS. Outcome: the body ends with an error, never as if it were whole.
#[tokio::test]
async fn truncation_inside_tls() {
    let graph = FakeUpstream::start_tls(|_| Script::json(PAGE).reset_after(10)).await;
    let refused = get(&graph).await;
    assert!(matches!(refused, Err(UpstreamError::Reset | UpstreamError::Truncated)), "{refused:?}");
}

/// Fault: Graph's host does not speak TLS. Outcome: the error says that TLS failed.
#[tokio::test]
async fn a_server_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let graph = https(&address.to_string());
    let settings =
        Settings { graph, network: Network { timeouts: PATIENT, ..Network::default() }, max_body: 1 };
    let refused = ask(&GraphClient::new(trusting_somebody(settings).await).unwrap()).await;
    assert!(matches!(refused, Err(UpstreamError::Tls(_))), "{refused:?}");
}

/// Fault: a TLS handshake with Graph stalls. Outcome: the request fails when the time limit for connecting is over.
#[tokio::test]
async fn a_handshake_that_stalls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let graph = https(&listener.local_addr().unwrap().to_string());
    let timeouts = Timeouts { connect: SHORT, ..PATIENT };
    let settings = Settings { graph, network: Network { timeouts, ..Network::default() }, max_body: 1 };
    let client = GraphClient::new(trusting_somebody(settings).await).unwrap();
    let started = Instant::now();
    assert_eq!(ask(&client).await, Err(UpstreamError::Timeout(Phase::Tls)));
    assert!(started.elapsed() < 3 * SHORT, "the limit is one for all steps: {:?}", started.elapsed());
}

/// A server whose queue is full does not respond to a SYN, like a firewall that drops it.
/// Fault: Graph's host, or a firewall, drops connection requests. Outcome: the request fails when the time limit for connecting is over.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_lost_syn() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(SHORT, TcpStream::connect(address)).await {
        waiting.push(stream);
    }
    let limit = Duration::from_secs(1);
    for graph in [format!("http://{address}"), format!("https://{address}")] {
        let graph = Origin::parse(&graph).unwrap();
        let network = Network { timeouts: Timeouts { connect: limit, ..PATIENT }, ..Network::default() };
        let settings = trusting_somebody(Settings { graph, network, max_body: 1 }).await;
        let client = GraphClient::new(settings).unwrap();
        let started = Instant::now();
        assert_eq!(ask(&client).await, Err(UpstreamError::Timeout(Phase::Connect)));
        assert!(started.elapsed() < limit * 19 / 10, "{:?}", started.elapsed());
    }
}

/// Fault: Graph's name cannot be resolved. Outcome: the request fails within the time limit for connecting.
#[tokio::test]
async fn a_name_that_does_not_exist() {
    let graph = https("no-such-host.invalid");
    let timeouts = Timeouts { connect: SHORT, ..PATIENT };
    let settings = Settings { graph, network: Network { timeouts, ..Network::default() }, max_body: 1 };
    let refused = ask(&GraphClient::new(trusting_somebody(settings).await).unwrap()).await;
    // Where there is no network, a resolver may wait for a response instead of giving one.
    let expected = [UpstreamError::Resolve, UpstreamError::Timeout(Phase::Resolve)];
    assert!(refused.as_ref().is_err_and(|error| expected.contains(error)), "{refused:?}");
}

/// Fault: a certificate of `ca_file` is malformed. Outcome: the client is not built, and the error says which certificate.
/// Fault: the upstream demands a client certificate (TLS 1.2 or 1.3, HTTP/1.1 or HTTP/2). Outcome: the error says so.
#[tokio::test]
async fn an_upstream_that_demands_a_client_certificate_is_named() {
    let (tls12, tls13) = (&rustls::version::TLS12, &rustls::version::TLS13);
    for version in [tls12, tls13] {
        for protocol in ["http/1.1", "h2"] {
            let demanded = ask_with_certificate(version, protocol, Demand::Certificate).await;
            assert_eq!(demanded, Err(UpstreamError::ClientCertificate), "{version:?} {protocol}");
        }
    }
    let left = ask_with_certificate(tls13, "http/1.1", Demand::Silently).await;
    assert_eq!(left, Err(UpstreamError::ClientCertificate), "closed without an alert");
    let optional = ask_with_certificate(tls13, "http/1.1", Demand::Nothing).await;
    assert_eq!(optional, Ok((200, "{}".to_owned())), "requested, and not needed");
}

#[derive(Clone, Copy, PartialEq)]
enum Demand {
    /// The TLS session fails without a certificate.
    Certificate,
    /// The server closes the connection.
    Silently,
    /// A certificate is requested, and not missed.
    Nothing,
}

/// The response of a server that requests a client certificate.
async fn ask_with_certificate(
    version: &'static rustls::SupportedProtocolVersion,
    protocol: &str,
    demand: Demand,
) -> Result<(u16, String), UpstreamError> {
    let (listener, identity) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), Identity::new(&["127.0.0.1"]));
    let graph = https(&listener.local_addr().unwrap().to_string());
    let extra_roots = vec![identity.certificate.clone()];
    let tls = identity.requesting_a_certificate(version, protocol, demand != Demand::Certificate);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = tls.accept(stream).await else { continue };
            if demand == Demand::Nothing {
                stream.read_u8().await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
                stream.flush().await.unwrap();
                drop(stream.read_to_end(&mut Vec::new()).await);
            }
        }
    });
    let network = Network { extra_roots, timeouts: PATIENT, ..Network::default() };
    ask(&GraphClient::new(Settings { graph, network, max_body: 100 }).unwrap()).await
}

#[tokio::test]
async fn an_extra_root_that_is_none() {
    let graph = FakeUpstream::start_tls(|_| Script::json(PAGE)).await;
    let mut settings = settings(&graph, PATIENT);
    settings.network.extra_roots.push(CertificateDer::from(b"junk".to_vec()));
    let refused = GraphClient::new(settings).err();
    assert!(matches!(refused, Some(ConnectorError::ExtraRoot { number: 2, .. })), "{refused:?}");
}

/// On a machine without a CA bundle a client needs some root to start with.
async fn trusting_somebody(mut settings: Settings) -> Settings {
    settings.network.extra_roots = FakeUpstream::start_tls(|_| Script::never()).await.ca();
    settings
}

fn https(authority: &str) -> Origin {
    Origin::parse(&format!("https://{authority}")).unwrap()
}
