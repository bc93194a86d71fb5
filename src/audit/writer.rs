//! The thread that writes the log: it takes all that waits, writes it with one call, and acknowledges it.
//!
//! A record with a [`Ticket`] belongs to a response that waits. If the record cannot be written, the writer gives it back,
//! and the response becomes a refusal with another record. A record without a ticket says what has already happened: the
//! writer keeps it until it is written.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::event::Event;
use super::log::{Bounds, Shared, Slot, WriteError, content};
use super::mac::MacKey;
use super::output::{Output, SYNC_EVERY};
use super::queue::Reader;
use super::unidentified::{Counts, Unidentified};
use glassine_core::diagnostic::Causes;

/// The most bytes of a group. It takes a disk milliseconds, and bounds the memory of the writer.
const GROUP_BYTES: usize = 256 * 1024;

/// How often an idle writer looks at its file, and how often it says how many requests had no record.
const IDLE: Duration = Duration::from_secs(1);

/// What the writer does next.
pub(super) enum Job {
    /// Write this.
    Write(Entry),
    /// Look whether the file was moved.
    Reopen,
    /// Seal with this key from now on.
    Key(Option<Box<MacKey>>),
    /// Say when everything before this is written.
    Settle(oneshot::Sender<()>),
    /// Sum up all requests whose sender was not identified.
    SumUp,
    /// The log is closed.
    End,
}

/// Lines that belong together. Given to the writer, and dropped when they are written.
pub(super) struct Entry {
    /// JSON objects without their links.
    contents: Vec<Vec<u8>>,
    ticket: Option<(Arc<Ticket>, oneshot::Sender<Written>)>,
    /// Given back when the entry is dropped.
    _slot: Option<Slot>,
}

/// The acknowledgement of an entry.
pub(super) type Written = Result<(), Arc<WriteError>>;

/// Says whose an entry is: that of the response that waits for it, or the writer's.
pub(super) struct Ticket(AtomicU8);

/// The entry waits in the queue.
const WAITING: u8 = 0;
/// The writer writes the entry.
const TAKEN: u8 = 1;
/// The response no longer wants the entry, which was not written.
const WITHDRAWN: u8 = 2;
/// The response no longer waits. The writer keeps the entry.
const LEFT: u8 = 3;
/// The entry is written.
const WRITTEN: u8 = 4;
/// The entry was not written, and the writer has dropped it.
const RETURNED: u8 = 5;

/// What became of an entry for which nobody waits any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is not in the log, and will not be.
    NotWritten,
    /// It is in the log.
    Written,
    /// The writer is writing it: it will be in the log.
    WillBeWritten,
}

impl Ticket {
    pub(super) fn new() -> ((Arc<Self>, oneshot::Sender<Written>), oneshot::Receiver<Written>) {
        let (sender, receiver) = oneshot::channel();
        ((Arc::new(Self(AtomicU8::new(WAITING))), sender), receiver)
    }

    /// Waits no more for the entry.
    pub(super) fn leave(&self) -> Fate {
        if self.change(WAITING, WITHDRAWN) {
            Fate::NotWritten
        } else if self.change(TAKEN, LEFT) {
            Fate::WillBeWritten
        } else {
            match self.0.load(Ordering::Acquire) {
                WITHDRAWN | RETURNED => Fate::NotWritten,
                LEFT => Fate::WillBeWritten,
                _ => Fate::Written,
            }
        }
    }

    fn change(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl Entry {
    pub(super) fn new(content: Vec<u8>, slot: Option<Slot>) -> Self {
        Self { contents: vec![content], ticket: None, _slot: slot }
    }

    pub(super) fn of_event(event: Event<'_>) -> Result<Self, Arc<WriteError>> {
        let contents = event.lines().iter().map(content).collect::<Result<_, _>>()?;
        Ok(Self { contents, ticket: None, _slot: None })
    }

    pub(super) fn with_ticket(self, ticket: (Arc<Ticket>, oneshot::Sender<Written>)) -> Self {
        Self { ticket: Some(ticket), ..self }
    }

    fn len(&self) -> usize {
        self.contents.iter().map(Vec::len).sum()
    }

    /// Whether the entry is to be written. From now on it cannot be withdrawn.
    fn take(&self) -> bool {
        self.ticket.as_ref().is_none_or(|(ticket, _)| ticket.change(WAITING, TAKEN) || ticket.is(LEFT))
    }

    fn acknowledge(self) {
        if let Some((ticket, sender)) = self.ticket {
            ticket.0.store(WRITTEN, Ordering::Release);
            // The receiver may have left.
            drop(sender.send(Ok(())));
        }
    }

    /// Gives the entry back to the response that waits for it. `None` if one does; the writer keeps all others.
    fn give_back(self, error: &Arc<WriteError>) -> Option<Self> {
        let returned = self
            .ticket
            .as_ref()
            .is_some_and(|(ticket, _)| ticket.change(TAKEN, RETURNED) || ticket.change(WAITING, RETURNED));
        match self.ticket {
            Some((_, sender)) if returned => {
                drop(sender.send(Err(Arc::clone(error))));
                None
            }
            ticket => Some(Self { ticket, ..self }),
        }
    }
}

impl Ticket {
    fn is(&self, state: u8) -> bool {
        self.0.load(Ordering::Acquire) == state
    }
}

/// The thread's state.
pub(super) struct Writer {
    jobs: Reader<Job>,
    queue: VecDeque<Entry>,
    output: Output,
    shared: Arc<Shared>,
    bounds: Bounds,
    failure: Option<Failure>,
    /// Whether to look at once if the file was moved.
    reopen: bool,
    /// Those who wait until everything before is written.
    settling: Vec<oneshot::Sender<()>>,
    /// How many requests without a record an event has told, and when.
    told: (u64, Instant),
    /// Whether the log ends: then all is told.
    is_closing: bool,
    /// When a window of unidentified requests ends; `None` if none was open at the last look.
    next_sum: Option<Instant>,
}

/// The log cannot be written.
struct Failure {
    error: Arc<WriteError>,
    /// When the next try is.
    again: Instant,
    /// The time between the last two tries.
    pause: Duration,
}

impl Writer {
    pub(super) fn new(jobs: Reader<Job>, output: Output, shared: Arc<Shared>, bounds: Bounds) -> Self {
        let told = (0, Instant::now());
        Self {
            jobs,
            queue: VecDeque::new(),
            output,
            shared,
            bounds,
            failure: None,
            reopen: false,
            settling: Vec::new(),
            told,
            is_closing: false,
            next_sum: None,
        }
    }

    /// Writes until the log is closed.
    pub(super) fn run(mut self) {
        // A disk that does not respond must not look like an idle one.
        while self.collect() {
            self.shared.set_busy(true);
            self.turn();
            self.shared.set_busy(false);
        }
        self.last_turn();
        let Self { shared, output, .. } = self;
        // The file's lock is free before anybody hears of the end.
        drop(output);
        shared.end();
    }

    /// Waits for jobs, and takes all that are there. False if the log is closed.
    fn collect(&mut self) -> bool {
        let mut next = self.jobs.next(self.patience());
        let mut taken = 0;
        loop {
            match next {
                Some(Job::Write(entry)) => {
                    taken += entry.len();
                    self.queue.push_back(entry);
                }
                Some(Job::Reopen) => self.reopen = true,
                Some(Job::Key(key)) => self.output.set_key(key.map(|key| *key)),
                Some(Job::SumUp) => self.sum_up(Unidentified::rest),
                Some(Job::Settle(done)) => {
                    self.is_closing = true;
                    self.settling.push(done);
                }
                Some(Job::End) => return false,
                None => return true,
            }
            if taken >= GROUP_BYTES {
                return true;
            }
            next = self.jobs.next(Duration::ZERO);
        }
    }

    /// How long to wait for a job.
    fn patience(&self) -> Duration {
        let until = |moment: Instant| moment.saturating_duration_since(Instant::now());
        match &self.failure {
            Some(failure) => until(failure.again),
            None if !self.queue.is_empty() => Duration::ZERO,
            None => {
                let usual = if self.output.is_unsynced() { SYNC_EVERY } else { IDLE };
                self.next_sum.map_or(usual, |end| usual.min(until(end)))
            }
        }
    }

    /// Adds the lines of windows that have ended to the queue. A log that fails gets none: they are counted on.
    fn sum_up_ended(&mut self) {
        let is_due = self.next_sum.is_none_or(|end| end <= Instant::now());
        if is_due && self.failure.is_none() {
            self.sum_up(Unidentified::ended);
        }
    }

    fn sum_up(&mut self, lines: impl FnOnce(&mut Unidentified, Instant) -> Vec<Counts>) {
        let mut unidentified = self.shared.unidentified();
        let counts = lines(&mut unidentified, Instant::now());
        self.next_sum = unidentified.next_end();
        drop(unidentified);
        for counts in &counts {
            match Entry::of_event(Event::Unidentified(counts)) {
                Ok(entry) => {
                    self.shared.added();
                    self.queue.push_back(entry);
                }
                Err(error) => tracing::error!(error = %Causes(&*error), "an audit record was lost"),
            }
        }
    }

    /// Writes one group, unless the log fails and it is too early for another try.
    fn turn(&mut self) {
        if std::mem::take(&mut self.reopen) {
            self.watch(Output::reopen);
        }
        if let Some(failure) = &self.failure {
            if Instant::now() < failure.again {
                self.give_back();
                return self.settle();
            }
            // Lines that are not on the disk come first.
            self.watch(Output::sync);
            if self.failure.as_ref().is_some_and(|failure| Instant::now() < failure.again) {
                return self.give_back();
            }
            return self.write();
        }
        self.sum_up_ended();
        if !self.queue.is_empty() || self.owes_news() {
            self.write();
        } else {
            self.watch(Output::look_after);
        }
        self.watch(Output::sync_if_due);
        self.settle();
    }

    /// Does what needs no record.
    fn watch(&mut self, care: impl FnOnce(&mut Output) -> Result<(), WriteError>) {
        if let Err(error) = care(&mut self.output) {
            self.fail(Arc::new(error));
        }
        self.shared.set_rotations(self.output.rotations);
    }

    /// Whether requests had no record of which no event tells.
    fn owes_news(&self) -> bool {
        let (told, when) = self.told;
        self.shared.unrecorded() != told && (self.is_closing || when.elapsed() >= IDLE)
    }

    fn write(&mut self) {
        let news = self.news();
        let group = self.next_group();
        let news_lines = news.iter().flat_map(|(entry, _)| &entry.contents);
        let lines = news_lines.chain(group.iter().flat_map(|entry| &entry.contents));
        let lines: Vec<&[u8]> = lines.map(Vec::as_slice).collect();
        if lines.is_empty() {
            return self.settle();
        }
        let result = self.output.append(&lines);
        self.shared.set_rotations(self.output.rotations);
        match result {
            Ok(()) => {
                self.recover();
                if let Some((_, unrecorded)) = news {
                    self.told = (unrecorded, Instant::now());
                }
                self.acknowledge(group);
            }
            Err(failed) => {
                let news_lines = news.map_or(0, |(entry, _)| entry.contents.len());
                let error = Arc::new(failed.error);
                // Before anybody hears of it: whoever is refused finds that the log fails.
                self.fail(Arc::clone(&error));
                self.keep(group, failed.written.saturating_sub(news_lines), &error);
                self.give_back();
            }
        }
        self.settle();
    }

    /// The event that tells how many requests had no record, with the count of all until now.
    fn news(&self) -> Option<(Entry, u64)> {
        if self.failure.is_none() && !self.owes_news() {
            return None;
        }
        let unrecorded = self.shared.unrecorded();
        let entry = Entry::of_event(Event::Resumed { refused: unrecorded - self.told.0 }).ok()?;
        Some((entry, unrecorded))
    }

    /// The next entries that are still wanted.
    fn next_group(&mut self) -> Vec<Entry> {
        let (mut group, mut bytes) = (Vec::new(), 0);
        while bytes < GROUP_BYTES
            && let Some(entry) = self.queue.pop_front()
        {
            if entry.take() {
                bytes += entry.len();
                group.push(entry);
            } else {
                self.shared.taken(1);
            }
        }
        group
    }

    fn acknowledge(&self, group: Vec<Entry>) {
        self.shared.taken(u64::try_from(group.len()).unwrap_or(u64::MAX));
        group.into_iter().for_each(Entry::acknowledge);
    }

    /// Acknowledges the entries whose lines are in the log all the same, and puts the others back.
    fn keep(&mut self, group: Vec<Entry>, written: usize, error: &Arc<WriteError>) {
        let mut lines = 0;
        let (whole, rest): (Vec<_>, Vec<_>) = group.into_iter().partition(|entry| {
            lines += entry.contents.len();
            lines <= written
        });
        self.acknowledge(whole);
        for entry in rest.into_iter().rev() {
            match entry.give_back(error) {
                Some(entry) => self.queue.push_front(entry),
                None => self.shared.taken(1),
            }
        }
    }

    /// Gives back all entries that a response waits for.
    fn give_back(&mut self) {
        let Some(failure) = &self.failure else { return };
        let error = Arc::clone(&failure.error);
        let before = self.queue.len();
        let waiting = std::mem::take(&mut self.queue);
        self.queue = waiting.into_iter().filter_map(|entry| entry.give_back(&error)).collect();
        self.shared.taken(u64::try_from(before - self.queue.len()).unwrap_or(u64::MAX));
    }

    fn fail(&mut self, error: Arc<WriteError>) {
        let text = Causes(&*error).to_string();
        if self.failure.is_none() {
            tracing::error!(error = %text, "the audit log fails; requests are refused until it can be written");
        }
        let last = self.failure.as_ref().map_or(Duration::ZERO, |failure| failure.pause);
        let pause = self.bounds.retry_after(last);
        self.failure = Some(Failure { error, again: Instant::now() + pause, pause });
        self.shared.set_failing(Some(text));
    }

    fn recover(&mut self) {
        if self.failure.take().is_some() {
            self.shared.set_failing(None);
            tracing::info!("the audit log can be written again");
        }
    }

    /// Tells those who wait that everything is written, or that it cannot be.
    fn settle(&mut self) {
        if self.settling.is_empty() || !self.queue.is_empty() || self.owes_news() {
            return;
        }
        self.sync_end();
        self.settling.drain(..).for_each(|done| done.send(()).unwrap_or_default());
    }

    fn sync_end(&mut self) {
        if let Err(error) = self.output.sync() {
            tracing::error!(error = %Causes(&error), "the end of the audit log may not be on the disk");
        }
    }

    /// Writes what is left, with one last try if the log fails.
    fn last_turn(&mut self) {
        self.is_closing = true;
        self.sum_up(Unidentified::rest);
        while !self.queue.is_empty() || self.owes_news() {
            self.write();
            if self.failure.is_some() {
                break;
            }
        }
        self.sync_end();
        let records = self.queue.len();
        if records > 0 {
            tracing::error!(records, "audit records were lost: the log could not be written until the end");
        }
    }
}
