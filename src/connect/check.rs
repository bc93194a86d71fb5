//! The check of what a consent granted.
//!
//! A consent takes seconds to minutes to reach tokens, so the proxy asks Entra for a fresh token several times, with growing
//! pauses: Entra throttles an application that asks too often. If a token cannot be read, which is Entra's right, the proxy
//! tries the permissions instead, as `glassine doctor` does.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::site::{Connector, Site};
use super::store::ConnectionState;
use crate::doctor::witness;
use crate::upstream::{AccessToken, TokenError};
use glassine_core::grants::{AccessClaims, Comparison, compare};
use glassine_core::rules::Plan;

/// The first pause between two checks.
const FIRST_PAUSE: Duration = Duration::from_secs(3);

/// Each pause is this much longer than the one before. With [`FIRST_PAUSE`], a check sends 4 token requests in 15 seconds and
/// 6 in a minute.
const GROWTH: (u32, u32) = (7, 4);

/// How long one try of all permissions may take. Each takes a request of a second or less.
const TRYING: Duration = Duration::from_secs(15);

/// What a check found.
pub(super) enum Found {
    /// The permissions in the token, compared with the needed ones.
    Compared(Comparison),
    /// The token cannot be read. Graph denied what these needed permissions open.
    Tried {
        /// Their names.
        denied: Vec<String>,
    },
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum CheckError {
    /// Entra issues no token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token cannot be read, and no request to Graph showed whether it opens anything.
    #[error("the token cannot be read, and no request to Graph shows what it opens")]
    Unseen,
}

impl CheckError {
    /// How long Entra wants no further request.
    fn wait(&self) -> Option<Duration> {
        match self {
            Self::Token(error) => error.wait(),
            Self::Unseen => None,
        }
    }

    /// Whether a check may succeed in some minutes.
    pub(super) fn is_temporary(&self) -> bool {
        matches!(self, Self::Token(error) if error.is_temporary())
    }
}

impl Found {
    pub(super) fn state(&self) -> ConnectionState {
        match self {
            Self::Compared(found) if !found.missing.is_empty() => ConnectionState::ConsentMissing,
            Self::Compared(found) if !found.excess.is_empty() => ConnectionState::OverPrivileged,
            Self::Compared(_) => ConnectionState::Connected,
            Self::Tried { denied } if !denied.is_empty() => ConnectionState::ConsentMissing,
            Self::Tried { .. } => ConnectionState::GrantedUnverified,
        }
    }

    /// The needed permissions that are not granted.
    pub(super) fn missing(&self) -> Vec<String> {
        match self {
            Self::Compared(found) => found.missing.iter().map(|missing| missing.permission.clone()).collect(),
            Self::Tried { denied } => denied.clone(),
        }
    }

    /// The granted permissions that are not needed, as far as they are known.
    pub(super) fn excess(&self) -> Vec<String> {
        match self {
            Self::Compared(found) => found.excess.iter().map(|excess| excess.permission.clone()).collect(),
            Self::Tried { .. } => Vec::new(),
        }
    }
}

/// What is granted. Checks again until nothing is missing, or the site's patience is over or would be before Entra takes another
/// request. A token that lacks something does not stay in use for long.
pub(super) async fn granted(site: &Site, connector: &Connector) -> Result<Found, CheckError> {
    let mut pauses = Pauses::until(Instant::now() + site.patience());
    let found = loop {
        let found = check_once(site, connector).await;
        let pause = match &found {
            Ok(found) if found.missing().is_empty() => None,
            Ok(_) => pauses.next(Instant::now()),
            Err(error) => pauses.at_least(error.wait().unwrap_or_default(), Instant::now()),
        };
        match pause {
            Some(pause) => tokio::time::sleep(pause).await,
            None => break found,
        }
    };
    if found.as_ref().map_or(true, |found| !found.missing().is_empty()) {
        let (consumer, plan) = (Arc::clone(&connector.name), Arc::clone(&connector.plan));
        connector.application.tokens.await_permissions(consumer, move |token| has_all(token, &plan));
    }
    found
}

async fn check_once(site: &Site, connector: &Connector) -> Result<Found, CheckError> {
    if let Some(roles) = connector.application.roles().await? {
        return Ok(Found::Compared(compare(&connector.plan.permissions, &roles)));
    }
    let tried = witness(site.state(), &connector.consumer, TRYING).await;
    if tried.iter().all(|(_, opens)| opens.is_none()) {
        return Err(CheckError::Unseen);
    }
    let denied = tried.into_iter().filter(|(_, opens)| *opens == Some(false));
    Ok(Found::Tried { denied: denied.map(|(permission, _)| permission).collect() })
}

/// Whether a token shows all permissions that the rules need. One that cannot be read does not.
fn has_all(token: &AccessToken, plan: &Plan) -> bool {
    let claims = AccessClaims::read(token.secret().expose());
    claims.is_some_and(|claims| compare(&plan.permissions, &claims.roles).missing.is_empty())
}

/// The pauses between checks: growing, and the last one ends at the deadline.
struct Pauses {
    deadline: Instant,
    next: Duration,
}

impl Pauses {
    fn until(deadline: Instant) -> Self {
        Self { deadline, next: FIRST_PAUSE }
    }

    /// `None` after the deadline. No check comes shortly before the last one.
    fn next(&mut self, now: Instant) -> Option<Duration> {
        let left = self.deadline.saturating_duration_since(now);
        let (pause, (times, parts)) = (self.next, GROWTH);
        self.next = pause * times / parts;
        if left.is_zero() { None } else { Some(if left < pause * 3 / 2 { left } else { pause }) }
    }

    /// The same, but not less than `wait`. `None` if that is after the deadline.
    fn at_least(&mut self, wait: Duration, now: Instant) -> Option<Duration> {
        let pause = self.next(now)?;
        let is_in_time = wait <= self.deadline.saturating_duration_since(now);
        is_in_time.then(|| pause.max(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When checks take place, in milliseconds after the first one.
    fn times(seconds: u64) -> Vec<u128> {
        let start = Instant::now();
        let mut pauses = Pauses::until(start + Duration::from_secs(seconds));
        let mut now = start;
        let mut times = vec![0];
        while let Some(pause) = pauses.next(now) {
            now += pause;
            times.push((now - start).as_millis());
        }
        times
    }

    #[test]
    fn checks_are_few_with_growing_pauses_and_the_last_one_is_at_the_end() {
        assert_eq!(times(1), [0, 1000]);
        assert_eq!(times(5), [0, 3000, 5000]);
        assert_eq!(times(15), [0, 3000, 8250, 15_000]);
        for seconds in 1..=60 {
            let times = times(seconds);
            let most = if seconds <= 15 { 4 } else { 6 };
            assert!(times.len() <= most && times.last() == Some(&u128::from(seconds * 1000)), "{times:?}");
        }
    }

    #[test]
    fn a_wait_is_a_pause_if_it_ends_before_the_deadline() {
        let now = Instant::now();
        let pause =
            |wait| Pauses::until(now + Duration::from_secs(15)).at_least(Duration::from_secs(wait), now);
        assert_eq!([0, 2, 3].map(pause), [Some(FIRST_PAUSE); 3]);
        assert_eq!([4, 15].map(pause), [4, 15].map(|seconds| Some(Duration::from_secs(seconds))));
        assert_eq!(pause(16), None);
    }
}
