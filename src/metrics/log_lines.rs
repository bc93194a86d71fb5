//! Lines of the log that were left out. The log is the process's, so its counters are too.

use std::fmt;
use std::sync::LazyLock;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

/// Why a line was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LeftOut {
    /// There were too many of its kind.
    Limit,
    /// Nobody reads the log, or not fast enough, or it cannot be written.
    Reader,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Labels {
    reason: LeftOut,
}

static LEFT_OUT: LazyLock<Family<Labels, Counter>> = LazyLock::new(Family::default);

/// Counts lines that were left out.
pub(crate) fn count(reason: LeftOut, lines: u64) {
    LEFT_OUT.get_or_create(&Labels { reason }).inc_by(lines);
}

/// The counters, for a registry.
pub(super) fn family() -> Family<Labels, Counter> {
    for reason in [LeftOut::Limit, LeftOut::Reader] {
        count(reason, 0);
    }
    LEFT_OUT.clone()
}

impl EncodeLabelValue for LeftOut {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let text = match self {
            Self::Limit => "limit",
            Self::Reader => "reader",
        };
        text.encode(encoder)
    }
}
