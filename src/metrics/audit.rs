//! What the audit log says of itself when metrics are read.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::upstream::Encoded;
use crate::audit::{AuditLog, AuditState};

/// Asks the log. Everything is zero before there is one.
#[derive(Clone, Debug, Default)]
pub(super) struct AuditCollector(Arc<OnceLock<Weak<AuditLog>>>);

impl AuditCollector {
    pub(super) fn know(&self, audit: &Arc<AuditLog>) {
        self.0.get_or_init(|| Arc::downgrade(audit));
    }
}

impl Collector for AuditCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let audit = self.0.get().and_then(Weak::upgrade);
        let AuditState { waiting, failures, rotations, unrecorded, failing } =
            audit.map(|audit| audit.state()).unwrap_or_default();
        let gauge = |count: u64| ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
        let mut encode = |name, help, metric: &dyn Encoded| metric.encode(&mut encoder, name, help);
        encode("audit_waiting", "Audit records that wait to be written", &gauge(waiting))?;
        let is_failing = gauge(u64::from(failing.is_some()));
        encode(
            "audit_failing",
            "1 while the audit log cannot be written and requests are refused",
            &is_failing,
        )?;
        encode("audit_failures", "Writes of the audit log that failed", &ConstCounter::new(failures))?;
        encode("audit_rotations", "Files of the audit log that were begun", &ConstCounter::new(rotations))?;
        encode(
            "audit_unrecorded_requests",
            "Requests that were refused without a record of their own",
            &ConstCounter::new(unrecorded),
        )
    }
}
