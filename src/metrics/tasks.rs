//! The tasks of the runtime. A count that grows while requests and connections do not is a leak.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::gauge::ConstGauge;
use tokio::runtime::Handle;

/// Counts when it is asked. Outside of a runtime there is nothing to count.
#[derive(Debug)]
pub(super) struct Tasks;

impl Collector for Tasks {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Ok(runtime) = Handle::try_current() else { return Ok(()) };
        let alive = ConstGauge::new(i64::try_from(runtime.metrics().num_alive_tasks()).unwrap_or(i64::MAX));
        alive.encode(encoder.encode_descriptor(
            "tasks",
            "Tasks that run or wait",
            None,
            alive.metric_type(),
        )?)
    }
}
