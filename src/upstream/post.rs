//! Posts JSON documents that nobody waits for: spans, to a collector of traces. Sends no credential.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;

use super::connector::ConnectorError;
use super::error::UpstreamError;
use super::network::Network;
use super::transport::{AGENT, Repeat, Transport};
use super::uri::uri;
use crate::metrics::UpstreamConnections;
use glassine_core::graph::Url;

/// The most bytes of a response. That of a collector is a small object.
const MAX_RESPONSE: u64 = 64 * 1024;

/// How long each step may take. Meanwhile the queue fills.
const LIMIT: Duration = Duration::from_secs(5);

/// Why a document was not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PostError {
    /// The status is not one of success.
    #[error("the server responded with status {0}")]
    Status(StatusCode),
    /// The request failed.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

/// A client for one URL.
pub struct PostClient {
    transport: Transport,
    url: Url,
}

impl PostClient {
    /// Builds the client. Does not connect yet. Its connections are not among those that the metrics count.
    ///
    /// # Errors
    /// [`ConnectorError`] if TLS cannot be set up.
    pub fn new(url: Url, network: &Network) -> Result<Self, ConnectorError> {
        let connections = UpstreamConnections::default();
        let network = Network { timeouts: network.timeouts.within(LIMIT), connections, ..network.clone() };
        Ok(Self { transport: Transport::new(url.origin(), &network)?, url })
    }

    /// Posts a JSON document. If the connection is lost before the response, the document is sent once more.
    ///
    /// # Errors
    /// [`PostError`], which repeats nothing that the server sent.
    pub async fn post(&self, document: String) -> Result<(), PostError> {
        let mut request = Request::new(Bytes::from(document));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri(self.url.origin(), self.url.target())?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, AGENT);
        let response = self.transport.send(request, Repeat::Always, MAX_RESPONSE).await?;
        let status = response.status();
        // Read to its end, or the connection could not be used again.
        let mut body = pin!(response.into_body());
        while let Some(frame) = body.frame().await {
            frame?;
        }
        if status.is_success() { Ok(()) } else { Err(PostError::Status(status)) }
    }
}
