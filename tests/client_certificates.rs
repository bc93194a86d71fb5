//! Consumers that authenticate with client certificates, alone and beside others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair, SanType,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::support::glassine::{Consumer, Glassine, Setup, unidentified};
use crate::support::upstream::{FakeUpstream, Script};

const USERS: &str = "/v1.0/users";
const PAGE: &str = r#"{"value":[{"id":"u1"}]}"#;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

fn uri(uri: &str) -> SanType {
    SanType::URI(uri.try_into().unwrap())
}

/// A certificate and its key.
type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

fn certificate(authority: &Authority, names: Vec<SanType>) -> Identity {
    signed(authority, names, |_| {})
}

fn signed(
    authority: &Authority,
    names: Vec<SanType>,
    change: impl FnOnce(&mut CertificateParams),
) -> Identity {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = names;
    change(&mut params);
    let made = params.signed_by(&key, authority).unwrap();
    (made.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
}

/// Status and body. `None` if there is no connection.
async fn get(proxy: &Glassine, identity: Option<&Identity>, bearer: Option<&str>) -> Option<(u16, String)> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(proxy.file("tls.crt")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        Some((certificate, key)) => {
            builder.with_client_auth_cert(vec![certificate.clone()], key.clone_key()).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    let stream = TcpStream::connect(proxy.address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let mut request = http::Request::get(USERS).header("host", proxy.address.to_string());
    if let Some(bearer) = bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    let response = sender.send_request(request.body(Full::<Bytes>::default()).unwrap()).await.ok()?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.ok()?.to_bytes();
    Some((status, String::from_utf8(body.to_vec()).unwrap()))
}

async fn status(proxy: &Glassine, identity: Option<&Identity>, bearer: Option<&str>) -> Option<u16> {
    get(proxy, identity, bearer).await.map(|(status, _)| status)
}

/// `acme` has a bearer token; `alpha` and `beta` have certificates.
async fn mixed(authority: &Authority) -> (FakeUpstream, Glassine) {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let mut setup = Setup::scripted(&graph)
        .consumer(Consumer::known_by(
            "alpha",
            "{ mtls: { san: [alpha.example, 'uri:spiffe://example/alpha'] } }",
        ))
        .consumer(Consumer::known_by(
            "beta",
            "{ mtls: { san: ['email:beta@example.org', 'ip:192.0.2.7'] } }",
        ));
    setup.tls = true;
    setup.tls_more = ", client_ca_file: clients.pem".to_owned();
    setup.files.push(("clients.pem", authority.pem()));
    (graph, setup.start().await)
}

/// Fault: a client certificate names two consumers, or none. Outcome: the client gets 401.
#[tokio::test]
async fn a_certificate_is_known_by_a_whole_name_of_its_subject() {
    let authority = authority();
    let (_graph, proxy) = mixed(&authority).await;
    let email = |address: &str| SanType::Rfc822Name(address.try_into().unwrap());
    let mut refused = 0;
    for (names, consumer) in [
        (vec![dns("alpha.example")], Some("alpha")),
        (vec![dns("Alpha.EXAMPLE")], Some("alpha")),
        (vec![dns("other.example"), dns("alpha.example")], Some("alpha")),
        (vec![uri("spiffe://example/alpha")], Some("alpha")),
        (vec![email("beta@EXAMPLE.org")], Some("beta")),
        (vec![SanType::IpAddress([192, 0, 2, 7].into())], Some("beta")),
        (vec![dns("*.example")], None),
        (vec![dns("x.alpha.example")], None),
        (vec![dns("alpha.example.")], None),
        (vec![uri("alpha.example")], None),
        (vec![uri("spiffe://example/alpha/x")], None),
        (vec![uri("spiffe://example/Alpha")], None),
        (vec![email("Beta@example.org")], None),
        (vec![dns("192.0.2.7")], None),
        (vec![dns("alpha.example"), email("beta@example.org")], None),
        (Vec::new(), None),
    ] {
        let expected = if consumer.is_some() { 200 } else { 401 };
        let identity = certificate(&authority, names.clone());
        assert_eq!(status(&proxy, Some(&identity), None).await, Some(expected), "{names:?}");
        match consumer {
            // The record is in the log before the response.
            Some(consumer) => assert_eq!(proxy.audit().pop().unwrap()["consumer"], consumer, "{names:?}"),
            None => refused += 1,
        }
    }
    let folder = proxy.stop().await;
    let reasons = unidentified(&folder.path().join("audit.jsonl"));
    let expected = [("ambiguous_credential".to_owned(), 1), ("unauthenticated".to_owned(), refused - 1)];
    assert_eq!(reasons, BTreeMap::from(expected));
}

#[tokio::test]
async fn a_common_name_is_nobodys_name() {
    let authority = authority();
    let (_graph, proxy) = mixed(&authority).await;
    let named = |names: Vec<SanType>| {
        signed(&authority, names, |params| {
            params.distinguished_name = DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, "alpha.example");
        })
    };
    assert_eq!(status(&proxy, Some(&named(vec![dns("other.example")])), None).await, Some(401));
    assert_eq!(status(&proxy, Some(&named(Vec::new())), None).await, Some(401));
    assert_eq!(status(&proxy, Some(&named(vec![dns("alpha.example")])), None).await, Some(200));
}

/// Fault: a client certificate is expired, of another authority, or for servers. Outcome: the connection is refused, whatever other credential the client has.
#[tokio::test]
async fn a_certificate_that_is_shown_is_verified() {
    let (authority, stranger) = (authority(), authority_named("stranger"));
    let (graph, proxy) = mixed(&authority).await;
    let name = || vec![dns("alpha.example")];
    let foreign = certificate(&stranger, name());
    let ended = signed(&authority, name(), |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    let for_servers = signed(&authority, name(), |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    });
    let acme = Consumer::token("acme");
    for bad in [&foreign, &ended, &for_servers] {
        assert_eq!(status(&proxy, Some(bad), None).await, None);
        assert_eq!(status(&proxy, Some(bad), Some(&acme)).await, None, "another credential does not help");
    }
    assert_eq!(graph.requests().len(), 0);
    assert_eq!(status(&proxy, Some(&certificate(&authority, name())), None).await, Some(200));
}

fn authority_named(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[tokio::test]
async fn consumers_of_different_kinds_share_a_listener_and_nothing_else() {
    let authority = authority();
    let (_graph, proxy) = mixed(&authority).await;
    let (alpha, beta) = (certificate(&authority, vec![dns("alpha.example")]), {
        certificate(&authority, vec![SanType::IpAddress([192, 0, 2, 7].into())])
    });
    let (acme, nobody) = (Consumer::token("acme"), "unused");
    let body = async |identity: Option<&Identity>, bearer: Option<&str>| {
        get(&proxy, identity, bearer).await.unwrap()
    };
    let pages =
        [body(Some(&alpha), None).await, body(Some(&beta), None).await, body(None, Some(&acme)).await];
    assert!(pages.iter().all(|(status, _)| *status == 200), "{pages:?}");
    assert!(pages[0].1 != pages[1].1 && pages[1].1 != pages[2].1 && pages[0].1 != pages[2].1);
    assert_eq!(body(None, None).await.0, 401);
    assert_eq!(body(None, Some(nobody)).await.0, 401);
    // SDKs always send some token, so an unknown one does not matter. Another consumer's token is refused.
    assert_eq!(body(Some(&alpha), Some(nobody)).await, pages[0]);
    assert_eq!(body(Some(&alpha), Some(&acme)).await.0, 401);
}

#[tokio::test]
async fn without_a_certificate_there_is_no_connection_where_all_consumers_have_one() {
    let (authority, graph) = (authority(), FakeUpstream::always(Script::json(PAGE)).await);
    let mut setup = Setup::scripted(&graph);
    setup.consumers = vec![Consumer::known_by("alpha", "{ mtls: { san: alpha.example } }")];
    setup.tls = true;
    setup.tls_more = ", client_ca_file: clients.pem".to_owned();
    setup.files.push(("clients.pem", authority.pem()));
    let proxy = setup.start().await;
    assert_eq!(status(&proxy, None, None).await, None);
    let alpha = certificate(&authority, vec![dns("alpha.example")]);
    assert_eq!(status(&proxy, Some(&alpha), None).await, Some(200));
}

/// Fault: the file of client authorities changes. Outcome: certificates of the old authority are refused, and those of the new one are accepted.
#[tokio::test]
async fn authorities_are_read_again_when_their_file_changes() {
    let (old, new) = (authority(), authority_named("new"));
    let (_graph, proxy) = mixed(&old).await;
    let (before, after) =
        (certificate(&old, vec![dns("alpha.example")]), certificate(&new, vec![dns("alpha.example")]));
    assert_eq!(
        (status(&proxy, Some(&before), None).await, status(&proxy, Some(&after), None).await),
        (Some(200), None)
    );
    proxy.write("clients.pem", &new.pem());
    for _ in 0..120 {
        if status(&proxy, Some(&after), None).await == Some(200) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(
        (status(&proxy, Some(&before), None).await, status(&proxy, Some(&after), None).await),
        (None, Some(200))
    );
}

/// Fault: a client certificate ends while its connection is open. Outcome: the next request on the connection gets 401.
#[tokio::test]
async fn a_certificate_that_ends_while_its_connection_lasts_is_nobodys() {
    let authority = authority();
    let (_graph, proxy) = mixed(&authority).await;
    let ends = std::time::SystemTime::now() + Duration::from_secs(3);
    let short = signed(&authority, vec![dns("alpha.example")], |params| params.not_after = ends.into());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(proxy.file("tls.crt")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![short.0], short.1)
        .unwrap();
    let stream = TcpStream::connect(proxy.address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut statuses = Vec::new();
    while statuses.last() != Some(&401) && statuses.len() < 1_000 {
        let request = http::Request::get(USERS).header("host", proxy.address.to_string());
        let response = sender.send_request(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
        statuses.push(response.status().as_u16());
        response.into_body().collect().await.unwrap();
        sender.ready().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((statuses.first(), statuses.last()), (Some(&200), Some(&401)));
}

#[tokio::test]
async fn beside_a_certificate_authorization_can_be_for_graph() {
    let (authority, graph) = (authority(), FakeUpstream::always(Script::json(PAGE)).await);
    let mut setup = Setup::scripted(&graph);
    setup.consumers = vec![Consumer::known_by("alpha", "{ mtls: { san: alpha.example } }")];
    setup.credential = "credential: { forward: true }".to_owned();
    setup.tls = true;
    setup.tls_more = ", client_ca_file: clients.pem".to_owned();
    setup.files.push(("clients.pem", authority.pem()));
    let proxy = setup.start().await;
    let alpha = certificate(&authority, vec![dns("alpha.example")]);
    assert_eq!(status(&proxy, Some(&alpha), None).await, Some(401));
    assert_eq!(status(&proxy, Some(&alpha), Some("graph-token")).await, Some(200));
    let beta = certificate(&authority, vec![dns("beta.example")]);
    assert_eq!(status(&proxy, Some(&beta), Some("graph-token")).await, Some(401));
    let sent: Vec<_> =
        graph.requests().iter().map(|it| it.header("authorization").map(str::to_owned)).collect();
    assert_eq!(sent, [Some("Bearer graph-token".to_owned())]);
}
