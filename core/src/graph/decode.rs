//! Percent-decoding (RFC 3986 section 2.1), exactly once.

use super::target_error::{TargetError, TargetErrorKind as Kind};
use crate::hex;

/// Decodes `raw`, which begins at byte `offset` of the target. The result holds no control character.
pub(super) fn percent(raw: &str, offset: usize) -> Result<String, TargetError> {
    checked(unescaped(raw, offset)?, offset)
}

/// As [`percent`], and `+` is a space, as in a query (application/x-www-form-urlencoded).
pub fn form(raw: &str, offset: usize) -> Result<String, TargetError> {
    if raw.contains('+') { percent(&raw.replace('+', " "), offset) } else { percent(raw, offset) }
}

/// Whether a second decoding would change the text.
pub(super) fn holds_escape(text: &str) -> bool {
    pieces(text).skip(1).any(|piece| escape(piece).is_some())
}

fn unescaped(raw: &str, offset: usize) -> Result<String, TargetError> {
    let mut pieces = pieces(raw);
    let mut decoded = Vec::with_capacity(raw.len());
    decoded.extend_from_slice(pieces.next().unwrap_or_default());
    let mut position = offset.saturating_add(decoded.len());
    for piece in pieces {
        let (octet, rest) = escape(piece).ok_or(TargetError::new(Kind::InvalidEscape, position))?;
        decoded.push(octet);
        decoded.extend_from_slice(rest);
        position = position.saturating_add(1).saturating_add(piece.len());
    }
    String::from_utf8(decoded).map_err(|_| TargetError::new(Kind::InvalidUtf8, offset))
}

/// The bytes before the first `%`, then those after each `%`.
fn pieces(text: &str) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().split(|byte| *byte == b'%')
}

/// The octet that the two digits after a `%` stand for, and what follows them.
fn escape(piece: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = piece.split_first_chunk()?;
    Some((hex::octet(*digits)?, rest))
}

/// The loop does not stop early, so that the compiler can check many bytes at once.
fn checked(text: String, offset: usize) -> Result<String, TargetError> {
    let has_ascii_control = text.bytes().fold(false, |any, byte| any | byte.is_ascii_control());
    if has_ascii_control || (!text.is_ascii() && text.contains(char::is_control)) {
        return Err(TargetError::new(Kind::ControlCharacter, offset));
    }
    Ok(text)
}
