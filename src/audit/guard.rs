//! Exactly one audit record per request, however it ends.
//!
//! The proxy makes a [`Guard`] when it has read a request's head, and moves it into the response's body. A request that is
//! served first reserves its room in the log ([`Guard::reserve`]).
//!
//! [`Guard::confirm`] writes the record and waits until the log has it: only then the response leaves. A response that leaves
//! in pieces is announced first ([`Guard::announce`]), and confirmed before its last piece. [`Guard::finish`] hands the record
//! over and waits for nothing: for responses that hold no data. Dropping the guard (the consumer left, a task was cancelled,
//! a panic unwound) hands over a record with [`Outcome::ClientGone`].

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::log::{AuditLog, Slot, Unavailable, WriteError, content};
use super::record::{Counters, Decision, Outcome, Record, method_name, now};
use super::unidentified::{Shown, Source};
use super::writer::{Entry, Fate, Ticket};
use glassine_core::diagnostic::Causes;

/// The reason of a request that ended before a decision was set.
pub(crate) const UNDECIDED: &str = "undecided";

/// Writes one record when finished or dropped.
pub struct Guard {
    log: Arc<AuditLog>,
    started: Instant,
    record: Record,
    /// Where the request comes from, until its sender is identified.
    address: Option<IpAddr>,
    /// The record's room in the log.
    slot: Option<Slot>,
    stage: Stage,
    /// Called with the record when it is written.
    observer: Option<Observer>,
}

/// What has become of the record.
enum Stage {
    /// It is not handed over yet.
    Open,
    /// It is handed over, and the response waits.
    Posted(Arc<Ticket>),
    /// It will be in the log, but too late for its response. A correction has to follow.
    Late,
    /// It is handed over for good.
    Ended,
}

/// Whatever else counts requests, such as metrics.
type Observer = Box<dyn FnOnce(&Record) + Send + Sync>;

impl Guard {
    /// Begins the record of a request that has just come in. `request_id` is this proxy's own.
    pub fn begin(log: Arc<AuditLog>, request_id: String, method: &str) -> Self {
        let record = Record {
            time: now(),
            request_id,
            consumer: None,
            rules: None,
            key: None,
            method: method_name(method),
            endpoint: None,
            decision: Decision::Refused,
            reason: UNDECIDED,
            status: None,
            upstream_status: None,
            outcome: Outcome::ClientGone,
            counters: Counters::default(),
            milliseconds: 0,
        };
        Self {
            log,
            started: Instant::now(),
            record,
            address: None,
            slot: None,
            stage: Stage::Open,
            observer: None,
        }
    }

    /// Calls `observer` with the finished record, exactly once.
    #[must_use]
    pub(crate) fn observed_by(mut self, observer: impl FnOnce(&Record) + Send + Sync + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Waits for the record's room in the log, for a limited time.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: the request must not be served.
    pub async fn reserve(&mut self) -> Result<(), Unavailable> {
        if self.slot.is_none() {
            self.slot = Some(self.log.reserve().await?);
        }
        Ok(())
    }

    /// Sets where the request comes from. A request that is refused before its sender is identified is summed by this
    /// ([`super::unidentified`]).
    pub fn set_address(&mut self, address: IpAddr) {
        self.address = Some(address);
    }

    /// The sender is the consumer that was set: from now on the request has a record of its own, however it ends.
    pub fn set_identified(&mut self) {
        self.address = None;
    }

    /// Sets who sent the request, and the short fingerprint of the rules that apply to it.
    pub fn set_consumer(&mut self, name: Arc<str>, rules: Arc<str>) {
        self.record.consumer = Some(name);
        self.record.rules = Some(rules);
    }

    /// Sets the id of the key that the tokens of the response are made with.
    pub fn set_key(&mut self, id: char) {
        self.record.key = Some(id);
    }

    /// Sets which endpoint of the rules the request is for.
    pub fn set_endpoint(&mut self, name: Arc<str>) {
        self.record.endpoint = Some(name);
    }

    /// Sets the decision and why, as a stable code.
    pub fn set_decision(&mut self, decision: Decision, reason: &'static str) {
        self.record.decision = decision;
        self.record.reason = reason;
    }

    /// Sets the status that is sent to the consumer.
    pub fn set_status(&mut self, status: http::StatusCode) {
        self.record.status = Some(status.as_u16());
    }

    /// Sets the status of Graph's response.
    pub fn set_upstream_status(&mut self, status: http::StatusCode) {
        self.record.upstream_status = Some(status.as_u16());
    }

    /// The counters, to be added to.
    pub fn counters_mut(&mut self) -> &mut Counters {
        &mut self.record.counters
    }

    /// Writes the opening record of a response that leaves in pieces, and waits until the log has it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: nothing of the response must leave.
    pub async fn announce(&self) -> Result<(), Unavailable> {
        let opening = content(&self.record.opening()).map_err(|error| unavailable(&error))?;
        let receipt = self.log.post_with_receipt(Entry::new(opening, None));
        // One that comes too late announces what does not follow: the record says so.
        receipt.wait(self.log.wait()).await.map_err(|(_, error)| unavailable(&error))
    }

    /// Ends the record, and waits until the log has it.
    ///
    /// # Errors
    ///
    /// The guard, to be finished with what happens instead: the response must not become whole.
    pub async fn confirm(mut self, outcome: Outcome) -> Result<(), Self> {
        self.end(outcome);
        let line = match content(&self.record) {
            Ok(line) => line,
            Err(error) => {
                unavailable(&error);
                return Err(self);
            }
        };
        // The slot stays here: if this record cannot be written, another one is.
        let receipt = self.log.post_with_receipt(Entry::new(line, None));
        self.stage = Stage::Posted(receipt.ticket());
        match receipt.wait(self.log.wait()).await {
            Ok(()) => {
                self.stage = Stage::Ended;
                self.observe();
                Ok(())
            }
            Err((fate, error)) => {
                unavailable(&error);
                self.stage = if fate == Fate::NotWritten { Stage::Open } else { Stage::Late };
                Err(self)
            }
        }
    }

    /// Ends the record, and waits for nothing.
    pub fn finish(mut self, outcome: Outcome) {
        self.write(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        self.record.outcome = outcome;
        self.record.milliseconds = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
    }

    fn write(&mut self, outcome: Outcome) {
        let line = match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Ended => return,
            // The response was dropped while it waited.
            Stage::Posted(ticket) if ticket.leave() != Fate::NotWritten => return self.observe(),
            Stage::Open | Stage::Posted(_) => {
                self.end(outcome);
                content(&self.record)
            }
            Stage::Late => {
                self.end(outcome);
                content(&self.record.correction())
            }
        };
        match line {
            Ok(line) => self.hand_over(line),
            Err(error) => tracing::error!(error = %Causes(&*error), "an audit record was lost"),
        }
        self.observe();
    }

    fn hand_over(&mut self, line: Vec<u8>) {
        let slot = self.slot.take();
        if let Some(source) = self.stranger() {
            return self.log.note(source, self.record.reason, line, slot);
        }
        match slot.or_else(|| self.log.spare_slot()) {
            Some(slot) => self.log.post(Entry::new(line, Some(slot))),
            None => self.log.count_unrecorded(),
        }
    }

    /// Where the request comes from, if it was refused before its sender was identified.
    fn stranger(&self) -> Option<Source> {
        let address = self.address.filter(|_| self.record.decision == Decision::Refused)?;
        let (consumer, rules) = (self.record.consumer.clone(), self.record.rules.clone());
        Some(Source::new(address, consumer.zip(rules).map(|(consumer, rules)| Shown { consumer, rules })))
    }

    fn observe(&mut self) {
        if let Some(observer) = self.observer.take() {
            observer(&self.record);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.write(Outcome::ClientGone);
    }
}

/// The cause is in the log once, from the writer. Here it helps to follow one request.
fn unavailable(error: &WriteError) -> Unavailable {
    tracing::debug!(error = %Causes(error), "a response waits for the audit log in vain");
    Unavailable
}
