//! The pooled HTTP client below [`GraphClient`](super::GraphClient) and [`TokenSource`](super::TokenSource): one
//! request, one response, no redirects. All waiting times and sizes are bounded.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::body::UpstreamBody;
use super::connector::{Connector, ConnectorError, connector};
use super::error::{Phase, UpstreamError};
use super::network::Network;
use super::timeouts::Timeouts;
use glassine_core::graph::Origin;

/// Shorter than the idle limit of usual load balancers and NAT tables (60 s and more), so that pooled connections are
/// rarely dead.
const POOL_IDLE: Duration = Duration::from_secs(50);

/// How many idle HTTP/1.1 connections are kept: as many as a consumer's concurrent requests by default.
const POOL_PER_HOST: usize = 64;

/// The most bytes of a response's head. Graph's heads usually have a few KiB.
const MAX_HEAD: usize = 64 * 1024;

/// The most bytes of one read from an HTTP/1.1 connection. Large reads cost fewer system calls. Each running response
/// holds up to two such buffers, so a few hundred responses still need little memory.
const READ_BUFFER: usize = 96 * 1024;

/// [`MAX_HEAD`], as HTTP/2 counts it (RFC 9113 section 6.5.2).
const MAX_HEADER_LIST: u32 = 64 * 1024;

/// The most header fields of a response. Graph sends a few dozen at most.
const MAX_HEADERS: usize = 100;

/// How many bytes of one HTTP/2 response may be on their way or unread. This bounds what the proxy holds for a slow
/// consumer.
const STREAM_WINDOW: u32 = 256 * 1024;

/// The same for all responses of one connection together. It is large enough for [`POOL_PER_HOST`] full streams, so
/// that consumers that stop reading do not block others on the same connection.
const CONNECTION_WINDOW: u32 = 64 * STREAM_WINDOW;

/// How often a silent HTTP/2 connection gets a ping while requests wait on it.
const PING_EVERY: Duration = Duration::from_secs(20);

/// How long the server may take to acknowledge a ping before the connection is closed.
const PING_LIMIT: Duration = Duration::from_secs(10);

/// The `User-Agent` of all requests (RFC 9110 section 10.1.5).
pub(super) const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("glassine/", env!("CARGO_PKG_VERSION")));

/// A client for one origin.
pub(super) struct Transport {
    client: Client<Connector, Full<Bytes>>,
    timeouts: Timeouts,
}

impl Transport {
    pub(super) fn new(origin: &Origin, network: &Network) -> Result<Self, ConnectorError> {
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_PER_HOST)
            .http1_max_buf_size(READ_BUFFER)
            .http1_max_headers(MAX_HEADERS)
            .http2_max_header_list_size(MAX_HEADER_LIST)
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .http2_keep_alive_interval(PING_EVERY)
            .http2_keep_alive_timeout(PING_LIMIT)
            .build(connector(origin, network)?);
        Ok(Self { client, timeouts: network.timeouts })
    }

    /// Sends `request` and waits for the head of the response. The body fails after `max_body` bytes.
    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        max_body: u64,
    ) -> Result<Response<UpstreamBody>, UpstreamError> {
        let response = tokio::time::timeout(self.timeouts.head, self.client.request(request)).await;
        let response = response.map_err(|_| UpstreamError::Timeout(Phase::Head))?;
        let (mut head, body) = response.map_err(|error| UpstreamError::from(&error))?.into_parts();
        if head.status.is_redirection() {
            return Err(UpstreamError::Redirect);
        }
        if head.status.is_informational() {
            return Err(UpstreamError::Protocol);
        }
        check_size(&head.headers)?;
        // The extensions contain the reason phrase, which is free text.
        head.extensions.clear();
        let body = UpstreamBody::new(body, &self.timeouts, max_body)?;
        Ok(Response::from_parts(head, body))
    }
}

/// Enforces [`MAX_HEAD`] and [`MAX_HEADERS`] exactly. hyper only refuses a head that is larger than its buffer, and
/// does not bound the number of fields in HTTP/2.
fn check_size(headers: &HeaderMap) -> Result<(), UpstreamError> {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let fits = size <= MAX_HEAD && headers.len() <= MAX_HEADERS;
    fits.then_some(()).ok_or(UpstreamError::HeadTooLarge)
}
