//! What is left of a chunk, and where in the document it is.

use super::error::{SyntaxError, SyntaxErrorKind};
use super::expected::ExpectedKey;
use super::scan;
use simdutf8::compat::from_utf8;

/// One chunk, and how much of it has been read. Reading only ever goes forward.
///
/// UTF-8 is checked for the whole rest of the chunk when text is first read, not string by string: a page has tens of
/// thousands of short strings. What comes after the checked part, or between strings, is read as bytes: no token there
/// has a byte of 0x80 or more.
pub(super) struct Input<'c> {
    chunk: &'c [u8],
    /// How many bytes of `chunk` have been read.
    at: usize,
    /// The UTF-8 that `chunk` begins with, as found by [`Self::find_text`].
    text: &'c str,
    /// The position of `chunk` in the document.
    start: u64,
}

impl<'c> Input<'c> {
    pub(super) fn new(chunk: &'c [u8], position: u64) -> Self {
        Self { chunk, at: 0, text: "", start: position }
    }

    pub(super) fn position(&self) -> u64 {
        self.start.saturating_add(u64::try_from(self.at).unwrap_or(u64::MAX))
    }

    /// An error at the next byte.
    #[cold]
    pub(super) fn fail(&self, kind: SyntaxErrorKind) -> SyntaxError {
        SyntaxError::new(kind, self.position())
    }

    #[inline]
    pub(super) fn rest(&self) -> &'c [u8] {
        self.chunk.get(self.at..).unwrap_or_default()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.chunk.len()
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.chunk.get(self.at).copied()
    }

    /// Takes `count` bytes, which the caller has seen.
    #[inline]
    pub(super) fn advance(&mut self, count: usize) {
        self.at += count;
    }

    /// Takes `byte` if it is the next one.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// The next byte that is not whitespace (RFC 8259 section 2); it stays unread.
    #[inline]
    pub(super) fn skip_whitespace(&mut self) -> Option<u8> {
        let mut next = self.peek();
        while next.is_some_and(is_whitespace) {
            self.at += 1;
            next = self.peek();
        }
        next
    }

    /// Takes `count` bytes, which the caller knows to be text.
    #[inline]
    pub(super) fn take_text(&mut self, count: usize) -> Result<&'c str, SyntaxError> {
        self.find_text();
        let text = self.text.get(self.at..self.at + count);
        let text = text.ok_or_else(|| self.fail(SyntaxErrorKind::InvalidUtf8))?;
        self.at += count;
        Ok(text)
    }

    /// Takes the text up to a byte that ends a run. The text is empty if the next byte ends a run or is not UTF-8.
    #[inline]
    pub(super) fn take_run(&mut self) -> &'c str {
        self.find_text();
        let run = self.text.get(self.at..self.at + self.run_length()).unwrap_or_default();
        self.at += run.len();
        run
    }

    /// Takes the rest of a string and its closing quote, and returns the text, if all of it is in the chunk, valid,
    /// free of escapes and at most `limit` bytes long. Otherwise takes nothing.
    #[inline]
    pub(super) fn plain_string(&mut self, limit: usize) -> Option<&'c str> {
        self.find_text();
        let end = self.at + self.run_length();
        if end - self.at > limit || self.text.as_bytes().get(end) != Some(&b'"') {
            return None;
        }
        let text = self.text.get(self.at..end)?;
        self.at = end + 1;
        Some(text)
    }

    /// Takes a key with its quotes and colon, if that is what comes next.
    #[inline]
    pub(super) fn take_key(&mut self, key: &ExpectedKey) -> bool {
        let is_next =
            self.chunk.get(self.at..).and_then(<[u8]>::first_chunk).is_some_and(|ahead| key.begins(ahead));
        self.at += if is_next { key.length() } else { 0 };
        is_next
    }

    /// Skips runs and two-byte escapes, in a string that the handler does not listen to. The caller reads what follows.
    pub(super) fn skip_text(&mut self) {
        self.find_text();
        self.at += scan::text_length(self.text.as_bytes().get(self.at..).unwrap_or_default());
    }

    #[inline]
    fn run_length(&self) -> usize {
        scan::run_length(self.text.as_bytes().get(self.at..).unwrap_or_default())
    }

    /// Looks for text if none is known at the next byte. Finds none if that byte is not UTF-8.
    #[inline]
    fn find_text(&mut self) {
        if self.at >= self.text.len() {
            self.start = self.position();
            self.chunk = self.rest();
            self.at = 0;
            self.text = valid_prefix(self.chunk);
        }
    }
}

/// RFC 8259 section 2.
pub(super) fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The longest prefix of `bytes` that is UTF-8. Called once for a chunk, and again after a character that the chunks
/// cut.
#[inline(never)]
fn valid_prefix(bytes: &[u8]) -> &str {
    from_utf8(bytes).unwrap_or_else(|error| {
        bytes.get(..error.valid_up_to()).and_then(|valid| from_utf8(valid).ok()).unwrap_or_default()
    })
}
