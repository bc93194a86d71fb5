//! Microsoft Entra ID as far as an application meets it, on the sample tenant's own socket: who an application is, what it
//! was granted, who signs in, and who consents.
//!
//! It stands in for the real one when the proxy's credentials and its connection pages are tried, tested and shown, and
//! so it is strict: a wrong audience, an unregistered redirect URI, a code that comes twice are refused here as there, with the
//! same `AADSTS` numbers. Where the real one is lenient and a mistake of ours would not show, this one is stricter, and
//! the file says so. Nothing of it is shared with the code that it judges.
//!
//! Nobody's password is asked for. Everything here is synthetic, and whoever reaches the socket may be an administrator.
//!
//! | file | what |
//! |---|---|
//! | `endpoint` | which part a path names |
//! | `call` | a request, and the response with its headers |
//! | `registration`, `certificate` | app registrations: secrets, certificates, trusted issuers, redirect URIs, permissions |
//! | `discovery`, `keys` | the OpenID configuration, and keys with rollover |
//! | `token`, `client`, `assertion` | the token endpoint, and how an application proves who it is |
//! | `issue` | what is in tokens |
//! | `authorize`, `code` | signing in, and what an application gets for it |
//! | `consent`, `words` | admin consent, in Microsoft's words |
//! | `people`, `session`, `pages` | who can sign in, who did, and what they see |
//! | `managed_identity` | tokens for whoever runs on the machine |
//! | `jose` | signing and verifying |
//! | `state`, `expiring` | what changes: registrations, keys, issued tokens, the clock |
//! | `refusal` | everything that is refused, with its number |

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

/// The longest life that Entra gives a token, in seconds.
const LONGEST_LIFE: i64 = 28 * 60 * 60;

/// The sample tenant's Entra.
pub struct Entra {
    tenant_id: String,
    /// The application that the sample tenant has had from the start.
    client_id: String,
    identity_header: String,
    people: Vec<Person>,
    /// Its token for whoever wants one without asking the token endpoint; made when it is needed.
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

    /// All app registrations as they are now: the first one, then one for each connector.
    pub fn registrations(&self) -> Vec<Registration> {
        self.lock().registrations.clone()
    }

    /// The app registration of this name (`Outlook Mail`) or client id, as it is now.
    pub fn registration(&self, name_or_client_id: &str) -> Option<Registration> {
        let is_it = |it: &&Registration| it.name == name_or_client_id || it.client_id == name_or_client_id;
        self.lock().registrations.iter().find(is_it).cloned()
    }

    /// Changes the app registration of this client id; `None` if there is none.
    pub fn change<T>(&self, client_id: &str, change: impl FnOnce(&mut Registration) -> T) -> Option<T> {
        self.lock().find(client_id).map(change)
    }

    /// Who can sign in: an administrator, an ordinary user, and a guest whose account is in another directory.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// How long access tokens live from the next one on, in seconds.
    pub fn set_token_life(&self, seconds: i64) {
        self.lock().token_life = seconds.clamp(1, LONGEST_LIFE);
    }

    /// Signs with a new key from now on. The last one stays published, the one before it does not.
    pub fn roll_signing_key(&self) {
        self.lock().keys.roll();
    }

    /// Puts the look-alike's clock forward, so that something ends without anybody waiting for it.
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

    /// People read a page, programs a document.
    fn refused(&self, call: &Call<'_>, endpoint: Endpoint<'_>, refusal: &Refusal) -> EntraResponse {
        let trace = self.trace(call);
        if endpoint.is_for_people() {
            EntraResponse::page(StatusCode::BAD_REQUEST, pages::error(refusal, &trace))
        } else {
            EntraResponse::json(refusal.status(), &refusal.to_json(&trace))
        }
    }

    /// An unknown tenant is another error here than at the token endpoint.
    fn configuration(&self, call: &Call<'_>, tenant: &str) -> EntraResponse {
        let known =
            call.expect(&Method::GET, "GET").and_then(|()| endpoint::check_tenant(tenant, &self.tenant_id));
        match known {
            Ok(()) => {
                EntraResponse::json(StatusCode::OK, &discovery::configuration(call.base, &self.tenant_id))
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
        Ok(EntraResponse::json(StatusCode::OK, &self.lock().keys.jwks(call.base)))
    }

    fn logout(&self, call: &Call<'_>) -> EntraResponse {
        self.sign_out(call);
        EntraResponse::page(StatusCode::OK, pages::signed_out()).with_cookie(&Session::remove_cookie())
    }

    fn trace(&self, call: &Call<'_>) -> Trace {
        call.trace(self.lock().now())
    }

    /// A token of the first application that lives as long as a token can.
    pub(super) fn standing(&self) -> &str {
        self.standing.get_or_init(|| {
            let mut state = self.lock();
            let application = state.find(&self.client_id).cloned();
            let token = application.and_then(|application| {
                state.issue(&application, &self.tenant_id, Proof::Secret, LONGEST_LIFE).ok()
            });
            // Without randomness there is no token, and nothing opens for an empty one.
            token.unwrap_or_default()
        })
    }

    /// Takes a word that somebody chose for a token of the first application, for ever.
    pub(super) fn accept(&mut self, word: String) {
        let mut state = self.lock();
        let granted = state.find(&self.client_id).map(|application| application.granted.clone());
        let roles = granted.unwrap_or_default().into_iter().collect();
        state.admit(word.clone(), Issued { client_id: self.client_id.clone(), roles, expires: i64::MAX });
        drop(state);
        self.standing = OnceLock::from(word);
    }

    /// What a token opens on Graph; `None` if it was never issued here.
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
        // Nothing that holds the lock can panic half-way; if it did, a demo goes on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
