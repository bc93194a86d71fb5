//! The permissions that a file names, against the endpoints that need them.

use super::super::codes;
use super::super::diagnostic::Diagnostic;
use super::super::plan::Endpoint;
use super::super::raw;
use super::super::template::Template;
use super::super::yaml::Recovered;

/// Which application permission opens which endpoints, least first.
/// Source: the Microsoft Graph permissions reference. The first row whose segment occurs decides.
const NEEDED: &[(&str, &[&str])] = &[
    ("mailboxSettings", &["MailboxSettings.Read"]),
    ("messages", &["Mail.ReadBasic.All", "Mail.Read"]),
    ("mailFolders", &["Mail.ReadBasic.All", "Mail.Read"]),
    ("contacts", &["Contacts.Read"]),
    ("contactFolders", &["Contacts.Read"]),
    ("groups", &["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"]),
    ("users", &["User.Read.All", "Directory.Read.All"]),
];

/// The written names, each a list of alternatives.
pub(super) fn names(permissions: &[raw::Permission]) -> Vec<Vec<String>> {
    permissions.iter().map(|entry| entry.0.iter().map(|name| name.value.clone()).collect()).collect()
}

/// Reports endpoints that no listed permission opens and permissions that open too much.
pub(super) fn check(
    permissions: &[raw::Permission],
    written: &[Recovered<raw::Endpoint>],
    endpoints: &[Option<Endpoint>],
    findings: &mut Vec<Diagnostic>,
) {
    report_missing(permissions, written, endpoints, findings);
    let needed: Vec<_> = endpoints.iter().flatten().map(|endpoint| needed(&endpoint.template)).collect();
    for entry in permissions {
        report_excess(entry, &needed, findings);
    }
}

fn report_missing(
    permissions: &[raw::Permission],
    written: &[Recovered<raw::Endpoint>],
    endpoints: &[Option<Endpoint>],
    findings: &mut Vec<Diagnostic>,
) {
    let listed: Vec<_> =
        permissions.iter().flat_map(|entry| &entry.0).map(|name| name.value.as_str()).collect();
    for (raw, endpoint) in written.iter().zip(endpoints) {
        let (Some(raw), Some(endpoint)) = (&raw.0, endpoint) else {
            continue;
        };
        let needed = needed(&endpoint.template);
        if !needed.is_empty() && !needed.iter().any(|permission| listed.contains(permission)) {
            let hint = format!("add `{}` to `permissions`", needed.first().unwrap_or(&""));
            let message = "no permission in this file opens this endpoint";
            findings.push(Diagnostic::error(codes::PERMISSION, raw.get.span.clone(), message).hint(hint));
        }
    }
}

fn report_excess(
    entry: &raw::Permission,
    needed: &[&'static [&'static str]],
    findings: &mut Vec<Diagnostic>,
) {
    let Some(first) = entry.0.first() else { return };
    let least = needed
        .iter()
        .find_map(|names| names.iter().skip(1).any(|name| *name == first.value).then(|| names.first()));
    if let Some(Some(least)) = least {
        let message = format!("`{}` opens more than these endpoints need", first.value);
        let hint = format!("name `{least}` first: [{least}, {}]", first.value);
        findings.push(Diagnostic::warning(codes::OVER_PRIVILEGED, first.span.clone(), message).hint(hint));
    }
    for name in &entry.0 {
        if ["ReadWrite", "Send", "Manage", "FullControl"].iter().any(|word| name.value.contains(word)) {
            let message = "this permission can change the tenant; this proxy only reads";
            findings.push(
                Diagnostic::warning(codes::OVER_PRIVILEGED, name.span.clone(), message)
                    .hint("use the permission that ends in `.Read` or `.Read.All`"),
            );
        }
    }
}

/// The permissions that open an endpoint, least first; empty if this program does not know.
fn needed(template: &Template) -> &'static [&'static str] {
    NEEDED.iter().find(|(segment, _)| template.names(segment)).map_or(&[], |(_, permissions)| permissions)
}
