//! The two queues in which one consumer's requests wait for their turn: for a slot, and for the rate. The first to come is
//! the first to go. A request that is dropped while it waits leaves its queue, and those behind it move up.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use super::quota::Quota;
use crate::rate_limiter::Bucket;

/// How many requests of one consumer wait for a slot: four times the slots that it has by default.
const PLACES: usize = 256;
/// The shortest sleep of the timer.
const TICK: Duration = Duration::from_millis(1);

/// Bounds how many requests run at once.
pub(super) struct SlotQueue {
    /// Tokio's semaphore is fair.
    slots: Arc<Semaphore>,
    places: Semaphore,
}

impl SlotQueue {
    pub(super) fn new(slots: usize) -> Self {
        let slots = Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS)));
        Self { slots, places: Semaphore::new(PLACES) }
    }

    /// A slot, and how long the request waited for it. `None` if the queue is full, or no slot became free in time.
    pub(super) async fn slot(&self, patience: Duration) -> Option<(OwnedSemaphorePermit, Duration)> {
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            return Some((slot, Duration::ZERO));
        }
        let _place = self.places.try_acquire().ok()?;
        let came = Instant::now();
        let slot = timeout(patience, Arc::clone(&self.slots).acquire_owned()).await.ok()?.ok()?;
        Some((slot, came.elapsed()))
    }
}

/// Bounds how many requests begin per second. The bucket holds one second's worth, so short bursts pass.
pub(super) struct RateQueue {
    state: Mutex<State>,
    /// Locked by the first in the queue. Tokio's mutex is fair.
    first: tokio::sync::Mutex<()>,
}

struct State {
    bucket: Bucket,
    waiting: u32,
}

impl RateQueue {
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        let interval = Duration::from_secs(1) / per_second.get();
        let bucket = Bucket::new(interval, per_second.get(), now());
        Self { state: Mutex::new(State { bucket, waiting: 0 }), first: tokio::sync::Mutex::default() }
    }

    /// Counts a request, at once or when its turn comes. Returns how long it waited.
    ///
    /// # Errors
    ///
    /// The time until its turn would come, if that is longer than `patience`. Such a request does not wait.
    pub(super) async fn turn(&self, patience: Duration) -> Result<Duration, Duration> {
        let Some(mut place) = self.join(patience)? else { return Ok(Duration::ZERO) };
        let came = Instant::now();
        let _first = self.first.lock().await;
        while let Err(wait) = place.take_turn() {
            sleep(wait.max(TICK)).await;
        }
        Ok(came.elapsed())
    }

    /// How many requests may begin now.
    pub(super) fn quota(&self) -> Quota {
        let (state, now) = (self.lock(), now());
        let queued = state.bucket.interval().saturating_mul(state.waiting);
        Quota {
            limit: state.bucket.most(),
            remaining: state.bucket.tokens(now).saturating_sub(state.waiting),
            // A full bucket is the quota of a second. Clients divide by this number.
            reset: whole_seconds(state.bucket.until_full(now).saturating_add(queued)).max(1),
        }
    }

    /// A place in the queue. `None` if the request need not wait: it is counted.
    fn join(&self, patience: Duration) -> Result<Option<Place<'_>>, Duration> {
        let (mut state, now) = (self.lock(), now());
        if state.waiting == 0 && state.bucket.take(now) {
            return Ok(None);
        }
        let wait = state.bucket.until(state.waiting.saturating_add(1), now);
        if wait > patience {
            return Err(wait);
        }
        state.waiting = state.waiting.saturating_add(1);
        Ok(Some(Place { queue: self, left: false }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request's place in a [`RateQueue`], until it is dropped.
struct Place<'a> {
    queue: &'a RateQueue,
    left: bool,
}

impl Place<'_> {
    /// Counts the request and leaves the queue. The error is the time until there is a token.
    fn take_turn(&mut self) -> Result<(), Duration> {
        let (mut state, now) = (self.queue.lock(), now());
        if !state.bucket.take(now) {
            return Err(state.bucket.until(1, now));
        }
        // Under one lock with the token: a request that came in between would see one too many in front of it.
        state.leave();
        self.left = true;
        Ok(())
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.left {
            self.queue.lock().leave();
        }
    }
}

impl State {
    fn leave(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }
}

/// Tokio's clock, which tests can move.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

/// Seconds, rounded up.
pub(super) fn whole_seconds(time: Duration) -> u32 {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rate(per_second: u32) -> RateQueue {
        RateQueue::new(NonZeroU32::new(per_second).unwrap())
    }

    /// Polls once, so that the future takes its place.
    async fn begin<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx))).await
    }

    #[tokio::test(start_paused = true)]
    async fn requests_over_the_rate_pass_one_by_one_in_their_order() {
        let queue = Arc::new(rate(4));
        let (passed, mut order) = tokio::sync::mpsc::unbounded_channel();
        let came = Instant::now();
        for number in 0..8 {
            let (queue, passed) = (Arc::clone(&queue), passed.clone());
            tokio::spawn(async move {
                queue.turn(SECOND).await.unwrap();
                passed.send((number, came.elapsed())).unwrap();
            });
            tokio::task::yield_now().await;
        }
        for number in 0..8_u32 {
            let (first, after) = order.recv().await.unwrap();
            let expected = SECOND / 4 * number.saturating_sub(3);
            assert!(
                first == number && after >= expected && after < expected + 4 * TICK,
                "{first}: {after:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_whose_turn_is_too_far_away_learns_when_it_would_come() {
        let queue = rate(2);
        assert_eq!(queue.turn(SECOND).await, Ok(Duration::ZERO));
        assert_eq!(queue.turn(SECOND).await, Ok(Duration::ZERO));
        let (mut third, mut fourth) = (pin!(queue.turn(SECOND)), pin!(queue.turn(SECOND)));
        assert!(begin(&mut third).await.is_pending() && begin(&mut fourth).await.is_pending());
        let refused = queue.turn(SECOND).await.unwrap_err();
        assert_eq!(refused, SECOND * 3 / 2);
        let (third, fourth, ()) = tokio::join!(third, fourth, sleep(refused));
        assert!(third.is_ok() && fourth.is_ok());
        assert_eq!(queue.turn(SECOND).await, Ok(Duration::ZERO), "the time was true");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_dropped_leaves_the_queue() {
        let queue = rate(1);
        assert!(queue.turn(SECOND).await.is_ok());
        {
            let mut gone = pin!(queue.turn(SECOND));
            assert!(begin(&mut gone).await.is_pending());
            assert_eq!(queue.turn(SECOND).await, Err(SECOND * 2));
        }
        let came = Instant::now();
        assert!(queue.turn(SECOND).await.is_ok());
        assert!(came.elapsed() < SECOND + 2 * TICK);
    }

    #[tokio::test(start_paused = true)]
    async fn the_quota_counts_those_that_wait() {
        let queue = rate(2);
        let told = || {
            let Quota { limit, remaining, reset } = queue.quota();
            (limit, remaining, reset)
        };
        assert_eq!(told(), (2, 2, 1));
        assert!(queue.turn(SECOND).await.is_ok());
        assert_eq!(told(), (2, 1, 1));
        assert!(queue.turn(SECOND).await.is_ok());
        let mut third = pin!(queue.turn(SECOND));
        assert!(begin(&mut third).await.is_pending());
        assert_eq!(told(), (2, 0, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_free_slot_goes_to_the_first_that_waits() {
        let queue = SlotQueue::new(1);
        let (slot, waited) = queue.slot(SECOND).await.unwrap();
        assert_eq!(waited, Duration::ZERO);
        let (mut second, mut third) = (pin!(queue.slot(SECOND)), pin!(queue.slot(SECOND)));
        assert!(begin(&mut second).await.is_pending() && begin(&mut third).await.is_pending());
        drop(slot);
        assert!(begin(&mut third).await.is_pending());
        let (slot, _) = second.await.unwrap();
        drop(slot);
        assert!(third.await.is_some());
    }

    /// Fault: more requests wait for a place than the queue has room for. Outcome: the next one is refused at once.
    #[tokio::test(start_paused = true)]
    async fn the_wait_for_a_slot_has_an_end_and_its_queue_a_bound() {
        let queue = SlotQueue::new(1);
        let _slot = queue.slot(SECOND).await.unwrap();
        let came = Instant::now();
        assert!(queue.slot(SECOND).await.is_none());
        assert!(came.elapsed() >= SECOND);

        let mut waiting: Vec<_> = (0..PLACES).map(|_| Box::pin(queue.slot(SECOND))).collect();
        for request in &mut waiting {
            assert!(begin(request).await.is_pending());
        }
        let came = Instant::now();
        assert!(queue.slot(SECOND).await.is_none());
        assert_eq!(came.elapsed(), Duration::ZERO, "there is no place to wait in");
    }
}
