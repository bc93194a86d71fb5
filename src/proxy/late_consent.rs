//! A permission that was granted after the token was issued: the token does not have it, and Graph denies what it opens.

use std::sync::Arc;

use http::StatusCode;
use jiff::Timestamp;

use super::consumer::Consumer;
use super::graph_error::GraphError;
use crate::metrics::{CurrentToken, TokenFacts};
use crate::upstream::{AccessToken, TokenHealth, TokenSource};
use glassine_core::grants::{AccessClaims, compare};
use glassine_core::rules::known::any_opens;
use glassine_core::rules::plan::{Endpoint, Permission};

/// The codes of the directory and of Exchange for a permission that the token does not have. Exchange has the same code for a
/// mailbox that is closed to the application.
const DENIED: [&str; 2] = ["Authorization_RequestDenied", "ErrorAccessDenied"];

/// Another token for a request that Graph denied with `token`, if a permission that `token` lacks explains the denial, and
/// the other token has more permissions or cannot be read. [`TokenSource::token_after`] bounds how often the issuer is asked.
pub(super) async fn newer_token(
    tokens: &TokenSource,
    token: &Arc<AccessToken>,
    denial: &GraphError,
    endpoint: &Endpoint,
) -> Option<Arc<AccessToken>> {
    let code = denial.code.as_ref().filter(|_| denial.status == StatusCode::FORBIDDEN)?;
    let had = roles(token);
    let is_granted = had.as_ref().is_some_and(|had| opens(had, endpoint));
    if is_granted || !DENIED.contains(code.get()) {
        return None;
    }
    let newer = tokens.token_after(token).await?;
    has_more(&newer, had.as_deref()).then_some(newer)
}

/// The token for a consumer's requests, for the metrics. `None` if the consumer brings its own.
pub(super) fn facts(consumer: &Consumer) -> Option<TokenFacts> {
    let tokens = consumer.tokens()?;
    let needed = &consumer.policy().plan.permissions;
    let current = tokens.current().map(|held| CurrentToken {
        age: held.age,
        expiry: held.remaining.map(|remaining| (Timestamp::now() + remaining).as_second()),
        permissions: permissions(&held.token, needed),
    });
    Some(TokenFacts {
        consumer: consumer.name(),
        is_good: tokens.health() == TokenHealth::Good,
        clock_ahead: tokens.clock_ahead(),
        current,
    })
}

impl Consumer {
    /// The permissions that the rules need and the token in use lacks. Empty if there is no token, or it cannot be read.
    pub(crate) fn missing_permissions(&self) -> Vec<String> {
        let current = facts(self).and_then(|facts| facts.current);
        let permissions = current.map(|current| current.permissions).unwrap_or_default();
        permissions.into_iter().filter(|(_, is_there)| !is_there).map(|(name, _)| name).collect()
    }
}

/// Which of the needed permissions a token has. Empty if it cannot be read.
fn permissions(token: &AccessToken, needed: &[Permission]) -> Vec<(String, bool)> {
    let Some(roles) = roles(token) else { return Vec::new() };
    let missing = compare(needed, &roles).missing;
    let is_there = |name: &String| !missing.iter().any(|missing| missing.permission == *name);
    needed.iter().filter_map(|it| it.any_of.first()).map(|name| (name.clone(), is_there(name))).collect()
}

/// Whether one of the permissions opens the endpoint.
fn opens(roles: &[String], endpoint: &Endpoint) -> bool {
    any_opens(roles.iter().map(String::as_str), endpoint) == Some(true)
}

fn has_more(newer: &AccessToken, had: Option<&[String]>) -> bool {
    match (roles(newer), had) {
        (Some(has), Some(had)) => has.iter().any(|role| !had.contains(role)),
        _ => true,
    }
}

/// The permissions in a token. `None` if it cannot be read, as is its issuer's right.
fn roles(token: &AccessToken) -> Option<Vec<String>> {
    AccessClaims::read(token.secret().expose()).map(|claims| claims.roles)
}
