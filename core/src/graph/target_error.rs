//! Why a request target was refused: what is wrong and where, never what the target says.

use thiserror::Error;

/// A refused request target.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{kind} (byte {position} of the request target)")]
pub struct TargetError {
    pub(super) kind: TargetErrorKind,
    position: usize,
}

impl TargetError {
    pub(super) const fn new(kind: TargetErrorKind, position: usize) -> Self {
        Self { kind, position }
    }

    /// Offset in bytes, in the target as received, of the bad byte or of the segment or option that holds it.
    pub const fn position(self) -> usize {
        self.position
    }

    /// A stable name of the kind, for responses, logs and metrics.
    pub(crate) const fn code(self) -> &'static str {
        self.kind.code()
    }

    /// Whether the target is well-formed but for arguments in parentheses, which no rule can open.
    pub(crate) const fn is_about_arguments(self) -> bool {
        matches!(self.kind, TargetErrorKind::Arguments)
    }

    /// Whether the response is 414 (URI Too Long, RFC 9110 section 15.5.15) instead of 400.
    pub(crate) const fn is_too_long(self) -> bool {
        matches!(self.kind, TargetErrorKind::TooLong)
    }
}

/// The ways in which a request target can be wrong.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum TargetErrorKind {
    /// A function with arguments, or a key with a name: `getX(period='D30')`.
    #[error("a function with arguments, or a key with a name, cannot be opened")]
    Arguments,
    /// Two readings: `\` is `/` to some servers.
    #[error("a backslash is not allowed in a path")]
    Backslash,
    /// `microsoft.graph.` followed by something that is not a type name.
    #[error("the type name of a cast is malformed")]
    Cast,
    /// A control character, written as an escape.
    #[error("an escaped control character is not allowed")]
    ControlCharacter,
    /// `%` is left after decoding once, so a second decoder would read something else.
    #[error("an escape inside an escape is not allowed; encode once")]
    DoubleEncoding,
    /// `.` or `..`, in any spelling.
    #[error("a path must not hold dot segments")]
    DotSegment,
    /// The same option twice, also across letter case and with or without `$`.
    #[error("a query option is given more than once")]
    DuplicateOption,
    /// White space at the edge of a segment, which some servers trim.
    #[error("a path segment must not begin or end with white space")]
    EdgeSpace,
    /// `users('')`.
    #[error("a key must not be empty")]
    EmptyKey,
    /// `//`.
    #[error("a path must not hold empty segments")]
    EmptySegment,
    /// A fragment never belongs in a request target (RFC 9112 section 3.2).
    #[error("a fragment is not allowed")]
    Fragment,
    /// `%` without two hexadecimal digits.
    #[error("an escape needs two hexadecimal digits")]
    InvalidEscape,
    /// A byte that no request target may hold unescaped (RFC 3986 section 2).
    #[error("a raw control character, space, backslash or non-ASCII byte is not allowed; escape it")]
    InvalidRawByte,
    /// Escapes that are not UTF-8 (RFC 3629), overlong forms among them.
    #[error("escapes must decode to UTF-8")]
    InvalidUtf8,
    /// Parentheses that hold something other than one quoted key.
    #[error("parentheses may hold one unnamed quoted key, as in users('id'), and nothing may follow them")]
    Key,
    /// Absolute-form, authority-form, asterisk-form, or junk.
    #[error("a request target must be an absolute path")]
    NotOriginForm,
    /// A query option's name is not a plain name.
    #[error("the name of a query option is malformed")]
    OptionName,
    /// A query option without `=`.
    #[error("a query option needs a value, written name=value")]
    OptionWithoutValue,
    /// `;` (matrix parameters) or an escaped `?` outside a quoted key.
    #[error("a path segment must not hold ';' or an escaped '?'")]
    ReservedCharacter,
    /// More than [`MAX_TARGET`](super::target::MAX_TARGET) bytes.
    #[error("the request target is too long")]
    TooLong,
    /// More than [`MAX_OPTIONS`](super::target::MAX_OPTIONS) options.
    #[error("the query holds too many options")]
    TooManyOptions,
    /// More than [`MAX_SEGMENTS`](super::target::MAX_SEGMENTS) segments.
    #[error("the path holds too many segments")]
    TooManySegments,
    /// `name()` where `name` is not a known function.
    #[error(
        "this function is not known; a path may call functions of Graph that need no arguments, as delta()"
    )]
    UnknownFunction,
    /// A `$name` other than `$batch`, `$count`, `$ref` and `$value`.
    #[error(
        "this '$' segment is not known; $batch, $count, $ref and $value are, and a key that begins with '$' is \
         written users('$key')"
    )]
    UnknownDollarSegment,
    /// The first segment is neither `v1.0` nor `beta`.
    #[error("the path must begin with /v1.0/ or /beta/")]
    UnknownVersion,
}

impl TargetErrorKind {
    /// A stable name, for responses, logs and metrics.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Arguments => "arguments",
            Self::Backslash => "backslash",
            Self::Cast => "cast",
            Self::ControlCharacter => "controlCharacter",
            Self::DotSegment => "dotSegment",
            Self::DoubleEncoding => "doubleEncoding",
            Self::DuplicateOption => "duplicateOption",
            Self::EdgeSpace => "edgeSpace",
            Self::EmptyKey => "emptyKey",
            Self::EmptySegment => "emptySegment",
            Self::Fragment => "fragment",
            Self::InvalidEscape => "invalidEscape",
            Self::InvalidRawByte => "invalidRawByte",
            Self::InvalidUtf8 => "invalidUtf8",
            Self::Key => "key",
            Self::NotOriginForm => "notOriginForm",
            Self::OptionName => "optionName",
            Self::OptionWithoutValue => "optionWithoutValue",
            Self::ReservedCharacter => "reservedCharacter",
            Self::TooLong => "targetTooLong",
            Self::TooManyOptions => "tooManyOptions",
            Self::TooManySegments => "tooManySegments",
            Self::UnknownDollarSegment => "unknownDollarSegment",
            Self::UnknownFunction => "unknownFunction",
            Self::UnknownVersion => "unknownVersion",
        }
    }
}
