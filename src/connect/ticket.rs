//! The state of a flow, sealed and given to the browser. The proxy stores nothing, so any replica can continue the
//! flow.
//!
//! A ticket is the `state` of an authorization request (RFC 6749, section 10.12). It is encrypted, so it may contain
//! the PKCE verifier. It names its browser, expires after ten minutes, and is valid for one step and one use.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::browser::Browser;
use crate::web::random_text;
use glassine_core::pseudonym::Sealer;

/// Enough to sign in with a second factor, which takes a minute or two. To find an administrator takes longer, and the
/// administrator starts again.
pub(super) const LIFETIME_SECONDS: i64 = 600;

/// The state of a flow.
#[derive(Serialize, Deserialize)]
pub(super) struct Ticket<S> {
    /// The consumer whose connector is connected.
    pub(super) consumer: String,
    /// The browser's digest.
    browser: String,
    /// Seconds since 1970.
    pub(super) expires: i64,
    /// The id under which the ticket is recorded as used.
    pub(super) id: String,
    /// The `state` that the analytics application gave at the start and gets back.
    pub(super) echo: Option<String>,
    /// What the next step needs.
    pub(super) stage: S,
}

/// A step of the flow that a ticket is for.
pub(super) trait Stage: Serialize + DeserializeOwned {
    /// Tickets are sealed for this purpose and open for no other.
    const PURPOSE: &'static str;
}

/// The browser was sent to sign in.
#[derive(Serialize, Deserialize)]
pub(super) struct SigningIn {
    /// Entra copies it into the id_token.
    pub(super) nonce: String,
    /// PKCE (RFC 7636).
    pub(super) verifier: String,
}

/// A person signed in, and the browser was sent to consent.
#[derive(Serialize, Deserialize)]
pub(super) struct Consenting {
    /// The tenant's id, from the id_token.
    pub(super) tenant: String,
    /// The person, as pseudonyms only.
    pub(super) person: Person,
}

/// The person who connects, by the pseudonyms that the consumer gets for users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Person {
    /// The token of the person's `id` in `users`, if the rules let it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    /// The token of the address that the person signed in with, if the rules let it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
}

impl Stage for SigningIn {
    const PURPOSE: &'static str = "signing-in";
}

impl Stage for Consenting {
    const PURPOSE: &'static str = "consenting";
}

/// Why a ticket is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TicketError {
    #[error("the state was not made by this proxy, or is for another step")]
    Foreign,
    #[error("the state has expired")]
    Expired,
    #[error("the state was given to another browser")]
    Browser,
    #[error("the state was used before")]
    Used,
}

impl<S: Stage> Ticket<S> {
    pub(super) fn new(
        consumer: &str,
        echo: Option<String>,
        stage: S,
        browser: &Browser,
        now: i64,
    ) -> Result<Self, getrandom::Error> {
        Ok(Self {
            consumer: consumer.to_owned(),
            browser: browser.digest(),
            expires: now.saturating_add(LIFETIME_SECONDS),
            id: random_text::<16>()?,
            echo,
            stage,
        })
    }

    /// The text that the browser carries.
    pub(super) fn seal(&self, sealer: &Sealer) -> Result<String, serde_json::Error> {
        Ok(sealer.seal(S::PURPOSE, &serde_json::to_vec(self)?))
    }

    /// Opens a ticket if it is unchanged, for this step, not expired, and from the browser that it was given to.
    pub(super) fn open(
        sealed: &str,
        sealer: &Sealer,
        browser: Option<&Browser>,
        now: i64,
    ) -> Result<Self, TicketError> {
        let plain = sealer.open(S::PURPOSE, sealed).ok_or(TicketError::Foreign)?;
        let ticket: Self = serde_json::from_slice(&plain).map_err(|_| TicketError::Foreign)?;
        if now >= ticket.expires {
            return Err(TicketError::Expired);
        }
        if browser.is_some_and(|browser| browser.is(&ticket.browser)) {
            Ok(ticket)
        } else {
            Err(TicketError::Browser)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassine_core::pseudonym::KeyRing;

    const NOW: i64 = 1_800_000_000;

    fn ring(seed: u8) -> KeyRing {
        let master: [u8; 32] = std::array::from_fn(|at| (at as u8).wrapping_mul(37) ^ seed);
        KeyRing::parse(&KeyRing::render_new(&master, 'A', "2026-01-01T00:00:00Z")).unwrap()
    }

    fn sealed(browser: &Browser) -> String {
        let stage = SigningIn { nonce: "n".to_owned(), verifier: "v".to_owned() };
        let ticket = Ticket::new("acme", Some("echo".to_owned()), stage, browser, NOW).unwrap();
        ticket.seal(&ring(1).connection_sealer()).unwrap()
    }

    fn open(sealed: &str, browser: Option<&Browser>, now: i64) -> Result<Ticket<SigningIn>, TicketError> {
        Ticket::open(sealed, &ring(1).connection_sealer(), browser, now)
    }

    #[test]
    fn a_ticket_opens_in_its_browser_until_it_expires() {
        let browser = Browser::new().unwrap();
        let text = sealed(&browser);
        let ticket = open(&text, Some(&browser), NOW + LIFETIME_SECONDS - 1).unwrap();
        assert_eq!((ticket.consumer.as_str(), ticket.stage.verifier.as_str()), ("acme", "v"));
        assert_eq!(open(&text, Some(&browser), NOW + LIFETIME_SECONDS).err(), Some(TicketError::Expired));
        assert_eq!(open(&text, None, NOW).err(), Some(TicketError::Browser));
        let other = Browser::new().unwrap();
        assert_eq!(open(&text, Some(&other), NOW).err(), Some(TicketError::Browser));
    }

    #[test]
    fn a_ticket_opens_only_for_its_step_with_its_key_and_unchanged() {
        let browser = Browser::new().unwrap();
        let text = sealed(&browser);
        let for_consent =
            Ticket::<Consenting>::open(&text, &ring(1).connection_sealer(), Some(&browser), NOW);
        assert_eq!(for_consent.err(), Some(TicketError::Foreign));
        let elsewhere = Ticket::<SigningIn>::open(&text, &ring(2).connection_sealer(), Some(&browser), NOW);
        assert_eq!(elsewhere.err(), Some(TicketError::Foreign));
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'Q' { b'g' } else { b'Q' };
            let tampered = String::from_utf8(bytes).unwrap();
            assert_eq!(open(&tampered, Some(&browser), NOW).err(), Some(TicketError::Foreign), "{at}");
        }
    }

    #[test]
    fn a_ticket_reveals_neither_consumer_nor_state() {
        let text = sealed(&Browser::new().unwrap());
        assert!(!text.contains("acme") && !text.contains("echo"));
    }

    #[test]
    fn the_length_of_a_ticket_does_not_tell_the_length_of_its_content() {
        let length = |tenant: usize| {
            let stage = Consenting { tenant: "t".repeat(tenant), person: Person::default() };
            let ticket = Ticket::new("acme", None, stage, &Browser::new().unwrap(), NOW).unwrap();
            ticket.seal(&ring(1).connection_sealer()).unwrap().len()
        };
        assert!((0..40).all(|tenant| length(tenant) == length(0)));
    }
}
