//! Exactly one audit record per request, however it ends.
//!
//! The proxy makes a [`Guard`] when it has read a request's head, and moves it into the response's body.
//! [`Guard::finish`] writes the record. Dropping the guard without it (the consumer left, a task was cancelled, a panic
//! unwound) writes the record with [`Outcome::ClientGone`].

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::log::AuditLog;
use super::record::{Counters, Decision, Outcome, Record, method_name};
use glassine_core::diagnostic::Causes;

/// The reason of a request that ended before a decision was set.
pub(crate) const UNDECIDED: &str = "undecided";

/// Writes one record when finished or dropped.
pub struct Guard {
    log: Arc<AuditLog>,
    started: Instant,
    record: Record,
    written: bool,
    /// Called with the record when it is written.
    observer: Option<Observer>,
}

/// Whatever else counts requests, such as metrics.
type Observer = Box<dyn FnOnce(&Record) + Send + Sync>;

impl Guard {
    /// Begins the record of a request that has just come in. `request_id` is this proxy's own.
    pub fn begin(log: Arc<AuditLog>, request_id: String, method: &str) -> Self {
        let record = Record {
            time: format!("{:.3}", Timestamp::now()),
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
        Self { log, started: Instant::now(), record, written: false, observer: None }
    }

    /// Calls `observer` with the finished record, exactly once.
    #[must_use]
    pub(crate) fn observed_by(mut self, observer: impl FnOnce(&Record) + Send + Sync + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
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

    /// Ends the record.
    pub fn finish(mut self, outcome: Outcome) {
        self.write(outcome);
    }

    fn write(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.written, true) {
            return;
        }
        self.record.outcome = outcome;
        self.record.milliseconds = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if let Err(error) = self.log.write(&self.record) {
            tracing::error!(error = %Causes(&error), "an audit record was lost");
        }
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
