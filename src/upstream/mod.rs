//! Clients of Microsoft Graph, and of Microsoft Entra ID for the access token.
//!
//! ```text
//!  TokenSource ── form POST ─▶ Entra        GraphClient ── GET ─▶ Graph
//!       │                                        │
//!       └──────────────── transport ─────────────┘
//!            connector (DNS, TCP, TLS), pool (connections), UpstreamBody (bounds, time limits)
//! ```
//!
//! `gate` bounds how many requests of one application are at Graph at once; `retry_after` reads how long Graph asks to wait.
//!
//! This module does not interpret Graph's responses. It follows no redirects and keeps no cookies. The proxy of
//! `HTTPS_PROXY` only tunnels TLS to the configured server. Errors name the likely cause and repeat nothing that the
//! server sent, so they can be logged.

mod body;
mod client;
mod clock;
mod connector;
mod document;
mod error;
mod gate;
mod inquiry;
mod network;
mod pool;
mod post;
mod probe;
mod proxies;
mod request;
mod retry_after;
mod secret;
mod timeouts;
mod token;
mod transport;
mod uri;

pub use body::UpstreamBody;
pub(crate) use client::MAX_BODY;
pub use client::{GraphClient, Settings};
pub(crate) use clock::{WRONG_CLOCK, clock_ahead};
pub use connector::ConnectorError;
pub use document::{DocumentClient, DocumentError};
pub use error::{Phase, ServerError, UpstreamError};
pub use gate::{Arrival, Closed, Entry, Gate, GateLimits, GatedBody, Lane, Pass, Place};
pub(crate) use inquiry::{Inquirer, Inquiry, InquiryResponse};
pub use network::Network;
pub use pool::PoolLimits;
pub use post::{PostClient, PostError};
pub use probe::{Probe, ProbeResponse};
pub use proxies::{Proxies, ProxyError};
pub use request::{ConsistencyLevel, MediaType, RequestHeaders, RequestId};
pub use retry_after::retry_after;
pub(crate) use secret::MAX_SECRET;
pub use secret::{Secret, SecretError, SecretSource};
pub use timeouts::Timeouts;
pub use token::{
    AccessToken, AuthorizationCode, CertificateError, CertificateFiles, CertificateKey, Credential,
    IdentityError, IdentityService, OAuthError, Proof, RenewalTimes, ResponseFault, TokenError, TokenHealth,
    TokenInUse, TokenSettings, TokenSource,
};
