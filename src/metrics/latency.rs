//! How long requests take, as histograms.
//!
//! The buckets are classic ones: their bounds are the times at which something happens in this proxy, so that a quantile near
//! such a time is exact, and one can ask how many requests took longer than it. A native histogram has finer buckets without
//! such bounds. Only the protobuf format of Prometheus carries it, which would bring four more packages into the program that
//! holds the keys, and which other collectors do not read. Prometheus 3.4 and later can store these buckets as a native
//! histogram with custom buckets (`convert_classic_histograms_to_nhcb`).

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::histogram::Histogram;

use super::series::{NONE, Series};

/// Upper bounds of the buckets, in seconds.
///
/// | bound | why |
/// |---|---|
/// | 0.001 to 0.01 | refusals and documents that need no Graph |
/// | 0.025 to 0.5 | Graph's usual responses: about 0.15 |
/// | 1 | a request that is over its consumer's limits is refused after this time |
/// | 2.5, 5 | Graph's slow responses, and a `Retry-After` of up to 3 seconds that the proxy waits itself |
/// | 15 | a request that gets no turn at Graph is refused after this time |
/// | 30 | the most impatient clients and gateways give up |
/// | 100 | `response_seconds` by default |
pub(super) const BUCKETS: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 100.0];

/// A histogram for each endpoint. By endpoint, because a page of messages and a single user take different times. Not by
/// consumer too: that would be a thousand series for each, and the audit log has the time of each request.
pub(super) struct Latency(pub(super) Series<EndpointLabels, Histogram>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct EndpointLabels {
    endpoint: Arc<str>,
}

impl Default for Latency {
    fn default() -> Self {
        Self(Series::of(|| Histogram::new(BUCKETS)))
    }
}

impl Latency {
    /// Replaces the endpoints that there are. There is always [`NONE`].
    pub(super) fn know(&self, endpoints: &[Arc<str>]) {
        let endpoints = endpoints.iter().cloned().chain([NONE.into()]);
        self.0.set(endpoints.map(|endpoint| EndpointLabels { endpoint }));
    }

    pub(super) fn observe(&self, endpoint: Arc<str>, time: Duration) {
        let observe = |endpoint| {
            let labels = EndpointLabels { endpoint };
            self.0.change(&labels, |histogram| histogram.observe(time.as_secs_f64()))
        };
        if !observe(endpoint) {
            observe(NONE.into());
        }
    }
}
