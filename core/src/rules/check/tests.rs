use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::statement::Statement;

fn shipped() -> [(&'static str, &'static str); 2] {
    [
        ("outlook-mail.yaml", include_str!("../../../../rules/outlook-mail.yaml")),
        (
            "outlook-mail-metadata-only.yaml",
            include_str!("../../../../rules/outlook-mail-metadata-only.yaml"),
        ),
    ]
}

#[test]
fn the_shipped_rules_compile_without_a_finding() {
    for (file, text) in shipped() {
        let compiled = compile(file, text);
        assert!(
            compiled.plan.is_some() && compiled.report.diagnostics.is_empty(),
            "{}",
            compiled.report.render()
        );
    }
}

/// What the files name is what the catalogue advises, so nobody has to grant more than the endpoints need.
#[test]
fn the_shipped_rules_name_the_least_permissions() {
    for (file, text) in shipped() {
        let plan = compile(file, text).plan.unwrap();
        let named: BTreeSet<_> = plan.permissions.iter().map(|entry| entry.any_of[0].as_str()).collect();
        let least: BTreeSet<_> = plan.endpoints.iter().filter_map(|it| it.least_permission()).collect();
        assert_eq!(named, least, "{file}");
        for endpoint in &plan.endpoints {
            let opening: Vec<_> =
                plan.permissions.iter().filter(|it| it.opens(endpoint) == Some(true)).collect();
            // Groups of a user are opened by what opens users, too.
            let one = if endpoint.template.to_string().contains("emberOf/") { 2 } else { 1 };
            assert!((1..=one).contains(&opening.len()), "{file} {}: {opening:?}", endpoint.name);
        }
    }
}

/// A file with these shapes and these lines of one endpoint.
fn file(shapes: &str, endpoint: &str) -> String {
    format!(
        "version: 1\nconnector: c\ntitle: T\npurpose: P.\npermissions: [User.Read.All]\nshapes:\n{shapes}\n\
         endpoints:\n  - name: e\n    get: /{{api}}/users\n{endpoint}\n    response: {{ entity: s }}\n"
    )
}

const ONE_VERSION: &str = "    params: { api: { one_of: [v1.0] } }";

fn fingerprint(shapes: &str, endpoint: &str) -> String {
    let compiled = compile("test.yaml", &file(shapes, endpoint));
    let plan = compiled.plan.unwrap_or_else(|| panic!("{}", compiled.report.render()));
    Statement::of_rules(&plan).fingerprint().full()
}

/// The codes of the errors. The properties of these shapes are not Graph's, which is a warning.
fn errors(shapes: &str) -> Vec<&'static str> {
    let report = compile("test.yaml", &file(shapes, ONE_VERSION)).report;
    report.diagnostics.iter().filter(|it| it.is_error()).map(|it| it.code.as_str()).collect()
}

#[test]
fn the_order_of_parameters_and_options_is_not_in_the_fingerprint() {
    let shape = "  s: { keep: { text: [$.a, $.b] } }";
    let one = "    params: { api: { one_of: [v1.0, beta] } }\n    query:\n      $filter: { a: [eq, ne], b: [eq] }\n      \
               $orderby: [a, b]\n      x: { one_of: [p, q] }\n      y: boolean";
    let other = "    params: { api: { one_of: [beta, v1.0] } }\n    query:\n      y: boolean\n      x: { one_of: [q, p] }\n      \
                 $orderby: [b, a]\n      $filter: { b: [eq], a: [ne, eq] }";
    assert_eq!(fingerprint(shape, one), fingerprint(shape, other));
    assert_ne!(fingerprint(shape, one), fingerprint(shape, &other.replace("[ne, eq]", "[ne]")));
    assert_ne!(fingerprint(shape, one), fingerprint(shape, &other.replace("[q, p]", "[q, r]")));
}

#[test]
fn every_policy_is_in_the_fingerprint() {
    let shape =
        "  s: { keep: { text: [$.a] }, nested: [{ path: $.m, shape: t }] }\n  t: { keep: { text: [$.b] } }";
    let lines = "    params: { api: { one_of: [v1.0] } }\n    query:\n      $orderby: { a: [asc] }\n      x: { pattern: 'p+' }\n      \
                 $filter: { a: [in] }\n      $expand: { n: { shape: t, top: { integer: { min: 1, max: 2 } } } }";
    let first = fingerprint(shape, lines);
    assert_eq!(first, fingerprint(shape, &format!("{lines} # said differently")));
    for (from, to) in [
        ("[asc]", "[desc]"),
        ("p+", "p*"),
        ("[in]", "[eq]"),
        ("max: 2", "max: 3"),
        ("n: {", "o: {"),
        ("{ shape: t, top", "{ shape: s, top"),
        ("{ shape: t, top", "{ shape: t, select: kept, top"),
        ("{ one_of: [v1.0] }", "{ one_of: [v1.0], pattern: beta }"),
    ] {
        assert_ne!(first, fingerprint(shape, &lines.replace(from, to)), "{to}");
    }
}

#[test]
fn where_a_circle_of_shapes_leads_is_in_the_fingerprint() {
    let outer = "  s: { keep: { text: [$.k] }, nested: [{ path: $.n, shape: t }] }\n";
    let to_outer = format!("{outer}  t: {{ keep: {{ text: [$.l] }}, nested: [{{ path: $.m, shape: s }}] }}");
    let to_itself = format!("{outer}  t: {{ keep: {{ text: [$.l] }}, nested: [{{ path: $.m, shape: t }}] }}");
    assert_ne!(fingerprint(&to_outer, ONE_VERSION), fingerprint(&to_itself, ONE_VERSION));
}

#[test]
fn a_quote_in_a_name_does_not_make_two_paths_one_in_the_fingerprint() {
    let one = r#"  s: { keep: { text: ['$["x y"]["z t"]'] } }"#;
    let other = r#"  s: { keep: { text: ['$["x y''][''z t"]'] } }"#;
    assert_ne!(fingerprint(one, ONE_VERSION), fingerprint(other, ONE_VERSION));
}

#[test]
fn shapes_with_more_places_than_can_be_listed_are_refused() {
    let circle = |names: &[&str]| -> String {
        let to = |other: &&str| format!("      - {{ path: $.{other}, shape: {other} }}\n");
        let nested: String = names.iter().map(to).collect();
        let shape = |name: &&str| format!("  {name}:\n    keep: {{ text: [$.k] }}\n    nested:\n{nested}");
        names.iter().map(shape).collect()
    };
    assert_eq!(errors(&circle(&["s", "b", "c"])), Vec::<&str>::new());
    let found = errors(&circle(&["s", "b", "c", "d", "f", "g", "h", "i", "j", "k"]));
    assert!(found.contains(&"G0117") && found.iter().all(|code| *code == "G0117"), "{found:?}");
}

#[test]
fn a_regular_expression_must_be_one_before_it_is_anchored() {
    let shape = |regex: &str| format!("  s: {{ match: [{{ path: $.a, regex: '{regex}', keep: x }}] }}");
    assert_eq!(errors(&shape("(?<x>a)|(?:b)")), Vec::<&str>::new());
    assert_eq!(errors(&shape("(?<x>a)|b)|(?:c")), ["G0114"]);
}

/// The codes of the errors about an endpoint with these query options, or with this response.
fn errors_of_endpoint(lines: &str) -> Vec<&'static str> {
    let shape = "  s:\n    keep: { booleans: [$.accountEnabled], one_of: [{ path: '$.kinds[*]', values: [x] }], \
                 text: [{ path: $.city, reviewed: true }] }\n    \
                 truncate_time: [{ path: $.createdDateTime, to: day }]\n    \
                 pseudonymize: [{ path: $.id, as: id, reversible: true }, { path: $.mail, as: email }]\n    \
                 domain: ['$.otherMails[*]']";
    let report =
        compile("test.yaml", &file(shape, &format!("{ONE_VERSION}\n    query: {{ {lines} }}"))).report;
    report.diagnostics.iter().filter(|it| it.is_error()).map(|it| it.code.as_str()).collect()
}

#[test]
fn only_what_follows_from_what_leaves_can_be_compared_or_sorted_by() {
    for fine in [
        "accountEnabled: [eq, ne]",
        "kinds: [eq, in]",
        "createdDateTime: [ge, lt, present]",
        "id: [eq, ne, in]",
        "mail: [present]",
        "city: [gt]",
    ] {
        assert_eq!(errors_of_endpoint(&format!("$filter: {{ {fine} }}")), [""; 0], "{fine}");
    }
    for revealing in [
        "accountEnabled: [present]",
        "kinds: [ne]",
        "kinds: [eq, present]",
        "createdDateTime: [ge, eq]",
        "id: [gt]",
        "mail: [eq]",
        "mail: [present, ne]",
        "otherMails: [present]",
        "displayName: [eq]",
    ] {
        assert_eq!(errors_of_endpoint(&format!("$filter: {{ {revealing} }}")), ["G0206"], "{revealing}");
    }
    assert_eq!(errors_of_endpoint("$orderby: [accountEnabled, city]"), [""; 0]);
    for hidden in ["id", "mail", "createdDateTime", "kinds", "displayName"] {
        assert_eq!(errors_of_endpoint(&format!("$orderby: [{hidden}]")), ["G0206"], "{hidden}");
    }
    assert_eq!(errors_of_endpoint("$filter: kept, $orderby: kept"), [""; 0]);
    assert_eq!(errors_of_endpoint("$filter: all"), ["G0001"]);
    assert_eq!(errors_of_endpoint("$orderby: all"), ["G0001"]);
}

/// A sorted list tells where each object stands, also those whose value was dropped as it is not of the kept kind.
#[test]
fn texts_kept_as_times_numbers_or_booleans_are_not_compared_by_order_nor_sorted_by() {
    let errors = |path: &str, keep: &str, query: &str| {
        let text = format!(
            "version: 1\nconnector: c\ntitle: T\npurpose: P.\npermissions: [User.Read.All, Calendars.Read]\nshapes:\n  \
             s: {{ keep: {{ {keep} }} }}\nendpoints:\n  - name: e\n    get: /v1.0/{path}\n    params: {{ user: {{ token: id }} }}\n    \
             query: {{ {query} }}\n    response: {{ collection: s }}\n"
        );
        let report = compile("test.yaml", &text).report;
        let errors = report.diagnostics.iter().filter(|it| it.is_error());
        errors.map(|it| it.code.as_str()).collect::<Vec<_>>()
    };
    let manager = "users/{user}/directReports/microsoft.graph.user";
    for kind in ["times", "numbers", "booleans"] {
        let keep = format!("{kind}: [$.jobTitle]");
        for revealing in ["$orderby: [jobTitle]", "$orderby: kept", "$filter: { jobTitle: [gt] }"] {
            assert_eq!(errors(manager, &keep, revealing), ["G0206"], "{kind}, {revealing}");
        }
        assert_eq!(errors(manager, &keep, "$filter: { jobTitle: [eq, ne] }"), [""; 0], "{kind}");
    }
    for (keep, fine) in [
        ("times: [$.createdDateTime]", "$orderby: kept, $filter: { createdDateTime: [gt] }"),
        ("booleans: [$.accountEnabled]", "$orderby: [accountEnabled]"),
    ] {
        assert_eq!(errors(manager, keep, fine), [""; 0], "{keep}");
    }
    let events = "users/{user}/events";
    let text_of_a_time = "$orderby: [start/dateTime], $filter: { start/dateTime: [ge, lt] }";
    assert_eq!(errors(events, "times: [$.start.dateTime]", text_of_a_time), [""; 0]);
}

#[test]
fn a_response_of_one_property_needs_a_value_and_has_no_options() {
    let errors = |path: &str, query: &str| {
        let text = format!(
            "version: 1\nconnector: c\ntitle: T\npurpose: P.\npermissions: [MailboxSettings.Read]\nshapes:\n  \
             s: {{ keep: {{ time_zones: [$.timeZone, $.workingHours.timeZone.name] }} }}\nendpoints:\n  - name: e\n    \
             get: /v1.0/users/{{user}}/mailboxSettings/{path}\n    params: {{ user: {{ token: id }} }}\n    {query}\n    \
             response: {{ property: s }}\n"
        );
        let report = compile("test.yaml", &text).report;
        report.diagnostics.iter().map(|it| it.code.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(errors("timeZone", ""), [""; 0]);
    assert_eq!(errors("timeZone", "query: { $select: kept }"), ["G0205"]);
    assert_eq!(errors("language", ""), ["G0205"], "the shape lets nothing out of it");
    assert_eq!(errors("workingHours", ""), ["G0205"], "an object is no value");
}

#[test]
fn changes_of_all_messages_of_a_mailbox_get_a_warning() {
    let codes = |path: &str, params: &str| {
        let text = format!(
            "version: 1\nconnector: c\ntitle: T\npurpose: P.\npermissions: [Mail.ReadBasic.All]\nshapes:\n  \
             s: {{ pseudonymize: [{{ path: $.id, as: id }}] }}\nendpoints:\n  - name: e\n    \
             get: /v1.0/users/{{user}}/{path}/delta\n    params: {{ user: {{ token: id }}{params} }}\n    \
             response: {{ delta: s }}\n"
        );
        let report = compile("test.yaml", &text).report;
        report.diagnostics.iter().map(|it| it.code.as_str()).collect::<Vec<_>>()
    };
    assert!(codes("messages", "").contains(&"G0213"));
    assert_eq!(codes("mailFolders/{folder}/messages", ", folder: { token: id }"), [""; 0]);
}

#[test]
fn the_count_of_a_collection_takes_no_name_that_another_endpoint_has() {
    let named = |name: &str| {
        let more = format!("  - name: {name}\n    get: /v1.0/groups\n    response: {{ collection: s }}\n");
        let first = "  - name: e\n    get: /v1.0/users\n    query: { $count: boolean }\n    response: { collection: s }\n";
        let text = format!(
            "version: 1\nconnector: c\ntitle: T\npurpose: P.\npermissions: [User.ReadBasic.All, GroupMember.Read.All]\nshapes:\n  \
             s: {{ pseudonymize: [{{ path: $.id, as: id }}] }}\nendpoints:\n{first}{more}"
        );
        let compiled = compile("test.yaml", &text);
        let codes: Vec<_> = compiled.report.diagnostics.iter().map(|it| it.code.as_str()).collect();
        (compiled.plan.map_or(0, |plan| plan.all().count()), codes)
    };
    assert_eq!(named("other"), (3, vec![]));
    assert_eq!(named("e-count"), (0, vec!["G0204"]));
}

/// Characters that no editor shows as they are.
fn hidden() -> impl Strategy<Value = char> {
    let ranges = [
        ('\0', '\u{8}'),
        ('\t', '\t'),
        ('\u{b}', '\u{1f}'),
        ('\u{7f}', '\u{9f}'),
        ('\u{ad}', '\u{ad}'),
        ('\u{61c}', '\u{61c}'),
        ('\u{200b}', '\u{200f}'),
        ('\u{2028}', '\u{202e}'),
        ('\u{2060}', '\u{206f}'),
        ('\u{fe00}', '\u{fe0f}'),
        ('\u{feff}', '\u{feff}'),
        ('\u{e0000}', '\u{e01ef}'),
    ];
    prop::sample::select(ranges.to_vec()).prop_flat_map(|(first, last)| prop::char::range(first, last))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_hidden_character_is_refused_wherever_it_stands(hidden in hidden(), at in any::<prop::sample::Index>()) {
        let mut text = file("  s: { keep: { one_of: [{ path: $.userType, values: [Member, Guest] }] } } # größer\n", ONE_VERSION);
        let places: Vec<_> = text.char_indices().map(|(at, _)| at).collect();
        let place = *at.get(&places);
        // A byte-order mark may begin a file, and a carriage return may stand in front of a line feed.
        let before_a_line_feed = text.get(place..).is_some_and(|rest| rest.starts_with('\n'));
        let may_stand = (hidden == '\u{feff}' && place == 0) || (hidden == '\r' && before_a_line_feed);
        text.insert(place, hidden);
        let compiled = compile("test.yaml", &text);
        let is_named = compiled.report.diagnostics.iter().any(|found| found.code == yaml::codes::CHARACTER);
        prop_assert_eq!(is_named, !may_stand, "{:?} at {}", hidden, place);
        prop_assert_eq!(compiled.plan.is_some(), may_stand, "{:?} at {}", hidden, place);
    }
}
