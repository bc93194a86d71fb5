//! A strict, resumable push tokenizer for JSON (RFC 8259).
//!
//! The tokenizer is at the trust boundary: a JSON parser that we do not know reads again what passes. So every document
//! on which two parsers could disagree is refused, and refused as a whole. The grammar, the escapes and the encoding
//! are checked in every byte, also in the parts that the [`Handler`] drops. One doubt is left to the handler, because
//! any sender of a mail can cause it: a string with half of a surrogate pair ([`Handler::lone_surrogate`]).
//!
//! # How it works
//!
//! Bytes arrive in chunks of any size, cut anywhere. What the `Machine` must remember between two chunks is small:
//!
//! - `State`: what may come next. Eight states are *between* tokens (a key may start here, a comma or an end must
//!   follow, ...), four are *inside* one (key, string, number, literal).
//! - `Nesting`: which containers are open, one bit each, so depth costs no allocation.
//! - `Text`: inside a key or string, up to eleven bytes of a UTF-8 sequence or an escape that the chunk's end cut.
//! - `buffer`: a key or number that a chunk cut, and a key with escapes. It is bounded by [`Limits`].
//!
//! The loop is `Machine::run`: while there is input, take one step. A step between tokens skips whitespace and looks at
//! one byte; state and byte together decide, and `Machine::between_tokens` is that table. A step inside a token takes
//! all that the chunk has of it. A key, number or string run that is wholly in the chunk goes to the handler as a
//! borrow of the chunk.
//!
//! | state | what may come, and the state after it |
//! |---|---|
//! | `Value` | a value; `[` leads to `FirstElement`, `{` to `FirstKey` |
//! | `FirstElement` | a value, or `]` |
//! | `AfterElement` | `,` to `Value`, or `]` |
//! | `FirstKey` | a key to `AfterKey`, or `}` |
//! | `NextKey` | a key to `AfterKey` |
//! | `AfterKey` | `:` to `Value` |
//! | `AfterMember` | `,` to `NextKey`, or `}` |
//! | `Done` | only whitespace |
//!
//! Where a value ends, the container around it decides: `AfterElement`, `AfterMember` or, at the top, `Done`.
//!
//! # The fast path, and why it is the same path
//!
//! Nearly every byte of a page is in a string, and nearly every string is wholly in one chunk and has no escape. The
//! following shortcuts make those strings cheap. Each does what the machine would do step by step; where it does not
//! apply, it takes no byte:
//!
//! - `Input` checks UTF-8 for the whole rest of a chunk when its first string begins, and from then on hands out parts
//!   of a `str`. The check stops at the first byte that is not UTF-8. That byte is an error only once the machine
//!   reaches it: in a string it is broken UTF-8 or a character that the chunk's end cut, elsewhere it is an unexpected
//!   byte.
//! - `Input::plain_string` takes a string with its closing quote. It is tried for every key and every string, and fails
//!   on an escape, a control character, a broken character or the chunk's end; then `Text` takes it piece by piece.
//! - `Machine::read_members` reads members in a loop while comma, key, colon and value follow each other without
//!   whitespace, as in JSON that programs write.
//! - A handler may say which key it expects ([`Handler::expected_key`]). One comparison tells whether that key comes.
//! - `Input::skip_text` skips a string that the handler does not need ([`Handler::listens`]), runs and two-byte escapes
//!   in one loop. Where the loop stops, `Text` reads on.
//! - `scan` compares a block of bytes at a time. Its tests compare it with the obvious loop at every offset.
//!
//! # Chunking does not show
//!
//! The result, the error with its position, and the events are the same however the input is cut. Only strings may
//! differ: a string comes at once by [`Handler::rest_of_string`], or in more or fewer parts. Three rules ensure this.
//! An error is raised at the first byte that makes the document invalid, never earlier because of bytes after it.
//! Everything valid before that byte has been handed over by then. A limit is compared with what a token has used, not
//! with what a chunk holds.
//!
//! # What it leaves to others
//!
//! The handler decides about duplicate keys, about lone surrogates, and about numbers that fit no machine type: numbers
//! are handed over as written. `docs/JSON.md` lists each decision that RFC 8259 leaves open.

mod error;
mod escape;
mod expected;
mod handler;
mod input;
mod limits;
mod machine;
mod nesting;
mod number;
mod scan;
mod text;

pub use error::{Halt, SyntaxError, SyntaxErrorKind};
pub use expected::ExpectedKey;
pub use handler::{Handler, Key, Literal};
pub use limits::{Limits, MAX_DEPTH};

use input::Input;
use machine::Machine;

/// Reads one JSON document. The module's documentation explains how.
///
/// This type counts bytes and remembers failure; `Machine` has the grammar.
#[derive(Debug)]
pub struct Tokenizer {
    machine: Machine,
    document_length: u64,
    position: u64,
    /// What every call returns after the first that failed.
    failed: Option<SyntaxError>,
}

impl Tokenizer {
    /// A tokenizer at the start of a document.
    pub fn new(limits: Limits) -> Self {
        Self {
            machine: Machine::new(limits),
            document_length: limits.document_length,
            position: 0,
            failed: None,
        }
    }

    /// Reads the next chunk of the document and hands its events to `handler`.
    ///
    /// # Errors
    ///
    /// [`Halt::Syntax`] if the document is not JSON or exceeds a limit, [`Halt::Violation`] if the handler refuses.
    /// Either way the tokenizer cannot be used afterwards: every later call returns the same syntax error or, after a
    /// violation, [`SyntaxErrorKind::Stopped`].
    pub fn feed<H: Handler>(&mut self, chunk: &[u8], handler: &mut H) -> Result<(), Halt<H::Violation>> {
        self.check_usable()?;
        let (allowed, excess) = self.split_at_limit(chunk);
        let mut input = Input::new(allowed, self.position);
        let mut outcome = self.machine.run(&mut input, handler);
        if outcome.is_ok() && !excess.is_empty() {
            outcome = Err(input.fail(SyntaxErrorKind::DocumentTooLong).into());
        }
        self.position = input.position();
        self.remember(outcome)
    }

    /// Ends the input. A number at the top level is handed over here: only the end of the input ends it.
    ///
    /// # Errors
    ///
    /// [`SyntaxErrorKind::UnexpectedEnd`] if the document is not complete; else as [`Tokenizer::feed`].
    pub fn finish<H: Handler>(&mut self, handler: &mut H) -> Result<(), Halt<H::Violation>> {
        self.check_usable()?;
        let outcome = self.machine.end(self.position, handler);
        self.remember(outcome)
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
        let left = self.document_length.saturating_sub(self.position);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        chunk.split_at_checked(left).unwrap_or((chunk, &[]))
    }
}

#[cfg(test)]
mod tests;
