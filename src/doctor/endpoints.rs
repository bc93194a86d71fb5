//! One request to each endpoint of a consumer's rules, through the same steps as the consumer's requests. A finding
//! reports the number of objects and the names of their properties, never a value.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::findings::{Finding, Outcome};
use super::known::{Filled, Known};
use super::permissions::Grantee;
use super::trouble::{Denied, NETWORK, advice};
use crate::proxy::{Cause, Consumer, ProxyState, Trouble, attempt};
use glassine_core::admit::Request;
use glassine_core::catalogue::permissions::is_for_mailboxes;
use glassine_core::graph::{OptionName, is_plain_identifier};
use glassine_core::rules::Plan;
use glassine_core::rules::plan::{Endpoint, Permission, ValuePolicy};

/// The time limit of one request. Graph sends such small pages within a second.
const LIMIT: Duration = Duration::from_secs(8);

/// How many objects to request: several, because some accounts of a directory have no mailbox.
const PAGE: u32 = 10;

/// How many accounts to try until one has a mailbox.
const TRIES: usize = PAGE as usize;

/// How many accounts to try until Exchange opens one's mailbox. A policy that excludes many mailboxes excludes these too.
const DENIED_TRIES: usize = 4;

/// Sends requests as a consumer, until a deadline.
pub(super) struct Asker<'a> {
    pub(super) state: &'a ProxyState,
    pub(super) consumer: &'a Arc<Consumer>,
    /// The permissions in the token. `None` if the token cannot be read.
    pub(super) roles: Option<&'a [String]>,
    pub(super) grantee: &'a Grantee,
    pub(super) deadline: Instant,
}

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoResponse {
    #[error(transparent)]
    Trouble(#[from] Trouble),
    #[error("no response in time")]
    Late,
    #[error("the response is not JSON")]
    Json(#[from] serde_json::Error),
}

/// How a try of an endpoint ended.
pub(super) enum Attempt {
    /// With a document.
    Document(Value),
    /// No request was sent, for this reason.
    None(String),
    /// Without a document from any of so many objects.
    Failed(NoResponse, usize),
}

/// The finding for each endpoint, in the order of the rules.
pub(super) struct Tried<'a>(Vec<(&'a Endpoint, Finding)>);

impl Tried<'_> {
    pub(super) fn findings(&self) -> impl Iterator<Item = Finding> {
        self.0.iter().map(|(_, finding)| finding.clone())
    }

    /// Whether a request to an endpoint behind this permission succeeded. `None` if no such request was sent.
    pub(super) fn witness(&self, permission: &Permission) -> Option<bool> {
        let behind = self.0.iter().filter(|(endpoint, _)| permission.opens(endpoint) == Some(true));
        let asked = behind.filter(|(_, finding)| finding.outcome != Outcome::Skip);
        asked.map(|(_, finding)| finding.outcome == Outcome::Ok).reduce(|one, other| one || other)
    }
}

/// The endpoints with their places in the rules, those with short paths first: their responses give the ids for longer ones.
pub(super) fn shortest_first(plan: &Plan) -> Vec<(usize, &Endpoint)> {
    let mut order: Vec<_> = plan.endpoints.iter().map(Arc::as_ref).enumerate().collect();
    order.sort_by_key(|(_, endpoint)| endpoint.template.parts.len());
    order
}

impl<'a> Asker<'a> {
    /// Tries every endpoint.
    pub(super) async fn try_all(&self, mut known: Known) -> Tried<'a> {
        let mut found = Vec::new();
        for (place, endpoint) in shortest_first(&self.consumer.policy().plan) {
            found.push((place, endpoint, self.try_one(endpoint, &mut known).await));
        }
        found.sort_by_key(|(place, ..)| *place);
        Tried(found.into_iter().map(|(_, endpoint, finding)| (endpoint, finding)).collect())
    }

    async fn try_one(&self, endpoint: &Endpoint, known: &mut Known) -> Finding {
        match self.try_objects(endpoint, known).await {
            Attempt::Document(document) => Finding::ok(&endpoint.name, told(&document)),
            Attempt::None(reason) => Finding::skip(&endpoint.name, reason),
            Attempt::Failed(no_response, tried) => {
                let others = if known.has_named() { None } else { Some(tried) };
                self.no_response(endpoint, &no_response, others)
            }
        }
    }

    /// Tries an endpoint, with one object after the other until one has what is asked for.
    pub(super) async fn try_objects(&self, endpoint: &Endpoint, known: &mut Known) -> Attempt {
        let candidates = match known.candidates(endpoint) {
            Ok(candidates) => candidates,
            Err(unfilled) => return Attempt::None(unfilled.to_string()),
        };
        let mut last = Attempt::None("no time is left: earlier responses took too long".to_owned());
        for (place, filled) in candidates.into_iter().take(TRIES).enumerate() {
            if Instant::now() >= self.deadline {
                return last;
            }
            match self.ask(endpoint, &filled).await {
                Ok(document) => {
                    filled.root.iter().for_each(|root| known.prefer(root));
                    known.learn(&filled.path, &document);
                    return Attempt::Document(document);
                }
                Err(no_response) => {
                    let is_final =
                        filled.root.is_none() || !self.may_open_another(endpoint, &no_response, place + 1);
                    last = Attempt::Failed(no_response, place + 1);
                    if is_final {
                        return last;
                    }
                }
            }
        }
        last
    }

    /// Whether the request may succeed for another object, after so many tries: this one is not there, or Exchange keeps the
    /// application out of this mailbox although it has the permission.
    fn may_open_another(&self, endpoint: &Endpoint, no_response: &NoResponse, tried: usize) -> bool {
        let is_in_mailbox = endpoint.least_permission().is_some_and(is_for_mailboxes);
        let may_be_granted = self.roles.is_none() || self.denied(endpoint, None).is_granted();
        no_response.has_status(StatusCode::NOT_FOUND)
            || (no_response.has_status(StatusCode::FORBIDDEN)
                && is_in_mailbox
                && may_be_granted
                && tried < DENIED_TRIES)
    }

    /// Requests the document that the consumer would get.
    pub(super) async fn ask(&self, endpoint: &Endpoint, filled: &Filled) -> Result<Value, NoResponse> {
        self.ask_for(endpoint, filled, PAGE).await
    }

    /// [`Self::ask`] for about this many objects.
    pub(super) async fn ask_for(
        &self,
        endpoint: &Endpoint,
        filled: &Filled,
        count: u32,
    ) -> Result<Value, NoResponse> {
        let top = match endpoint.query.value(&OptionName::Top) {
            Some((_, ValuePolicy::Integer(range))) => {
                Some(format!("?$top={}", count.clamp(range.min, range.max)))
            }
            _ => None,
        };
        let target = format!("{}{}", filled.path, top.unwrap_or_default());
        let size = endpoint.max_page_size.map(|range| count.clamp(range.min, range.max));
        let prefer = size.map(|size| format!("odata.maxpagesize={size}"));
        let request = Request { method: "GET", target: &target, prefer: prefer.as_deref(), eventual: false };
        let until = self.deadline.min(Instant::now() + LIMIT);
        let document = timeout_at(until, attempt(self.state, self.consumer, &request)).await;
        let document = document.map_err(|_| NoResponse::Late)??;
        Ok(serde_json::from_slice(document.get())?)
    }

    /// `tried`: with how many objects that the doctor chose; `None` if the operator named the object.
    fn no_response(&self, endpoint: &Endpoint, no_response: &NoResponse, tried: Option<usize>) -> Finding {
        let NoResponse::Trouble(trouble) = no_response else {
            return Finding::fail(&endpoint.name, no_response.to_string(), NETWORK);
        };
        advice(&endpoint.name, trouble, &self.denied(endpoint, tried))
    }

    fn denied<'e>(&'e self, endpoint: &'e Endpoint, tried: Option<usize>) -> Denied<'e> {
        Denied { endpoint, roles: self.roles, grantee: self.grantee, tried }
    }
}

impl NoResponse {
    /// Whether Graph's response has this error status.
    pub(super) fn has_status(&self, expected: StatusCode) -> bool {
        let Self::Trouble(trouble) = self else { return false };
        matches!(trouble.cause(), Cause::Graph { status, .. } if status == expected)
    }
}

/// The number of objects, and the properties that leave.
fn told(document: &Value) -> String {
    let page = document.get("value").and_then(Value::as_array);
    let (count, objects) = match (page, document) {
        (Some(page), _) => (format!("200, objects: {}", page.len()), page.iter().collect()),
        (None, Value::Object(_)) => ("200, one object".to_owned(), vec![document]),
        (None, _) => return "200, a number".to_owned(),
    };
    let names: BTreeSet<_> =
        objects.into_iter().filter_map(Value::as_object).flat_map(|it| it.keys()).collect();
    // With `unlisted: keep`, a property's name can be any text from the tenant. Show only plain identifiers.
    let names: Vec<_> = names.into_iter().filter(|name| is_name(name)).map(String::as_str).collect();
    if names.is_empty() { count } else { format!("{count}; properties: {}", names.join(", ")) }
}

fn is_name(name: &str) -> bool {
    is_plain_identifier(name.trim_start_matches('@'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_response_is_described_without_its_values() {
        let page = json!({ "value": [{ "id": "p~A", "mail": null }, { "id": "p~B", "isRead": true }] });
        assert_eq!(told(&page), "200, objects: 2; properties: id, isRead, mail");
        assert_eq!(told(&json!({ "value": [] })), "200, objects: 0");
        let odd = json!({ "timeZone": "UTC", "Alice's note": 1, "@odata.type": "x" });
        assert_eq!(told(&odd), "200, one object; properties: @odata.type, timeZone");
        assert_eq!(told(&json!(12)), "200, a number");
    }
}
