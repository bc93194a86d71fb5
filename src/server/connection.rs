//! One connection: handshake, then HTTP/1 or HTTP/2. [`super::drive`] drives it to its end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper::{Error as HyperError, server::conn::http1, server::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, sleep_until};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::activity::{Activity, NotedBody};
use super::client_identity::ClientIdentity;
use super::drive::{Driven, Protocol};
use super::handler::{Handler, Identified};
use super::limits::{self, ServerLimits};
use super::roster::Seat;
use super::shutdown::Shutdown;
use super::stall::StallGuard;
use super::tls::{ALPN_HTTP2, TlsState};

/// The other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its address; a gateway's, if requests come through one.
    pub address: SocketAddr,
    /// Whether the connection is TLS.
    pub tls: bool,
    /// The certificates that the client presented, its own first. TLS has verified them. Empty unless `client_ca_file`
    /// is configured.
    pub client_certificates: Arc<[CertificateDer<'static>]>,
    /// The names in the client's own certificate.
    pub client: Option<Arc<ClientIdentity>>,
}

/// Why a connection ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error("the TLS handshake failed")]
    Handshake(#[source] io::Error),
    #[error("the TLS handshake took too long")]
    HandshakeTimeout,
    #[error("the connection made room for another one")]
    Displaced,
    #[error("no request came in time")]
    Silent,
    #[error("HTTP failed")]
    Http(#[source] HyperError),
    #[error("the peer took nothing of a response for too long")]
    Stalled,
}

/// What all connections of one listener share.
pub(super) struct Shared<H> {
    pub(super) handler: H,
    pub(super) limits: ServerLimits,
    pub(super) tls: Option<Arc<TlsState>>,
}

/// What HTTP runs on: TCP, or TLS over it.
trait Stream: AsyncRead + AsyncWrite + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + 'static> Stream for S {}

/// Serves one connection to its end.
pub(super) async fn serve_connection<H: Handler>(
    stream: TcpStream,
    address: SocketAddr,
    seat: Seat,
    shared: Arc<Shared<H>>,
    shutdown: Shutdown,
) -> Result<(), ConnectionError> {
    // Responses are written in large pieces, so Nagle's algorithm would only delay their last packets.
    stream.set_nodelay(true).map_err(ConnectionError::Handshake)?;
    let stream = StallGuard::new(stream, shared.limits.write_stall);
    let mut peer = Peer { address, tls: false, client_certificates: Arc::new([]), client: None };
    let Some(tls) = &shared.tls else {
        return serve_http1(stream, peer, seat, shared, shutdown).await;
    };
    let stream = handshake(stream, tls, &seat, &shared.limits, shutdown.clone()).await?;
    let (_, session) = stream.get_ref();
    peer.tls = true;
    peer.client_certificates = session.peer_certificates().unwrap_or_default().into();
    peer.client = peer.client_certificates.first().and_then(ClientIdentity::read).map(Arc::new);
    // ALPN decides the protocol. It is never guessed from the first bytes.
    if session.alpn_protocol() == Some(ALPN_HTTP2) {
        serve_http2(stream, peer, seat, shared, shutdown).await
    } else {
        serve_http1(stream, peer, seat, shared, shutdown).await
    }
}

/// Accepts TLS. A handshake counts as idle: it makes room for others, and has a moment to finish when the server stops.
async fn handshake<S: Stream>(
    stream: S,
    tls: &TlsState,
    seat: &Seat,
    limits: &ServerLimits,
    mut shutdown: Shutdown,
) -> Result<TlsStream<S>, ConnectionError> {
    let stopped = async {
        shutdown.requested().await;
        sleep(limits.last_request).await;
    };
    tokio::select! {
        accepted = TlsAcceptor::from(tls.current()).accept(stream) => accepted.map_err(ConnectionError::Handshake),
        () = seat.woken() => Err(ConnectionError::Displaced),
        () = sleep_until(seat.since() + limits.tls_handshake) => Err(ConnectionError::HandshakeTimeout),
        () = stopped => Err(ConnectionError::HandshakeTimeout),
    }
}

async fn serve_http1<S: Stream, H: Handler>(
    stream: S,
    peer: Peer,
    seat: Seat,
    shared: Arc<Shared<H>>,
    shutdown: Shutdown,
) -> Result<(), ConnectionError> {
    let (activity, limits) = (Activity::new(seat), shared.limits);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .half_close(false)
        .header_read_timeout(limits.header_read)
        .max_buf_size(limits::HTTP1_SEND_BUFFER)
        .max_header_size(limits.head_bytes)
        .max_headers(limits.head_fields);
    let service = service(shared, peer, activity.clone(), shutdown.clone());
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    Driven::new(connection, Protocol::Http1, &activity, &limits).run(shutdown).await
}

async fn serve_http2<S: Stream, H: Handler>(
    stream: S,
    peer: Peer,
    seat: Seat,
    shared: Arc<Shared<H>>,
    shutdown: Shutdown,
) -> Result<(), ConnectionError> {
    let (activity, limits) = (Activity::new(seat), shared.limits);
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::HTTP2_STREAMS)
        .max_pending_accept_reset_streams(limits::HTTP2_PENDING_RESETS)
        .max_local_error_reset_streams(limits::HTTP2_ERROR_RESETS)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(limits::HTTP2_STREAM_WINDOW)
        .initial_connection_window_size(limits::HTTP2_CONNECTION_WINDOW)
        .max_send_buf_size(limits::HTTP2_SEND_BUFFER)
        .keep_alive_interval(limits::HTTP2_PING)
        .keep_alive_timeout(limits::HTTP2_PING);
    let service = service(shared, peer, activity.clone(), shutdown.clone());
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    Driven::new(connection, Protocol::Http2, &activity, &limits).run(shutdown).await
}

/// The handler as a hyper service. Wraps each response's body in a [`NotedBody`]. Refuses a request with too many header
/// fields, which over HTTP/1 hyper does itself (RFC 6585, section 5).
fn service<H: Handler>(
    shared: Arc<Shared<H>>,
    peer: Peer,
    activity: Activity,
    shutdown: Shutdown,
) -> impl Service<
    Request<Incoming>,
    Response = Response<NotedBody<H::Body>>,
    Error = Infallible,
    Future: Send + 'static,
> {
    service_fn(move |request: Request<Incoming>| {
        let progress = activity.begin();
        let version = request.version();
        let too_many = request.headers().len() > shared.limits.head_fields;
        // Boxed: each connection reserves room for this future, although it is idle most of the time.
        let response = (!too_many).then(|| Box::pin(shared.handler.respond(request, peer.clone())));
        let (activity, shutdown) = (activity.clone(), shutdown.clone());
        async move {
            let mut response = match response {
                Some(response) => response.await.map(|body| NotedBody::new(body, progress)),
                None => too_many_fields().map(|()| NotedBody::none(progress)),
            };
            if is_last(&mut response, &activity) || shutdown.is_leaving() {
                close(&mut response, version, &activity);
            }
            Ok(response)
        }
    })
}

/// Whether the connection ends with this response: it has to end anyway, or it is a stranger's, who was refused (401).
fn is_last<B>(response: &mut Response<B>, activity: &Activity) -> bool {
    if response.extensions_mut().remove::<Identified>().is_some() {
        activity.seat().identified();
    }
    let is_refused = response.status() == StatusCode::UNAUTHORIZED;
    activity.is_ending() || (is_refused && activity.seat().is_strangers())
}

fn close<B>(response: &mut Response<B>, version: Version, activity: &Activity) {
    if version == Version::HTTP_2 {
        // HTTP/2 has no such field (RFC 9113, section 8.2.2). The connection's task sends a GOAWAY.
        activity.end_soon();
    } else {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

fn too_many_fields() -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    response
}
