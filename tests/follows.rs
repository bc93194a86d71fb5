//! What a filter tells follows from what leaves: a consumer that has every object of a list, unfiltered, can say itself which
//! of them a filter chooses. Graph here has hidden values everywhere, and filters by them.

use std::sync::Arc;

use glassine_core::graph::filter::{Filter, Operator};
use glassine_core::graph::{Literal, OptionName, PropertyPath, Target, option};
use glassine_core::rules::automaton::Leaf;
use glassine_core::rules::compile;
use glassine_core::rules::plan::{Comparator, Comparison, Endpoint, Kept, Transform};
use serde_json::{Value, json};

use crate::oracle::quick;
use crate::support::glassine::{Glassine, METADATA_ONLY, Setup};
use crate::support::upstream::{FakeUpstream, Received, Script};

/// The lists, and how many filters are asked of each.
const LISTS: [&str; 5] = ["list-users", "list-groups", "list-messages", "list-mail-folders", "list-contacts"];
const FILTERS: usize = 300;
const OBJECTS: usize = 16;

/// Numbers that look random, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).unwrap()).unwrap()
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.roll(all.len())]
    }
}

/// What leaves at the end of a comparison's path.
fn leaf<'e>(endpoint: &'e Endpoint, comparison: &Comparison) -> &'e Leaf {
    let automaton = &endpoint.response.body().automaton;
    let names: Vec<_> = comparison.property.split('/').collect();
    let mut at = endpoint.response.body().object();
    for (taken, name) in names.iter().enumerate() {
        if comparison.collection == Some(taken) {
            at = automaton.node(at).array.as_ref().unwrap().element(0).unwrap();
        }
        at = automaton.node(at).object.as_ref().unwrap().member(name).unwrap().1.node.unwrap();
    }
    if comparison.collection == Some(names.len()) {
        at = automaton.node(at).array.as_ref().unwrap().element(0).unwrap();
    }
    &automaton.node(at).leaf
}

/// A value that Graph could have: also one that does not leave.
fn raw_value(leaf: &Leaf, dice: &mut Dice) -> Value {
    if dice.roll(4) == 0 {
        return Value::Null;
    }
    match leaf {
        Leaf::Keep(Kept::Boolean) => (dice.roll(2) == 0).into(),
        Leaf::Keep(Kept::Number) => dice.roll(4).into(),
        Leaf::Keep(Kept::Time) => format!("2026-01-0{}T0{}:00:00Z", 1 + dice.roll(3), dice.roll(3)).into(),
        Leaf::Keep(Kept::OneOf(words)) => {
            let hidden = ["Alice", "Bob"];
            let all: Vec<_> = words.texts().chain(hidden).collect();
            (*dice.pick(&all)).into()
        }
        Leaf::Transform(Transform::Reversible(_)) => format!("id-{}", dice.roll(4)).into(),
        _ => format!("alice{}@contoso.com", dice.roll(4)).into(),
    }
}

/// A constant that a filter may compare with, as OData; `token` makes a consumer's token of an id.
fn literal(leaf: &Leaf, dice: &mut Dice, token: impl Fn(&str) -> String) -> String {
    match leaf {
        Leaf::Keep(Kept::OneOf(words)) => format!("'{}'", dice.pick(&words.texts().collect::<Vec<_>>())),
        Leaf::Transform(Transform::Reversible(_)) => format!("'{}'", token(&format!("id-{}", dice.roll(4)))),
        _ => match raw_value(leaf, dice) {
            Value::String(text) => text,
            other => other.to_string(),
        },
    }
}

fn comparison(endpoint: &Endpoint, dice: &mut Dice, token: impl Fn(&str) -> String) -> String {
    let own = dice.pick(&endpoint.query.filter);
    let leaf = leaf(endpoint, own);
    let by = *dice.pick(&own.operators);
    let mut constant = literal(leaf, dice, &token);
    if by.is_by_order() && constant == "null" {
        constant = literal(&Leaf::Keep(Kept::Time), &mut Dice(1), &token);
        if matches!(leaf, Leaf::Keep(Kept::Number)) {
            constant = "1".to_owned();
        }
    }
    let compare = match by {
        Comparator::Present => format!("{} null", dice.pick(&["eq", "ne"])),
        Comparator::In => format!("in ({constant},{})", literal(leaf, dice, &token)),
        by => format!("{} {constant}", by.as_str()),
    };
    match own.collection {
        Some(at) => {
            let names: Vec<_> = own.property.split('/').collect();
            let (collection, inside) = names.split_at(at);
            let inside = [&["c"], inside].concat().join("/");
            format!("{}/any(c:{inside} {compare})", collection.join("/"))
        }
        None => format!("{} {compare}", own.property),
    }
}

fn filter(endpoint: &Endpoint, dice: &mut Dice, token: impl Fn(&str) -> String) -> String {
    let one = comparison(endpoint, dice, &token);
    let other = comparison(endpoint, dice, &token);
    match dice.roll(5) {
        0 => format!("{one} and {other}"),
        1 => format!("{one} or not ({other})"),
        2 => format!("not ({one})"),
        _ => one,
    }
}

/// Objects with a value, perhaps a hidden one, for each property that can be compared.
fn objects(endpoint: &Endpoint, dice: &mut Dice) -> Vec<Value> {
    let object = |at: usize, dice: &mut Dice| {
        let mut object = json!({});
        for own in &endpoint.query.filter {
            let leaf = leaf(endpoint, own);
            let value = match own.collection {
                None => raw_value(leaf, dice),
                Some(_) => (0..dice.roll(3)).map(|_| raw_value(leaf, dice)).collect(),
            };
            *place(&mut object, &own.property) = value;
        }
        object["id"] = format!("id-{at}").into();
        object
    };
    (0..OBJECTS).map(|at| object(at, dice)).collect()
}

fn place<'o>(object: &'o mut Value, property: &str) -> &'o mut Value {
    property.split('/').fold(object, |at, name| &mut at[name])
}

/// How somebody reads a value.
enum Read<'v> {
    /// There is one, and it does not leave.
    Hidden,
    Value(&'v Value),
}

/// The value as its owner reads it: what is not there is null.
fn by_graph<'v>(object: &'v Value, path: &[String]) -> Read<'v> {
    Read::Value(path.iter().fold(object, |at, name| &at[name.as_str()]))
}

/// The value as a consumer reads it: Graph sends every property, so what is not there is hidden.
fn by_consumer<'v>(object: &'v Value, path: &[String]) -> Read<'v> {
    let mut at = object;
    for name in path {
        match at.get(name.as_str()) {
            Some(value) => at = value,
            None if at.is_null() => return Read::Value(at),
            None => return Read::Hidden,
        }
    }
    Read::Value(at)
}

type Reader = for<'v> fn(&'v Value, &[String]) -> Read<'v>;

fn holds(filter: &Filter, object: &Value, read: Reader) -> bool {
    holds_of(filter, object, &[], read)
}

/// `within`: the names that lead to `object`, which is an element of a collection.
fn holds_of(filter: &Filter, object: &Value, within: &[String], read: Reader) -> bool {
    let value = |path: &PropertyPath| read_in(object, path, within, read);
    match filter {
        Filter::And(parts) => parts.iter().all(|part| holds_of(part, object, within, read)),
        Filter::Or(parts) => parts.iter().any(|part| holds_of(part, object, within, read)),
        Filter::Not(part) => !holds_of(part, object, within, read),
        Filter::Compare { path, op, literal } => compare(&value(path), *op, literal),
        Filter::In { path, literals } => {
            literals.iter().any(|literal| compare(&value(path), Operator::Eq, literal))
        }
        Filter::Any { path, condition: Some(condition) } => match read(object, path.segments()) {
            Read::Value(Value::Array(elements)) => {
                elements.iter().any(|element| holds_of(condition, element, path.segments(), read))
            }
            _ => false,
        },
        Filter::Any { condition: None, .. } | Filter::Call { .. } => panic!("no rule opens {filter}"),
    }
}

fn read_in<'v>(object: &'v Value, path: &PropertyPath, within: &[String], read: Reader) -> Read<'v> {
    read(object, path.segments().strip_prefix(within).unwrap())
}

fn compare(value: &Read<'_>, op: Operator, literal: &Literal) -> bool {
    let Read::Value(value) = value else { return op == Operator::Ne };
    let is_equal = match literal {
        Literal::Null => value.is_null(),
        Literal::Boolean(own) => value.as_bool() == Some(*own),
        Literal::String(own) => value.as_str() == Some(own),
        _ => order(value, literal) == Some(std::cmp::Ordering::Equal),
    };
    let order = order(value, literal);
    match op {
        Operator::Eq => is_equal,
        Operator::Ne => !is_equal,
        Operator::Ge => order.is_some_and(|order| order.is_ge()),
        Operator::Gt => order.is_some_and(|order| order.is_gt()),
        Operator::Le => order.is_some_and(|order| order.is_le()),
        Operator::Lt => order.is_some_and(|order| order.is_lt()),
        Operator::Has => panic!("no rule opens `has`"),
    }
}

fn order(value: &Value, literal: &Literal) -> Option<std::cmp::Ordering> {
    match literal {
        Literal::Number(own) => value.as_f64()?.partial_cmp(&own.parse().unwrap()),
        Literal::DateTimeOffset(own) => {
            let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
            Some(time(value.as_str()?).cmp(&time(own)))
        }
        _ => None,
    }
}

fn asked(target: &str) -> Option<Filter> {
    let target = Target::parse(target).unwrap();
    target.option(&OptionName::Filter).map(|text| option::filter(text).unwrap())
}

fn graph(objects: &[Value], request: &Received) -> Script {
    let filter = asked(&request.target);
    let chosen: Vec<_> = objects
        .iter()
        .filter(|object| filter.as_ref().is_none_or(|filter| holds(filter, object, by_graph)))
        .collect();
    Script::json(json!({ "value": chosen }).to_string())
}

async fn list(proxy: &Glassine, endpoint: &Endpoint, filter: Option<&str>) -> Vec<Value> {
    let path = endpoint.template.to_string().replace("{api}", "v1.0").replace("{user}", &proxy.id("u1"));
    let query = filter.map(|filter| format!("?$filter={}", filter.replace(' ', "%20"))).unwrap_or_default();
    let response = proxy.get(&format!("{path}{query}")).await;
    assert_eq!(response.status, 200, "{filter:?}: {}", response.text());
    response.json()["value"].as_array().unwrap().clone()
}

fn ids<'v>(objects: impl IntoIterator<Item = &'v Value>) -> Vec<&'v str> {
    objects.into_iter().map(|object| object["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_consumer_that_reads_the_list_knows_what_each_filter_chooses() {
    let plan = compile("rules.yaml", METADATA_ONLY).plan.unwrap();
    for name in LISTS {
        let endpoint = Arc::clone(plan.endpoints.iter().find(|endpoint| endpoint.name == name).unwrap());
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let raw = objects(&endpoint, &mut dice);
        let upstream = FakeUpstream::start(move |request| graph(&raw, request)).await;
        let proxy = quick(Setup::scripted(&upstream)).start().await;
        let all = list(&proxy, &endpoint, None).await;
        assert_eq!(all.len(), OBJECTS);
        let mut chosen = 0;
        for _ in 0..FILTERS {
            let filter = filter(&endpoint, &mut dice, |raw| proxy.id(raw));
            let found = list(&proxy, &endpoint, Some(&filter)).await;
            let own = option::filter(&filter).unwrap();
            let expected = all.iter().filter(|object| holds(&own, object, by_consumer));
            assert_eq!(ids(&found), ids(expected), "{name}: {filter}");
            chosen += usize::from(!found.is_empty() && found.len() < OBJECTS);
        }
        assert!(chosen > FILTERS / 4, "{name}: only {chosen} filters chose some");
    }
}

/// Proves that the comparison can fail: a filter that no rule opens tells what does not leave.
#[test]
fn a_filter_by_what_is_hidden_does_not_follow() {
    let raw = json!({ "visibility": "Alice", "groupTypes": ["Bob"] });
    let left = json!({ "groupTypes": [] });
    for (filter, follows) in [
        ("visibility eq 'Public'", true),
        ("visibility eq 'Alice'", false),
        ("visibility ne null", true),
        ("groupTypes/any(c:c eq 'Unified')", true),
        ("groupTypes/any(c:c ne 'Unified')", false),
    ] {
        let own = option::filter(filter).unwrap();
        assert_eq!(holds(&own, &raw, by_graph) == holds(&own, &left, by_consumer), follows, "{filter}");
    }
}
