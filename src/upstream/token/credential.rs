//! The credentials with which the proxy gets access tokens for Graph.

use std::path::PathBuf;
use std::time::Duration;

use super::assertion::CertificateFiles;
use super::entra::{Application, difference};
use super::identity::{IdentityService, ManagedIdentity};
use super::{AuthorizationCode, Grant, Lifetime, TokenError, TokenSettings};
use crate::upstream::clock::WRONG_CLOCK;
use crate::upstream::connector::ConnectorError;
use crate::upstream::network::Network;
use crate::upstream::secret::{Secret, SecretSource};
use glassine_core::graph::Origin;

/// How long each step of a renewal may take. Requests may wait for it, and a token endpoint responds within a second.
const LIMIT: Duration = Duration::from_secs(20);

/// Where access tokens for Graph come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A token in an environment variable. It cannot be renewed, so this is for trials.
    AccessTokenEnv(String),
    /// A token that another program keeps fresh in a file.
    AccessTokenFile(PathBuf),
    /// An app registration (OAuth 2.0 client credentials grant, RFC 6749 section 4.4).
    Application {
        /// Entra's origin: `https://login.microsoftonline.com`, or that of a national cloud.
        authority: Origin,
        /// The tenant's id or one of its domains.
        tenant: String,
        /// The app registration's id.
        client_id: String,
        /// How the proxy authenticates as this application.
        proof: Proof,
    },
    /// A managed identity: Azure gives it to the machine that the proxy runs on.
    ManagedIdentity {
        /// The service that issues its tokens.
        service: IdentityService,
        /// Which of the machine's identities. `None`: the system-assigned one, or the only one.
        client_id: Option<String>,
    },
}

/// How an application authenticates at the token endpoint. The files and variables are read again for each renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// An assertion signed with the key of a registered certificate (RFC 7523 section 2.2).
    Certificate(CertificateFiles),
    /// A token of another issuer that the app registration trusts (workload identity federation). Kubernetes, a SPIFFE
    /// agent or another cloud keeps it fresh.
    FederatedToken(SecretSource),
    /// A client secret (RFC 6749 section 2.3.1).
    Secret(SecretSource),
}

/// What issues the tokens for a credential.
pub(super) enum Issuer {
    Application(Box<Application>),
    Env(SecretSource),
    File(SecretSource),
    Identity(Box<ManagedIdentity>),
}

impl Issuer {
    pub(super) fn new(settings: TokenSettings) -> Result<Self, ConnectorError> {
        let TokenSettings { credential, graph, network, pace: _ } = settings;
        let network = Network { timeouts: network.timeouts.within(LIMIT), ..network };
        Ok(match credential {
            Credential::AccessTokenEnv(name) => Self::Env(SecretSource::Env(name)),
            Credential::AccessTokenFile(path) => Self::File(SecretSource::File(path)),
            Credential::Application { authority, tenant, client_id, proof } => {
                let place = (&authority, tenant.as_str());
                let application = Application::new(place, client_id, proof, &graph, &network)?;
                Self::Application(Box::new(application))
            }
            Credential::ManagedIdentity { service, client_id } => {
                let identity = ManagedIdentity::new(&service, client_id.as_deref(), &graph, &network)?;
                Self::Identity(Box::new(identity))
            }
        })
    }

    pub(super) async fn grant(&self) -> Result<Grant, TokenError> {
        match self {
            Self::Application(application) => application.grant().await,
            Self::Env(source) => Ok(Grant { secret: source.read().await?, lifetime: Lifetime::Unknown }),
            Self::File(source) => Ok(Grant { secret: source.read().await?, lifetime: Lifetime::ReadAgain }),
            Self::Identity(identity) => identity.grant().await,
        }
    }

    /// How many seconds this machine's clock is ahead of an issuer's that shows its time.
    pub(super) fn clock_ahead(&self) -> Option<i64> {
        match self {
            Self::Application(application) => Some(application.clock_ahead()),
            Self::Env(_) | Self::File(_) | Self::Identity(_) => None,
        }
    }

    /// Why this machine's clock is wrong, by an issuer's responses; `None` if it is right, or the issuer does not show it.
    pub(super) fn wrong_clock(&self) -> Option<String> {
        let ahead = self.clock_ahead().filter(|ahead| ahead.unsigned_abs() >= WRONG_CLOCK)?;
        Some(difference(ahead))
    }

    /// Redeems an authorization code. Only an app registration can.
    pub(super) async fn redeem(&self, code: &AuthorizationCode<'_>) -> Result<Secret, TokenError> {
        match self {
            Self::Application(application) => application.redeem(code).await,
            Self::Env(_) | Self::File(_) | Self::Identity(_) => Err(TokenError::NoApplication),
        }
    }
}
