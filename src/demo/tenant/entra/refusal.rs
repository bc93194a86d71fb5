//! The look-alike's errors, in Entra's words and with Entra's numbers. Like the real ones, the texts contain data from
//! the request and the tenant. The proxy must not pass them on, and tests check that it does not.
//!
//! Source: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

/// An error of Entra.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("The request body must contain the following parameter: '{0}'.")]
    Missing(&'static str),
    #[error("Invalid request. Request is malformed or invalid.")]
    Malformed,
    #[error("The endpoint only accepts {expected} requests. Received a {received} request.")]
    Method { expected: &'static str, received: String },
    #[error("There is an issue with the sign-in service.")]
    Internal,
    /// The seconds of `Retry-After`.
    #[error("There are too many incoming requests.")]
    Throttled(Option<u64>),
    #[error(
        "The server terminated an operation because it encountered a client request loop. Please contact your app \
         vendor."
    )]
    Loop,
    #[error(
        "Tenant '{0}' not found. Check to make sure you have the correct tenant ID and are signing into the correct \
         cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for \
         the tenant."
    )]
    TenantUnknown(String),
    #[error("Specified tenant identifier '{0}' is neither a valid DNS name, nor a valid external domain.")]
    TenantForm(String),
    #[error("The app requested an unsupported grant type '{0}'.")]
    GrantType(String),
    #[error(
        "The provided value for scope {0} is not valid. Client credential flows must have a scope value with /.default \
         suffixed to the resource identifier (application ID URI)."
    )]
    ClientScope(String),
    #[error("The provided value for the input parameter 'scope' is not valid. The scope '{0}' is not valid.")]
    Scope(String),
    #[error(
        "The resource principal named {0} was not found in the tenant named Tallgrass Paper. This can happen if the \
         application has not been installed by the administrator of the tenant or consented to by any user in the \
         tenant. You might have sent your authentication request to the wrong tenant."
    )]
    Resource(String),
    #[error(
        "Application with identifier '{0}' was not found in the directory 'Tallgrass Paper'. This can happen if the \
         application has not been installed by the administrator of the tenant or consented to by any user in the \
         tenant. You may have sent your authentication request to the wrong tenant."
    )]
    Client(String),
    #[error("Application '{client_id}'({name}) is disabled.")]
    Disabled { client_id: String, name: String },
    #[error(
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."
    )]
    NoCredential,
    #[error("The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")]
    NoCredentialForCode,
    #[error(
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not \
         the client secret ID, for a secret added to app '{0}'."
    )]
    Secret(String),
    #[error(
        "The provided client secret keys for app '{0}' are expired. Visit the Azure portal to create new keys for your \
         app, or consider using certificate credentials for added security."
    )]
    SecretExpired(String),
    #[error("JWT token is invalid or malformed.")]
    AssertionForm,
    #[error(
        "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - \
         The key was not found., Thumbprint of key used by client: '{0}'. Please visit the Azure Portal.]"
    )]
    AssertionKey(String),
    #[error(
        "Client assertion contains an invalid signature. [Reason - The key used is expired., Thumbprint of key used by \
         client: '{0}']"
    )]
    AssertionKeyExpired(String),
    #[error(
        "Client assertion failed signature validation. [Reason - The signature or its algorithm is not valid.]"
    )]
    AssertionSignature,
    #[error(
        "Client assertion application identifier doesn't match 'client_id' parameter. Client assertion: '{0}'."
    )]
    AssertionApplication(String),
    #[error(
        "Client assertion audience claim does not match Realm issuer. Review the documentation at \
         https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials . \
         Audience: '{0}'."
    )]
    AssertionAudience(String),
    #[error(
        "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {from}, expiry \
         time of assertion {until}."
    )]
    AssertionTime { now: i64, from: i64, until: i64 },
    #[error(
        "Assertion is invalid because of various reasons - its identifier (jti) is missing or was used before."
    )]
    AssertionReplayed,
    #[error("No matching federated identity record found for presented assertion issuer '{0}'.")]
    FederatedIssuer(String),
    #[error("No matching federated identity record found for presented assertion audience '{0}'.")]
    FederatedAudience(String),
    #[error("No matching federated identity record found for presented assertion subject '{0}'.")]
    FederatedSubject(String),
    #[error("Assertion failed signature validation. [Reason - The key was not found or did not sign it.]")]
    FederatedSignature,
    #[error("Provided grant is invalid or malformed.")]
    Code,
    #[error(
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh \
         token."
    )]
    CodeRedeemed,
    #[error(
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive \
         authorization request for this user and resource."
    )]
    CodeExpired,
    #[error("The Code_Verifier does not match the code_challenge supplied in the authorization request.")]
    Verifier,
    #[error("The size of the code challenge parameter is not valid.")]
    ChallengeMissing,
    #[error("Invalid size of Code_Challenge parameter.")]
    Challenge,
    #[error(
        "The redirect URI '{uri}' specified in the request does not match the redirect URIs configured for the \
         application '{client_id}'. Make sure the redirect URI sent in the request matches one added to your \
         application in the Azure portal."
    )]
    RedirectUri { uri: String, client_id: String },
    #[error(
        "The reply address '{0}' does not match the reply address provided when requesting Authorization code."
    )]
    RedirectUriOfCode(String),
    #[error(
        "The user or administrator has not consented to use the application with ID '{client_id}' named '{name}'. Send \
         an interactive authorization request for this user and resource."
    )]
    Consent { client_id: String, name: String },
    #[error("response_type '{0}' is not enabled for the application.")]
    ResponseType(String),
    #[error("The response_mode '{0}' is not supported for this request.")]
    ResponseMode(String),
    #[error("The request has an invalid value for '{0}'.")]
    Value(&'static str),
    #[error("Session information is not sufficient for single-sign-on.")]
    NotSignedIn,
    #[error("User declined to consent to access the app.")]
    Declined,
    #[error(
        "An administrator of Tallgrass Paper has set a policy that prevents you from granting {0} the permissions it \
         is requesting. Contact an administrator of Tallgrass Paper, who can grant permissions to this app on your \
         behalf."
    )]
    AdministratorRequired(String),
    #[error(
        "User account '{account}' from identity provider 'https://sts.windows.net/{home}/' does not exist in tenant \
         'Tallgrass Paper' and cannot access the application '{client_id}' in that tenant. The account needs to be \
         added as an external user in the tenant first. Sign out and sign in again with a different account."
    )]
    OtherDirectory { account: String, home: String, client_id: String },
}

/// The ids and the time of a request, which an error repeats.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    pub(super) trace_id: String,
    pub(super) correlation_id: String,
    /// In seconds since 1970.
    pub(super) time: i64,
}

impl Refusal {
    /// The `AADSTS` number and OAuth's error code.
    pub(super) fn codes(&self) -> (u32, &'static str) {
        match self {
            Refusal::Missing(_) => (900_144, "invalid_request"),
            Refusal::Malformed => (9_002_313, "invalid_request"),
            Refusal::Method { .. } => (900_561, "invalid_request"),
            Refusal::Internal => (50_000, "server_error"),
            Refusal::Throttled(_) => (90_055, "temporarily_unavailable"),
            Refusal::Loop => (50_196, "invalid_grant"),
            Refusal::TenantUnknown(_) => (90_002, "invalid_request"),
            Refusal::TenantForm(_) => (900_023, "invalid_request"),
            Refusal::GrantType(_) => (70_003, "unsupported_grant_type"),
            Refusal::ClientScope(_) => (1_002_012, "invalid_scope"),
            Refusal::Scope(_) => (70_011, "invalid_scope"),
            Refusal::Resource(_) => (500_011, "invalid_resource"),
            Refusal::Client(_) => (700_016, "unauthorized_client"),
            Refusal::Disabled { .. } => (7_000_112, "unauthorized_client"),
            Refusal::NoCredential => (7_000_216, "invalid_client"),
            Refusal::NoCredentialForCode => (7_000_218, "invalid_client"),
            Refusal::Secret(_) => (7_000_215, "invalid_client"),
            Refusal::SecretExpired(_) => (7_000_222, "invalid_client"),
            Refusal::AssertionForm => (50_027, "invalid_client"),
            Refusal::AssertionKey(_) | Refusal::AssertionKeyExpired(_) | Refusal::AssertionSignature => {
                (700_027, "invalid_client")
            }
            Refusal::AssertionApplication(_) => (700_021, "invalid_client"),
            Refusal::AssertionAudience(_) => (700_023, "invalid_client"),
            Refusal::AssertionTime { .. } => (700_024, "invalid_client"),
            Refusal::AssertionReplayed | Refusal::FederatedSignature => (50_013, "invalid_client"),
            Refusal::FederatedIssuer(_) => (700_211, "invalid_client"),
            Refusal::FederatedAudience(_) => (700_212, "invalid_client"),
            Refusal::FederatedSubject(_) => (700_213, "invalid_client"),
            Refusal::Code => (70_000, "invalid_grant"),
            Refusal::CodeRedeemed => (54_005, "invalid_grant"),
            Refusal::CodeExpired => (70_008, "invalid_grant"),
            Refusal::Verifier => (501_481, "invalid_grant"),
            Refusal::ChallengeMissing => (50_147, "invalid_request"),
            Refusal::Challenge => (501_491, "invalid_request"),
            Refusal::RedirectUri { .. } => (50_011, "invalid_client"),
            Refusal::RedirectUriOfCode(_) => (500_112, "invalid_grant"),
            Refusal::Consent { .. } => (65_001, "invalid_grant"),
            Refusal::ResponseType(_) => (700_054, "unsupported_response_type"),
            Refusal::ResponseMode(_) => (70_007, "unsupported_response_mode"),
            Refusal::Value(_) => (90_023, "invalid_request"),
            Refusal::NotSignedIn => (50_058, "login_required"),
            Refusal::Declined => (65_004, "access_denied"),
            Refusal::AdministratorRequired(_) => (90_094, "access_denied"),
            Refusal::OtherDirectory { .. } => (50_020, "invalid_request"),
        }
    }

    /// The codes in a redirect to the application, where some errors have other names (OpenID Connect Core, section
    /// 3.1.2.6).
    pub(super) fn redirected_codes(&self) -> (u32, &'static str) {
        match (self, self.codes()) {
            (Refusal::Consent { .. }, (code, _)) => (code, "consent_required"),
            (Refusal::OtherDirectory { .. }, (code, _)) => (code, "access_denied"),
            (_, codes) => codes,
        }
    }

    /// 429 if it is throttled, 401 if the client's authentication failed (RFC 6749 section 5.2), 500 for an internal error, otherwise 400.
    pub(super) fn status(&self) -> StatusCode {
        match self.codes() {
            (_, "temporarily_unavailable") => StatusCode::TOO_MANY_REQUESTS,
            (_, "server_error") => StatusCode::INTERNAL_SERVER_ERROR,
            (50_011, _) => StatusCode::BAD_REQUEST,
            (_, "invalid_client") => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// `error_description`: a few lines, as Entra sends it.
    pub(super) fn description(&self, trace: &Trace) -> String {
        let (code, _) = self.codes();
        let Trace { trace_id, correlation_id, .. } = trace;
        let time = trace.timestamp();
        format!(
            "AADSTS{code}: {self}\r\nTrace ID: {trace_id}\r\nCorrelation ID: {correlation_id}\r\nTimestamp: {time}"
        )
    }

    /// The whole error document.
    pub(super) fn to_json(&self, trace: &Trace) -> Value {
        let (code, error) = self.codes();
        let mut document = json!({
            "error": error,
            "error_description": self.description(trace),
            "error_codes": [code],
            "timestamp": trace.timestamp(),
            "trace_id": trace.trace_id,
            "correlation_id": trace.correlation_id,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        });
        if let (Refusal::Consent { .. }, Value::Object(members)) = (self, &mut document) {
            members.insert("suberror".to_owned(), json!("consent_required"));
        }
        document
    }
}

impl Trace {
    /// The time in UTC, in Entra's format.
    pub(super) fn timestamp(&self) -> String {
        let time = Timestamp::from_second(self.time).unwrap_or_default();
        time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_form_of_entras() {
        let trace = Trace { trace_id: "t".to_owned(), correlation_id: "c".to_owned(), time: 1_452_305_722 };
        let document = Refusal::Scope("x".to_owned()).to_json(&trace);
        assert_eq!(document["timestamp"], "2016-01-09 02:15:22Z");
        assert_eq!(document["error_codes"], json!([70_011]));
        let description = document["error_description"].as_str().unwrap();
        assert!(description.starts_with("AADSTS70011: The provided value"), "{description}");
        assert!(
            description.ends_with("\r\nTrace ID: t\r\nCorrelation ID: c\r\nTimestamp: 2016-01-09 02:15:22Z")
        );
    }
}
