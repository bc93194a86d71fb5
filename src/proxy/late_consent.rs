//! A permission that was granted after the token was issued: the token does not have it, and Graph denies what it opens.

use std::sync::Arc;

use http::StatusCode;
use jiff::Timestamp;

use super::consumer::Consumer;
use super::graph_error::{GraphError, NO_PERMISSIONS};
use crate::metrics::{CurrentToken, TokenFacts};
use crate::upstream::{AccessToken, TokenHealth, TokenSource};
use glassine_core::grants::{AccessClaims, compare};
use glassine_core::rules::known::any_opens;
use glassine_core::rules::plan::{Endpoint, Permission};

/// The codes of the directory and of Exchange for a permission that the token does not have. Exchange has the second one for a
/// mailbox that is closed to the application, too.
const DENIED: [&str; 4] = [
    "Authorization_RequestDenied",
    "ErrorAccessDenied",
    "ErrorInsufficientPermissionsInAccessToken",
    NO_PERMISSIONS,
];

/// Another token for a request that Graph denied with `token`, if a permission that `token` lacks explains the denial, and
/// the other token has more permissions or cannot be read. [`TokenSource::token_after`] bounds how often the issuer is asked.
pub(super) async fn newer_token(
    tokens: &TokenSource,
    token: &Arc<AccessToken>,
    denial: &GraphError,
    endpoint: &Endpoint,
) -> Option<Arc<AccessToken>> {
    let had = roles(token);
    if !may_be_for_lack(denial, had.as_deref(), endpoint) {
        return None;
    }
    let newer = tokens.token_after(token).await?;
    has_more(&newer, had.as_deref()).then_some(newer)
}

/// Whether a permission that the token lacks explains the denial. A token that can be read shows it, whatever the code is.
fn may_be_for_lack(denial: &GraphError, had: Option<&[String]>, endpoint: &Endpoint) -> bool {
    denial.status == StatusCode::FORBIDDEN
        && match had {
            Some(had) => !opens(had, endpoint),
            None => denial.code.as_ref().is_some_and(|code| DENIED.contains(code.get())),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use glassine_core::rules::compile;
    use glassine_core::sanitize::{Raw, gate};

    const RULES: &str = include_str!("../../rules/outlook-mail-metadata-only.yaml");

    /// Whether a denial with this code, if any, of a request for messages is for lack of a permission.
    fn lacks(status: StatusCode, code: &str, had: Option<&[&str]>) -> bool {
        let plan = compile("rules.yaml", RULES).plan.unwrap();
        let endpoint = plan.endpoints.iter().find(|endpoint| endpoint.name == "list-messages").unwrap();
        let body = format!(r#"{{"error":{{"code":"{code}"}}}}"#);
        let code = gate::error_code(Raw::new(body.into_bytes()).bytes());
        let (headers, in_mailbox) = (Vec::new(), true);
        let denial = GraphError { status, code, headers, retry_after: None, fate: None, in_mailbox };
        let had = had.map(|had| had.iter().map(|role| (*role).to_owned()).collect::<Vec<_>>());
        may_be_for_lack(&denial, had.as_deref(), endpoint)
    }

    /// Regression: a 403 whose code was lost, or is not in the list, asked for no other token.
    #[test]
    fn a_token_that_can_be_read_explains_a_denial_whatever_its_code_is() {
        for code in ["ErrorAccessDenied", "Forbidden", "accessDenied", ""] {
            assert!(lacks(StatusCode::FORBIDDEN, code, Some(&["User.Read.All"])), "{code}");
            assert!(lacks(StatusCode::FORBIDDEN, code, Some(&[])), "{code}");
            assert!(!lacks(StatusCode::FORBIDDEN, code, Some(&["Mail.Read"])), "{code}");
        }
        assert!(!lacks(StatusCode::NOT_FOUND, "ErrorItemNotFound", Some(&[])));
    }

    #[test]
    fn without_permissions_to_read_the_code_explains_it() {
        for code in ["Authorization_RequestDenied", "ErrorAccessDenied", "NoPermissionsInAccessToken"] {
            assert!(lacks(StatusCode::FORBIDDEN, code, None), "{code}");
        }
        for code in ["accessDenied", ""] {
            assert!(!lacks(StatusCode::FORBIDDEN, code, None), "{code}");
        }
    }
}
