//! HTTP/1.1: one request at a time on a connection.

use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::uri::{PathAndQuery, Uri};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use tokio::time::interval;

use super::state::{Id, Returned};
use super::{Failure, Shared, Slot, closed_by};
use crate::metrics::Closed;
use crate::upstream::body::Source;
use crate::upstream::connector::{Opened, Stream};
use crate::upstream::error::UpstreamError;
use std::sync::Weak;

/// The most bytes of one read. Large reads cost fewer system calls. Each running response holds up to two such buffers, so a
/// few hundred responses still need little memory.
const READ_BUFFER: usize = 96 * 1024;

/// The most header fields of a response. Graph sends a few dozen at most.
pub(in crate::upstream) const MAX_HEADERS: usize = 100;

/// Sends requests on one connection.
pub(super) struct Http1 {
    sender: SendRequest<Full<Bytes>>,
    certificate_requested: bool,
}

/// What drives the connection.
pub(super) struct Driver(Connection<Stream, Full<Bytes>>);

/// Prepares an open connection.
pub(super) async fn start(opened: Opened) -> Result<(Http1, Driver), UpstreamError> {
    let Opened { stream, certificate_requested } = opened;
    let mut builder = Builder::new();
    builder.max_buf_size(READ_BUFFER).max_headers(MAX_HEADERS);
    let (sender, connection) =
        builder.handshake(stream).await.map_err(|error| UpstreamError::from(&error))?;
    Ok((Http1 { sender, certificate_requested }, Driver(connection)))
}

impl Driver {
    /// Runs until the connection has ended. Notices at once if the server closes an idle connection.
    pub(super) async fn run(mut self, id: Id, pool: Weak<Shared>, limits: super::PoolLimits) {
        let mut check = interval(limits.idle_check());
        let ended = loop {
            tokio::select! {
                ended = &mut self.0 => break ended,
                // Without the sender, the connection ends.
                _ = check.tick() => if let Some(pool) = pool.upgrade() { pool.expire(id) },
            }
        };
        if let Some(pool) = pool.upgrade() {
            pool.ended(
                id,
                ended.err().map_or(Closed::Server, |error| closed_by(&UpstreamError::from(&error))),
            );
        }
    }
}

impl Http1 {
    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends a request and waits for the head of the response. `used` says whether the connection had been used before.
    pub(super) async fn exchange(
        mut self,
        request: Request<Bytes>,
        used: bool,
        mut slot: Slot,
    ) -> Result<Response<Source>, Failure> {
        let sent = self.sender.send_request(in_origin_form(request)).await;
        let response = sent.map_err(|error| UpstreamError::from(&error)).and_then(|response| {
            // An idle server says this before it closes the connection (RFC 9110 section 15.5.9).
            let timed_out = used && response.status() == StatusCode::REQUEST_TIMEOUT;
            if timed_out { Err(UpstreamError::Truncated) } else { Ok(response) }
        });
        match response {
            Ok(response) => {
                // Until the body has been read, the sender is not ready.
                match self.sender.is_ready() {
                    true => slot.returned = Returned::Idle(self),
                    false => drop(tokio::spawn(self.read_out(slot))),
                }
                Ok(response.map(Source::Http1))
            }
            Err(error) => {
                let error = self.explain(error, used);
                slot.returned = Returned::Closing(closed_by(&error));
                Err(slot.failure(error, used))
            }
        }
    }

    /// Waits until the response has been read, and gives the connection back.
    async fn read_out(mut self, mut slot: Slot) {
        slot.returned = match self.sender.ready().await {
            Ok(()) => Returned::Idle(self),
            Err(_) => Returned::Closing(Closed::Server),
        };
    }

    /// A server that misses a certificate closes the connection in place of the first response, often without a word.
    fn explain(&self, error: UpstreamError, used: bool) -> UpstreamError {
        let unexplained =
            matches!(error, UpstreamError::Reset | UpstreamError::Truncated | UpstreamError::Tls(_));
        match self.certificate_requested && !used && unexplained {
            true => UpstreamError::ClientCertificate,
            false => error,
        }
    }
}

/// The request with a target in origin-form and a `Host` (RFC 9112 section 3.2).
fn in_origin_form(request: Request<Bytes>) -> Request<Full<Bytes>> {
    let mut request = request.map(Full::new);
    if let Some(host) = host(request.uri()) {
        request.headers_mut().insert(HOST, host);
    }
    let target = request.uri().path_and_query().cloned();
    *request.uri_mut() = target.unwrap_or_else(|| PathAndQuery::from_static("/")).into();
    request
}

/// The authority without its scheme's default port.
fn host(uri: &Uri) -> Option<HeaderValue> {
    let authority = uri.authority()?;
    let default = match uri.scheme_str() {
        Some("https") => Some(443),
        _ => Some(80),
    };
    let text = if authority.port_u16() == default { authority.host() } else { authority.as_str() };
    HeaderValue::from_str(text).ok()
}
