//! The two servers that the proxy asks: Microsoft Graph, and Microsoft Entra ID for the token that opens Graph.
//!
//! ```text
//!  TokenSource ── form POST ─▶ Entra        GraphClient ── GET ─▶ Graph
//!       │                                        │
//!       └──────────────── transport ─────────────┘
//!            connector (DNS, TCP, TLS, each with its limit), pool, UpstreamBody (bounds, time limits)
//! ```
//!
//! Nothing here reads what a response means. No redirect is followed and no cookie kept; a proxy of `HTTPS_PROXY` is a tunnel
//! for TLS that ends at the configured server. Errors say who is to blame and
//! carry nothing of what the other side sent, so that they can be logged as they are.

mod body;
mod client;
mod connector;
mod document;
mod error;
mod network;
mod probe;
mod proxies;
mod request;
mod secret;
mod timeouts;
mod token;
mod transport;
mod uri;

pub use body::UpstreamBody;
pub use client::{GraphClient, MAX_BODY, Settings};
pub use connector::ConnectorError;
pub use document::{DocumentClient, DocumentError, MAX_DOCUMENT};
pub use error::{Phase, UpstreamError};
pub use network::Network;
pub use probe::{Probe, ProbeResponse};
pub use proxies::{Proxies, ProxyError};
pub use request::{ConsistencyLevel, MediaType, RequestHeaders, RequestId};
pub use secret::{MAX_SECRET, Secret, SecretError, SecretSource};
pub use timeouts::Timeouts;
pub use token::{
    AccessToken, AuthorizationCode, CertificateError, CertificateFiles, CertificateKey, Credential,
    IdentityError, IdentityService, OAuthError, Proof, RenewalTimes, ResponseFault, TokenError,
    TokenSettings, TokenSource,
};
