//! `/$count` of collections. `$count: boolean` lets a consumer ask how many objects there are; the path's `/$count` is the
//! same question with nothing but the number in its response. It opens with it, unless an endpoint of the file is there.

use std::sync::Arc;

use super::super::codes;
use super::super::plan::{Endpoint, Places, Plan, QueryPolicy, Response, ValuePolicy};
use super::super::template::Part;
use super::overlap::overlap;
use crate::diagnostic::Diagnostic;
use crate::graph::OptionName;

/// The endpoints of the `/$count` of each collection that may be counted.
pub(super) fn of(endpoints: &[Endpoint], findings: &mut Vec<Diagnostic>) -> Vec<Endpoint> {
    endpoints.iter().filter_map(|collection| count(collection, endpoints, findings)).collect()
}

fn count(collection: &Endpoint, all: &[Endpoint], findings: &mut Vec<Diagnostic>) -> Option<Endpoint> {
    let Response::Json(body) = &collection.response else { return None };
    let (_, ValuePolicy::Boolean) = collection.query.value(&OptionName::Count)? else { return None };
    if body.delta || body.automaton.page().is_none() {
        return None;
    }
    let mut template = collection.template.clone();
    template.parts.push(Part::Count);
    let count = Endpoint {
        name: format!("{}{}", collection.name, Plan::COUNT),
        template,
        params: collection.params.clone(),
        query: QueryPolicy { filter: collection.query.filter.clone(), ..QueryPolicy::default() },
        max_page_size: None,
        immutable_ids: false,
        return_minimal: false,
        directory: collection.directory,
        mailbox: collection.mailbox,
        response: Response::Count(Arc::clone(body)),
        places: Places { endpoint: collection.places.option("$count"), ..collection.places.clone() },
    };
    if all.iter().any(|other| overlap(&count, other)) {
        return None;
    }
    if let Some(other) = all.iter().find(|other| other.name == count.name) {
        let message = format!("the endpoint for the `/$count` of `{}` has this name", collection.name);
        findings.push(
            Diagnostic::error(codes::DUPLICATE_NAME, other.places.endpoint.clone(), message)
                .hint("give this endpoint another name"),
        );
    }
    Some(count)
}
