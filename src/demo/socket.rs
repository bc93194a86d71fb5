//! The HTTP server of the demo, in plaintext, for loopback: HTTP/1.1, and HTTP/2 for a client that begins with it.

use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// What comes in place of a response.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    /// The connection is closed. Over HTTP/2, the stream is reset.
    #[error("the connection is closed on purpose")]
    Closed,
    /// Over HTTP/2, the stream is reset with this reason.
    #[error("the stream is reset on purpose")]
    Reset(#[source] h2::Error),
}

/// In the extensions of each request: ends its connection once the response is sent.
#[derive(Clone, Default)]
pub(super) struct Farewell(Arc<Notify>);

impl Farewell {
    pub(super) fn say(&self) {
        self.0.notify_one();
    }
}

/// Serves requests on `listener` until `shutdown` is done, then drops open connections. Failing connections end
/// silently. With `idle`, connections are closed that have had no request for so long.
pub(super) async fn serve<H, F, B>(
    listener: TcpListener,
    idle: Option<Duration>,
    shutdown: impl Future<Output = ()>,
    respond: H,
) where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response<B>, Lost>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, idle, respond.clone()));
                }
            }
        }
    }
}

/// Serves one connection to its end.
pub(super) async fn connection<S, H, F, B>(stream: S, idle: Option<Duration>, respond: H)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Result<Response<B>, Lost>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let (farewell, requests) = (Farewell::default(), Notify::new());
    let service = service_fn(|mut request: Request<Incoming>| {
        requests.notify_one();
        request.extensions_mut().insert(farewell.clone());
        respond(request)
    });
    let builder = Builder::new(TokioExecutor::new());
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    loop {
        tokio::select! {
            // A client that closes its connection is not worth a log line.
            _ = connection.as_mut() => return,
            () = farewell.0.notified() => connection.as_mut().graceful_shutdown(),
            () = silence(&requests, idle) => connection.as_mut().graceful_shutdown(),
        }
    }
}

/// Waits until no request has come for `idle`.
async fn silence(requests: &Notify, idle: Option<Duration>) {
    let Some(idle) = idle else { return std::future::pending().await };
    while timeout(idle, requests.notified()).await.is_ok() {}
}
