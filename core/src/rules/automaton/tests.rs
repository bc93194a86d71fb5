use crate::rules::compile;
use crate::statement::Statement;

/// A file with one endpoint, whose response is an object of the shape `item`; `shapes`: the lines below `shapes:`.
fn file(shapes: &str) -> String {
    format!(
        "version: 1\nconnector: c\ntitle: t\npurpose: p\npermissions: [User.Read.All]\nshapes:\n{shapes}\n\
         endpoints:\n  - {{ name: e, get: '/v1.0/users/{{u}}', params: {{ u: {{ token: id }} }}, response: {{ entity: item }} }}\n"
    )
}

/// Each place with what happens there and the text of the lines that decide it.
fn described(shapes: &str) -> Vec<(String, String, Vec<String>)> {
    let source = file(shapes);
    let compiled = compile("rules.yaml", &source);
    let plan = compiled.plan.unwrap_or_else(|| panic!("{}", compiled.report.render()));
    let places = plan.endpoints[0].response.body().automaton.describe();
    let row = |place: super::Described| {
        let lines = place.lines.iter().map(|span| source.get(span.clone()).unwrap().to_owned()).collect();
        (place.at.to_string(), place.effect.to_string(), lines)
    };
    places.into_iter().map(row).collect()
}

fn fingerprint(shapes: &str) -> String {
    Statement::of_rules(&compile("rules.yaml", &file(shapes)).plan.unwrap()).fingerprint().full()
}

#[test]
fn each_place_has_its_effect_and_its_lines() {
    let found = described(
        "  item:\n    keep: { text: [$.a.b] }\n    redact: [$.a.c]\n    pseudonymize: [{ path: '$.d[*]', as: email }]\n",
    );
    let row = |at: &str, effect: &str, lines: &[&str]| {
        (at.to_owned(), effect.to_owned(), lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    };
    let expected = [
        row("$", "object", &[]),
        row("$.a", "object", &[]),
        row("$.a.b", "keep text", &["$.a.b"]),
        row("$.a.c", "dropped", &["$.a.c"]),
        row("$.d", "array", &[]),
        row("$.d[*]", "pseudonymize as email", &["'$.d[*]'"]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_is_dropped_by_name_from_everything_else_is_described() {
    let open = "  item:\n    unlisted: keep\n";
    let found = described(&format!("{open}    redact: [$.subject]\n"));
    assert!(
        found.contains(&("$.*".to_owned(), "keep text".to_owned(), vec!["keep".to_owned()])),
        "{found:?}"
    );
    assert!(found.contains(&("$.subject".to_owned(), "dropped".to_owned(), vec!["$.subject".to_owned()])));
    assert_ne!(fingerprint(open), fingerprint(&format!("{open}    redact: [$.subject]\n")));
    assert_ne!(
        fingerprint(&format!("{open}    redact: [$.subject]\n")),
        fingerprint(&format!("{open}    redact: [$.body]\n"))
    );
}

#[test]
fn elements_that_no_rule_selects_are_described() {
    let item = |path: &str| format!("  item:\n    keep: {{ text: ['{path}'] }}\n");
    assert_ne!(fingerprint(&item("$.a[1:]")), fingerprint(&item("$.a[*]")));
    assert_ne!(fingerprint(&item("$.a[0:2]")), fingerprint(&item("$.a[0:3]")));
    let dropped = ("$.a[0]".to_owned(), "dropped".to_owned(), Vec::new());
    assert!(described(&item("$.a[1:]")).contains(&dropped));
}

#[test]
fn a_container_that_is_written_empty_is_described() {
    let kept = "  item:\n    keep: { text: [$.id] }\n";
    let empty = "  item:\n    keep: { text: [$.id, $.a.b] }\n    redact: [$.a.b]\n";
    assert!(described(empty).contains(&("$.a".to_owned(), "object".to_owned(), Vec::new())));
    assert_ne!(fingerprint(kept), fingerprint(empty));
}

#[test]
fn a_name_cannot_pretend_to_be_another_place() {
    let item = |name: &str| format!("  item:\n    keep: {{ text: ['$[\"{name}\"]'] }}\n");
    assert!(described(&item("a''b")).iter().any(|(at, ..)| at == "$['a\\'b']"));
    assert_ne!(fingerprint(&item("a.b")), fingerprint("  item:\n    keep: { text: [$.a.b] }\n"));
}

#[test]
fn neither_order_nor_names_nor_comments_change_a_fingerprint() {
    let one = "  item:\n    keep: { text: [$.a, $.b] }\n    nested: [{ path: $.c, shape: inner }]\n  inner:\n    keep: { text: [$.d] }\n";
    let other = "  x:\n    keep: { text: [$.d] }  # comment\n  item:\n    nested: [{ path: $.c, shape: x }]\n    keep: { text: [$.b, $.a] }\n";
    assert_eq!(fingerprint(one), fingerprint(other));
}
