//! What leaves of an object does not depend on the objects before it: not on their properties, the order of these, or
//! the way in which they were written.

use glassine_core::sanitize::Context;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::sanitizing::{context, cut, sanitize, sanitize_chunks};

/// Names that the rules know, names that they do not, one with an escape, and ones too long to be expected.
const NAMES: [&str; 12] = [
    "id",
    "subject",
    "from",
    "o",
    "hidden",
    "error",
    "value",
    "",
    "grüße",
    r"\u0069d",
    "aNameThatIsLongerThanThirtyBytes",
    "aNameThatIsLongerThanThirtyBytesToo",
];

/// Rules that keep some, and rules that keep all but some; both reach the objects in `o`.
fn rules() -> [Context; 2] {
    let kept = "keep: { text: ['$.v[*].id', '$.v[*].from', '$.v[*].o.id', '$.v[*].o.aNameThatIsLongerThanThirtyBytes'] }";
    let hidden = "redact: ['$.v[*].hidden', '$.v[*].o.id', '$.v[*].o.hidden']";
    [format!("{{ {kept} }}"), format!("{{ unlisted: keep, {hidden} }}")]
        .map(|shape| context(&format!("  s: {shape}"), "{ entity: s }"))
}

/// An object with some of the names, most often in the same order. A few objects have a name twice.
fn object(depth: u32) -> BoxedStrategy<String> {
    let value = if depth == 0 {
        select(vec!["1", "\"x\"", "null", "[]"]).prop_map(str::to_owned).boxed()
    } else {
        prop_oneof![3 => Just("\"y\"".to_owned()), 1 => object(depth - 1), 1 => Just("[{\"id\":2}]".to_owned())].boxed()
    };
    let names = prop_oneof![
        4 => proptest::sample::subsequence(NAMES.to_vec(), 0..NAMES.len()),
        1 => vec(select(NAMES.to_vec()), 0..6),
    ];
    let punctuation = select(vec![(",", ":"), (" , ", " : "), (",\n", ": ")]);
    (names, vec(value, NAMES.len()), punctuation)
        .prop_map(|(names, values, (comma, colon))| {
            let member = |(name, value): (&str, String)| format!("\"{name}\"{colon}{value}");
            let members: Vec<_> = names.into_iter().zip(values).map(member).collect();
            format!("{{{}}}", members.join(comma))
        })
        .boxed()
}

/// What leaves of the elements, between the brackets.
fn elements(context: &Context, objects: &[String]) -> Option<String> {
    let (text, _) = sanitize(context, &format!("{{\"v\":[{}]}}", objects.join(","))).ok()?;
    let inner = text.strip_prefix("{\"v\":[")?.strip_suffix("]}")?;
    Some(inner.to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_object_leaves_as_it_would_alone(
        objects in vec(object(2), 1..8),
        lengths in vec(0_usize..60, 1..6),
    ) {
        for context in rules() {
            let alone: Option<Vec<_>> =
                objects.iter().map(|object| elements(&context, std::slice::from_ref(object))).collect();
            let together = elements(&context, &objects);
            prop_assert_eq!(&together, &alone.map(|alone| alone.join(",")));
            let document = format!("{{\"v\":[{}]}}", objects.join(","));
            let pieces = sanitize_chunks(&context, cut(document.as_bytes(), &lengths));
            prop_assert_eq!(pieces, sanitize(&context, &document));
        }
    }
}

/// A property of this name is how an error is recognised, but only in the outermost object.
#[test]
fn an_error_is_recognised_after_objects_with_a_property_of_that_name() {
    for context in rules() {
        let inside = r#"{"v":[{"id":1,"error":2},{"id":1,"error":2}],"o":{"error":1}"#;
        assert!(sanitize(&context, &format!("{inside}}}")).is_ok());
        assert!(sanitize(&context, &format!("{inside},\"error\":{{}}}}")).is_err());
    }
}
