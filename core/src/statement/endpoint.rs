//! An endpoint's part of a statement: what may be asked, and what leaves of the response.

use super::lines::{Lines, list, quoted};
use crate::graph::{Direction, OptionName};
use crate::rules::automaton::{Described, Effect, Location, Step};
use crate::rules::plan::{
    Comparison, Endpoint, Expand, IntegerRange, Param, QueryPolicy, Response, ValuePolicy,
};

/// `count`: the `/$count` that comes with the endpoint. It is open to the same parameters and filters.
pub(super) fn add(endpoint: &Endpoint, count: Option<&Endpoint>, objects: &mut Objects, lines: &mut Lines) {
    // The template decides `directory` and `mailbox`, and `places` have no effect on requests.
    let Endpoint {
        name,
        template,
        params,
        query,
        max_page_size,
        immutable_ids,
        return_minimal,
        directory: _,
        mailbox: _,
        response,
        places: _,
    } = endpoint;
    lines.add(format!("endpoint {}", quoted(name)));
    lines.inside(|lines| {
        lines.add(format!("GET {template}"));
        lines.inside(|lines| params.iter().for_each(|it| lines.add(param(it))));
        policy(query, lines);
        count.iter().for_each(|count| lines.add(format!("also GET {}: how many there are", count.template)));
        max_page_size
            .iter()
            .for_each(|range| lines.add(format!("Prefer odata.maxpagesize: {}", numbers(range))));
        if *immutable_ids {
            lines.add("Prefer IdType: always ImmutableId");
        }
        if *return_minimal {
            lines.add("Prefer return: minimal");
        }
        leaves(response, objects, lines);
    });
}

fn param(param: &Param) -> String {
    let Param { name, one_of, token, raw, pattern } = param;
    let mut ways: Vec<_> = one_of.iter().map(|name| quoted(name)).collect();
    ways.sort();
    ways.extend(token.map(|class| format!("a token of this consumer for an {}", class.name())));
    ways.extend(raw.then(|| "anything".to_owned()));
    ways.extend(pattern.as_ref().map(|pattern| format!("what matches {}", quoted(pattern.as_str()))));
    format!("{{{name}}}: {}", ways.join(", or "))
}

fn policy(query: &QueryPolicy, lines: &mut Lines) {
    let QueryPolicy { select, filter, order_by, expand, values } = query;
    if *select {
        lines.add("$select: of what leaves");
    }
    sorted(values.iter().map(option), lines);
    sorted(filter.iter().map(comparison), lines);
    sorted(order_by.iter().map(order), lines);
    let mut expand: Vec<_> = expand.iter().collect();
    expand.sort_by(|one, other| one.property.cmp(&other.property));
    for Expand { property, select: _, casts: _, query } in expand {
        lines.add(format!("$expand {}", quoted(property)));
        lines.inside(|lines| policy(query, lines));
    }
}

/// Adds lines whose order in the rules file has no meaning.
fn sorted(all: impl Iterator<Item = String>, lines: &mut Lines) {
    let mut all: Vec<_> = all.collect();
    all.sort();
    all.into_iter().for_each(|line| lines.add(line));
}

fn option((name, policy): &(OptionName, ValuePolicy)) -> String {
    let values = match policy {
        ValuePolicy::Boolean => "true, false".to_owned(),
        ValuePolicy::Integer(range) => numbers(range),
        ValuePolicy::OneOf(texts) => {
            let mut texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
            texts.sort();
            list(&texts)
        }
        ValuePolicy::Pattern(pattern) => format!("what matches {}", quoted(pattern.as_str())),
    };
    format!("{}: {values}", name.as_str())
}

fn comparison(comparison: &Comparison) -> String {
    let mut operators: Vec<_> = comparison.operators.iter().map(|operator| operator.as_str()).collect();
    operators.sort_unstable();
    format!("$filter {}: {}", quoted(&comparison.path()), operators.join(", "))
}

fn order((property, directions): &(String, Vec<Direction>)) -> String {
    let mut directions: Vec<_> = directions.iter().map(|direction| direction.as_str()).collect();
    directions.sort_unstable();
    format!("$orderby {}: {}", quoted(property), directions.join(", "))
}

fn numbers(IntegerRange { min, max }: &IntegerRange) -> String {
    format!("{min} to {max}")
}

/// What leaves. An object is written once, and endpoints name it by its number.
fn leaves(response: &Response, objects: &mut Objects, lines: &mut Lines) {
    let body = response.body();
    let is_page = body.automaton.page().is_some();
    let (object, around): (Vec<_>, Vec<_>) =
        body.automaton.describe().into_iter().partition(|place| !is_page || is_inside(&place.at));
    let number = objects.number(object.iter().map(|place| described(place, is_page)).collect());
    lines.add(match response {
        Response::Count(_) => {
            format!("response: the number of objects {number}; a filter compares what leaves of them")
        }
        Response::Json(body) if body.delta => format!("response: a page of changes of objects {number}"),
        Response::Json(_) if is_page => format!("response: a page of objects {number}"),
        Response::Json(_) => format!("response: an object {number}"),
    });
    // The response of a count has nothing but the number.
    let around = around.iter().filter(|_| matches!(response, Response::Json(_)));
    lines.inside(|lines| around.for_each(|place| lines.add(described(place, false))));
}

/// Whether the place is in an object of the page. `@removed` belongs to the page of changes.
fn is_inside(at: &Location) -> bool {
    match at.0.as_slice() {
        [Step::Name(value), Step::OtherElements, inside @ ..] if &**value == "value" => {
            !matches!(inside.first(), Some(Step::Name(name)) if &**name == "@removed")
        }
        _ => false,
    }
}

/// A place and what happens there. `in_page`: the place is told from the object on.
fn described(Described { at, effect, lines: _ }: &Described, in_page: bool) -> String {
    let at = place(at, in_page);
    match effect {
        Effect::Repeats(outer) => format!("{at}: as at {}", place(outer, in_page)),
        Effect::Leaves(_) | Effect::Object | Effect::Array | Effect::Dropped => format!("{at}: {effect}"),
    }
}

fn place(at: &Location, in_page: bool) -> Location {
    let steps = at.0.iter().skip(if in_page { PAGE } else { 0 });
    Location(steps.cloned().collect())
}

/// Steps from a page to its objects: `$.value[*]`.
const PAGE: usize = 2;

/// What leaves of objects, in the order of their numbers.
#[derive(Default)]
pub(super) struct Objects(Vec<Vec<String>>);

impl Objects {
    /// The number of the object with these lines, from 1 on.
    fn number(&mut self, lines: Vec<String>) -> usize {
        let known = self.0.iter().position(|known| *known == lines);
        let at = known.unwrap_or_else(|| {
            self.0.push(lines);
            self.0.len().saturating_sub(1)
        });
        at + 1
    }

    /// Adds a part for each object.
    pub(super) fn add(&self, lines: &mut Lines) {
        for (number, object) in (1..).zip(&self.0) {
            lines.gap();
            lines.add(format!("object {number}"));
            lines.inside(|lines| object.iter().for_each(|line| lines.add(line)));
        }
    }
}
