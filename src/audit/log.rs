//! The audit log: a queue of records, and a separate thread that writes them.
//!
//! A request takes a slot ([`AuditLog::reserve`]) before it is served, and its record takes the slot along until it is
//! written. So the queue is bounded, and the end of a request never waits for room. Nothing here blocks the thread that
//! calls it: while the disk is full, or nobody reads standard output, only the writer waits.
//!
//! The writer takes all that waits, and writes it with one call. Responses that wait for their records wake it together
//! (`queue`). A record is *acknowledged* when the operating system has it, so a crash of this program loses nothing that was
//! acknowledged. [`SyncMode`] says what a power cut can lose.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use super::chain::{MAX_CONTENT, MAX_LINE_BYTES, encode};
use super::event::Event;
use super::file::OpenError;
use super::mac::MacKey;
use super::output::{Output, Settings};
use super::queue::{Call, Closed, Queue, queue};
use super::rotation::Rotate;
use super::unidentified::{Noted, Source, Unidentified};
use super::writer::{Entry, Fate, Job, Ticket, Writer, Written};

/// How many requests can be in progress, or wait for their record to be written: more than consumers may have in progress at
/// once (`limits.concurrent`, 64 by default). With 2 KiB for each record, the queue has at most 8 MiB.
const SLOTS: usize = 4_096;

/// The longest that a request waits for a slot, or for the log to acknowledge its record. A disk that works takes
/// milliseconds, and a second now and then when it writes back much at once. Consumers wait longer than this for a response.
const WAIT: Duration = Duration::from_secs(2);

/// The longest that a start or a reload waits for its event: a disk may be busy, and nobody waits for a response.
const EVENT_WAIT: Duration = Duration::from_secs(10);

/// The first and the longest time between two tries to write after a failure.
const RETRY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// How long a dropped log waits for its writer to give the file free. Only a writer that is stuck takes longer.
const DROP_WAIT: Duration = Duration::from_secs(1);

/// What an audit log that does not wait for the disk can lose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncMode {
    /// A record is acknowledged when the operating system has it. A power cut can lose the last half minute.
    #[default]
    None,
    /// A record is acknowledged when it is on the disk. One `fdatasync` serves all records of a group.
    Each,
    /// As with `None`, and every second the disk gets what was written. A power cut can lose the last second.
    Interval,
}

/// How an audit log is written.
#[derive(Clone, Default)]
pub struct Options {
    /// When records go to the disk.
    pub sync: SyncMode,
    /// When a file is rotated; `None` if others do this, or nobody.
    pub rotate: Option<Rotate>,
    /// The key that seals each line.
    pub key: Option<MacKey>,
    /// The limits.
    pub bounds: Bounds,
    /// The time.
    pub clock: Clock,
}

/// The limits of a log. Tests set them.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How many requests can be in progress or wait for their record.
    pub slots: usize,
    /// The longest wait for a slot or an acknowledgement. A write that takes longer counts as a failure.
    pub wait: Duration,
    /// The first time between two tries after a failure. It doubles up to a second.
    pub retry: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { slots: SLOTS, wait: WAIT, retry: RETRY.0 }
    }
}

impl Bounds {
    /// The time until the next try, after one that failed this time after the one before.
    pub(super) fn retry_after(&self, last: Duration) -> Duration {
        (last * 2).min(RETRY.1).max(self.retry)
    }
}

/// The time of day. Tests set it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that says what `now` says.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(Timestamp::now)
    }
}

/// An audit log that is open for writing. Shared by reference between all requests.
pub struct AuditLog {
    jobs: Arc<Queue<Job>>,
    slots: Arc<Semaphore>,
    bounds: Bounds,
    state: Arc<Shared>,
}

/// The room for one record in the queue. Dropped when the record is written, or needs none.
#[derive(Debug)]
pub struct Slot {
    _permit: OwnedSemaphorePermit,
}

/// The log cannot take a record, or does not acknowledge it in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit log does not take records")]
pub struct Unavailable;

/// Why a line was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The line could not be written.
    #[error("the audit log cannot be written")]
    Io(#[source] io::Error),
    /// The line could not be brought to the disk.
    #[error("the audit log cannot be synchronized with its disk")]
    Sync(#[source] io::Error),
    /// The log's file was moved or deleted, and the log cannot go on in another.
    #[error("the audit log cannot be continued")]
    Reopen(#[source] OpenError),
    /// The record could not be encoded.
    #[error("the audit record cannot be encoded")]
    Encode(#[source] serde_json::Error),
    /// The line would be longer than those that [`super::verify()`] reads. Only very long names in the files make one.
    #[error("the audit record has more than {} bytes: shorten the names in the files", MAX_LINE_BYTES)]
    TooLong,
    /// The writer waits for its disk, or for the reader of standard output.
    #[error("the audit log takes no record: its disk does not respond, or nobody reads its stream")]
    Late,
}

/// What an audit log does just now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditState {
    /// Records that wait to be written.
    pub waiting: u64,
    /// Writes that failed since the start.
    pub failures: u64,
    /// Files that were begun since the start because the one before was full, moved or deleted.
    pub rotations: u64,
    /// Requests without a record since the start: they were refused because the log took none. An event has their number.
    pub unrecorded: u64,
    /// Why the log takes no records now; `None` if it does.
    pub failing: Option<Failing>,
}

/// Why an audit log takes no records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Since when.
    pub since: Timestamp,
    /// The error with its causes.
    pub why: String,
}

/// An entry that the log has to acknowledge. Dropped, it waits no more.
pub(super) struct Receipt<'a> {
    /// Wakes the writer; `None` if its thread has ended.
    call: Option<Call<'a, Job>>,
    ticket: Arc<Ticket>,
    acknowledged: oneshot::Receiver<Written>,
}

impl Receipt<'_> {
    /// Wakes the writer together with other responses, and waits for the acknowledgement. An error comes with what became
    /// of the entry.
    pub(super) async fn wait(mut self, within: Duration) -> Result<(), (Fate, Arc<WriteError>)> {
        let late = || Arc::new(WriteError::Late);
        let acknowledged = async {
            if let Some(call) = &self.call {
                call.gather().await;
            }
            (&mut self.acknowledged).await
        };
        match timeout(within, acknowledged).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err((Fate::NotWritten, error)),
            Ok(Err(_)) | Err(_) => match self.ticket.leave() {
                Fate::Written => Ok(()),
                fate => Err((fate, late())),
            },
        }
    }

    /// The entry's ticket, to look after it if nobody waits to the end.
    pub(super) fn ticket(&self) -> Arc<Ticket> {
        Arc::clone(&self.ticket)
    }
}

/// What the writer tells everybody else.
pub(super) struct Shared {
    failing: AtomicBool,
    /// Milliseconds from `began` to the write that is running, plus one; 0 if none is.
    busy_since: AtomicU64,
    began: Instant,
    waiting: AtomicU64,
    failures: AtomicU64,
    rotations: AtomicU64,
    /// Requests without a record.
    unrecorded: AtomicU64,
    why: Mutex<Option<Failing>>,
    unidentified: Mutex<Unidentified>,
    ended: (Mutex<bool>, Condvar),
}

impl AuditLog {
    /// Opens or creates a log file (mode 0600) and continues its chain.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let bounds = options.bounds;
        Self::start(Output::file(path.to_owned(), options.settings())?, bounds)
    }

    /// Writes to standard output, with a chain that starts now.
    ///
    /// # Errors
    ///
    /// [`OpenError::Thread`].
    pub fn stdout(options: Options) -> Result<Self, OpenError> {
        Self::to_stream(own_stdout(), options)
    }

    /// Writes to `sink`, with a chain that starts now.
    ///
    /// # Errors
    ///
    /// [`OpenError::Thread`].
    pub fn to_stream(sink: Box<dyn Write + Send>, options: Options) -> Result<Self, OpenError> {
        let bounds = options.bounds;
        Self::start(Output::stream(sink, options.settings()), bounds)
    }

    fn start(output: Output, bounds: Bounds) -> Result<Self, OpenError> {
        let (jobs, waiting) = queue();
        let state = Arc::new(Shared::new());
        let writer = Writer::new(waiting, output, Arc::clone(&state), bounds);
        let thread = std::thread::Builder::new().name("audit".to_owned());
        thread.spawn(move || writer.run()).map_err(OpenError::Thread)?;
        Ok(Self { jobs, slots: Arc::new(Semaphore::new(bounds.slots)), bounds, state })
    }

    /// Waits for the room that one record needs, for a limited time.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: whoever asks is refused, because it could not be recorded.
    pub async fn reserve(&self) -> Result<Slot, Unavailable> {
        if self.is_failing() {
            return Err(Unavailable);
        }
        let permit = timeout(self.bounds.wait, Arc::clone(&self.slots).acquire_owned()).await;
        match permit {
            Ok(Ok(permit)) => Ok(Slot { _permit: permit }),
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => Err(Unavailable),
        }
    }

    /// The room for the record of a refusal, if there is plenty: refusals leave half of it to requests that are served.
    pub(super) fn spare_slot(&self) -> Option<Slot> {
        let is_plenty = !self.is_failing() && self.slots.available_permits() > self.bounds.slots / 2;
        let permit = is_plenty.then(|| Arc::clone(&self.slots).try_acquire_owned())?.ok()?;
        Some(Slot { _permit: permit })
    }

    /// Hands over the record of a request whose sender was not identified, or counts it ([`Unidentified`]). Without a slot,
    /// it takes one only if there is plenty, so that no request that is served ever waits for it.
    pub(super) fn note(&self, source: Source, reason: &'static str, line: Vec<u8>, slot: Option<Slot>) {
        let now = Instant::now();
        match slot.or_else(|| self.spare_slot()) {
            None => self.state.unidentified().count(source, reason, now),
            Some(slot) => match self.state.unidentified().note(source, reason, now) {
                Noted::Record => self.post(Entry::new(line, Some(slot))),
                Noted::Counted => {}
            },
        }
    }

    /// Writes the counts of all requests whose sender was not identified, before the log says that the service stops.
    pub fn sum_up(&self) {
        self.send(Job::SumUp);
    }

    /// Counts a request that has no record. An event says how many there were.
    pub(super) fn count_unrecorded(&self) {
        self.state.unrecorded.fetch_add(1, Ordering::AcqRel);
    }

    /// Hands an event of the service over, in one line or several with nothing between them, and waits until it is in the
    /// log.
    ///
    /// # Errors
    ///
    /// [`WriteError`]. After [`WriteError::Late`], the event can follow when the log can be written again; after all others
    /// it does not.
    pub async fn write_event(&self, event: Event<'_>) -> Result<(), Arc<WriteError>> {
        let receipt = self.post_with_receipt(Entry::of_event(event)?);
        receipt.wait(EVENT_WAIT).await.map_err(|(_, error)| error)
    }

    /// Hands an event of the service over, and waits for nothing: it is written as soon as the log can be written. The
    /// caller bounds how many events there are.
    ///
    /// # Errors
    ///
    /// [`WriteError::Encode`], [`WriteError::TooLong`].
    pub fn post_event(&self, event: Event<'_>) -> Result<(), Arc<WriteError>> {
        self.post(Entry::of_event(event)?);
        Ok(())
    }

    /// Hands an entry over that the log has to acknowledge.
    pub(super) fn post_with_receipt(&self, entry: Entry) -> Receipt<'_> {
        let (ticket, acknowledged) = Ticket::new();
        let own = Arc::clone(&ticket.0);
        Receipt { call: self.put(entry.with_ticket(ticket)), ticket: own, acknowledged }
    }

    /// Hands an entry over for which nobody waits, and wakes the writer at once.
    pub(super) fn post(&self, entry: Entry) {
        drop(self.put(entry));
    }

    fn put(&self, entry: Entry) -> Option<Call<'_, Job>> {
        self.state.added();
        match self.jobs.put(Job::Write(entry)) {
            Ok(call) => Some(call),
            Err(Closed) => {
                self.state.taken(1);
                tracing::error!("an audit record was lost: the thread that writes the log has ended");
                None
            }
        }
    }

    /// The longest wait for an acknowledgement.
    pub(super) fn wait(&self) -> Duration {
        self.bounds.wait
    }

    /// Looks at once whether the log's file was moved or deleted, and goes on in a new one. The writer looks by itself,
    /// too.
    pub fn reopen(&self) {
        self.send(Job::Reopen);
    }

    /// Seals all later lines with this key.
    pub fn set_key(&self, key: Option<MacKey>) {
        self.send(Job::Key(key.map(Box::new)));
    }

    fn send(&self, job: Job) {
        // The writer is gone only with the process.
        drop(self.jobs.put(job));
    }

    /// Whether the log takes no records: the last write failed, or one takes too long. The proxy then refuses requests
    /// (503) rather than serve them unaudited.
    pub fn is_failing(&self) -> bool {
        self.state.failing.load(Ordering::Acquire) || self.stuck_since().is_some()
    }

    /// Since when a write takes too long.
    fn stuck_since(&self) -> Option<Instant> {
        let since = self.state.busy_since.load(Ordering::Acquire).checked_sub(1)?;
        let since = self.state.began.checked_add(Duration::from_millis(since))?;
        (since.elapsed() >= self.bounds.wait).then_some(since)
    }

    /// What the log does just now, for metrics and readiness.
    pub fn state(&self) -> AuditState {
        let shared = &self.state;
        let failing = shared.why.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let stuck = || {
            let since =
                Timestamp::now() - jiff::SignedDuration::try_from(self.stuck_since()?.elapsed()).ok()?;
            Some(Failing { since, why: WriteError::Late.to_string() })
        };
        let count = |count: &AtomicU64| count.load(Ordering::Acquire);
        AuditState {
            waiting: count(&shared.waiting),
            failures: count(&shared.failures),
            rotations: count(&shared.rotations),
            unrecorded: count(&shared.unrecorded),
            failing: failing.or_else(stuck),
        }
    }

    /// Waits until everything that was handed over is written, and on the disk if the options ask for this, but not longer
    /// than `within`. Returns how many records are not written.
    pub async fn close(&self, within: Duration) -> u64 {
        let (done, is_done) = oneshot::channel();
        self.send(Job::Settle(done));
        match timeout(within, is_done).await {
            Ok(Ok(())) => 0,
            Ok(Err(_)) | Err(_) => self.state.waiting.load(Ordering::Acquire),
        }
    }
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        self.send(Job::End);
        let (ended, changed) = &self.state.ended;
        let ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_timeout_while(ended, DROP_WAIT, |ended| !*ended));
    }
}

impl Shared {
    fn new() -> Self {
        Self {
            failing: AtomicBool::new(false),
            busy_since: AtomicU64::new(0),
            began: Instant::now(),
            waiting: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            rotations: AtomicU64::new(0),
            unrecorded: AtomicU64::new(0),
            why: Mutex::new(None),
            unidentified: Mutex::new(Unidentified::new(Instant::now())),
            ended: (Mutex::new(false), Condvar::new()),
        }
    }

    /// The windows of requests whose sender was not identified. They are valid between two statements, so a poisoned lock
    /// is safe to use.
    pub(super) fn unidentified(&self) -> MutexGuard<'_, Unidentified> {
        self.unidentified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more record waits.
    pub(super) fn added(&self) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
    }

    /// The writer begins to write, or to wait.
    pub(super) fn set_busy(&self, is_busy: bool) {
        let since = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        self.busy_since.store(if is_busy { since } else { 0 }, Ordering::Release);
    }

    pub(super) fn set_failing(&self, why: Option<String>) {
        let is_failing = why.is_some();
        self.failures.fetch_add(u64::from(is_failing), Ordering::AcqRel);
        let mut failing = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        *failing = why.map(|why| {
            let since = failing.as_ref().map_or_else(Timestamp::now, |before| before.since);
            Failing { since, why }
        });
        self.failing.store(is_failing, Ordering::Release);
    }

    pub(super) fn set_rotations(&self, rotations: u64) {
        self.rotations.store(rotations, Ordering::Release);
    }

    pub(super) fn unrecorded(&self) -> u64 {
        self.unrecorded.load(Ordering::Acquire)
    }

    /// So many records wait no more: they are written, or no longer wanted.
    pub(super) fn taken(&self, records: u64) {
        self.waiting.fetch_sub(records, Ordering::AcqRel);
    }

    pub(super) fn end(&self) {
        let (ended, changed) = &self.ended;
        *ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }
}

impl Options {
    fn settings(self) -> Settings {
        let Self { sync, rotate, key, clock, .. } = self;
        Settings { key, sync, rotate, clock }
    }
}

/// The content of one line.
pub(super) fn content(of: &impl Serialize) -> Result<Vec<u8>, Arc<WriteError>> {
    let content = encode(of).map_err(|error| Arc::new(WriteError::Encode(error)))?;
    if content.len() > MAX_CONTENT { Err(Arc::new(WriteError::TooLong)) } else { Ok(content) }
}

/// Standard output without this program's own lock and buffer: a writer that waits for a reader must not hold them.
fn own_stdout() -> Box<dyn Write + Send> {
    use std::os::fd::AsFd as _;
    match io::stdout().as_fd().try_clone_to_owned() {
        Ok(stdout) => Box::new(std::fs::File::from(stdout)),
        Err(_) => Box::new(io::stdout()),
    }
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").finish_non_exhaustive()
    }
}
