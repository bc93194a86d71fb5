//! Escapes in strings (RFC 8259 section 7).

use super::error::SyntaxErrorKind;
use crate::hex;

/// The longest escape: a surrogate pair, `\uD83D\uDE00`.
pub(super) const MAX_LENGTH: usize = 12;

/// One `\uXXXX`.
pub(super) const UNIT_LENGTH: usize = 6;

/// What the bytes from a backslash on are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// A whole escape: its length in bytes and its character.
    Complete(usize, char),
    /// [`UNIT_LENGTH`] bytes, `\uD800` to `\uDFFF`, that are not half of a pair and stand for no character.
    LoneSurrogate,
    /// The beginning of an escape: at most 11 bytes.
    Incomplete,
}

/// Reads the escape at the start of `bytes`, looking no further than is needed to decide.
///
/// # Errors
///
/// [`SyntaxErrorKind::InvalidEscape`].
pub(super) fn read(bytes: &[u8]) -> Result<Escape, SyntaxErrorKind> {
    match bytes {
        [] | [b'\\'] => Ok(Escape::Incomplete),
        [b'\\', b'u', ..] => read_unicode(bytes),
        [b'\\', letter, ..] => {
            simple(*letter).map(|decoded| Escape::Complete(2, decoded)).ok_or(SyntaxErrorKind::InvalidEscape)
        }
        _ => Err(SyntaxErrorKind::InvalidEscape),
    }
}

/// The character that a backslash and one letter stand for. Nearly all escapes of a mail are of this kind.
#[inline]
pub(super) fn simple(letter: u8) -> Option<char> {
    match letter {
        b'"' | b'\\' | b'/' => Some(char::from(letter)),
        b'b' => Some('\u{8}'),
        b'f' => Some('\u{c}'),
        b'n' => Some('\n'),
        b'r' => Some('\r'),
        b't' => Some('\t'),
        _ => None,
    }
}

/// The text that `raw`, the content of a valid string, stands for; `None` if it has a lone surrogate.
pub(super) fn unescape(raw: &str) -> Option<String> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((run, escaped)) = rest.split_at_checked(rest.find('\\').unwrap_or(rest.len())) {
        text.push_str(run);
        if escaped.is_empty() {
            break;
        }
        // Of a valid string, the end makes an escape incomplete only if that is a high surrogate.
        let Ok(Escape::Complete(length, decoded)) = read(escaped.as_bytes()) else { return None };
        text.push(decoded);
        rest = escaped.get(length..).unwrap_or_default();
    }
    Some(text)
}

fn read_unicode(bytes: &[u8]) -> Result<Escape, SyntaxErrorKind> {
    let (first, second) = bytes.split_at_checked(UNIT_LENGTH).unwrap_or((bytes, &[]));
    let Some(unit) = code_unit(first)? else {
        return Ok(Escape::Incomplete);
    };
    Ok(match unit {
        0xd800..=0xdbff => read_low_surrogate(unit, second),
        0xdc00..=0xdfff => Escape::LoneSurrogate,
        _ => decode(&[unit]),
    })
}

/// What a high surrogate is, with the bytes after it. An invalid escape among them is refused in its turn.
fn read_low_surrogate(high: u16, bytes: &[u8]) -> Escape {
    if !matches!(bytes, [] | [b'\\'] | [b'\\', b'u', ..]) {
        return Escape::LoneSurrogate;
    }
    match code_unit(bytes.get(..UNIT_LENGTH).unwrap_or(bytes)) {
        Ok(None) => Escape::Incomplete,
        Ok(Some(low)) => decode(&[high, low]),
        Err(_) => Escape::LoneSurrogate,
    }
}

/// One or two UTF-16 code units as a character. A high surrogate without a low one after it is not a character.
fn decode(units: &[u16]) -> Escape {
    match char::decode_utf16(units.iter().copied()).next() {
        Some(Ok(decoded)) => Escape::Complete(units.len() * UNIT_LENGTH, decoded),
        Some(Err(_)) | None => Escape::LoneSurrogate,
    }
}

/// The number in `\uXXXX`; `None` if digits are missing at the end.
fn code_unit(escape: &[u8]) -> Result<Option<u16>, SyntaxErrorKind> {
    let mut unit = 0;
    for digit in escape.iter().skip(2) {
        unit = unit << 4 | u16::from(hex::digit(*digit).ok_or(SyntaxErrorKind::InvalidEscape)?);
    }
    Ok((escape.len() == UNIT_LENGTH).then_some(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_escape() {
        let cases = [
            (r#"\""#, '"'),
            (r"\\", '\\'),
            (r"\/", '/'),
            (r"\b", '\u{8}'),
            (r"\f", '\u{c}'),
            (r"\n", '\n'),
            (r"\r", '\r'),
            (r"\t", '\t'),
            (r"\u0000", '\0'),
            (r"\u0041", 'A'),
            (r"\u20aC", '€'),
            (r"\uFFFF", '\u{ffff}'),
            (r"\uD800\uDC00", '\u{10000}'),
            (r"\udbff\udfff", '\u{10ffff}'),
        ];
        for (raw, decoded) in cases {
            assert_eq!(read(raw.as_bytes()), Ok(Escape::Complete(raw.len(), decoded)), "{raw}");
            assert_eq!(
                read(format!("{raw}x").as_bytes()),
                Ok(Escape::Complete(raw.len(), decoded)),
                "{raw}x"
            );
            for cut in 0..raw.len() {
                assert_eq!(read(&raw.as_bytes()[..cut]), Ok(Escape::Incomplete), "{raw} cut at {cut}");
            }
        }
    }

    /// The error comes with the byte that makes it certain, whatever follows.
    #[test]
    fn refuses_at_the_first_wrong_byte() {
        let cases = [
            (r"\x", SyntaxErrorKind::InvalidEscape),
            (r"\U", SyntaxErrorKind::InvalidEscape),
            (r"\'", SyntaxErrorKind::InvalidEscape),
            ("\\\n", SyntaxErrorKind::InvalidEscape),
            (r"\ug", SyntaxErrorKind::InvalidEscape),
            (r"\u+", SyntaxErrorKind::InvalidEscape),
            (r"\u12 ", SyntaxErrorKind::InvalidEscape),
            (r#"\u123""#, SyntaxErrorKind::InvalidEscape),
        ];
        for (raw, kind) in cases {
            assert_eq!(read(raw.as_bytes()), Err(kind), "{raw}");
            let before = &raw.as_bytes()[..raw.len() - 1];
            assert_eq!(read(before), Ok(Escape::Incomplete), "{raw} without its last byte");
        }
    }

    /// It is known with the byte after which no other half can come, and not before.
    #[test]
    fn finds_a_surrogate_without_its_other_half() {
        let alone = [
            r"\uDC00",
            r"\udfff",
            r#"\uD800""#,
            r"\uDBFFx",
            r"\uD800\n",
            r"\uD800\uD800",
            r"\uD800\u0041",
            r"\uD800\ux",
            r"\uD800\ud83x",
        ];
        for raw in alone {
            assert_eq!(read(raw.as_bytes()), Ok(Escape::LoneSurrogate), "{raw}");
            let before = &raw.as_bytes()[..raw.len() - 1];
            assert_eq!(read(before), Ok(Escape::Incomplete), "{raw} without its last byte");
        }
    }

    #[test]
    fn unescapes_a_whole_text() {
        assert_eq!(unescape(r"bo\u0064y").as_deref(), Some("body"));
        assert_eq!(unescape(r#"\uD83D\uDE00 é \"\\"#).as_deref(), Some("😀 é \"\\"));
        assert_eq!(unescape("").as_deref(), Some(""));
        for lone in [r"bo\ud800dy", r"body\ud800", r"\udc00"] {
            assert_eq!(unescape(lone), None, "{lone}");
        }
    }
}
