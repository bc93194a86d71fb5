//! The catalogue as a whole: that its files are read entirely, and that it says what the lists that it replaces say.

mod data;
mod grants;
mod paths;
mod replaced;
mod walks;

use super::*;
use crate::graph::Version;

/// Every endpoint template of the project's connectors that leads to objects.
fn templates() -> Vec<&'static str> {
    let files = [
        include_str!("../../../../rules/outlook-mail.yaml"),
        include_str!("../../../../rules/outlook-mail-metadata-only.yaml"),
    ];
    let templates: Vec<_> = files
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| line.trim().strip_prefix("get: "))
        .collect();
    let (properties, templates): (Vec<_>, Vec<_>) =
        templates.into_iter().partition(|template| template.contains("/mailboxSettings/"));
    assert!(templates.len() >= 40 && properties.len() == 4);
    templates
}

fn resource(path: &str) -> Resource {
    resolve(Version::V1, path).unwrap_or_else(|| panic!("{path}"))
}
