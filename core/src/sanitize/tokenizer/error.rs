//! Why a document was not read to its end. No error holds bytes of the document.

use thiserror::Error;

/// Why [`Tokenizer::feed`](super::Tokenizer::feed) or [`Tokenizer::finish`](super::Tokenizer::finish) stopped.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Halt<V> {
    /// The document is not JSON that this tokenizer accepts.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// The handler refused an event; the value is its reason.
    #[error("the handler refused the document")]
    Violation(V),
}

/// What is wrong with a document, and where.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{kind} at byte {position}")]
pub struct SyntaxError {
    /// What is wrong.
    pub kind: SyntaxErrorKind,
    /// Where, in bytes from the start of the document, counted from 0: the wrong byte, or the first byte of the wrong
    /// escape, UTF-8 sequence, key or number.
    pub position: u64,
}

impl SyntaxError {
    pub(super) fn new(kind: SyntaxErrorKind, position: u64) -> Self {
        Self { kind, position }
    }
}

/// What can be wrong with a document.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyntaxErrorKind {
    /// A byte below 0x20 in a string, which must be escaped (RFC 8259 section 7). NUL is one of them.
    #[error("unescaped control character in a string")]
    ControlCharacter,
    /// More bytes than [`Limits::document_length`](super::Limits::document_length).
    #[error("the document is longer than the limit")]
    DocumentTooLong,
    /// After a key, something other than a colon.
    #[error("expected a colon")]
    ExpectedColon,
    /// After an element or member, something other than a comma or the end of its container.
    #[error("expected a comma or the end of the array or object")]
    ExpectedCommaOrEnd,
    /// In an object, something other than a key, or a comma before its end.
    #[error("expected a key")]
    ExpectedKey,
    /// Something that starts no value, such as a byte order mark.
    #[error("expected a value")]
    ExpectedValue,
    /// A backslash followed by none of the escapes of RFC 8259 section 7.
    #[error("invalid escape in a string")]
    InvalidEscape,
    /// A word that starts like `null`, `true` or `false` but is not that.
    #[error("invalid literal")]
    InvalidLiteral,
    /// A number that RFC 8259 section 6 does not allow, such as `-`, `1.` or `1e`.
    #[error("invalid number")]
    InvalidNumber,
    /// Not UTF-8 (RFC 3629) in a string: overlong, a surrogate, beyond U+10FFFF, or broken off.
    #[error("invalid UTF-8 in a string")]
    InvalidUtf8,
    /// A key longer than [`Limits::key_length`](super::Limits::key_length).
    #[error("a key is longer than the limit")]
    KeyTooLong,
    /// A number longer than [`Limits::number_length`](super::Limits::number_length).
    #[error("a number is longer than the limit")]
    NumberTooLong,
    /// The handler refused an event of an earlier call.
    #[error("reading was stopped by an earlier refusal")]
    Stopped,
    /// More open containers than [`Limits::depth`](super::Limits::depth).
    #[error("arrays and objects are nested deeper than the limit")]
    TooDeep,
    /// Anything but whitespace after the document.
    #[error("bytes after the end of the document")]
    TrailingBytes,
    /// The input ended before the document was complete.
    #[error("the document is not complete")]
    UnexpectedEnd,
}
