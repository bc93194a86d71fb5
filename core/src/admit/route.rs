//! Finds the endpoint that a path matches, and what its parameters stand for.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Keys, Refusal};
use crate::graph::{Segment, Target, Version, encode};
use crate::rules::Plan;
use crate::rules::plan::{Endpoint, Param};
use crate::rules::template::Part;

/// The endpoint that a path matches.
pub(super) struct Route {
    pub(super) endpoint: Arc<Endpoint>,
    /// The path for Graph, with opened tokens.
    segments: Vec<Segment>,
    /// The path for links, with the consumer's tokens, in canonical spelling.
    pub(super) path: String,
}

/// Finds the endpoint. The rules' compiler makes sure that at most one matches.
pub(super) fn find(plan: &Plan, target: &Target, keys: &dyn Keys) -> Result<Route, Refusal> {
    let mut refusal = if is_me(target) { Refusal::NoUser } else { Refusal::Endpoint };
    for endpoint in plan.all() {
        let Some(values) = endpoint.template.matches(target) else {
            continue;
        };
        match Parameters::resolve(endpoint, &values, keys) {
            Ok(parameters) => return Ok(parameters.route(endpoint, target.version)),
            // A token that does not open counts more than a name that is not listed: its response is always the same.
            Err(Mismatch::Token) => refusal = Refusal::NotFound,
            Err(Mismatch::Word(param)) => refusal = unlisted(endpoint, param),
            Err(Mismatch::Name) => {}
        }
    }
    Err(refusal)
}

fn is_me(target: &Target) -> bool {
    matches!(target.segments.first(), Some(Segment::Plain(name)) if name.eq_ignore_ascii_case("me"))
}

fn unlisted(endpoint: &Endpoint, param: &Param) -> Refusal {
    Refusal::PathName { endpoint: endpoint.name.clone(), accepted: param.one_of.join(", ") }
}

/// The first parameter that does not accept its value, if the target matches the endpoint's template.
pub fn misfit<'e>(endpoint: &'e Endpoint, target: &Target, keys: &dyn Keys) -> Option<&'e Param> {
    let values = endpoint.template.matches(target)?;
    let mut pairs = endpoint.params.iter().zip(values);
    pairs.find(|(param, value)| resolve(param, value, keys).is_err()).map(|(param, _)| param)
}

/// The target in the rules' spelling, if it matches the endpoint's template.
pub fn spelled(endpoint: &Endpoint, target: &Target) -> Option<String> {
    let values = endpoint.template.matches(target)?;
    let pairs = endpoint.params.iter().zip(values);
    let segments = segments(endpoint, pairs.map(|(param, value)| listed(param, value).unwrap_or(value)));
    let options: Vec<_> =
        target.options.iter().map(|option| (option.name.as_str(), option.value.as_str())).collect();
    Some(encode::rebuild(target.version, &segments, &options))
}

impl Route {
    /// The target for Graph. Each opened value must be read back as one segment.
    pub(super) fn upstream(&self, version: Version, options: &[(String, String)]) -> Result<String, Refusal> {
        let options: Vec<_> = options.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let target = encode::rebuild(version, &self.segments, &options);
        let again = Target::parse(&target).map_err(|_| Refusal::NotFound)?;
        if again.segments == self.segments { Ok(target) } else { Err(Refusal::NotFound) }
    }
}

/// Why a path parameter does not fit.
enum Mismatch<'a> {
    Token,
    Name,
    /// The parameter takes tokens and some names, and this is another name.
    Word(&'a Param),
}

/// What the parameters of a template stand for, in the order of the template.
struct Parameters<'a> {
    consumer: Vec<&'a str>,
    graph: Vec<Zeroizing<String>>,
}

impl<'a> Parameters<'a> {
    fn resolve(endpoint: &'a Endpoint, values: &[&'a str], keys: &dyn Keys) -> Result<Self, Mismatch<'a>> {
        let mut parameters = Self { consumer: Vec::new(), graph: Vec::new() };
        for (param, value) in endpoint.params.iter().zip(values) {
            let (consumer, graph) = resolve(param, value, keys)?;
            parameters.consumer.push(consumer);
            parameters.graph.push(graph);
        }
        Ok(parameters)
    }

    fn route(&self, endpoint: &Arc<Endpoint>, version: Version) -> Route {
        let graph = segments(endpoint, self.graph.iter().map(|value| value.as_str()));
        let consumer = segments(endpoint, self.consumer.iter().copied());
        Route {
            endpoint: Arc::clone(endpoint),
            segments: graph,
            path: encode::rebuild(version, &consumer, &[]),
        }
    }
}

/// The parameter's value in the consumer's links, and in the request to Graph.
fn resolve<'a>(
    param: &'a Param,
    value: &'a str,
    keys: &dyn Keys,
) -> Result<(&'a str, Zeroizing<String>), Mismatch<'a>> {
    if let Some(name) = listed(param, value) {
        return Ok((name, Zeroizing::new(name.to_owned())));
    }
    if let Some(original) = param.token.and_then(|class| keys.open(class, value)) {
        return Ok((value, original));
    }
    if param.raw || param.pattern.as_ref().is_some_and(|pattern| pattern.is_match(value)) {
        return Ok((value, Zeroizing::new(value.to_owned())));
    }
    Err(match param.token {
        None => Mismatch::Name,
        Some(_) if !param.one_of.is_empty() && is_word(value) => Mismatch::Word(param),
        Some(_) => Mismatch::Token,
    })
}

/// Whether a value is one word, such as a folder's well-known name. Tokens and Graph's ids have signs or digits.
fn is_word(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// The rules' spelling of a name that the parameter lists.
fn listed<'p>(param: &'p Param, value: &str) -> Option<&'p str> {
    param.one_of.iter().find(|name| name.eq_ignore_ascii_case(value)).map(String::as_str)
}

/// The template with its parameters filled in. The version's parameter, if there is one, comes first and is not a
/// segment.
fn segments<'v>(endpoint: &Endpoint, mut values: impl Iterator<Item = &'v str>) -> Vec<Segment> {
    if matches!(endpoint.template.version, Part::Param(_)) {
        values.next();
    }
    let segment = |part: &Part| match part {
        Part::Name(name) => Segment::Plain(name.clone()),
        Part::Function(call) => Segment::Function(call.clone()),
        Part::Cast(name) => Segment::Cast(name.clone()),
        Part::Count => Segment::Dollar("$count".to_owned()),
        Part::Param(_) => parameter(values.next().unwrap_or_default()),
    };
    endpoint.template.parts.iter().map(segment).collect()
}

/// A value that begins with `$` is written in parentheses: as a segment, Graph would read it as one of its own words
/// ("Get a user": a user principal name can begin with `$`).
fn parameter(value: &str) -> Segment {
    let kind = if value.starts_with('$') { Segment::Key } else { Segment::Plain };
    kind(value.to_owned())
}
