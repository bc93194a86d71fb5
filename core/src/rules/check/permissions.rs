//! Compares the permissions that a file names with the endpoints that need them.

use std::ops::Range;

use super::super::codes;
use super::super::known::any_opens;
use super::super::plan::{Endpoint, Permission};
use super::super::raw;
use crate::catalogue::permissions::{adds_to_others, gives, is_known, opens, opens_path, writes};
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

/// Reports endpoints that the listed permissions do not open, or not all of, and permissions that open too much.
pub(super) fn check(
    permissions: &[&raw::Permission],
    written: &[Recovered<raw::Endpoint>],
    endpoints: &[Option<Endpoint>],
    findings: &mut Vec<Diagnostic>,
) {
    let listed: Vec<_> =
        permissions.iter().flat_map(|entry| &entry.any_of).map(|name| name.value.as_str()).collect();
    for (raw, endpoint) in written.iter().zip(endpoints) {
        if let (Some(raw), Some(endpoint)) = (&raw.0, endpoint) {
            findings.extend(unopened(&listed, &raw.get.span, endpoint));
        }
    }
    // What leaves decides which permission is the least, and an error may hide some of it.
    if findings.iter().any(Diagnostic::is_error) {
        return;
    }
    let endpoints: Vec<_> = endpoints.iter().flatten().collect();
    let needed: Vec<_> = endpoints.iter().filter_map(|endpoint| endpoint.least_permission()).collect();
    for entry in permissions {
        report_excess(entry, &needed, findings);
        report_unneeded(entry, &endpoints, findings);
    }
}

/// Why the endpoint cannot give all that its shape lets out, as far as the catalogue knows.
fn unopened(listed: &[&str], span: &Range<usize>, endpoint: &Endpoint) -> Option<Diagnostic> {
    let warning = |code, message: String, hint: String| {
        Some(Diagnostic::warning(code, span.clone(), message).hint(hint))
    };
    let Some(is_open) = any_opens(listed.iter().copied(), endpoint) else {
        let message = "this program does not know which permission opens this path".to_owned();
        let hint = "look the path and its permission up in Graph's reference".to_owned();
        return warning(codes::UNKNOWN_ENDPOINT, message, hint);
    };
    if endpoint.resource().is_none() {
        let message = "this program does not know what is at this path".to_owned();
        let hint = "look the path and its properties up in Graph's reference".to_owned();
        return warning(codes::UNKNOWN_ENDPOINT, message, hint);
    }
    let needed = endpoint.least_permission()?;
    let hint = format!("add `{needed}` to `permissions`");
    if !is_open {
        let message = "no permission in this file opens this endpoint";
        return Some(Diagnostic::error(codes::PERMISSION, span.clone(), message).hint(hint));
    }
    let property = withheld(listed, endpoint)?;
    let message = format!("no permission in this file gives `{property}` of these objects");
    warning(codes::NOT_GIVEN, message, hint)
}

/// The first property that leaves by the endpoint and that none of the permissions that open it gives.
fn withheld<'e>(permissions: &[&str], endpoint: &'e Endpoint) -> Option<&'e str> {
    let (_, resource) = endpoint.resource()?;
    let path = endpoint.path();
    let opening: Vec<_> = permissions.iter().filter(|name| opens_path(name, &path) == Some(true)).collect();
    let withholds =
        |property: &&str| opening.iter().all(|name| gives(name, resource.of, property) == Some(false));
    endpoint.leaving().into_iter().find(withholds)
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

fn report_unneeded(entry: &raw::Permission, endpoints: &[&Endpoint], findings: &mut Vec<Diagnostic>) {
    for name in &entry.any_of {
        // The permission may be for a path that the catalogue does not know.
        let may_open = |endpoint: &&Endpoint| any_opens([name.value.as_str()], endpoint) != Some(false);
        if !endpoints.iter().any(may_open) && !writes(&name.value) && !adds_to_others(&name.value) {
            let message = format!("no endpoint in this file needs `{}`", name.value);
            let hint = if is_known(&name.value) {
                "remove it: an administrator would grant it for nothing"
            } else {
                "correct it after Microsoft's list of application permissions, or remove it"
            };
            let finding = Diagnostic::warning(codes::UNNEEDED_PERMISSION, name.span.clone(), message);
            findings.push(finding.hint(hint));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::compile;

    /// The codes of the findings about a file with these permissions, this shape, and an endpoint at each of these paths.
    fn codes(permissions: &str, shape: &str, paths: &[&str]) -> Vec<&'static str> {
        let endpoint = |(at, path): (usize, &&str)| {
            let params = if path.contains("{user}") { "user: { token: id }" } else { "" };
            format!(
                "  - name: e{at}\n    get: /v1.0{path}\n    params: {{ {params} }}\n    response: {{ collection: s }}\n"
            )
        };
        let file = format!(
            "version: 1\nconnector: c\ntitle: T\npurpose: P.\npermissions: [{permissions}]\nshapes:\n  s: {shape}\nendpoints:\n{}",
            paths.iter().enumerate().map(endpoint).collect::<String>()
        );
        compile("test.yaml", &file).report.diagnostics.iter().map(|it| it.code.as_str()).collect()
    }

    const EVENTS: &str = "/users/{user}/calendarView";
    const MESSAGES: &str = "/users/{user}/messages";
    const ID: &str = "{ pseudonymize: [{ path: $.id, as: id }] }";

    #[test]
    fn a_calendar_is_opened_by_a_permission_for_calendars() {
        assert_eq!(codes("Calendars.ReadBasic.All", ID, &[EVENTS]), [""; 0]);
        assert_eq!(codes("User.Read.All", ID, &[EVENTS]), ["G0209"]);
        assert_eq!(codes("Calendars.Read", ID, &[EVENTS]), ["G0303"]);
        assert_eq!(
            codes("Calendars.Read", "{ digest: [{ path: $.body.content, reviewed: true }] }", &[EVENTS]),
            [""; 0]
        );
    }

    #[test]
    fn a_permission_that_no_endpoint_needs_gets_a_warning() {
        for unneeded in ["Files.Read.All", "Chat.Read.All", "Unheard.Of"] {
            let both = format!("Mail.ReadBasic.All, {unneeded}");
            assert_eq!(codes(&both, ID, &[MESSAGES]), ["G0305"], "{unneeded}");
            let alternatives = format!("[Mail.ReadBasic.All, {unneeded}]");
            assert_eq!(codes(&alternatives, ID, &[MESSAGES]), ["G0305"], "{unneeded}");
        }
        let needed = "Mail.ReadBasic.All, Calendars.ReadBasic.All, Member.Read.Hidden";
        assert_eq!(codes(needed, ID, &[MESSAGES, EVENTS]), [""; 0]);
        assert_eq!(codes("[Mail.ReadBasic.All, Mail.Read]", ID, &[MESSAGES]), [""; 0]);
    }

    #[test]
    fn an_unknown_path_gets_a_warning_and_no_advice() {
        assert_eq!(codes("Mail.ReadBasic.All", ID, &[MESSAGES, "/users/{user}/mesages"]), ["G0210"]);
        assert_eq!(codes("Files.Read.All", ID, &["/users/{user}/unheardOf"]), ["G0210"], "it may need it");
        for path in ["/drives/{user}", "/communications/callRecords/{user}"] {
            assert_eq!(codes("Mail.Read", ID, &[path]).first(), Some(&"G0209"), "{path}");
        }
    }

    #[test]
    fn a_property_that_no_permission_gives_gets_a_warning() {
        let text = "{ digest: [{ path: $.bodyPreview, reviewed: true }] }";
        assert_eq!(codes("Mail.ReadBasic.All", text, &[MESSAGES]), ["G0211"]);
        assert_eq!(codes("[Mail.ReadBasic.All, Mail.Read]", text, &[MESSAGES]), [""; 0]);
        assert_eq!(
            codes("Mail.ReadBasic.All", "{ digest: [{ path: $.subject, reviewed: true }] }", &[MESSAGES]),
            [""; 0]
        );
        assert_eq!(
            codes("User.ReadBasic.All", "{ keep: { booleans: [$.accountEnabled] } }", &["/users"]),
            ["G0211"]
        );
        // Nobody knows what these give.
        assert_eq!(
            codes("Group.ReadBasic.All", "{ keep: { booleans: [$.mailEnabled] } }", &["/groups"]),
            [""; 0]
        );
    }
}
