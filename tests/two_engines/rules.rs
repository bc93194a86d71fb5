//! Random rules files, as an author would write them.

use proptest::prelude::*;

use super::documents::name;
use crate::support::sanitizing::{rules_file, yaml_quoted};

/// Shapes refer to each other by these names, in circles, too.
const SHAPES: &[&str] = &["one", "two", "three"];

/// A longer path does not fit on a line.
const MAX_PATH: usize = 120;

/// A rules file; two transforms may meet in it.
pub(super) fn file() -> impl Strategy<Value = String> {
    (shapes(), response()).prop_map(|(shapes, response)| written(&shapes, response))
}

/// Two rules files that differ in one shape.
pub(crate) fn pair() -> impl Strategy<Value = (String, String)> {
    (shapes(), 0..SHAPES.len(), shape(), response()).prop_map(|(shapes, at, other, response)| {
        let mut others = shapes.clone();
        others[at] = other;
        (written(&shapes, response), written(&others, response))
    })
}

fn shapes() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(shape(), SHAPES.len())
}

fn response() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => Just("{ entity: one }"),
        2 => Just("{ collection: one }"),
        1 => Just("{ delta: one }"),
    ]
}

fn written(shapes: &[String], response: &str) -> String {
    let shapes = SHAPES.iter().zip(shapes).map(|(name, shape)| format!("  {name}:\n{shape}"));
    rules_file(&shapes.collect::<String>(), response)
}

/// A shape, one entry a line.
fn shape() -> impl Strategy<Value = String> {
    let keep = prop::collection::vec(kept(), 0..5);
    let redact = prop::collection::vec(redacting_path(), 0..3);
    let transforms = prop::collection::vec(transform(), 0..3);
    let nested = prop::collection::vec((path(), prop::sample::select(SHAPES)), 0..2);
    (keep, redact, transforms, nested, prop::bool::weighted(0.1)).prop_map(
        |(keep, redact, transforms, nested, unlisted)| {
            let mut lines = list("redact", redact.iter().map(|path| yaml_quoted(path)));
            lines += "    keep:\n";
            for group in ["times", "booleans", "numbers", "one_of", "time_zones", "text"] {
                lines += &list(&format!("  {group}"), entries(&keep, group));
            }
            for key in [
                "headers",
                "pseudonymize",
                "match",
                "truncate_time",
                "domain",
                "digest",
                "hash_ip",
                "reply_depth",
                "link",
            ] {
                lines += &list(key, entries(&transforms, key));
            }
            let nested = nested.iter().map(|(path, shape)| entry(path, &[&format!("shape: {shape}")]));
            lines += &list("nested", nested);
            if unlisted {
                lines.push_str("    unlisted: keep\n");
            }
            lines
        },
    )
}

/// The entries under this key.
fn entries(all: &[(&'static str, String)], key: &str) -> impl Iterator<Item = String> {
    all.iter().filter(move |(own, _)| *own == key).map(|(_, entry)| entry.clone())
}

/// The group under `keep` that the entry stands in, and the entry.
fn kept() -> impl Strategy<Value = (&'static str, String)> {
    let plain =
        prop::sample::select(vec!["times", "booleans", "numbers", "time_zones", "text", "text", "text"]);
    let values = r#"values: [yesterday, 'quote " and \ backslash', '']"#;
    prop_oneof![
        4 => (path(), plain).prop_map(|(path, group)| (group, yaml_quoted(&path))),
        1 => path().prop_map(move |path| ("one_of", entry(&path, &[values]))),
    ]
}

fn list(key: &str, entries: impl Iterator<Item = String>) -> String {
    let entries: String = entries.map(|entry| format!("        - {entry}\n")).collect();
    if entries.is_empty() { format!("    {key}: []\n") } else { format!("    {key}:\n{entries}") }
}

/// The key that the entry stands under, and the entry.
fn transform() -> impl Strategy<Value = (&'static str, String)> {
    let kind = prop::sample::select(vec!["email", "email_list", "id", "thread", "message_id", "text"]);
    let regex = r"'(?<kept>smtp:|SMTP:|two )(?<rest>[^!]*)'";
    let regex = format!("regex: {regex}");
    let parts = prop::sample::select(vec![
        &["keep: kept"][..],
        &["pseudonymize: { group: rest, as: email }"],
        &["keep: kept", "pseudonymize: { group: rest, as: text }"],
    ]);
    let plain = prop::sample::select(vec!["domain", "digest", "hash_ip", "reply_depth", "link"]);
    let unit = prop::sample::select(vec!["minute", "hour", "day"]);
    prop_oneof![
        3 => (path(), kind).prop_map(|(path, kind)| ("pseudonymize", entry(&path, &[&format!("as: {kind}")]))),
        1 => path().prop_map(|path| ("pseudonymize", entry(&path, &["as: id", "reversible: true"]))),
        2 => (path(), parts)
            .prop_map(move |(path, parts)| ("match", entry(&path, &[&[regex.as_str()], parts].concat()))),
        1 => (path(), unit).prop_map(|(path, unit)| ("truncate_time", entry(&path, &[&format!("to: {unit}")]))),
        3 => (path(), plain).prop_map(|(path, key)| (key, yaml_quoted(&path))),
        2 => path().prop_map(|path| ("headers", entry(&path, HEADERS))),
    ]
}

const HEADERS: &[&str] = &[
    "tokens: { In-Reply-To: message_id, Sender: email, Precedence: text }",
    "flags: { automatic: [Auto-Submitted, X-Auto-Response-Suppress, Precedence], list: [List-Id, Precedence] }",
];

/// An entry of several keys, one a line.
fn entry(path: &str, rest: &[&str]) -> String {
    let rest: String = rest.iter().map(|key| format!("\n          {key}")).collect();
    format!("path: {}{rest}", yaml_quoted(path))
}

/// A path of a writing rule. Lines of rules files have a limit.
fn path() -> impl Strategy<Value = String> {
    let path = prop::collection::vec(step(), 1..4).prop_map(|steps| format!("${}", steps.concat()));
    path.prop_filter("too long for a line", |path| path.len() <= MAX_PATH)
}

/// A path of `redact`, which may descend.
fn redacting_path() -> impl Strategy<Value = String> {
    let steps = prop::collection::vec((prop::bool::weighted(0.2), step()), 1..3);
    let path = steps.prop_map(|steps| {
        let step = |(descend, step): &(bool, String)| format!("{}{step}", if *descend { ".." } else { "" });
        format!("${}", steps.iter().map(step).collect::<String>())
    });
    path.prop_filter("too long for a line", |path| path.len() <= MAX_PATH)
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
        10 => name().prop_filter("not plain", |name| is_plain(name)).prop_map(|name| format!("[\"{name}\"]")),
        4 => Just("[*]".to_owned()),
        1 => (0..4_u8).prop_map(|at| format!("[{at}]")),
        1 => (0..3_u8, 0..4_u8).prop_map(|(start, end)| format!("[{start}:{end}]")),
        1 => (0..3_u8).prop_map(|start| format!("[{start}:]")),
        1 => (0..3_u8).prop_map(|end| format!("[:{end}]")),
    ]
}

/// Whether rules can name the property: ASCII without escapes. A name with brackets gets a warning.
fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\[".contains(&byte))
}
