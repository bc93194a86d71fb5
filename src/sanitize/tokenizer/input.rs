//! What is left of a chunk, and where in the document it is.

use super::error::{SyntaxError, SyntaxErrorKind};
use super::scan;

/// The unread rest of one chunk. Reading only ever shortens it, so the position follows from its length.
pub(super) struct Input<'c> {
    rest: &'c [u8],
    /// The position of the chunk's end in the document.
    end: u64,
}

impl<'c> Input<'c> {
    pub(super) fn new(chunk: &'c [u8], position: u64) -> Self {
        Self { rest: chunk, end: position.saturating_add(length(chunk)) }
    }

    pub(super) fn position(&self) -> u64 {
        self.end.saturating_sub(length(self.rest))
    }

    /// The error of the next byte.
    #[cold]
    pub(super) fn fail(&self, kind: SyntaxErrorKind) -> SyntaxError {
        SyntaxError::new(kind, self.position())
    }

    pub(super) fn rest(&self) -> &'c [u8] {
        self.rest
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(super) fn advance(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    /// The next byte that is not whitespace (RFC 8259 section 2); it stays unread.
    pub(super) fn skip_whitespace(&mut self) -> Option<u8> {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.peek()
    }

    /// Takes `count` bytes, which the caller knows to be text.
    pub(super) fn take_text(&mut self, count: usize) -> Result<&'c str, SyntaxError> {
        let bytes = self.rest.get(..count).unwrap_or(self.rest);
        let text = str::from_utf8(bytes).map_err(|_| self.fail(SyntaxErrorKind::InvalidUtf8))?;
        self.advance(count);
        Ok(text)
    }

    /// Takes the rest of a string with its closing quote, and returns it without, if it is all here, valid, free of
    /// escapes and at most `limit` bytes long. Else nothing is taken.
    pub(super) fn plain_string(&mut self, limit: usize) -> Option<&'c str> {
        let (run, [b'"', rest @ ..]) = self.rest.split_at_checked(scan::run_length(self.rest))? else {
            return None;
        };
        if run.len() > limit {
            return None;
        }
        let text = str::from_utf8(run).ok()?;
        self.rest = rest;
        Some(text)
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
