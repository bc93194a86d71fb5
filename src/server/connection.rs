//! One connection: handshake, HTTP/1 or HTTP/2, and how it ends.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper::{Error as HyperError, server::conn::http1, server::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, Interval, interval_at, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::activity::{Activity, NotedBody, Status};
use super::client_identity::ClientIdentity;
use super::handler::Handler;
use super::limits::{self, ServerLimits};
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
    shared: Arc<Shared<H>>,
    shutdown: Shutdown,
) -> Result<(), ConnectionError> {
    // Responses are written in large pieces, so Nagle's algorithm would only delay their last packets.
    stream.set_nodelay(true).map_err(ConnectionError::Handshake)?;
    let stream = StallGuard::new(stream, shared.limits.write_stall);
    let mut peer = Peer { address, tls: false, client_certificates: Arc::new([]), client: None };
    let Some(tls) = &shared.tls else {
        return serve_http1(stream, peer, shared, shutdown).await;
    };
    let stream = handshake(stream, tls, shared.limits.tls_handshake).await?;
    let (_, session) = stream.get_ref();
    peer.tls = true;
    peer.client_certificates = session.peer_certificates().unwrap_or_default().into();
    peer.client = peer.client_certificates.first().and_then(ClientIdentity::read).map(Arc::new);
    // ALPN decides the protocol. It is never guessed from the first bytes.
    if session.alpn_protocol() == Some(ALPN_HTTP2) {
        serve_http2(stream, peer, shared, shutdown).await
    } else {
        serve_http1(stream, peer, shared, shutdown).await
    }
}

async fn handshake<S: Stream>(
    stream: S,
    tls: &TlsState,
    limit: Duration,
) -> Result<TlsStream<S>, ConnectionError> {
    let accepted = timeout(limit, TlsAcceptor::from(tls.current()).accept(stream));
    accepted.await.map_err(|_| ConnectionError::HandshakeTimeout)?.map_err(ConnectionError::Handshake)
}

async fn serve_http1<S: Stream, H: Handler>(
    stream: S,
    peer: Peer,
    shared: Arc<Shared<H>>,
    shutdown: Shutdown,
) -> Result<(), ConnectionError> {
    let (activity, limits) = (Activity::new(), shared.limits);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .half_close(false)
        .header_read_timeout(limits.header_read)
        .max_buf_size(limits::HTTP1_SEND_BUFFER)
        .max_header_size(limits.head_bytes)
        .max_headers(limits.head_fields);
    let service = service(shared, peer, activity.clone());
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    drive(Box::pin(connection), &activity, &limits, shutdown).await
}

async fn serve_http2<S: Stream, H: Handler>(
    stream: S,
    peer: Peer,
    shared: Arc<Shared<H>>,
    shutdown: Shutdown,
) -> Result<(), ConnectionError> {
    let (activity, limits) = (Activity::new(), shared.limits);
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
    let service = service(shared, peer, activity.clone());
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    drive(Box::pin(connection), &activity, &limits, shutdown).await
}

/// The handler as a hyper service. Wraps each response's body in a [`NotedBody`]. Refuses a request with too many header
/// fields, which over HTTP/1 hyper does itself (RFC 6585, section 5).
fn service<H: Handler>(
    shared: Arc<Shared<H>>,
    peer: Peer,
    activity: Activity,
) -> impl Service<
    Request<Incoming>,
    Response = Response<NotedBody<H::Body>>,
    Error = Infallible,
    Future: Send + 'static,
> {
    service_fn(move |request: Request<Incoming>| {
        let progress = activity.begin();
        let too_many = request.headers().len() > shared.limits.head_fields;
        // Boxed: each connection reserves room for this future, although it is idle most of the time.
        let response = (!too_many).then(|| Box::pin(shared.handler.respond(request, peer.clone())));
        async move {
            Ok(match response {
                Some(response) => response.await.map(|body| NotedBody::new(body, progress)),
                None => too_many_fields().map(|()| NotedBody::none(progress)),
            })
        }
    })
}

fn too_many_fields() -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    response
}

/// How long an idle connection lives after it was asked to end: time for a request that is already on its way.
const LAST_REQUEST: Duration = Duration::from_secs(1);

/// Runs a connection to its end. Ends it gracefully when the server stops or the connection is idle, and at once when
/// it is stalled.
///
/// Boxed: the future would otherwise hold this large connection several times.
async fn drive<C: GracefulConnection<Error = HyperError>>(
    mut connection: Pin<Box<C>>,
    activity: &Activity,
    limits: &ServerLimits,
    mut shutdown: Shutdown,
) -> Result<(), ConnectionError> {
    let (mut ending, mut idle) = (false, limits.idle);
    let mut next_look = looks(idle, limits.write_stall);
    loop {
        let must_end = tokio::select! {
            ended = connection.as_mut() => return ended.map_err(ConnectionError::Http),
            () = shutdown.requested(), if !ending => true,
            _ = next_look.tick() => match activity.state(Instant::now(), idle, limits.write_stall) {
                Status::Busy => false,
                Status::Stalled => return Err(ConnectionError::Stalled),
                Status::Idle if ending => return Ok(()),
                Status::Idle => true,
            },
        };
        if must_end {
            ending = true;
            idle = LAST_REQUEST.min(limits.idle);
            next_look = looks(idle, limits.write_stall);
            connection.as_mut().graceful_shutdown();
        }
    }
}

/// When to check the activity: often enough that a limit is exceeded by at most a quarter.
fn looks(idle: Duration, stall: Duration) -> Interval {
    /// An interval of zero panics.
    const SHORTEST: Duration = Duration::from_millis(1);
    let period = (idle.min(stall) / 4).max(SHORTEST);
    interval_at(Instant::now() + period, period)
}
