//! How many requests one consumer may have open at once, and send per second.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;
use crate::config::ConsumerLimits;
use crate::rate_limiter::RateLimiter;

/// A consumer's limits. The bucket holds one second's worth, so short bursts pass.
pub(super) struct Limits {
    concurrent: Arc<Semaphore>,
    bucket: RateLimiter,
}

/// A request's slot among the concurrent ones. It is released when the response's body ends.
pub(super) struct Permit {
    _slot: OwnedSemaphorePermit,
}

impl Limits {
    pub(super) fn new(limits: ConsumerLimits) -> Self {
        let per_second = f64::from(limits.requests_per_second.get());
        let slots = usize::try_from(limits.concurrent.get()).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            concurrent: Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS))),
            bucket: RateLimiter::new(per_second, per_second, Instant::now()),
        }
    }

    /// Counts a request, and takes a slot among the concurrent ones.
    pub(super) fn enter(&self) -> Result<Permit, Problem> {
        self.count()?;
        let slot = Arc::clone(&self.concurrent).try_acquire_owned().map_err(|_| Problem::TooManyRequests)?;
        Ok(Permit { _slot: slot })
    }

    /// Counts a request of a batch. The batch holds the slot.
    pub(super) fn count(&self) -> Result<(), Problem> {
        if self.bucket.allows(Instant::now()) { Ok(()) } else { Err(Problem::TooManyRequests) }
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
    fn a_dropped_permit_frees_its_slot() {
        let limits = limits(1, 100);
        let first = limits.enter().unwrap();
        assert!(limits.enter().is_err());
        drop(first);
        assert!(limits.enter().is_ok());
    }
}
