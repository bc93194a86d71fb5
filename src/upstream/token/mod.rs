//! The access token that opens Graph: fetched once, shared by everybody, renewed well before it ends.
//!
//! Four things must never happen: two renewals at a time, a renewal storm when Graph or Entra refuses, a consumer who stops a
//! renewal by hanging up, and a request that waits for Entra while a good token is at hand. So a renewal runs in a task of its
//! own that holds the one [`Renewal`] lock: when the caller goes away, the task finishes for the next one. Who comes
//! while the token still lives takes it and goes; who comes without one waits for the lock and looks again. A failure is
//! remembered for a while and given to everyone who asks meanwhile.
//!
//! | file | what |
//! |---|---|
//! | `credential` | the ways to a token |
//! | `entra` | an app registration at the token endpoint |
//! | `assertion` | what a certificate's key signs in place of a secret |
//! | `identity` | managed identities |
//! | `form`, `response` | what is sent, and what comes back |
//! | `error` | why there is no token, in words for the operator |

mod assertion;
mod credential;
mod entra;
mod error;
mod form;
mod identity;
mod response;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Lock, OwnedMutexGuard};
use tokio::time::Instant;

pub use self::assertion::{CertificateError, CertificateFiles, CertificateKey};
use self::credential::Issuer;
pub use self::credential::{Credential, Proof};
pub use self::error::{OAuthError, ResponseFault, TokenError};
pub use self::identity::{IdentityError, IdentityService};
use super::connector::ConnectorError;
use super::network::Network;
use super::secret::Secret;
use glassine_core::graph::Origin;

/// A token lives 60 to 90 minutes; renewed five minutes early, it outlives the longest request and a short outage of
/// Entra.
const RENEW_MARGIN: Duration = Duration::from_secs(300);

/// Replicas that were started together do not ask together.
const JITTER: Duration = Duration::from_secs(120);

/// The least time between two renewals, successful or not. An operator who repairs a secret waits no longer than this.
const MIN_INTERVAL: Duration = Duration::from_secs(10);

/// How often a token file is read again. Other programs rewrite it minutes before the old token ends.
const FILE_CHECK: Duration = Duration::from_secs(1);

/// When to renew.
#[derive(Clone, Copy, Debug)]
pub struct RenewalTimes {
    /// How long before its end a token is renewed. A token that lives less than twice as long is renewed at half time.
    pub renew_margin: Duration,
    /// By how much the margin is longer at most, drawn anew for each token.
    pub jitter: Duration,
    /// The least time between two renewals.
    pub min_interval: Duration,
    /// How often a token file is read again.
    pub file_check: Duration,
}

impl Default for RenewalTimes {
    fn default() -> Self {
        Self {
            renew_margin: RENEW_MARGIN,
            jitter: JITTER,
            min_interval: MIN_INTERVAL,
            file_check: FILE_CHECK,
        }
    }
}

/// What a [`TokenSource`] needs.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// How the proxy proves who it is.
    pub credential: Credential,
    /// The Graph that the token is for.
    pub graph: Origin,
    /// How the issuer is reached.
    pub network: Network,
    /// When to renew.
    pub pace: RenewalTimes,
}

/// A token for Graph.
#[derive(Debug)]
pub struct AccessToken(Secret);

impl AccessToken {
    /// A token that somebody else got, and keeps fresh.
    pub fn forwarded(secret: Secret) -> Self {
        Self(secret)
    }

    /// The token itself.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

/// What a browser brings back from a sign-in, and what was agreed before it.
#[derive(Clone, Copy)]
pub struct AuthorizationCode<'a> {
    /// The code.
    pub code: &'a str,
    /// What only this proxy knows (PKCE, RFC 7636).
    pub verifier: &'a str,
    /// Where the browser was sent back to.
    pub redirect_uri: &'a str,
}

/// The one place that knows the current token.
pub struct TokenSource {
    issuer: Arc<Issuer>,
    state: Arc<Mutex<Cached>>,
    renewal: Renewal,
    pace: RenewalTimes,
}

/// Who holds it renews, alone.
type Renewal = Arc<Lock<()>>;

impl TokenSource {
    /// Builds the source. Asks nobody yet.
    ///
    /// # Errors
    /// [`ConnectorError`] where TLS cannot be set up or the issuer has no usable address.
    pub fn new(settings: TokenSettings) -> Result<Self, ConnectorError> {
        let pace = settings.pace;
        let issuer = Arc::new(Issuer::new(settings)?);
        Ok(Self { issuer, state: Arc::default(), renewal: Arc::default(), pace })
    }

    /// The current token, fetched or renewed if need be. Concurrent callers wait for one renewal, and for none while the
    /// current token is still good.
    ///
    /// # Errors
    /// [`TokenError`], the same one for every caller until [`RenewalTimes::min_interval`] has passed.
    pub async fn token(&self) -> Result<Arc<AccessToken>, TokenError> {
        match self.state().at(Instant::now()) {
            Standing::Settled(settled) => return settled,
            Standing::Due(token) => {
                if let Ok(turn) = Arc::clone(&self.renewal).try_lock_owned() {
                    drop(tokio::spawn(self.renew(turn)));
                }
                return Ok(token);
            }
            Standing::Needed => {}
        }
        let turn = Arc::clone(&self.renewal).lock_owned().await;
        // Somebody else may have renewed it meanwhile.
        if let Standing::Settled(settled) = self.state().at(Instant::now()) {
            return settled;
        }
        tokio::spawn(self.renew(turn)).await.unwrap_or(Err(TokenError::Interrupted))
    }

    /// A token fresh from the issuer, whatever the age of the current one, which it replaces: what was consented to since
    /// is in it. Who calls this bounds how often.
    ///
    /// # Errors
    /// [`TokenError`]; the current token stays in use while it lives.
    pub async fn renewed(&self) -> Result<Arc<AccessToken>, TokenError> {
        let turn = Arc::clone(&self.renewal).lock_owned().await;
        let (issuer, state, pace) = (Arc::clone(&self.issuer), Arc::clone(&self.state), self.pace);
        let asked = Instant::now();
        let renewal = async move {
            let _turn = turn;
            let grant = issuer.grant().await?;
            Ok(lock(&state).accept(grant, asked, pace))
        };
        tokio::spawn(renewal).await.unwrap_or(Err(TokenError::Interrupted))
    }

    /// Redeems an authorization code, as the application whose tokens these are, for an id_token that nobody has verified.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn redeem_code(&self, code: AuthorizationCode<'_>) -> Result<Secret, TokenError> {
        self.issuer.redeem(&code).await
    }

    /// Gives up a token that Graph has answered with 401, so that the next caller renews it. Nothing happens where it
    /// is no longer the current one, or younger than [`RenewalTimes::min_interval`]: then the token is not what Graph
    /// dislikes. [`TokenSource::token`] gives the same `Arc` again in that case, and a second attempt is in vain.
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
            // A token's life is counted from before the request: its issuer started to count somewhere after that.
            let asked = Instant::now();
            match issuer.grant().await {
                Ok(grant) => Ok(lock(&state).accept(grant, asked, pace)),
                Err(error) => lock(&state).reject(error, Instant::now(), pace),
            }
        }
    }
}

/// Nothing can panic while the state is locked, and nothing in it could be left half-done.
fn lock(state: &Mutex<Cached>) -> MutexGuard<'_, Cached> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A token fresh from the issuer.
struct Grant {
    secret: Secret,
    lifetime: Lifetime,
}

enum Lifetime {
    /// It ends then.
    Ends(Duration),
    /// Nobody knows; whoever wrote it will write another one.
    ReadAgain,
    /// Nobody knows, and there will be no other.
    Unknown,
}

#[derive(Default)]
struct Cached {
    held: Option<Held>,
    failed: Option<Failure>,
}

struct Held {
    token: Arc<AccessToken>,
    since: Instant,
    /// When to ask the issuer again, if ever.
    renew_at: Option<Instant>,
    /// When it is of no use any more, where that is known.
    ends_at: Option<Instant>,
}

struct Failure {
    error: TokenError,
    until: Instant,
}

/// How things stand for who asks now.
enum Standing {
    /// This is the response.
    Settled(Result<Arc<AccessToken>, TokenError>),
    /// This is the response, and a new token should be on its way.
    Due(Arc<AccessToken>),
    /// There is no response without the issuer.
    Needed,
}

impl Cached {
    fn at(&self, now: Instant) -> Standing {
        if let Some(held) = &self.held {
            let token = Arc::clone(&held.token);
            let lives = held.ends_at.is_none_or(|end| now < end);
            if lives && held.renew_at.is_none_or(|at| now < at) {
                return Standing::Settled(Ok(token));
            }
            // One whose end nobody knows is asked for at once: it may have been replaced.
            if lives && held.ends_at.is_some() {
                return Standing::Due(token);
            }
        }
        match self.failed.as_ref().filter(|failure| now < failure.until) {
            Some(failure) => Standing::Settled(Err(failure.error.clone())),
            None => Standing::Needed,
        }
    }

    fn accept(&mut self, grant: Grant, asked: Instant, pace: RenewalTimes) -> Arc<AccessToken> {
        let (renew_in, ends_in) = match grant.lifetime {
            Lifetime::Ends(life) => (Some(renewal(life, pace, drawn(pace.jitter))), Some(life)),
            Lifetime::ReadAgain => (Some(pace.file_check), None),
            Lifetime::Unknown => (None, None),
        };
        // The same text again is the same token: it keeps its age and its identity.
        let kept = self.held.take().filter(|held| held.token.secret() == &grant.secret);
        let (token, since) = match kept {
            Some(held) => (held.token, held.since),
            None => (Arc::new(AccessToken(grant.secret)), asked),
        };
        let at = |wait: Duration| asked + wait;
        self.failed = None;
        self.held = Some(Held {
            token: Arc::clone(&token),
            since,
            renew_at: renew_in.map(at),
            ends_at: ends_in.map(at),
        });
        token
    }

    /// Keeps the old token in use while it may still work, and remembers the failure otherwise.
    fn reject(
        &mut self,
        error: TokenError,
        now: Instant,
        pace: RenewalTimes,
    ) -> Result<Arc<AccessToken>, TokenError> {
        let until = now + pace.min_interval;
        if let Some(held) = self.held.as_mut().filter(|held| held.ends_at.is_none_or(|end| now < end)) {
            tracing::warn!(%error, "the Graph token could not be renewed; the old one stays in use");
            held.renew_at = Some(held.ends_at.map_or(until, |end| end.min(until)));
            return Ok(Arc::clone(&held.token));
        }
        tracing::error!(%error, "no Graph token");
        self.held = None;
        self.failed = Some(Failure { error: error.clone(), until });
        Err(error)
    }
}

/// How long a token that lives for `life` is used before it is renewed.
fn renewal(life: Duration, pace: RenewalTimes, jitter: Duration) -> Duration {
    life.saturating_sub(pace.renew_margin + jitter).max(life / 2).max(pace.min_interval)
}

/// A random part of `most`. Without randomness there is none, and replicas ask together.
fn drawn(most: Duration) -> Duration {
    let mut bytes = [0; 2];
    let drawn = getrandom::fill(&mut bytes).map_or(0, |()| u16::from_le_bytes(bytes));
    most * u32::from(drawn) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_before_its_end_and_never_in_a_storm() {
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
