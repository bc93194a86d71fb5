//! The OpenID configuration (OpenID Connect Discovery 1.0, section 4): those members of Entra's that the look-alike
//! implements.

use serde_json::{Value, json};

use glassine_core::graph::is_guid;

/// The configuration of a tenant. It always names the tenant by its id, even if the request named a domain. With the client id of
/// an application (`?appid=`), the key set is that of the application
/// (<https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-signature>).
pub(super) fn configuration(base: &str, tenant_id: &str, application: Option<&str>) -> Value {
    let at = |path: &str| format!("{base}/{tenant_id}{path}");
    let of_application =
        application.filter(|id| is_guid(id)).map(|id| format!("?appid={id}")).unwrap_or_default();
    json!({
        "token_endpoint": at("/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "jwks_uri": at(&format!("/discovery/v2.0/keys{of_application}")),
        "response_modes_supported": ["query", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email"],
        "issuer": issuer(base, tenant_id),
        "request_uri_parameter_supported": false,
        "authorization_endpoint": at("/oauth2/v2.0/authorize"),
        "end_session_endpoint": at("/oauth2/v2.0/logout"),
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "nbf", "nonce", "preferred_username", "name", "tid", "oid", "ver", "email",
        ],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
    })
}

/// The `iss` of a tenant's id_tokens.
pub(super) fn issuer(base: &str, tenant_id: &str) -> String {
    format!("{base}/{tenant_id}/v2.0")
}
