//! A strict, resumable push tokenizer for JSON (RFC 8259).
//!
//! It stands at the trust boundary: what it passes on is read again by a JSON parser that we do not know. Every
//! document on which two parsers could disagree is therefore refused, and refused wholly: the grammar, the escapes
//! and the encoding are checked in every byte, also in the parts that the [`Handler`] goes on to drop.
//!
//! # How it works
//!
//! Bytes arrive in chunks of any size, cut anywhere. What must be remembered between two chunks is small:
//!
//! - [`State`]: what may come next. Eight states stand *between* tokens (a key may start here, a comma or an end
//!   must follow, ...), four stand *inside* one (key, string, number, literal).
//! - [`Nesting`]: which containers are open, one bit each, so depth costs no allocation.
//! - [`Text`]: inside a key or string, the up to eleven bytes of a UTF-8 sequence or an escape that a chunk cut.
//! - `buffer`: a key or number that a chunk cut, and a key with escapes. It is bounded by [`Limits`].
//!
//! The loop is in [`Tokenizer::run`]: while there is input, take one step. A step between tokens skips whitespace and
//! looks at one byte; the pair of state and byte decides, and [`Tokenizer::between_tokens`] is that table. A step
//! inside a token takes all that the chunk has of it. A key, number or string run that lies wholly in the chunk goes
//! to the handler as a borrow of the chunk.
//!
//! ```text
//!            '{'                '"' key '"'           ':'
//!  Value ─────────▶ FirstKey ───────────────▶ AfterKey ─────▶ Value (of the member)
//!    │ │               │ '}'                                    │
//!    │ │ '['           ▼                            the value ends, its container decides
//!    │ └──▶ FirstElement ─']'─▶ ┌───────────────────────────────┴──────────┬───────────────┐
//!    │          │ a value       ▼ in an object                  in an array ▼      in none ▼
//!    │          └─────────▶ AfterMember ─','▶ NextKey      AfterElement ─','▶ Value     Done
//!    └ '"' InString · '-' or digit InNumber · 't' 'f' 'n' InLiteral
//! ```
//!
//! # Chunking does not show
//!
//! The verdict, the error with its position, and the events are the same however the input is cut. Only
//! [`Handler::string_run`] may be called more often. Three habits keep it so: an error is raised at the first byte
//! that makes the document invalid, never earlier because of bytes behind it; everything valid before it has been
//! handed over by then; and a limit is tested against what a token has used, not against what a chunk holds.
//!
//! # What it leaves to others
//!
//! Duplicate keys, and whether a number fits a machine type, are the handler's business: numbers are handed over as
//! they are written. `docs/JSON.md` lists each decision that RFC 8259 leaves open.

mod error;
mod escape;
mod handler;
mod input;
mod limits;
mod nesting;
mod number;
mod scan;
mod text;

pub use error::{Halt, SyntaxError, SyntaxErrorKind};
pub use handler::{Handler, Key, Literal};
pub use limits::{
    DEFAULT_DEPTH, DEFAULT_DOCUMENT_LENGTH, DEFAULT_KEY_LENGTH, DEFAULT_NUMBER_LENGTH, Limits, MAX_DEPTH,
};

use input::Input;
use nesting::{Container, Nesting};
use number::Number;
use text::{Piece, Text};

/// Reads one JSON document. See the module for how.
#[derive(Debug)]
pub struct Tokenizer {
    limits: Limits,
    state: State,
    nesting: Nesting,
    text: Text,
    /// The part of a key or number that an earlier chunk, or an earlier piece of the key, brought.
    /// Invariant: empty between tokens; never longer than the limit of the token being read.
    buffer: String,
    /// Where the key or number being read starts.
    token_start: u64,
    position: u64,
    /// The answer of every call after the first that failed.
    failed: Option<SyntaxError>,
}

/// What may come next.
#[derive(Clone, Copy, Debug)]
enum State {
    /// A value: at the start, behind a colon, behind a comma in an array.
    Value,
    /// A value or the end of the array that has just begun.
    FirstElement,
    /// A comma or the end of the array.
    AfterElement,
    /// A key or the end of the object that has just begun.
    FirstKey,
    /// A key, behind a comma.
    NextKey,
    /// A colon.
    AfterKey,
    /// A comma or the end of the object.
    AfterMember,
    /// Whitespace only: the document is complete.
    Done,
    InKey,
    InString,
    InNumber(Number),
    /// A literal, and how many of its bytes have been seen.
    InLiteral(Literal, usize),
}

impl Tokenizer {
    /// A tokenizer at the start of a document.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Value,
            nesting: Nesting::new(limits.depth),
            text: Text::default(),
            buffer: String::new(),
            token_start: 0,
            position: 0,
            failed: None,
        }
    }

    /// Reads the next chunk of the document and hands its events to `handler`.
    ///
    /// # Errors
    ///
    /// [`Halt::Syntax`] if the document is not JSON or passes a limit, [`Halt::Violation`] if the handler said so.
    /// Either way the tokenizer is of no more use: every later call answers the same syntax error, or, after a
    /// violation, [`SyntaxErrorKind::Stopped`].
    pub fn feed<H: Handler>(&mut self, chunk: &[u8], handler: &mut H) -> Result<(), Halt<H::Violation>> {
        self.check_usable()?;
        let (allowed, excess) = self.split_at_limit(chunk);
        let mut input = Input::new(allowed, self.position);
        let mut outcome = self.run(&mut input, handler);
        if outcome.is_ok() && !excess.is_empty() {
            outcome = Err(input.fail(SyntaxErrorKind::DocumentTooLong).into());
        }
        self.position = input.position();
        self.remember(outcome)
    }

    /// Says that the input has ended. A number at the top level, which has no end of its own, is handed over here.
    ///
    /// # Errors
    ///
    /// [`SyntaxErrorKind::UnexpectedEnd`] if the document is not complete; else as [`Tokenizer::feed`].
    pub fn finish<H: Handler>(&mut self, handler: &mut H) -> Result<(), Halt<H::Violation>> {
        self.check_usable()?;
        let outcome = self.end(handler);
        self.remember(outcome)
    }

    /// How many bytes of the document have been read; after a syntax error, its position.
    pub fn position(&self) -> u64 {
        self.position
    }

    fn check_usable(&self) -> Result<(), SyntaxError> {
        self.failed.map_or(Ok(()), Err)
    }

    fn remember<V>(&mut self, outcome: Result<(), Halt<V>>) -> Result<(), Halt<V>> {
        self.failed = match &outcome {
            Ok(()) => None,
            Err(Halt::Syntax(error)) => Some(*error),
            Err(Halt::Violation(_)) => Some(SyntaxError::new(SyntaxErrorKind::Stopped, self.position)),
        };
        self.position = self.failed.map_or(self.position, |error| error.position);
        outcome
    }

    fn split_at_limit<'c>(&self, chunk: &'c [u8]) -> (&'c [u8], &'c [u8]) {
        let left = self.limits.document_length.saturating_sub(self.position);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        chunk.split_at_checked(left).unwrap_or((chunk, &[]))
    }

    fn run<H: Handler>(&mut self, input: &mut Input<'_>, handler: &mut H) -> Result<(), Halt<H::Violation>> {
        while !input.is_empty() {
            match self.state {
                State::InKey => self.read_key(input, handler)?,
                State::InString => self.read_string(input, handler)?,
                State::InNumber(number) => self.read_number(number, input, handler)?,
                State::InLiteral(literal, seen) => self.read_literal(literal, seen, input, handler)?,
                _ => self.between_tokens(input, handler)?,
            }
        }
        Ok(())
    }

    fn end<H: Handler>(&mut self, handler: &mut H) -> Result<(), Halt<H::Violation>> {
        match self.state {
            State::Done => Ok(()),
            State::InNumber(number) if number.is_complete() && self.nesting.container().is_none() => {
                self.end_number("", handler)
            }
            _ => Err(SyntaxError::new(SyntaxErrorKind::UnexpectedEnd, self.position).into()),
        }
    }

    fn between_tokens<H: Handler>(
        &mut self,
        input: &mut Input<'_>,
        handler: &mut H,
    ) -> Result<(), Halt<H::Violation>> {
        let Some(byte) = input.skip_whitespace() else { return Ok(()) };
        match (self.state, byte) {
            (State::FirstElement | State::AfterElement, b']') => self.end_container(input, H::end_array, handler),
            (State::FirstKey | State::AfterMember, b'}') => self.end_container(input, H::end_object, handler),
            (State::FirstKey | State::NextKey, b'"') => self.begin_key(input, handler),
            (State::AfterElement, b',') | (State::AfterKey, b':') => Ok(self.punctuation(input, State::Value)),
            (State::AfterMember, b',') => Ok(self.punctuation(input, State::NextKey)),
            (State::Value | State::FirstElement, _) => self.begin_value(byte, input, handler),
            (state, _) => Err(input.fail(state.expectation()).into()),
        }
    }

    fn punctuation(&mut self, input: &mut Input<'_>, next: State) {
        input.advance(1);
        self.state = next;
    }

    fn begin_value<H: Handler>(
        &mut self,
        byte: u8,
        input: &mut Input<'_>,
        handler: &mut H,
    ) -> Result<(), Halt<H::Violation>> {
        match byte {
            b'{' => {
                self.begin_container(Container::Object, input)?;
                self.state = State::FirstKey;
                handler.begin_object().map_err(Halt::Violation)?;
            }
            b'[' => {
                self.begin_container(Container::Array, input)?;
                self.state = State::FirstElement;
                handler.begin_array().map_err(Halt::Violation)?;
            }
            b'"' => {
                input.advance(1);
                self.state = State::InString;
                handler.begin_string().map_err(Halt::Violation)?;
            }
            b'-' | b'0'..=b'9' => {
                self.token_start = input.position();
                self.state = State::InNumber(Number::Start);
            }
            b'n' => self.state = State::InLiteral(Literal::Null, 0),
            b't' => self.state = State::InLiteral(Literal::True, 0),
            b'f' => self.state = State::InLiteral(Literal::False, 0),
            _ => return Err(input.fail(SyntaxErrorKind::ExpectedValue).into()),
        }
        Ok(())
    }

    fn begin_container(&mut self, container: Container, input: &mut Input<'_>) -> Result<(), SyntaxError> {
        if !self.nesting.open(container) {
            return Err(input.fail(SyntaxErrorKind::TooDeep));
        }
        input.advance(1);
        Ok(())
    }

    fn end_container<H: Handler>(
        &mut self,
        input: &mut Input<'_>,
        event: fn(&mut H) -> Result<(), H::Violation>,
        handler: &mut H,
    ) -> Result<(), Halt<H::Violation>> {
        input.advance(1);
        self.nesting.close();
        self.end_value();
        event(handler).map_err(Halt::Violation)
    }

    fn end_value(&mut self) {
        self.state = match self.nesting.container() {
            Some(Container::Array) => State::AfterElement,
            Some(Container::Object) => State::AfterMember,
            None => State::Done,
        };
    }

    /// Takes the opening quote, and the whole key at once where the chunk has all of it and it has no escapes.
    fn begin_key<H: Handler>(
        &mut self,
        input: &mut Input<'_>,
        handler: &mut H,
    ) -> Result<(), Halt<H::Violation>> {
        input.advance(1);
        match input.plain_string(self.limits.key_length) {
            Some(raw) => self.end_key(Key::plain(raw), handler),
            None => {
                self.token_start = input.position();
                self.state = State::InKey;
                Ok(())
            }
        }
    }

    fn end_key<H: Handler>(&mut self, key: Key<'_>, handler: &mut H) -> Result<(), Halt<H::Violation>> {
        self.state = State::AfterKey;
        handler.key(key).map_err(Halt::Violation)
    }

    fn read_key<H: Handler>(
        &mut self,
        input: &mut Input<'_>,
        handler: &mut H,
    ) -> Result<(), Halt<H::Violation>> {
        loop {
            let piece = match self.text.next(input)? {
                Piece::Run(run) => run,
                Piece::Escape { raw, .. } => raw,
                Piece::More => return Ok(()),
                Piece::End => break,
            };
            if self.buffer.len() + piece.len() > self.limits.key_length {
                return Err(SyntaxError::new(SyntaxErrorKind::KeyTooLong, self.token_start).into());
            }
            self.buffer.push_str(piece);
        }
        let raw = std::mem::take(&mut self.buffer);
        self.end_key(Key::written(&raw), handler)?;
        self.reuse(raw);
        Ok(())
    }

    fn read_string<H: Handler>(
        &mut self,
        input: &mut Input<'_>,
        handler: &mut H,
    ) -> Result<(), Halt<H::Violation>> {
        loop {
            match self.text.next(input)? {
                Piece::Run(run) => handler.string_run(run),
                Piece::Escape { raw, decoded } => handler.string_escape(raw, decoded),
                Piece::More => return Ok(()),
                Piece::End => break,
            }
            .map_err(Halt::Violation)?;
        }
        self.end_value();
        handler.end_string().map_err(Halt::Violation)
    }

    fn read_number<H: Handler>(
        &mut self,
        number: Number,
        input: &mut Input<'_>,
        handler: &mut H,
    ) -> Result<(), Halt<H::Violation>> {
        let (number, length) = number.advance(input.rest());
        if self.buffer.len() + length > self.limits.number_length {
            return Err(SyntaxError::new(SyntaxErrorKind::NumberTooLong, self.token_start).into());
        }
        let part = input.take_text(length)?;
        if input.is_empty() {
            self.buffer.push_str(part);
            self.state = State::InNumber(number);
            return Ok(());
        }
        if !number.is_complete() {
            return Err(input.fail(SyntaxErrorKind::InvalidNumber).into());
        }
        self.end_number(part, handler)
    }

    fn end_number<H: Handler>(
        &mut self,
        last_part: &str,
        handler: &mut H,
    ) -> Result<(), Halt<H::Violation>> {
        self.end_value();
        if self.buffer.is_empty() {
            return handler.number(last_part).map_err(Halt::Violation);
        }
        let mut text = std::mem::take(&mut self.buffer);
        text.push_str(last_part);
        handler.number(&text).map_err(Halt::Violation)?;
        self.reuse(text);
        Ok(())
    }

    fn read_literal<H: Handler>(
        &mut self,
        literal: Literal,
        seen: usize,
        input: &mut Input<'_>,
        handler: &mut H,
    ) -> Result<(), Halt<H::Violation>> {
        let expected = literal.as_str().bytes().skip(seen);
        let missing = expected.len();
        let matching = expected.zip(input.rest()).take_while(|(want, got)| want == *got).count();
        input.advance(matching);
        if matching == missing {
            self.end_value();
            return handler.literal(literal).map_err(Halt::Violation);
        }
        if !input.is_empty() {
            return Err(input.fail(SyntaxErrorKind::InvalidLiteral).into());
        }
        self.state = State::InLiteral(literal, seen + matching);
        Ok(())
    }

    /// Keeps the allocation of a token that has been handed over.
    fn reuse(&mut self, mut token: String) {
        token.clear();
        self.buffer = token;
    }
}

impl State {
    /// The error of a byte that this state, between tokens, does not take.
    fn expectation(self) -> SyntaxErrorKind {
        match self {
            Self::FirstKey | Self::NextKey => SyntaxErrorKind::ExpectedKey,
            Self::AfterKey => SyntaxErrorKind::ExpectedColon,
            Self::AfterElement | Self::AfterMember => SyntaxErrorKind::ExpectedCommaOrEnd,
            Self::Done => SyntaxErrorKind::TrailingBytes,
            _ => SyntaxErrorKind::ExpectedValue,
        }
    }
}

#[cfg(test)]
mod tests;
