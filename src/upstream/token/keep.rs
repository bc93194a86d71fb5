//! A token at hand, whether or not there are requests: a proxy that nobody asks, because it is not ready, would never learn
//! that it could be.

use tokio::time::{Instant, sleep};

use super::error::TokenError;
use super::{Cached, TokenSource};

/// Whether there is a token for requests.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenHealth {
    /// There is a valid one, or the last attempt to get one worked.
    Good,
    /// Nobody has asked for one yet.
    Untried,
    /// There is none, and the last attempt to get one failed.
    Failing(TokenError),
}

impl TokenSource {
    /// Whether there is a token now. Asks nobody.
    pub fn health(&self) -> TokenHealth {
        self.state().health(Instant::now())
    }

    /// Keeps a valid token at hand for as long as this future is polled. While none can be had, the pauses between two
    /// attempts grow.
    pub async fn keep(&self) {
        let mut pause = self.pace.min_interval;
        loop {
            let wait = match self.token().await {
                Ok(_) => {
                    pause = self.pace.min_interval;
                    self.pace.look
                }
                Err(_) => {
                    let longer = (pause * 2).min(self.pace.longest_pause);
                    std::mem::replace(&mut pause, longer)
                }
            };
            sleep(wait).await;
        }
    }
}

impl Cached {
    fn health(&self, now: Instant) -> TokenHealth {
        let lives = self.held.as_ref().is_some_and(|held| held.lives(now));
        match &self.failed {
            _ if lives => TokenHealth::Good,
            Some(failure) => TokenHealth::Failing(failure.error.clone()),
            // The token ran out or was discarded, and the next request gets another one.
            None if self.has_succeeded => TokenHealth::Good,
            None => TokenHealth::Untried,
        }
    }
}
