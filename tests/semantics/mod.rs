//! The meaning of rules: a test for each sentence of docs/RULES.md.

mod headers;
mod order;
mod refusals;
mod removals;
mod texts;
mod treatments;

use glassine_core::sanitize::Counters;

use crate::support::sanitizing::{context, sanitize};

/// What leaves of one object under the shape `s`, and the counters.
fn response(shape: &str, document: &str) -> (String, Counters) {
    sanitize(&context(&format!("  s: {shape}"), "{ entity: s }"), document).unwrap()
}

fn leaves(shape: &str, document: &str) -> String {
    response(shape, document).0
}

#[test]
fn what_no_rule_names_does_not_leave() {
    let document = r#"{"a":1,"subject":"x","@odata.etag":"W/1","body":{"content":"y"},"new":[{"a":1}]}"#;
    assert_eq!(leaves("{ keep: { text: [$.a] } }", document), r#"{"a":1}"#);
}

#[test]
fn keep_never_keeps_a_whole_container() {
    assert_eq!(leaves("{ keep: { text: [$.a] } }", r#"{"a":{"b":1}}"#), "{}");
    assert_eq!(leaves("{ keep: { text: [$.a] } }", r#"{"a":[1,2]}"#), "{}");
    assert_eq!(leaves("{ keep: { text: [$.a.b] } }", r#"{"a":{"b":1,"c":2}}"#), r#"{"a":{"b":1}}"#);
    assert_eq!(leaves("{ keep: { text: ['$.a[*]'] } }", r#"{"a":[1,{"b":2},[3],4]}"#), r#"{"a":[1,4]}"#);
}

#[test]
fn a_container_is_written_where_a_path_goes_on_in_it() {
    assert_eq!(leaves("{ keep: { text: [$.a.b] } }", r#"{"a":{"c":1}}"#), r#"{"a":{}}"#);
    assert_eq!(leaves("{ keep: { text: [$.a.b] } }", r#"{"a":[{"b":1}]}"#), "{}");
    assert_eq!(leaves("{ keep: { text: ['$.a[*].b'] } }", r#"{"a":{"b":1}}"#), "{}");
}

#[test]
fn a_star_selects_elements_where_a_rule_writes() {
    let document = r#"{"a":{"secret":1},"b":[2]}"#;
    assert_eq!(leaves("{ keep: { text: ['$.a[*]', '$.b[*]'] } }", document), r#"{"b":[2]}"#);
    assert_eq!(leaves("{ keep: { text: ['$.a[*]', '$.a.secret.x'] } }", document), r#"{"a":{}}"#);
}

#[test]
fn a_star_selects_members_too_where_a_rule_redacts() {
    let document = r#"{"a":{"x":1},"b":[2],"c":3}"#;
    assert_eq!(
        leaves("{ unlisted: keep, redact: ['$.a.*', '$.b[*]'] }", document),
        r#"{"a":{},"b":[],"c":3}"#
    );
}

#[test]
fn the_strictest_wins() {
    let document = r#"{"a":"x","b":"x","c":"x"}"#;
    let shape = "{ keep: { text: [$.a, $.b, $.c] }, digest: [$.b, $.c], redact: [$.c] }";
    assert_eq!(leaves(shape, document), r#"{"a":"x","b":{"length":1,"words":1}}"#);
}

#[test]
fn redact_removes_the_whole_subtree_at_any_depth() {
    let document = r#"{"a":{"body":{"k":1},"k":2},"body":3,"list":[{"body":4,"k":5}]}"#;
    let shape = "{ unlisted: keep, redact: [$..body] }";
    assert_eq!(leaves(shape, document), r#"{"a":{"k":2},"list":[{"k":5}]}"#);
}

#[test]
fn redact_reaches_into_nested_shapes() {
    let shapes =
        "  s: { redact: [$..k], nested: [{ path: $.a, shape: t }] }\n  t: { keep: { text: [$.k, $.l] } }";
    let response = sanitize(&context(shapes, "{ entity: s }"), r#"{"a":{"k":1,"l":2}}"#).unwrap();
    assert_eq!(response.0, r#"{"a":{"l":2}}"#);
}

#[test]
fn unlisted_keep_stops_where_a_nested_shape_begins() {
    let shapes = "  s: { unlisted: keep, nested: [{ path: $.a, shape: t }] }\n  t: { keep: { text: [$.k] } }";
    let response = sanitize(&context(shapes, "{ entity: s }"), r#"{"a":{"k":1,"l":2},"l":3}"#).unwrap();
    assert_eq!(response.0, r#"{"a":{"k":1},"l":3}"#);
}

#[test]
fn shapes_may_refer_to_themselves() {
    let shape = "{ keep: { text: [$.k] }, nested: [{ path: '$.children[*]', shape: s }] }";
    let document = r#"{"k":1,"x":0,"children":[{"k":2,"children":[{"x":0,"k":3}]},7]}"#;
    assert_eq!(leaves(shape, document), r#"{"k":1,"children":[{"k":2,"children":[{"k":3}]}]}"#);
}

#[test]
fn indexes_and_slices_count_from_the_start() {
    let document = r#"{"a":[0,1,2,3,4]}"#;
    for (path, left) in
        [("$.a[1]", "1"), ("$.a[1:3]", "1,2"), ("$.a[3:]", "3,4"), ("$.a[:2]", "0,1"), ("$.a[0,4]", "0,4")]
    {
        assert_eq!(
            leaves(&format!("{{ keep: {{ text: ['{path}'] }} }}"), document),
            format!("{{\"a\":[{left}]}}"),
            "{path}"
        );
    }
}

#[test]
fn the_order_of_the_document_is_kept() {
    assert_eq!(
        leaves("{ keep: { text: [$.a, $.b, $.c] } }", r#"{"c":1,"x":2,"a":3,"b":4}"#),
        r#"{"c":1,"a":3,"b":4}"#
    );
}

#[test]
fn names_are_compared_unescaped_and_written_plain() {
    assert_eq!(leaves("{ keep: { text: [$.body] } }", r#"{"bo\u0064y":1}"#), r#"{"body":1}"#);
    assert_eq!(leaves(r#"{ redact: [$.body], unlisted: keep }"#, r#"{"bo\u0064y":1,"k":2}"#), r#"{"k":2}"#);
    assert_eq!(leaves("{ keep: { text: [$.Body] } }", r#"{"body":1}"#), "{}");
}
