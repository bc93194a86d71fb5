//! What is counted of requests to Graph: how they wait, how many are there, what Graph responds and after which time, which
//! are repeated.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::latency::Latency;
use super::series::Counted;
use super::statuses;

/// Counts requests to Graph. All labels are words of this program.
#[derive(Default)]
pub(crate) struct GraphMetrics {
    waiting: Family<GateLabels, Gauge>,
    in_flight: Family<LaneLabels, Gauge>,
    duration: Latency,
    gated: Family<GatedLabels, Counter>,
    repeated: Family<RepeatedLabels, Counter>,
    responses: Family<ResponseLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GateLabels {
    gate: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LaneLabels {
    lane: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GatedLabels {
    gate: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RepeatedLabels {
    status: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResponseLabels {
    status: &'static str,
    kind: &'static str,
}

impl GraphMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "graph_waiting_requests",
            "Requests that wait for their turn at Graph, by what they wait for",
            self.waiting.clone(),
        );
        registry.register(
            "graph_gated_requests",
            "Requests that had to wait for their turn at Graph, by what for and what became of them",
            self.gated.clone(),
        );
        registry.register(
            "graph_repeated_requests",
            "Responses of Graph that asked to wait, by status and whether the request was repeated",
            self.repeated.clone(),
        );
        registry.register(
            "graph_responses",
            "Responses of Graph, by status and kind",
            self.responses.clone(),
        );
        registry.register(
            "graph_requests_in_flight",
            "Requests that are at Graph, until their responses have been read, by lane",
            self.in_flight.clone(),
        );
        registry.register_with_unit(
            "graph_response_duration",
            "From a request to Graph until the head of its response or its failure, by endpoint",
            Unit::Seconds,
            self.duration.0.family.clone(),
        );
        self.begin_at_zero();
    }

    fn begin_at_zero(&self) {
        self.know(&[]);
        for gate in GATES {
            drop(self.waiting.get_or_create(&GateLabels { gate }));
            for result in GATED {
                drop(self.gated.get_or_create(&GatedLabels { gate, result }));
            }
        }
        for lane in LANES {
            drop(self.in_flight.get_or_create(&LaneLabels { lane }));
        }
        for status in PASSING {
            for result in FATES {
                drop(self.repeated.get_or_create(&RepeatedLabels { status: label(status), result }));
            }
        }
        drop(self.responses.get_or_create(&UNANSWERED));
        for status in 0..=MOST_STATUS {
            // A code can say that the application sends too much, whatever the error's status.
            let throttled = (status >= 400).then_some(THROTTLED);
            for kind in throttled.into_iter().chain([kind(status)]) {
                drop(self.responses.get_or_create(&ResponseLabels { status: label(status), kind }));
            }
        }
    }

    /// Replaces the endpoints that there are.
    pub(super) fn know(&self, endpoints: &[Arc<str>]) {
        self.duration.know(endpoints);
    }

    /// Counts a request as at Graph until the returned value is dropped.
    pub(crate) fn at_graph(&self, lane: &'static str) -> Counted {
        Counted::by(&self.in_flight.get_or_create(&LaneLabels { lane }))
    }

    /// How long Graph took for the head of its response, or to fail.
    pub(crate) fn took(&self, endpoint: Arc<str>, time: Duration) {
        self.duration.observe(endpoint, time);
    }

    /// Counts a request as waiting until the returned value is dropped.
    pub(crate) fn waiting(&self, gate: &'static str) -> Counted {
        Counted::by(&self.waiting.get_or_create(&GateLabels { gate }))
    }

    /// Counts a request that waited, by what became of it.
    pub(crate) fn gated(&self, gate: &'static str, result: &'static str) {
        self.gated.get_or_create(&GatedLabels { gate, result }).inc();
    }

    /// Counts a response with this status that asked to wait, by what was done.
    pub(crate) fn repeated(&self, status: u16, result: &'static str) {
        self.repeated.get_or_create(&RepeatedLabels { status: label(status), result }).inc();
    }

    /// Counts a response of Graph. `throttles`: its error code says that the application sends too much.
    pub(crate) fn responded(&self, status: u16, throttles: bool) {
        let kind = if throttles { THROTTLED } else { kind(status) };
        self.responses.get_or_create(&ResponseLabels { status: label(status), kind }).inc();
    }

    /// Counts a request that Graph did not respond to.
    pub(crate) fn unanswered(&self) {
        self.responses.get_or_create(&UNANSWERED).inc();
    }
}

/// What a request waits for.
const GATES: [&str; 3] = ["pause", "mailbox", "application"];
/// What became of a request that waited.
const GATED: [&str; 2] = ["waited", "refused"];
/// Where a request is at Graph.
const LANES: [&str; 2] = ["mailbox", "directory"];
/// Statuses that can ask to wait.
const PASSING: [u16; 3] = [429, 503, 504];
/// What was done about a response that asked to wait.
const FATES: [&str; 6] = ["served", "failed", "refused_again", "long_wait", "no_time", "no_budget"];
/// HTTP's statuses have three digits.
const MOST_STATUS: u16 = 599;

const THROTTLED: &str = "throttled";

const UNANSWERED: ResponseLabels = ResponseLabels { status: statuses::NONE, kind: "no_response" };

fn label(status: u16) -> &'static str {
    statuses::label(Some(status))
}

fn kind(status: u16) -> &'static str {
    match status {
        200 => "ok",
        401 => "unauthorized",
        403 => "forbidden",
        404 | 410 => "not_found",
        429 | 509 => THROTTLED,
        402..=499 | 400 => "refused",
        500..=599 => "failed",
        _ => "unexpected",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_label_and_a_kind_and_there_are_few() {
        let mut labels: Vec<_> = (0..=999).map(|status| (label(status), kind(status))).collect();
        assert_eq!((label(429), kind(429)), ("429", THROTTLED));
        assert_eq!((label(418), kind(418)), ("4xx", "refused"));
        assert_eq!((label(501), kind(501)), ("5xx", "failed"));
        assert_eq!((label(206), kind(206)), ("2xx", "unexpected"));
        labels.sort_unstable();
        labels.dedup();
        assert!(labels.len() < 30, "{labels:?}");
    }
}
