//! An endpoint's part of a statement: what may be asked, and what leaves of the response.

use super::lines::{Lines, list, quoted};
use crate::graph::{Direction, OptionName};
use crate::rules::automaton::{Described, Effect};
use crate::rules::plan::{
    Comparator, Endpoint, Expand, IntegerRange, Param, QueryPolicy, Response, ValuePolicy,
};

pub(super) fn add(endpoint: &Endpoint, lines: &mut Lines) {
    // The template decides `directory`, and `places` have no effect on requests.
    let Endpoint {
        name,
        template,
        params,
        query,
        max_page_size,
        immutable_ids,
        return_minimal,
        directory: _,
        response,
        places: _,
    } = endpoint;
    lines.add(format!("endpoint {}", quoted(name)));
    lines.inside(|lines| {
        lines.add(format!("GET {template}"));
        lines.inside(|lines| params.iter().for_each(|it| lines.add(param(it))));
        policy(query, lines);
        max_page_size
            .iter()
            .for_each(|range| lines.add(format!("Prefer odata.maxpagesize: {}", numbers(range))));
        if *immutable_ids {
            lines.add("Prefer IdType: always ImmutableId");
        }
        if *return_minimal {
            lines.add("Prefer return: minimal");
        }
        leaves(response, lines);
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
    for Expand { property, select: _, query } in expand {
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

fn comparison((property, operators): &(String, Vec<Comparator>)) -> String {
    let mut operators: Vec<_> = operators.iter().map(|operator| operator.as_str()).collect();
    operators.sort_unstable();
    format!("$filter {}: {}", quoted(property), operators.join(", "))
}

fn order((property, directions): &(String, Vec<Direction>)) -> String {
    let mut directions: Vec<_> = directions.iter().map(|direction| direction.as_str()).collect();
    directions.sort_unstable();
    format!("$orderby {}: {}", quoted(property), directions.join(", "))
}

fn numbers(IntegerRange { min, max }: &IntegerRange) -> String {
    format!("{min} to {max}")
}

fn leaves(response: &Response, lines: &mut Lines) {
    let body = match response {
        Response::Count(_) => {
            lines.add("response: a number. A filter counts objects with these properties:");
            response.body()
        }
        Response::Json(body) if body.delta => {
            lines.add("response: a page of changes");
            body
        }
        Response::Json(body) if body.automaton.page().is_some() => {
            lines.add("response: a page");
            body
        }
        Response::Json(body) => {
            lines.add("response: an object");
            body
        }
    };
    lines.inside(|lines| body.automaton.describe().iter().for_each(|place| lines.add(described(place))));
}

fn described(Described { at, effect, lines: _ }: &Described) -> String {
    match effect {
        Effect::Repeats(outer) => format!("{at}: as at {outer}"),
        Effect::Leaves(_) | Effect::Object | Effect::Array | Effect::Dropped => format!("{at}: {effect}"),
    }
}
