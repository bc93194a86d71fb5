//! Output is closed: whatever Graph responds, each value that leaves under the shipped rules is a boolean, a number, a
//! time, a word of a list, a token or a sealed link. The fuzz target `sanitizer` asserts the same of arbitrary bytes, and
//! `canaries` of whole responses through the proxy.

use std::sync::{Arc, LazyLock};

use glassine_core::rules::automaton::{Automaton, Effect, Leaf, Location, NodeId, Step};
use glassine_core::rules::plan::{Endpoint, Kept, Transform};
use glassine_core::sanitize::Counters;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Map, Value, json};

use crate::support::closed::Closed;
use crate::support::glassine::{METADATA_ONLY, OUTLOOK_MAIL};
use crate::support::sanitizing::{DOMAIN, PROXY, plan, sanitize, with_body};

const CONNECTORS: [&str; 2] = [METADATA_ONLY, OUTLOOK_MAIL];

/// What people write, also in forms that look like something else.
const FREE: [&str; 24] = [
    "",
    "Bob",
    "call me",
    "Alice Smith is ill",
    "#call Alice",
    "#microsoft.graph.Alice",
    "Alice, room 3",
    "Alice.Smith-is-on-sick-leave",
    "2026-11-26T08:30:00Z Alice",
    "2026-11-26T08:30:00ZAlice",
    "08:30:00 in room 3",
    "W. Europe Standard Time (Alice)",
    "Low",
    "low ",
    "true",
    "42",
    "alice@contoso.com",
    "smtp:alice@contoso.com",
    "alice@alice-smith-is-ill.example",
    "t~Alice",
    "p~Alice",
    "\"quoted\" \\ text\n",
    "grüße 👋",
    "https://graph.microsoft.com/v1.0/users?$skiptoken=alice",
];

fn endpoints(rules: &str) -> Vec<Arc<Endpoint>> {
    plan(rules).endpoints
}

/// The endpoints of each connector.
static PLANS: LazyLock<[Vec<Arc<Endpoint>>; 2]> = LazyLock::new(|| CONNECTORS.map(endpoints));
static CLOSED: LazyLock<[Closed; 2]> = LazyLock::new(|| CONNECTORS.map(closed));

fn closed(rules: &str) -> Closed {
    Closed::new(rules, &[DOMAIN], PROXY)
}

/// Any value where the automaton expects one, most often a container that goes on.
fn value(automaton: &Automaton, id: NodeId, depth: usize) -> BoxedStrategy<Value> {
    let node = automaton.node(id);
    let mut forms = vec![(3, leaf().boxed())];
    if depth > 0 {
        if node.object.is_some() {
            forms.push((6, object(automaton, id, depth - 1)));
        }
        if let Some(inner) = node.array.as_ref().and_then(|array| array.element(u64::MAX)) {
            forms.push((
                6,
                prop::collection::vec(value(automaton, inner, depth - 1), 0..3)
                    .prop_map(Value::Array)
                    .boxed(),
            ));
        }
    }
    prop::strategy::Union::new_weighted(forms).boxed()
}

/// An object with some of the names that the rules know, and one that they do not.
fn object(automaton: &Automaton, id: NodeId, depth: usize) -> BoxedStrategy<Value> {
    let known = automaton.node(id).object.iter().flat_map(|object| object.members());
    let members: Vec<_> = known
        .map(|member| {
            let inner = match member.node {
                Some(inner) => value(automaton, inner, depth),
                None => leaf().boxed(),
            };
            let name = member.name.to_string();
            prop::option::of(inner).prop_map(move |value| value.map(|value| (name.clone(), value)))
        })
        .collect();
    let other = (prop::sample::select(FREE.as_slice()), leaf());
    (members, other)
        .prop_map(|(members, (name, value))| {
            let mut object: Map<_, _> = members.into_iter().flatten().collect();
            object.entry(name).or_insert(value);
            Value::Object(object)
        })
        .boxed()
}

fn leaf() -> impl Strategy<Value = Value> {
    let proper = prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(17),
        json!(-1.5e300),
        json!("low"),
        json!("flagged"),
        json!("#microsoft.graph.user"),
        json!("2026-11-26T08:30:00.0000000"),
        json!("2026-11-26"),
        json!("Pacific Standard Time"),
    ]);
    prop_oneof![
        4 => prop::sample::select(FREE.as_slice()).prop_map(Value::from),
        3 => proper,
        2 => ".{0,40}".prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
    ]
}

fn document() -> impl Strategy<Value = (usize, usize, Value)> {
    let pairs: Vec<_> =
        PLANS.iter().enumerate().flat_map(|(rules, all)| (0..all.len()).map(move |at| (rules, at))).collect();
    prop::sample::select(pairs).prop_flat_map(|(rules, at)| {
        let automaton = &PLANS[rules][at].response.body().automaton;
        (Just(rules), Just(at), object(automaton, automaton.root(), 6))
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Off) as _),
        cases: 1500,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_graph_responds_what_leaves_is_closed((rules, at, document) in document()) {
        let endpoint = &PLANS[rules][at];
        let context = with_body(Arc::clone(endpoint.response.body()));
        if let Ok((response, _)) = sanitize(&context, &document.to_string()) {
            let response = serde_json::from_str(&response).unwrap();
            prop_assert_eq!(CLOSED[rules].violations(&response), Vec::<String>::new(), "{}", document);
        }
    }
}

/// The document with nothing but a value at this place, and a page around it if the endpoint's responses are pages.
fn planted(endpoint: &Endpoint, at: &Location, value: &Value) -> Value {
    let mut document = at.0.iter().rev().fold(value.clone(), |inner, step| match step {
        Step::Name(name) => json!({ &**name: inner }),
        Step::Index(_) | Step::OtherElements => json!([inner]),
        Step::OtherNames => panic!("the shipped rules name what leaves"),
    });
    if endpoint.response.body().automaton.page().is_some() && document.get("value").is_none() {
        document["value"] = json!([]);
    }
    document
}

/// What leaves of the value at this place.
fn response(endpoint: &Endpoint, at: &Location, value: &Value) -> (String, Counters) {
    let context = with_body(Arc::clone(endpoint.response.body()));
    sanitize(&context, &planted(endpoint, at, value).to_string()).unwrap()
}

/// Every place where a value is kept: its endpoint, the place, what it may be.
fn kept(rules: &str) -> Vec<(Arc<Endpoint>, Location, Kept)> {
    let mut all = Vec::new();
    for endpoint in endpoints(rules) {
        for place in endpoint.response.body().automaton.describe() {
            if let Effect::Leaves(Leaf::Keep(kept)) = place.effect {
                all.push((Arc::clone(&endpoint), place.at, kept));
            }
        }
    }
    all
}

/// Values that are not of this kind, so that nothing of them may leave.
fn foreign(kept: &Kept) -> Vec<Value> {
    let mut all: Vec<_> = FREE.iter().map(|text| json!(text)).collect();
    all.extend([json!({ "Alice": "Smith" }), json!(["Alice"])]);
    match kept {
        Kept::Boolean => all.push(json!(4_917_012_345_678_u64)),
        Kept::Number => all.push(json!(true)),
        Kept::Time | Kept::OneOf(_) | Kept::TimeZone(_) => {
            all.extend([json!(true), json!(4_917_012_345_678_u64)])
        }
        Kept::Text => panic!("the shipped rules have no text"),
    }
    all
}

fn proper(kept: &Kept) -> Value {
    match kept {
        Kept::Time => json!("2026-11-26T08:30:00.1234567Z"),
        Kept::Boolean => json!(true),
        Kept::Number => json!(31),
        Kept::OneOf(words) => json!(words.texts().last()),
        Kept::TimeZone(words) => json!(words.texts().nth(300)),
        Kept::Text => panic!("the shipped rules have no text"),
    }
}

/// Graph could once answer `"isRead": "Bob"`, and Bob arrived.
#[test]
fn free_text_in_a_kept_leaf_does_not_leave_and_is_counted() {
    for (rules, closed) in CONNECTORS.into_iter().zip(&*CLOSED) {
        let all = kept(rules);
        assert!(all.len() > 100, "{}", all.len());
        for (endpoint, at, kept) in all {
            for value in foreign(&kept) {
                // An array may be what stands here: its elements are then other places.
                let (response, counters) = response(&endpoint, &at, &value);
                let what = format!("{} {at}: {value} left as {response}", endpoint.name);
                let left = (counters.kept, counters.transformed, counters.too_long);
                assert_eq!((left, counters.not_understood), ((0, 0, 0), 1), "{what}");
                let response = serde_json::from_str(&response).unwrap();
                assert_eq!(closed.violations(&response), [""; 0], "{what}");
            }
        }
    }
}

#[test]
fn what_a_kept_leaf_is_for_leaves_as_it_is_and_so_does_null() {
    for rules in CONNECTORS {
        for (endpoint, at, kept) in kept(rules) {
            for value in [proper(&kept), json!(null)] {
                let (response, counters) = response(&endpoint, &at, &value);
                assert_eq!((counters.kept, counters.not_understood), (1, 0), "{at}: {value}");
                let response: Value = serde_json::from_str(&response).unwrap();
                assert_eq!(response, planted(&endpoint, &at, &value));
            }
        }
    }
}

/// Each loosening of the rules that lets text out is found.
#[test]
fn the_theorem_fails_for_rules_that_keep_text() {
    let loosened = |from: &str, to: &str| {
        let rules = METADATA_ONLY.replace(from, to);
        assert_ne!(rules, METADATA_ONLY);
        rules
    };
    for (rules, path) in [
        (loosened("booleans: [$.accountEnabled]", "text: [$.accountEnabled]"), ["accountEnabled"]),
        (loosened("numbers: [$.childFolderCount", "text: [$.childFolderCount"), ["childFolderCount"]),
        (
            loosened("      time_zones:\n        - $.timeZone", "      text:\n        - $.timeZone"),
            ["timeZone"],
        ),
        (
            loosened("- { path: $.userType, values: [Member, Guest] }", "[]\n      text: [$.userType]"),
            ["userType"],
        ),
        (
            loosened("times: [$.createdDateTime, $.last", "text: [$.createdDateTime, $.last"),
            ["createdDateTime"],
        ),
    ] {
        let endpoint = endpoints(&rules).into_iter().find(|endpoint| {
            let automaton = &endpoint.response.body().automaton;
            let node = automaton.find(automaton.root(), path);
            automaton.page().is_none() && node.is_some_and(|node| node.leaf == Leaf::Keep(Kept::Text))
        });
        let at = Location(path.iter().map(|name| Step::Name((*name).into())).collect());
        let (response, _) = response(&endpoint.unwrap(), &at, &json!("Alice Smith is ill"));
        let response = serde_json::from_str(&response).unwrap();
        assert_eq!(closed(METADATA_ONLY).violations(&response).len(), 1, "{response}");
    }
}

/// Of a transform, too, nothing leaves but tokens.
#[test]
fn free_text_in_a_transformed_leaf_leaves_as_a_token_or_not_at_all() {
    for (endpoints, closed) in PLANS.iter().zip(&*CLOSED) {
        for endpoint in endpoints {
            for place in endpoint.response.body().automaton.describe() {
                let Effect::Leaves(Leaf::Transform(transform)) = &place.effect else { continue };
                if matches!(transform, Transform::Link(_)) {
                    continue;
                }
                for text in FREE {
                    let (response, _) = response(endpoint, &place.at, &json!(text));
                    let response = serde_json::from_str(&response).unwrap();
                    assert_eq!(
                        closed.violations(&response),
                        [""; 0],
                        "{} {}: {text}",
                        endpoint.name,
                        place.at
                    );
                }
            }
        }
    }
}
