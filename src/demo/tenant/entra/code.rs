//! Authorization codes: the browser gets one, the application redeems it (RFC 6749 section 4.1.3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Entra;
use super::authorize::{SignIn, check_scopes};
use super::call::{EntraResponse, Form};
use super::client::authenticate;
use super::discovery::issuer;
use super::issue::{Identity, Validity, delegated_claims, identity_claims};
use super::people::Person;
use super::refusal::Refusal;
use super::registration::Registration;
use super::session::random;
use super::state::EntraState;
use super::token::Place;

/// "Authorization codes are short lived, typically they expire after about 10 minutes."
const CODE_LIFE: i64 = 10 * 60;
/// How long an expired or redeemed code is remembered, so that its error differs from that of an unknown code.
const REMEMBERED: i64 = 60 * 60;
/// An id_token is valid for an hour.
const IDENTITY_LIFE: i64 = 60 * 60;

/// An issued code.
#[derive(Clone)]
pub(super) struct Code {
    sign_in: SignIn,
    person: Person,
    expires: i64,
    redeemed: bool,
}

impl EntraState {
    pub(super) fn new_code(&mut self, sign_in: SignIn, person: Person) -> Result<String, Refusal> {
        let (code, now) = (format!("1.{}", random()?), self.now());
        let expires = now.saturating_add(CODE_LIFE);
        let given = Code { sign_in, person, expires, redeemed: false };
        self.codes.insert(code.clone(), expires.saturating_add(REMEMBERED), given, now);
        Ok(code)
    }
}

impl Entra {
    /// Redeems a code for an id_token and an access token without permissions on Graph.
    pub(super) fn redeem(&self, form: &Form<'_>, place: Place<'_>) -> Result<EntraResponse, Refusal> {
        let client_id = form.required("client_id")?;
        let code = form.required("code")?;
        let uri = form.required("redirect_uri")?;
        let mut state = self.lock();
        let application = state.asked_by(&client_id)?;
        let audiences = self.audiences(place);
        authenticate(&mut state, form, &application, &audiences, Refusal::NoCredentialForCode)?;
        let now = state.now();
        let given = state.codes.get(&code, now).ok_or(Refusal::Code)?;
        given.check(&application, &uri, form, now)?;
        given.redeemed = true;
        let given = given.clone();
        let granted = self.tokens(&mut state, &given, &application, place.base)?;
        Ok(granted)
    }

    fn tokens(
        &self,
        state: &mut EntraState,
        given: &Code,
        application: &Registration,
        base: &str,
    ) -> Result<EntraResponse, Refusal> {
        let (from, life) = (state.now(), state.token_life);
        let Code { sign_in, person, .. } = given;
        let unique = random()?;
        let identity = Identity {
            issuer: &issuer(base, &person.tenant_id),
            application,
            person,
            scope: &sign_in.scope,
            nonce: sign_in.nonce.as_deref(),
            validity: Validity { from, until: from.saturating_add(IDENTITY_LIFE) },
            unique: &unique,
        };
        let key = state.keys.current().ok_or(Refusal::Internal)?;
        let own = application.signing_key.as_ref().unwrap_or(&key);
        let id_token = own.sign(&identity_claims(&identity)).ok_or(Refusal::Internal)?;
        let validity = Validity { from, until: from.saturating_add(life) };
        let access_token = key.sign(&delegated_claims(&identity, validity)).ok_or(Refusal::Internal)?;
        state.admit_without_roles(&access_token, &application.client_id, validity.until);
        let response = json!({
            "token_type": "Bearer",
            "scope": sign_in.scope,
            "expires_in": life,
            "ext_expires_in": life,
            "access_token": access_token,
            "id_token": id_token,
        });
        Ok(EntraResponse::json(StatusCode::OK, &response))
    }
}

impl Code {
    /// Checks that this application may redeem the code now, with this redirect URI and form.
    fn check(&self, application: &Registration, uri: &str, form: &Form<'_>, now: i64) -> Result<(), Refusal> {
        if self.sign_in.client_id != application.client_id {
            return Err(Refusal::Code);
        }
        if self.redeemed {
            return Err(Refusal::CodeRedeemed);
        }
        if now >= self.expires {
            return Err(Refusal::CodeExpired);
        }
        if !application.has_redirect_uri(uri) {
            let client_id = application.client_id.clone();
            return Err(Refusal::RedirectUri { uri: uri.to_owned(), client_id });
        }
        if uri != self.sign_in.back.uri {
            return Err(Refusal::RedirectUriOfCode(uri.to_owned()));
        }
        if let Some(scope) = form.get("scope")? {
            check_scopes(&scope, application)?;
        }
        let verifier = form.get("code_verifier")?.unwrap_or_default();
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let is_long_enough = (43..=128).contains(&verifier.len());
        if is_long_enough && digest == self.sign_in.challenge { Ok(()) } else { Err(Refusal::Verifier) }
    }
}
