//! Percent-decoding (RFC 3986 section 2.1), exactly once.

use super::target_error::{TargetError, TargetErrorKind as Kind};

/// Decodes `raw`, which stands at byte `offset` of the target. The result holds no control character.
pub(super) fn percent(raw: &str, offset: usize) -> Result<String, TargetError> {
    if raw.contains('%') { decode(raw.bytes(), offset) } else { checked(raw.to_owned(), offset) }
}

/// As [`percent`], and `+` is a space, as in a query (application/x-www-form-urlencoded).
pub(crate) fn form(raw: &str, offset: usize) -> Result<String, TargetError> {
    if !raw.contains(['%', '+']) {
        return checked(raw.to_owned(), offset);
    }
    decode(raw.bytes().map(|byte| if byte == b'+' { b' ' } else { byte }), offset)
}

/// Whether a second decoding would change the text.
pub(super) fn holds_escape(text: &str) -> bool {
    text.split('%').skip(1).any(|after| {
        let mut digits = after.chars();
        let mut is_hex = || digits.next().is_some_and(|digit| digit.is_ascii_hexdigit());
        is_hex() && is_hex()
    })
}

fn decode(bytes: impl Iterator<Item = u8>, offset: usize) -> Result<String, TargetError> {
    let mut decoded = Vec::with_capacity(bytes.size_hint().0);
    let mut bytes = bytes.enumerate();
    while let Some((at, byte)) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let (high, low) = (hex(bytes.next()), hex(bytes.next()));
        let escape = high.zip(low).map(|(high, low)| high << 4 | low);
        decoded.push(escape.ok_or(TargetError::new(Kind::InvalidEscape, offset.saturating_add(at)))?);
    }
    let text = String::from_utf8(decoded).map_err(|_| TargetError::new(Kind::InvalidUtf8, offset))?;
    checked(text, offset)
}

fn checked(text: String, offset: usize) -> Result<String, TargetError> {
    let has_control = if text.is_ascii() {
        text.bytes().any(|byte| byte.is_ascii_control())
    } else {
        text.contains(char::is_control)
    };
    if has_control { Err(TargetError::new(Kind::ControlCharacter, offset)) } else { Ok(text) }
}

fn hex(digit: Option<(usize, u8)>) -> Option<u8> {
    let value = char::from(digit?.1).to_digit(16)?;
    u8::try_from(value).ok()
}
