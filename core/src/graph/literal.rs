//! Literals of `$filter` (OData 4.01 ABNF section 7): those that Graph's mail and directory properties need.

use std::fmt;

use super::segment::is_identifier;
use super::time::{is_date, is_date_time};

/// A constant in a filter. [`Display`](fmt::Display) writes OData text.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Literal {
    /// `true` or `false`.
    Boolean(bool),
    /// `YYYY-MM-DD`, a day that exists.
    Date(String),
    /// An RFC 3339 date-time with `T`, seconds and an offset.
    DateTimeOffset(String),
    /// `namespace.Type'Member'`.
    Enum {
        /// The type's qualified name.
        type_name: String,
        /// Member names, joined by commas.
        value: String,
    },
    /// Eight, four, four, four and twelve hexadecimal digits.
    Guid(String),
    /// `null`.
    Null,
    /// A decimal number, as written.
    Number(String),
    /// The text of a quoted string, unescaped.
    String(String),
}

impl Literal {
    /// The literal that an unquoted word spells, if it is one.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        if word == "null" {
            return Some(Self::Null);
        }
        if let Some(value) = boolean(word) {
            return Some(Self::Boolean(value));
        }
        if is_guid(word) {
            return Some(Self::Guid(word.to_owned()));
        }
        if is_number(word) {
            return Some(Self::Number(word.to_owned()));
        }
        if is_date(word) {
            return Some(Self::Date(word.to_owned()));
        }
        let upper = word.to_ascii_uppercase();
        is_date_time(&upper).then_some(Self::DateTimeOffset(upper))
    }

    /// `type_name'value'`, if both are well formed.
    pub(super) fn from_enum(type_name: &str, value: &str) -> Option<Self> {
        let is_qualified = type_name.contains('.') && type_name.split('.').all(is_identifier);
        let is_valid = is_qualified && value.split(',').all(is_identifier);
        is_valid.then(|| Self::Enum { type_name: type_name.to_owned(), value: value.to_owned() })
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Date(text) | Self::DateTimeOffset(text) | Self::Guid(text) | Self::Number(text) => {
                f.write_str(text)
            }
            Self::Enum { type_name, value } => write!(f, "{type_name}'{value}'"),
            Self::Null => f.write_str("null"),
            Self::String(text) => write!(f, "'{}'", text.replace('\'', "''")),
        }
    }
}

/// `true` or `false`, in any letter case as the ABNF has it.
pub(super) fn boolean(word: &str) -> Option<bool> {
    if word.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    word.eq_ignore_ascii_case("false").then_some(false)
}

/// Whether a text is eight, four, four, four and twelve hexadecimal digits, joined by hyphens (RFC 9562, 4).
pub fn is_guid(word: &str) -> bool {
    let is_group = |(group, length): (&str, usize)| {
        group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    word.split('-').count() == 5 && word.split('-').zip([8, 4, 4, 4, 12]).all(is_group)
}

fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    is_digits(whole) && fraction.is_none_or(is_digits) && exponent.is_none_or(is_digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_each(words: &[&str], is_kind: fn(&Literal) -> bool) {
        for word in words {
            assert!(Literal::from_word(word).is_some_and(|literal| is_kind(&literal)), "{word}");
        }
    }

    #[test]
    fn words_are_read_as_their_type() {
        assert_each(&["null"], |literal| *literal == Literal::Null);
        assert_each(&["true", "TRUE", "false", "False"], |literal| matches!(literal, Literal::Boolean(_)));
        assert_each(&["0", "-1", "10.25", "1e5", "1.5E-3", "20240101"], |literal| {
            matches!(literal, Literal::Number(_))
        });
        assert_each(
            &["ddfcd489-628b-40d7-b48b-57002df800e5", "12345678-1234-1234-1234-123456789012"],
            |literal| matches!(literal, Literal::Guid(_)),
        );
        assert_each(&["2024-02-29", "2000-02-29", "2023-12-31"], |literal| {
            matches!(literal, Literal::Date(_))
        });
        assert_each(
            &["2024-01-01T00:00:00Z", "2024-01-01t23:59:59.123456789012z", "2024-01-01T00:00:00-08:30"],
            |literal| matches!(literal, Literal::DateTimeOffset(_)),
        );
    }

    #[test]
    fn malformed_words_are_not_literals() {
        let words = [
            "",
            "NULL",
            "Null",
            "yes",
            "INF",
            "NaN",
            "+1",
            "-",
            "1.",
            ".5",
            "1e",
            "1e5.0",
            "0x10",
            "1-2",
            "ddfcd489-628b-40d7-b48b-57002df800e",
            "ddfcd489-628b-40d7-b48b-57002df800eg",
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "2024-04-31",
            "2024-1-01",
            "24-01-01",
            "2024-01-01T",
            "2024-01-01T00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:60:00Z",
            "2024-01-01T00:00:60Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00.1234567890123Z",
            "2024-01-01T00:00:00+1:00",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00Zx",
            "2024-01-01T+0:00:00Z",
        ];
        for word in words {
            assert_eq!(Literal::from_word(word), None, "{word}");
        }
    }

    #[test]
    fn enums_need_a_qualified_type_and_member_names() {
        let high = Literal::from_enum("microsoft.graph.importance", "high").unwrap();
        assert_eq!(high.to_string(), "microsoft.graph.importance'high'");
        assert!(Literal::from_enum("n.t", "a,b").is_some());
        for (type_name, value) in
            [("importance", "high"), ("n.", "a"), ("n.t", ""), ("n.t", "a'b"), ("n.t", "a b")]
        {
            assert_eq!(Literal::from_enum(type_name, value), None);
        }
    }

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(Literal::String("o'brien".to_owned()).to_string(), "'o''brien'");
    }
}
