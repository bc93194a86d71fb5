//! Gets tokens for an app registration from the token endpoint of the Microsoft identity platform v2.0 (RFC 6749
//! section 4.4; Microsoft, "OAuth 2.0 client credentials flow on the Microsoft identity platform").

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, Request, Uri};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::assertion::Thumbprint;
use super::credential::Proof;
use super::error::TokenError;
use super::form::Form;
use super::response::{MAX_RESPONSE, accepted, collect, granted, identified, wait};
use super::{AuthorizationCode, Grant};
use crate::upstream::clock::{WRONG_CLOCK, clock_ahead};
use crate::upstream::connector::ConnectorError;
use crate::upstream::network::Network;
use crate::upstream::secret::Secret;
use crate::upstream::transport::{Repeat, Transport};
use crate::upstream::uri::uri;
use glassine_core::graph::Origin;

/// RFC 7523 section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An app registration, and the client of its token endpoint.
pub(super) struct Application {
    transport: Transport,
    endpoint: Uri,
    client_id: String,
    proof: Proof,
    scope: String,
    /// Entra has found the certificate by its SHA-1 thumbprint only.
    by_sha1: AtomicBool,
    /// How many seconds this machine's clock is ahead of Entra's, as the last response with a `Date` showed it.
    ahead: AtomicI64,
}

/// Entra knows no certificate of the application by this thumbprint.
const CERTIFICATE_UNKNOWN: u32 = 700_027;

/// What the application sends to authenticate.
enum Presented {
    Assertion(Secret),
    Secret(Secret),
}

impl Application {
    /// Builds the client. Does not connect yet.
    ///
    /// # Errors
    /// [`ConnectorError`] if TLS cannot be set up or the tenant is neither an id nor a domain.
    pub(super) fn new(
        (authority, tenant): (&Origin, &str),
        client_id: String,
        proof: Proof,
        graph: &Origin,
        network: &Network,
    ) -> Result<Self, ConnectorError> {
        let endpoint = token_endpoint(authority, tenant).ok_or(ConnectorError::Tenant)?;
        let transport = Transport::new(authority, network)?;
        let (scope, by_sha1) = (format!("{graph}/.default"), AtomicBool::new(false));
        Ok(Self { transport, endpoint, client_id, proof, scope, by_sha1, ahead: AtomicI64::new(0) })
    }

    /// Asks for a token.
    pub(super) async fn grant(&self) -> Result<Grant, TokenError> {
        let response =
            self.ask("client_credentials", &[("scope", self.scope.as_str())], Repeat::Always).await?;
        granted(&response, Timestamp::now()).map_err(TokenError::Response)
    }

    /// Redeems an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5) for an id_token.
    pub(super) async fn redeem(&self, code: &AuthorizationCode<'_>) -> Result<Secret, TokenError> {
        let own = [
            ("scope", "openid profile"),
            ("code", code.code),
            ("code_verifier", code.verifier),
            ("redirect_uri", code.redirect_uri),
        ];
        let response = self.ask("authorization_code", &own, Repeat::Unprocessed).await?;
        identified(&response).map_err(TokenError::Response)
    }

    /// Sends a token request. Returns the body of a successful response. If Entra does not find the certificate by the
    /// thumbprint in the assertion, names it once more by the other one.
    async fn ask(
        &self,
        grant: &str,
        own: &[(&str, &str)],
        repeat: Repeat,
    ) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        let by_sha1 = self.by_sha1.load(Ordering::Relaxed);
        let (first, other) = match by_sha1 {
            false => (Thumbprint::Sha256, Thumbprint::Sha1),
            true => (Thumbprint::Sha1, Thumbprint::Sha256),
        };
        let refused = match self.ask_by(first, grant, own, repeat).await {
            Err(error) if self.may_be_known_otherwise(&error) => error,
            done => return done,
        };
        let again = self.ask_by(other, grant, own, repeat).await;
        match &again {
            Err(error) if self.may_be_known_otherwise(error) => return Err(refused),
            Ok(_) => {
                tracing::warn!(
                    "Entra found the certificate of the app registration by its other thumbprint only"
                );
                self.by_sha1.store(!by_sha1, Ordering::Relaxed);
            }
            Err(_) => {}
        }
        again
    }

    fn may_be_known_otherwise(&self, error: &TokenError) -> bool {
        let is_unknown = matches!(error, TokenError::Refused { aadsts: Some(CERTIFICATE_UNKNOWN), .. });
        is_unknown && matches!(self.proof, Proof::Certificate(_))
    }

    async fn ask_by(
        &self,
        thumbprint: Thumbprint,
        grant: &str,
        own: &[(&str, &str)],
        repeat: Repeat,
    ) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        let form = self.form(grant, own, &self.present(thumbprint).await?);
        let mut request = Request::new(Bytes::from_owner(form));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let at = |error| self.transport.at(error);
        let response = self.transport.send(request, repeat, MAX_RESPONSE).await.map_err(at)?;
        self.compare_clocks(response.headers());
        let (status, wait) = (response.status(), wait(response.status(), response.headers()));
        accepted(status, wait, collect(response.into_body()).await.map_err(at)?)
    }

    /// How many seconds this machine's clock is ahead of Entra's.
    pub(super) fn clock_ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    /// The log has a wrong clock once, and once more if it is right in between.
    fn compare_clocks(&self, headers: &HeaderMap) {
        let Some(ahead) = clock_ahead(headers, Timestamp::now()) else { return };
        let before = self.ahead.swap(ahead, Ordering::Relaxed);
        if ahead.unsigned_abs() >= WRONG_CLOCK && before.unsigned_abs() < WRONG_CLOCK {
            tracing::warn!(
                reason = difference(ahead),
                "the clock of this machine is wrong: set it and keep it set"
            );
        }
    }

    async fn present(&self, thumbprint: Thumbprint) -> Result<Presented, TokenError> {
        Ok(match &self.proof {
            Proof::Certificate(files) => {
                let (key, endpoint) = (files.read().await?, self.endpoint.to_string());
                let assertion = key.assertion(&self.client_id, &endpoint, thumbprint, Timestamp::now())?;
                Presented::Assertion(assertion)
            }
            Proof::FederatedToken(token) => Presented::Assertion(token.read().await?),
            Proof::Secret(secret) => Presented::Secret(secret.read().await?),
        })
    }

    fn form(&self, grant: &str, own: &[(&str, &str)], proof: &Presented) -> Form {
        let mut fields = vec![("grant_type", grant), ("client_id", self.client_id.as_str())];
        fields.extend_from_slice(own);
        match proof {
            Presented::Assertion(assertion) => fields.extend([
                ("client_assertion_type", ASSERTION_TYPE),
                ("client_assertion", assertion.expose()),
            ]),
            Presented::Secret(secret) => fields.push(("client_secret", secret.expose())),
        }
        Form::new(&fields)
    }
}

/// A difference of clocks, for people.
pub(super) fn difference(ahead: i64) -> String {
    let side = if ahead < 0 { "behind" } else { "ahead of" };
    format!("{} s {side} Entra's", ahead.unsigned_abs())
}

/// The URL of the tenant's token endpoint. `None` if the tenant is neither an id nor a domain: it is part of the path,
/// and must not change the rest of it.
fn token_endpoint(authority: &Origin, tenant: &str) -> Option<Uri> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    let dots_only = tenant.bytes().all(|b| b == b'.');
    if dots_only || !tenant.bytes().all(plain) {
        return None;
    }
    uri(authority, &format!("/{tenant}/oauth2/v2.0/token")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_cannot_change_the_path() {
        let entra = Origin::parse("https://login.microsoftonline.com").unwrap();
        let endpoint = token_endpoint(&entra, "contoso.onmicrosoft.com").unwrap();
        assert_eq!(endpoint, "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token");
        for bad in ["", ".", "..", "a/b", "a?b", "a#b", "a%2fb", "a b"] {
            assert_eq!(token_endpoint(&entra, bad), None, "{bad:?}");
        }
    }
}
