//! Each description has what leaves at each endpoint, place by place, and the OpenAPI document has nothing else.

use std::collections::{BTreeMap, BTreeSet};

use glassine_core::graph::Version;
use glassine_core::rules::Plan;
use glassine_core::rules::automaton::{Described, Effect, Leaf, Step};
use glassine_core::rules::plan::{Endpoint, Response, Transform};
use serde_json::Value;

use super::{SHIPPED, csdl, openapi, plan};
use crate::support::glassine::METADATA_ONLY;

/// The calendar's rules have digests, numbers and nested arrays.
const CALENDAR: &str = include_str!("../fixtures/calendar.yaml");

fn all_rules() -> Vec<String> {
    let open = METADATA_ONLY.replace("  recipient:\n", "  recipient:\n    unlisted: keep\n");
    assert_ne!(open, METADATA_ONLY);
    let shipped = SHIPPED.map(|(_, rules)| rules.to_owned());
    shipped.into_iter().chain([CALENDAR.to_owned(), open]).collect()
}

/// Whether only the other version has the place.
fn is_absent(endpoint: &Endpoint, version: Version, place: &Described) -> bool {
    let found = endpoint.types().properties(&place.at);
    !found.is_empty() && found.iter().all(|(own, _)| *own != version)
}

/// What leaves inside the objects of an endpoint.
fn leaves(endpoint: &Endpoint, version: Version) -> Vec<Described> {
    let leaves = endpoint.inside().filter(|place| matches!(place.effect, Effect::Leaves(_)));
    leaves.filter(|place| !is_absent(endpoint, version, place)).collect()
}

/// All places that a schema has a value at: `from.emailAddress.address`, `toRecipients[*]`.
fn places(document: &Value, schema: &Value, at: &str, found: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = document.pointer(reference.trim_start_matches('#')).expect(reference);
        return places(document, schema, at, found);
    }
    for way in schema["anyOf"].as_array().into_iter().flatten() {
        places(document, way, at, found);
    }
    let types: Vec<_> = match &schema["type"] {
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let is_digest = schema["properties"]["words"].is_object();
    if is_digest || types.iter().any(|name| !matches!(*name, "object" | "array" | "null")) {
        found.insert(at.to_owned());
    }
    if schema["additionalProperties"] == true {
        found.insert(format!("{at}.*"));
    }
    for (name, inside) in schema["properties"].as_object().into_iter().flatten().filter(|_| !is_digest) {
        places(document, inside, &format!("{at}.{name}"), found);
    }
    if schema["items"].is_object() {
        places(document, &schema["items"], &format!("{at}[*]"), found);
    }
}

/// The place as [`places`] writes it.
fn written(place: &Described) -> String {
    let step = |step: &Step| match step {
        Step::Name(name) => format!(".{name}"),
        Step::OtherNames => ".*".to_owned(),
        Step::Index(_) | Step::OtherElements => "[*]".to_owned(),
    };
    place.at.0.iter().map(step).collect()
}

/// The places of a leaf. A list of headers has two: of its names, and of its values.
fn written_in_full(place: &Described) -> Vec<String> {
    let at = written(place);
    match &place.effect {
        Effect::Leaves(Leaf::Transform(Transform::Headers(_))) => {
            ["name", "value"].map(|part| format!("{at}[*].{part}")).into()
        }
        _ => vec![at],
    }
}

/// The places that the schema has to have. What leaves inside properties that no rule names is one place.
fn expected(endpoint: &Endpoint, version: Version) -> BTreeSet<String> {
    let named: Vec<_> = leaves(endpoint, version).iter().flat_map(written_in_full).collect();
    let all = endpoint.inside().filter(|place| place.effect != Effect::Dropped).map(|place| written(&place));
    let open = all.filter_map(|it| Some(format!("{}.*", it.split_once(".*")?.0)));
    let all = named.into_iter().filter(|it| !it.contains(".*")).chain(open);
    match &endpoint.response.body().property {
        Some(property) => all.map(|it| it.replacen(&format!(".{property}"), ".value", 1)).collect(),
        None => all.collect(),
    }
}

/// The schema of an endpoint's objects.
fn objects<'d>(document: &'d Value, endpoint: &Endpoint, version: Version) -> &'d Value {
    let path = format!("/{}{}", version.as_str(), endpoint.path());
    let response = &document["paths"][&path]["get"]["responses"]["200"];
    let schema = &response["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{path}");
    let items = &schema["properties"]["value"]["items"];
    if items.is_object() { items } else { schema }
}

#[test]
fn the_openapi_document_has_exactly_what_leaves() {
    for rules in all_rules() {
        let plan = plan(&rules);
        let document = openapi(&plan);
        for endpoint in plan.endpoints.iter().filter(|it| matches!(it.response, Response::Json(_))) {
            for version in endpoint.versions() {
                let mut found = BTreeSet::new();
                places(&document, objects(&document, endpoint, version), "", &mut found);
                assert_eq!(found, expected(endpoint, version), "{}, {version:?}", endpoint.name);
                assert!(!found.is_empty(), "{}", endpoint.name);
            }
        }
    }
}

/// The properties of each type of a CSDL document, those of its base types included, with their types.
fn types(csdl: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut own: BTreeMap<String, (Option<String>, BTreeMap<String, String>)> = BTreeMap::new();
    let mut open = String::new();
    let attribute = |line: &str, name: &str| {
        Some(line.split_once(&format!(" {name}=\""))?.1.split_once('"')?.0.replace("microsoft.graph.", ""))
    };
    for line in csdl.lines().map(str::trim_start) {
        if line.starts_with("<EntityType ") || line.starts_with("<ComplexType ") {
            open = attribute(line, "Name").unwrap();
            own.insert(open.clone(), (attribute(line, "BaseType"), BTreeMap::new()));
        } else if line.starts_with("<Property ") || line.starts_with("<NavigationProperty ") {
            let property = (attribute(line, "Name").unwrap(), attribute(line, "Type").unwrap());
            let known = own.get_mut(&open).unwrap().1.insert(property.0, property.1);
            assert_eq!(known, None, "{line}");
        }
    }
    let whole = |name: &String| {
        let mut all = BTreeMap::new();
        let mut at = Some(name.clone());
        while let Some((base, properties)) = at.and_then(|name| own.get(&name)) {
            all.extend(properties.clone());
            at = base.clone();
        }
        (name.clone(), all)
    };
    own.keys().map(whole).collect()
}

/// Whether objects of the type, or of one derived from it, have a place for the value at the end of these names.
fn has(types: &BTreeMap<String, BTreeMap<String, String>>, of: &[String], names: &[&str]) -> bool {
    let [name, rest @ ..] = names else { return true };
    if name.contains('@') {
        return true;
    }
    let found = of.iter().filter_map(|of| types.get(of)?.get(*name));
    let single = |of: &String| of.trim_start_matches("Collection(").trim_end_matches(')').to_owned();
    found.map(single).any(|of| rest.is_empty() || has(types, &[of], rest))
}

#[test]
fn the_csdl_document_has_each_property_that_leaves() {
    for rules in all_rules() {
        let plan: Plan = plan(&rules);
        for (version, document) in csdl(&plan) {
            let types = types(&document);
            assert!(types.len() > 5);
            for endpoint in plan.endpoints.iter().filter(|it| matches!(it.response, Response::Json(_))) {
                let found = endpoint.types().iter().find(|(own, _)| *own == version);
                let Some((_, of)) = found else { continue };
                // Of a directory object, most properties are those of users and groups.
                let derived = ["user", "group", "orgContact"].map(str::to_owned);
                let own = [of.name.to_owned()].into_iter();
                let of: Vec<_> =
                    own.chain(derived.into_iter().filter(|_| of.name == "directoryObject")).collect();
                let named =
                    leaves(endpoint, version).into_iter().filter(|it| !it.at.0.contains(&Step::OtherNames));
                for place in named {
                    let names: Vec<_> = place.at.names().collect();
                    assert!(has(&types, &of, &names), "{}, {version:?}: {}", endpoint.name, place.at);
                }
            }
        }
    }
}
