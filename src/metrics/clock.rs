//! This machine's clock against those of Graph and Entra, from the `Date` of their responses.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// A server that shows its time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServerLabels {
    server: &'static str,
}

/// By how much the clock is wrong. 0 until a server has shown its time.
#[derive(Default)]
pub(super) struct Clock {
    ahead: Family<ServerLabels, Gauge>,
    graph: Gauge,
    entra: Gauge,
}

impl Clock {
    pub(super) fn register(&mut self, registry: &mut Registry) {
        let of = |server| self.ahead.get_or_create(&ServerLabels { server }).clone();
        (self.graph, self.entra) = (of("graph"), of("entra"));
        registry.register_with_unit(
            "clock_ahead",
            "By how much this machine's clock is ahead of a server's, as its last response showed it; negative if it is behind",
            Unit::Seconds,
            self.ahead.clone(),
        );
    }

    pub(super) fn ahead_of_graph(&self, seconds: i64) {
        self.graph.set(seconds);
    }

    /// Several applications may each have compared at another time: the largest difference counts.
    pub(super) fn ahead_of_entra(&self, seconds: impl Iterator<Item = i64>) {
        self.entra.set(seconds.max_by_key(|seconds| seconds.unsigned_abs()).unwrap_or(0));
    }
}
