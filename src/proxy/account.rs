//! The audit record and the metrics of one request: opened with it, closed exactly once, however it ends.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;

use super::consumer::Consumer;
use super::pipeline::{Broken, Pipeline};
use super::problem::Problem;
use super::quota::Quota;
use super::spans::Spans;
use crate::audit::{AuditLog, Decision, Guard, Outcome};
use crate::metrics::{Counted, Limited, Metrics};
use crate::trace::{Exporter, TraceContext, TraceId};
use crate::upstream::RequestId;
use glassine_core::sanitize::Unlisted;

/// The open record of one request. Dropped before `close`, it records that the client is gone.
pub(super) struct Account {
    id: RequestId,
    guard: Guard,
    decision: Decision,
    endpoint: Option<Arc<str>>,
    /// The consumer that was identified.
    consumer: Option<Arc<Consumer>>,
    /// The id of the key that the tokens of the response are made with.
    key: Option<char>,
    metrics: Arc<Metrics>,
    spans: Spans,
    _in_flight: Counted,
}

/// Opens an account for each request.
#[derive(Clone)]
pub(super) struct Accounting {
    pub(super) audit: Arc<AuditLog>,
    pub(super) metrics: Arc<Metrics>,
    /// Where spans go; `None` if nobody collects them.
    pub(super) traces: Option<Arc<Exporter>>,
}

impl Accounting {
    pub(super) fn open(&self, method: &str) -> Account {
        let (id, began) = (new_request_id(), Instant::now());
        let (observer, spans) = (Arc::clone(&self.metrics), Spans::begin(id.0, self.traces.as_ref()));
        let send = spans.sender();
        let guard =
            Guard::begin(Arc::clone(&self.audit), id.to_string(), method).observed_by(move |record| {
                observer.end_request(record, began.elapsed());
                send(record);
            });
        let in_flight = self.metrics.begin_request();
        let metrics = Arc::clone(&self.metrics);
        Account {
            id,
            guard,
            decision: Decision::Refused,
            endpoint: None,
            consumer: None,
            key: None,
            metrics,
            spans,
            _in_flight: in_flight,
        }
    }
}

impl Account {
    /// This request's id: in its response, in logs, in the audit, and in Graph's `client-request-id` header.
    pub(super) fn request_id(&self) -> RequestId {
        self.id
    }

    /// The request is part of this trace. Until somebody is identified, it is part of a trace of its own: strangers do not
    /// choose what is in the log.
    pub(super) fn follow(&mut self, trace: Option<TraceContext>) {
        trace.into_iter().for_each(|trace| self.spans.follow(trace));
    }

    /// The id of the trace that the request is part of.
    pub(super) fn trace_id(&self) -> TraceId {
        self.spans.context().trace
    }

    pub(super) fn spans(&self) -> &Spans {
        &self.spans
    }

    /// Sets where the request comes from. If it is refused before its sender is identified, it is summed by this.
    pub(super) fn set_address(&mut self, address: IpAddr) {
        self.guard.set_address(address);
    }

    /// The sender is the consumer: from now on the request has a record of its own, however it ends.
    pub(super) fn set_identified(&mut self) {
        self.guard.set_identified();
    }

    /// Waits for the record's room in the audit log.
    ///
    /// # Errors
    ///
    /// [`Problem::AuditFailing`]: the request must not be served.
    pub(super) async fn reserve(&mut self) -> Result<(), Problem> {
        Ok(self.guard.reserve().await?)
    }

    pub(super) fn set_consumer(&mut self, consumer: &Arc<Consumer>) {
        self.guard.set_consumer(consumer.name(), Arc::clone(consumer.short_fingerprint()));
        self.set_key(consumer.pseudonyms().key());
        self.consumer = Some(Arc::clone(consumer));
    }

    /// Whether it is known who sent the request.
    pub(super) fn is_identified(&self) -> bool {
        self.consumer.is_some()
    }

    /// The response is made with the key of this id.
    pub(super) fn set_key(&mut self, id: char) {
        self.key = Some(id);
        self.guard.set_key(id);
    }

    /// The id of the key that the tokens of the response are made with; `None` if nobody was identified.
    pub(super) fn key(&self) -> Option<char> {
        self.key
    }

    /// The short fingerprint of the consumer's rules; `None` if nobody was identified.
    pub(super) fn rules(&self) -> Option<&str> {
        self.consumer.as_ref().map(|consumer| consumer.short_fingerprint().as_ref())
    }

    /// How many requests the consumer may still send; `None` if nobody was identified.
    pub(super) fn quota(&self) -> Option<Quota> {
        self.consumer.as_ref().map(|consumer| consumer.limits().quota())
    }

    /// The request had its turn after this time.
    pub(super) fn set_waited(&self, time: Duration) {
        if !time.is_zero() {
            self.limited(Limited::Waited);
        }
    }

    /// Counts what the consumer's limits did to the request.
    pub(super) fn limited(&self, how: Limited) {
        if let Some(consumer) = &self.consumer {
            self.metrics.limited(consumer.name(), how);
        }
    }

    /// Graph is asked once more.
    pub(super) fn add_retry(&mut self) {
        self.guard.counters_mut().retried += 1;
    }

    /// The request waited for its turn at Graph.
    pub(super) fn add_waited(&mut self, time: Duration) {
        self.guard.counters_mut().waited_milliseconds += u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    }

    pub(super) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The rules admit the request to the endpoint of this name.
    pub(super) fn set_allowed(&mut self, endpoint: &str) {
        let endpoint: Arc<str> = endpoint.into();
        self.endpoint = Some(Arc::clone(&endpoint));
        self.guard.set_endpoint(endpoint);
        self.decision = Decision::Allowed;
        self.set_reason("allowed");
    }

    /// How the request ended, as a code for the audit.
    pub(super) fn set_reason(&mut self, reason: &'static str) {
        self.guard.set_decision(self.decision, reason);
    }

    pub(super) fn set_upstream_status(&mut self, status: StatusCode) {
        self.guard.set_upstream_status(status);
    }

    pub(super) fn set_status(&mut self, status: StatusCode) {
        self.guard.set_status(status);
    }

    /// Adds how many bytes of Graph's body were read, and how many values were kept, transformed and dropped.
    pub(super) fn add_counters(&mut self, pipeline: &Pipeline) {
        let values = pipeline.counters();
        let counters = self.guard.counters_mut();
        counters.bytes_read = pipeline.bytes_read();
        counters.kept = values.kept;
        counters.transformed = values.transformed;
        let Unlisted { objects, arrays, strings, scalars } = values.unlisted;
        counters.unlisted = [objects, arrays, strings, scalars];
        for (reason, count) in [("not_understood", values.not_understood), ("too_long", values.too_long)] {
            if count > 0 {
                counters.drop_values(reason, count);
            }
        }
    }

    /// Sets how many bytes of the response's body leave.
    pub(super) fn set_bytes_sent(&mut self, bytes: usize) {
        self.guard.counters_mut().bytes_sent = u64::try_from(bytes).unwrap_or(u64::MAX);
    }

    /// The response broke off after its head had gone out.
    pub(super) fn set_broken(&mut self, broken: &Broken) {
        self.set_reason(match broken {
            Broken::Audit => "audit_failing",
            _ => "response_broken",
        });
        let (request_id, trace_id, endpoint) = (self.id, self.trace_id(), self.endpoint());
        tracing::warn!(%request_id, %trace_id, endpoint, error = %broken, "a response was cut off after its head had gone out");
    }

    /// The admitted endpoint's name, for logs.
    pub(super) fn endpoint(&self) -> &str {
        self.endpoint.as_deref().unwrap_or("none")
    }

    /// The admitted endpoint's name, for metrics.
    pub(super) fn endpoint_name(&self) -> Arc<str> {
        self.endpoint.clone().unwrap_or_else(|| self.endpoint().into())
    }

    /// The name of the consumer whose credential the request has, for logs.
    pub(super) fn consumer(&self) -> &str {
        self.consumer.as_ref().map_or("none", |consumer| consumer.checked().name())
    }

    /// Writes the opening record of a response that leaves in pieces, and waits until the audit log has it.
    ///
    /// # Errors
    ///
    /// [`Problem::AuditFailing`]: nothing of the response must leave.
    pub(super) async fn announce(&self) -> Result<(), Problem> {
        Ok(self.guard.announce().await?)
    }

    /// Writes the record. If the response holds something of Graph's, waits until the audit log has it.
    ///
    /// # Errors
    ///
    /// The account, to be closed with what happens instead: the response must not become whole.
    pub(super) async fn settle(self, outcome: Outcome) -> Result<(), Self> {
        if outcome != Outcome::Complete {
            self.close(outcome);
            return Ok(());
        }
        let Err(guard) = self.guard.confirm(outcome).await else { return Ok(()) };
        Err(Self { guard, ..self })
    }

    /// Writes the record, and waits for nothing.
    pub(super) fn close(self, outcome: Outcome) {
        self.guard.finish(outcome);
    }
}

/// A random id in the form of a version 4 UUID (RFC 9562, 5.4).
pub(crate) fn new_request_id() -> RequestId {
    let mut bytes = [0; 16];
    // Ids only correlate log lines. Without randomness they are all zero, and requests are still served.
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(%error, "the system gives no random numbers");
    }
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    RequestId(bytes)
}
