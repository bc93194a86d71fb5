//! `headers`: of a list of names and values, a few values leave as tokens, and a few names as flags.

use glassine_core::sanitize::{Failure, Violation};
use serde_json::{Value, json};

use super::{leaves, response};
use crate::support::sanitizing::{context, errors, rules_file, sanitize};

const MAIL: &str = "
    headers:
      - path: $.a
        tokens: { In-Reply-To: message_id, References: message_id, Sender: email }
        flags: { automatic: [Auto-Submitted, Precedence], list: [List-Id, List-Unsubscribe] }";

const PARENT: &str = "<DM5PR22MB0633ABC@DM5PR22MB0633.namprd22.prod.outlook.com>";

/// What leaves of the list, and how much was transformed and not understood.
fn left(list: &str) -> (Value, u64, u64) {
    let (left, counters) = response(MAIL, &format!("{{\"a\":{list}}}"));
    let mut left: Value = serde_json::from_str(&left).unwrap();
    assert_eq!((counters.kept, counters.too_long), (0, 0));
    (left["a"].take(), counters.transformed, counters.not_understood)
}

#[test]
fn a_reply_names_its_parent_by_the_token_that_the_parent_has() {
    let shape = "{ pseudonymize: [{ path: $.a, as: message_id }] }";
    let own = leaves(shape, &format!("{{\"a\":\"{PARENT}\"}}"));
    let own: Value = serde_json::from_str(&own).unwrap();
    let (list, ..) = left(&format!(r#"[{{"name":"In-Reply-To","value":"{PARENT}"}}]"#));
    assert_eq!(list, json!([{ "name": "In-Reply-To", "value": own["a"] }]));
    let (list, ..) = left(&format!(r#"[{{"name":"References","value":"<a@b>\r\n\t{PARENT}"}}]"#));
    let ids: Vec<_> = list[0]["value"].as_str().unwrap().split(' ').collect();
    assert_eq!((ids.len(), &json!(ids[1])), (2, &own["a"]));
}

#[test]
fn each_flag_leaves_once_and_nothing_else_of_its_headers() {
    let list = r#"[{"name":"Subject","value":"secret"},{"name":"List-Id","value":"Secret <secret.contoso.com>"},
        {"name":"List-Unsubscribe","value":"<mailto:secret@contoso.com>"},{"name":"Auto-Submitted","value":"no"},
        {"name":"Received","value":"from secret"},{"name":"Precedence","value":"bulk"}]"#;
    let flags = json!([{ "name": "list", "value": "true" }, { "name": "automatic", "value": "true" }]);
    assert_eq!(left(list), (flags, 2, 0));
}

#[test]
fn names_have_no_letter_case_and_leave_in_the_spelling_of_the_rules() {
    let list = r#"[{"name":"in-reply-TO","value":"<a@b>"},{"name":"LIST-ID","value":"x"}]"#;
    let (list, ..) = left(list);
    assert_eq!((&list[0]["name"], &list[1]["name"]), (&json!("In-Reply-To"), &json!("list")));
}

#[test]
fn a_header_is_read_in_either_order_and_with_escapes() {
    let expected = left(r#"[{"name":"Sender","value":"a@b.c"}]"#);
    assert_eq!(expected.1, 1);
    for list in [
        r#"[{"value":"a@b.c","name":"Sender"}]"#,
        r#"[{"x":[{"name":"Subject"}],"value":"a@b.c","y":"z","name":"Sender","value2":"w"}]"#,
        r#"[{"n\u0061me":"S\u0065nder","value":"a\u0040b.c"}]"#,
    ] {
        assert_eq!(left(list), expected, "{list}");
    }
}

#[test]
fn what_is_not_a_header_does_not_leave() {
    for (list, not_understood) in [
        ("[]", 0),
        (r#"[1,"Sender",null,["name","Sender","value","x"],[{"name":"Sender","value":"x"}]]"#, 0),
        (r#"[{"name":"Sender"},{"value":"a@b.c"},{}]"#, 0),
        (r#"[{"name":{"name":"Sender","value":"x"},"value":"a@b.c"}]"#, 0),
        (r#"[{"name":["Sender"],"value":"a@b.c"}]"#, 0),
        (r#"[{"name":"Sender","value":["a@b.c"]},{"name":"Sender","value":17}]"#, 2),
        (r#"[{"name":"In-Reply-To","value":"no id at all"}]"#, 1),
        (r#"[{"name":"Precedence","value":"normal"}]"#, 0),
    ] {
        assert_eq!(left(list), (json!([]), 0, not_understood), "{list}");
    }
    for other in ["null", r#""Sender""#, "17", "true", r#"{"name":"Sender","value":"a@b.c"}"#] {
        let (left, counters) = response(MAIL, &format!("{{\"a\":{other},\"b\":1}}"));
        assert_eq!((left.as_str(), counters.not_understood), ("{}", 1), "{other}");
    }
}

#[test]
fn an_empty_value_becomes_null() {
    let (list, ..) = left(
        r#"[{"name":"Sender","value":""},{"name":"References","value":""},{"name":"List-Id","value":""}]"#,
    );
    assert_eq!(list, json!([{ "name": "Sender", "value": null }, { "name": "References", "value": null }]));
}

#[test]
fn a_header_that_says_two_things_is_refused() {
    for list in [r#"[{"name":"Sender","name":"Subject"}]"#, r#"[{"value":"a","name":"x","value":"b"}]"#] {
        let refused =
            sanitize(&context(&format!("  s: {MAIL}"), "{ entity: s }"), &format!("{{\"a\":{list}}}"));
        assert_eq!(refused.unwrap_err(), Failure::Violation(Violation::DuplicateProperty), "{list}");
    }
    assert_eq!(left(r#"[{"other":1,"other":2}]"#).0, json!([]));
}

#[test]
fn what_comes_after_the_list_is_what_it_is() {
    let shape = format!("\n    keep: {{ text: [$.b, $.c.d] }}{MAIL}");
    let document =
        r#"{"a":[{"name":"Sender","value":""}],"b":"x","c":{"a":[{"name":"Sender"}],"d":1},"e":[]}"#;
    assert_eq!(leaves(&shape, document), r#"{"a":[{"name":"Sender","value":null}],"b":"x","c":{"d":1}}"#);
}

#[test]
fn a_long_value_is_dropped_and_counted_and_a_long_list_costs_nothing() {
    let long = "x".repeat(64 * 1024 + 1);
    let list =
        format!(r#"{{"a":[{{"name":"Sender","value":"{long}"}},{{"name":"Subject","value":"{long}"}}]}}"#);
    let (text, counters) = response(MAIL, &list);
    assert_eq!((text.as_str(), counters.too_long, counters.not_understood), (r#"{"a":[]}"#, 1, 0));
    let many = "<a@b>".repeat(1001);
    assert_eq!(left(&format!(r#"[{{"name":"References","value":"{many}"}}]"#)), (json!([]), 0, 1));
    let list = [r#"{"name":"List-Id","value":"x"}"#; 5000].join(",");
    assert_eq!(left(&format!("[{list}]")), (json!([{ "name": "list", "value": "true" }]), 1, 0));
}

#[test]
fn other_lines_about_the_inside_of_a_list_are_a_conflict() {
    let with = |line: &str| errors(&rules_file(&format!("  s:\n    {line}{MAIL}"), "{ entity: s }"));
    for line in [
        "keep: { text: ['$.a[*].name'] }",
        "keep: { text: ['$.a[3]'] }",
        "redact: ['$.a[*].value']",
        "redact: ['$..value']",
        "redact: ['$.a[0]']",
        "digest: [$.a]",
    ] {
        assert_eq!(with(line), ["G0110", "G0110"], "{line}");
    }
    for line in ["keep: { text: [$.b] }", "redact: [$.a]", "redact: ['$..other']", "keep: { text: [$.a] }"] {
        assert_eq!(with(line), [""; 0], "{line}");
    }
    assert_eq!(leaves(&format!("\n    redact: [$.a]{MAIL}"), r#"{"a":[]}"#), "{}");
}
