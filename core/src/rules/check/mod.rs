//! Compiles a rules file to a plan and reports every finding in one pass.

mod counts;
mod endpoints;
mod leaving;
mod names;
mod overlap;
mod permissions;
mod properties;
mod query;
mod refused;
pub(super) mod regexes;
pub(super) mod shapes;
mod untyped;

pub(crate) use leaving::{Exposure, identifies};

use std::sync::Arc;

use super::checked::Shape;
use super::plan::Plan;
use super::{codes, raw};
use crate::diagnostic::{Diagnostic, Report};
use crate::pseudonym::DomainMode;
use crate::yaml::{self, Prose};

/// The version of the format that this program reads.
const VERSION: u32 = 1;

/// Where a rules file has text for people. Everything else is names and values that the program reads.
const PROSE: &[Prose] = &[
    Prose { path: &["title"], several_lines: false },
    Prose { path: &["purpose"], several_lines: true },
    Prose { path: &["permissions", "*", "why"], several_lines: true },
];

/// The result of compiling a rules file: a plan, unless there are errors, and all findings.
#[derive(Debug)]
pub struct Compiled {
    /// Present if no finding is an error.
    pub plan: Option<Plan>,
    /// Errors and warnings.
    pub report: Report,
}

/// Reads, checks and compiles the rules file called `file` with the text `source`.
pub fn compile(file: &str, source: &str) -> Compiled {
    let loaded = yaml::load_plain::<raw::File>(source, PROSE);
    let mut findings = loaded.diagnostics;
    let plan = loaded.value.and_then(|raw| check(&raw, &mut findings));
    dedup(&mut findings);
    let report = Report::new(file, source, findings);
    Compiled { plan: plan.filter(|_| !report.has_errors()), report }
}

/// A plan if one can be built; whether it may be used depends on the findings.
fn check(raw: &raw::File, findings: &mut Vec<Diagnostic>) -> Option<Plan> {
    check_head(raw, findings);
    check_domains(&raw.addresses, findings);
    names::check(raw, findings);
    let names = shapes::Names::new(&raw.shapes);
    let mut shapes: Vec<Shape> = shapes::check(&raw.shapes, &names, findings);
    shapes::report_conflicts(&raw.shapes, &shapes, findings);
    let endpoints = endpoints::check(&raw.endpoints, &names, &mut shapes, findings);
    shapes::report_unused(&raw.shapes, &raw.endpoints, findings);
    overlap::check(&raw.endpoints, &endpoints, findings);
    properties::check(&raw.endpoints, &endpoints, &names, &shapes, findings);
    let lines = leaving::Lines::of(&endpoints);
    leaving::check(&lines, &endpoints, &shapes, findings);
    untyped::check(&raw.shapes, &lines, findings);
    refused::check(&endpoints, findings);
    let named: Vec<_> = raw.permissions.iter().filter_map(|entry| entry.0.as_ref()).collect();
    permissions::check(&named, &raw.endpoints, &endpoints, findings);
    let endpoints: Vec<_> = endpoints.into_iter().collect::<Option<_>>()?;
    let counts = counts::of(&endpoints, findings);
    Some(Plan {
        connector: raw.connector.value.clone(),
        title: raw.title.clone(),
        purpose: raw.purpose.clone(),
        permissions: permissions::compile(&named),
        domains: raw.addresses.domains.as_ref().map(|mode| mode.value).unwrap_or_default(),
        plus_tags: raw.addresses.plus_tags,
        endpoints: endpoints.into_iter().map(Arc::new).collect(),
        counts: counts.into_iter().map(Arc::new).collect(),
    })
}

fn check_head(raw: &raw::File, findings: &mut Vec<Diagnostic>) {
    if raw.version.value != VERSION {
        let message = "this version of the format is not known";
        findings.push(
            Diagnostic::error(codes::VERSION, raw.version.span.clone(), message).hint("write `version: 1`"),
        );
    }
    if !is_label(&raw.connector.value) {
        let message = "a connector's name has lower-case letters, digits and hyphens only";
        let hint = "`title` is for people; `connector` is for logs and file names";
        findings.push(Diagnostic::error(yaml::MALFORMED, raw.connector.span.clone(), message).hint(hint));
    }
}

fn check_domains(addresses: &raw::Addresses, findings: &mut Vec<Diagnostic>) {
    let all = addresses.domains.as_ref().filter(|mode| mode.value == DomainMode::Keep);
    findings.extend(all.map(|mode| {
        let message = "the domain of every address leaves, also one that a stranger chose";
        let hint = "write `keep_listed`: your own domains stay readable, and others become tokens";
        Diagnostic::warning(codes::ALL_DOMAINS, mode.span.clone(), message).hint(hint)
    }));
}

/// A name that is safe in logs, metrics and links: lower-case letters, digits and hyphens, 64 characters at most.
pub(super) fn is_label(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Removes repeated findings: a shape is compiled, and reported, once for each endpoint that uses it.
fn dedup(findings: &mut Vec<Diagnostic>) {
    let mut kept: Vec<Diagnostic> = Vec::new();
    for finding in findings.drain(..) {
        if !kept.contains(&finding) {
            kept.push(finding);
        }
    }
    *findings = kept;
}

#[cfg(test)]
#[cfg(test)]
mod tests;
