//! Reads one document with the tokenizer in every way that it offers, and with `serde_json`.

use glassine_core::sanitize::tokenizer::{Halt, Limits, Literal, MAX_DEPTH, SyntaxError, Tokenizer};
use serde_json::Value;

use super::recorder::{Event, Recorder};
use super::surrogates::mended;

/// The events of a document, and the verdict at its end.
pub(crate) type Outcome = (Vec<Event>, Result<(), SyntaxError>);

fn read_chunks<'c>(chunks: impl Iterator<Item = &'c [u8]>, limits: Limits) -> Outcome {
    record(Recorder::default(), chunks, limits)
}

pub(crate) fn record<'c>(
    recorder: Recorder,
    chunks: impl Iterator<Item = &'c [u8]>,
    limits: Limits,
) -> Outcome {
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

/// Reads a document in every way, and asserts that the ways agree. `seed` decides the random chunks.
pub(crate) fn read_with(document: &[u8], limits: Limits, seed: u64) -> Outcome {
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

/// A reader that expects each next key or, if `wrong` is not zero, the key that is this many keys earlier.
fn expecting(document: &[u8], limits: Limits, wrong: usize) -> Recorder {
    let mut keys = feed(Recorder::default(), std::iter::once(document), limits).0.keys;
    let length = keys.len();
    keys.rotate_right(wrong.min(length));
    Recorder::expecting(keys)
}

/// The outcome for a reader that ignores the contents of strings. The verdict is the same.
fn without_strings((events, outcome): &Outcome) -> Outcome {
    let unheard = |event: &Event| match event {
        Event::String { .. } => Event::String { raw: String::new(), text: String::new() },
        other => other.clone(),
    };
    (events.iter().map(unheard).collect(), *outcome)
}

/// Knuth's linear congruential generator (MMIX). Only its high bits are random enough.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `bound`; zero if there is none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

/// Cuts `document` into chunks of 0 to `longest` bytes.
pub(crate) fn random_chunks(document: &[u8], longest: usize, seed: u64) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    let mut random = Random(seed);
    let mut rest = document;
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(random.below(longest + 1).min(rest.len()));
        chunks.push(chunk);
        rest = behind;
    }
    chunks
}

/// Builds the value of `events`. Of equal keys, the last one wins, as in `serde_json`.
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

pub(crate) fn rebuilt(events: &[Event]) -> Value {
    let mut rest = events.iter();
    let value = build(&mut rest);
    assert_eq!(rest.len(), 0, "events behind the value");
    value
}

/// The verdict of `serde_json` on a document, with a mark in place of each lone surrogate: its value, or a refusal, or unknown where it is known to differ.
pub(crate) enum Verdict {
    Value(Value),
    Refused,
    /// A number beyond `f64`, or nesting near its own limit: `serde_json` refuses, we may not.
    Unknown,
}

pub(crate) fn serde_verdict(document: &[u8]) -> Verdict {
    match serde_json::from_slice(&mended(document)) {
        Ok(value) => Verdict::Value(value),
        Err(error) if error.to_string().starts_with("number out of range") => Verdict::Unknown,
        Err(error) if error.to_string().starts_with("recursion limit exceeded") => Verdict::Unknown,
        Err(_) => Verdict::Refused,
    }
}

/// Limits so wide that only the grammar decides.
pub(crate) fn wide() -> Limits {
    Limits { depth: MAX_DEPTH, key_length: usize::MAX, number_length: usize::MAX, document_length: u64::MAX }
}

/// Asserts that both parsers accept a document with the same value, or that both refuse it.
pub(crate) fn agrees_with_serde(document: &[u8], seed: u64) {
    let (events, outcome) = read_with(document, wide(), seed);
    match serde_verdict(document) {
        Verdict::Value(value) => {
            assert_eq!(outcome, Ok(()));
            assert_eq!(rebuilt(&events), value);
        }
        Verdict::Refused => assert!(outcome.is_err(), "serde_json refuses this, we do not"),
        Verdict::Unknown => {}
    }
}
