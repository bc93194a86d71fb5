//! `keep` as a list of paths, which does not say what the values may be. The error shows the form that does, filled in from
//! Graph's types.

use std::collections::BTreeMap;

use super::super::codes;
use super::super::raw;
use super::leaving::{Lines, group};
use crate::catalogue::{Edm, members};
use crate::diagnostic::Diagnostic;
use crate::yaml::{ByKind, Spanned};

pub(super) fn check(shapes: &raw::Entries<raw::Shape>, lines: &Lines, findings: &mut Vec<Diagnostic>) {
    for keep in shapes.0.iter().filter_map(|(_, shape)| shape.0.as_ref()?.keep.0.as_ref()) {
        let paths = match &keep.value {
            ByKind::Full(_) => continue,
            ByKind::List(paths) => paths.as_slice(),
            ByKind::Text(path) => std::slice::from_ref(path),
        };
        let message = "`keep` does not say what these values may be";
        let hint = format!("write `keep: {{ {} }}`", typed(paths, lines));
        findings.push(Diagnostic::error(codes::UNTYPED_KEEP, keep.span.clone(), message).hint(hint));
    }
}

/// The groups with their paths, in YAML's flow style.
fn typed(paths: &[Spanned<String>], lines: &Lines) -> String {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for path in paths {
        let found = lines.property(&path.span);
        // Of an annotation, such as `@odata.type`, Graph writes fixed texts.
        let other = if path.value.contains('@') { "one_of" } else { "text" };
        let group = found.and_then(|(version, property)| group(version, property)).unwrap_or(other);
        let text = quoted(&path.value);
        groups.entry(group).or_default().push(if group == "one_of" {
            format!("{{ path: {text}, values: [{}] }}", values(path, lines))
        } else {
            text
        });
    }
    let groups = groups.iter().map(|(group, entries)| format!("{group}: [{}]", entries.join(", ")));
    groups.collect::<Vec<_>>().join(", ")
}

fn values(path: &Spanned<String>, lines: &Lines) -> String {
    let found = lines.property(&path.span).map(|(version, property)| (version, property.edm));
    let Some((version, Edm::Enum(name))) = found else { return "…".to_owned() };
    members(version, name).collect::<Vec<_>>().join(", ")
}

/// The path as YAML: brackets and quotes have a meaning there.
fn quoted(path: &str) -> String {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'$' | b'.' | b'_');
    if path.bytes().all(is_plain) { path.to_owned() } else { serde_json::Value::from(path).to_string() }
}
