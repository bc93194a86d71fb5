//! Gets small public documents: the key sets and the OpenID configurations of issuers. Sends no credential.

use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_ENCODING, HeaderValue, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::BodyExt;

use super::body::UpstreamBody;
use super::connector::ConnectorError;
use super::error::UpstreamError;
use super::network::Network;
use super::transport::{AGENT, Repeat, Transport};
use super::uri::uri;
use glassine_core::graph::Url;

/// The most bytes of a document. Entra's key set has about 20 KiB, its OpenID configuration about 2 KiB.
pub(crate) const MAX_DOCUMENT: u64 = 256 * 1024;

/// How long each step of fetching a document may take. Consumers' requests wait for the document.
const LIMIT: Duration = Duration::from_secs(10);

/// Why the document cannot be fetched.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DocumentError {
    /// The response has a content coding that the client did not ask for.
    #[error("the document has a content coding that was not asked for")]
    Coding,
    /// The status is not 200.
    #[error("the document's server responded with status {0}")]
    Status(StatusCode),
    /// The request failed.
    #[error("the document cannot be fetched: {0}")]
    Upstream(#[from] UpstreamError),
}

/// A client for one document.
pub struct DocumentClient {
    transport: Transport,
    url: Url,
}

impl DocumentClient {
    /// Builds the client. Does not connect yet.
    ///
    /// # Errors
    /// [`ConnectorError`] if TLS cannot be set up.
    pub fn new(url: Url, network: &Network) -> Result<Self, ConnectorError> {
        let network = Network { timeouts: network.timeouts.within(LIMIT), ..network.clone() };
        Ok(Self { transport: Transport::new(url.origin(), &network)?, url })
    }

    /// The document's URL.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Gets the document's bytes. If the connection is lost before the response, the request is sent once more.
    ///
    /// # Errors
    /// [`DocumentError`], which repeats nothing that the server sent.
    pub async fn get(&self) -> Result<Bytes, DocumentError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri(self.url.origin(), self.url.target())?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, application/jwk-set+json"));
        headers.insert(USER_AGENT, AGENT);
        let response = self.transport.send(request, Repeat::Always, MAX_DOCUMENT).await?;
        if response.status() != StatusCode::OK {
            return Err(DocumentError::Status(response.status()));
        }
        if response.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return Err(DocumentError::Coding);
        }
        Ok(collect(response.into_body()).await?)
    }
}

pub(super) async fn collect(body: UpstreamBody) -> Result<Bytes, UpstreamError> {
    let (mut body, mut bytes) = (pin!(body), BytesMut::new());
    while let Some(frame) = body.frame().await {
        bytes.extend_from_slice(frame?.data_ref().map(Bytes::as_ref).unwrap_or_default());
    }
    Ok(bytes.freeze())
}
