//! A look-alike of Microsoft Entra ID on the sample tenant's socket: app registrations, their tokens and permissions,
//! sign-in and consent.
//!
//! The proxy's credentials and connection pages are tried, tested and shown against it, so it is strict: it refuses a
//! wrong audience, an unregistered redirect URI or a code's second use as Entra does, with the same `AADSTS` numbers.
//! Where Entra is lenient and would hide a mistake of the proxy, the look-alike is stricter, and the file says so. It
//! shares no code with the code that it tests.
//!
//! It asks for no passwords. Everything is synthetic, and anybody who reaches the socket can sign in as an
//! administrator.
//!
//! | file | what |
//! |---|---|
//! | `endpoint` | which endpoint a path names |
//! | `call` | a request, and the response with its headers |
//! | `registration`, `certificate` | app registrations: secrets, certificates, trusted issuers, redirect URIs, permissions |
//! | `discovery`, `keys` | the OpenID configuration, and keys with rollover |
//! | `token`, `client`, `assertion` | the token endpoint, and how an application authenticates |
//! | `issue` | the claims of tokens |
//! | `authorize`, `code` | sign-in, and the code that an application gets |
//! | `consent`, `words` | admin consent, in Microsoft's words |
//! | `people`, `session`, `pages` | the people who can sign in, their sessions, and their pages |
//! | `habits` | what Entra does at times: late consents, opaque tokens, throttling |
//! | `managed_identity` | tokens for programs on the machine |
//! | `jose` | signing and verifying |
//! | `state`, `expiring` | everything that changes: registrations, keys, issued tokens, the clock |
//! | `refusal` | every error, with its number |

mod assertion;
mod authorize;
mod call;
mod certificate;
mod client;
mod code;
mod consent;
mod discovery;
mod endpoint;
mod expiring;
mod habits;
mod issue;
mod jose;
mod keys;
mod managed_identity;
mod pages;
mod people;
mod refusal;
mod registration;
mod session;
mod state;
mod token;
mod words;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use http::header::RETRY_AFTER;
use http::{Method, StatusCode};
use serde_json::json;

pub(super) use self::call::{Call, EntraResponse};
pub use self::certificate::CertificateError;
pub(super) use self::endpoint::Endpoint;
pub use self::people::Person;
pub use self::registration::{FederatedCredential, Registration};

use self::issue::{Issued, Proof};
use self::refusal::{Refusal, Trace};
use self::session::Session;
use self::state::EntraState;
use super::Directory;
use super::access::Access;
use super::fault::Fault;
use super::rng::Rng;

/// The longest lifetime of a token in Entra, in seconds.
const LONGEST_LIFE: i64 = 28 * 60 * 60;

/// The sample tenant's Entra.
pub struct Entra {
    tenant_id: String,
    /// The application that the sample tenant has had from the start.
    client_id: String,
    identity_header: String,
    people: Vec<Person>,
    /// The application's token for callers that do not use the token endpoint. Made on first use.
    standing: OnceLock<String>,
    state: Mutex<EntraState>,
}

impl Entra {
    pub(super) fn new(directory: &Directory, tenant_id: &str, client_id: &str, client_secret: &str) -> Entra {
        let seed = directory.seed;
        Entra {
            tenant_id: tenant_id.to_owned(),
            client_id: client_id.to_owned(),
            identity_header: Rng::of(seed, "identity header", &[]).guid(),
            people: people::people(seed, tenant_id, &directory.users),
            standing: OnceLock::new(),
            state: Mutex::new(EntraState::new(Registration::all(seed, client_id, client_secret))),
        }
    }

    /// The present app registrations: the first one, then one for each connector.
    pub fn registrations(&self) -> Vec<Registration> {
        self.lock().registrations.clone()
    }

    /// The present app registration with this name (`Outlook Mail`) or client id.
    pub fn registration(&self, name_or_client_id: &str) -> Option<Registration> {
        let is_it = |it: &&Registration| it.name == name_or_client_id || it.client_id == name_or_client_id;
        self.lock().registrations.iter().find(is_it).cloned()
    }

    /// Changes the app registration with this client id. `None` if there is none.
    pub fn change<T>(&self, client_id: &str, change: impl FnOnce(&mut Registration) -> T) -> Option<T> {
        self.lock().find(client_id).map(change)
    }

    /// The people who can sign in: an administrator, an ordinary user, and a guest with an account in another
    /// directory.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// Sets the lifetime of access tokens from the next one on, in seconds.
    pub fn set_token_life(&self, seconds: i64) {
        self.lock().token_life = seconds.clamp(1, LONGEST_LIFE);
    }

    /// Signs with a new key from now on. The previous key stays published, older keys do not.
    pub fn roll_signing_key(&self) {
        self.lock().keys.roll();
    }

    /// Puts the look-alike's clock forward, so that tests do not have to wait until something expires.
    pub fn advance_clock(&self, seconds: i64) {
        let mut state = self.lock();
        state.ahead = state.ahead.saturating_add(seconds);
    }

    /// Responds to a request.
    pub(super) fn respond(&self, endpoint: Endpoint<'_>, call: &Call<'_>) -> EntraResponse {
        let response = match endpoint {
            Endpoint::Configuration(tenant) => Ok(self.configuration(call, tenant)),
            Endpoint::Keys(tenant) => self.keys(call, tenant),
            Endpoint::Token(tenant) => self.token(call, tenant),
            Endpoint::Authorize(tenant) => self.authorize(call, tenant),
            Endpoint::Login(tenant) => self.login(call, tenant),
            Endpoint::Logout => Ok(self.logout(call)),
            Endpoint::Consent { tenant, with_scope } => self.consent(call, tenant, with_scope),
            Endpoint::Decision(tenant) => self.decide(call, tenant),
            Endpoint::VirtualMachine => Ok(self.virtual_machine(call)),
            Endpoint::AppService => Ok(self.app_service(call)),
        };
        response.unwrap_or_else(|refusal| self.refused(call, endpoint, &refusal))
    }

    /// People get a page, programs a document.
    fn refused(&self, call: &Call<'_>, endpoint: Endpoint<'_>, refusal: &Refusal) -> EntraResponse {
        let trace = self.trace(call);
        if endpoint.is_for_people() {
            EntraResponse::page(StatusCode::BAD_REQUEST, pages::error(refusal, &trace))
        } else {
            let response = EntraResponse::json(refusal.status(), &refusal.to_json(&trace));
            match refusal {
                Refusal::Throttled(Some(seconds)) => response.with(RETRY_AFTER, &seconds.to_string()),
                _ => response,
            }
        }
    }

    /// An unknown tenant has another error code here than at the token endpoint.
    fn configuration(&self, call: &Call<'_>, tenant: &str) -> EntraResponse {
        let known =
            call.expect(&Method::GET, "GET").and_then(|()| endpoint::check_tenant(tenant, &self.tenant_id));
        match known {
            Ok(()) => {
                let application = call.parameters().and_then(|form| form.get("appid")).unwrap_or_default();
                let document = discovery::configuration(call.base, &self.tenant_id, application.as_deref());
                EntraResponse::json(StatusCode::OK, &document)
            }
            Err(refusal) => {
                let mut document = refusal.to_json(&self.trace(call));
                if let Some(error) = document.get_mut("error") {
                    *error = json!("invalid_tenant");
                }
                EntraResponse::json(refusal.status(), &document)
            }
        }
    }

    fn keys(&self, call: &Call<'_>, tenant: &str) -> Result<EntraResponse, Refusal> {
        call.expect(&Method::GET, "GET")?;
        endpoint::check_tenant(tenant, &self.tenant_id)?;
        let client_id = call.parameters()?.get("appid")?.unwrap_or_default();
        let mut state = self.lock();
        let own = state.find(&client_id).and_then(|application| application.signing_key.clone());
        let keys = own.map_or_else(|| state.keys.jwks(call.base), |key| keys::jwks(call.base, [&*key]));
        Ok(EntraResponse::json(StatusCode::OK, &keys))
    }

    fn logout(&self, call: &Call<'_>) -> EntraResponse {
        self.sign_out(call);
        EntraResponse::page(StatusCode::OK, pages::signed_out()).with_cookie(&Session::remove_cookie())
    }

    fn trace(&self, call: &Call<'_>) -> Trace {
        call.trace(self.lock().now())
    }

    /// A token of the first application with the longest lifetime.
    pub(super) fn standing(&self) -> &str {
        self.standing.get_or_init(|| {
            let mut state = self.lock();
            let application = state.find(&self.client_id).cloned();
            let token = application.and_then(|application| {
                state.issue(&application, &self.tenant_id, Proof::Secret, LONGEST_LIFE).ok()
            });
            // Without randomness there is no token. An empty one opens nothing.
            token.unwrap_or_default()
        })
    }

    /// Accepts a word as a token of the first application that never expires.
    pub(super) fn accept(&mut self, word: String) {
        let mut state = self.lock();
        let granted = state.find(&self.client_id).map(|application| application.granted.clone());
        let roles = granted.unwrap_or_default().into_iter().collect();
        state.admit(word.clone(), Issued { client_id: self.client_id.clone(), roles, expires: i64::MAX });
        drop(state);
        self.standing = OnceLock::from(word);
    }

    /// What a token opens on Graph. `None` if it was not issued here.
    pub(super) fn access(&self, token: &str) -> Option<Result<Access, Fault>> {
        let mut state = self.lock();
        let now = state.now();
        let Issued { client_id, roles, expires } = state.issued(token)?;
        if now >= expires {
            return Some(Err(Fault::TokenExpired));
        }
        let mailboxes = state.find(&client_id).and_then(|application| application.mailboxes.clone());
        Some(Ok(Access::granted(roles, mailboxes)))
    }

    fn lock(&self) -> MutexGuard<'_, EntraState> {
        // Code that holds the lock does not panic. If it ever does, the demo continues.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
