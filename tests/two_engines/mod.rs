//! Two engines: what the streaming sanitizer lets out equals what the slow reference lets out, on random rules, random
//! documents and random chunks.

pub(crate) mod documents;
pub(crate) mod rules;

use glassine_core::rules::raw;
use glassine_core::sanitize::{Context, Failure, Violation};
use glassine_core::yaml;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::Value;

use crate::support::reference;
use crate::support::sanitizing::{cut, plan, pseudonyms, sanitize, sanitize_chunks, with_body};
use crate::support::surrogates::LONE;
use documents::{CANARY, document, page, written};

fn config() -> ProptestConfig {
    let failure_persistence = Some(Box::new(FileFailurePersistence::Off) as _);
    ProptestConfig {
        failure_persistence,
        cases: 1000,
        max_global_rejects: 100_000,
        ..ProptestConfig::default()
    }
}

fn context(source: &str) -> Context {
    with_body(plan(source).endpoints[0].response.body().clone())
}

/// What leaves through the streaming engine, however the document is cut.
fn streamed(context: &Context, document: &str, lengths: &[usize]) -> Option<String> {
    let whole = sanitize(context, document);
    let pieces = sanitize_chunks(context, cut(document.as_bytes(), lengths));
    assert_eq!(pieces, whole, "in pieces of {lengths:?}");
    assert!(!matches!(whole, Err(Failure::Syntax(_))), "the generator writes JSON");
    whole.ok().map(|(text, _)| text)
}

fn referenced(source: &str, document: &Value) -> Option<Value> {
    let file = yaml::load::<raw::File>(source).value.unwrap();
    reference::sanitized(&file, &pseudonyms(), document)
}

/// Whether `part` is `whole` with members and elements left out; `is_from` compares leaves, and what stands in their place.
pub(crate) fn is_part(part: &Value, whole: &Value, is_from: &dyn Fn(&Value, &Value) -> bool) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(name, value)| whole.get(name).is_some_and(|whole| is_part(value, whole, is_from))),
        (Value::Array(part), Value::Array(whole)) => {
            let mut rest = whole.iter();
            part.iter()
                .all(|element| is_header(element) || rest.any(|whole| is_part(element, whole, is_from)))
        }
        (part, whole) => is_from(part, whole),
    }
}

/// Whether this is what `headers` makes of a header. One header can become a token and flags.
fn is_header(element: &Value) -> bool {
    let name = element.get("name").and_then(Value::as_str).unwrap_or_default();
    let is_token =
        |value: &Value| value.is_null() || value.as_str().is_some_and(|text| text.starts_with("t~"));
    element.get("value").is_some_and(|value| match name {
        "In-Reply-To" | "Sender" | "Precedence" => is_token(value),
        "automatic" | "list" => value == "true",
        _ => false,
    })
}

/// Whether a leaf may have become this.
fn may_become(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        // A digest is an object in a string's place.
        (Value::Object(part), Value::String(_)) => {
            part.keys().all(|name| ["length", "words"].contains(&name.as_str()))
        }
        (Value::Object(_) | Value::Array(_), _) | (_, Value::Object(_) | Value::Array(_)) => false,
        (Value::String(_) | Value::Number(_) | Value::Null, Value::String(_)) => true,
        (part, whole) => part == whole,
    }
}

fn canaries(text: &str) -> Vec<&str> {
    let found = text.match_indices(CANARY).map(|(at, _)| &text[at..]);
    found.map(|rest| rest.split_once('!').map_or(rest, |(canary, _)| canary)).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_engines_agree(
        source in rules::file(),
        document in prop_oneof![4 => document(), 2 => page()],
        style in any::<u64>(),
        lengths in prop::collection::vec(0_usize..40, 1..6),
    ) {
        let compiled = glassine_core::rules::compile("random.yaml", &source);
        // Two transforms may meet, and shapes that refer to each other may have too many places to list.
        for error in compiled.report.diagnostics.iter().filter(|finding| finding.is_error()) {
            prop_assert!(["G0110", "G0117"].contains(&error.code.as_str()), "{}", compiled.report.render());
        }
        prop_assume!(compiled.plan.is_some());
        let (context, text) = (context(&source), written(&document, style));
        let expected = referenced(&source, &document);
        let streamed = streamed(&context, &text, &lengths);
        let parsed = streamed.as_ref().map(|text| serde_json::from_str::<Value>(text).expect(text));
        prop_assert_eq!(&parsed, &expected, "{}\n{}", source, text);
        if let (Some(parsed), Some(streamed)) = (parsed, streamed) {
            prop_assert!(is_part(&parsed, &document, &may_become), "{}\n{}", streamed, text);
            let may_leave = expected.unwrap_or_default().to_string();
            let may_leave = canaries(&may_leave);
            let left = canaries(&streamed);
            prop_assert!(left.iter().all(|canary| may_leave.contains(canary)), "{}", streamed);
            // Lists without entries are written in brackets.
            if !source.contains("text:\n") && !source.contains("unlisted: keep") {
                prop_assert_eq!(left, Vec::<&str>::new());
            }
            prop_assert_eq!(sanitize(&context, &text).unwrap().0, streamed, "twice");
        }
    }

    #[test]
    fn with_nothing_to_leave_nothing_leaves(document in document(), style in any::<u64>()) {
        let context = crate::support::sanitizing::context("  s: {}", "{ entity: s }");
        prop_assert_eq!(sanitize(&context, &written(&document, style)).unwrap().0, "{}");
    }

    #[test]
    fn with_everything_kept_the_text_is_as_written(document in document(), style in any::<u64>()) {
        let context = crate::support::sanitizing::context("  s: { unlisted: keep }", "{ entity: s }");
        let text = written(&document, style & !documents::SPACED);
        if document.to_string().contains(LONE) {
            prop_assert_eq!(sanitize(&context, &text).err(), Some(Failure::Violation(Violation::LoneSurrogate)));
        } else {
            prop_assert_eq!(sanitize(&context, &text).unwrap().0, text);
        }
    }
}

#[test]
fn numbers_are_kept_as_written() {
    let context = crate::support::sanitizing::context("  s: { keep: { text: ['$.n[*]'] } }", "{ entity: s }");
    let numbers = r#"{"n":[1e400,9007199254740993,-0,-0.0,1.0,1E+2,0.1000,123456789012345678901234567890]}"#;
    assert_eq!(sanitize(&context, numbers).unwrap().0, numbers);
}
