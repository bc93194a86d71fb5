//! The access token of each application: whether Entra issues one, and the token's claims.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::clock::in_words;
use super::findings::Finding;
use super::network::NO_TENANT;
use super::secrets::place;
use crate::aadsts::Meaning;
use crate::config::UpstreamCredential;
use crate::upstream::{AccessToken, OAuthError, TokenError, TokenSource};
use glassine_core::grants::AccessClaims;

/// How long to wait for an application's token. Entra takes a second.
const LIMIT: Duration = Duration::from_secs(10);

/// Why there is no token.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum NoToken {
    #[error(transparent)]
    Error(#[from] TokenError),
    #[error("no token came within {} s", LIMIT.as_secs())]
    Late,
}

/// The claims of a token. `None` if the token cannot be read.
pub(super) type Claims = Option<Arc<AccessClaims>>;

pub(super) async fn ask(tokens: &TokenSource) -> Result<Claims, NoToken> {
    let token = get(tokens).await?;
    Ok(AccessClaims::read(token.secret().expose()).map(Arc::new))
}

pub(super) async fn get(tokens: &TokenSource) -> Result<Arc<AccessToken>, NoToken> {
    Ok(timeout(LIMIT, tokens.token()).await.map_err(|_| NoToken::Late)??)
}

/// `now` in seconds since 1970.
pub(super) fn check(
    result: &Result<Claims, NoToken>,
    credential: &UpstreamCredential,
    check: &str,
    now: i64,
) -> Finding {
    match result {
        Err(NoToken::Error(error)) => Finding::fail(check, error.to_string(), advice(error, credential)),
        Err(NoToken::Late) => Finding::fail(check, NoToken::Late.to_string(), NETWORK),
        Ok(None) => Finding::ok(
            check,
            "Entra issues a token, but its permissions are unknown: the token cannot be read here",
        ),
        Ok(Some(claims)) => read(claims, check, now),
    }
}

const UNAVAILABLE: &str = "wait some minutes and run the doctor again; see https://status.cloud.microsoft";

const NETWORK: &str = "see the network section; if it is fine, run the doctor again";

fn read(claims: &AccessClaims, check: &str, now: i64) -> Finding {
    let ends = claims.expires.map(|ends| ends.saturating_sub(now));
    if let Some(past) = ends.filter(|ends| *ends <= 0) {
        let message = format!("the token expired {} ago", in_words(past.unsigned_abs()));
        let advice = "have whatever writes the token renew it in time, or let the proxy get its own: `client_secret_file`";
        return Finding::fail(check, message, advice);
    }
    if claims.scopes.is_some() {
        return Finding::warn(
            check,
            "the token acts for a person (delegated permissions)",
            "use an application's own credential: what a person may read changes with the person",
        );
    }
    let ends = ends.map(|ends| format!(", ends in {}", in_words(ends.unsigned_abs()))).unwrap_or_default();
    Finding::ok(check, format!("an application's token, with permissions: {}{ends}", claims.roles.len()))
}

/// What to do if there is no token.
fn advice(error: &TokenError, credential: &UpstreamCredential) -> String {
    match error {
        TokenError::Refused { aadsts: Some(number), .. } => refused(*number, credential),
        TokenError::Unavailable(_)
        | TokenError::Refused { error: OAuthError::TemporarilyUnavailable, aadsts: None } => {
            UNAVAILABLE.to_owned()
        }
        TokenError::Refused { aadsts: None, .. } | TokenError::NoApplication => {
            "compare `upstream.tenant`, `upstream.client_id` and the credential with the app registration"
                .to_owned()
        }
        TokenError::Certificate(_) => {
            "name a certificate of the app registration and its private key: `certificate_file`, `private_key_file`".to_owned()
        }
        TokenError::NoIdentity(_) => "Azure portal, this machine, Identity: set \"System assigned\" to On, or add a user-assigned \
                                      identity and name it as `managed_identity: { client_id: … }`"
            .to_owned(),
        TokenError::Secret(_) => format!("write the secret into {}", secret(credential)),
        TokenError::Busy { .. } => {
            "wait that long and run the doctor again; if it goes on, look for another program that uses the same application"
                .to_owned()
        }
        TokenError::Response(_) => {
            "compare `upstream.authority` with the documentation of your cloud".to_owned()
        }
        TokenError::Interrupted | TokenError::Upstream(_) => NETWORK.to_owned(),
    }
}

fn refused(aadsts: u32, credential: &UpstreamCredential) -> String {
    let otherwise = || format!("read what it means: https://login.microsoftonline.com/error?code={aadsts}");
    let Some(meaning) = Meaning::of(aadsts) else { return otherwise() };
    match meaning {
        Meaning::SecretWrong | Meaning::SecretExpired => format!(
            "Entra admin center, App registrations, the application, Certificates & secrets: New client secret\n\
             write its Value, not its Secret ID, into {}",
            secret(credential)
        ),
        Meaning::TenantUnknown | Meaning::TenantMalformed | Meaning::AccountUnknown => NO_TENANT.to_owned(),
        Meaning::ApplicationUnknown => "set `client_id` to the Application (client) ID on the Overview page of an app registration in this tenant"
            .to_owned(),
        Meaning::ApplicationDisabled => "Entra admin center, Enterprise applications, the application, Properties: \
                      set \"Enabled for users to sign-in?\" to Yes"
            .to_owned(),
        Meaning::Policy => "Entra admin center, Protection, Conditional Access: exclude the application, or allow this machine's address"
            .to_owned(),
        Meaning::ResourceUnknown | Meaning::Scope => "set `upstream.graph` to the Graph of the same cloud as `upstream.authority`".to_owned(),
        Meaning::AssertionNotNow => "set this machine's clock; see the clock section".to_owned(),
        Meaning::CertificateUnknown => "upload the certificate that the configuration names: Entra admin center, App registrations, \
                    the application, Certificates & secrets, Certificates"
            .to_owned(),
        Meaning::TooOften => "wait some minutes; if it goes on, look for another program that requests tokens of the same application"
            .to_owned(),
        Meaning::Unavailable => UNAVAILABLE.to_owned(),
        Meaning::ConsentMissing | Meaning::NotAdministrator => "Entra admin center, App registrations, the application, API permissions: \
                    Grant admin consent"
            .to_owned(),
        Meaning::CredentialMissing => "Entra admin center, App registrations, the application, Authentication: \
                    set \"Allow public client flows\" to No"
            .to_owned(),
        Meaning::FederatedNone | Meaning::FederatedIssuer | Meaning::FederatedAudience | Meaning::FederatedSubject => {
            "compare the token's `iss`, `sub` and `aud`, letter by letter: Entra admin center, App registrations, \
                    the application, Certificates & secrets, Federated credentials"
                .to_owned()
        }
        Meaning::AccountElsewhere
        | Meaning::ApprovalPending
        | Meaning::ConsentCollided
        | Meaning::Declined
        | Meaning::NotAssigned
        | Meaning::Permissions
        | Meaning::RedirectUri
        | Meaning::SignInPermission => otherwise(),
    }
}

fn secret(credential: &UpstreamCredential) -> String {
    credential.secret().map_or_else(|| "its file".to_owned(), |(_, source)| place(&source))
}
