//! The audit record of a step: which step, for which consumer, and its outcome. No names, no tenant, no state.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use http::StatusCode;

use super::problem::{Failure, Problem};
use super::site::Connector;
use crate::audit::{AuditLog, Decision, Guard, Outcome, Unavailable};
use crate::metrics::Metrics;

pub(super) const START: &str = "connect-start";
pub(super) const SIGNED_IN: &str = "connect-signed-in";
pub(super) const CONSENTED: &str = "connect-consented";

/// The audit log and the metrics that record steps.
pub(super) struct Accounting {
    pub(super) audit: Arc<AuditLog>,
    pub(super) metrics: Arc<Metrics>,
}

/// An open audit record. If it is dropped unfinished, it records that the browser closed the connection.
pub(super) struct Account {
    guard: Guard,
    step: &'static str,
}

impl Accounting {
    /// Opens the record of a step. Nobody identifies browsers, so refused steps are summed by their `address`.
    pub(super) fn open(
        &self,
        method: &str,
        step: &'static str,
        connector: Option<&Connector>,
        address: IpAddr,
    ) -> Account {
        let (metrics, began) = (Arc::clone(&self.metrics), Instant::now());
        let id = crate::proxy::new_request_id().to_string();
        let mut guard = Guard::begin(Arc::clone(&self.audit), id, method)
            .observed_by(move |record| metrics.end_step(record, began.elapsed()));
        guard.set_endpoint(step.into());
        guard.set_address(address);
        let mut account = Account { guard, step };
        connector.into_iter().for_each(|connector| account.set_connector(connector));
        account
    }
}

impl Account {
    /// Records the consumer whose connector the step is for.
    pub(super) fn set_connector(&mut self, connector: &Connector) {
        self.guard.set_consumer(Arc::clone(&connector.name), connector.fingerprint.short().into());
    }

    /// Logs the cause. The page does not show it.
    pub(super) fn log(&self, problem: &Problem) {
        let reason = problem.code();
        tracing::warn!(endpoint = self.step, reason, error = %problem, "a step of a connection was refused");
    }

    /// Logs the cause. Neither the page nor the result shows it.
    pub(super) fn log_failure(&self, failure: &Failure) {
        let reason = failure.code();
        tracing::warn!(endpoint = self.step, reason, error = %failure, "a connection was not made");
    }

    /// Waits for the record's room in the audit log.
    ///
    /// # Errors
    ///
    /// [`Problem::AuditFailing`]: the step must not be made.
    pub(super) async fn reserve(&mut self) -> Result<(), Problem> {
        self.guard.reserve().await.map_err(|Unavailable| Problem::AuditFailing)
    }

    /// Writes the record of a step that was made, and waits until the audit log has it.
    ///
    /// # Errors
    ///
    /// The account, to be closed with the refusal that the browser gets instead.
    pub(super) async fn confirm(mut self, reason: &'static str, status: StatusCode) -> Result<(), Self> {
        self.guard.set_decision(Decision::Allowed, reason);
        self.guard.set_status(status);
        let Err(guard) = self.guard.confirm(Outcome::Complete).await else { return Ok(()) };
        Err(Self { guard, ..self })
    }

    /// Writes the record of a step that was refused.
    pub(super) fn refuse(mut self, reason: &'static str, status: StatusCode) {
        self.guard.set_decision(Decision::Refused, reason);
        self.guard.set_status(status);
        self.guard.finish(Outcome::Refused);
    }
}
