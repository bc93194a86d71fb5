//! How many requests one consumer may have open at once and send per second, and how much its batches may hold in memory.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;
use super::queue::{RateQueue, SlotQueue, whole_seconds};
use super::quota::Quota;
use crate::config::ConsumerLimits;

/// How long a request over the limits waits for its turn before it is refused. It is far below the timeouts of clients,
/// and lets a client that sends as fast as it can run at exactly its rate.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// The most bytes of one response in a batch. A page of a thousand messages has about half of this.
pub(super) const MAX_RESPONSE: usize = 4 * 1024 * 1024;
/// The most bytes that the responses in a consumer's batches hold together: eight of the longest.
const HELD: usize = 8 * MAX_RESPONSE;

/// A consumer's limits. Requests over them wait in order, each consumer's in queues of their own.
pub(super) struct Limits {
    concurrent: SlotQueue,
    rate: RateQueue,
    /// A permit for each byte that may be held.
    memory: Arc<Semaphore>,
}

/// A request's slot among the concurrent ones. It is released when the response's body ends.
pub(super) struct Permit {
    _slot: OwnedSemaphorePermit,
    /// How long the request waited for its turn.
    pub(super) waited: Duration,
}

impl Limits {
    pub(super) fn new(limits: ConsumerLimits) -> Self {
        let slots = usize::try_from(limits.concurrent.get()).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            concurrent: SlotQueue::new(slots),
            rate: RateQueue::new(limits.requests_per_second),
            memory: Arc::new(Semaphore::new(HELD)),
        }
    }

    /// Takes a slot among the concurrent ones, and counts the request. Waits for its turn, up to [`PATIENCE`]. The slot
    /// comes first, so a request that gets none is not counted.
    pub(super) async fn enter(&self) -> Result<Permit, Problem> {
        let slot = self.concurrent.slot(PATIENCE).await;
        let (slot, waited) = slot.ok_or(Problem::UNKNOWN_WAIT)?;
        let later = self.turn(PATIENCE.saturating_sub(waited)).await?;
        Ok(Permit { _slot: slot, waited: waited.saturating_add(later) })
    }

    /// Counts a request of a batch. Waits for its turn, up to [`PATIENCE`], and returns how long. The batch holds the slot.
    pub(super) async fn count(&self) -> Result<Duration, Problem> {
        self.turn(PATIENCE).await
    }

    async fn turn(&self, patience: Duration) -> Result<Duration, Problem> {
        let turn = self.rate.turn(patience).await;
        turn.map_err(|wait| Problem::TooManyRequests { retry_after: whole_seconds(wait) })
    }

    /// How many requests the consumer may still send.
    pub(super) fn quota(&self) -> Quota {
        self.rate.quota()
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
        self.taken.push(taken.map_err(|_| Problem::UNKNOWN_WAIT)?);
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

    #[tokio::test(start_paused = true)]
    async fn a_dropped_permit_frees_its_slot() {
        let limits = limits(1, 100);
        let first = limits.enter().await.unwrap();
        assert!(limits.enter().await.is_err());
        drop(first);
        assert!(limits.enter().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_refused_is_not_counted() {
        let limits = limits(1, 2);
        let first = limits.enter().await.unwrap();
        assert!(matches!(limits.enter().await, Err(Problem::TooManyRequests { retry_after: 1 })));
        assert_eq!(limits.quota().remaining, 2, "it waited a second, in which the bucket became full");
        drop(first);
    }

    /// Fault: the responses of batches need more memory than a consumer may use. Outcome: the next response in a batch gets 429.
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
        assert!(matches!(late.take(1), Err(Problem::TooManyRequests { .. })));
        drop(others.pop());
        assert!(late.take(MAX_RESPONSE - 1).is_ok());
    }
}
