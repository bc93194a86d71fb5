//! The lines that wait for standard error. A separate thread writes them, so that a reader that stands still holds up no
//! request, no health check and no stop.

use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::metrics::log_lines::{LeftOut, count};

/// The most bytes of lines that wait: some thousand lines, which a reader that works takes within milliseconds. A longer
/// queue would keep more of a log that nobody reads, in memory.
pub(super) const MAX_WAITING: usize = 512 * 1024;

/// The lines of a log on their way to its sink. A line that finds no room is counted instead.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    /// Whether the thread writes lines that it took.
    writing: bool,
    /// The lines that found no room, since this was last said.
    unsaid: u64,
}

impl Queue {
    /// Appends whole lines, written at once. Never waits for the sink.
    pub(super) fn push(&self, lines: &[u8]) {
        let mut state = self.lock();
        if state.waiting.len().saturating_add(lines.len()) > MAX_WAITING {
            state.unsaid = state.unsaid.saturating_add(1);
            count(LeftOut::Reader, 1);
            return;
        }
        state.waiting.extend_from_slice(lines);
        drop(state);
        self.changed.notify_all();
    }

    /// How many lines found no room since the last call, once there is room again.
    pub(super) fn unsaid(&self) -> Option<u64> {
        let mut state = self.lock();
        let has_room = state.waiting.len() < MAX_WAITING / 2;
        (has_room && state.unsaid > 0).then(|| std::mem::take(&mut state.unsaid))
    }

    /// Moves all lines that wait to the sink, in one write. Waits for lines until `until`.
    pub(super) fn write_next(&self, sink: &mut impl Write, batch: &mut Vec<u8>, until: Instant) {
        batch.clear();
        let mut state = self.wait(until, |state| !state.waiting.is_empty());
        std::mem::swap(&mut state.waiting, batch);
        state.writing = true;
        drop(state);
        // There is no other place to tell of a log that cannot be written. The metric tells.
        if sink.write_all(batch).and_then(|()| sink.flush()).is_err() {
            count(LeftOut::Reader, lines_in(batch));
        }
        self.lock().writing = false;
        self.changed.notify_all();
    }

    /// Waits until the sink has all lines, at most `bound`.
    pub(super) fn flush(&self, bound: Duration) {
        drop(self.wait(Instant::now() + bound, |state| state.waiting.is_empty() && !state.writing));
    }

    fn wait(&self, until: Instant, is_done: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let bound = until.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout_while(self.lock(), bound, |state| !is_done(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Every state is valid between two statements, so a poisoned lock is safe to use.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lines_in(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u64::MAX)
}

/// Each write is whole lines, as `tracing_subscriber` and this program write them.
impl Write for &Queue {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: [u8; 1024] = [b'\n'; 1024];

    fn next(queue: &Queue) -> Vec<u8> {
        let mut sink = Vec::new();
        queue.write_next(&mut sink, &mut Vec::new(), Instant::now());
        sink
    }

    #[test]
    fn what_finds_no_room_is_counted_and_said_when_there_is_room() {
        let queue = Queue::default();
        let fitting = MAX_WAITING / LINE.len();
        (0..fitting + 3).for_each(|_| queue.push(&LINE));
        assert_eq!(queue.unsaid(), None, "the queue is full");
        assert_eq!(next(&queue).len(), MAX_WAITING, "all that waits is one write");
        assert_eq!((queue.unsaid(), queue.unsaid()), (Some(3), None));
        queue.push(b"later\n");
        assert_eq!(next(&queue), b"later\n");
    }

    #[test]
    fn a_flush_waits_for_the_sink_and_no_longer_than_its_bound() {
        let queue = Queue::default();
        queue.push(b"a line\n");
        let began = Instant::now();
        queue.flush(Duration::from_millis(20));
        assert!(began.elapsed() >= Duration::from_millis(20), "nobody takes the line");
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(next(&queue), b"a line\n"));
            queue.flush(Duration::from_secs(60));
        });
        assert_eq!(next(&queue), b"");
    }
}
