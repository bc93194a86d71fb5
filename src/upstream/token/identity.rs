//! Managed identities: Azure gives a machine an identity, and issues its tokens at an address that only this machine
//! can reach.
//!
//! Sources: Microsoft, "How to use managed identities for Azure resources on an Azure VM to acquire an access token"
//! (the Azure Instance Metadata Service, IMDS, also of AKS nodes) and "How to use managed identities for App Service
//! and Azure Functions" (also of Container Apps). Neither uses TLS: the packets stay on the machine, its link or the network
//! that the platform makes for the app, and never go through a proxy.

use std::env;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Request, StatusCode, Uri};
use jiff::Timestamp;

use super::Grant;
use super::error::TokenError;
use super::form::query;
use super::response::{MAX_RESPONSE, collect, granted, unavailable, wait};
use crate::upstream::connector::ConnectorError;
use crate::upstream::network::Network;
use crate::upstream::secret::Secret;
use crate::upstream::transport::{Repeat, Transport};
use crate::upstream::uri::uri;
use glassine_core::graph::{Origin, Url, UrlError};

/// The metadata service's address on every virtual machine.
const METADATA_SERVICE: &str = "http://169.254.169.254";

/// The service that issues the tokens of a managed identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityService {
    /// App Service, Functions or Container Apps.
    AppService {
        /// The URL without a query: `IDENTITY_ENDPOINT`.
        endpoint: String,
        /// Proves that the caller runs inside the app: `IDENTITY_HEADER`.
        header: Secret,
    },
    /// The metadata service of a virtual machine, a scale set or an AKS node.
    VirtualMachine {
        /// Its origin.
        host: String,
    },
}

/// Why the identity service cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdentityError {
    /// Azure Arc requires the content of a file that only its administrators can read.
    #[error(
        "IDENTITY_ENDPOINT is set without IDENTITY_HEADER: this looks like Azure Arc, whose identities are not supported; use a certificate"
    )]
    Arc,
    /// The address is not a URL, or a token would go to another machine in the clear.
    #[error(
        "AZURE_POD_IDENTITY_AUTHORITY_HOST is not the URL of a service on this machine or its own link{}",
        reason(*.0)
    )]
    Address(UrlError),
    /// The same for the address that App Service sets.
    #[error(
        "IDENTITY_ENDPOINT is not the URL of a service on this machine or in its private network{}",
        reason(*.0)
    )]
    Endpoint(UrlError),
    /// The header has characters that no header field can hold.
    #[error("IDENTITY_HEADER cannot be sent")]
    Header,
}

/// What is wrong with a URL, if the text before does not say it: these services may be farther away than others in plaintext.
fn reason(error: UrlError) -> String {
    if error == UrlError::Plaintext { String::new() } else { format!(": {error}") }
}

impl IdentityService {
    /// The service of this environment. App Service sets `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`. Everything else has
    /// the metadata service; `AZURE_POD_IDENTITY_AUTHORITY_HOST` can name another address for it, as in Azure's SDKs.
    ///
    /// # Errors
    /// [`IdentityError::Arc`].
    pub(crate) fn from_env() -> Result<Self, IdentityError> {
        match (env::var("IDENTITY_ENDPOINT"), env::var("IDENTITY_HEADER")) {
            (Ok(endpoint), Ok(header)) => Ok(Self::AppService { endpoint, header: Secret::new(header) }),
            (Ok(_), Err(_)) => Err(IdentityError::Arc),
            (Err(_), _) => {
                let host = env::var("AZURE_POD_IDENTITY_AUTHORITY_HOST");
                Ok(Self::VirtualMachine { host: host.unwrap_or_else(|_| METADATA_SERVICE.to_owned()) })
            }
        }
    }

    /// URL, API version, and the header that the service requires.
    fn request(&self) -> Result<(Url, &'static str, (HeaderName, HeaderValue)), IdentityError> {
        match self {
            Self::AppService { endpoint, header } => {
                // Linux containers get an address such as http://172.16.5.3:8081/msi/token. The platform sets it together with
                // the header, and its network leads to this app only.
                let url = Url::parse_private(endpoint).map_err(IdentityError::Endpoint)?;
                let mut value = HeaderValue::from_str(header.expose()).map_err(|_| IdentityError::Header)?;
                value.set_sensitive(true);
                Ok((url, "2019-08-01", (HeaderName::from_static("x-identity-header"), value)))
            }
            Self::VirtualMachine { host } => {
                let endpoint = format!("{}/metadata/identity/oauth2/token", host.trim_end_matches('/'));
                let metadata = (HeaderName::from_static("metadata"), HeaderValue::from_static("true"));
                let url = Url::parse_link_local(&endpoint).map_err(IdentityError::Address)?;
                Ok((url, "2018-02-01", metadata))
            }
        }
    }
}

/// A managed identity, and the client of its service.
pub(super) struct ManagedIdentity {
    transport: Transport,
    uri: Uri,
    header: (HeaderName, HeaderValue),
}

impl ManagedIdentity {
    /// Builds the client. Does not connect yet.
    ///
    /// # Errors
    /// [`ConnectorError`] if the service has no usable address.
    pub(super) fn new(
        service: &IdentityService,
        client_id: Option<&str>,
        graph: &Origin,
        network: &Network,
    ) -> Result<Self, ConnectorError> {
        let (endpoint, version, header) = service.request()?;
        let resource = graph.to_string();
        let mut asked = vec![("api-version", version), ("resource", resource.as_str())];
        asked.extend(client_id.map(|id| ("client_id", id)));
        let target = format!("{}?{}", endpoint.path(), query(&asked));
        let address = uri(endpoint.origin(), &target);
        let uri = address.map_err(|_| IdentityError::Address(UrlError::InvalidCharacter))?;
        Ok(Self { transport: Transport::new(endpoint.origin(), network)?, uri, header })
    }

    /// Asks for a token.
    pub(super) async fn grant(&self) -> Result<Grant, TokenError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self.uri.clone();
        let (name, value) = self.header.clone();
        request.headers_mut().insert(name, value);
        let at = |error| self.transport.at(error);
        let response = self.transport.send(request, Repeat::Always, MAX_RESPONSE).await.map_err(at)?;
        match response.status() {
            StatusCode::OK => {
                let body = collect(response.into_body()).await.map_err(at)?;
                granted(&body, Timestamp::now()).map_err(TokenError::Response)
            }
            status @ (StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(TokenError::NoIdentity(status))
            }
            status => Err(unavailable(status, wait(status, response.headers()))),
        }
    }
}
