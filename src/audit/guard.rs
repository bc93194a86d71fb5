//! Exactly one audit record per request, however it ends.
//!
//! The proxy makes a [`Guard`] when a request's head is in, and moves it into the answer's body. [`Guard::finish`]
//! consumes it; dropping it unfinished (the consumer left, a task was cancelled, a panic unwound) writes
//! [`Outcome::ClientGone`].

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::log::AuditLog;
use super::record::{Counters, Decision, Outcome, Record, method_name};

/// The reason of a request that ended before a decision was noted.
pub const UNDECIDED: &str = "undecided";

/// Writes one record when finished or dropped.
pub struct Guard {
    log: Arc<AuditLog>,
    started: Instant,
    /// `None` once written.
    record: Option<Record>,
    /// For calls after the record was written, which only a bug could make.
    spare: Counters,
}

impl Guard {
    /// Begins the record of a request that has just come in. `request_id` is this proxy's own.
    pub fn begin(log: Arc<AuditLog>, request_id: String, method: &http::Method) -> Self {
        let record = Record {
            time: format!("{:.3}", Timestamp::now()),
            request_id,
            consumer: None,
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
        Self { log, started: Instant::now(), record: Some(record), spare: Counters::default() }
    }

    /// Notes who asks.
    pub fn consumer(&mut self, name: Arc<str>) {
        self.note(|record| record.consumer = Some(name));
    }

    /// Notes which endpoint of the rules the request is for.
    pub fn endpoint(&mut self, name: Arc<str>) {
        self.note(|record| record.endpoint = Some(name));
    }

    /// Notes the decision and why, as a stable code.
    pub fn decision(&mut self, decision: Decision, reason: &'static str) {
        self.note(|record| {
            record.decision = decision;
            record.reason = reason;
        });
    }

    /// Notes the status that is sent to the consumer.
    pub fn status(&mut self, status: http::StatusCode) {
        self.note(|record| record.status = Some(status.as_u16()));
    }

    /// Notes the status that Graph answered with.
    pub fn upstream_status(&mut self, status: http::StatusCode) {
        self.note(|record| record.upstream_status = Some(status.as_u16()));
    }

    /// The counters, to be added to.
    pub fn counters(&mut self) -> &mut Counters {
        match &mut self.record {
            Some(record) => &mut record.counters,
            None => &mut self.spare,
        }
    }

    /// Ends the record.
    pub fn finish(mut self, outcome: Outcome) {
        self.write(outcome);
    }

    fn note(&mut self, change: impl FnOnce(&mut Record)) {
        if let Some(record) = &mut self.record {
            change(record);
        }
    }

    fn write(&mut self, outcome: Outcome) {
        let Some(mut record) = self.record.take() else {
            return;
        };
        record.outcome = outcome;
        record.milliseconds = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if let Err(error) = self.log.write(&record) {
            tracing::error!(error = &error as &dyn std::error::Error, "an audit record was lost");
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.write(Outcome::ClientGone);
    }
}
