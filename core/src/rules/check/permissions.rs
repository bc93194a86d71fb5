//! Compares the permissions that a file names with the endpoints that need them.

use super::super::codes;
use super::super::known::any_opens;
use super::super::plan::{Endpoint, Permission};
use super::super::raw;
use crate::catalogue::permissions::{opens, writes};
use crate::diagnostic::Diagnostic;
use crate::yaml::Recovered;

/// The permissions as the plan has them.
pub(super) fn compile(permissions: &[&raw::Permission]) -> Vec<Permission> {
    let compiled = |entry: &&raw::Permission| Permission {
        any_of: entry.any_of.iter().map(|name| name.value.clone()).collect(),
        why: entry.why.clone(),
    };
    permissions.iter().map(compiled).collect()
}

/// Reports endpoints that no listed permission opens and permissions that open too much.
pub(super) fn check(
    permissions: &[&raw::Permission],
    written: &[Recovered<raw::Endpoint>],
    endpoints: &[Option<Endpoint>],
    findings: &mut Vec<Diagnostic>,
) {
    report_missing(permissions, written, endpoints, findings);
    // What leaves decides which permission is the least, and an error may hide some of it.
    if findings.iter().any(Diagnostic::is_error) {
        return;
    }
    let needed: Vec<_> = endpoints.iter().flatten().filter_map(Endpoint::least_permission).collect();
    for entry in permissions {
        report_excess(entry, &needed, findings);
    }
}

fn report_missing(
    permissions: &[&raw::Permission],
    written: &[Recovered<raw::Endpoint>],
    endpoints: &[Option<Endpoint>],
    findings: &mut Vec<Diagnostic>,
) {
    let listed: Vec<_> =
        permissions.iter().flat_map(|entry| &entry.any_of).map(|name| name.value.as_str()).collect();
    for (raw, endpoint) in written.iter().zip(endpoints) {
        let (Some(raw), Some(endpoint)) = (&raw.0, endpoint) else {
            continue;
        };
        if let (Some(false), Some(needed)) =
            (any_opens(listed.iter().copied(), endpoint), endpoint.least_permission())
        {
            let message = "no permission in this file opens this endpoint";
            findings.push(
                Diagnostic::error(codes::PERMISSION, raw.get.span.clone(), message)
                    .hint(format!("add `{needed}` to `permissions`")),
            );
        }
    }
}

fn report_excess(entry: &raw::Permission, needed: &[&'static str], findings: &mut Vec<Diagnostic>) {
    let Some(first) = entry.any_of.first() else { return };
    let opened: Vec<_> = needed.iter().filter(|least| opens(&first.value, least)).collect();
    let is_needed = opened.iter().any(|least| opens(least, &first.value));
    if let Some(least) = opened.first().filter(|_| !is_needed && !writes(&first.value)) {
        let message = format!("`{}` opens more than these endpoints need", first.value);
        let hint = format!("name `{least}` first: [{least}, {}]", first.value);
        findings.push(Diagnostic::warning(codes::OVER_PRIVILEGED, first.span.clone(), message).hint(hint));
    }
    for name in entry.any_of.iter().filter(|name| writes(&name.value)) {
        let message = "this permission can change the tenant; this proxy only reads";
        findings.push(
            Diagnostic::warning(codes::OVER_PRIVILEGED, name.span.clone(), message)
                .hint("use the permission that ends in `.Read` or `.Read.All`"),
        );
    }
}
