//! Managed identities: tokens for programs on the machine, from an address that only the machine can reach. There is
//! one identity, the sample tenant's first application. It is the system-assigned identity and, by its client id, also
//! a user-assigned one.
//!
//! Sources: <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token> and
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity>. The second does not document the body of
//! an error; the one here has the members of App Service's errors.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Entra;
use super::call::{Call, EntraResponse, Form};
use super::issue::Proof;
use super::refusal::Refusal;
use super::token::is_graph;

/// The oldest version with this form of request.
const VERSION_OF_MACHINES: &str = "2018-02-01";
const VERSION_OF_APP_SERVICE: &str = "2019-08-01";

/// How long before its end a cached token is replaced, in seconds.
const RENEWED_BEFORE: i64 = 5 * 60;

/// Why there is no token, in the words of the virtual machine's metadata service.
#[derive(Debug)]
struct Denied {
    status: StatusCode,
    error: &'static str,
    description: String,
}

impl Entra {
    /// The value of `IDENTITY_HEADER` in App Service. It proves that the caller runs inside the service.
    pub fn identity_header(&self) -> &str {
        &self.identity_header
    }

    /// The metadata service of a virtual machine (IMDS).
    pub(super) fn virtual_machine(&self, call: &Call<'_>) -> EntraResponse {
        match self.machine_token(call) {
            Ok(token) => EntraResponse::json(StatusCode::OK, &token),
            Err(Denied { status, error, description }) => {
                EntraResponse::json(status, &json!({ "error": error, "error_description": description }))
            }
        }
    }

    fn machine_token(&self, call: &Call<'_>) -> Result<Value, Denied> {
        call.expect(&Method::GET, "GET").map_err(|refusal| self.denied(call, &refusal))?;
        // Both checks stop server-side request forgery: a server tricked into fetching this address cannot get a token.
        if call.header("metadata") != Some("true") {
            return Err(Denied::request("Required metadata header not specified"));
        }
        if call.headers.contains_key("x-forwarded-for") {
            return Err(Denied::request("Requests with X-Forwarded-For are not served"));
        }
        let form = call.parameters().map_err(|refusal| self.denied(call, &refusal))?;
        let asked = TokenRequest::read(&form).map_err(|refusal| self.denied(call, &refusal))?;
        let version = asked.version.as_deref().unwrap_or_default();
        if version < VERSION_OF_MACHINES {
            return Err(Denied::request("Required query variable 'api-version' is missing or not supported"));
        }
        let resource =
            asked.resource.ok_or_else(|| Denied::request("Required audience parameter not specified"))?;
        if !self.is_identity(asked.client_id.as_deref()) {
            return Err(Denied::request("Identity not found"));
        }
        let (token, life, now) =
            self.identity_token(&resource, call.base).map_err(|refusal| self.denied(call, &refusal))?;
        Ok(json!({
            "access_token": token,
            "client_id": self.client_id,
            "expires_in": life.to_string(),
            "expires_on": (now + life).to_string(),
            "ext_expires_in": life.to_string(),
            "not_before": now.to_string(),
            "resource": resource,
            "token_type": "Bearer",
        }))
    }

    /// The local token endpoint of an App Service.
    pub(super) fn app_service(&self, call: &Call<'_>) -> EntraResponse {
        match self.service_token(call) {
            Ok(token) => EntraResponse::json(StatusCode::OK, &token),
            Err((status, message)) => EntraResponse::json(
                status,
                &json!({ "statusCode": status.as_u16(), "message": message, "correlationId": call.client_request_id }),
            ),
        }
    }

    fn service_token(&self, call: &Call<'_>) -> Result<Value, (StatusCode, String)> {
        let bad = |refusal: Refusal| (StatusCode::BAD_REQUEST, refusal.to_string());
        call.expect(&Method::GET, "GET").map_err(bad)?;
        if call.header("x-identity-header") != Some(self.identity_header()) {
            return Err((StatusCode::UNAUTHORIZED, "X-IDENTITY-HEADER is missing or wrong.".to_owned()));
        }
        let asked = call.parameters().and_then(|form| TokenRequest::read(&form)).map_err(bad)?;
        if asked.version.as_deref() != Some(VERSION_OF_APP_SERVICE) {
            return Err((StatusCode::BAD_REQUEST, "The api-version is missing or not supported.".to_owned()));
        }
        let resource = asked.resource.ok_or_else(|| bad(Refusal::Missing("resource")))?;
        if !self.is_identity(asked.client_id.as_deref()) {
            return Err((
                StatusCode::BAD_REQUEST,
                "No User Assigned or Delegated Managed Identity found.".to_owned(),
            ));
        }
        let (token, life, now) = self.identity_token(&resource, call.base).map_err(bad)?;
        Ok(json!({
            "access_token": token,
            "client_id": self.client_id,
            "expires_on": (now + life).to_string(),
            "resource": resource,
            "token_type": "Bearer",
        }))
    }

    fn is_identity(&self, client_id: Option<&str>) -> bool {
        client_id.is_none_or(|id| id.eq_ignore_ascii_case(&self.client_id))
    }

    /// A token, its lifetime, and the present time, both in seconds.
    fn identity_token(&self, resource: &str, base: &str) -> Result<(String, i64, i64), Refusal> {
        if !is_graph(resource.strip_suffix('/').unwrap_or(resource), base) {
            return Err(Refusal::Resource(resource.to_owned()));
        }
        let mut state = self.lock();
        let application = state.asked_by(&self.client_id)?;
        application.check_enabled()?;
        let (life, now) = (state.token_life, state.now());
        let cached = state.of_identity.as_ref().filter(|(_, ends)| now + RENEWED_BEFORE < *ends);
        if let (true, Some((token, ends))) = (state.habits.caches_identities, cached) {
            return Ok((token.clone(), ends - now, now));
        }
        let token = state.issue(&application, &self.tenant_id, Proof::Assertion, life)?;
        state.of_identity = Some((token.clone(), now.saturating_add(life)));
        Ok((token, life, now))
    }

    fn denied(&self, call: &Call<'_>, refusal: &Refusal) -> Denied {
        let (_, error) = refusal.codes();
        Denied { status: StatusCode::BAD_REQUEST, error, description: refusal.description(&self.trace(call)) }
    }
}

impl Denied {
    fn request(description: &str) -> Denied {
        let description = description.to_owned();
        Denied { status: StatusCode::BAD_REQUEST, error: "invalid_request", description }
    }
}

/// A token request to either endpoint.
struct TokenRequest {
    version: Option<String>,
    resource: Option<String>,
    client_id: Option<String>,
}

impl TokenRequest {
    fn read(form: &Form<'_>) -> Result<TokenRequest, Refusal> {
        let (version, resource) = (form.get("api-version")?, form.get("resource")?);
        Ok(TokenRequest { version, resource, client_id: form.get("client_id")? })
    }
}
