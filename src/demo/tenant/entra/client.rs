//! How an application authenticates at the token endpoint.

use super::assertion;
use super::call::Form;
use super::issue::Proof;
use super::refusal::Refusal;
use super::registration::Registration;
use super::state::EntraState;

/// RFC 7523 section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Refuses an application with wrong credentials. Returns the error `missing` if it sends none.
pub(super) fn authenticate(
    state: &mut EntraState,
    form: &Form<'_>,
    application: &Registration,
    audiences: &[String],
    missing: Refusal,
) -> Result<Proof, Refusal> {
    application.check_enabled()?;
    let now = state.now();
    match (form.get("client_secret")?, form.get("client_assertion")?) {
        (Some(secret), None) => check_secret(&secret, application, now).map(|()| Proof::Secret),
        (None, Some(assertion)) => {
            if form.required("client_assertion_type")? != ASSERTION_TYPE {
                return Err(Refusal::Value("client_assertion_type"));
            }
            let once = {
                let by_sha1_only = state.habits.by_sha1_only;
                assertion::verify(&assertion, application, audiences, by_sha1_only, now)?
            };
            once.map_or(Ok(()), |once| state.use_once(once)).map(|()| Proof::Assertion)
        }
        // RFC 6749 section 2.3: a request must not authenticate in more than one way.
        (Some(_), Some(_)) => Err(Refusal::Malformed),
        (None, None) => Err(missing),
    }
}

fn check_secret(sent: &str, application: &Registration, now: i64) -> Result<(), Refusal> {
    let known = application.secrets.iter().find(|secret| secret.value == sent);
    let client_id = || application.client_id.clone();
    match known {
        Some(secret) if now < secret.expires => Ok(()),
        Some(_) => Err(Refusal::SecretExpired(client_id())),
        None => Err(Refusal::Secret(client_id())),
    }
}
