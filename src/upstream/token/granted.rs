//! Renewals for permissions that were granted meanwhile. A token has the permissions of the moment in which it was issued,
//! and a consent takes seconds to minutes to reach new tokens. Without these renewals a permission would be missing until the
//! token is renewed before its expiry: after almost an hour, or almost a day with a managed identity.
//!
//! All of them are bounded, by [`RenewalTimes::denied_age`] and [`RenewalTimes::await_pauses`], and shared: whoever waits for
//! one gets the token of the others.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{AccessToken, Cached, Reason, RenewalTimes, TokenSource};

/// How long tokens are renewed soon after a check. Then an administrator has given up, or Exchange has the permission, which
/// no token shows. A request that Graph denies still makes the proxy renew an older token.
const AWAIT_FOR: Duration = Duration::from_secs(60 * 60);

/// Whether a token has what a check found missing.
type Complete = Box<dyn Fn(&AccessToken) -> bool + Send>;

/// What a check found missing.
pub(super) struct Awaited {
    complete: Complete,
    /// The next pause.
    pause: Duration,
    until: Instant,
}

impl Awaited {
    fn next_pause(&mut self, longest: Duration) -> Duration {
        let pause = self.pause.min(longest);
        self.pause = pause.saturating_mul(2);
        pause
    }
}

impl TokenSource {
    /// Tells that a check of a consumer's permissions found some missing. From now on tokens are renewed soon, when somebody
    /// needs one, until `complete` is true of a token, or an hour is over. Consumers of one application share its tokens, and
    /// each awaits its own permissions.
    pub fn await_permissions(
        &self,
        consumer: Arc<str>,
        complete: impl Fn(&AccessToken) -> bool + Send + 'static,
    ) {
        let (now, (pause, _)) = (Instant::now(), self.pace.await_pauses);
        let next = pause.saturating_mul(2);
        let awaited = Awaited { complete: Box::new(complete), pause: next, until: now + AWAIT_FOR };
        let mut state = self.state();
        state.awaited.insert(consumer, awaited);
        if let Some(held) = state.held.as_mut() {
            let soon = now + pause;
            held.renew_at = Some(held.renew_at.map_or(soon, |at| at.min(soon)));
        }
    }

    /// A token after the one with which Graph denied a request (403), if there is one or it is time to get one. `None` if the
    /// token is young, or was renewed for this reason a short time ago, or the issuer has no other one.
    pub async fn token_after(&self, denied: &Arc<AccessToken>) -> Option<Arc<AccessToken>> {
        // Nobody waits who gets nothing by it.
        if !self.state().may_follow(denied, Instant::now(), self.pace) {
            return None;
        }
        let turn = Arc::clone(&self.renewal).lock_owned().await;
        let newer = self.state().other_than(denied);
        if newer.is_some() {
            return newer;
        }
        if !self.state().may_follow(denied, Instant::now(), self.pace) {
            return None;
        }
        tracing::info!(
            "the Graph token is renewed: Graph denied a request, and a permission may have been granted meanwhile"
        );
        match self.renewed_in(turn, Reason::Denied).await {
            Ok(token) => Some(token).filter(|token| !Arc::ptr_eq(token, denied)),
            Err(error) => {
                tracing::warn!(%error, "the Graph token could not be renewed; the old one stays in use");
                None
            }
        }
    }
}

impl Cached {
    /// The token in use, if it is not this one.
    fn other_than(&self, denied: &Arc<AccessToken>) -> Option<Arc<AccessToken>> {
        self.held.as_ref().map(|held| Arc::clone(&held.token)).filter(|token| !Arc::ptr_eq(token, denied))
    }

    /// Whether another token is here, or it is time to get one.
    fn may_follow(&self, denied: &Arc<AccessToken>, now: Instant, pace: RenewalTimes) -> bool {
        let Some(held) = &self.held else { return false };
        if !Arc::ptr_eq(&held.token, denied) {
            return true;
        }
        let is_old = |since: Instant| now.saturating_duration_since(since) >= pace.denied_age;
        let is_awaited = !self.awaited.is_empty() && held.is_due(now);
        self.closed(now).is_none() && (is_awaited || (is_old(held.since) && self.denied.is_none_or(is_old)))
    }

    /// After which time the new token is renewed, if it lacks what a check found missing: the shortest pause of all consumers.
    pub(super) fn awaited(
        &mut self,
        token: &AccessToken,
        now: Instant,
        pace: RenewalTimes,
    ) -> Option<Duration> {
        self.awaited.retain(|_, awaited| now < awaited.until && !(awaited.complete)(token));
        let (_, longest) = pace.await_pauses;
        self.awaited.values_mut().map(|awaited| awaited.next_pause(longest)).min()
    }
}
