//! Tokens of `$filter`: words, quoted strings and a few signs. Only this module handles quotes.

use super::option_error::{OptionError, OptionErrorKind as Kind};

/// One token and its place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind<'a>,
    /// Offset of the first byte.
    pub(super) start: usize,
    /// Whether the token follows the one before it without white space.
    pub(super) is_glued: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum TokenKind<'a> {
    Close,
    Colon,
    Comma,
    Open,
    Slash,
    /// A quoted string, unescaped.
    Text(String),
    /// A name, an operator or an unquoted literal.
    Word(&'a str),
}

/// Splits a decoded value into tokens.
pub(super) fn tokens(value: &str) -> Result<Vec<Token<'_>>, OptionError> {
    let mut tokens = Vec::new();
    let mut rest = value;
    loop {
        let trimmed = rest.trim_start_matches([' ', '\t']);
        let start = value.len().saturating_sub(trimmed.len());
        let Some(first) = trimmed.chars().next() else {
            return Ok(tokens);
        };
        let is_glued = trimmed.len() == rest.len();
        let (kind, after) = token(first, trimmed).map_err(|kind| OptionError::new(kind, start))?;
        tokens.push(Token { kind, start, is_glued });
        rest = after;
    }
}

/// The token that begins with `first`, and the text after it.
fn token(first: char, text: &str) -> Result<(TokenKind<'_>, &str), Kind> {
    let sign = match first {
        '(' => TokenKind::Open,
        ')' => TokenKind::Close,
        ',' => TokenKind::Comma,
        '/' => TokenKind::Slash,
        ':' => TokenKind::Colon,
        '\'' => return quoted(text),
        _ => return word(first, text),
    };
    Ok((sign, text.split_at_checked(1).map_or("", |(_, after)| after)))
}

/// `'text'`, in which `''` stands for `'`.
fn quoted(text: &str) -> Result<(TokenKind<'_>, &str), Kind> {
    let mut unescaped = String::new();
    let mut rest = text.strip_prefix('\'').ok_or(Kind::UnterminatedString)?;
    loop {
        let (part, after) = rest.split_once('\'').ok_or(Kind::UnterminatedString)?;
        unescaped.push_str(part);
        let Some(continued) = after.strip_prefix('\'') else {
            return Ok((TokenKind::Text(unescaped), after));
        };
        unescaped.push('\'');
        rest = continued;
    }
}

/// Dates and times may have `:` and `+`. Names may not, so that the colon in `any(r:r/name ...)` is a token.
fn word(first: char, text: &str) -> Result<(TokenKind<'_>, &str), Kind> {
    let is_number_like = first.is_ascii_digit() || first == '-';
    let is_name_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_word_char = |c: char| is_name_char(c) || (is_number_like && matches!(c, ':' | '+'));
    let end = text.find(|c| !is_word_char(c)).unwrap_or(text.len());
    match text.split_at_checked(end) {
        Some((word, after)) if !word.is_empty() => Ok((TokenKind::Word(word), after)),
        _ => Err(Kind::UnexpectedCharacter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(value: &str) -> Vec<TokenKind<'_>> {
        tokens(value).unwrap().into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn signs_words_and_strings() {
        use TokenKind::{Close, Colon, Comma, Open, Slash, Text, Word};
        let expected = vec![
            Word("a"),
            Slash,
            Word("any"),
            Open,
            Word("r"),
            Colon,
            Word("r"),
            Comma,
            Text("o'b".to_owned()),
            Close,
        ];
        assert_eq!(kinds("a/any(r:r,\t'o''b')"), expected);
        assert_eq!(kinds("2024-01-01T00:00:00+01:00"), [Word("2024-01-01T00:00:00+01:00")]);
        assert_eq!(kinds("''"), [Text(String::new())]);
        assert_eq!(kinds(" "), []);
    }

    #[test]
    fn errors_say_where() {
        for (value, kind, position) in [
            ("a eq 'b", Kind::UnterminatedString, 5),
            ("a eq 'b''", Kind::UnterminatedString, 5),
            ("a eq @p", Kind::UnexpectedCharacter, 5),
            ("a eq \u{e9}", Kind::UnexpectedCharacter, 5),
            ("a;b", Kind::UnexpectedCharacter, 1),
        ] {
            assert_eq!(tokens(value), Err(OptionError::new(kind, position)), "{value}");
        }
    }

    #[test]
    fn white_space_between_tokens_is_seen() {
        let glued: Vec<_> = tokens("n.t'a' 'b'").unwrap().iter().map(|token| token.is_glued).collect();
        assert_eq!(glued, [true, true, false]);
    }
}
