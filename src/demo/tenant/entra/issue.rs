//! Tokens: their claims, and what Graph looks up about them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::people::Person;
use super::registration::Registration;

/// The resource that access tokens are for.
pub(super) const GRAPH: &str = "https://graph.microsoft.com";
/// Graph's application id, which a scope may name instead.
pub(super) const GRAPH_ID: &str = "00000003-0000-0000-c000-000000000000";

/// What Graph looks up about a token.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    pub(super) client_id: String,
    /// The permissions that were granted when the token was issued.
    pub(super) roles: Vec<String>,
    /// In seconds since 1970.
    pub(super) expires: i64,
}

/// How the application authenticated: `appidacr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Secret,
    Assertion,
}

/// The validity of a token, in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validity {
    pub(super) from: i64,
    pub(super) until: i64,
}

/// The claims of an application's access token, in the v1.0 form that Graph's tokens have. `unique` is `uti`.
pub(super) fn application_claims(
    application: &Registration,
    tenant_id: &str,
    proof: Proof,
    validity: Validity,
    unique: &str,
) -> Value {
    let issuer = format!("https://sts.windows.net/{tenant_id}/");
    let mut claims = json!({
        "aud": GRAPH,
        "iss": issuer,
        "iat": validity.from,
        "nbf": validity.from,
        "exp": validity.until,
        "app_displayname": application.name,
        "appid": application.client_id,
        "appidacr": match proof { Proof::Secret => "1", Proof::Assertion => "2" },
        "idp": issuer,
        "idtyp": "app",
        "oid": application.object_id,
        "sub": application.object_id,
        "tid": tenant_id,
        "uti": unique,
        "ver": "1.0",
    });
    // The token of an application without permissions has no `roles`.
    let roles = application.roles();
    if let (false, Value::Object(members)) = (roles.is_empty(), &mut claims) {
        members.insert("roles".to_owned(), json!(roles));
    }
    claims
}

/// Who signed in, where, and what for.
pub(super) struct Identity<'a> {
    pub(super) issuer: &'a str,
    pub(super) application: &'a Registration,
    pub(super) person: &'a Person,
    pub(super) scope: &'a str,
    pub(super) nonce: Option<&'a str>,
    pub(super) validity: Validity,
    pub(super) unique: &'a str,
}

/// The claims of an id_token (<https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference>).
pub(super) fn identity_claims(identity: &Identity<'_>) -> Value {
    let Identity { application, person, scope, validity, .. } = identity;
    let has = |name: &str| scope.split(' ').any(|scope| scope == name);
    let mut claims = json!({
        "aud": application.client_id,
        "iss": identity.issuer,
        "iat": validity.from,
        "nbf": validity.from,
        "exp": validity.until,
        "sub": pairwise(application, person),
        "tid": person.tenant_id,
        "uti": identity.unique,
        "ver": "2.0",
    });
    let profile =
        [("name", &person.name), ("oid", &person.object_id), ("preferred_username", &person.user_name)];
    let profile = profile.into_iter().filter(|_| has("profile"));
    let email = has("email").then_some(("email", &person.user_name));
    let named = profile.chain(email).map(|(name, value)| (name, value.as_str()));
    let nonce = identity.nonce.map(|nonce| ("nonce", nonce));
    if let Value::Object(members) = &mut claims {
        members.extend(named.chain(nonce).map(|(name, value)| (name.to_owned(), json!(value))));
    }
    claims
}

/// The claims of the access token that comes with an id_token: for Graph, for the person, without permissions.
pub(super) fn delegated_claims(identity: &Identity<'_>, validity: Validity) -> Value {
    let Identity { application, person, .. } = identity;
    json!({
        "aud": GRAPH_ID,
        "iss": format!("https://sts.windows.net/{}/", person.tenant_id),
        "iat": validity.from,
        "nbf": validity.from,
        "exp": validity.until,
        "appid": application.client_id,
        "idtyp": "user",
        "oid": person.object_id,
        "scp": identity.scope,
        "sub": pairwise(application, person),
        "tid": person.tenant_id,
        "uti": identity.unique,
        "ver": "1.0",
    })
}

/// `sub`: constant for one application, different for each application (OpenID Connect Core, section 8.1).
fn pairwise(application: &Registration, person: &Person) -> String {
    let named = format!("{} {} {}", application.client_id, person.tenant_id, person.object_id);
    URL_SAFE_NO_PAD.encode(Sha256::digest(named))
}
