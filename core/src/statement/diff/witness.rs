//! Shows that more leaves: a request, and a response of Graph of which more leaves under the new rules. Nothing is taken on
//! trust: each candidate goes through the sanitizer under both rules.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Side;
use crate::pseudonym::{Class, Outcome};
use crate::rules::automaton::{Automaton, Described, Effect, Leaf, Location};
use crate::rules::plan::{Endpoint, Kept, Param, PseudonymKind, Transform};
use crate::rules::template::Part;
use crate::statement::probe::{self, document, leaf, sanitized};

/// The id that stands in requests, as a token.
const ID: &str = "00000000-1111-4222-8333-444444444444";

/// A request, what Graph responds, and what leaves of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The consumer's request.
    pub request: String,
    /// Graph's response.
    pub graph: String,
    /// What leaves under the old rules; `None`: the request is refused.
    pub old: Option<String>,
    /// What leaves under the new rules.
    pub new: String,
}

/// A response of an endpoint that the old rules do not have.
pub(super) fn of_endpoint(new: &Side, endpoint: &Arc<Endpoint>) -> Option<Witness> {
    let body = endpoint.response.body();
    let leaving = |place: &Described| {
        matches!(place.effect, Effect::Leaves(_)) && !place.at.to_string().contains("@odata")
    };
    let places: Vec<_> = body.automaton.describe().into_iter().filter(leaving).collect();
    let found = places.into_iter().find_map(|place| {
        candidates(&body.automaton, &place.at).into_iter().find_map(|value| {
            let graph = document(&body.automaton, &place.at, &value)?;
            let left = sanitized(body, &new.keys, &graph)?;
            left.contains(':').then_some((graph, left))
        })
    });
    let (graph, left) = found?;
    Some(Witness { request: request(new, endpoint), graph: graph.to_string(), old: None, new: left })
}

/// A response of which more leaves at this place.
pub(super) fn of_place(
    (old, before): (&Side, &Arc<Endpoint>),
    (new, after): (&Side, &Arc<Endpoint>),
    at: &Location,
) -> Option<Witness> {
    let (one, other) = (before.response.body(), after.response.body());
    candidates(&other.automaton, at).into_iter().find_map(|value| {
        let graph = document(&other.automaton, at, &value)?;
        let (left_before, left_now) =
            (sanitized(one, &old.keys, &graph)?, sanitized(other, &new.keys, &graph)?);
        (left_before != left_now && left_now.len() >= left_before.len()).then(|| Witness {
            request: request(new, after),
            graph: graph.to_string(),
            old: Some(left_before),
            new: left_now,
        })
    })
}

/// A response with an address of a domain that nobody listed.
pub(super) fn of_address(old: &Side, new: &Side) -> Option<Witness> {
    new.plan.endpoints.iter().find_map(|endpoint| {
        let body = endpoint.response.body();
        let places = body.automaton.describe().into_iter();
        let is_address = |place: &Described| {
            matches!(
                place.effect,
                Effect::Leaves(Leaf::Transform(Transform::Pseudonym(PseudonymKind::Email)))
            )
        };
        places.filter(is_address).find_map(|place| {
            let graph = document(&body.automaton, &place.at, &json!("bob@fabrikam.example"))?;
            let (left, leaves) = (sanitized(body, &old.keys, &graph)?, sanitized(body, &new.keys, &graph)?);
            (left != leaves).then(|| Witness {
                request: request(new, endpoint),
                graph: graph.to_string(),
                old: Some(left),
                new: leaves,
            })
        })
    })
}

/// The request with the first value of each parameter.
pub(super) fn request(side: &Side, endpoint: &Endpoint) -> String {
    let part = |part: &Part| match part {
        Part::Param(name) => endpoint.param(name).map_or_else(String::new, |param| value(side, param)),
        written => written.to_string(),
    };
    let path: Vec<_> = endpoint.template.all().map(part).collect();
    format!("GET /{}", path.join("/"))
}

fn value(side: &Side, param: &Param) -> String {
    match param.one_of.first() {
        Some(name) => name.clone(),
        None if param.token.is_some() => {
            let mut token = Vec::new();
            match side.keys.reversible(Class::Id, ID, &mut token) {
                Outcome::Written => String::from_utf8(token).unwrap_or_default(),
                Outcome::Empty | Outcome::NotUnderstood => ID.to_owned(),
            }
        }
        None => ID.to_owned(),
    }
}

/// Values of which something may leave at this place: those that its leaf is for, then some of every kind.
fn candidates(automaton: &Automaton, at: &Location) -> Vec<Value> {
    let mut all = Vec::new();
    if let Some(Leaf::Keep(Kept::Text) | Leaf::Transform(Transform::Digest)) = leaf(automaton, at) {
        all.push(json!("Alice Smith is ill"));
    }
    if let Some(Leaf::Transform(Transform::Pseudonym(_) | Transform::Domain)) = leaf(automaton, at) {
        all.push(json!("alice.smith@contoso.com"));
    }
    if let Some(Leaf::Transform(Transform::Headers(headers))) = leaf(automaton, at) {
        all.push(probe::list_of(headers.all()));
    }
    if let Some(Leaf::Transform(Transform::ReplyDepth)) = leaf(automaton, at) {
        all.push(json!(probe::SECOND_REPLY));
    }
    if let Some(Leaf::Transform(Transform::Reversible(_))) = leaf(automaton, at) {
        all.push(json!(ID));
    }
    if let Some(Leaf::Keep(Kept::OneOf(words))) = leaf(automaton, at) {
        all.extend(words.texts().map(Value::from));
    }
    if let Some(Leaf::Transform(Transform::Match(parts))) = leaf(automaton, at) {
        let words = parts.keep.iter().flat_map(|group| group.words.texts());
        all.extend(words.map(|word| json!(format!("{word}alice.smith@contoso.com"))));
    }
    all.extend([
        json!("2026-11-26T08:30:47.1234567Z"),
        json!(true),
        json!(31),
        json!("W. Europe Standard Time"),
        json!("Alice Smith is ill"),
        json!("alice.smith@contoso.com"),
        json!("SMTP:alice.smith@contoso.com"),
        json!("192.0.2.17"),
        json!({}),
        json!([]),
        json!({ "example": "Alice Smith is ill" }),
    ]);
    all
}
