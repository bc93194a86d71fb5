//! The access token that opens Graph: fetched once, shared by everybody, renewed shortly before it ends.
//!
//! Three things must never happen: two renewals at a time, a renewal storm when Graph or Entra refuses, and a consumer
//! who stops a renewal by hanging up. So there is one state behind one lock, a failure is remembered for a while and
//! given to everyone who asks meanwhile, and the renewal runs in a task of its own that holds the lock: when the
//! caller goes away, the task finishes for the next one.

mod entra;
mod error;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

use self::entra::ClientCredentials;
pub use self::error::{AnswerFault, OAuthError, TokenError};
use super::connector::BuildError;
use super::origin::Origin;
use super::secret::{Secret, SecretSource};
use super::timeouts::Timeouts;
use super::transport::Transport;

/// A token lives 60 to 90 minutes; renewed five minutes early, it outlives the longest request and a short outage of
/// Entra.
const RENEW_MARGIN: Duration = Duration::from_secs(300);

/// The least time between two renewals, successful or not. An operator who repairs a secret waits no longer than this.
const MIN_INTERVAL: Duration = Duration::from_secs(10);

/// How often a token file is read again. Other programs rewrite it minutes before the old token ends.
const FILE_CHECK: Duration = Duration::from_secs(1);

/// How the proxy proves to Graph who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A token that another program keeps fresh in a file.
    AccessTokenFile(PathBuf),
    /// A token in an environment variable: for trials, as it cannot be renewed.
    AccessTokenEnv(String),
    /// An app registration's client secret (OAuth 2.0 client credentials grant, RFC 6749 section 4.4).
    ClientSecret {
        /// Where Entra is, `https://login.microsoftonline.com` or a national cloud.
        authority: Origin,
        /// The tenant's id or one of its domains.
        tenant: String,
        /// The app registration's id.
        client_id: String,
        /// The secret's value, read anew for each renewal.
        secret: SecretSource,
    },
}

/// When to renew.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long before its end a token is renewed. A token that lives less than twice as long is renewed at half time.
    pub renew_margin: Duration,
    /// The least time between two renewals.
    pub min_interval: Duration,
    /// How often a token file is read again.
    pub file_check: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { renew_margin: RENEW_MARGIN, min_interval: MIN_INTERVAL, file_check: FILE_CHECK }
    }
}

/// What a [`TokenSource`] needs.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// How the proxy proves who it is.
    pub credential: Credential,
    /// The Graph that the token is for.
    pub graph: Origin,
    /// Certification authorities beside the platform's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Time limits of a renewal.
    pub timeouts: Timeouts,
    /// When to renew.
    pub pace: Pace,
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
    state: Arc<Mutex<State>>,
    pace: Pace,
}

impl TokenSource {
    /// Builds the source. Asks nobody yet.
    ///
    /// # Errors
    /// [`BuildError`] where TLS cannot be set up or the tenant is neither an id nor a domain.
    pub fn new(settings: TokenSettings) -> Result<Self, BuildError> {
        let pace = settings.pace;
        let issuer = Arc::new(Issuer::new(settings)?);
        Ok(Self { issuer, state: Arc::default(), pace })
    }

    /// The current token, fetched or renewed if need be. Concurrent callers wait for one renewal.
    ///
    /// # Errors
    /// [`TokenError`], the same one for every caller until [`Pace::min_interval`] has passed.
    pub async fn token(&self) -> Result<Arc<AccessToken>, TokenError> {
        let state = Arc::clone(&self.state).lock_owned().await;
        if let Some(settled) = state.settled(Instant::now()) {
            return settled;
        }
        let renewal = renew(Arc::clone(&self.issuer), state, self.pace);
        tokio::spawn(renewal).await.unwrap_or(Err(TokenError::Interrupted))
    }

    /// A token fresh from the issuer, whatever the age of the current one, which it replaces: what was consented to since
    /// is in it. Who calls this bounds how often.
    ///
    /// # Errors
    /// [`TokenError`]; the current token stays in use while it lives.
    pub async fn renewed(&self) -> Result<Arc<AccessToken>, TokenError> {
        let state = Arc::clone(&self.state).lock_owned().await;
        let asked = Instant::now();
        let (issuer, pace) = (Arc::clone(&self.issuer), self.pace);
        let renewal = async move {
            let mut state = state;
            let grant = issuer.grant().await?;
            state.accept(grant, asked, pace)
        };
        tokio::spawn(renewal).await.unwrap_or(Err(TokenError::Interrupted))
    }

    /// Redeems an authorization code, as the application whose tokens these are, for an id_token that nobody has verified.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn redeem_code(&self, code: AuthorizationCode<'_>) -> Result<Secret, TokenError> {
        match &*self.issuer {
            Issuer::Entra(entra) => entra.redeem(&code).await,
            Issuer::Env(_) | Issuer::File(_) => Err(TokenError::NoApplication),
        }
    }

    /// Gives up a token that Graph has answered with 401, so that the next caller renews it. Nothing happens where it
    /// is no longer the current one, or younger than [`Pace::min_interval`]: then the token is not what Graph
    /// dislikes. [`TokenSource::token`] gives the same `Arc` again in that case, and a second attempt is in vain.
    pub async fn invalidate(&self, token: &Arc<AccessToken>) {
        let mut state = self.state.lock().await;
        let old = Instant::now().checked_sub(self.pace.min_interval);
        let stale = |held: &Held| Arc::ptr_eq(&held.token, token) && old.is_some_and(|old| held.since <= old);
        state.held.take_if(|held| stale(held));
    }
}

/// Who gives tokens out.
enum Issuer {
    Entra(Box<ClientCredentials>),
    Env(SecretSource),
    File(SecretSource),
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

impl Issuer {
    fn new(settings: TokenSettings) -> Result<Self, BuildError> {
        let TokenSettings { credential, graph, extra_roots, timeouts, pace: _ } = settings;
        Ok(match credential {
            Credential::AccessTokenEnv(name) => Self::Env(SecretSource::Env(name)),
            Credential::AccessTokenFile(path) => Self::File(SecretSource::File(path)),
            Credential::ClientSecret { authority, tenant, client_id, secret } => {
                let transport = Transport::new(&authority, &extra_roots, timeouts)?;
                let uri = entra::token_endpoint(&authority, &tenant).ok_or(BuildError::Tenant)?;
                Self::Entra(Box::new(ClientCredentials::new(transport, uri, client_id, secret, &graph)))
            }
        })
    }

    async fn grant(&self) -> Result<Grant, TokenError> {
        match self {
            Self::Entra(entra) => entra.grant().await,
            Self::Env(source) => Ok(Grant { secret: source.read().await?, lifetime: Lifetime::Unknown }),
            Self::File(source) => Ok(Grant { secret: source.read().await?, lifetime: Lifetime::ReadAgain }),
        }
    }
}

async fn renew(
    issuer: Arc<Issuer>,
    mut state: OwnedMutexGuard<State>,
    pace: Pace,
) -> Result<Arc<AccessToken>, TokenError> {
    // A token's life is counted from before the request: its issuer started to count somewhere after that.
    let asked = Instant::now();
    match issuer.grant().await {
        Ok(grant) => state.accept(grant, asked, pace),
        Err(error) => state.reject(error, Instant::now(), pace),
    }
}

#[derive(Default)]
struct State {
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

impl State {
    /// What to answer without asking the issuer, if anything.
    fn settled(&self, now: Instant) -> Option<Result<Arc<AccessToken>, TokenError>> {
        if let Some(held) = self.held.as_ref().filter(|held| held.renew_at.is_none_or(|at| now < at)) {
            return Some(Ok(Arc::clone(&held.token)));
        }
        self.failed.as_ref().filter(|failure| now < failure.until).map(|failure| Err(failure.error.clone()))
    }

    fn accept(&mut self, grant: Grant, asked: Instant, pace: Pace) -> Result<Arc<AccessToken>, TokenError> {
        let (renew_in, ends_in) = match grant.lifetime {
            Lifetime::Ends(life) => (Some(renewal(life, pace)), Some(life)),
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
        Ok(token)
    }

    /// Keeps the old token in use while it may still work, and remembers the failure otherwise.
    fn reject(
        &mut self,
        error: TokenError,
        now: Instant,
        pace: Pace,
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
fn renewal(life: Duration, pace: Pace) -> Duration {
    life.saturating_sub(pace.renew_margin).max(life / 2).max(pace.min_interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_before_its_end_and_never_in_a_storm() {
        let seconds = Duration::from_secs;
        let after = |life| renewal(seconds(life), Pace::default());
        assert_eq!(after(3599), seconds(3299));
        assert_eq!(after(400), seconds(200), "too short for the margin");
        assert_eq!(after(0), MIN_INTERVAL);
    }
}
