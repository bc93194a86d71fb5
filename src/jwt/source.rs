//! Where key sets come from: a file, or a URL.
//!
//! Issuers roll their keys over without telling anybody: a token arrives whose `kid` is not in the set, and the set has to
//! be fetched again, at once and once, whoever is waiting. But anybody can send a token with a made-up `kid`, so such
//! fetches have a budget. Keys are withdrawn, too, so a set is fetched again from time to time even if nothing is amiss:
//! beside the requests while it is fresh enough, before them when it is old. And issuers are down at times: then the
//! last set goes on being used, because a token that was good a minute ago is no worse for it.

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

/// How soon a withdrawn key is no longer accepted, if requests come.
const REFRESH: Duration = Duration::from_secs(15 * 60);

/// After this without a fetch no key is accepted before one was tried: the proxy had nothing to do, and keys may be gone.
const STALE: Duration = Duration::from_secs(60 * 60);

/// How often a set is fetched again that could not be fetched, and how fast the budget for unknown keys refills.
const RETRY: Duration = Duration::from_secs(10);

/// How many fetches for unknown keys may follow each other at once: a rollover in the middle of an attack still works.
const BURST: u32 = 3;

/// When to fetch.
#[derive(Clone, Copy, Debug)]
pub struct FetchTimes {
    /// How old a set may be before it is fetched again beside the requests.
    pub refresh: Duration,
    /// How old a set may be before requests wait for that.
    pub stale: Duration,
    /// The wait after a failure, and the time in which one more fetch for an unknown key is granted.
    pub retry: Duration,
    /// How many fetches for unknown keys may follow each other at once.
    pub burst: u32,
}

impl Default for FetchTimes {
    fn default() -> Self {
        Self { refresh: REFRESH, stale: STALE, retry: RETRY, burst: BURST }
    }
}

/// A source of keys, shared by everybody who trusts the same issuer.
pub struct KeySource(Kind);

enum Kind {
    Fixed(Arc<KeySet>),
    Remote(Arc<Remote>),
}

impl KeySource {
    /// Keys that do not change: out of a file.
    pub fn fixed(keys: KeySet) -> Self {
        Self(Kind::Fixed(Arc::new(keys)))
    }

    /// Keys at a URL. Asks nobody yet.
    pub fn remote(client: DocumentClient, pace: FetchTimes) -> Self {
        let fetches = Arc::new(tokio::sync::Mutex::new(None));
        let per_second = pace.retry.as_secs_f64().recip();
        let budget = RateLimiter::new(per_second, f64::from(pace.burst), Instant::now().into_std());
        let held = ArcSwapOption::empty();
        Self(Kind::Remote(Arc::new(Remote { client, pace, held, fetches, budget })))
    }

    /// The keys, if there are any that need not be fetched first. Has those that are not fresh fetched beside the caller.
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

    /// Verifies the token's signature; gives the set whose key it was.
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
    /// Held while a fetch runs. Says when the last one ended, and how.
    fetches: Arc<tokio::sync::Mutex<Option<Ended>>>,
    /// Of fetches for unknown keys.
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
        // A key without an id is rolled over without a new one.
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
            // The token may be good: the issuer could not be asked.
            None => Err(JwtError::NoKeys),
        }
    }

    /// What is held, if it is not too old; fetched again beside the caller if it is not fresh any more.
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

    /// What is held, if it is not too old; else what a fetch brings; else, if that fails, what is held.
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

    /// Fetches for an unknown key, unless somebody has done so since `seen`. `false` if that failed.
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

    /// Runs in a task of its own, so that a caller who goes away leaves it to the others.
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

    /// The same keys again are the same set: what was verified with them stays so.
    fn hold(&self, keys: KeySet) {
        let same = self.held.load_full().filter(|held| *held.keys == keys);
        let keys = same.map_or_else(|| Arc::new(keys), |held| Arc::clone(&held.keys));
        self.held.store(Some(Arc::new(Held { keys, fetched: Instant::now() })));
    }
}
