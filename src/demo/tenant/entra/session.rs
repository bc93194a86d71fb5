//! Who is signed in to the look-alike in a browser, and what a page waits for.

use super::Entra;
use super::authorize::SignIn;
use super::call::Call;
use super::consent::Request;
use super::expiring::Expiring;
use super::people::Person;
use super::refusal::Refusal;
use super::state::EntraState;
use crate::web::random_text;

/// The name that Entra's own cookie has.
const COOKIE: &str = "ESTSAUTH";
/// A session lives for a day, by the look-alike's clock.
const SESSION_LIFE: i64 = 24 * 60 * 60;
/// A page that is answered later is not answered.
const PAGE_LIFE: i64 = 60 * 60;

/// Sessions and open pages.
#[derive(Default)]
pub(super) struct Browsers {
    sessions: Expiring<Person>,
    pages: Expiring<Page>,
}

/// Somebody who is signed in.
pub(super) struct Session {
    pub(super) id: String,
    pub(super) person: Person,
}

/// A page that somebody looks at.
pub(super) struct Page {
    pub(super) purpose: Purpose,
    /// The session that it was made for: another browser cannot respond it.
    session: Option<String>,
}

/// What somebody came for.
#[derive(Clone)]
pub(super) enum Purpose {
    SignIn(SignIn),
    Consent(Request),
}

impl Session {
    /// The `Set-Cookie` field. Without `Secure`: the sample tenant speaks plain HTTP, on loopback.
    pub(super) fn set_cookie(&self) -> String {
        format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax", self.id)
    }

    /// Forgets the session in the browser.
    pub(super) fn remove_cookie() -> String {
        format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
    }
}

impl Entra {
    /// Who is signed in, if anybody is.
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

    /// Remembers what a page is for; gives what the page's form has to send.
    pub(super) fn open_page(&self, purpose: Purpose, session: Option<&Session>) -> Result<String, Refusal> {
        let mut state = self.lock();
        let (context, now) = (random()?, state.now());
        let page = Page { purpose, session: session.map(|session| session.id.clone()) };
        state.browsers.pages.insert(context.clone(), now.saturating_add(PAGE_LIFE), page, now);
        Ok(context)
    }

    /// What the page was for that a form comes from. It is answered once, in the session that it was made for.
    pub(super) fn answered_prompt(
        &self,
        context: &str,
        session: Option<&Session>,
    ) -> Result<Purpose, Refusal> {
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

/// What nobody guesses.
pub(super) fn random() -> Result<String, Refusal> {
    random_text::<32>().map_err(|_| Refusal::Internal)
}
