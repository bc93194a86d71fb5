//! What a consumer may ask, in plain words.

use serde::Serialize;

use super::example::Scene;
use super::objects::title;
use crate::diagnostic;
use crate::graph::{Direction, OptionName};
use crate::rules::Plan;
use crate::rules::plan::{
    Comparator, Endpoint, Expand, IntegerRange, Param, QueryPolicy, Response, ValuePolicy,
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
        let (title, request) = (title(endpoint), Request::new(endpoint, scene));
        match all.iter_mut().find(|it| it.title == title) {
            Some(same) => same.requests.push(request),
            None => all.push(Requests { title, requests: vec![request] }),
        }
    }
    all
}

impl Request {
    fn new(endpoint: &Endpoint, scene: &Scene<'_>) -> Self {
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
            options: options(endpoint),
            line: diagnostic::line(scene.source, endpoint.places.endpoint.start),
        }
    }
}

fn gives(response: &Response) -> &'static str {
    match response {
        Response::Count(_) => "how many there are",
        Response::Json(body) if body.delta => "changes",
        Response::Json(body) if body.automaton.page().is_some() => "page by page",
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

fn options(endpoint: &Endpoint) -> Vec<String> {
    let mut all = policy(&endpoint.query);
    all.extend(endpoint.max_page_size.iter().map(|range| format!("{} on a page", numbers(range))));
    all.extend(endpoint.return_minimal.then(|| "only the properties that changed".to_owned()));
    all
}

fn policy(QueryPolicy { select, filter, order_by, expand, values }: &QueryPolicy) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(select.then(|| "select fewer properties".to_owned()));
    all.extend(values.iter().map(value));
    all.extend(alike(filter.iter().map(comparison)).map(|(how, names)| format!("filter by {names} ({how})")));
    all.extend(alike(order_by.iter().map(order)).map(|(how, names)| format!("sort by {names}{how}")));
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

/// Properties with which the same may be done, together.
fn alike<'p>(all: impl Iterator<Item = (String, &'p str)>) -> impl Iterator<Item = (String, String)> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (how, property) in all {
        match groups.iter_mut().find(|(own, _)| *own == how) {
            Some((_, properties)) => properties.push(property),
            None => groups.push((how, vec![property])),
        }
    }
    groups.into_iter().map(|(how, properties)| (how, properties.join(", ")))
}

fn comparison((property, operators): &(String, Vec<Comparator>)) -> (String, &str) {
    let operators: Vec<_> = operators.iter().map(|operator| in_words(*operator)).collect();
    (operators.join(", "), property)
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
    }
}

fn order((property, directions): &(String, Vec<Direction>)) -> (String, &str) {
    let how = match directions.as_slice() {
        [only] => format!(" ({} only)", only.as_str()),
        _ => String::new(),
    };
    (how, property)
}

fn expansion(Expand { property, select: _, query }: &Expand) -> String {
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
