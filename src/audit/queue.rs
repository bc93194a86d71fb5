//! The queue between the requests and the thread that writes the log.
//!
//! It is not a channel, because a channel wakes a waiting receiver for each message. Waking a thread costs more than
//! writing a record: a system call, two switches of threads, and then the writer writes one record alone. Here, putting a
//! job in and waking the reader are two steps. [`Queue::put`] returns a [`Call`], which wakes the reader. Whoever waits for
//! the job anyway lets others put theirs in first ([`Call::gather`]): then one wake and one write serve them all.
//!
//! The reader sleeps through no job, however threads and tasks interleave:
//!
//! * A reader that is awake looks into the queue again before it sleeps. It needs no wake.
//! * Each job that finds the reader asleep has a call of its own, which wakes the reader when it is dropped, or earlier.
//!   No call relies on another one: it is spared only when the reader is awake already.
//! * A reader that wakes by itself, because its patience ends, takes all jobs that are there.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::yield_now;

/// How often a request lets other tasks run before it wakes the writer, at the most. In one turn, each task that can run hands
/// its record over. More turns make few groups larger, and each record waits for all turns.
const GATHER_TURNS: usize = 4;

/// The side of the queue that puts jobs in.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    /// The reader sleeps here.
    woken: Condvar,
}

struct State<T> {
    jobs: VecDeque<T>,
    /// Whether the reader sleeps, and no call has woken it.
    is_asleep: bool,
    /// How often the reader has gone to sleep. A call is for one sleep.
    sleeps: u64,
    /// Whether the reader is gone.
    is_closed: bool,
}

/// The side of the queue that takes jobs out.
pub(super) struct Reader<T> {
    queue: Arc<Queue<T>>,
    /// Jobs that are taken out together, so that requests seldom wait for the lock.
    taken: VecDeque<T>,
}

/// The reader is gone, and takes no jobs.
pub(super) struct Closed;

/// The duty to wake the reader for a job. Dropping it wakes the reader.
#[must_use = "the reader is woken at once when this is dropped"]
pub(super) struct Call<'a, T> {
    queue: &'a Queue<T>,
    /// The sleep to end.
    sleep: u64,
}

/// Both sides of a new queue.
pub(super) fn queue<T>() -> (Arc<Queue<T>>, Reader<T>) {
    let state = State { jobs: VecDeque::new(), is_asleep: false, sleeps: 0, is_closed: false };
    let queue = Arc::new(Queue { state: Mutex::new(state), woken: Condvar::new() });
    let reader = Reader { queue: Arc::clone(&queue), taken: VecDeque::new() };
    (queue, reader)
}

impl<T> Queue<T> {
    /// Puts a job in. The call wakes the reader for it.
    pub(super) fn put(&self, job: T) -> Result<Call<'_, T>, Closed> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(Closed);
        }
        state.jobs.push_back(job);
        Ok(Call { queue: self, sleep: state.sleeps })
    }

    /// Held for some instructions only, by tasks and by the reader. The state is valid between two statements, so a
    /// poisoned lock is safe to use.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Call<'_, T> {
    /// Lets other tasks put their jobs in, as long as more come, and then wakes the reader. Ends early if another call
    /// wakes it.
    pub(super) async fn gather(&self) {
        let mut before = 0;
        for _ in 0..GATHER_TURNS {
            match self.jobs() {
                Some(jobs) if jobs != before => before = jobs,
                Some(_) => break,
                None => return,
            }
            yield_now().await;
        }
        self.wake();
    }

    /// How many jobs wait for the end of the sleep; `None` if it has ended.
    fn jobs(&self) -> Option<usize> {
        let state = self.queue.lock();
        self.is_due(&state).then_some(state.jobs.len())
    }

    fn is_due(&self, state: &State<T>) -> bool {
        state.is_asleep && state.sleeps == self.sleep
    }

    fn wake(&self) {
        let mut state = self.queue.lock();
        if self.is_due(&state) {
            state.is_asleep = false;
            drop(state);
            self.queue.woken.notify_one();
        }
    }
}

impl<T> Drop for Call<'_, T> {
    fn drop(&mut self) {
        self.wake();
    }
}

impl<T> Reader<T> {
    /// The next job. Sleeps until there is one, but not longer than `patience`.
    pub(super) fn next(&mut self, patience: Duration) -> Option<T> {
        if self.taken.is_empty() {
            self.take(patience);
        }
        self.taken.pop_front()
    }

    /// Takes all jobs.
    fn take(&mut self, patience: Duration) {
        let mut state = self.queue.lock();
        if state.jobs.is_empty() && !patience.is_zero() {
            state.is_asleep = true;
            state.sleeps = state.sleeps.wrapping_add(1);
            let woken = self.queue.woken.wait_timeout_while(state, patience, |state| state.is_asleep);
            (state, _) = woken.unwrap_or_else(PoisonError::into_inner);
            state.is_asleep = false;
        }
        std::mem::swap(&mut state.jobs, &mut self.taken);
    }
}

impl<T> Drop for Reader<T> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.is_closed = true;
        let jobs = std::mem::take(&mut state.jobs);
        // Whoever waits for these is told outside the lock.
        drop(state);
        drop(jobs);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::sync::oneshot;

    use super::*;

    /// So long that a test that waits for it has failed.
    const LONG: Duration = Duration::from_secs(20);

    fn alone<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    /// Answers each job. Its sleeps end by themselves now and then, at any moment.
    fn answer(mut reader: Reader<Option<oneshot::Sender<()>>>) {
        for turn in 0_u64.. {
            let patience = if turn % 3 == 0 { LONG } else { Duration::from_micros(turn % 50) };
            match reader.next(patience) {
                Some(Some(sender)) => drop(sender.send(())),
                Some(None) => return,
                None => {}
            }
        }
    }

    /// Puts jobs in and waits until they are answered. One in three wakes the reader at once.
    async fn ask(queue: &Queue<Option<oneshot::Sender<()>>>) {
        for turn in 0..2_000 {
            let (sender, answered) = oneshot::channel();
            let Ok(call) = queue.put(Some(sender)) else { panic!("closed") };
            if turn % 3 > 0 {
                call.gather().await;
            }
            drop(call);
            answered.await.unwrap();
        }
    }

    #[test]
    fn no_job_is_forgotten_while_sleeps_end_by_themselves() {
        let (queue, reader) = queue();
        let began = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| answer(reader));
            let asking: Vec<_> = (0..4).map(|_| scope.spawn(|| alone(ask(&queue)))).collect();
            asking.into_iter().for_each(|thread| thread.join().unwrap());
            drop(queue.put(None));
        });
        assert!(began.elapsed() < LONG, "a job waited for the end of a sleep");
    }

    #[test]
    fn one_call_serves_the_jobs_that_came_before_it() {
        let (queue, mut reader) = queue();
        std::thread::scope(|scope| {
            let reading = scope.spawn(move || {
                let first = reader.next(LONG);
                (first, reader.next(Duration::ZERO), reader.next(Duration::ZERO))
            });
            while !queue.lock().is_asleep {
                std::thread::yield_now();
            }
            let calls = [queue.put(1).ok().unwrap(), queue.put(2).ok().unwrap()];
            assert!(queue.lock().is_asleep, "a job wakes nobody");
            let [first, second] = calls;
            drop(second);
            assert_eq!(first.jobs(), None, "the reader is awake");
            assert_eq!(reading.join().unwrap(), (Some(1), Some(2), None));
        });
    }

    #[test]
    fn jobs_are_dropped_when_the_reader_is_gone() {
        let (queue, reader) = queue();
        let (sender, mut answered) = oneshot::channel::<()>();
        drop(queue.put(sender));
        drop(reader);
        assert!(answered.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Closed));
        assert!(queue.put(oneshot::channel().0).is_err());
    }
}
