//! The access token for Graph: fetched once, shared by all requests, renewed well before it expires.
//!
//! Four things must never happen: two renewals at a time; a renewal storm when Graph or Entra refuses; a consumer that
//! stops a renewal by disconnecting; a request that waits for Entra although the current token is valid. So each
//! renewal runs in a separate task that holds the [`Renewal`] lock. If the caller disconnects, the task still finishes.
//! While the current token is valid, requests use it. Without one, they wait for the lock and check again. A failure is
//! cached for a while, and all requests meanwhile get the same error. If the issuer asks to wait, nobody asks it before.
//!
//! A permission that is granted later is only in a later token. `granted` says when a token is renewed for that.
//!
//! | file | what |
//! |---|---|
//! | `keep` | a token at hand before the first request, and the source's health |
//! | `credential` | where tokens come from |
//! | `entra` | an app registration at the token endpoint |
//! | `assertion` | client assertions, signed with a certificate's key |
//! | `identity` | managed identities |
//! | `granted` | renewals for permissions that were granted meanwhile |
//! | `form`, `response` | the token endpoint's request and response |
//! | `error` | why the proxy gets no token, in words for the operator |

mod assertion;
mod credential;
mod entra;
mod error;
mod form;
mod granted;
mod identity;
mod keep;
mod response;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Lock, OwnedMutexGuard};
use tokio::time::Instant;

pub use self::assertion::{CertificateError, CertificateFiles, CertificateKey};
use self::credential::Issuer;
pub use self::credential::{Credential, Proof};
pub use self::error::{OAuthError, ResponseFault, TokenError};
use self::granted::Awaited;
pub use self::identity::{IdentityError, IdentityService};
pub use self::keep::TokenHealth;
use super::connector::ConnectorError;
use super::network::Network;
use super::secret::Secret;
use glassine_core::graph::Origin;

/// A token is valid for 60 to 90 minutes. Renewing it five minutes early covers a short outage of Entra.
const RENEW_MARGIN: Duration = Duration::from_secs(300);

/// Replicas that start together do not all renew at the same moment.
const JITTER: Duration = Duration::from_secs(120);

/// The shortest time between two renewals, successful or not. After an operator repairs a secret, the proxy notices
/// within this time.
const MIN_INTERVAL: Duration = Duration::from_secs(10);

/// The age from which a token is renewed because Graph denied a request, and the shortest time between two such renewals. A
/// consent is in tokens after seconds to minutes (microsoft-graph-docs issues 4765 and 10907). Denials that no renewal ends,
/// such as those of a closed mailbox, cost the issuer twenty requests an hour at most.
const DENIED_AGE: Duration = Duration::from_secs(180);

/// The first pause before a token that a check found incomplete is renewed; each pause is twice the one before.
const AWAIT_FIRST: Duration = Duration::from_secs(5);

/// The longest of these pauses.
const AWAIT_LONGEST: Duration = Duration::from_secs(240);

/// How often a token file is read again. Other programs rewrite it minutes before the old token expires.
const FILE_CHECK: Duration = Duration::from_secs(1);

/// How often a token is looked after when nobody asks for it: often enough that it is renewed within the margin.
const LOOK: Duration = Duration::from_secs(30);

/// The longest time between two attempts to get a token while none can be had. When Entra is back, or a secret is repaired,
/// the proxy is ready within this time without any request.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// When to renew.
#[derive(Clone, Copy, Debug)]
pub struct RenewalTimes {
    /// How long before its expiry a token is renewed. A token with a short lifetime is renewed after half of it.
    pub renew_margin: Duration,
    /// The most by which the margin is longer, random for each token.
    pub jitter: Duration,
    /// The shortest time between two renewals.
    pub min_interval: Duration,
    /// How often a token file is read again.
    pub file_check: Duration,
    /// How often a token is looked after when nobody asks for it.
    pub look: Duration,
    /// The longest time between two attempts while no token can be had. The first pause is [`Self::min_interval`].
    pub longest_pause: Duration,
    /// The age from which a token is renewed because Graph denied a request, and the time between two such renewals.
    pub denied_age: Duration,
    /// The first and the longest pause before a token is renewed that a check found incomplete.
    pub await_pauses: (Duration, Duration),
}

impl Default for RenewalTimes {
    fn default() -> Self {
        Self {
            renew_margin: RENEW_MARGIN,
            jitter: JITTER,
            min_interval: MIN_INTERVAL,
            file_check: FILE_CHECK,
            look: LOOK,
            longest_pause: LONGEST_PAUSE,
            denied_age: DENIED_AGE,
            await_pauses: (AWAIT_FIRST, AWAIT_LONGEST),
        }
    }
}

/// What a [`TokenSource`] needs.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// How the proxy authenticates.
    pub credential: Credential,
    /// Graph's origin, which the token is for.
    pub graph: Origin,
    /// How to reach the issuer.
    pub network: Network,
    /// When to renew.
    pub pace: RenewalTimes,
}

/// A token for Graph.
#[derive(Debug)]
pub struct AccessToken(Secret);

impl AccessToken {
    /// A consumer's own token, which the consumer renews.
    pub fn forwarded(secret: Secret) -> Self {
        Self(secret)
    }

    /// The token itself.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

/// An authorization code that a browser brings back from a sign-in, and what redeeming it needs.
#[derive(Clone, Copy)]
pub struct AuthorizationCode<'a> {
    /// The code.
    pub code: &'a str,
    /// The code verifier, which only this proxy knows (PKCE, RFC 7636).
    pub verifier: &'a str,
    /// The redirect URI of the sign-in.
    pub redirect_uri: &'a str,
}

/// The token that requests carry now.
pub struct TokenInUse {
    /// The token.
    pub token: Arc<AccessToken>,
    /// How long ago the issuer gave it.
    pub age: Duration,
    /// For how long it is valid still; `None` if that is not known.
    pub remaining: Option<Duration>,
}

/// Holds the current token of one credential, and renews it.
pub struct TokenSource {
    issuer: Arc<Issuer>,
    state: Arc<Mutex<Cached>>,
    renewal: Renewal,
    pace: RenewalTimes,
}

/// Why a token is renewed although it is not due.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// Somebody asked for it.
    Asked,
    /// Graph denied a request.
    Denied,
}

/// The task that holds this lock is the only one that renews.
type Renewal = Arc<Lock<()>>;

impl TokenSource {
    /// Builds the source. Does not connect yet.
    ///
    /// # Errors
    /// [`ConnectorError`] if TLS cannot be set up or the issuer has no usable address.
    pub fn new(settings: TokenSettings) -> Result<Self, ConnectorError> {
        let pace = settings.pace;
        let issuer = Arc::new(Issuer::new(settings)?);
        Ok(Self { issuer, state: Arc::default(), renewal: Arc::default(), pace })
    }

    /// The current token, fetched or renewed if necessary. Concurrent callers share one renewal, and do not wait for it
    /// while the current token is valid.
    ///
    /// # Errors
    /// [`TokenError`], the same for all callers until [`RenewalTimes::min_interval`] has passed.
    pub async fn token(&self) -> Result<Arc<AccessToken>, TokenError> {
        match self.state().at(Instant::now()) {
            TokenStatus::Settled(settled) => return settled,
            TokenStatus::Due(token) => {
                if let Ok(turn) = Arc::clone(&self.renewal).try_lock_owned() {
                    drop(tokio::spawn(self.renew(turn)));
                }
                return Ok(token);
            }
            TokenStatus::Needed => {}
        }
        let turn = Arc::clone(&self.renewal).lock_owned().await;
        // Another caller may have renewed it meanwhile.
        if let TokenStatus::Settled(settled) = self.state().at(Instant::now()) {
            return settled;
        }
        tokio::spawn(self.renew(turn)).await.unwrap_or(Err(TokenError::Interrupted))
    }

    /// Fetches a new token from the issuer at once, and replaces the current one with it. The new token has the
    /// permissions that were granted meanwhile. The caller has to bound how often it calls this.
    ///
    /// # Errors
    /// [`TokenError`]; the current token stays in use while it is valid. While the issuer wants no further request, this is
    /// the error that said so.
    pub async fn renewed(&self) -> Result<Arc<AccessToken>, TokenError> {
        let turn = Arc::clone(&self.renewal).lock_owned().await;
        self.renewed_in(turn, Reason::Asked).await
    }

    async fn renewed_in(
        &self,
        turn: OwnedMutexGuard<()>,
        reason: Reason,
    ) -> Result<Arc<AccessToken>, TokenError> {
        if let Some(error) = self.state().closed(Instant::now()) {
            return Err(error);
        }
        let (issuer, state, pace) = (Arc::clone(&self.issuer), Arc::clone(&self.state), self.pace);
        let renewal = async move {
            let _turn = turn;
            let asked = Instant::now();
            let granted = issuer.grant().await;
            let mut state = lock(&state);
            // Only now: meanwhile, others whose requests were denied wait for this token.
            if reason == Reason::Denied {
                state.denied = Some(asked);
            }
            match granted {
                Ok(grant) => Ok(state.accept(grant, asked, pace)),
                Err(error) => {
                    state.close(&error, Instant::now());
                    Err(error)
                }
            }
        };
        tokio::spawn(renewal).await.unwrap_or(Err(TokenError::Interrupted))
    }

    /// The token in use, without asking the issuer. `None` if there is none, or it has expired.
    pub fn current(&self) -> Option<TokenInUse> {
        let now = Instant::now();
        let state = self.state();
        let held = state.held.as_ref().filter(|held| held.lives(now))?;
        Some(TokenInUse {
            token: Arc::clone(&held.token),
            age: now.saturating_duration_since(held.since),
            remaining: held.ends_at.map(|end| end.saturating_duration_since(now)),
        })
    }

    /// How many seconds this machine's clock is ahead of the issuer's, as its last response showed it. `None` if it does not show it.
    pub fn clock_ahead(&self) -> Option<i64> {
        self.issuer.clock_ahead()
    }

    /// By how much this machine's clock is wrong, as the issuer's last response showed it. `None` if it is right, or not known.
    pub fn wrong_clock(&self) -> Option<String> {
        self.issuer.wrong_clock()
    }

    /// Redeems an authorization code in the name of the application. Returns an id_token, which the caller must verify. The
    /// code is sent even while the issuer wants no further request: it ends within minutes.
    ///
    /// # Errors
    /// [`TokenError`].
    pub(crate) async fn redeem_code(&self, code: AuthorizationCode<'_>) -> Result<Secret, TokenError> {
        let redeemed = self.issuer.redeem(&code).await;
        if let Err(error) = &redeemed {
            self.state().close(error, Instant::now());
        }
        redeemed
    }

    /// Discards a token to which Graph responded with 401, so that the next caller renews it. Keeps the token if it is
    /// no longer the current one, or younger than [`RenewalTimes::min_interval`], because Graph then has another
    /// reason. [`TokenSource::token`] returns the same `Arc` in that case, and a second attempt would fail too.
    pub fn invalidate(&self, token: &Arc<AccessToken>) {
        let old = Instant::now().checked_sub(self.pace.min_interval);
        let stale = |held: &Held| Arc::ptr_eq(&held.token, token) && old.is_some_and(|old| held.since <= old);
        self.state().held.take_if(|held| stale(held));
    }

    fn state(&self) -> MutexGuard<'_, Cached> {
        lock(&self.state)
    }

    fn renew(
        &self,
        turn: OwnedMutexGuard<()>,
    ) -> impl Future<Output = Result<Arc<AccessToken>, TokenError>> + Send + 'static {
        let (issuer, state, pace) = (Arc::clone(&self.issuer), Arc::clone(&self.state), self.pace);
        async move {
            let _turn = turn;
            // Count the lifetime from before the request, because the issuer starts to count it later.
            let asked = Instant::now();
            match issuer.grant().await {
                Ok(grant) => Ok(lock(&state).accept(grant, asked, pace)),
                Err(error) => lock(&state).reject(error, Instant::now(), pace),
            }
        }
    }
}

/// A poisoned lock is safe to use: the state is consistent after each statement.
fn lock(state: &Mutex<Cached>) -> MutexGuard<'_, Cached> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new token from the issuer.
struct Grant {
    secret: Secret,
    lifetime: Lifetime,
}

enum Lifetime {
    /// The token expires after this time.
    Ends(Duration),
    /// Unknown. Another program will write a new token to the file.
    ReadAgain,
    /// Unknown, and there will be no new token.
    Unknown,
}

#[derive(Default)]
struct Cached {
    held: Option<Held>,
    failed: Option<Failure>,
    /// The issuer has given a token before.
    has_succeeded: bool,
    /// When a token was last renewed because Graph denied a request.
    denied: Option<Instant>,
    /// What checks found missing, by consumer.
    awaited: BTreeMap<Arc<str>, Awaited>,
}

struct Held {
    token: Arc<AccessToken>,
    since: Instant,
    /// When to ask the issuer again, if ever.
    renew_at: Option<Instant>,
    /// When the token expires, if that is known.
    ends_at: Option<Instant>,
}

struct Failure {
    error: TokenError,
    until: Instant,
}

/// What a caller gets now.
enum TokenStatus {
    /// This token, or this error.
    Settled(Result<Arc<AccessToken>, TokenError>),
    /// This token. It is still valid, but a renewal is due.
    Due(Arc<AccessToken>),
    /// Nothing without asking the issuer.
    Needed,
}

impl Held {
    fn lives(&self, now: Instant) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }

    fn is_due(&self, now: Instant) -> bool {
        self.renew_at.is_some_and(|at| now >= at)
    }
}

impl Cached {
    fn at(&self, now: Instant) -> TokenStatus {
        let failure = self.failed.as_ref().filter(|failure| now < failure.until);
        if let Some(held) = self.held.as_ref().filter(|held| held.lives(now)) {
            let token = Arc::clone(&held.token);
            if failure.is_some() || !held.is_due(now) {
                return TokenStatus::Settled(Ok(token));
            }
            // If the expiry is unknown, read the token again first: it may have been replaced.
            if held.ends_at.is_some() {
                return TokenStatus::Due(token);
            }
        }
        match failure {
            Some(failure) => TokenStatus::Settled(Err(failure.error.clone())),
            None => TokenStatus::Needed,
        }
    }

    /// The error by which the issuer said that it wants no further request now.
    fn closed(&self, now: Instant) -> Option<TokenError> {
        let failure = self.failed.as_ref().filter(|failure| now < failure.until)?;
        failure.error.wait().map(|_| failure.error.clone())
    }

    /// Remembers for how long the issuer wants no further request, if it says so.
    fn close(&mut self, error: &TokenError, now: Instant) {
        if let Some(wait) = error.wait() {
            self.failed = Some(Failure { error: error.clone(), until: now + wait });
        }
    }

    fn accept(&mut self, grant: Grant, asked: Instant, pace: RenewalTimes) -> Arc<AccessToken> {
        let (renew_in, ends_in) = match grant.lifetime {
            Lifetime::Ends(life) => (Some(renewal(life, pace, drawn(pace.jitter))), Some(life)),
            Lifetime::ReadAgain => (Some(pace.file_check), None),
            Lifetime::Unknown => (None, None),
        };
        // The same text is the same token, so it keeps its age and its `Arc`.
        let kept = self.held.take().filter(|held| held.token.secret() == &grant.secret);
        let (token, since) = match kept {
            Some(held) => (held.token, held.since),
            None => (Arc::new(AccessToken(grant.secret)), asked),
        };
        let renew_in = self.awaited(&token, asked, pace).into_iter().chain(renew_in).min();
        let at = |wait: Duration| asked + wait;
        if self.failed.take().is_some() {
            tracing::info!("there is a Graph token again");
        }
        self.has_succeeded = true;
        self.held = Some(Held {
            token: Arc::clone(&token),
            since,
            renew_at: renew_in.map(at),
            ends_at: ends_in.map(at),
        });
        token
    }

    /// Caches the failure. Keeps the old token in use while it may still be valid.
    fn reject(
        &mut self,
        error: TokenError,
        now: Instant,
        pace: RenewalTimes,
    ) -> Result<Arc<AccessToken>, TokenError> {
        let wait = error.wait().unwrap_or_default().max(pace.min_interval);
        self.failed = Some(Failure { error: error.clone(), until: now + wait });
        if let Some(held) = self.held.as_ref().filter(|held| held.lives(now)) {
            tracing::warn!(%error, "the Graph token could not be renewed; the old one stays in use");
            return Ok(Arc::clone(&held.token));
        }
        tracing::error!(%error, "no Graph token");
        self.held = None;
        Err(error)
    }
}

/// How long a token with the lifetime `life` is used before it is renewed.
fn renewal(life: Duration, pace: RenewalTimes, jitter: Duration) -> Duration {
    life.saturating_sub(pace.renew_margin + jitter).max(life / 2).max(pace.min_interval)
}

/// A random duration up to `most`; zero if the system gives no random numbers.
fn drawn(most: Duration) -> Duration {
    let mut bytes = [0; 2];
    let drawn = getrandom::fill(&mut bytes).map_or(0, |()| u16::from_le_bytes(bytes));
    most * u32::from(drawn) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_before_its_expiry_and_never_in_a_storm() {
        let seconds = Duration::from_secs;
        let after = |life, jitter| renewal(seconds(life), RenewalTimes::default(), seconds(jitter));
        assert_eq!(after(3599, 0), seconds(3299));
        assert_eq!(after(3599, 120), seconds(3179));
        assert_eq!(after(400, 120), seconds(200), "too short for the margin");
        assert_eq!(after(0, 0), MIN_INTERVAL);
    }

    #[test]
    fn jitter_is_within_its_bound_and_differs() {
        let drawn: Vec<_> = (0..50).map(|_| drawn(JITTER)).collect();
        assert!(drawn.iter().all(|it| *it <= JITTER) && drawn.iter().any(|it| *it != drawn[0]));
        assert_eq!(super::drawn(Duration::ZERO), Duration::ZERO);
    }
}
