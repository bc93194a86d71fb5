//! The client of Microsoft Graph: reads, and nothing else.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

use super::body::UpstreamBody;
use super::connector::ConnectorError;
use super::error::UpstreamError;
use super::network::Network;
use super::request::RequestHeaders;
use super::secret::Secret;
use super::transport::Transport;
use super::uri::uri;
use glassine_core::graph::Origin;

/// The most bytes of a body as sent, in most cases compressed. A page of 1,000 messages with bodies is 5.6 MB before
/// compression; one message with inline pictures may have 150 MB.
pub const MAX_BODY: u64 = 200 * 1024 * 1024;

/// How Graph is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where Graph is, `https://graph.microsoft.com` or a national cloud.
    pub graph: Origin,
    /// How it is reached.
    pub network: Network,
    /// The most bytes of a body as sent; [`MAX_BODY`] is the default.
    pub max_body: u64,
}

/// A client of Graph with its pool of connections: HTTP/2 where the server offers it, else HTTP/1.1.
pub struct GraphClient {
    graph: Origin,
    transport: Transport,
    max_body: u64,
}

impl GraphClient {
    /// Builds the client. Connects to nobody yet.
    ///
    /// # Errors
    /// [`ConnectorError`] where TLS cannot be set up.
    pub fn new(settings: Settings) -> Result<Self, ConnectorError> {
        let Settings { graph, network, max_body } = settings;
        let transport = Transport::new(&graph, &network)?;
        Ok(Self { graph, transport, max_body })
    }

    /// Gets `target`, a canonical path and query in ASCII, which goes out byte for byte.
    ///
    /// A server may close an idle connection at the very moment when the pool hands it out, so a connection that is lost
    /// before the response is tried again, once: a GET may be (RFC 9110 section 9.2.2).
    ///
    /// # Errors
    /// [`UpstreamError`] where no head arrived that could be passed on. Every status but 1xx and 3xx is a response.
    pub async fn get(
        &self,
        target: &str,
        headers: &RequestHeaders,
        token: &Secret,
    ) -> Result<Response<UpstreamBody>, UpstreamError> {
        match self.try_get(target, headers, token).await {
            Err(UpstreamError::Reset | UpstreamError::Truncated) => {
                self.try_get(target, headers, token).await
            }
            done => done,
        }
    }

    async fn try_get(
        &self,
        target: &str,
        headers: &RequestHeaders,
        token: &Secret,
    ) -> Result<Response<UpstreamBody>, UpstreamError> {
        let mut request = Request::new(Full::<Bytes>::default());
        *request.uri_mut() = uri(&self.graph, target)?;
        *request.headers_mut() = headers.to_map(token).ok_or(UpstreamError::Token)?;
        self.transport.send(request, self.max_body).await
    }
}
