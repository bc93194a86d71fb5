//! The names that authors give: a reader finds by them what belongs together.

use super::super::{codes, raw};
use super::is_label;
use super::shapes::present;
use crate::diagnostic::Diagnostic;
use crate::yaml::{self, Recovered, Spanned, look_alike};

/// Reports names of shapes that are not labels, and names of one kind that look alike.
pub(super) fn check(raw: &raw::File, findings: &mut Vec<Diagnostic>) {
    for (name, _) in raw.shapes.0.iter().filter(|(name, _)| !is_label(&name.value)) {
        let message = "a shape's name has lower-case letters, digits and hyphens only";
        findings
            .push(Diagnostic::error(yaml::MALFORMED, name.span.clone(), message).hint("rename the shape"));
    }
    report_twins(&raw.shapes.0, findings);
    for endpoint in present(&raw.endpoints) {
        report_twins(&endpoint.params.0, findings);
    }
}

fn report_twins<T>(entries: &[(Spanned<String>, Recovered<T>)], findings: &mut Vec<Diagnostic>) {
    for (at, (name, _)) in entries.iter().enumerate() {
        let mut earlier = entries.iter().take(at).map(|(name, _)| &name.value);
        if let Some(twin) = earlier.find(|other| look_alike(other, &name.value)) {
            let message = format!("this name is easily taken for `{twin}`");
            let hint = "a reader tells them apart by their names: rename one";
            findings.push(Diagnostic::error(codes::LOOK_ALIKE, name.span.clone(), message).hint(hint));
        }
    }
}
