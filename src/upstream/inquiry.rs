//! One GET whose header lines the caller chooses, each as a line of its own, with the whole response. `glassine doctor` reads the
//! running proxy's metrics with it, and `--live-facts` asks how a server reads header lines.
//! [`GraphClient`](super::GraphClient) could not do that: it always sends its own.

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Request, StatusCode, Version};

use super::connector::ConnectorError;
use super::document::collect;
use super::error::UpstreamError;
use super::network::Network;
use super::request::bearer;
use super::secret::Secret;
use super::transport::{AGENT, Repeat, Transport};
use super::uri::uri;
use glassine_core::graph::Origin;

/// The most bytes of a body. A page of a delta with a thousand objects has a few hundred KiB. The metrics of a proxy have 300 KiB, and
/// some KiB more for each consumer.
const MAX_INQUIRY: u64 = 32 * 1024 * 1024;

/// Sends inquiries to one server.
pub(crate) struct Inquirer {
    origin: Origin,
    transport: Transport,
}

/// What to send.
pub(crate) struct Inquiry<'a> {
    /// Path and query, sent byte for byte.
    pub(crate) target: &'a str,
    /// Names in lower case, and values. Equal names become several lines, in this order.
    pub(crate) lines: &'a [(&'static str, &'static str)],
    pub(crate) token: Option<&'a Secret>,
}

/// A response with its whole body. Nothing in it is trusted.
pub(crate) struct InquiryResponse {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Inquirer {
    /// Builds the client. Does not connect yet.
    ///
    /// # Errors
    /// [`ConnectorError`] if TLS cannot be set up.
    pub(crate) fn new(origin: Origin, network: &Network) -> Result<Self, ConnectorError> {
        Ok(Self { transport: Transport::new(&origin, network)?, origin })
    }

    /// The server.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Sends a GET and reads the whole response.
    ///
    /// # Errors
    /// [`UpstreamError`], which repeats nothing that the server sent.
    pub(crate) async fn get(&self, inquiry: &Inquiry<'_>) -> Result<InquiryResponse, UpstreamError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri(&self.origin, inquiry.target)?;
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, AGENT);
        for (name, value) in inquiry.lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        if let Some(token) = inquiry.token {
            headers.insert(AUTHORIZATION, bearer(token).ok_or(UpstreamError::Token)?);
        }
        let (head, body) = self.transport.send(request, Repeat::Always, MAX_INQUIRY).await?.into_parts();
        let (status, version, headers) = (head.status, head.version, head.headers);
        Ok(InquiryResponse { status, version, headers, body: collect(body).await? })
    }
}
