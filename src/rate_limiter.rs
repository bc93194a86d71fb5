//! A rate limiter: a token bucket that refills with time. It limits consumers' requests, connection pages and fetches
//! of issuers' keys.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A rate that allows bursts. Callers pass the time, so that tests need not wait.
#[derive(Debug)]
pub(crate) struct RateLimiter(Mutex<Bucket>);

#[derive(Debug)]
struct Bucket {
    per_second: f64,
    most: f64,
    tokens: f64,
    filled: Instant,
}

impl RateLimiter {
    /// Allows `per_second` events a second, and bursts of `most` (at least one). An infinite rate allows everything.
    pub(crate) fn new(per_second: f64, most: f64, now: Instant) -> Self {
        let most = most.max(1.0);
        Self(Mutex::new(Bucket { per_second, most, tokens: most, filled: now }))
    }

    /// Whether one more event may happen now. If so, counts it.
    pub(crate) fn allows(&self, now: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(now)
    }
}

impl Bucket {
    fn take(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.filled).as_secs_f64();
        // An infinite rate times no time is NaN. `min` ignores NaN, so the bucket is full.
        self.tokens = elapsed.mul_add(self.per_second, self.tokens).min(self.most);
        // Threads may take the lock in another order than they read the clock. No time may count twice.
        self.filled = self.filled.max(now);
        let granted = self.tokens >= 1.0;
        if granted {
            self.tokens -= 1.0;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_bucket_refills_with_time_and_no_further_than_full() {
        let start = Instant::now();
        let limiter = RateLimiter::new(2.0, 2.0, start);
        let allows = |after| limiter.allows(start + Duration::from_millis(after));
        assert!(allows(0) && allows(0) && !allows(0));
        assert!(allows(500) && !allows(600));
        assert!(allows(60_000) && allows(60_000) && !allows(60_000));
    }

    #[test]
    fn an_earlier_time_does_not_refill_the_bucket_twice() {
        let start = Instant::now();
        let limiter = RateLimiter::new(1.0, 1.0, start);
        let later = start + Duration::from_secs(1);
        assert!(limiter.allows(start) && limiter.allows(later));
        assert!(!limiter.allows(start));
        assert!(!limiter.allows(later));
    }

    #[test]
    fn an_infinite_rate_always_allows() {
        let start = Instant::now();
        let limiter = RateLimiter::new(f64::INFINITY, 1.0, start);
        assert!((0..10).all(|_| limiter.allows(start)));
    }
}
