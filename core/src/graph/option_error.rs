//! Why an option's value was refused: what was expected and where, never what the value says.

use thiserror::Error;

/// A refused option value.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{kind} (byte {position} of the value)")]
pub struct OptionError {
    kind: OptionErrorKind,
    position: usize,
}

impl OptionError {
    pub(super) const fn new(kind: OptionErrorKind, position: usize) -> Self {
        Self { kind, position }
    }

    /// Which rule was broken.
    pub const fn kind(self) -> OptionErrorKind {
        self.kind
    }

    /// Offset in bytes in the decoded value.
    pub const fn position(self) -> usize {
        self.position
    }

    /// A stable name of the kind, for responses, logs and metrics.
    pub(crate) const fn code(self) -> &'static str {
        self.kind.code()
    }
}

/// The ways in which an option's value can be wrong.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum OptionErrorKind {
    /// Something else is needed here; the text names what.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A lambda inside a lambda.
    #[error("any() inside any() is not supported")]
    NestedLambda,
    /// A literal that is malformed, out of range, or of a type that is not supported.
    #[error("the literal is malformed or of a type that is not supported")]
    InvalidLiteral,
    /// More parentheses or negations than [`MAX_FILTER_DEPTH`](super::option::MAX_FILTER_DEPTH).
    #[error("the expression is nested too deeply")]
    TooDeep,
    /// More bytes than [`MAX_VALUE`](super::option::MAX_VALUE).
    #[error("the value is too long")]
    TooLong,
    /// More list items than [`MAX_ITEMS`](super::option::MAX_ITEMS).
    #[error("the list holds too many items")]
    TooManyItems,
    /// More comparisons than [`MAX_FILTER_TERMS`](super::option::MAX_FILTER_TERMS).
    #[error("the expression holds too many terms")]
    TooManyTerms,
    /// A character that the language does not know outside quotes.
    #[error("this character is not allowed here")]
    UnexpectedCharacter,
    /// A quote that is never closed.
    #[error("the quoted string is not closed")]
    UnterminatedString,
    /// `*` would include properties that nobody named.
    #[error("'*' is not supported; name the properties")]
    Wildcard,
}

impl OptionErrorKind {
    /// A stable name, for responses, logs and metrics.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Expected(_) => "unexpectedToken",
            Self::InvalidLiteral => "invalidLiteral",
            Self::NestedLambda => "nestedLambda",
            Self::TooDeep => "expressionTooDeep",
            Self::TooLong => "valueTooLong",
            Self::TooManyItems => "tooManyItems",
            Self::TooManyTerms => "tooManyTerms",
            Self::UnexpectedCharacter => "unexpectedCharacter",
            Self::UnterminatedString => "unterminatedString",
            Self::Wildcard => "wildcard",
        }
    }
}
