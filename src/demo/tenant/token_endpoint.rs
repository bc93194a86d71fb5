//! The token endpoint for the client credentials grant (RFC 6749 section 4.4), as the Microsoft identity platform has it:
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};

use super::Tenant;
use super::odata::Options;
use super::rng::Rng;

/// What the app was granted; more than a metadata reader needs, so that a check of grants has something to say.
const ROLES: &[&str] =
    &["Mail.Read", "MailboxSettings.Read", "GroupMember.Read.All", "User.Read.All", "Contacts.Read"];
/// Seconds; the value the real endpoint answers with.
const EXPIRES_IN: u32 = 3599;

/// Whether this path is the tenant's token endpoint: `/{tenant}/oauth2/v2.0/token`.
pub(super) fn is_token_path(path: &str) -> bool {
    path.strip_suffix("/oauth2/v2.0/token").is_some_and(|tenant| tenant.matches('/').count() == 1)
}

/// Answers a form.
pub(super) fn answer(tenant: &Tenant, form: &str, timestamp: &str) -> (StatusCode, Value) {
    match check(tenant, form) {
        Ok(()) => (
            StatusCode::OK,
            json!({
                "token_type": "Bearer",
                "expires_in": EXPIRES_IN,
                "ext_expires_in": EXPIRES_IN,
                "access_token": tenant.access_token(),
            }),
        ),
        Err(refusal) => (refusal.status(), refusal.to_json(timestamp)),
    }
}

/// A token shaped like the real ones, with the roles inside; nobody signed it.
pub(super) fn issue(seed: u64, tenant_id: &str, client_id: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({ "typ": "JWT", "alg": "RS256" }));
    let claims = part(json!({
        "aud": "https://graph.microsoft.com",
        "appid": client_id,
        "appidacr": "1",
        "tid": tenant_id,
        "roles": ROLES,
    }));
    let signature: [u8; 64] = Rng::of(seed, "token signature", &[]).bytes();
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[derive(Debug, PartialEq, thiserror::Error)]
enum Refusal {
    #[error("AADSTS900144: The request body must contain the following parameter: '{0}'.")]
    Missing(&'static str),
    #[error("AADSTS70003: The app requested an unsupported grant type '{0}'.")]
    GrantType(String),
    #[error(
        "AADSTS1002012: The provided value for scope {0} is not valid. Client credential flows must have a scope \
         value with /.default suffixed to the resource identifier (application ID URI)."
    )]
    Scope(String),
    #[error(
        "AADSTS700016: Application with identifier '{0}' was not found in the directory 'Tallgrass Paper'."
    )]
    Client(String),
    #[error(
        "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client \
         secret value, not the client secret ID, for a secret added to app '{0}'."
    )]
    Secret(String),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Refusal::Secret(_) => StatusCode::UNAUTHORIZED,
            Refusal::Missing(_) | Refusal::GrantType(_) | Refusal::Scope(_) | Refusal::Client(_) => {
                StatusCode::BAD_REQUEST
            }
        }
    }

    fn error_and_code(&self) -> (&'static str, u32) {
        match self {
            Refusal::Missing(_) => ("invalid_request", 900_144),
            Refusal::GrantType(_) => ("unsupported_grant_type", 70_003),
            Refusal::Scope(_) => ("invalid_scope", 1_002_012),
            Refusal::Client(_) => ("unauthorized_client", 700_016),
            Refusal::Secret(_) => ("invalid_client", 7_000_215),
        }
    }

    fn to_json(&self, timestamp: &str) -> Value {
        let (error, code) = self.error_and_code();
        let trace = "0f9d3c66-3b1f-4c55-8a8e-6f1b1e2d4a00";
        json!({
            "error": error,
            "error_description": format!("{self} Trace ID: {trace} Timestamp: {timestamp}"),
            "error_codes": [code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": trace,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        })
    }
}

fn check(tenant: &Tenant, form: &str) -> Result<(), Refusal> {
    let form = Options::parse(form).unwrap_or_default();
    let value = |name: &'static str| form.value(name).map(str::to_owned).ok_or(Refusal::Missing(name));
    let grant_type = value("grant_type")?;
    let (client_id, scope, secret) = (value("client_id")?, value("scope")?, value("client_secret")?);
    if grant_type != "client_credentials" {
        Err(Refusal::GrantType(grant_type))
    } else if !scope.ends_with("/.default") {
        Err(Refusal::Scope(scope))
    } else if client_id != tenant.client_id() {
        Err(Refusal::Client(client_id))
    } else if secret != tenant.client_secret() {
        Err(Refusal::Secret(client_id))
    } else {
        Ok(())
    }
}
