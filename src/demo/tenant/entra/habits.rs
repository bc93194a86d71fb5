//! What Entra does at times, and not to everybody: consents that take a while to reach tokens, tokens that cannot be read,
//! throttling, an older way to find certificates, a platform that keeps an identity's token. The look-alike does it when it is
//! asked to.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Entra;
use super::jose::SigningKey;
use super::refusal::Refusal;
use super::registration::Registration;

/// What the look-alike does. The default is none of it.
#[derive(Default)]
pub(super) struct Habits {
    pub(super) consent_delay: Duration,
    pub(super) opaque: bool,
    pub(super) by_sha1_only: bool,
    pub(super) caches_identities: bool,
    throttle: Option<Throttle>,
    /// How many token requests each application may send.
    loop_limit: Option<u32>,
    asked: HashMap<String, u32>,
}

struct Throttle {
    /// How many requests of each application are refused.
    times: u32,
    retry_after: Option<u64>,
    refused: HashMap<String, u32>,
}

impl Entra {
    /// Permissions that a consent grants from now on are in tokens after this time only. Entra takes seconds to minutes:
    /// <https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/4765> and `/10907`.
    pub fn delay_consents(&self, delay: Duration) {
        self.lock().habits.consent_delay = delay;
    }

    /// Whether consents take a while.
    pub(crate) fn delays_consents(&self) -> bool {
        !self.lock().habits.consent_delay.is_zero()
    }

    /// Issues access tokens that only Graph can read. "You can't validate tokens for Microsoft Graph … Don't assume that a
    /// client can read them": <https://learn.microsoft.com/entra/identity-platform/access-tokens>.
    pub fn make_tokens_opaque(&self) {
        self.lock().habits.opaque = true;
    }

    /// Refuses the next requests of each application with client credentials: 429, with `Retry-After` in seconds if it is given. MSAL documents
    /// both: <https://learn.microsoft.com/entra/msal/dotnet/advanced/exceptions/retry-policy>.
    pub fn throttle(&self, times: u32, retry_after: Option<u64>) {
        self.lock().habits.throttle = Some(Throttle { times, retry_after, refused: HashMap::new() });
    }

    /// Takes more than this many requests of one application with client credentials for a loop (AADSTS50196, `LoopDetected`):
    /// <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>. Microsoft does not document the number.
    pub fn detect_loops(&self, limit: u32) {
        let habits = &mut self.lock().habits;
        (habits.loop_limit, habits.asked) = (Some(limit), HashMap::new());
    }

    /// Finds certificates by `x5t` only, and not by `x5t#S256`: <https://github.com/MicrosoftDocs/entra-docs/pull/1301>.
    pub fn find_certificates_by_sha1(&self) {
        self.lock().habits.by_sha1_only = true;
    }

    /// Gives an identity the same token until shortly before its end, as the platform does for up to 24 hours:
    /// <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identity-best-practice-recommendations>
    /// ("Limitation of using managed identities for authorization").
    pub fn cache_identity_tokens(&self) {
        self.lock().habits.caches_identities = true;
    }
}

impl Habits {
    /// Refuses a request with client credentials.
    pub(super) fn check(&mut self, client_id: &str) -> Result<(), Refusal> {
        if let Some(throttle) = &mut self.throttle {
            let refused = throttle.refused.entry(client_id.to_owned()).or_default();
            if *refused < throttle.times {
                *refused += 1;
                return Err(Refusal::Throttled(throttle.retry_after));
            }
        }
        let Some(limit) = self.loop_limit else { return Ok(()) };
        let asked = self.asked.entry(client_id.to_owned()).or_default();
        *asked = asked.saturating_add(1);
        if *asked > limit { Err(Refusal::Loop) } else { Ok(()) }
    }
}

impl Registration {
    /// Signs the application's id_tokens with a key of its own, which only the key set with `?appid=` has:
    /// <https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-signature>.
    pub fn use_own_signing_key(&mut self) {
        self.signing_key = SigningKey::generate().map(Arc::new);
    }

    /// The permissions that a token of this moment has.
    pub(super) fn roles(&self) -> Vec<&str> {
        let now = Instant::now();
        let shows = |name: &&str| self.shows_from.get(*name).is_none_or(|from| now >= *from);
        self.granted().filter(shows).collect()
    }

    /// Grants a permission, which tokens have after this time.
    pub(super) fn grant_after(&mut self, permission: &str, delay: Duration) {
        if self.granted.insert(permission.to_owned()) {
            self.shows_from.insert(permission.to_owned(), Instant::now() + delay);
        }
    }
}
