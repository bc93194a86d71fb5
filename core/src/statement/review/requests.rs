//! What a consumer may ask, in plain words.

use std::collections::HashSet;

use serde::Serialize;

use super::example::Scene;
use super::objects::title;
use crate::diagnostic;
use crate::graph::{Direction, OptionName};
use crate::rules::Plan;
use crate::rules::comparable::alike;
use crate::rules::plan::{
    Comparator, Comparison, Endpoint, Expand, IntegerRange, Param, QueryPolicy, Response, ValuePolicy,
};
use crate::rules::template::Part;

/// The requests for one kind of object.
#[derive(Debug, Serialize)]
pub struct Requests {
    /// What people call the objects.
    pub title: String,
    /// The requests, in the order of the file.
    pub requests: Vec<Request>,
}

/// One kind of request.
#[derive(Debug, Serialize)]
pub struct Request {
    /// The endpoint's name.
    pub name: String,
    /// The API versions.
    pub versions: Vec<&'static str>,
    /// The path without the version.
    pub path: String,
    /// What the response is.
    pub gives: &'static str,
    /// What parameters accept besides tokens of this consumer.
    pub params: Vec<String>,
    /// What else the consumer may ask.
    pub options: Vec<String>,
    /// Whether a parameter accepts ids and addresses that the consumer did not get as tokens.
    pub takes_raw: bool,
    /// The line of the file.
    pub line: usize,
}

pub(super) fn of(plan: &Plan, scene: &Scene<'_>) -> Vec<Requests> {
    let mut all: Vec<Requests> = Vec::new();
    for endpoint in &plan.endpoints {
        let (title, request) = (title(endpoint), Request::new(endpoint, plan, scene));
        match all.iter_mut().find(|it| it.title == title) {
            Some(same) => same.requests.push(request),
            None => all.push(Requests { title, requests: vec![request] }),
        }
    }
    all
}

impl Request {
    fn new(endpoint: &Endpoint, plan: &Plan, scene: &Scene<'_>) -> Self {
        let version = match &endpoint.template.version {
            Part::Param(name) => Some(name),
            _ => None,
        };
        let params = endpoint.params.iter().filter(|param| Some(&param.name) != version);
        Self {
            name: endpoint.name.clone(),
            versions: endpoint.versions().iter().map(|version| version.as_str()).collect(),
            path: endpoint.path(),
            gives: gives(&endpoint.response),
            takes_raw: params.clone().any(Param::takes_raw),
            params: params.filter_map(param).collect(),
            options: options(endpoint, plan),
            line: diagnostic::line(scene.source, endpoint.places.endpoint.start),
        }
    }
}

fn gives(response: &Response) -> &'static str {
    match response {
        Response::Count(_) => "how many there are",
        Response::Json(body) if body.delta => "changes",
        Response::Json(body) if body.automaton.page().is_some() => "page by page",
        Response::Json(body) if body.property.is_some() => "one property",
        Response::Json(_) => "one of them",
    }
}

/// What the parameter accepts, unless that is a token only.
fn param(Param { name, one_of, token, raw, pattern }: &Param) -> Option<String> {
    let mut ways: Vec<_> = one_of.clone();
    ways.extend(token.map(|_| "a token".to_owned()));
    ways.extend(raw.then(|| "any id or address".to_owned()));
    ways.extend(pattern.as_ref().map(|pattern| format!("what matches {pattern}")));
    let is_token_only = ways.len() == 1 && token.is_some();
    (!is_token_only).then(|| format!("{{{name}}}: {}", or(&ways)))
}

fn options(endpoint: &Endpoint, plan: &Plan) -> Vec<String> {
    let mut all = policy(&endpoint.query);
    all.extend(plan.count_of(endpoint).map(|_| "how many there are, by /$count".to_owned()));
    all.extend(endpoint.max_page_size.iter().map(|range| format!("{} on a page", numbers(range))));
    // `$top` and the preference say the same.
    let mut told = HashSet::new();
    all.retain(|option| told.insert(option.clone()));
    all.extend(endpoint.return_minimal.then(|| "only the properties that changed".to_owned()));
    all
}

fn policy(QueryPolicy { select, filter, order_by, expand, values }: &QueryPolicy) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(select.then(|| "select fewer properties".to_owned()));
    all.extend(values.iter().map(value));
    let filters = alike(filter.iter().map(comparison)).into_iter();
    all.extend(filters.map(|(names, how)| format!("filter by {names} ({how})")));
    let orders = alike(order_by.iter().map(order)).into_iter();
    all.extend(orders.map(|(names, how)| format!("sort by {names}{how}")));
    all.extend(expand.iter().map(expansion));
    all
}

fn value((name, policy): &(OptionName, ValuePolicy)) -> String {
    match (name, policy) {
        (OptionName::Top, ValuePolicy::Integer(range)) => format!("{} on a page", numbers(range)),
        (OptionName::Skip, ValuePolicy::Integer(range)) => format!("skip {}", numbers(range)),
        (OptionName::Count, ValuePolicy::Boolean) => "count all".to_owned(),
        (name, ValuePolicy::Boolean) => format!("{}: true or false", name.as_str()),
        (name, ValuePolicy::Integer(range)) => format!("{}: {}", name.as_str(), numbers(range)),
        (name, ValuePolicy::OneOf(texts)) => format!("{}: {}", name.as_str(), or(texts)),
        (name, ValuePolicy::Pattern(pattern)) => format!("{}: what matches {pattern}", name.as_str()),
    }
}

fn comparison(comparison: &Comparison) -> (String, String) {
    let operators: Vec<_> = comparison.operators.iter().map(|operator| in_words(*operator)).collect();
    (comparison.path(), operators.join(", "))
}

fn in_words(operator: Comparator) -> &'static str {
    match operator {
        Comparator::Eq => "equal",
        Comparator::Ne => "not equal",
        Comparator::Gt => "greater",
        Comparator::Ge => "at least",
        Comparator::Lt => "less",
        Comparator::Le => "at most",
        Comparator::In => "one of a list",
        Comparator::Present => "whether there is one",
    }
}

fn order((property, directions): &(String, Vec<Direction>)) -> (String, String) {
    let how = match directions.as_slice() {
        [only] => format!(" ({} only)", only.as_str()),
        _ => String::new(),
    };
    (property.clone(), how)
}

fn expansion(Expand { property, select: _, casts: _, query }: &Expand) -> String {
    match policy(query).as_slice() {
        [] => format!("include {property}"),
        inside => format!("include {property} ({})", inside.join(", ")),
    }
}

fn numbers(IntegerRange { min, max }: &IntegerRange) -> String {
    format!("{min} to {max}")
}

/// `a, b or c`
fn or(texts: &[String]) -> String {
    match texts {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}
