//! Why the proxy gets no token, in words for the operator.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use super::assertion::CertificateError;
use crate::aadsts::Meaning;
use crate::upstream::error::ServerError;
use crate::upstream::secret::SecretError;

/// How long an application waits after `LoopDetected` (AADSTS50196): one request in a minute is no loop, and MSAL pauses as long.
const LOOP_WAIT: Duration = Duration::from_secs(60);

/// Why the proxy gets no token. The consumer only learns it as a 502 or 503.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TokenError {
    /// The successful response is not as documented (Entra, or a middlebox).
    #[error("the token endpoint's response is not as documented: {0}")]
    Response(ResponseFault),
    /// The issuer asks to wait (Entra): the application, or everybody together, sends it too many requests.
    #[error(
        "the token endpoint responded with status {status} and asks to wait {} s: wait; if it goes on, look for another program that requests tokens of the same application",
        wait.as_secs()
    )]
    Busy {
        /// Its status.
        status: StatusCode,
        /// How long to wait, within a bound.
        wait: Duration,
    },
    /// The certificate cannot sign for the application (configuration).
    #[error("the app registration's certificate cannot be used: {0}")]
    Certificate(#[from] CertificateError),
    /// The task that renews the token was stopped: the program is about to end.
    #[error("the renewal of the token was interrupted")]
    Interrupted,
    /// Entra refused the credential (configuration), or could not serve the request (Entra).
    #[error("{}: {error}{}", what_happened(*.error, *.aadsts), explain(*.aadsts))]
    Refused {
        /// OAuth's error code.
        error: OAuthError,
        /// Entra's own number, `AADSTS…`.
        aadsts: Option<u32>,
    },
    /// The managed identity service refused (configuration of the machine).
    #[error(
        "the managed identity service responded with status {0}: assign an identity to this machine, or name one of the machine's identities in managed_identity.client_id"
    )]
    NoIdentity(StatusCode),
    /// Only an app registration's credential can redeem authorization codes.
    #[error("this kind of credential cannot redeem an authorization code")]
    NoApplication,
    /// The secret or the token cannot be read (configuration).
    #[error("the credential cannot be read: {0}")]
    Secret(#[from] SecretError),
    /// Entra is unavailable (Entra).
    #[error("the token endpoint responded with status {0}")]
    Unavailable(StatusCode),
    /// The request to Entra failed.
    #[error("the token endpoint cannot be reached: {0}")]
    Upstream(#[from] ServerError),
}

impl TokenError {
    /// Whether the same request may succeed in some minutes.
    pub(crate) fn is_temporary(&self) -> bool {
        match self {
            Self::Busy { .. } => true,
            Self::Refused { error, aadsts } => passes(*error, *aadsts),
            Self::Unavailable(status) => status.is_server_error(),
            Self::Certificate(_)
            | Self::Interrupted
            | Self::NoApplication
            | Self::NoIdentity(_)
            | Self::Response(_)
            | Self::Secret(_)
            | Self::Upstream(_) => false,
        }
    }

    /// How long the issuer wants no further request, if it says so.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Busy { wait, .. } => Some(*wait),
            Self::Refused { aadsts: Some(number), .. } if Meaning::of(*number) == Some(Meaning::TooOften) => {
                Some(LOOP_WAIT)
            }
            _ => None,
        }
    }
}

/// What is wrong with a response that should contain a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ResponseFault {
    /// The body is not a JSON object with an id_token.
    #[error("no JSON object with id_token")]
    Identity,
    /// The body is not a JSON object with the documented members.
    #[error("no JSON object with token_type, expires_in and access_token")]
    Json,
    /// `expires_in` is zero or not a number of seconds.
    #[error("expires_in is not a number of seconds")]
    Lifetime,
    /// `access_token` is empty or has characters that a header field cannot hold.
    #[error("access_token is not a token")]
    Token,
    /// `token_type` is not `Bearer`.
    #[error("token_type is not Bearer")]
    Type,
}

/// The error codes of RFC 6749 section 5.2 that Entra uses, and Entra's own. Every other code is `Other`, because no
/// message may repeat text of the response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OAuthError {
    /// The app is unknown, or its secret is wrong.
    InvalidClient,
    /// A policy of the tenant forbids it.
    InvalidGrant,
    /// A parameter is missing or wrong.
    InvalidRequest,
    /// The resource is unknown.
    InvalidResource,
    /// The scope is wrong.
    InvalidScope,
    /// Anything else.
    Other,
    /// Entra is overloaded.
    TemporarilyUnavailable,
    /// The app may not use this grant, or is not in the tenant.
    UnauthorizedClient,
    /// The grant type is unknown.
    UnsupportedGrantType,
}

impl OAuthError {
    pub(super) fn from_code(code: &str) -> Self {
        match code {
            "invalid_client" => Self::InvalidClient,
            "invalid_grant" => Self::InvalidGrant,
            "invalid_request" => Self::InvalidRequest,
            "invalid_resource" => Self::InvalidResource,
            "invalid_scope" => Self::InvalidScope,
            "temporarily_unavailable" => Self::TemporarilyUnavailable,
            "unauthorized_client" => Self::UnauthorizedClient,
            "unsupported_grant_type" => Self::UnsupportedGrantType,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidResource => "invalid_resource",
            Self::InvalidScope => "invalid_scope",
            Self::Other => "an unlisted error code",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        })
    }
}

/// Whether a refusal is about the moment and not about the application.
fn passes(error: OAuthError, aadsts: Option<u32>) -> bool {
    let meaning = aadsts.and_then(Meaning::of);
    let is_of_the_moment = matches!(meaning, Some(Meaning::TooOften | Meaning::Unavailable));
    is_of_the_moment || (meaning.is_none() && error == OAuthError::TemporarilyUnavailable)
}

fn what_happened(error: OAuthError, aadsts: Option<u32>) -> &'static str {
    if passes(error, aadsts) { "Entra could not serve the request" } else { "Entra refused the credential" }
}

fn explain(aadsts: Option<u32>) -> String {
    let Some(number) = aadsts else {
        return String::new();
    };
    let advice = Meaning::of(number).map(|meaning| format!(": {}", advice(meaning))).unwrap_or_default();
    format!(" (AADSTS{number}){advice}")
}

/// What an operator can do.
fn advice(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::AccountElsewhere | Meaning::AccountUnknown => {
            "the account is not in this tenant: check upstream.tenant"
        }
        Meaning::ApplicationDisabled => {
            "the app is disabled in the tenant: enable it under Enterprise applications"
        }
        Meaning::ApplicationUnknown => {
            "the app is not in this tenant: check upstream.client_id and upstream.tenant, and grant consent"
        }
        Meaning::ApprovalPending => {
            "an administrator has to approve the consent: see Admin consent requests under Enterprise applications"
        }
        Meaning::ConsentCollided => {
            "another consent was under way, or the app was removed some minutes ago: wait 15 minutes and consent again"
        }
        Meaning::SignInPermission => {
            "nobody has consented to the app's sign-in: grant admin consent to the delegated permission User.Read"
        }
        Meaning::AssertionNotNow => {
            "the assertion is not valid now: set this host's clock, or make sure that the federated token is renewed"
        }
        Meaning::CertificateUnknown => {
            "the certificate is not the app's, or has expired: upload upstream.credential's certificate to the app registration"
        }
        Meaning::ConsentMissing | Meaning::NotAdministrator => {
            "nobody has consented to the app's permissions: an administrator grants consent under API permissions"
        }
        Meaning::CredentialMissing => {
            "the app's credential is missing from the request, or the app allows public client flows: check upstream.credential, and set \"Allow public client flows\" to No"
        }
        Meaning::Declined => "the consent was declined: ask an administrator to grant it",
        Meaning::FederatedAudience => {
            "the federated token's audience is not trusted: compare its `aud` with the app's federated credential"
        }
        Meaning::FederatedIssuer => {
            "the federated token's issuer is not trusted: compare its `iss` with the app's federated credential"
        }
        Meaning::FederatedNone => {
            "no federated credential of the app fits the token: compare its `iss`, `sub` and `aud` with them, letter by letter; a new one takes some minutes"
        }
        Meaning::FederatedSubject => {
            "the federated token's subject is not trusted: compare its `sub` with the app's federated credential"
        }
        Meaning::NotAssigned => {
            "the app needs an assignment: see \"Assignment required?\" under Enterprise applications"
        }
        Meaning::Permissions => {
            "the app registration's permissions cannot be granted: check its API permissions"
        }
        Meaning::Policy => "a Conditional Access policy blocks the app: allow this host's address in it",
        Meaning::RedirectUri => "the app registration lacks the redirect URI: add it under Authentication",
        Meaning::ResourceUnknown => {
            "Graph is not known in this tenant: check that upstream.graph belongs to the tenant's cloud"
        }
        Meaning::Scope => {
            "the scope is wrong: check upstream.graph, it must be a Graph host of the authority's cloud"
        }
        Meaning::SecretExpired => "the client secret has expired: make a new one in the app registration",
        Meaning::SecretWrong => "the client secret is wrong: use the secret's Value, not its Secret ID",
        Meaning::TenantMalformed => "the tenant is neither an id nor a domain: check upstream.tenant",
        Meaning::TenantUnknown => {
            "the tenant does not exist: check upstream.tenant, and that the authority belongs to the tenant's cloud"
        }
        Meaning::TooOften => {
            "Entra got too many requests: wait some minutes, and look for another program with the same client_id"
        }
        Meaning::Unavailable => "Entra has a problem that passes: wait some minutes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_number_comes_with_advice_and_another_without() {
        let refused = |aadsts| TokenError::Refused { error: OAuthError::InvalidClient, aadsts }.to_string();
        assert_eq!(
            refused(Some(7000215)),
            "Entra refused the credential: invalid_client (AADSTS7000215): \
             the client secret is wrong: use the secret's Value, not its Secret ID"
        );
        for (number, advice) in [
            (70_021, "`iss`, `sub` and `aud`"),
            (7_000_218, "public client flows"),
            (65_001, "grants consent"),
        ] {
            assert!(refused(Some(number)).contains(advice), "{}", refused(Some(number)));
        }
        assert_eq!(refused(Some(1)), "Entra refused the credential: invalid_client (AADSTS1)");
        assert_eq!(refused(None), "Entra refused the credential: invalid_client");
    }

    /// Regression: the credential was blamed.
    #[test]
    fn a_problem_of_entra_is_not_one_of_the_credential() {
        let refused = |error, aadsts| TokenError::Refused { error, aadsts };
        for (error, aadsts, text) in [
            (
                OAuthError::TemporarilyUnavailable,
                None,
                "Entra could not serve the request: temporarily_unavailable",
            ),
            (
                OAuthError::Other,
                Some(90_033),
                "Entra could not serve the request: an unlisted error code (AADSTS90033): \
                 Entra has a problem that passes: wait some minutes",
            ),
        ] {
            let error = refused(error, aadsts);
            assert!(error.is_temporary());
            assert_eq!(error.to_string(), text);
        }
        assert!(refused(OAuthError::InvalidGrant, Some(50_196)).is_temporary());
        assert!(TokenError::Unavailable(StatusCode::BAD_GATEWAY).is_temporary());
        for error in [
            refused(OAuthError::InvalidClient, None),
            refused(OAuthError::TemporarilyUnavailable, Some(7_000_215)),
            TokenError::Unavailable(StatusCode::NOT_FOUND),
        ] {
            assert!(!error.is_temporary(), "{error}");
        }
    }

    #[test]
    fn every_listed_code_reads_as_it_is_written() {
        for code in
            ["invalid_client", "invalid_grant", "invalid_request", "invalid_resource", "invalid_scope"]
        {
            assert_eq!(OAuthError::from_code(code).to_string(), code);
        }
        for code in ["temporarily_unavailable", "unauthorized_client", "unsupported_grant_type"] {
            assert_eq!(OAuthError::from_code(code).to_string(), code);
        }
        assert_eq!(OAuthError::from_code("alice@contoso.com"), OAuthError::Other);
    }
}
