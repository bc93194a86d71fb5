//! What the audit log says of itself when metrics are read.

use std::fmt;
use std::sync::Weak;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::connections::Encoded;
use crate::audit::{AuditLog, AuditState};

/// Asks the log, as long as it is there.
#[derive(Debug)]
pub(super) struct AuditCollector(pub(super) Weak<AuditLog>);

impl Collector for AuditCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(audit) = self.0.upgrade() else { return Ok(()) };
        let AuditState { waiting, failures, rotations, unrecorded, failing } = audit.state();
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
