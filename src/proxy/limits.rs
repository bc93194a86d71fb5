//! How many requests one consumer may have open at once and send per second, and how much its batches may hold in memory.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;
use crate::config::ConsumerLimits;
use crate::rate_limiter::RateLimiter;

/// The most bytes of one response in a batch. A page of a thousand messages has about half of this.
pub(super) const MAX_RESPONSE: usize = 4 * 1024 * 1024;
/// The most bytes that the responses in a consumer's batches hold together: eight of the longest.
const HELD: usize = 8 * MAX_RESPONSE;

/// A consumer's limits. The bucket holds one second's worth, so short bursts pass.
pub(super) struct Limits {
    concurrent: Arc<Semaphore>,
    bucket: RateLimiter,
    /// A permit for each byte that may be held.
    memory: Arc<Semaphore>,
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
            memory: Arc::new(Semaphore::new(HELD)),
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

    /// Room for one response of a batch, none of it taken yet.
    pub(super) fn room(&self) -> Room {
        Room { memory: Arc::clone(&self.memory), taken: Vec::new(), bytes: 0 }
    }
}

/// The memory that one response of a batch takes until it is written.
pub(super) struct Room {
    memory: Arc<Semaphore>,
    taken: Vec<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Room {
    /// Takes room for more bytes. Never waits: the responses that hold the memory may wait for this one.
    pub(super) fn take(&mut self, more: usize) -> Result<(), Problem> {
        self.bytes = self.bytes.saturating_add(more);
        let permits = u32::try_from(more).ok().filter(|_| self.bytes <= MAX_RESPONSE);
        let permits = permits.ok_or(Problem::ItemTooLarge)?;
        let taken = Arc::clone(&self.memory).try_acquire_many_owned(permits);
        self.taken.push(taken.map_err(|_| Problem::TooManyRequests)?);
        Ok(())
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

    #[test]
    fn a_response_has_a_bound_and_so_have_all_together() {
        let limits = limits(1, 100);
        let mut room = limits.room();
        assert!(room.take(MAX_RESPONSE - 1).is_ok() && room.take(1).is_ok() && room.take(0).is_ok());
        assert!(matches!(room.take(1), Err(Problem::ItemTooLarge)));
        assert!(matches!(limits.room().take(usize::MAX), Err(Problem::ItemTooLarge)));

        let mut others: Vec<_> = (1..HELD / MAX_RESPONSE).map(|_| limits.room()).collect();
        assert!(others.iter_mut().all(|other| other.take(MAX_RESPONSE).is_ok()));
        let mut late = limits.room();
        assert!(matches!(late.take(1), Err(Problem::TooManyRequests)));
        drop(others.pop());
        assert!(late.take(MAX_RESPONSE - 1).is_ok());
    }
}
