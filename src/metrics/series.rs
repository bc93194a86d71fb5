//! Series that exist before anything is counted, and no others.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use arc_swap::ArcSwap;
use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;

/// The consumer, endpoint or other name of what has none, or whose name is no longer configured.
pub(super) const NONE: &str = "none";

/// The series of one metric. They are at zero from the start, so that a rate sees the first count. What is not among them gets
/// no series: neither strangers nor a file that was replaced make more of them.
pub(super) struct Series<L: Clone + Eq + Hash, M, C = fn() -> M> {
    pub(super) family: Family<L, M, C>,
    known: ArcSwap<HashSet<L>>,
}

impl<L: Clone + Eq + Hash, M: Default> Default for Series<L, M> {
    fn default() -> Self {
        Self::of(M::default)
    }
}

impl<L: Clone + Eq + Hash, M, C: MetricConstructor<M>> Series<L, M, C> {
    /// No series yet. `make` makes the value of one.
    pub(super) fn of(make: C) -> Self {
        Self { family: Family::new_with_constructor(make), known: ArcSwap::default() }
    }

    /// Replaces the series. Those that stay keep their values.
    pub(super) fn set(&self, now: impl IntoIterator<Item = L>) {
        let now: Arc<HashSet<L>> = Arc::new(now.into_iter().collect());
        for labels in now.iter() {
            drop(self.family.get_or_create(labels));
        }
        for labels in self.known.swap(Arc::clone(&now)).difference(&now) {
            self.family.remove(labels);
        }
    }

    /// Changes the value of a series. False if there is none.
    pub(super) fn change(&self, labels: &L, change: impl FnOnce(&M)) -> bool {
        self.family.get(labels).map(|metric| change(&metric)).is_some()
    }
}

/// Facts: series that say something by their labels alone. Those that no longer hold are gone.
///
/// Not a family of the library's `Info`: in its text, the labels of such a series begin with a comma.
#[derive(Clone, Debug)]
pub(super) struct Facts<L>(Arc<ArcSwap<HashSet<L>>>);

impl<L> Default for Facts<L> {
    fn default() -> Self {
        Self(Arc::new(ArcSwap::from_pointee(HashSet::new())))
    }
}

impl<L: Eq + Hash> Facts<L> {
    /// Replaces all facts.
    pub(super) fn set(&self, now: impl IntoIterator<Item = L>) {
        self.0.store(Arc::new(now.into_iter().collect()));
    }
}

impl<L: EncodeLabelSet> EncodeMetric for Facts<L> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        self.0.load().iter().try_for_each(|labels| encoder.encode_info(labels))
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Info
    }

    fn is_empty(&self) -> bool {
        self.0.load().is_empty()
    }
}

/// Something that a gauge counts for as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Counted {
    pub(super) fn by(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Series by consumer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ConsumerLabels {
    pub(super) consumer: Arc<str>,
}

/// A number as a gauge has it.
pub(super) fn gauge_value(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::metrics::counter::Counter;

    fn labels(consumer: &str) -> ConsumerLabels {
        ConsumerLabels { consumer: consumer.into() }
    }

    #[test]
    fn only_known_series_exist_and_those_that_stay_keep_their_values() {
        let series = Series::<ConsumerLabels, Counter>::default();
        series.set(["a", "b"].map(labels));
        let count = |name: &str| {
            series.change(&labels(name), |counter| {
                counter.inc();
            })
        };
        assert!(count("a") && count("b") && !count("stranger"));
        series.set(["b", "c"].map(labels));
        let value = |name: &str| series.family.get(&labels(name)).map(|counter| counter.get());
        assert_eq!((value("a"), value("b"), value("c")), (None, Some(1), Some(0)));
        assert_eq!(value("stranger"), None);
    }
}
