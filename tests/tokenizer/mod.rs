//! The tokenizer against the outside world: JSONTestSuite, random values and documents, and two other JSON readers.
//!
//! Every document is read whole, byte by byte and in random chunks, and the outcome must be one. The differences that
//! we know between us and the other readers are in `docs/JSON.md`, and each is a line of [`serde_verdict`] or
//! [`actson_is_comparable`].

mod documents;
mod suite;

use actson::feeder::SliceJsonFeeder;
use actson::{JsonEvent, JsonParser};
use glassine_core::sanitize::tokenizer::{Limits, Literal, SyntaxError, SyntaxErrorKind};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::Value;

use crate::support::reading::{
    Outcome, Verdict, agrees_with_serde, read_with, rebuilt, record, serde_verdict, wide,
};
use crate::support::recorder::{Event, Recorder};
use crate::support::surrogates::mended;
use documents::{json_like_bytes, mutated_document, value, written};

fn read(document: &[u8], seed: u64) -> Outcome {
    read_with(document, Limits::default(), seed)
}

/// The events of `actson`, without those that the tokenizer does not have; `None` if it refuses.
fn actson_events(document: &[u8]) -> Option<Vec<Event>> {
    let mut parser = JsonParser::new(SliceJsonFeeder::new(document));
    let mut events = Vec::new();
    while let Some(event) = parser.next_event().ok()? {
        let text = || parser.current_str().map(str::to_owned).unwrap_or_default();
        events.push(match event {
            JsonEvent::StartObject => Event::BeginObject,
            JsonEvent::EndObject => Event::EndObject,
            JsonEvent::StartArray => Event::BeginArray,
            JsonEvent::EndArray => Event::EndArray,
            JsonEvent::FieldName => Event::Key { raw: String::new(), name: text() },
            JsonEvent::ValueString => Event::String { raw: String::new(), text: text() },
            JsonEvent::ValueInt | JsonEvent::ValueFloat => Event::Number(text()),
            JsonEvent::ValueTrue => Event::Literal(Literal::True),
            JsonEvent::ValueFalse => Event::Literal(Literal::False),
            JsonEvent::ValueNull => Event::Literal(Literal::Null),
            JsonEvent::NeedMoreInput => return None,
        });
    }
    Some(events)
}

fn without_raw(events: Vec<Event>) -> Vec<Event> {
    let strip = |event| match event {
        Event::Key { name, .. } => Event::Key { raw: String::new(), name },
        Event::String { text, .. } => Event::String { raw: String::new(), text },
        other => other,
    };
    events.into_iter().map(strip).collect()
}

/// `actson` passes invalid UTF-8, returns lone surrogates as six characters, and completes a literal or a number that is cut off at the top level
/// (`nul`, `0e`). Where we refuse for these, it is no oracle; `serde_json` still is.
fn actson_is_comparable(document: &[u8], outcome: &Result<(), SyntaxError>) -> bool {
    match outcome.as_ref().map_err(|error| error.kind) {
        _ if mended(document) != document => false,
        Err(SyntaxErrorKind::InvalidUtf8) => false,
        Err(SyntaxErrorKind::UnexpectedEnd) => {
            !matches!(document.trim_ascii(), [b'n' | b't' | b'f' | b'-' | b'0'..=b'9', ..])
        }
        _ => true,
    }
}

fn agrees_with_actson(document: &[u8], seed: u64) -> Result<(), TestCaseError> {
    let (events, outcome) = read_with(document, wide(), seed);
    if actson_is_comparable(document, &outcome) {
        let ours = outcome.is_ok().then(|| without_raw(events));
        prop_assert_eq!(ours, actson_events(document));
    }
    Ok(())
}

/// Found at random: `actson` takes `0e` for a number.
#[test]
fn a_number_that_is_cut_off_at_the_top_level_is_refused() {
    for cut in ["0e", "0.", "-", "1e+", "1E-", " 0e "] {
        let (_, outcome) = read_with(cut.as_bytes(), wide(), 0);
        assert!(outcome.is_err(), "{cut:?}");
        assert!(serde_json::from_str::<Value>(cut).is_err(), "{cut:?}");
    }
    assert!(read_with(b"0e0", wide(), 0).1.is_ok());
}

/// Found by the end-to-end benchmark: a block that is scanned at once ended inside a character, and few bytes followed.
#[test]
fn a_string_that_nobody_hears_may_end_anywhere_in_a_chunk() {
    for length in 0..100 {
        for character in ["é", "€", "😀"] {
            let document = format!("\"{}{}\"", "x".repeat(length), character.repeat(40));
            assert_eq!(read_with(document.as_bytes(), wide(), 0).1, Ok(()), "{document}");
            for cut in 0..document.len() {
                let (head, tail) = document.as_bytes().split_at(cut);
                let (_, outcome) = record(Recorder::deaf(), [head, tail].into_iter(), wide());
                assert_eq!(outcome, Ok(()), "{document} cut at {cut}");
            }
        }
    }
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 512,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    /// The events of any value, written in any way, are enough to build the same value.
    #[test]
    fn tells_the_value_that_was_written((value, document) in written(value()), seed: u64) {
        let (events, outcome) = read_with(document.as_bytes(), wide(), seed);
        prop_assert_eq!(outcome, Ok(()));
        prop_assert_eq!(rebuilt(&events), value);
    }

    #[test]
    fn agrees_with_others_on_written_values((_, document) in written(value()), seed: u64) {
        agrees_with_serde(document.as_bytes(), seed);
        agrees_with_actson(document.as_bytes(), seed)?;
    }

    #[test]
    fn agrees_with_others_on_mutated_documents(document in mutated_document(), seed: u64) {
        agrees_with_serde(&document, seed);
        agrees_with_actson(&document, seed)?;
    }

    #[test]
    fn agrees_with_others_on_json_like_bytes(document in json_like_bytes(), seed: u64) {
        agrees_with_serde(&document, seed);
        agrees_with_actson(&document, seed)?;
    }

    /// Inside quotes, so that random bytes get past the first one: escapes, UTF-8 and control characters.
    #[test]
    fn agrees_with_serde_on_any_bytes_in_a_string(content in proptest::collection::vec(any::<u8>(), 0..12), seed: u64) {
        agrees_with_serde(&[b"\"", content.as_slice(), b"\""].concat(), seed);
        agrees_with_serde(&[b"{\"", content.as_slice(), b"\":0}"].concat(), seed);
    }

    #[test]
    fn agrees_with_others_on_any_bytes(document in proptest::collection::vec(any::<u8>(), 0..64), seed: u64) {
        agrees_with_serde(&document, seed);
        agrees_with_actson(&document, seed)?;
    }

    /// The limits, too, must not depend on the chunks.
    #[test]
    fn small_limits_hold_in_any_chunks(
        document in mutated_document(),
        depth in 0..6u32,
        key_length in 0..12usize,
        number_length in 0..6usize,
        document_length in 0..200u64,
        seed: u64,
    ) {
        let limits = Limits { depth, key_length, number_length, document_length };
        let (events, outcome) = read_with(&document, limits, seed);
        if outcome.is_ok() {
            prop_assert!(events.iter().all(|event| is_within(event, limits)));
            prop_assert_eq!(events, read_with(&document, wide(), seed).0);
        }
    }
}

fn is_within(event: &Event, limits: Limits) -> bool {
    match event {
        Event::Key { raw, .. } => raw.len() <= limits.key_length,
        Event::Number(text) => text.len() <= limits.number_length,
        _ => true,
    }
}
