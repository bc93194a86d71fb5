//! The state of the look-alike that changes while it runs.

use jiff::Timestamp;

use super::assertion::Once;
use super::code::Code;
use super::expiring::Expiring;
use super::habits::Habits;
use super::issue::{Issued, Proof, Validity, application_claims};
use super::keys::SigningKeys;
use super::refusal::Refusal;
use super::registration::Registration;
use super::session::Browsers;
use crate::web::random_text;

/// The lifetime of tokens, in seconds. Entra's is random between 60 and 90 minutes; this is the most common value.
const TOKEN_LIFE: i64 = 3599;

/// Everything that changes.
pub(super) struct EntraState {
    pub(super) registrations: Vec<Registration>,
    pub(super) keys: SigningKeys,
    /// Issued access tokens, by the token.
    issued: Expiring<Issued>,
    /// The identities of used assertions.
    used: Expiring<()>,
    pub(super) codes: Expiring<Code>,
    pub(super) browsers: Browsers,
    /// How many seconds the look-alike's clock is ahead.
    pub(super) ahead: i64,
    /// In seconds.
    pub(super) token_life: i64,
    pub(super) habits: Habits,
    /// The identity's token, and when it expires, in seconds since 1970.
    pub(super) of_identity: Option<(String, i64)>,
}

impl EntraState {
    pub(super) fn new(registrations: Vec<Registration>) -> EntraState {
        EntraState {
            registrations,
            keys: SigningKeys::default(),
            issued: Expiring::default(),
            used: Expiring::default(),
            codes: Expiring::default(),
            browsers: Browsers::default(),
            ahead: 0,
            token_life: TOKEN_LIFE,
            habits: Habits::default(),
            of_identity: None,
        }
    }

    /// Seconds since 1970, by the look-alike's clock.
    pub(super) fn now(&self) -> i64 {
        Timestamp::now().as_second().saturating_add(self.ahead)
    }

    pub(super) fn find(&mut self, client_id: &str) -> Option<&mut Registration> {
        self.registrations.iter_mut().find(|it| it.client_id.eq_ignore_ascii_case(client_id))
    }

    /// The present registration of an application. Counts its token request.
    pub(super) fn asked_by(&mut self, client_id: &str) -> Result<Registration, Refusal> {
        let unknown = || Refusal::Client(client_id.to_owned());
        let registration = self.find(client_id).ok_or_else(unknown)?;
        registration.token_requests += 1;
        Ok(registration.clone())
    }

    /// An access token of the application that is valid for `life` seconds.
    pub(super) fn issue(
        &mut self,
        application: &Registration,
        tenant_id: &str,
        proof: Proof,
        life: i64,
    ) -> Result<String, Refusal> {
        let now = self.now();
        let validity = Validity { from: now, until: now.saturating_add(life) };
        let unique = random_text::<16>().map_err(|_| Refusal::Internal)?;
        let token = if self.habits.opaque {
            format!("EwB{unique}{unique}")
        } else {
            let claims = application_claims(application, tenant_id, proof, validity, &unique);
            self.keys.current().and_then(|key| key.sign(&claims)).ok_or(Refusal::Internal)?
        };
        let roles = application.roles().into_iter().map(str::to_owned).collect();
        let client_id = application.client_id.clone();
        self.admit(token.clone(), Issued { client_id, roles, expires: validity.until });
        Ok(token)
    }

    /// Records a token for Graph. An expired token is kept for another hour, so that its error differs from that of an
    /// unknown one.
    pub(super) fn admit(&mut self, token: String, issued: Issued) {
        let (now, until) = (self.now(), issued.expires.saturating_add(TOKEN_LIFE));
        self.issued.insert(token, until, issued, now);
    }

    pub(super) fn admit_without_roles(&mut self, token: &str, client_id: &str, expires: i64) {
        let issued = Issued { client_id: client_id.to_owned(), roles: Vec::new(), expires };
        self.admit(token.to_owned(), issued);
    }

    pub(super) fn issued(&mut self, token: &str) -> Option<Issued> {
        let now = self.now();
        self.issued.get(token, now).cloned()
    }

    /// Refuses an assertion that was used before.
    pub(super) fn use_once(&mut self, assertion: Once) -> Result<(), Refusal> {
        let now = self.now();
        let is_new = self.used.insert(assertion.id, assertion.until, (), now);
        if is_new { Ok(()) } else { Err(Refusal::AssertionReplayed) }
    }
}
