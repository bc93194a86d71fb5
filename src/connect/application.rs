//! The app registration of a connector: its consent page, the redemption of its codes, and its granted permissions.

use std::sync::Arc;

use super::tenant::{Directory, Tenant, TenantError};
use crate::upstream::{AuthorizationCode, Secret, TokenError, TokenSource};
use glassine_core::grants::AccessClaims;

/// An app registration.
pub(super) struct Application {
    pub(super) client_id: String,
    /// Entra's origin.
    pub(super) authority: String,
    /// `.default`: all permissions that the app registration lists for Graph. Entra grants application permissions only
    /// together.
    pub(super) scope: String,
    pub(super) directory: Arc<Directory>,
    /// The source of the access tokens with which the proxy also makes the consumer's requests.
    pub(super) tokens: Arc<TokenSource>,
}

impl Application {
    /// The tenant of the app registration.
    pub(super) async fn tenant(&self) -> Result<Arc<Tenant>, TenantError> {
        self.directory.tenant().await
    }

    /// The URL of the admin consent page, without parameters.
    pub(super) fn consent_url(&self, tenant: &str) -> String {
        format!("{}/{tenant}/v2.0/adminconsent", self.authority)
    }

    /// Redeems a code for an id_token, which the caller must verify.
    pub(super) async fn redeem(&self, code: AuthorizationCode<'_>) -> Result<Secret, TokenError> {
        self.tokens.redeem_code(code).await
    }

    /// The application permissions that are granted now, read from a fresh access token. The signature is not verified:
    /// the token comes directly from Entra, and Graph verifies it. `None` if the token cannot be read.
    pub(super) async fn roles(&self) -> Result<Option<Vec<String>>, TokenError> {
        let token = self.tokens.renewed().await?;
        Ok(AccessClaims::read(token.secret().expose()).map(|claims| claims.roles))
    }
}
