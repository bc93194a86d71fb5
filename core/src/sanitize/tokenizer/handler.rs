//! The events of the tokenizer, and who receives them.

use std::borrow::Cow;

use super::{ExpectedKey, escape};

/// Receives the events of a document in their order. An error stops the document for good.
///
/// A string value comes as [`begin_string`](Handler::begin_string), any number of runs, escapes and lone surrogates, and
/// [`end_string`](Handler::end_string). Or, after its beginning, the rest comes at once as
/// [`rest_of_string`](Handler::rest_of_string). Runs and raw escapes, joined, are the string exactly as it was written.
/// Keys come whole, by [`key`](Handler::key) or [`expected_key_came`](Handler::expected_key_came); every key is
/// followed by one value.
pub trait Handler {
    /// Why the handler refuses a document.
    type Violation;

    /// `{`
    fn begin_object(&mut self) -> Result<(), Self::Violation>;

    /// `}`
    fn end_object(&mut self) -> Result<(), Self::Violation>;

    /// `[`
    fn begin_array(&mut self) -> Result<(), Self::Violation>;

    /// `]`
    fn end_array(&mut self) -> Result<(), Self::Violation>;

    /// A guess at the next key, which makes reading that key cheap.
    fn expected_key(&self) -> Option<&ExpectedKey> {
        None
    }

    /// The expected key came. It may also come by [`key`](Handler::key).
    fn expected_key_came(&mut self) -> Result<(), Self::Violation> {
        Ok(())
    }

    /// A whole key. The handler decides about keys that come twice in one object.
    fn key(&mut self, key: Key<'_>) -> Result<(), Self::Violation>;

    /// The opening quote of a string value.
    fn begin_string(&mut self) -> Result<(), Self::Violation>;

    /// All of the string that has just begun, and its closing quote, where the chunk has both and there is no escape.
    fn rest_of_string(&mut self, text: &str) -> Result<(), Self::Violation> {
        if !text.is_empty() {
            self.string_run(text)?;
        }
        self.end_string()
    }

    /// Whether the handler needs the parts of the string that has begun. Otherwise the tokenizer may leave them out,
    /// but checks them all the same.
    fn listens(&self) -> bool {
        true
    }

    /// A part of the string without escapes, never empty. Where a string is cut into runs depends on the chunks.
    fn string_run(&mut self, run: &str) -> Result<(), Self::Violation>;

    /// One whole escape as written, and the character it stands for. A surrogate pair is one escape of 12 bytes.
    fn string_escape(&mut self, raw: &str, decoded: char) -> Result<(), Self::Violation>;

    /// An escape from `\uD800` to `\uDFFF` without its other half, as written: six bytes that stand for no character. The
    /// grammar allows it, but parsers keep it, replace it or fail.
    fn lone_surrogate(&mut self, raw: &str) -> Result<(), Self::Violation>;

    /// The closing quote of a string value.
    fn end_string(&mut self) -> Result<(), Self::Violation>;

    /// A number, whole and as written: it may be beyond any machine type.
    fn number(&mut self, text: &str) -> Result<(), Self::Violation>;

    /// `null`, `true` or `false`.
    fn literal(&mut self, literal: Literal) -> Result<(), Self::Violation>;
}

/// A member's name. It has no `Debug`: a name can be data (a property of an open type, for example) and does not belong
/// in logs.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    raw: &'a str,
    has_escapes: bool,
}

impl<'a> Key<'a> {
    pub(super) fn plain(raw: &'a str) -> Self {
        Self { raw, has_escapes: false }
    }

    pub(super) fn written(raw: &'a str) -> Self {
        Self { raw, has_escapes: raw.contains('\\') }
    }

    pub(super) fn has_escapes(&self) -> bool {
        self.has_escapes
    }

    /// The text between the quotes, as written.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// The name itself. Names are compared in this form: `"bo\u0064y"` is `body`. `None` for a name with a lone
    /// surrogate: no text equals it.
    pub fn unescaped(&self) -> Option<Cow<'a, str>> {
        if self.has_escapes {
            escape::unescape(self.raw).map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(self.raw))
        }
    }
}

/// The three words that are values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`
    True,
    /// `false`
    False,
}

impl Literal {
    /// The word, as documents have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::True => "true",
            Self::False => "false",
        }
    }
}
