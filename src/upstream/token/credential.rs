//! How the proxy proves to Graph who it is.

use std::path::PathBuf;

use super::assertion::CertificateFiles;
use super::identity::IdentityService;
use crate::upstream::secret::SecretSource;
use glassine_core::graph::Origin;

/// A way to access tokens for Graph. To add one, add a variant here, one of `Issuer`, and a key in
/// `config::UpstreamCredential`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A token in an environment variable: for trials, as it cannot be renewed.
    AccessTokenEnv(String),
    /// A token that another program keeps fresh in a file.
    AccessTokenFile(PathBuf),
    /// An app registration (OAuth 2.0 client credentials grant, RFC 6749 section 4.4).
    Application {
        /// Where Entra is, `https://login.microsoftonline.com` or a national cloud.
        authority: Origin,
        /// The tenant's id or one of its domains.
        tenant: String,
        /// The app registration's id.
        client_id: String,
        /// How it proves that it is that application.
        proof: Proof,
    },
    /// An identity that Azure gives to the machine that the proxy runs on.
    ManagedIdentity {
        /// Who hands its tokens out.
        service: IdentityService,
        /// Which of the machine's identities; without it the system-assigned one, or the only one.
        client_id: Option<String>,
    },
}

/// How an application proves at the token endpoint who it is. What is named is read anew for each renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// An assertion signed with the key of a registered certificate (RFC 7523 section 2.2).
    Certificate(CertificateFiles),
    /// A token of another issuer that the app registration trusts: workload identity federation. Kubernetes, a SPIFFE agent
    /// or another cloud keeps it fresh.
    FederatedToken(SecretSource),
    /// A client secret (RFC 6749 section 2.3.1).
    Secret(SecretSource),
}
