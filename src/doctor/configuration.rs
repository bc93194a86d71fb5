//! The reports on the configuration and the rules, the same as at a start, as findings.

use super::findings::{Finding, Outcome};
use crate::config::Config;
use crate::proxy::{Consumer, ProxyState};
use glassine_core::diagnostic::Located;
use glassine_core::diagnostic::{Report, Severity};

/// The advice for findings without a hint, which are about files that cannot be used.
const UNUSABLE_FILE: &str =
    "correct the path or the file, and let the account that the proxy runs as read it";

pub(super) fn check(
    file: &str,
    config: &Config,
    state: Option<&ProxyState>,
    reports: &[Report],
) -> Vec<Finding> {
    let count = config.consumers().len();
    let consumers = if count == 1 { "consumer" } else { "consumers" };
    let read = Finding::ok("file", format!("{file}: well-formed, {count} {consumers}"));
    let rules = state.into_iter().flat_map(ProxyState::consumers).map(|consumer| rules(consumer));
    let approvals =
        state.into_iter().flat_map(ProxyState::consumers).filter_map(|consumer| approved(consumer));
    let findings = reports.iter().flat_map(Report::located).map(|located| finding(&located));
    std::iter::once(read).chain(rules).chain(approvals).chain(findings).collect()
}

fn rules(consumer: &Consumer) -> Finding {
    let plan = &consumer.policy().plan;
    let message = format!(
        "{}: connector {}, {} endpoints, fingerprint {}",
        consumer.checked().rules().path().display(),
        plan.connector,
        plan.endpoints.len(),
        consumer.statement().fingerprint()
    );
    Finding::ok(format!("rules of {}", consumer.name()), message)
}

/// `None` if nothing has to be approved. What is not approved is among the reports: there is no state then.
fn approved(consumer: &Consumer) -> Option<Finding> {
    Some(Finding::ok(format!("approvals of {}", consumer.name()), consumer.approval()?.to_string()))
}

fn finding(located: &Located<'_>) -> Finding {
    let line = located.line.map(|line| format!(":{line}")).unwrap_or_default();
    let outcome = match located.severity {
        Severity::Error => Outcome::Fail,
        Severity::Warning => Outcome::Warn,
    };
    Finding {
        outcome,
        ..Finding::warn(
            located.code,
            format!("{}{line}: {}", located.file, located.message),
            located.hint.unwrap_or(UNUSABLE_FILE),
        )
    }
}
