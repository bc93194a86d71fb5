//! TLS end to end: consumers over HTTP/1.1 and HTTP/2, an upstream with a private certificate authority.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::glassine::{Consumer, Glassine, Setup};
use crate::support::upstream::{FakeUpstream, Received, Script};

pub(crate) const USERS: &str = "/v1.0/users";
pub(crate) const PAGE: &str = r#"{"value":[{"id":"u1","accountEnabled":true}]}"#;

pub(crate) async fn tls(proxy: &Glassine, alpn: &[u8]) -> TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(proxy.file("tls.crt")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let stream = TcpStream::connect(proxy.address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

pub(crate) async fn http2(proxy: &Glassine) -> http2::SendRequest<Full<Bytes>> {
    http2_with(proxy).await
}

async fn http2_with<B>(proxy: &Glassine) -> http2::SendRequest<B>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
{
    let stream = TokioIo::new(tls(proxy, b"h2").await);
    let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// A body that does not declare its end in advance: the head goes out without END_STREAM, and the end comes in an empty
/// DATA frame.
struct LateEnd(Option<&'static [u8]>);

impl Body for LateEnd {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|data| Ok(Frame::data(Bytes::from_static(data)))))
    }
}

/// Fault: an HTTP/2 request ends with an empty frame. Outcome: the client gets the response; a frame with content gets 413.
#[tokio::test]
async fn an_end_of_stream_in_an_empty_frame_is_no_body() {
    let (graph, proxy) = tls_stage(|_| Script::json(PAGE), true).await;
    let mut sender = http2_with::<LateEnd>(&proxy).await;
    for (body, status) in [(None, 200), (Some(&b""[..]), 200), (Some(b"{}"), 413)] {
        let request = request(&proxy, USERS).map(|_| LateEnd(body));
        assert_eq!(sender.send_request(request).await.unwrap().status().as_u16(), status, "{body:?}");
    }
    assert_eq!(graph.requests().len(), 2);
}

pub(crate) fn request(proxy: &Glassine, target: &str) -> http::Request<Full<Bytes>> {
    let uri = format!("https://{}{target}", proxy.address);
    let bearer = format!("Bearer {}", Consumer::token("acme"));
    http::Request::get(uri).header("authorization", bearer).body(Full::default()).unwrap()
}

/// A proxy that speaks TLS, in front of an upstream that does. The proxy trusts the upstream's certificate if `ca`.
pub(crate) async fn tls_stage(
    respond: impl Fn(&Received) -> Script + Send + Sync + 'static,
    ca: bool,
) -> (FakeUpstream, Glassine) {
    let graph = FakeUpstream::start_tls(respond).await;
    let mut setup = Setup::in_front_of(format!("https://{}", graph.address())).impatient();
    setup.tls = true;
    if ca {
        setup = setup.trusting(&graph.ca()[0]);
    }
    (graph, setup.start().await)
}

#[tokio::test]
async fn tls_on_both_sides_over_both_versions_of_http() {
    let (graph, proxy) = tls_stage(
        |request| {
            let link = format!("https://{}/v1.0/users?$skiptoken=x", request.header("host").unwrap());
            Script::json(format!(r#"{{"value":[{{"id":"u1"}}],"@odata.nextLink":"{link}"}}"#))
        },
        true,
    )
    .await;
    let mut sender = http2(&proxy).await;
    let response = sender.send_request(request(&proxy, USERS)).await.unwrap();
    assert_eq!((response.version(), response.status().as_u16()), (http::Version::HTTP_2, 200));
    assert_link_is_https(&proxy, response).await;
    let foreign = http::Request::get("https://evil.example/v1.0/users").body(Full::default()).unwrap();
    assert_eq!(sender.send_request(foreign).await.unwrap().status().as_u16(), 421);

    let stream = TokioIo::new(tls(&proxy, b"http/1.1").await);
    let (mut sender, connection) = http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut request = request(&proxy, USERS);
    *request.uri_mut() = USERS.parse().unwrap();
    request.headers_mut().insert("host", proxy.address.to_string().parse().unwrap());
    assert_link_is_https(&proxy, sender.send_request(request).await.unwrap()).await;
    assert_eq!(graph.requests().len(), 2);
}

async fn assert_link_is_https(proxy: &Glassine, response: http::Response<Incoming>) {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let link = page["@odata.nextLink"].as_str().unwrap();
    assert!(link.starts_with(&format!("https://{}{USERS}?$skiptoken=", proxy.address)), "{link}");
}

/// Fault: Graph breaks off within a response over HTTP/2. Outcome: the consumer's stream is reset, and the audit record says `aborted`.
#[tokio::test]
async fn over_http_2_links_are_https_and_a_cut_response_is_reset() {
    let items = vec![r#"{"id":"u1","accountEnabled":true}"#; 3_000].join(",");
    let whole = format!(r#"{{"value":[{items}]}}"#);
    for (script, is_whole) in
        [(Script::json(&whole), true), (Script::json(&whole).close_after(whole.len() - 10), false)]
    {
        let (_graph, proxy) = tls_stage(move |_| script.clone(), true).await;
        let mut sender = http2(&proxy).await;
        let response = sender.send_request(request(&proxy, USERS)).await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.into_body().collect().await.is_ok(), is_whole);
        let outcome = if is_whole { "complete" } else { "aborted" };
        assert_eq!(proxy.audited(1).await[0]["outcome"], outcome);
    }
}

/// The whole head of a request over HTTP/2 has a limit, too.
#[tokio::test]
async fn over_http_2_a_link_with_the_longest_token_is_followed() {
    let token = "Az09-_bQ".repeat(16 * 1024 / 8);
    let link = format!("/v1.0/users?$skiptoken={token}");
    let (graph, proxy) = tls_stage(
        move |request| match request.target.contains("$skiptoken") {
            true => Script::json(PAGE),
            false => {
                let host = request.header("host").unwrap();
                Script::json(format!(r#"{{"value":[],"@odata.nextLink":"https://{host}{link}"}}"#))
            }
        },
        true,
    )
    .await;
    let mut sender = http2(&proxy).await;
    let page = sender.send_request(request(&proxy, USERS)).await.unwrap();
    let page = page.into_body().collect().await.unwrap().to_bytes();
    let page: serde_json::Value = serde_json::from_slice(&page).unwrap();
    let own = page["@odata.nextLink"].as_str().unwrap();
    let target = own.strip_prefix(&format!("https://{}", proxy.address)).unwrap();
    let followed = sender.send_request(request(&proxy, target)).await.unwrap();
    assert_eq!(followed.status().as_u16(), 200);
    assert!(graph.requests()[1].target.ends_with(&format!("$skiptoken={token}")));
}

/// Fault: Graph's certificate is of an unknown authority. Outcome: the consumer gets 502, and the server gets no request.
#[tokio::test]
async fn an_upstream_that_nobody_vouches_for_is_not_asked() {
    for (ca, status) in [(true, 200), (false, 502)] {
        let (graph, proxy) = tls_stage(|_| Script::json(PAGE), ca).await;
        let mut sender = http2(&proxy).await;
        let response = sender.send_request(request(&proxy, USERS)).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(graph.requests().len(), usize::from(ca));
    }
}
