//! What has to hold for requests to be served.
//!
//! The proxy is *not ready* when no request can be served: the audit log cannot be written, or no application has a token
//! for Graph. A load balancer then asks another replica. If one of several applications has no token, the consumers of
//! the others are served, so the proxy is ready; the check, a metric and the log say what is wrong. The same holds for
//! files that cannot be used: the last good state goes on running. A wrong secret does not end the process either: a
//! program that ends is started again and again and tells its operator less than one that says what is wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;

use super::front::Front;
use crate::audit::{AuditLog, Failing};
use crate::proxy::{Consumer, ProxyState};
use crate::server::{Check, Readiness, Verdict};
use crate::upstream::{TokenHealth, TokenSource};
use glassine_core::catalogue::permissions::is_for_mailboxes;
use glassine_core::diagnostic::Causes;

/// A check names at most so many consumers.
const NAMED: usize = 3;

/// What the checks look at.
pub(super) struct Facts {
    pub(super) front: Arc<Front>,
    pub(super) audit: Arc<AuditLog>,
    /// The running state is what the files say.
    pub(super) files_are_good: AtomicBool,
    /// Which certificate is not valid, and why.
    pub(super) certificates: ArcSwapOption<String>,
}

impl Facts {
    pub(super) fn checks(&self) -> Vec<Check> {
        let state = self.front.state();
        let tokens = tokens(&state);
        let own = [self.audit(), self.files()].into_iter().chain(self.certificates()).chain(clock(&state));
        own.chain(tokens).chain(permissions(&state)).collect()
    }

    /// Whether the first token of an application has not come yet.
    fn is_trying(&self) -> bool {
        self.front.state().token_sources().any(|tokens| tokens.health() == TokenHealth::Untried)
    }

    fn audit(&self) -> Check {
        let verdict = match self.audit.state().failing {
            None => Verdict::Good,
            Some(Failing { why, .. }) => {
                Verdict::Bad(format!("nothing is served without a record, and {why}"))
            }
        };
        Check::new("audit", verdict)
    }

    fn files(&self) -> Check {
        let verdict = match self.files_are_good.load(Ordering::Acquire) {
            true => Verdict::Good,
            false => Verdict::Partly("they cannot be used; the last good state goes on running".to_owned()),
        };
        Check::new("files", verdict)
    }

    /// There only if something is wrong. Clients that do not verify the listener's certificate are still served, and another
    /// replica has the same files, so this makes nothing unready.
    fn certificates(&self) -> Option<Check> {
        let trouble = self.certificates.load_full()?;
        Some(Check::new("certificates", Verdict::Partly(trouble.as_ref().clone())))
    }
}

/// A check for each application. While another one has a token, an application without a token makes nothing unready.
fn tokens(state: &ProxyState) -> Vec<Check> {
    let troubles: Vec<_> =
        state.token_sources().map(|tokens| (name(state, tokens), trouble(tokens))).collect();
    let is_partial = troubles.iter().any(|(_, trouble)| trouble.is_none());
    let verdict = |trouble: Option<String>| match trouble {
        None => Verdict::Good,
        Some(why) if is_partial => Verdict::Partly(why),
        Some(why) => Verdict::Bad(why),
    };
    troubles.into_iter().map(|(name, trouble)| Check::new(name, verdict(trouble))).collect()
}

/// There only if the clock is wrong. Entra refuses assertions then, and the proxy refuses tokens and certificates of consumers.
fn clock(state: &ProxyState) -> Option<Check> {
    let why = state.token_sources().find_map(|tokens| tokens.wrong_clock())?;
    Some(Check::new("clock", Verdict::Partly(format!("the clock of this machine is {why}"))))
}

/// There only for consumers whose token lacks a permission. One that Exchange may have assigned is in no token, so it counts only
/// beside one that Exchange cannot assign.
fn permissions(state: &ProxyState) -> Vec<Check> {
    let check = |consumer: &Arc<Consumer>| {
        let missing = consumer.missing_permissions();
        let is_certain = missing.iter().any(|permission| !is_for_mailboxes(permission));
        let why = format!("the token in use lacks {}", missing.join(", "));
        is_certain.then(|| Check::new(format!("permissions of {}", consumer.name()), Verdict::Partly(why)))
    };
    state.consumers().filter_map(check).collect()
}

fn trouble(tokens: &TokenSource) -> Option<String> {
    match tokens.health() {
        TokenHealth::Good => None,
        TokenHealth::Untried => Some("the first token has not come yet".to_owned()),
        TokenHealth::Failing(error) => Some(Causes(&error).to_string()),
    }
}

/// `token for acme, other`: which consumers an application calls Graph for.
fn name(state: &ProxyState, tokens: &Arc<TokenSource>) -> String {
    let has = |consumer: &&Arc<Consumer>| consumer.tokens().is_some_and(|own| Arc::ptr_eq(own, tokens));
    let names: Vec<_> = state.consumers().filter(has).map(|consumer| consumer.name()).collect();
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named: Vec<_> = names.iter().take(NAMED).map(AsRef::as_ref).collect();
    format!("token for {}{more}", named.join(", "))
}

/// Says in the log when the proxy becomes ready, and when and why it no longer is.
pub(super) struct Announcer {
    facts: Arc<Facts>,
    readiness: Readiness,
    was_ready: Option<bool>,
}

impl Announcer {
    pub(super) fn new(facts: &Arc<Facts>, readiness: &Readiness) -> Self {
        Self { facts: Arc::clone(facts), readiness: readiness.clone(), was_ready: None }
    }

    pub(super) fn has_spoken(&self) -> bool {
        self.was_ready.is_some()
    }

    /// Says what has changed. Silent until the first attempts to get tokens have ended.
    pub(super) fn look(&mut self) {
        let trouble = self.readiness.trouble();
        let is_news = self.was_ready != Some(trouble.is_none());
        if !is_news || self.readiness.is_stopping() || (trouble.is_some() && self.facts.is_trying()) {
            return;
        }
        self.was_ready = Some(trouble.is_none());
        match trouble {
            None => tracing::info!("ready"),
            Some(reason) => tracing::warn!(reason, "not ready: no request can be served"),
        }
    }
}
