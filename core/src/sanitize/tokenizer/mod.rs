//! A strict, resumable push tokenizer for JSON (RFC 8259).
//!
//! It stands at the trust boundary: what it passes on is read again by a JSON parser that we do not know. Every
//! document on which two parsers could disagree is therefore refused, and refused wholly: the grammar, the escapes
//! and the encoding are checked in every byte, also in the parts that the [`Handler`] goes on to drop.
//!
//! # How it works
//!
//! Bytes arrive in chunks of any size, cut anywhere. What the `Machine` must remember between two chunks is small:
//!
//! - `State`: what may come next. Eight states stand *between* tokens (a key may start here, a comma or an end
//!   must follow, ...), four stand *inside* one (key, string, number, literal).
//! - `Nesting`: which containers are open, one bit each, so depth costs no allocation.
//! - `Text`: inside a key or string, the up to eleven bytes of a UTF-8 sequence or an escape that a chunk cut.
//! - `buffer`: a key or number that a chunk cut, and a key with escapes. It is bounded by [`Limits`].
//!
//! The loop is `Machine::run`: while there is input, take one step. A step between tokens skips whitespace and looks
//! at one byte; state and byte together decide, and `Machine::between_tokens` is that table. A step inside a token
//! takes all that the chunk has of it. A key, number or string run that lies wholly in the chunk goes to the handler
//! as a borrow of the chunk.
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
//! Nearly every byte of a page is in a string, and nearly every string lies wholly in one chunk and has no escape. A few
//! things make those cheap. Each is a shortcut to what the machine would do step by step, and gives up without having
//! taken a byte where it does not apply:
//!
//! - `Input` checks UTF-8 for the whole rest of a chunk when its first string begins, and from then on hands out parts of
//!   a `str`. The check stops at the first byte that is no text. Nothing is refused for that byte until the machine stands
//!   on it: in a string it is broken UTF-8 or a character that the chunk's end cuts, elsewhere it is just a wrong byte.
//! - `Input::plain_string` takes a string with its closing quote. It is tried for every key and every string, and fails
//!   on an escape, a control character, a broken character or the chunk's end; then `Text` takes it piece by piece.
//! - Members are taken one behind the other (`Machine::read_members`) where comma, key, colon and value follow each other without
//!   whitespace, as they do in what programs write.
//! - A handler may say which key it expects ([`Handler::expected_key`]). If that is what stands there, one comparison tells.
//! - A string that nobody listens to ([`Handler::listens`]) is passed over by `Input::skip_text`, runs and two-byte escapes in
//!   one loop. Whatever else is in it, `Text` finds where the loop stops.
//! - `scan` compares blocks of a run at once. Its tests compare it with the obvious loop at every offset.
//!
//! # Chunking does not show
//!
//! The verdict, the error with its position, and the events are the same however the input is cut. Only a string may come
//! at once by [`Handler::rest_of_string`] or in parts, and in more or fewer of them. Three habits keep it so: an error is
//! raised at the first byte that makes the document invalid, never earlier because of bytes behind it; everything valid
//! before it has been handed over by then; and a limit is tested against what a token has used, not against what a chunk
//! holds.
//!
//! # What it leaves to others
//!
//! Duplicate keys, and whether a number fits a machine type, are the handler's business: numbers are handed over as
//! they are written. `docs/JSON.md` lists each decision that RFC 8259 leaves open.

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
pub use limits::{
    DEFAULT_DEPTH, DEFAULT_DOCUMENT_LENGTH, DEFAULT_KEY_LENGTH, DEFAULT_NUMBER_LENGTH, Limits, MAX_DEPTH,
};

use input::Input;
use machine::Machine;

/// Reads one JSON document. See the module for how.
///
/// This type counts bytes and remembers failure; the grammar is the machine's.
#[derive(Debug)]
pub struct Tokenizer {
    machine: Machine,
    document_length: u64,
    position: u64,
    /// The response of every call after the first that failed.
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
    /// [`Halt::Syntax`] if the document is not JSON or passes a limit, [`Halt::Violation`] if the handler said so.
    /// Either way the tokenizer is of no more use: every later call responses the same syntax error, or, after a
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

    /// Says that the input has ended. A number at the top level, which has no end of its own, is handed over here.
    ///
    /// # Errors
    ///
    /// [`SyntaxErrorKind::UnexpectedEnd`] if the document is not complete; else as [`Tokenizer::feed`].
    pub fn finish<H: Handler>(&mut self, handler: &mut H) -> Result<(), Halt<H::Violation>> {
        self.check_usable()?;
        let outcome = self.machine.end(self.position, handler);
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
        let left = self.document_length.saturating_sub(self.position);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        chunk.split_at_checked(left).unwrap_or((chunk, &[]))
    }
}

#[cfg(test)]
mod tests;
