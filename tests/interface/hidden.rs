//! No description names a property that does not leave.

use std::collections::BTreeSet;

use glassine_core::catalogue::Type;
use glassine_core::graph::Version;
use glassine_core::interface::{About, Document};
use glassine_core::rules::Plan;
use glassine_core::rules::automaton::Effect;
use glassine_core::rules::plan::Response;

use super::{SHIPPED, csdl, plan};
use crate::support::glassine::METADATA_ONLY;

/// Names of Graph's properties that are words of JSON Schema, OpenAPI or CSDL too, or of the descriptions' own sentences. Of these,
/// `leaving` finds a surplus: it compares the properties themselves.
const WORDS: [&str; 6] = ["body", "description", "security", "settings", "title", "type"];

/// The words of a document: runs of letters and digits.
fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).collect()
}

/// The names that may be in a document: on the way to objects, and of what leaves of them.
fn open(plan: &Plan) -> BTreeSet<String> {
    let mut open = BTreeSet::new();
    for endpoint in &plan.endpoints {
        open.extend(endpoint.template.to_string().split('/').map(str::to_owned));
        let leaving = endpoint.inside().filter(|place| place.effect != Effect::Dropped);
        for place in leaving.filter(|_| matches!(endpoint.response, Response::Json(_))) {
            open.extend(place.at.names().map(str::to_owned));
            if let Effect::Leaves(leaf) = &place.effect {
                // The texts of which one leaves.
                open.extend(words(&leaf.to_string()).into_iter().map(str::to_owned));
            }
        }
        open.extend(endpoint.query.values.iter().map(|(name, _)| name.as_str().to_owned()));
    }
    open
}

/// The properties of the objects at the endpoints' paths that do not leave.
fn hidden(plan: &Plan) -> BTreeSet<&'static str> {
    let types = plan.endpoints.iter().flat_map(|endpoint| endpoint.types().iter().collect::<Vec<_>>());
    let of = |(version, of): (Version, &'static Type)| of.visible(version).map(|property| property.name);
    let open = open(plan);
    types.flat_map(of).filter(|name| !open.contains(*name) && !WORDS.contains(name)).collect()
}

fn named<'h>(document: &str, hidden: &BTreeSet<&'h str>) -> Vec<&'h str> {
    let words = words(document);
    hidden.iter().copied().filter(|name| words.contains(name)).collect()
}

#[test]
fn no_description_of_the_shipped_rules_names_a_hidden_property() {
    for (connector, rules) in SHIPPED {
        let plan = plan(rules);
        let hidden = hidden(&plan);
        for name in ["subject", "bodyPreview", "displayName", "webLink", "givenName", "uniqueBody"] {
            assert!(hidden.contains(name), "{connector}: {name}");
        }
        let headers = hidden.contains("internetMessageHeaders");
        assert_eq!(
            headers,
            rules == METADATA_ONLY,
            "{connector}: only the other connector has a few headers"
        );
        let openapi = Document::openapi(&plan, About::default());
        assert_eq!(named(openapi.text(), &hidden), [""; 0], "{connector}");
        for (version, csdl) in csdl(&plan) {
            assert_eq!(named(&csdl, &hidden), [""; 0], "{connector}, {version:?}");
        }
    }
}

/// The check finds what it looks for: each property that leaves is named, and is not when its line is gone.
#[test]
fn a_property_whose_line_is_removed_is_not_named() {
    let [(_, rules), _] = SHIPPED;
    for (name, line) in [
        ("isDraft", "        - $.isDraft\n"),
        ("internetMessageId", "      - { path: $.internetMessageId, as: message_id }"),
        ("userType", "      one_of:\n        - { path: $.userType, values: [Member, Guest] }\n"),
        ("flagStatus", "        - { path: $.flag.flagStatus, values: [notFlagged, complete, flagged] }\n"),
    ] {
        let without = rules.replacen(line, "", 1);
        assert_ne!(without, rules, "{name}");
        for (rules, is_there) in [(rules, true), (without.as_str(), false)] {
            let plan = plan(rules);
            let openapi = Document::openapi(&plan, About::default()).text().to_owned();
            for document in csdl(&plan).into_iter().map(|(_, text)| text).chain([openapi]) {
                assert_eq!(words(&document).contains(name), is_there, "{name}");
            }
        }
    }
}
