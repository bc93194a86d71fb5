//! Spans, by what became of them.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Default)]
pub(super) struct Spans(Family<Labels, Counter>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    result: &'static str,
}

/// What became of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpanFate {
    /// The queue was full.
    Dropped,
    /// The collector did not take it.
    Failed,
    Sent,
}

impl Spans {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("trace_spans", "Spans of traces, by what became of them", self.0.clone());
        [SpanFate::Dropped, SpanFate::Failed, SpanFate::Sent]
            .into_iter()
            .for_each(|fate| self.count(fate, 0));
    }

    pub(super) fn count(&self, fate: SpanFate, spans: usize) {
        let count = u64::try_from(spans).unwrap_or(u64::MAX);
        self.0.get_or_create(&Labels { result: fate.label() }).inc_by(count);
    }
}

impl SpanFate {
    fn label(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Failed => "failed",
            Self::Sent => "sent",
        }
    }
}
