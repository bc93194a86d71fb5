//! The tokenizer against the outside world: JSONTestSuite, random values and documents, and two other JSON readers.
//!
//! Every document is read whole, byte by byte and in random chunks, and the outcome must be one. The differences that
//! we know between us and the other readers are in `docs/JSON.md`, and each is a line of [`serde_verdict`] or
//! [`actson_is_comparable`].

mod documents;
mod recorder;
mod suite;

use actson::feeder::SliceJsonFeeder;
use actson::{JsonEvent, JsonParser};
use glassine::sanitize::tokenizer::{
    Halt, Limits, Literal, MAX_DEPTH, SyntaxError, SyntaxErrorKind, Tokenizer,
};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::Value;

use documents::{json_like_bytes, mutated_document, value, written};
use recorder::{Event, Recorder};

type Outcome = (Vec<Event>, Result<(), SyntaxError>);

fn read_chunks<'c>(chunks: impl Iterator<Item = &'c [u8]>, limits: Limits) -> Outcome {
    record(Recorder::default(), chunks, limits)
}

fn record<'c>(recorder: Recorder, chunks: impl Iterator<Item = &'c [u8]>, limits: Limits) -> Outcome {
    let (recorder, outcome) = feed(recorder, chunks, limits);
    (recorder.events, outcome)
}

fn feed<'c>(
    mut recorder: Recorder,
    chunks: impl Iterator<Item = &'c [u8]>,
    limits: Limits,
) -> (Recorder, Result<(), SyntaxError>) {
    let mut tokenizer = Tokenizer::new(limits);
    let mut outcome = Ok(());
    for chunk in chunks {
        outcome = outcome.and_then(|()| tokenizer.feed(chunk, &mut recorder));
    }
    let outcome = outcome.and_then(|()| tokenizer.finish(&mut recorder)).map_err(|halt| match halt {
        Halt::Syntax(error) => error,
        Halt::Violation(never) => match never {},
    });
    (recorder, outcome)
}

/// Reads a document in every way that we have, and asserts that the ways agree. `seed` decides the random chunks.
fn read_with(document: &[u8], limits: Limits, seed: u64) -> Outcome {
    let whole = read_chunks(std::iter::once(document), limits);
    assert_eq!(read_chunks(document.chunks(1), limits), whole, "byte by byte");
    for longest in [3, 17, 300] {
        let chunks = random_chunks(document, longest, seed);
        assert_eq!(
            read_chunks(chunks.iter().copied(), limits),
            whole,
            "chunks of up to {longest}, seed {seed}"
        );
        assert_eq!(
            record(Recorder::deaf(), chunks.into_iter(), limits),
            without_strings(&whole),
            "unheard, {seed}"
        );
    }
    assert_eq!(
        record(Recorder::deaf(), std::iter::once(document), limits),
        without_strings(&whole),
        "unheard"
    );
    for wrong in 0..3 {
        let chunks = random_chunks(document, 300, seed);
        assert_eq!(
            record(expecting(document, limits, wrong), chunks.into_iter(), limits),
            whole,
            "guesses, {seed}"
        );
        let document_alone = std::iter::once(document);
        assert_eq!(record(expecting(document, limits, wrong), document_alone, limits), whole, "guesses");
    }
    whole
}

/// A reader that expects each key that will come, or, if `wrong` is not zero, one that came so many keys before.
fn expecting(document: &[u8], limits: Limits, wrong: usize) -> Recorder {
    let mut keys = feed(Recorder::default(), std::iter::once(document), limits).0.keys;
    let length = keys.len();
    keys.rotate_right(wrong.min(length));
    Recorder::expecting(keys)
}

/// What a reader that listens to no string is told. The verdict is the same.
fn without_strings((events, outcome): &Outcome) -> Outcome {
    let unheard = |event: &Event| match event {
        Event::String { .. } => Event::String { raw: String::new(), text: String::new() },
        other => other.clone(),
    };
    (events.iter().map(unheard).collect(), *outcome)
}

fn read(document: &[u8], seed: u64) -> Outcome {
    read_with(document, Limits::default(), seed)
}

/// Cuts `document` into chunks of 0 to `longest` bytes.
fn random_chunks(document: &[u8], longest: usize, seed: u64) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    let mut random = seed;
    let mut rest = document;
    while !rest.is_empty() {
        // Knuth's linear congruential generator (MMIX); its high bits are the good ones.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let length = usize::try_from(random >> 33).unwrap() % (longest + 1);
        let (chunk, behind) = rest.split_at(length.min(rest.len()));
        chunks.push(chunk);
        rest = behind;
    }
    chunks
}

/// Builds the value that `events` tell of, with the last of equal keys winning, as `serde_json` has it.
fn build(events: &mut std::slice::Iter<'_, Event>) -> Value {
    match events.next().expect("a value") {
        Event::BeginObject => build_object(events),
        Event::BeginArray => build_array(events),
        Event::String { text, .. } => Value::String(text.clone()),
        Event::Number(text) => serde_json::from_str(text).expect("a number that serde_json reads"),
        Event::Literal(Literal::Null) => Value::Null,
        Event::Literal(Literal::True) => Value::Bool(true),
        Event::Literal(Literal::False) => Value::Bool(false),
        event => panic!("no value starts with {event:?}"),
    }
}

fn build_object(events: &mut std::slice::Iter<'_, Event>) -> Value {
    let mut members = serde_json::Map::new();
    loop {
        match events.next().expect("a member or an end") {
            Event::EndObject => return Value::Object(members),
            Event::Key { name, .. } => members.insert(name.clone(), build(events)),
            event => panic!("{event:?} among members"),
        };
    }
}

fn build_array(events: &mut std::slice::Iter<'_, Event>) -> Value {
    let mut elements = Vec::new();
    while events.as_slice().first().expect("an element or an end") != &Event::EndArray {
        elements.push(build(events));
    }
    events.next();
    Value::Array(elements)
}

fn rebuilt(events: &[Event]) -> Value {
    let mut rest = events.iter();
    let value = build(&mut rest);
    assert_eq!(rest.len(), 0, "events behind the value");
    value
}

/// What `serde_json` says of a document: its value, or that it is no JSON, or nothing where it is known to differ.
enum Verdict {
    Value(Value),
    Refused,
    /// A number beyond `f64`, or nesting near its own limit: `serde_json` refuses, we may not.
    Unknown,
}

fn serde_verdict(document: &[u8]) -> Verdict {
    match serde_json::from_slice(document) {
        Ok(value) => Verdict::Value(value),
        Err(error) if error.to_string().starts_with("number out of range") => Verdict::Unknown,
        Err(error) if error.to_string().starts_with("recursion limit exceeded") => Verdict::Unknown,
        Err(_) => Verdict::Refused,
    }
}

/// Our own limits out of the way, so that only the grammar decides.
fn wide() -> Limits {
    Limits { depth: MAX_DEPTH, key_length: usize::MAX, number_length: usize::MAX, document_length: u64::MAX }
}

fn agrees_with_serde(document: &[u8], seed: u64) -> Result<(), TestCaseError> {
    let (events, outcome) = read_with(document, wide(), seed);
    match serde_verdict(document) {
        Verdict::Value(value) => {
            prop_assert_eq!(outcome, Ok(()));
            prop_assert_eq!(rebuilt(&events), value);
        }
        Verdict::Refused => prop_assert!(outcome.is_err(), "serde_json refuses this, we do not"),
        Verdict::Unknown => {}
    }
    Ok(())
}

/// The events that `actson` tells, as far as both of us have them; `None` if it refuses.
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

/// `actson` passes invalid UTF-8 and lone surrogates, and completes a literal or a number that is cut off at the top level
/// (`nul`, `0e`). Where we refuse for these, it is no oracle; `serde_json` still is.
fn actson_is_comparable(document: &[u8], outcome: &Result<(), SyntaxError>) -> bool {
    match outcome.as_ref().map_err(|error| error.kind) {
        Err(SyntaxErrorKind::InvalidUtf8 | SyntaxErrorKind::LoneSurrogate) => false,
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

/// Found by the end-to-end benchmark: what is looked at together ended in a character, and behind it were few bytes.
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

    /// Any value, written in any way, is told such that the same value can be built.
    #[test]
    fn tells_the_value_that_was_written((value, document) in written(value()), seed: u64) {
        let (events, outcome) = read_with(document.as_bytes(), wide(), seed);
        prop_assert_eq!(outcome, Ok(()));
        prop_assert_eq!(rebuilt(&events), value);
    }

    #[test]
    fn agrees_with_others_on_written_values((_, document) in written(value()), seed: u64) {
        agrees_with_serde(document.as_bytes(), seed)?;
        agrees_with_actson(document.as_bytes(), seed)?;
    }

    #[test]
    fn agrees_with_others_on_mutated_documents(document in mutated_document(), seed: u64) {
        agrees_with_serde(&document, seed)?;
        agrees_with_actson(&document, seed)?;
    }

    #[test]
    fn agrees_with_others_on_json_like_bytes(document in json_like_bytes(), seed: u64) {
        agrees_with_serde(&document, seed)?;
        agrees_with_actson(&document, seed)?;
    }

    /// Inside quotes, so that random bytes get past the first one: escapes, UTF-8 and control characters.
    #[test]
    fn agrees_with_serde_on_any_bytes_in_a_string(content in proptest::collection::vec(any::<u8>(), 0..12), seed: u64) {
        agrees_with_serde(&[b"\"", content.as_slice(), b"\""].concat(), seed)?;
        agrees_with_serde(&[b"{\"", content.as_slice(), b"\":0}"].concat(), seed)?;
    }

    #[test]
    fn agrees_with_others_on_any_bytes(document in proptest::collection::vec(any::<u8>(), 0..64), seed: u64) {
        agrees_with_serde(&document, seed)?;
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
