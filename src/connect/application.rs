//! The app registration of a connector: where it sends people, what it redeems, and what it was granted.

use std::sync::Arc;

use super::tenant::{Directory, Tenant, TenantError};
use crate::upstream::{AuthorizationCode, Secret, TokenError, TokenSource};
use glassine_core::grants::AccessClaims;

/// An app registration.
pub(super) struct Application {
    pub(super) client_id: String,
    /// Entra's origin.
    pub(super) authority: String,
    /// Everything that the app registration lists for Graph: application permissions are consented to as a whole.
    pub(super) scope: String,
    pub(super) directory: Arc<Directory>,
    /// The same tokens that the consumer's requests are made with.
    pub(super) tokens: Arc<TokenSource>,
}

impl Application {
    /// The tenant that it is registered in.
    pub(super) async fn tenant(&self) -> Result<Arc<Tenant>, TenantError> {
        self.directory.tenant().await
    }

    /// Where an administrator consents, without parameters.
    pub(super) fn consent_url(&self, tenant: &str) -> String {
        format!("{}/{tenant}/v2.0/adminconsent", self.authority)
    }

    /// Redeems a code for an id_token that nobody has verified yet.
    pub(super) async fn redeem(&self, code: AuthorizationCode<'_>) -> Result<Secret, TokenError> {
        self.tokens.redeem_code(code).await
    }

    /// The application permissions that it has now. The token comes from Entra itself and is for Graph: its signature is
    /// Graph's to verify, and its claims are only shown. A token that cannot be read has no roles.
    pub(super) async fn roles(&self) -> Result<Vec<String>, TokenError> {
        let token = self.tokens.renewed().await?;
        Ok(AccessClaims::read(token.secret().expose()).unwrap_or_default().roles)
    }
}
