//! The authorization endpoint: a person signs in for an application, and the application gets a code.
//!
//! Stricter than Entra in two things, so that a client's mistake shows: every client must use PKCE with S256, and a
//! sign-in needs `openid`. More lenient in one thing: a guest signs in at this tenant's address with the account of
//! another directory and gets that directory's `iss` and `tid`. The real Entra refuses the guest (AADSTS50020) or lets
//! the guest in as a user of this tenant. This is the only way to test whether a client checks `tid`.
//!
//! Sources: <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow>; RFC 6749 section 4.1; RFC 7636.

use http::{Method, StatusCode};

use super::Entra;
use super::call::{Call, EntraResponse, Form};
use super::endpoint::check_tenant;
use super::pages;
use super::people::Person;
use super::refusal::{Refusal, Trace};
use super::registration::Registration;
use super::session::{Purpose, random};
use crate::web::with_query;

/// The scopes of a sign-in.
const SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// A sign-in that an application asked for.
#[derive(Clone)]
pub(super) struct SignIn {
    pub(super) client_id: String,
    pub(super) name: String,
    pub(super) back: Back,
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
    pub(super) challenge: String,
}

/// The way back to the application. Always a registered address.
#[derive(Clone)]
pub(super) struct Back {
    pub(super) uri: String,
    pub(super) as_form: bool,
    pub(super) state: Option<String>,
}

/// `prompt`: whether the person must see a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prompt {
    IfNeeded,
    Never,
    Always,
}

impl Entra {
    /// Shows the sign-in page, or redirects back at once. An `Err` becomes a page, because the browser must not be
    /// redirected to an address that the application did not register (RFC 6749 section 4.1.2.1).
    pub(super) fn authorize(&self, call: &Call<'_>, tenant: &str) -> Result<EntraResponse, Refusal> {
        if call.method != Method::POST {
            call.expect(&Method::GET, "GET")?;
        }
        check_tenant(tenant, &self.tenant_id)?;
        let form = call.parameters()?;
        let (application, uri) = self.asking(&form)?;
        let as_form = form.get("response_mode")?.as_deref() == Some("form_post");
        let back = Back { uri, as_form, state: form.get("state")? };
        let asked = asked(&form, &application, back.clone());
        let shown = asked.and_then(|(sign_in, prompt)| self.show(call, sign_in, prompt));
        Ok(shown.unwrap_or_else(|refusal| back.refused(&refusal, &self.trace(call))))
    }

    /// The application that sends the request, and its registered address to go back to.
    pub(super) fn asking(&self, form: &Form<'_>) -> Result<(Registration, String), Refusal> {
        let client_id = form.required("client_id")?;
        let application = self.lock().find(&client_id).cloned();
        let application = application.ok_or_else(|| Refusal::Client(client_id.clone()))?;
        application.check_enabled()?;
        let uri = form.required("redirect_uri")?;
        if application.has_redirect_uri(&uri) {
            Ok((application, uri))
        } else {
            Err(Refusal::RedirectUri { uri, client_id })
        }
    }

    fn show(&self, call: &Call<'_>, sign_in: SignIn, prompt: Prompt) -> Result<EntraResponse, Refusal> {
        match (prompt, self.session(call)) {
            (Prompt::Never, None) => Err(Refusal::NotSignedIn),
            (Prompt::Never | Prompt::IfNeeded, Some(session)) => self.send_code(&sign_in, &session.person),
            (Prompt::Always, _) | (Prompt::IfNeeded, None) => {
                let name = sign_in.name.clone();
                self.ask_who(Purpose::SignIn(sign_in), &name)
            }
        }
    }

    /// The page on which the person chooses an account.
    pub(super) fn ask_who(&self, purpose: Purpose, application: &str) -> Result<EntraResponse, Refusal> {
        let context = self.open_page(purpose, None)?;
        let page = pages::sign_in(&self.tenant_id, &context, application, &self.people);
        Ok(EntraResponse::page(StatusCode::OK, page))
    }

    /// The person chose an account or cancelled.
    pub(super) fn login(&self, call: &Call<'_>, tenant: &str) -> Result<EntraResponse, Refusal> {
        call.expect(&Method::POST, "POST")?;
        check_tenant(tenant, &self.tenant_id)?;
        let form = call.form()?;
        let purpose = self.close_page(&form.required("ctx")?, None)?;
        let Some(account) = form.get("account")? else {
            return Ok(purpose.declined(&self.trace(call)));
        };
        let person =
            self.people.iter().find(|person| person.id == account).ok_or(Refusal::Value("account"))?;
        let session = self.sign_in(person)?;
        let response = match purpose {
            Purpose::SignIn(sign_in) => self.send_code(&sign_in, person)?,
            Purpose::Consent(request) => self.ask_for_consent(call, request, &session)?,
        };
        Ok(response.with_cookie(&session.set_cookie()))
    }

    fn send_code(&self, sign_in: &SignIn, person: &Person) -> Result<EntraResponse, Refusal> {
        let code = self.lock().new_code(sign_in.clone(), person.clone())?;
        let session_state = random()?;
        Ok(sign_in.back.respond(&[("code", &code), ("session_state", &session_state)]))
    }
}

impl Purpose {
    /// Redirects back to the application with the error that the person pressed *Cancel*.
    fn declined(self, trace: &Trace) -> EntraResponse {
        match self {
            Purpose::SignIn(sign_in) => sign_in.back.refused(&Refusal::Declined, trace),
            Purpose::Consent(request) => request.refused(&Refusal::Declined, trace),
        }
    }
}

/// Reads the sign-in that a known application requests. The application gets the errors.
fn asked(form: &Form<'_>, application: &Registration, back: Back) -> Result<(SignIn, Prompt), Refusal> {
    let response_type = form.required("response_type")?;
    if response_type != "code" {
        return Err(Refusal::ResponseType(response_type));
    }
    if let Some(mode) = form.get("response_mode")?
        && !["query", "form_post"].contains(&mode.as_str())
    {
        return Err(Refusal::ResponseMode(mode));
    }
    let scope = form.required("scope")?;
    check_scopes(&scope, application)?;
    let challenge = challenge(form)?;
    let (client_id, name) = (application.client_id.clone(), application.name.clone());
    Ok((SignIn { client_id, name, back, scope, nonce: form.get("nonce")?, challenge }, prompt(form)?))
}

/// Allows the scopes of a sign-in only: nobody has consented to any other scope.
pub(super) fn check_scopes(scope: &str, application: &Registration) -> Result<(), Refusal> {
    let mut scopes = scope.split(' ');
    if !scopes.clone().any(|scope| scope == "openid") {
        return Err(Refusal::Scope(scope.to_owned()));
    }
    if scopes.all(|scope| SCOPES.contains(&scope)) {
        return Ok(());
    }
    Err(Refusal::Consent { client_id: application.client_id.clone(), name: application.name.clone() })
}

/// The PKCE challenge: a SHA-256 in base64url (RFC 7636 section 4.2). `plain` is refused: every client can do SHA-256.
fn challenge(form: &Form<'_>) -> Result<String, Refusal> {
    let challenge = form.get("code_challenge")?.ok_or(Refusal::ChallengeMissing)?;
    let is_text = challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let is_s256 = form.get("code_challenge_method")?.as_deref() == Some("S256");
    if is_s256 && is_text && challenge.len() == 43 { Ok(challenge) } else { Err(Refusal::Challenge) }
}

fn prompt(form: &Form<'_>) -> Result<Prompt, Refusal> {
    match form.get("prompt")?.as_deref() {
        None => Ok(Prompt::IfNeeded),
        Some("none") => Ok(Prompt::Never),
        Some("login" | "select_account" | "consent") => Ok(Prompt::Always),
        Some(_) => Err(Refusal::Value("prompt")),
    }
}

impl Back {
    /// Redirects the browser back with these parameters and the application's `state`.
    pub(super) fn respond(&self, parameters: &[(&str, &str)]) -> EntraResponse {
        let state = self.state.iter().map(|state| ("state", state.as_str()));
        let parameters: Vec<_> = parameters.iter().copied().chain(state).collect();
        if self.as_form {
            EntraResponse::page(StatusCode::OK, pages::form_post(&self.uri, &parameters))
        } else {
            EntraResponse::redirect(&with_query(&self.uri, &parameters))
        }
    }

    pub(super) fn refused(&self, refusal: &Refusal, trace: &Trace) -> EntraResponse {
        self.refused_with(refusal, trace, &[])
    }

    /// An error, with further parameters that the endpoint adds.
    pub(super) fn refused_with(
        &self,
        refusal: &Refusal,
        trace: &Trace,
        more: &[(&str, &str)],
    ) -> EntraResponse {
        let (code, error) = refusal.redirected_codes();
        let description = refusal.description(trace);
        let uri = format!("https://login.microsoftonline.com/error?code={code}");
        let told = [("error", error), ("error_description", &description), ("error_uri", &uri)];
        let subcode = (*refusal == Refusal::Declined).then_some(("error_subcode", "cancel"));
        let parameters: Vec<_> = told.into_iter().chain(subcode).chain(more.iter().copied()).collect();
        self.respond(&parameters)
    }
}
