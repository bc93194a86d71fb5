//! What is counted of consumers' requests.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::latency::Latency;
use super::series::{Counted, NONE, Series};
use super::{reasons, statuses};
use crate::audit::{Decision, Record, UNLISTED};

/// The endpoint of the connection pages' steps.
const CONNECT: &str = "connect";

/// Values that a line of the rules is for, and that are not what it is for.
const LISTED: [&str; 2] = ["not_understood", "too_long"];

/// Counts requests. What multiplies is kept apart: status by endpoint in one metric, reason by consumer in another.
#[derive(Default)]
pub(super) struct Requests {
    ended: Series<RequestLabels, Counter>,
    by_consumer: Series<ReasonLabels, Counter>,
    duration: Latency,
    in_flight: Gauge,
    dropped: Series<DroppedLabels, Counter>,
    /// Those of [`UNLISTED`], looked up once: most requests drop such values.
    unlisted: [Counter; UNLISTED.len()],
    bytes: Family<DirectionLabels, Counter>,
    bytes_read: Counter,
    bytes_sent: Counter,
    keys: Series<KeyLabels, Counter>,
    limited: Series<LimitedLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    decision: DecisionLabel,
    status: &'static str,
    endpoint: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    consumer: Arc<str>,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DroppedLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DirectionLabels {
    direction: Direction,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KeyLabels {
    consumer: Arc<str>,
    key: KeyId,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitedLabels {
    consumer: Arc<str>,
    result: Limited,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct DecisionLabel(Decision);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct KeyId(char);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Direction {
    Read,
    Sent,
}

/// What a consumer's limits did to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Limited {
    /// It was refused.
    Refused,
    /// It waited, and had its turn.
    Waited,
}

/// The names in the operator's files that are labels.
pub(crate) struct Names {
    /// Of all endpoints.
    pub(crate) endpoints: Vec<Arc<str>>,
    /// Of all consumers.
    pub(crate) consumers: Vec<Arc<str>>,
    /// The ids of the ring's keys.
    pub(crate) keys: Vec<char>,
}

impl Requests {
    pub(super) fn register(&mut self, registry: &mut Registry) {
        registry.register(
            "requests",
            "Requests that ended, by decision, status and endpoint",
            self.ended.family.clone(),
        );
        registry.register(
            "consumer_requests",
            "Requests that ended, by consumer and reason",
            self.by_consumer.family.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "From a request's head to the end of its response, by endpoint",
            Unit::Seconds,
            self.duration.0.family.clone(),
        );
        registry.register("requests_in_flight", "Requests in progress", self.in_flight.clone());
        registry.register(
            "values_dropped",
            "Values that did not leave, by reason",
            self.dropped.family.clone(),
        );
        registry.register_with_unit(
            "body",
            "Bytes of bodies read from Graph and sent to consumers",
            Unit::Bytes,
            self.bytes.clone(),
        );
        registry.register(
            "key_requests",
            "Requests that ended, by the key that their tokens were made with",
            self.keys.family.clone(),
        );
        registry.register(
            "limited_requests",
            "Requests over a consumer's limits, by what became of them",
            self.limited.family.clone(),
        );
        self.dropped.set(LISTED.into_iter().chain(UNLISTED).map(|reason| DroppedLabels { reason }));
        self.unlisted =
            UNLISTED.map(|reason| self.dropped.family.get_or_create(&DroppedLabels { reason }).clone());
        let bytes = |direction| self.bytes.get_or_create(&DirectionLabels { direction }).clone();
        (self.bytes_read, self.bytes_sent) = (bytes(Direction::Read), bytes(Direction::Sent));
        self.know(&Names { endpoints: Vec::new(), consumers: Vec::new(), keys: Vec::new() });
    }

    /// Replaces the names that can be labels.
    pub(super) fn know(&self, names: &Names) {
        let (none, connect): (Arc<str>, Arc<str>) = (NONE.into(), CONNECT.into());
        let Names { endpoints, consumers, keys } = names;
        let endpoints: Vec<_> =
            endpoints.iter().cloned().chain([Arc::clone(&connect), Arc::clone(&none)]).collect();
        let allowed = endpoints.iter().map(|endpoint| (Decision::Allowed, endpoint));
        // No endpoint has been found for what is refused.
        let refused = [&none, &connect].map(|endpoint| (Decision::Refused, endpoint));
        self.ended.set(allowed.chain(refused).flat_map(|(decision, endpoint)| {
            statuses::all().map(move |status| RequestLabels {
                decision: DecisionLabel(decision),
                status,
                endpoint: Arc::clone(endpoint),
            })
        }));
        self.duration.know(&endpoints);
        let strange = reasons::all().map(|reason| ReasonLabels { consumer: Arc::clone(&none), reason });
        self.by_consumer.set(strange.chain(consumers.iter().flat_map(|consumer| {
            reasons::of_consumers().map(|reason| ReasonLabels { consumer: Arc::clone(consumer), reason })
        })));
        self.keys.set(consumers.iter().flat_map(|consumer| {
            keys.iter().map(|key| KeyLabels { consumer: Arc::clone(consumer), key: KeyId(*key) })
        }));
        self.limited.set(consumers.iter().flat_map(|consumer| {
            [Limited::Refused, Limited::Waited]
                .map(|result| LimitedLabels { consumer: Arc::clone(consumer), result })
        }));
    }

    pub(super) fn begin(&self) -> Counted {
        Counted::by(&self.in_flight)
    }

    /// Counts a request that ended after this time.
    pub(super) fn end(&self, record: &Record, time: Duration) {
        let endpoint = record.endpoint.clone().unwrap_or_else(|| NONE.into());
        self.count(record, Arc::clone(&endpoint), reasons::of(record));
        self.duration.observe(endpoint, time);
        if let (Some(consumer), Some(key)) = (&record.consumer, record.key) {
            let labels = KeyLabels { consumer: Arc::clone(consumer), key: KeyId(key) };
            self.keys.change(&labels, inc);
        }
        self.bytes_read.inc_by(record.counters.bytes_read);
        self.bytes_sent.inc_by(record.counters.bytes_sent);
        for (counter, count) in self.unlisted.iter().zip(record.counters.unlisted) {
            counter.inc_by(count);
        }
        for (reason, count) in &record.counters.dropped {
            self.dropped.change(&DroppedLabels { reason }, |counter| {
                counter.inc_by(*count);
            });
        }
    }

    /// Counts a step of the connection pages that ended after this time.
    pub(super) fn end_step(&self, record: &Record, time: Duration) {
        self.count(record, CONNECT.into(), reasons::of_step(record.decision == Decision::Allowed));
        self.duration.observe(CONNECT.into(), time);
    }

    pub(super) fn limited(&self, consumer: Arc<str>, result: Limited) {
        self.limited.change(&LimitedLabels { consumer, result }, inc);
    }

    fn count(&self, record: &Record, endpoint: Arc<str>, reason: &'static str) {
        let (decision, status) = (DecisionLabel(record.decision), statuses::label(record.status));
        let by_endpoint = |endpoint| self.ended.change(&RequestLabels { decision, status, endpoint }, inc);
        if !by_endpoint(endpoint) {
            by_endpoint(NONE.into());
        }
        let by_consumer =
            |consumer: Arc<str>| self.by_consumer.change(&ReasonLabels { consumer, reason }, inc);
        if !record.consumer.clone().is_some_and(by_consumer) {
            by_consumer(NONE.into());
        }
    }
}

fn inc(counter: &Counter) {
    counter.inc();
}

impl EncodeLabelValue for DecisionLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let text = match self.0 {
            Decision::Allowed => "allowed",
            Decision::Refused => "refused",
        };
        text.encode(encoder)
    }
}

impl EncodeLabelValue for KeyId {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let mut text = [0; 4];
        let text: &str = self.0.encode_utf8(&mut text);
        text.encode(encoder)
    }
}

impl EncodeLabelValue for Direction {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let text = match self {
            Self::Read => "read",
            Self::Sent => "sent",
        };
        text.encode(encoder)
    }
}

impl EncodeLabelValue for Limited {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let text = match self {
            Self::Refused => "refused",
            Self::Waited => "waited",
        };
        text.encode(encoder)
    }
}
