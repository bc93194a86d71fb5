//! The token endpoint.
//!
//! Source: <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>.

use http::{Method, StatusCode};
use serde_json::json;

use super::Entra;
use super::call::{Call, EntraResponse, Form};
use super::client::authenticate;
use super::discovery::issuer;
use super::endpoint::check_tenant;
use super::issue::{GRAPH, GRAPH_ID};
use super::refusal::Refusal;

/// The tenant as a request named it, and the start of its addresses.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) base: &'a str,
    pub(super) tenant: &'a str,
}

impl Entra {
    /// Responses a token request.
    pub(super) fn token(&self, call: &Call<'_>, tenant: &str) -> Result<EntraResponse, Refusal> {
        call.expect(&Method::POST, "POST")?;
        check_tenant(tenant, &self.tenant_id)?;
        let form = call.form()?;
        let place = Place { base: call.base, tenant };
        match form.required("grant_type")?.as_str() {
            "client_credentials" => self.client_credentials(&form, place),
            "authorization_code" => self.redeem(&form, place),
            other => Err(Refusal::GrantType(other.to_owned())),
        }
    }

    /// The client credentials grant (RFC 6749 section 4.4).
    fn client_credentials(&self, form: &Form<'_>, place: Place<'_>) -> Result<EntraResponse, Refusal> {
        let client_id = form.required("client_id")?;
        check_scope(&form.required("scope")?, place.base)?;
        let mut state = self.lock();
        let application = state.asked_by(&client_id)?;
        state.habits.check(&client_id)?;
        let audiences = self.audiences(place);
        let proof = authenticate(&mut state, form, &application, &audiences, Refusal::NoCredential)?;
        let life = state.token_life;
        let token = state.issue(&application, &self.tenant_id, proof, life)?;
        let response = json!({
            "token_type": "Bearer",
            "expires_in": life,
            "ext_expires_in": life,
            "access_token": token,
        });
        Ok(EntraResponse::json(StatusCode::OK, &response))
    }

    /// The audiences that an assertion may have: the token endpoint, by either name of the tenant, or the issuer.
    pub(super) fn audiences(&self, place: Place<'_>) -> [String; 3] {
        let Place { base, tenant } = place;
        let endpoint = |tenant: &str| format!("{base}/{tenant}/oauth2/v2.0/token");
        [endpoint(tenant), endpoint(&self.tenant_id), issuer(base, &self.tenant_id)]
    }
}

/// The scope must be `.default` of Graph, which means all granted permissions.
pub(super) fn check_scope(scope: &str, base: &str) -> Result<(), Refusal> {
    let resource = scope.strip_suffix("/.default").filter(|resource| !resource.contains(' '));
    let resource = resource.ok_or_else(|| Refusal::ClientScope(scope.to_owned()))?;
    if is_graph(resource, base) { Ok(()) } else { Err(Refusal::Resource(resource.to_owned())) }
}

/// Whether the resource is Graph: its URL, its application id, or the address of the sample tenant.
pub(super) fn is_graph(resource: &str, base: &str) -> bool {
    [GRAPH, GRAPH_ID, base].contains(&resource)
}
