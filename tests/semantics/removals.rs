//! Changes of relationships, as `members@delta`: the reason of a removal leaves with them, although no line names it.

use crate::support::sanitizing::{context, sanitize};

const CHANGES: &str = r#"{"value":[{"id":"g","members@delta":[{"id":"joined"},
    {"id":"left","@removed":{"reason":"deleted","by":"Alice"}}, {"id":"odd","@removed":{"reason":"Alice is ill"}}]}]}"#;

/// What leaves of the changes under the shape `s`.
fn left(shapes: &str, response: &str) -> String {
    sanitize(&context(shapes, response), CHANGES).unwrap().0
}

/// Whoever left read as a joiner: the shape of members has no line for `@removed`.
#[test]
fn a_member_who_left_does_not_look_like_one_who_joined() {
    let expected = r#"{"value":[{"members@delta":[{"id":"joined"},{"id":"left","@removed":{"reason":"deleted"}},{"id":"odd","@removed":{}}]}]}"#;
    let direct = "  s: { keep: { text: [\"$['members@delta'][*].id\"] } }";
    assert_eq!(left(direct, "{ delta: s }"), expected);
    let nested =
        "  s: { nested: [{ path: \"$['members@delta'][*]\", shape: t }] }\n  t: { keep: { text: [$.id] } }";
    assert_eq!(left(nested, "{ delta: s }"), expected);
}

#[test]
fn a_relationship_whose_changes_no_line_names_does_not_leave() {
    assert_eq!(left("  s: { keep: { text: [$.id] } }", "{ delta: s }"), r#"{"value":[{"id":"g"}]}"#);
    let redacted =
        "  s: { keep: { text: [$.id, \"$['members@delta'][*].id\"] }, redact: [\"$['members@delta']\"] }";
    assert_eq!(left(redacted, "{ delta: s }"), r#"{"value":[{"id":"g"}]}"#);
}

/// Only a page of changes has removals.
#[test]
fn a_list_has_no_removals() {
    let shape = "  s: { keep: { text: [\"$['members@delta'][*].id\"] } }";
    let expected = r#"{"value":[{"members@delta":[{"id":"joined"},{"id":"left"},{"id":"odd"}]}]}"#;
    assert_eq!(left(shape, "{ collection: s }"), expected);
}
