//! What one consumer may do at once and per second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;
use crate::config::ConsumerLimits;

/// A consumer's limits. The bucket holds one second's worth, so short bursts pass.
pub(super) struct Limits {
    concurrent: Arc<Semaphore>,
    bucket: Mutex<Bucket>,
}

/// A request's place among the concurrent ones, given back when its answer's body is done.
pub(super) struct Permit {
    _slot: OwnedSemaphorePermit,
}

struct Bucket {
    per_second: f64,
    tokens: f64,
    filled: Instant,
}

impl Limits {
    pub(super) fn new(limits: ConsumerLimits) -> Self {
        let per_second = f64::from(limits.requests_per_second.get());
        let slots = usize::try_from(limits.concurrent.get()).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            concurrent: Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS))),
            bucket: Mutex::new(Bucket { per_second, tokens: per_second, filled: Instant::now() }),
        }
    }

    /// Counts a request, and takes a place among the concurrent ones.
    pub(super) fn enter(&self) -> Result<Permit, Problem> {
        self.count()?;
        let slot = Arc::clone(&self.concurrent).try_acquire_owned().map_err(|_| Problem::TooManyRequests)?;
        Ok(Permit { _slot: slot })
    }

    /// Counts a request that has its place already: one of a batch.
    pub(super) fn count(&self) -> Result<(), Problem> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        if bucket.take(Instant::now()) { Ok(()) } else { Err(Problem::TooManyRequests) }
    }
}

impl Bucket {
    fn take(&mut self, now: Instant) -> bool {
        let elapsed: Duration = now.saturating_duration_since(self.filled);
        self.tokens =
            elapsed.as_secs_f64().mul_add(self.per_second, self.tokens).min(self.per_second.max(1.0));
        self.filled = now;
        let granted = self.tokens >= 1.0;
        if granted {
            self.tokens -= 1.0;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn limits(concurrent: u32, requests_per_second: u32) -> Limits {
        let number = |n| NonZeroU32::new(n).unwrap();
        Limits::new(ConsumerLimits {
            concurrent: number(concurrent),
            requests_per_second: number(requests_per_second),
        })
    }

    #[test]
    fn a_place_comes_back_with_its_permit() {
        let limits = limits(1, 100);
        let first = limits.enter().unwrap();
        assert!(limits.enter().is_err());
        drop(first);
        assert!(limits.enter().is_ok());
    }

    #[test]
    fn the_bucket_refills_with_time() {
        let start = Instant::now();
        let mut bucket = Bucket { per_second: 2.0, tokens: 2.0, filled: start };
        assert!(bucket.take(start) && bucket.take(start) && !bucket.take(start));
        assert!(bucket.take(start + Duration::from_millis(500)));
        assert!(!bucket.take(start + Duration::from_millis(600)));
    }
}
