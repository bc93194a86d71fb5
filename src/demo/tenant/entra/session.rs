//! The sessions of browsers that are signed in to the look-alike, and the pages that wait for a form.

use super::Entra;
use super::authorize::SignIn;
use super::call::Call;
use super::consent::Request;
use super::expiring::Expiring;
use super::people::Person;
use super::refusal::Refusal;
use super::state::EntraState;
use crate::web::random_text;

/// The name of Entra's session cookie.
const COOKIE: &str = "ESTSAUTH";
/// A session lasts a day, by the look-alike's clock.
const SESSION_LIFE: i64 = 24 * 60 * 60;
/// A form that is sent later is refused.
const PAGE_LIFE: i64 = 60 * 60;

/// Sessions and open pages.
#[derive(Default)]
pub(super) struct Browsers {
    sessions: Expiring<Person>,
    pages: Expiring<Page>,
}

/// A signed-in person.
pub(super) struct Session {
    pub(super) id: String,
    pub(super) person: Person,
}

/// A page whose form was not sent yet.
pub(super) struct Page {
    pub(super) purpose: Purpose,
    /// The session that the page was made for. A form from another session is refused.
    session: Option<String>,
}

/// The purpose of a page.
#[derive(Clone)]
pub(super) enum Purpose {
    SignIn(SignIn),
    Consent(Request),
}

impl Session {
    /// The `Set-Cookie` field. Without `Secure`, because the sample tenant speaks plain HTTP on loopback.
    pub(super) fn set_cookie(&self) -> String {
        format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax", self.id)
    }

    /// The `Set-Cookie` field that deletes the cookie.
    pub(super) fn remove_cookie() -> String {
        format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
    }
}

impl Entra {
    /// The session of the browser, if a person is signed in.
    pub(super) fn session(&self, call: &Call<'_>) -> Option<Session> {
        let id = call.cookie(COOKIE)?;
        let mut state = self.lock();
        let now = state.now();
        let person = state.browsers.sessions.get(id, now)?.clone();
        Some(Session { id: id.to_owned(), person })
    }

    pub(super) fn sign_in(&self, person: &Person) -> Result<Session, Refusal> {
        let mut state = self.lock();
        let (id, now) = (random()?, state.now());
        state.browsers.sessions.insert(id.clone(), now.saturating_add(SESSION_LIFE), person.clone(), now);
        Ok(Session { id, person: person.clone() })
    }

    pub(super) fn sign_out(&self, call: &Call<'_>) {
        let mut state = self.lock();
        let now = state.now();
        let ended = call.cookie(COOKIE).and_then(|id| state.browsers.sessions.remove(id, now));
        drop(ended);
    }

    /// Remembers the purpose of a page. Returns the secret that the page's form must send.
    pub(super) fn open_page(&self, purpose: Purpose, session: Option<&Session>) -> Result<String, Refusal> {
        let mut state = self.lock();
        let (context, now) = (random()?, state.now());
        let page = Page { purpose, session: session.map(|session| session.id.clone()) };
        state.browsers.pages.insert(context.clone(), now.saturating_add(PAGE_LIFE), page, now);
        Ok(context)
    }

    /// The purpose of the page that sent a form. A form is accepted once, from the session that its page was made for.
    pub(super) fn close_page(&self, context: &str, session: Option<&Session>) -> Result<Purpose, Refusal> {
        let mut state = self.lock();
        let now = state.now();
        let page = take(&mut state, context, now).ok_or(Refusal::Malformed)?;
        let is_theirs = page.session.is_none() || page.session.as_ref() == session.map(|session| &session.id);
        if is_theirs { Ok(page.purpose) } else { Err(Refusal::Malformed) }
    }
}

fn take(state: &mut EntraState, context: &str, now: i64) -> Option<Page> {
    state.browsers.pages.remove(context, now)
}

/// A secret that cannot be guessed.
pub(super) fn random() -> Result<String, Refusal> {
    random_text::<32>().map_err(|_| Refusal::Internal)
}
