//! What identifies a plan: a hash over everything that decides what leaves.

use sha2::{Digest, Sha256};

use super::plan::{Comparator, Endpoint, Expand, Param, Plan, QueryPolicy, Response, ValuePolicy};
use crate::graph::{Direction, OptionName};
use crate::hex;

/// Eight octets of the hash tell the rules of one site apart and are short enough to compare by eye.
const OCTETS: usize = 8;

/// The plan's fingerprint: sixteen hexadecimal digits.
pub(super) fn of(plan: &Plan) -> String {
    let mut endpoints: Vec<_> = plan.endpoints.iter().map(|endpoint| lines(endpoint)).collect();
    endpoints.sort();
    let head = format!("{} {:?} {:?}", plan.connector, plan.domains, plan.plus_tags);
    let digest = Sha256::digest(format!("{head}\n{}", endpoints.concat()));
    digest.get(..OCTETS).map(hex::lower).unwrap_or_default()
}

fn lines(endpoint: &Endpoint) -> String {
    // The template decides `directory`, and `places` do not change what leaves.
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
    let params: Vec<_> = params.iter().map(param).collect();
    let query = policy(query);
    let prefer = format!("{max_page_size:?} {immutable_ids} {return_minimal}");
    let mut text = format!("{name} {template} {params:?} {query} {prefer}\n");
    let (kind, body) = match response {
        Response::Json(body) => ("json", body),
        Response::Count(body) => ("count", body),
    };
    text.push_str(&format!("{kind} {}\n", body.delta));
    for place in body.automaton.describe() {
        text.push_str(&format!("{}: {}\n", place.at, place.effect));
    }
    text
}

fn param(param: &Param) -> String {
    let Param { name, one_of, token, raw, pattern } = param;
    format!("{name} {:?} {token:?} {raw} {pattern:?}", sorted(one_of))
}

fn policy(query: &QueryPolicy) -> String {
    let QueryPolicy { select, filter, order_by, expand, values } = query;
    let (filter, values) = (sorted(filter.iter().map(comparison)), sorted(values.iter().map(option)));
    let (order_by, expand) = (sorted(order_by.iter().map(order)), sorted(expand.iter().map(expansion)));
    format!("{select} {filter:?} {order_by:?} {expand:?} {values:?}")
}

fn order((property, directions): &(String, Vec<Direction>)) -> String {
    format!("{property} {:?}", sorted(directions.iter().map(|direction| direction.as_str())))
}

/// Leaves out `select`: the automaton decides what leaves of the expanded object.
fn expansion(expand: &Expand) -> String {
    let Expand { property, select: _, query } = expand;
    format!("{property} {}", policy(query))
}

fn comparison((property, operators): &(String, Vec<Comparator>)) -> String {
    format!("{property} {:?}", sorted(operators.iter().map(|operator| operator.as_str())))
}

fn option((name, policy): &(OptionName, ValuePolicy)) -> String {
    let name = name.as_str();
    match policy {
        ValuePolicy::OneOf(texts) => format!("{name} {:?}", sorted(texts)),
        ValuePolicy::Boolean | ValuePolicy::Integer(_) | ValuePolicy::Pattern(_) => {
            format!("{name} {policy:?}")
        }
    }
}

/// The order of lines does not change what leaves, so it must not change the fingerprint.
fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<_> = items.into_iter().collect();
    items.sort();
    items
}
