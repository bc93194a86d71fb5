//! What identifies a plan: a hash over everything that decides what leaves.

use sha2::{Digest, Sha256};

use super::plan::{Endpoint, Plan, Response};

/// 16 hexadecimal digits: enough to tell the rules of one site apart, short enough to compare by eye.
pub(super) fn of(plan: &Plan) -> String {
    let mut endpoints: Vec<_> = plan.endpoints.iter().map(|endpoint| lines(endpoint)).collect();
    endpoints.sort();
    let head = format!("{} {:?} {:?}", plan.connector, plan.domains, plan.plus_tags);
    let digest = Sha256::digest(format!("{head}\n{}", endpoints.concat()));
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn lines(endpoint: &Endpoint) -> String {
    let Endpoint { name, template, params, query, max_page_size, immutable_ids, response } = endpoint;
    let mut text = format!("{name} {template} {params:?} {query:?} {max_page_size:?} {immutable_ids}\n");
    let (kind, body) = match response {
        Response::Json(body) => ("json", body),
        Response::Count(body) => ("count", body),
    };
    text.push_str(&format!("{kind} {}\n", body.delta));
    for (path, treatment) in body.automaton.describe() {
        text.push_str(&format!("{path}: {treatment}\n"));
    }
    text
}
