//! What is left of a chunk, and where in the document it is.

use super::error::{SyntaxError, SyntaxErrorKind};
use super::scan;
use std::str::Utf8Error;

/// The unread rest of one chunk. Reading only ever shortens it, so the position follows from its length.
///
/// UTF-8 is checked for as much of the chunk as there is, the first time that text is read, and not string by string: a
/// page has tens of thousands of short strings. What stands behind the checked part, or between its strings, is read
/// as bytes, and no byte of 0x80 or more is ever part of a token there.
pub(super) struct Input<'c> {
    rest: &'c [u8],
    /// Invariant: a prefix of `rest`. Empty if nothing has been checked yet, and where the next byte is no text.
    text: &'c str,
    /// The position of the chunk's end in the document.
    end: u64,
}

impl<'c> Input<'c> {
    pub(super) fn new(chunk: &'c [u8], position: u64) -> Self {
        Self { rest: chunk, text: "", end: position.saturating_add(length(chunk)) }
    }

    pub(super) fn position(&self) -> u64 {
        self.end.saturating_sub(length(self.rest))
    }

    /// The error of the next byte.
    #[cold]
    pub(super) fn fail(&self, kind: SyntaxErrorKind) -> SyntaxError {
        SyntaxError::new(kind, self.position())
    }

    #[inline]
    pub(super) fn rest(&self) -> &'c [u8] {
        self.rest
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    #[inline]
    pub(super) fn advance(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
        self.text = self.text.get(count..).unwrap_or_default();
    }

    /// Takes `byte` if it is the next one.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.advance(1);
        }
        is_next
    }

    /// The next byte that is not whitespace (RFC 8259 section 2); it stays unread.
    #[inline]
    pub(super) fn skip_whitespace(&mut self) -> Option<u8> {
        let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let count = self.rest.iter().take_while(is_space).count();
        if count > 0 {
            self.advance(count);
        }
        self.peek()
    }

    /// Takes `count` bytes, which the caller knows to be text.
    #[inline]
    pub(super) fn take_text(&mut self, count: usize) -> Result<&'c str, SyntaxError> {
        let text = self.text().get(..count).ok_or_else(|| self.fail(SyntaxErrorKind::InvalidUtf8))?;
        self.advance(count);
        Ok(text)
    }

    /// Takes the text up to a byte that ends a run. It is empty if such a byte is next, or one that is no text.
    #[inline]
    pub(super) fn take_run(&mut self) -> &'c str {
        let text = self.text();
        let run = text.get(..scan::run_length(text.as_bytes())).unwrap_or_default();
        self.advance(run.len());
        run
    }

    /// Takes the rest of a string with its closing quote, and returns it without, if it is all here, valid, free of
    /// escapes and at most `limit` bytes long. Else nothing is taken.
    #[inline]
    pub(super) fn plain_string(&mut self, limit: usize) -> Option<&'c str> {
        let text = self.text();
        let (run, after) = text.split_at_checked(scan::run_length(text.as_bytes()))?;
        if run.len() > limit || !after.starts_with('"') {
            return None;
        }
        self.advance(run.len() + 1);
        Some(run)
    }

    /// The valid text at the start of `rest`, looked for only where none is known.
    #[inline]
    fn text(&mut self) -> &'c str {
        if self.text.is_empty() {
            self.text = valid_prefix(self.rest);
        }
        self.text
    }
}

/// As much of `bytes` as is UTF-8. It is called once for a chunk, and again behind a character that chunks cut.
#[inline(never)]
fn valid_prefix(bytes: &[u8]) -> &str {
    let valid =
        |error: Utf8Error| bytes.get(..error.valid_up_to()).and_then(|valid| str::from_utf8(valid).ok());
    str::from_utf8(bytes).or_else(|error| valid(error).ok_or(error)).unwrap_or_default()
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
