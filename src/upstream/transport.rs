//! The pooled HTTP client below [`GraphClient`](super::GraphClient) and [`TokenSource`](super::TokenSource): one
//! request, one response, no redirects, every wait and every size bounded.

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

/// Below the idle limit of usual load balancers and NAT tables (60 s and more), so that a pooled connection is
/// rarely one that the other side has just given up.
const POOL_IDLE: Duration = Duration::from_secs(50);

/// Idle HTTP/1.1 connections kept: as many as a consumer may have requests at a time by default.
const POOL_PER_HOST: usize = 64;

/// The most bytes of a response's head. A usual head of Graph has a few KiB.
const MAX_HEAD: usize = 64 * 1024;

/// The most bytes of one read from an HTTP/1.1 connection. Fewer and larger reads cost the kernel less; a response that is on
/// its way holds up to two, and a few hundred of those are to stay small beside the program itself.
const READ_BUFFER: usize = 96 * 1024;

/// [`MAX_HEAD`] as HTTP/2 counts it (RFC 9113 section 6.5.2).
const MAX_HEADER_LIST: u32 = 64 * 1024;

/// The most header fields of a response. Graph sends some dozens at most.
const MAX_HEADERS: usize = 100;

/// What one response over HTTP/2 may have on its way or unread here, so what a slow consumer makes this proxy hold of it.
const STREAM_WINDOW: u32 = 256 * 1024;

/// The same for all responses of a connection together: as many as [`POOL_PER_HOST`], so that consumers who stopped reading
/// do not stop the others, who share the connection.
const CONNECTION_WINDOW: u32 = 64 * STREAM_WINDOW;

/// How often a silent HTTP/2 connection is asked whether it still lives, while requests wait on it.
const PING_EVERY: Duration = Duration::from_secs(20);

/// How long such a response may take before the connection is given up.
const PING_LIMIT: Duration = Duration::from_secs(10);

/// What this program calls itself (`User-Agent`, RFC 9110 section 10.1.5).
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

    /// Sends `request` and waits for the head of the response. At most `max_body` bytes of body will come.
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
        // Among them is the reason phrase, which is free text.
        head.extensions.clear();
        let body = UpstreamBody::new(body, &self.timeouts, max_body)?;
        Ok(Response::from_parts(head, body))
    }
}

/// hyper refuses a head that outgrows its buffer, but to the buffer's grain, and HTTP/2 has no bound on the number.
fn check_size(headers: &HeaderMap) -> Result<(), UpstreamError> {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let fits = size <= MAX_HEAD && headers.len() <= MAX_HEADERS;
    fits.then_some(()).ok_or(UpstreamError::HeadTooLarge)
}
