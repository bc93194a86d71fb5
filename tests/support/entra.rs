//! The parts of Microsoft Entra ID that a connection uses: an OpenID configuration, keys, and a token endpoint for
//! codes and client credentials. Its responses are what a test sets, right or wrong. It checks requests strictly.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use glassine_core::graph::encode::query_value;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::issuer::{SigningKey, base64url, jwks};
use super::upstream::{FakeUpstream, Received, Script};

pub(crate) const TENANT: &str = "aaaa1111-2222-3333-4444-555566667777";
pub(crate) const CLIENT: &str = "bbbb1111-2222-3333-4444-555566667777";
pub(crate) const SECRET: &str = "secret~of+the/tests&with=odd%characters";
/// Who signs in, with everything that must not leave.
pub(crate) const OID: &str = "cccc1111-2222-3333-4444-555566667777";
pub(crate) const ADDRESS: &str = "Grace.Admin@contoso.com";
pub(crate) const NAME: &str = "Grace Adminson";

/// A running Entra.
pub(crate) struct FakeEntra {
    pub(crate) server: FakeUpstream,
    inner: Arc<Inner>,
}

struct Inner {
    base: OnceLock<String>,
    key: SigningKey,
    codes: Mutex<HashMap<String, Code>>,
    says: Mutex<Says>,
}

/// What the next responses say.
#[derive(Clone)]
pub(crate) struct Says {
    /// The roles of each token in turn; the last ones repeat.
    pub(crate) roles: Vec<Vec<String>>,
    /// Members of the id_token to replace; `null` removes one.
    pub(crate) id_token: Value,
    /// Members of the OpenID configuration to replace.
    pub(crate) metadata: Value,
    /// Signs id_tokens with a key that is not published.
    pub(crate) forged: bool,
    /// Every document begins with a byte order mark.
    pub(crate) marked: bool,
    /// The response to every token request, in place of a token.
    pub(crate) refusal: Option<Script>,
}

/// An authorization code that was issued.
#[derive(Clone)]
struct Code {
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

impl FakeEntra {
    /// Grants these roles.
    pub(crate) async fn start(roles: &[&str]) -> Self {
        let roles = vec![roles.iter().map(|role| (*role).to_owned()).collect()];
        let (id_token, metadata) = (json!({}), json!({}));
        let says = Says { roles, id_token, metadata, forged: false, marked: false, refusal: None };
        let inner = Arc::new(Inner {
            base: OnceLock::new(),
            key: SigningKey::rsa("entra"),
            codes: Mutex::default(),
            says: Mutex::new(says),
        });
        let answering = Arc::clone(&inner);
        let server = FakeUpstream::start(move |request| answering.respond(request)).await;
        inner.base.set(format!("http://{}", server.address())).unwrap();
        Self { server, inner }
    }

    pub(crate) fn base(&self) -> String {
        self.inner.base().to_owned()
    }

    /// Changes the responses from now on.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.inner.says.lock().unwrap());
    }

    /// Signs somebody in on the page that the browser was redirected to. Returns a code for the request.
    pub(crate) fn sign_in(&self, asked: &HashMap<String, String>) -> String {
        let code = base64url(Sha256::digest(&asked["state"]));
        let of = |name: &str| asked[name].clone();
        let given =
            Code { nonce: of("nonce"), challenge: of("code_challenge"), redirect_uri: of("redirect_uri") };
        self.inner.codes.lock().unwrap().insert(code.clone(), given);
        code
    }
}

impl Inner {
    fn base(&self) -> &str {
        self.base.get().map_or("", String::as_str)
    }

    fn respond(&self, request: &Received) -> Script {
        let tenant = format!("/{TENANT}");
        match request.path().strip_prefix(&tenant) {
            Some("/v2.0/.well-known/openid-configuration") => self.document(self.metadata().to_string()),
            Some("/discovery/v2.0/keys") => self.document(jwks([&self.key])),
            Some("/oauth2/v2.0/token") => self.token(&form(&request.body)),
            _ => Script::status(404),
        }
    }

    fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}/{TENANT}{path}", self.base());
        let mut metadata = json!({
            "issuer": at("/v2.0"),
            "authorization_endpoint": at("/oauth2/v2.0/authorize"),
            "token_endpoint": at("/oauth2/v2.0/token"),
            "jwks_uri": at("/discovery/v2.0/keys"),
        });
        replace(&mut metadata, &self.says.lock().unwrap().metadata);
        metadata
    }

    fn token(&self, form: &HashMap<String, String>) -> Script {
        if let Some(refusal) = &self.says.lock().unwrap().refusal {
            return refusal.clone();
        }
        if form.get("client_secret").map(String::as_str) != Some(SECRET) {
            return refusal(401, "invalid_client", 7_000_215);
        }
        match form["grant_type"].as_str() {
            "client_credentials" => self.application_token(),
            "authorization_code" => self.redeem(form),
            _ => refusal(400, "unsupported_grant_type", 70_003),
        }
    }

    fn application_token(&self) -> Script {
        let mut says = self.says.lock().unwrap();
        let roles = if says.roles.len() > 1 { says.roles.remove(0) } else { says.roles[0].clone() };
        let token = self.key.token(&json!({ "aud": "graph", "roles": roles, "uti": base64url(random()) }));
        drop(says);
        self.document(
            json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": token }).to_string(),
        )
    }

    fn redeem(&self, form: &HashMap<String, String>) -> Script {
        // A code is valid once (RFC 6749, section 4.1.2).
        let Some(code) = self.codes.lock().unwrap().remove(&form["code"]) else {
            return refusal(400, "invalid_grant", 54_005);
        };
        if base64url(Sha256::digest(&form["code_verifier"])) != code.challenge {
            return refusal(400, "invalid_grant", 501_481);
        }
        if form["redirect_uri"] != code.redirect_uri {
            return refusal(400, "invalid_client", 50_011);
        }
        let says = self.says.lock().unwrap().clone();
        let now = jiff::Timestamp::now().as_second();
        let mut claims = json!({
            "iss": format!("{}/{TENANT}/v2.0", self.base()), "aud": CLIENT, "tid": TENANT, "oid": OID,
            "sub": "pairwise", "preferred_username": ADDRESS, "name": NAME, "nonce": code.nonce,
            "iat": now, "nbf": now, "exp": now + 3600, "ver": "2.0",
        });
        replace(&mut claims, &says.id_token);
        let token =
            if says.forged { SigningKey::rsa("entra").token(&claims) } else { self.key.token(&claims) };
        self.document(json!({ "token_type": "Bearer", "expires_in": 3599, "id_token": token }).to_string())
    }

    fn document(&self, text: impl AsRef<str>) -> Script {
        let mark = if self.says.lock().unwrap().marked { "\u{feff}" } else { "" };
        Script::json(format!("{mark}{}", text.as_ref()))
    }
}

fn replace(object: &mut Value, with: &Value) {
    for (name, value) in with.as_object().unwrap() {
        match value {
            Value::Null => drop(object.as_object_mut().unwrap().remove(name)),
            value => object[name] = value.clone(),
        }
    }
}

pub(crate) fn refusal(status: u16, error: &str, code: u32) -> Script {
    let description = format!("AADSTS{code}: {NAME} <script>alert(1)</script>");
    let body = json!({ "error": error, "error_description": description, "error_codes": [code] });
    Script::status(status).header("content-type", "application/json").body(body.to_string())
}

fn random() -> [u8; 8] {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes
}

/// A form or a query as names and values.
pub(crate) fn form(text: &str) -> HashMap<String, String> {
    let decoded = |text: &str| {
        let (mut bytes, mut rest) = (Vec::new(), text.bytes());
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                byte => byte,
            });
        }
        String::from_utf8(bytes).unwrap()
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(n, v)| (decoded(n), decoded(v)))
        .collect()
}

/// Names and values as a query.
pub(crate) fn query(parameters: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{name}={}", query_value(value));
    parameters.iter().map(pair).collect::<Vec<_>>().join("&")
}
