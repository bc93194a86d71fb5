//! Sources of key sets: a file, or a URL.
//!
//! - Issuers roll their keys over without notice. When a token has an unknown `kid`, the proxy fetches the set again
//!   immediately, with one fetch for all waiting requests.
//! - Anyone can send a token with an invented `kid`. So fetches for unknown keys have a budget.
//! - Issuers withdraw keys. So the proxy refetches a set regularly: in the background after `REFRESH`, and before it
//!   serves a request after `STALE`.
//! - Issuers are unavailable at times. The proxy then keeps using the last set: an outage does not make a valid token
//!   invalid.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::error::JwtError;
use super::keys::{KeySet, KeySetError};
use super::token::Token;
use crate::rate_limiter::RateLimiter;
use crate::upstream::{DocumentClient, DocumentError};

/// The age at which the next request makes the proxy refetch a set, and so notice withdrawn keys.
const REFRESH: Duration = Duration::from_secs(15 * 60);

/// The age at which requests wait for a fetch: the proxy was idle, and keys may be withdrawn.
const STALE: Duration = Duration::from_secs(60 * 60);

/// The wait after a failed fetch, and the time in which the budget for unknown keys regains one fetch.
const RETRY: Duration = Duration::from_secs(10);

/// How many fetches for unknown keys may follow each other immediately. So a rollover during an attack can still work.
const BURST: u32 = 3;

/// When to fetch.
#[derive(Clone, Copy, Debug)]
pub struct FetchTimes {
    /// How old a set may be before the proxy refetches it in the background.
    pub refresh: Duration,
    /// How old a set may be before requests wait for a fetch.
    pub stale: Duration,
    /// The wait after a failed fetch, and the time in which the budget for unknown keys regains one fetch.
    pub retry: Duration,
    /// How many fetches for unknown keys may follow each other immediately.
    pub burst: u32,
}

impl Default for FetchTimes {
    fn default() -> Self {
        Self { refresh: REFRESH, stale: STALE, retry: RETRY, burst: BURST }
    }
}

/// A source of keys, shared by all consumers that trust the same issuer.
pub struct KeySource(Kind);

enum Kind {
    Fixed(Arc<KeySet>),
    Remote(Arc<Remote>),
}

impl KeySource {
    /// Keys from a file. They do not change.
    pub fn fixed(keys: KeySet) -> Self {
        Self(Kind::Fixed(Arc::new(keys)))
    }

    /// Keys at a URL. Does not fetch them yet.
    pub fn remote(client: DocumentClient, pace: FetchTimes) -> Self {
        let fetches = Arc::new(tokio::sync::Mutex::new(None));
        let budget = RateLimiter::new(pace.retry, pace.burst, Instant::now().into_std());
        let held = ArcSwapOption::empty();
        Self(Kind::Remote(Arc::new(Remote { client, pace, held, fetches, budget })))
    }

    /// The keys, unless a fetch must come first. Starts a background fetch if the keys are due for a refresh.
    pub fn current(&self) -> Option<Arc<KeySet>> {
        match &self.0 {
            Kind::Fixed(keys) => Some(Arc::clone(keys)),
            Kind::Remote(remote) => remote.recent().map(|held| Arc::clone(&held.keys)),
        }
    }

    /// Fetches the keys if there are none, so that the first request need not wait.
    pub(crate) async fn warm(&self) {
        if let Kind::Remote(remote) = &self.0 {
            remote.usable().await;
        }
    }

    /// Verifies the token's signature. Returns the set that contains the signing key.
    pub(super) async fn verify(&self, token: &Token<'_>) -> Result<Arc<KeySet>, JwtError> {
        match &self.0 {
            Kind::Fixed(keys) => keys.verify(token).map(|()| Arc::clone(keys)),
            Kind::Remote(remote) => remote.verify(token).await,
        }
    }
}

struct Remote {
    client: DocumentClient,
    pace: FetchTimes,
    held: ArcSwapOption<Held>,
    /// Locked while a fetch runs. Holds the time and outcome of the last fetch.
    fetches: Arc<tokio::sync::Mutex<Option<Ended>>>,
    /// The budget of fetches for unknown keys.
    budget: RateLimiter,
}

struct Held {
    keys: Arc<KeySet>,
    fetched: Instant,
}

#[derive(Clone, Copy)]
struct Ended {
    at: Instant,
    well: bool,
}

/// Why a set could not be fetched.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    KeySet(#[from] KeySetError),
}

impl Remote {
    async fn verify(self: &Arc<Self>, token: &Token<'_>) -> Result<Arc<KeySet>, JwtError> {
        let held = self.usable().await.ok_or(JwtError::NoKeys)?;
        let failed = match held.keys.verify(token) {
            Ok(()) => return Ok(Arc::clone(&held.keys)),
            Err(error) => error,
        };
        // Without a key id, a rollover shows only as a signature that fails.
        let may_be_new =
            failed == JwtError::UnknownKey || (failed == JwtError::Signature && token.key_id.is_none());
        if !may_be_new {
            return Err(failed);
        }
        let well = self.fetch_after(held.fetched).await;
        let fresh = self.held.load_full().filter(|fresh| fresh.fetched > held.fetched);
        match fresh {
            Some(fresh) => fresh.keys.verify(token).map(|()| Arc::clone(&fresh.keys)),
            None if well => Err(failed),
            // The fetch failed, so the token may still be valid.
            None => Err(JwtError::NoKeys),
        }
    }

    /// The held set, unless it is stale. Starts a background fetch if the set is due for a refresh.
    fn recent(self: &Arc<Self>) -> Option<Arc<Held>> {
        let held = self.held.load_full()?;
        if held.fetched.elapsed() >= self.pace.refresh
            && let Ok(turn) = Arc::clone(&self.fetches).try_lock_owned()
            && self.may_retry(*turn)
        {
            drop(tokio::spawn(Arc::clone(self).fetch(turn)));
        }
        Some(held).filter(|held| held.fetched.elapsed() < self.pace.stale)
    }

    /// The held set, unless it is stale. Otherwise fetches first, and falls back to the held set if the fetch fails.
    async fn usable(self: &Arc<Self>) -> Option<Arc<Held>> {
        if let Some(held) = self.recent() {
            return Some(held);
        }
        let asked = Instant::now();
        let turn = Arc::clone(&self.fetches).lock_owned().await;
        let is_settled = turn.is_some_and(|ended| ended.at >= asked) || !self.may_retry(*turn);
        if !is_settled {
            self.run(turn).await;
        }
        self.held.load_full()
    }

    /// Fetches for an unknown key, unless another request has done so since `seen`. `false` if the last fetch failed.
    async fn fetch_after(self: &Arc<Self>, seen: Instant) -> bool {
        let asked = Instant::now();
        let turn = Arc::clone(&self.fetches).lock_owned().await;
        let is_newer = self.held.load().as_ref().is_some_and(|held| held.fetched > seen);
        match *turn {
            _ if is_newer => true,
            Some(ended) if ended.at >= asked => ended.well,
            last if !self.budget.allows(Instant::now().into_std()) => last.is_none_or(|ended| ended.well),
            _ => self.run(turn).await,
        }
    }

    fn may_retry(&self, last: Option<Ended>) -> bool {
        last.is_none_or(|ended| ended.well || ended.at.elapsed() >= self.pace.retry)
    }

    /// Fetches in a separate task. If the caller disconnects, the fetch continues for the other requests.
    async fn run(self: &Arc<Self>, turn: OwnedMutexGuard<Option<Ended>>) -> bool {
        tokio::spawn(Arc::clone(self).fetch(turn)).await.unwrap_or(false)
    }

    async fn fetch(self: Arc<Self>, mut turn: OwnedMutexGuard<Option<Ended>>) -> bool {
        let outcome = self.try_fetch().await;
        let well = outcome.is_ok();
        match outcome {
            Ok(keys) => self.hold(keys),
            Err(error) => {
                let url = self.client.url();
                tracing::warn!(%url, %error, "an issuer's keys could not be fetched; earlier ones stay in use");
            }
        }
        *turn = Some(Ended { at: Instant::now(), well });
        well
    }

    async fn try_fetch(&self) -> Result<KeySet, FetchError> {
        Ok(KeySet::parse(&self.client.get().await?)?)
    }

    /// Keeps the same `Arc` if the keys are equal, so that tokens verified with them stay verified.
    fn hold(&self, keys: KeySet) {
        let same = self.held.load_full().filter(|held| *held.keys == keys);
        let keys = same.map_or_else(|| Arc::new(keys), |held| Arc::clone(&held.keys));
        self.held.store(Some(Arc::new(Held { keys, fetched: Instant::now() })));
    }
}
