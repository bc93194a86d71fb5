//! Which leaves of the rules the cases show. A leaf is a property that a line of the file lets out: it counts as shown if
//! any response of any endpoint has a value there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::super::why::RuleLine;
use glassine_core::rules::Plan;
use glassine_core::rules::automaton::{Described, Effect, Location, Step};
use glassine_core::rules::plan::{Endpoint, Response};

/// What the cases of one connector have shown.
#[derive(Default)]
pub(super) struct Coverage {
    shown: BTreeSet<Leaf>,
    requested: BTreeSet<String>,
}

/// A property that lines of the file let out: their bytes, and the property's name. One line can let out several.
type Leaf = (Vec<(usize, usize)>, Option<Step>);

/// A leaf that no case shows.
#[derive(Serialize)]
pub(super) struct Missing {
    #[serde(flatten)]
    pub(super) line: Option<RuleLine>,
    /// The first endpoint that lets it out.
    pub(super) endpoint: String,
    /// Where it is in this endpoint's response.
    pub(super) path: String,
    /// How it leaves.
    pub(super) leaves: String,
}

impl Coverage {
    /// A case requests the endpoint.
    pub(super) fn request(&mut self, endpoint: &Endpoint) {
        self.requested.insert(endpoint.name.clone());
    }

    /// A case shows this response of the endpoint.
    pub(super) fn show(&mut self, endpoint: &Endpoint, response: &Value) {
        let Response::Json(body) = &endpoint.response else { return };
        let leaves: BTreeMap<Location, Leaf> =
            leaves(endpoint).map(|described| (described.at.clone(), leaf(&described))).collect();
        each_value(response, &mut Vec::new(), &mut |way| {
            let place = body.automaton.place_of(way);
            self.shown.extend(place.and_then(|place| leaves.get(&place)).cloned());
        });
    }

    /// The endpoints that no case requests.
    pub(super) fn unrequested(&self, plan: &Plan) -> Vec<String> {
        let names = plan.endpoints.iter().map(|endpoint| &endpoint.name);
        names.filter(|name| !self.requested.contains(*name)).cloned().collect()
    }

    /// The leaves that no case shows, in the order of the file.
    pub(super) fn missing(&self, plan: &Plan, file: &Path, text: &str) -> Vec<Missing> {
        let mut missing: BTreeMap<Leaf, Missing> = BTreeMap::new();
        for endpoint in &plan.endpoints {
            for described in leaves(endpoint) {
                let leaf = leaf(&described);
                if !self.shown.contains(&leaf) {
                    missing.entry(leaf).or_insert_with(|| Missing {
                        line: described.lines.first().map(|place| RuleLine::new(file, text, place)),
                        endpoint: endpoint.name.clone(),
                        path: described.at.to_string(),
                        leaves: described.effect.to_string(),
                    });
                }
            }
        }
        missing.into_values().collect()
    }
}

/// What leaves of an endpoint's response by a line of the file. What surrounds the elements of a page is the program's:
/// links and the count.
fn leaves(endpoint: &Endpoint) -> impl Iterator<Item = Described> {
    let (described, is_page) = match &endpoint.response {
        Response::Json(body) => (body.automaton.describe(), body.automaton.page().is_some()),
        Response::Count(_) => (Vec::new(), false),
    };
    let is_own = move |it: &Described| is_page && it.at.0.len() == 1;
    described.into_iter().filter(move |it| matches!(it.effect, Effect::Leaves(_)) && !is_own(it))
}

fn leaf(described: &Described) -> Leaf {
    let name = described.at.0.iter().rfind(|step| matches!(step, Step::Name(_) | Step::OtherNames));
    (described.lines.iter().map(|line| (line.start, line.end)).collect(), name.cloned())
}

/// Calls `each` with the way to every string, number and boolean. A null shows nothing of what the rules do.
fn each_value(value: &Value, way: &mut Vec<Step>, each: &mut impl FnMut(&[Step])) {
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => each(way),
        Value::Array(elements) => {
            for (at, element) in (0..).zip(elements) {
                way.push(Step::Index(at));
                each_value(element, way, each);
                way.pop();
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                way.push(Step::Name(name.as_str().into()));
                each_value(member, way, each);
                way.pop();
            }
        }
    }
}
