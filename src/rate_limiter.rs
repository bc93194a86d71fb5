//! A rate limiter: a token bucket that refills with time. It limits consumers' requests, connection pages and fetches
//! of issuers' keys.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A rate that allows bursts. Callers pass the time, so that tests need not wait.
#[derive(Debug)]
pub(crate) struct RateLimiter(Mutex<Bucket>);

/// A token bucket, kept as the moment at which it is full. Tokens come one by one, at equal intervals.
#[derive(Debug)]
pub(crate) struct Bucket {
    interval: Duration,
    most: u32,
    full: Instant,
}

impl RateLimiter {
    /// Allows an event every `interval`, and bursts of `most` (at least one). Without an interval, allows everything.
    pub(crate) fn new(interval: Duration, most: u32, now: Instant) -> Self {
        Self(Mutex::new(Bucket::new(interval, most, now)))
    }

    /// Whether one more event may happen now. If so, counts it.
    pub(crate) fn allows(&self, now: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(now)
    }
}

impl Bucket {
    /// A full bucket: a token comes every `interval`, and it holds `most` (at least one).
    pub(crate) fn new(interval: Duration, most: u32, now: Instant) -> Self {
        Self { interval, most: most.max(1), full: now }
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let granted = self.until(1, now).is_zero();
        if granted {
            // Threads may take the lock in another order than they read the clock. No time may count twice.
            self.full = self.full.max(now) + self.interval;
        }
        granted
    }

    /// The time until as many tokens have come, with those that are there. Zero if they are there.
    pub(crate) fn until(&self, tokens: u32, now: Instant) -> Duration {
        let missing = self.until_full(now).saturating_add(self.interval.saturating_mul(tokens));
        missing.saturating_sub(self.depth())
    }

    /// The time until the bucket is full, if nobody takes a token.
    pub(crate) fn until_full(&self, now: Instant) -> Duration {
        self.full.saturating_duration_since(now)
    }

    /// How many tokens there are.
    pub(crate) fn tokens(&self, now: Instant) -> u32 {
        let filled = self.depth().saturating_sub(self.until_full(now));
        let tokens = filled.as_nanos().checked_div(self.interval.as_nanos());
        tokens.and_then(|tokens| u32::try_from(tokens).ok()).unwrap_or(self.most)
    }

    /// How many tokens the bucket holds when it is full.
    pub(crate) fn most(&self) -> u32 {
        self.most
    }

    /// The time between two tokens.
    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    /// The time in which an empty bucket becomes full.
    fn depth(&self) -> Duration {
        self.interval.saturating_mul(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_bucket_refills_with_time_and_no_further_than_full() {
        let start = Instant::now();
        let limiter = RateLimiter::new(SECOND / 2, 2, start);
        let allows = |after| limiter.allows(start + Duration::from_millis(after));
        assert!(allows(0) && allows(0) && !allows(0));
        assert!(allows(500) && !allows(600));
        assert!(allows(60_000) && allows(60_000) && !allows(60_000));
    }

    #[test]
    fn an_earlier_time_does_not_refill_the_bucket_twice() {
        let start = Instant::now();
        let limiter = RateLimiter::new(SECOND, 1, start);
        let later = start + SECOND;
        assert!(limiter.allows(start) && limiter.allows(later));
        assert!(!limiter.allows(start));
        assert!(!limiter.allows(later));
    }

    #[test]
    fn without_an_interval_everything_is_allowed() {
        let start = Instant::now();
        let limiter = RateLimiter::new(Duration::ZERO, 1, start);
        assert!((0..10).all(|_| limiter.allows(start)));
    }

    #[test]
    fn a_bucket_says_what_it_holds_and_when_more_comes() {
        let start = Instant::now();
        let mut bucket = Bucket::new(SECOND / 4, 4, start);
        assert_eq!((bucket.tokens(start), bucket.until(4, start)), (4, Duration::ZERO));
        assert_eq!(bucket.until(5, start), SECOND / 4);
        assert!((0..3).all(|_| bucket.take(start)));
        assert_eq!((bucket.tokens(start), bucket.until_full(start)), (1, SECOND * 3 / 4));
        assert_eq!((bucket.until(1, start), bucket.until(3, start)), (Duration::ZERO, SECOND / 2));
        let later = start + Duration::from_millis(300);
        assert_eq!((bucket.tokens(later), bucket.until(3, later)), (2, Duration::from_millis(200)));
        assert_eq!(bucket.tokens(start + SECOND), 4);
    }
}
