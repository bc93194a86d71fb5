//! Random rules files, as an author would write them.

use proptest::prelude::*;

use super::documents::name;
use crate::support::sanitizing::{rules_file, yaml_quoted};

/// Shapes refer to each other by these names, in circles, too.
const SHAPES: &[&str] = &["one", "two", "three"];

/// A rules file; two transforms may meet in it.
pub(super) fn file() -> impl Strategy<Value = String> {
    let shapes = prop::collection::vec(shape(), SHAPES.len());
    let response = prop_oneof![
        4 => Just("{ entity: one }"),
        2 => Just("{ collection: one }"),
        1 => Just("{ delta: one }"),
    ];
    (shapes, response).prop_map(|(shapes, response)| {
        let shapes = SHAPES.iter().zip(shapes).map(|(name, shape)| format!("  {name}: {shape}\n"));
        rules_file(&shapes.collect::<String>(), response)
    })
}

/// A shape in YAML's flow style.
fn shape() -> impl Strategy<Value = String> {
    let keep = prop::collection::vec(kept(), 0..5);
    let redact = prop::collection::vec(redacting_path(), 0..3);
    let transforms = prop::collection::vec(transform(), 0..3);
    let nested = prop::collection::vec((path(), prop::sample::select(SHAPES)), 0..2);
    (keep, redact, transforms, nested, prop::bool::weighted(0.1)).prop_map(
        |(keep, redact, transforms, nested, unlisted)| {
            let mut lines = vec![format!("redact: [{}]", quoted(&redact))];
            let groups = ["times", "booleans", "numbers", "one_of", "time_zones", "text"];
            let groups = groups.map(|group| format!("{group}: [{}]", entries(&keep, group)));
            lines.push(format!("keep: {{ {} }}", groups.join(", ")));
            for key in ["pseudonymize", "match", "truncate_time", "domain", "digest", "hash_ip", "link"] {
                lines.push(format!("{key}: [{}]", entries(&transforms, key)));
            }
            let nested = nested
                .iter()
                .map(|(path, shape)| format!("{{ path: {}, shape: {shape} }}", yaml_quoted(path)));
            lines.push(format!("nested: [{}]", nested.collect::<Vec<_>>().join(", ")));
            if unlisted {
                lines.push("unlisted: keep".to_owned());
            }
            format!("{{ {} }}", lines.join(", "))
        },
    )
}

/// The entries under this key.
fn entries(all: &[(String, String)], key: &str) -> String {
    all.iter().filter(|(own, _)| own == key).map(|(_, entry)| &**entry).collect::<Vec<_>>().join(", ")
}

/// The group under `keep` that the entry stands in, and the entry.
fn kept() -> impl Strategy<Value = (String, String)> {
    let plain =
        prop::sample::select(vec!["times", "booleans", "numbers", "time_zones", "text", "text", "text"]);
    prop_oneof![
        4 => (path(), plain).prop_map(|(path, group)| (group.to_owned(), yaml_quoted(&path))),
        1 => path().prop_map(|path| entry("one_of", &path, r#"values: [yesterday, "quote \" and \\ backslash", ""]"#)),
    ]
}

fn quoted(paths: &[String]) -> String {
    paths.iter().map(|path| yaml_quoted(path)).collect::<Vec<_>>().join(", ")
}

/// The key that the entry stands under, and the entry.
fn transform() -> impl Strategy<Value = (String, String)> {
    let kind = prop::sample::select(vec!["email", "email_list", "id", "thread", "message_id", "text"]);
    let regex = r"'(?<kept>smtp:|SMTP:|two )(?<rest>[^!]*)'";
    let parts = prop::sample::select(vec![
        "keep: kept",
        "pseudonymize: { group: rest, as: email }",
        "keep: kept, pseudonymize: { group: rest, as: text }",
    ]);
    let plain = prop::sample::select(vec!["domain", "digest", "hash_ip", "link"]);
    let unit = prop::sample::select(vec!["minute", "hour", "day"]);
    prop_oneof![
        3 => (path(), kind).prop_map(|(path, kind)| entry("pseudonymize", &path, &format!("as: {kind}"))),
        1 => path().prop_map(|path| entry("pseudonymize", &path, "as: id, reversible: true")),
        2 => (path(), parts)
            .prop_map(move |(path, parts)| entry("match", &path, &format!("regex: {regex}, {parts}"))),
        1 => (path(), unit).prop_map(|(path, unit)| entry("truncate_time", &path, &format!("to: {unit}"))),
        3 => (path(), plain).prop_map(|(path, key)| (key.to_owned(), yaml_quoted(&path))),
    ]
}

fn entry(key: &str, path: &str, rest: &str) -> (String, String) {
    (key.to_owned(), format!("{{ path: {}, {rest} }}", yaml_quoted(path)))
}

/// A path of a writing rule.
fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(step(), 1..4).prop_map(|steps| format!("${}", steps.concat()))
}

/// A path of `redact`, which may descend.
fn redacting_path() -> impl Strategy<Value = String> {
    let steps = prop::collection::vec((prop::bool::weighted(0.2), step()), 1..3);
    steps.prop_map(|steps| {
        let step = |(descend, step): &(bool, String)| format!("{}{step}", if *descend { ".." } else { "" });
        format!("${}", steps.iter().map(step).collect::<String>())
    })
}

fn step() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => selector(),
        1 => (selector(), selector()).prop_map(|(a, b)| format!("[{},{}]", inner(&a), inner(&b))),
    ]
}

fn inner(selector: &str) -> &str {
    selector.trim_start_matches('[').trim_end_matches(']')
}

fn selector() -> impl Strategy<Value = String> {
    prop_oneof![
        10 => name().prop_filter("brackets", |name| !name.contains('[')).prop_map(|name| format!("[{}]", serde_json::Value::from(name))),
        4 => Just("[*]".to_owned()),
        1 => (0..4_u8).prop_map(|at| format!("[{at}]")),
        1 => (0..3_u8, 0..4_u8).prop_map(|(start, end)| format!("[{start}:{end}]")),
        1 => (0..3_u8).prop_map(|start| format!("[{start}:]")),
        1 => (0..3_u8).prop_map(|end| format!("[:{end}]")),
    ]
}
