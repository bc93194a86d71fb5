//! The client of Microsoft Graph. It only reads.

use bytes::Bytes;
use http::{Request, Response};

use super::body::UpstreamBody;
use super::connector::ConnectorError;
use super::error::{ServerError, UpstreamError};
use super::network::Network;
use super::request::RequestHeaders;
use super::secret::Secret;
use super::transport::{Repeat, Transport};
use super::uri::uri;
use glassine_core::graph::Origin;

/// The most bytes of a body as sent, usually compressed. A page of 1,000 messages with bodies has 5.6 MB before
/// compression; one message with inline pictures may have 150 MB.
pub(crate) const MAX_BODY: u64 = 200 * 1024 * 1024;

/// How to reach Graph.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Graph's origin: `https://graph.microsoft.com`, or that of a national cloud.
    pub graph: Origin,
    /// Roots, time limits and proxies.
    pub network: Network,
    /// The most bytes of a body as sent; [`MAX_BODY`] is the default.
    pub max_body: u64,
}

/// A client of Graph with its pool of connections: HTTP/2 if the server offers it, otherwise HTTP/1.1.
pub struct GraphClient {
    graph: Origin,
    transport: Transport,
    max_body: u64,
}

impl GraphClient {
    /// Builds the client. Does not connect yet.
    ///
    /// # Errors
    /// [`ConnectorError`] if TLS cannot be set up.
    pub fn new(settings: Settings) -> Result<Self, ConnectorError> {
        let Settings { graph, network, max_body } = settings;
        let transport = Transport::new(&graph, &network)?;
        Ok(Self { graph, transport, max_body })
    }

    /// An error of Graph, with Graph's origin.
    pub(crate) fn at(&self, error: UpstreamError) -> ServerError {
        self.transport.at(error)
    }

    /// Gets `target`, a canonical path and query in ASCII, which is sent byte for byte.
    ///
    /// If the connection is lost before the response, the request is sent once more on another one, within the same time limit.
    ///
    /// # Errors
    /// [`UpstreamError`] if no usable head arrived. Every status but 1xx and 3xx is a response, not an error.
    pub async fn get(
        &self,
        target: &str,
        headers: &RequestHeaders,
        token: &Secret,
    ) -> Result<Response<UpstreamBody>, UpstreamError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri(&self.graph, target)?;
        *request.headers_mut() = headers.to_map(token).ok_or(UpstreamError::Token)?;
        self.transport.send(request, Repeat::Always, self.max_body).await
    }
}
