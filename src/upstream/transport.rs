//! The client below [`GraphClient`](super::GraphClient) and [`TokenSource`](super::TokenSource): one request, one response,
//! no redirects. All waiting times and sizes are bounded. A request is sent a second time if its connection failed it.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::sync::Semaphore;
use tokio::time::{Duration, Instant, sleep, timeout_at};

use super::body::{Source, UpstreamBody};
use super::connector::ConnectorError;
use super::error::{Phase, ServerError, UpstreamError};
use super::network::Network;
use super::pool::{Failure, MAX_HEADERS, Pool, Want};
use super::timeouts::Timeouts;
use crate::metrics::{Repeated, UpstreamConnections};
use glassine_core::graph::Origin;

/// The most bytes of a response's head. Graph's heads usually have a few KiB.
const MAX_HEAD: usize = 64 * 1024;

/// The `User-Agent` of all requests (RFC 9110 section 10.1.5).
pub(super) const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("glassine/", env!("CARGO_PKG_VERSION")));

/// A client for one origin.
pub(super) struct Transport {
    origin: Origin,
    pool: Pool,
    timeouts: Timeouts,
    counts: UpstreamConnections,
    /// How long a doubtful connection may bring no response.
    no_response: Duration,
    /// A permit for each request that is sent twice because a doubtful connection brings no response.
    doubled: Semaphore,
}

/// When a request may be sent a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// If the connection failed before the head of the response. For requests that change nothing (RFC 9110 section 9.2.2):
    /// GET; and a request for a token with the client's own credential, which only makes one more token.
    Always,
    /// If the server said that it did not process the request. For an authorization code, which the server accepts once: a
    /// second use can revoke what the first one brought (RFC 6749 section 4.1.2). Such a request always gets a new
    /// connection, which nobody can have closed unseen.
    Unprocessed,
}

impl Transport {
    pub(super) fn new(origin: &Origin, network: &Network) -> Result<Self, ConnectorError> {
        Ok(Self {
            origin: origin.clone(),
            pool: Pool::new(origin, network)?,
            timeouts: network.timeouts,
            counts: network.connections.clone(),
            no_response: network.pool.no_response,
            doubled: Semaphore::new(network.pool.doubled),
        })
    }

    /// An error of this server.
    pub(super) fn at(&self, error: UpstreamError) -> ServerError {
        ServerError { origin: self.origin.clone(), error }
    }

    /// Sends `request` and waits for the head of the response, within one time limit for all attempts. The body fails after
    /// `max_body` bytes.
    pub(super) async fn send(
        &self,
        request: Request<Bytes>,
        repeat: Repeat,
        max_body: u64,
    ) -> Result<Response<UpstreamBody>, UpstreamError> {
        let deadline = Instant::now() + self.timeouts.head;
        let (mut head, body) = self.exchange(&request, repeat, deadline).await?.into_parts();
        if head.status.is_redirection() {
            return Err(UpstreamError::Redirect);
        }
        if head.status.is_informational() {
            return Err(UpstreamError::Protocol);
        }
        check_size(&head.headers)?;
        check_framing(&head.headers)?;
        // The extensions contain the reason phrase, which is free text.
        head.extensions.clear();
        let body = UpstreamBody::new(body, &self.timeouts, max_body)?;
        Ok(Response::from_parts(head, body))
    }

    /// The response to the first attempt, or to the second one.
    async fn exchange(
        &self,
        request: &Request<Bytes>,
        repeat: Repeat,
        deadline: Instant,
    ) -> Result<Response<Source>, UpstreamError> {
        let first = match repeat {
            Repeat::Always => self.attempt_doubting(request, deadline).await,
            Repeat::Unprocessed => self.attempt(request, self.pool.fresh(), deadline).await,
        };
        let Failure { error, again } = match first {
            Ok(response) => return Ok(response),
            Err(failure) => failure,
        };
        let (Some(want), true) = (again, repeat == Repeat::Always || error.is_unprocessed()) else {
            return Err(error);
        };
        tracing::debug!(%error, "a connection to an upstream server failed; the request is sent again");
        self.counts.repeated(if error.is_unprocessed() { Repeated::Unprocessed } else { Repeated::Lost });
        self.attempt(request, want, deadline).await.map_err(|failure| failure.error)
    }

    async fn attempt(
        &self,
        request: &Request<Bytes>,
        want: Want,
        deadline: Instant,
    ) -> Result<Response<Source>, Failure> {
        let lease = self.pool.acquire(want, deadline).await?;
        in_time(lease.exchange(request.clone()), deadline).await
    }

    /// On any connection. If that one is doubtful and brings no response for a while, on a new one too; the first response
    /// counts.
    async fn attempt_doubting(
        &self,
        request: &Request<Bytes>,
        deadline: Instant,
    ) -> Result<Response<Source>, Failure> {
        let lease = self.pool.acquire(Want::default(), deadline).await?;
        let doubtful = lease.is_doubtful();
        let mut first = std::pin::pin!(in_time(lease.exchange(request.clone()), deadline));
        if !doubtful {
            return first.await;
        }
        tokio::select! {
            biased;
            response = &mut first => response,
            // Boxed: few requests need it, and each would have room for it.
            response = Box::pin(self.attempt_later(request, deadline)) => match response {
                Ok(response) => {
                    self.pool.suspect();
                    Ok(response)
                }
                // The old connection may still bring a response.
                Err(_) => first.await,
            }
        }
    }

    async fn attempt_later(
        &self,
        request: &Request<Bytes>,
        deadline: Instant,
    ) -> Result<Response<Source>, Failure> {
        sleep(self.no_response).await;
        // The semaphore is never closed.
        let _permit = self.doubled.acquire().await;
        tracing::debug!(
            "an idle connection to an upstream server brings no response; the request is sent again"
        );
        self.counts.repeated(Repeated::NoResponse);
        self.attempt(request, self.pool.fresh(), deadline).await
    }
}

async fn in_time(
    exchange: impl Future<Output = Result<Response<Source>, Failure>>,
    deadline: Instant,
) -> Result<Response<Source>, Failure> {
    timeout_at(deadline, exchange).await.unwrap_or_else(|_| Err(UpstreamError::Timeout(Phase::Head).into()))
}

/// Enforces [`MAX_HEAD`] and [`MAX_HEADERS`] exactly. hyper only refuses a head that is larger than its buffer, and
/// nothing bounds the number of fields in HTTP/2.
fn check_size(headers: &HeaderMap) -> Result<(), UpstreamError> {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let fits = size <= MAX_HEAD && headers.len() <= MAX_HEADERS;
    fits.then_some(()).ok_or(UpstreamError::HeadTooLarge)
}

/// Accepts no transfer coding but one `chunked`, and no length beside it (RFC 9112 section 6.3). hyper reads a body of any
/// other coding until the connection ends, so a cut body would look whole; and it leaves a coding before `chunked` in place.
fn check_framing(headers: &HeaderMap) -> Result<(), UpstreamError> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let is_plain = match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(one), None) => {
            one.as_bytes().eq_ignore_ascii_case(b"chunked") && !headers.contains_key(CONTENT_LENGTH)
        }
        (Some(_), Some(_)) => false,
    };
    is_plain.then_some(()).ok_or(UpstreamError::TransferEncoding)
}
