//! What the log and the audit log say about the service itself: the rules and keys that it starts with, and what a reload
//! changes.

use std::path::Path;
use std::sync::Arc;

use super::{Listeners, StartError};
use crate::approvals::Approval;
use crate::audit::{Finding, Key, Served, Serving};
use crate::config::{Admin, codes};
use crate::proxy::{Consumer, ProxyState};
use glassine_core::diagnostic::{Located, Report, Severity};
use glassine_core::pseudonym::Fingerprint;

/// This program's version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What serves under `state`, and what served each consumer before.
pub(super) fn serving(state: &ProxyState, before: Option<&ProxyState>, warnings: &[Report]) -> Serving {
    let gone = before.into_iter().flat_map(ProxyState::consumers);
    let gone = gone.filter(|consumer| state.consumer(&consumer.name()).is_none());
    let fingerprint =
        |state: &ProxyState, name: &str| state.consumer(name).map(|it| *it.statement().fingerprint());
    let served = |consumer: &Arc<Consumer>| {
        let name = consumer.name();
        Served {
            before: before.and_then(|before| fingerprint(before, &name)),
            rules: fingerprint(state, &name),
            consumer: name.to_string(),
            approved_by: state.consumer(&name).and_then(|it| it.approval()).map(names).unwrap_or_default(),
        }
    };
    Serving {
        version: VERSION,
        keys: keys(state),
        consumers: state.consumers().chain(gone).map(served).collect(),
        warnings: Finding::all(warnings, Severity::Warning),
    }
}

fn names(approval: &Approval) -> Vec<String> {
    approval.approvers().iter().map(|approver| approver.name().to_owned()).collect()
}

fn keys(state: &ProxyState) -> Vec<Key> {
    state.keys().iter().map(key).collect()
}

pub(super) fn key(key: &Fingerprint) -> Key {
    Key { id: key.id, fingerprint: key.fingerprint.clone() }
}

/// Why a reload failed. Without a report, the configuration file stands for what cannot be used.
pub(super) fn errors(file: &Path, error: &StartError) -> Vec<Finding> {
    match error {
        StartError::Reports(reports) => Finding::all(reports, Severity::Error),
        StartError::Config(_)
        | StartError::Audit(_)
        | StartError::Record(_)
        | StartError::Tls(_)
        | StartError::Traces(_)
        | StartError::Interrupted
        | StartError::Listen { .. }
        | StartError::Signals(_) => vec![Finding::of_file(codes::CONFIG_FILE.as_str(), file)],
    }
}

/// Logs what the service starts with.
pub(super) fn log_start(serving: &Serving, listeners: &Listeners, admin: Option<&Admin>) {
    tracing::info!(version = serving.version, "the proxy starts");
    serving.consumers.iter().for_each(log_rules);
    log_keys(&serving.keys);
    if let Ok(listen) = listeners.public.local_addr() {
        tracing::info!(%listen, "listening for consumers");
    }
    let bound = listeners.admin.as_ref().and_then(|listener| listener.local_addr().ok());
    if let Some(listen) = bound.or(admin.map(|admin| admin.listen)) {
        tracing::info!(%listen, "listening for health and metrics");
    }
    if let Some(listen) = admin.and_then(|admin| admin.probes) {
        tracing::info!(%listen, "listening for probes");
    }
}

/// Logs what a reload changes.
pub(super) fn log_reload(serving: &Serving, before: &ProxyState, warnings: &[Report]) {
    serving.consumers.iter().filter(|served| served.before != served.rules).for_each(log_rules);
    if serving.keys != keys(before) {
        log_keys(&serving.keys);
    }
    warnings.iter().flat_map(Report::located).for_each(|warning| log_warning(&warning));
    tracing::info!("the files were reloaded");
}

fn log_rules(served: &Served) {
    let Served { consumer, before, rules, .. } = served;
    match (before, rules) {
        (_, None) => tracing::info!(%consumer, "a consumer is no longer served"),
        (None, Some(fingerprint)) => tracing::info!(%consumer, %fingerprint, "a consumer is served"),
        (Some(before), Some(fingerprint)) => {
            tracing::info!(%consumer, %before, %fingerprint, "the rules of a consumer changed");
        }
    }
}

fn log_keys(keys: &[Key]) {
    for key in keys {
        tracing::info!(key_id = %key.id, fingerprint = key.fingerprint, "the key ring has a key");
    }
}

fn log_warning(warning: &Located<'_>) {
    let Located { file, line, code, message, hint, .. } = *warning;
    tracing::warn!(file, line, code, finding = message, hint, "a warning about a file");
}
