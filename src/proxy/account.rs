//! The audit record and the metrics of one request: opened with it, closed exactly once, however it ends.

use std::sync::Arc;

use http::StatusCode;

use super::head::Head;
use crate::admit::Admitted;
use crate::audit::{AuditLog, Counters, Decision, Guard, Outcome};
use crate::sanitize;
use crate::server::Metrics;
use crate::server::metrics::InFlight;
use crate::upstream::RequestId;

/// The record being kept. Dropped unfinished, it says that the client is gone.
pub(super) struct Account {
    id: RequestId,
    guard: Option<Guard>,
    metrics: Arc<Metrics>,
    _in_flight: InFlight,
    decision: Decision,
    status: Option<StatusCode>,
    endpoint: Option<Arc<str>>,
}

impl Account {
    pub(super) fn open(audit: &Arc<AuditLog>, metrics: &Arc<Metrics>, head: &Head<'_>) -> Self {
        let id = new_request_id();
        Self {
            id,
            guard: Some(Guard::begin(Arc::clone(audit), id.to_string(), head.method())),
            metrics: Arc::clone(metrics),
            _in_flight: metrics.begin_request(),
            decision: Decision::Refused,
            status: None,
            endpoint: None,
        }
    }

    /// This request's id: in its answer, in logs, in the audit, and Graph's `client-request-id`.
    pub(super) fn request_id(&self) -> RequestId {
        self.id
    }

    pub(super) fn consumer(&mut self, name: Arc<str>) {
        self.note(|guard| guard.consumer(name));
    }

    pub(super) fn allowed(&mut self, admitted: &Admitted) {
        let endpoint: Arc<str> = admitted.endpoint.name.as_str().into();
        self.endpoint = Some(Arc::clone(&endpoint));
        self.decision = Decision::Allowed;
        self.note(|guard| {
            guard.endpoint(endpoint);
            guard.decision(Decision::Allowed, "allowed");
        });
    }

    pub(super) fn refused(&mut self, reason: &'static str) {
        self.decision = Decision::Refused;
        self.note(|guard| guard.decision(Decision::Refused, reason));
    }

    /// The request was allowed, and what came of it is `reason`.
    pub(super) fn reason(&mut self, reason: &'static str) {
        let decision = self.decision;
        self.note(|guard| guard.decision(decision, reason));
    }

    pub(super) fn upstream_status(&mut self, status: StatusCode) {
        self.note(|guard| guard.upstream_status(status));
    }

    pub(super) fn status(&mut self, status: StatusCode) {
        self.status = Some(status);
        self.note(|guard| guard.status(status));
    }

    pub(super) fn bytes_read(&mut self, bytes: u64) {
        self.note(|guard| guard.counters().bytes_read += bytes);
    }

    pub(super) fn bytes_sent(&mut self, bytes: usize) {
        self.note(|guard| guard.counters().bytes_sent += u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    pub(super) fn values(&mut self, values: sanitize::Counters) {
        self.note(|guard| {
            let counters = guard.counters();
            counters.kept = values.kept;
            counters.transformed = values.transformed;
            for (reason, count) in [("not_understood", values.not_understood), ("too_long", values.too_long)]
            {
                if count > 0 {
                    counters.drop_values(reason, count);
                }
            }
        });
    }

    /// Who the request was about, for logs.
    pub(super) fn endpoint(&self) -> &str {
        self.endpoint.as_deref().unwrap_or("none")
    }

    /// Writes the record.
    pub(super) fn close(mut self, outcome: Outcome) {
        self.settle(outcome);
    }

    fn note(&mut self, change: impl FnOnce(&mut Guard)) {
        if let Some(guard) = &mut self.guard {
            change(guard);
        }
    }

    fn settle(&mut self, outcome: Outcome) {
        let Some(mut guard) = self.guard.take() else { return };
        let counters: Counters = guard.counters().clone();
        guard.finish(outcome);
        self.metrics.end_request(self.decision, self.status, self.endpoint.as_deref(), &counters);
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.settle(Outcome::ClientGone);
    }
}

/// A random id in the form of a version 4 UUID (RFC 9562, 5.4).
fn new_request_id() -> RequestId {
    let mut bytes = [0; 16];
    // Ids only correlate lines: without randomness they are all zero, and requests are still served.
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(%error, "the system gives no random numbers");
    }
    if let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes {
        *version = (*version & 0x0f) | 0x40;
        *variant = (*variant & 0x3f) | 0x80;
    }
    RequestId(bytes)
}
