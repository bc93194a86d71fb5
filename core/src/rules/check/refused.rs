//! Options that an endpoint opens and that Graph refuses. A consumer would find out only when it asks.

use std::ops::Range;

use super::super::codes;
use super::super::plan::Endpoint;
use crate::catalogue::{Tracking, is_untracked, tracking};
use crate::diagnostic::Diagnostic;
use crate::graph::OptionName;

pub(super) fn check(endpoints: &[Option<Endpoint>], findings: &mut Vec<Diagnostic>) {
    for endpoint in endpoints.iter().flatten() {
        findings.extend(untracked(endpoint));
        let resource = endpoint.resource().map(|(_, resource)| resource);
        if let Some(tracking) = resource.as_ref().and_then(tracking) {
            findings.extend(filter(endpoint, tracking));
            findings.extend(order(endpoint, tracking));
            findings.extend(top(endpoint, tracking));
        }
    }
}

fn untracked(endpoint: &Endpoint) -> Option<Diagnostic> {
    let message = "Graph tracks no changes at this path";
    let hint = "messages are tracked by folder: write `/users/{user}/mailFolders/{folder}/messages/delta`";
    is_untracked(&endpoint.path())
        .then(|| refused(endpoint.places.endpoint.clone(), message, hint.to_owned()))
}

fn filter(endpoint: &Endpoint, tracking: &Tracking) -> Option<Diagnostic> {
    let is_taken = |(property, operator): (&str, &str)| tracking.filters(property, operator);
    let mut opened = endpoint.query.filter.iter().flat_map(|comparison| {
        comparison.operators.iter().map(|operator| (comparison.property.as_str(), operator.as_str()))
    });
    let message = "Graph refuses some of these filters where it tracks changes";
    (!opened.all(is_taken))
        .then(|| refused(endpoint.places.option("$filter"), message, instead("$filter", tracking.filter())))
}

fn order(endpoint: &Endpoint, tracking: &Tracking) -> Option<Diagnostic> {
    let is_taken = |(property, direction): (&str, &str)| tracking.orders(property, direction);
    let mut opened = endpoint.query.order_by.iter().flat_map(|(property, directions)| {
        directions.iter().map(|direction| (property.as_str(), direction.as_str()))
    });
    let message = "Graph refuses some of these orders where it tracks changes";
    (!opened.all(is_taken))
        .then(|| refused(endpoint.places.option("$orderby"), message, instead("$orderby", tracking.order())))
}

fn top(endpoint: &Endpoint, tracking: &Tracking) -> Option<Diagnostic> {
    let is_open = endpoint.query.value(&OptionName::Top).is_some();
    let message = "Graph refuses `$top` where it tracks these changes";
    let hint = "open `odata.maxpagesize` under `prefer` instead";
    (is_open && !tracking.tops()).then(|| refused(endpoint.places.option("$top"), message, hint.to_owned()))
}

fn instead(option: &str, taken: Option<String>) -> String {
    match taken {
        Some(taken) => format!("write `{option}: {taken}`"),
        None => "leave it out here".to_owned(),
    }
}

fn refused(at: Range<usize>, message: &str, hint: String) -> Diagnostic {
    Diagnostic::warning(codes::REFUSED_BY_GRAPH, at, message).hint(hint)
}
