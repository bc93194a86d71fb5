//! What is counted of requests to Graph: how they wait, what Graph responds, which are repeated.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Counts requests to Graph. All labels are words of this program.
#[derive(Default)]
pub(crate) struct GraphMetrics {
    waiting: Family<GateLabels, Gauge>,
    gated: Family<GatedLabels, Counter>,
    repeated: Family<RepeatedLabels, Counter>,
    responses: Family<ResponseLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GateLabels {
    gate: &'static str,
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
    }

    /// Counts a request as waiting until the returned value is dropped.
    pub(crate) fn waiting(&self, gate: &'static str) -> Waiting {
        let gauge = self.waiting.get_or_create(&GateLabels { gate }).clone();
        gauge.inc();
        Waiting(gauge)
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
        self.responses.get_or_create(&ResponseLabels { status: "none", kind: "no_response" }).inc();
    }
}

/// A request that waits.
pub(crate) struct Waiting(Gauge);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.dec();
    }
}

const THROTTLED: &str = "throttled";

/// The statuses that Graph documents, and the class of every other one.
fn label(status: u16) -> &'static str {
    match status {
        200 => "200",
        400 => "400",
        401 => "401",
        403 => "403",
        404 => "404",
        409 => "409",
        410 => "410",
        429 => "429",
        500 => "500",
        502 => "502",
        503 => "503",
        504 => "504",
        509 => "509",
        201..=299 => "2xx",
        402..=499 => "4xx",
        501..=599 => "5xx",
        _ => "other",
    }
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
        assert!(labels.len() < 20, "{labels:?}");
    }
}
