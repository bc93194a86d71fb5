//! Which line of a rules file decides about a request, and which similar endpoints the file opens.

use std::ops::Range;
use std::path::Path;

use serde::Serialize;

use glassine_core::admit::{Keys, Refusal, route};
use glassine_core::diagnostic;
use glassine_core::graph::{OptionName, Target};
use glassine_core::rules::Plan;
use glassine_core::rules::plan::Endpoint;

/// The most templates to suggest if the requested endpoint is not open.
const MAX_NEAREST: usize = 3;

/// A line of a rules file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct RuleLine {
    pub(super) file: String,
    /// One-based.
    pub(super) line: usize,
}

impl RuleLine {
    pub(super) fn new(file: &Path, text: &str, place: &Range<usize>) -> Self {
        Self { file: file.display().to_string(), line: diagnostic::line(text, place.start) }
    }
}

/// The endpoint that matches a path: one that accepts its parameters, or else the first one of its form.
pub(super) fn endpoint<'p>(plan: &'p Plan, target: &Target, keys: &dyn Keys) -> Option<&'p Endpoint> {
    let has_form = |endpoint: &&Endpoint| endpoint.template.matches(target).is_some();
    let mut candidates: Vec<_> = plan.all().map(AsRef::as_ref).filter(has_form).collect();
    candidates.sort_by_key(|endpoint| route::misfit(endpoint, target, keys).is_some());
    candidates.first().copied()
}

/// The place in the rules to change: a parameter, the refused `option`, or the endpoint itself.
pub(super) fn place(
    endpoint: &Endpoint,
    target: &Target,
    refusal: &Refusal,
    option: Option<&OptionName>,
    keys: &dyn Keys,
) -> Option<Range<usize>> {
    let places = &endpoint.places;
    match refusal {
        Refusal::Endpoint | Refusal::NoUser | Refusal::NotFound | Refusal::PathName { .. } => {
            let param = route::misfit(endpoint, target, keys).map(|param| param.name.as_str());
            let entry = places.params.iter().find(|(name, _)| Some(name.as_str()) == param);
            Some(entry.map_or_else(|| option_place(endpoint, option), |(_, place)| place.clone()))
        }
        Refusal::Option { .. } | Refusal::OptionValue { .. } | Refusal::OptionSyntax { .. } => {
            Some(option_place(endpoint, option))
        }
        // No rule can allow these.
        Refusal::Method
        | Refusal::Target(_)
        | Refusal::Prefer(_)
        | Refusal::Arguments
        | Refusal::TwoLinks
        | Refusal::Latest { .. }
        | Refusal::Link => None,
    }
}

/// The option's entry, or the endpoint's line, below which an entry can be added.
fn option_place(endpoint: &Endpoint, option: Option<&OptionName>) -> Range<usize> {
    let is_option = |name: &str| OptionName::parse(name).is_some_and(|name| Some(&name) == option);
    let entry = endpoint.places.query.iter().find(|(name, _)| is_option(name));
    entry.map_or_else(|| endpoint.places.endpoint.clone(), |(_, place)| place.clone())
}

/// The templates that share the most with the target, each with the name of its endpoint.
pub(super) fn nearest(plan: &Plan, target: &Target) -> Vec<String> {
    let distance = |endpoint: &Endpoint| {
        let shared = endpoint.template.shared(target);
        (usize::MAX - shared, endpoint.template.parts.len().abs_diff(target.segments.len()))
    };
    let mut near: Vec<_> =
        plan.endpoints.iter().filter(|endpoint| endpoint.template.shared(target) > 0).collect();
    near.sort_by_key(|endpoint| distance(endpoint));
    let describe = |endpoint: &Endpoint| format!("{} ({})", endpoint.template, endpoint.name);
    near.into_iter().take(MAX_NEAREST).map(|endpoint| describe(endpoint)).collect()
}
