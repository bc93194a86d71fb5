//! One request without a credential, to see how far it gets: does the server respond, is it the right one, what is its
//! time?

use bytes::Bytes;
use http::header::{ACCEPT, HeaderValue, USER_AGENT};
use http::{HeaderMap, Request, StatusCode};

use super::connector::ConnectorError;
use super::error::UpstreamError;
use super::network::Network;
use super::transport::{AGENT, Repeat, Transport};
use super::uri::uri;
use glassine_core::graph::Origin;

/// The body is never read, so its length does not matter.
const ANY_LENGTH: u64 = u64::MAX;

/// Sends requests to one server, over its own connection.
pub struct Probe {
    origin: Origin,
    transport: Transport,
}

/// The head of a response. The body is not read.
#[derive(Debug)]
pub struct ProbeResponse {
    /// The status.
    pub status: StatusCode,
    /// The header fields. They are not trusted; the caller decides which of them to show.
    pub headers: HeaderMap,
}

impl Probe {
    /// Builds the client. Does not connect yet.
    ///
    /// # Errors
    /// [`ConnectorError`] if TLS cannot be set up.
    pub fn new(origin: Origin, network: &Network) -> Result<Self, ConnectorError> {
        Ok(Self { transport: Transport::new(&origin, network)?, origin })
    }

    /// Gets the head of the response to a GET of `target`. The error says which step failed: DNS, TCP, TLS or HTTP.
    ///
    /// # Errors
    /// [`UpstreamError`] if no head arrived.
    pub async fn get(&self, target: &str) -> Result<ProbeResponse, UpstreamError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri(&self.origin, target)?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, AGENT);
        let (head, _) = self.transport.send(request, Repeat::Always, ANY_LENGTH).await?.into_parts();
        Ok(ProbeResponse { status: head.status, headers: head.headers })
    }
}
