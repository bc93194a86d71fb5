//! The tokenizer's events, in a form that does not depend on chunks.

use std::borrow::Cow;
use std::convert::Infallible;

use glassine_core::sanitize::tokenizer::{ExpectedKey, Handler, Key, Literal};

use super::surrogates::{LONE, mended};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    BeginObject,
    EndObject,
    BeginArray,
    EndArray,
    Key {
        raw: String,
        name: String,
    },
    /// A whole string: as written, and decoded.
    String {
        raw: String,
        text: String,
    },
    Number(String),
    Literal(Literal),
}

/// Records the events; runs of one string become one event.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) events: Vec<Event>,
    raw: String,
    text: String,
    in_string: bool,
    /// Whether it ignores the contents of strings.
    deaf: bool,
    /// The keys that came, as far as they can be expected.
    pub(crate) keys: Vec<Option<ExpectedKey>>,
    expected: Vec<Option<ExpectedKey>>,
}

impl Recorder {
    /// A recorder that expects these keys in this order.
    pub(crate) fn expecting(expected: Vec<Option<ExpectedKey>>) -> Self {
        Self { expected, ..Self::default() }
    }

    /// A recorder that ignores the contents of strings: it records empty strings.
    pub(crate) fn deaf() -> Self {
        Self { deaf: true, ..Self::default() }
    }

    fn record(&mut self, event: Event) -> Result<(), Infallible> {
        assert!(!self.in_string, "an event inside a string");
        self.events.push(event);
        Ok(())
    }
}

impl Handler for Recorder {
    type Violation = Infallible;

    fn begin_object(&mut self) -> Result<(), Infallible> {
        self.record(Event::BeginObject)
    }

    fn end_object(&mut self) -> Result<(), Infallible> {
        self.record(Event::EndObject)
    }

    fn begin_array(&mut self) -> Result<(), Infallible> {
        self.record(Event::BeginArray)
    }

    fn end_array(&mut self) -> Result<(), Infallible> {
        self.record(Event::EndArray)
    }

    fn expected_key(&self) -> Option<&ExpectedKey> {
        self.expected.get(self.keys.len())?.as_ref()
    }

    fn expected_key_came(&mut self) -> Result<(), Infallible> {
        let name = self.expected_key().map(|key| String::from_utf8(key.name().to_vec()).unwrap()).unwrap();
        let came = self.expected.get_mut(self.keys.len()).and_then(Option::take);
        self.keys.push(came);
        self.record(Event::Key { raw: name.clone(), name })
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Infallible> {
        self.keys.push(ExpectedKey::of(key));
        let name = key.unescaped().map_or_else(|| decoded(key.raw()), Cow::into_owned);
        self.record(Event::Key { raw: key.raw().to_owned(), name })
    }

    fn begin_string(&mut self) -> Result<(), Infallible> {
        assert!(!self.in_string, "a string in a string");
        self.in_string = true;
        Ok(())
    }

    fn listens(&self) -> bool {
        !self.deaf
    }

    fn string_run(&mut self, run: &str) -> Result<(), Infallible> {
        assert!(self.in_string && !run.is_empty() && !run.contains('\\'));
        self.raw.push_str(run);
        self.text.push_str(run);
        Ok(())
    }

    fn string_escape(&mut self, raw: &str, decoded: char) -> Result<(), Infallible> {
        assert!(self.in_string);
        self.raw.push_str(raw);
        self.text.push(decoded);
        Ok(())
    }

    fn lone_surrogate(&mut self, raw: &str) -> Result<(), Infallible> {
        assert!(self.in_string && raw.len() == 6);
        self.raw.push_str(raw);
        self.text.push_str(LONE);
        Ok(())
    }

    fn end_string(&mut self) -> Result<(), Infallible> {
        self.in_string = false;
        if self.deaf {
            self.raw.clear();
            self.text.clear();
        }
        let event =
            Event::String { raw: std::mem::take(&mut self.raw), text: std::mem::take(&mut self.text) };
        self.record(event)
    }

    fn number(&mut self, text: &str) -> Result<(), Infallible> {
        self.record(Event::Number(text.to_owned()))
    }

    fn literal(&mut self, literal: Literal) -> Result<(), Infallible> {
        self.record(Event::Literal(literal))
    }
}

/// A name with lone surrogates, with a mark in place of each.
fn decoded(raw: &str) -> String {
    serde_json::from_slice(&mended(format!("\"{raw}\"").as_bytes())).expect("a valid string")
}
