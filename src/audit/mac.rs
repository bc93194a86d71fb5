//! The keyed chain: each line ends with a MAC that only a holder of the key ring can make.
//!
//! `,"mac":"A:…"}` are the last 55 bytes of a line: the id of the key in the ring, and HMAC-SHA-256 in base64url over
//! everything before them. This contains the line's `prev`, which is the hash of the whole line before it, its MAC
//! included. So one MAC proves all lines of its chain up to its own, and whoever can write the file but has no key cannot
//! rewrite any of them. It does not prove that no lines were cut off at the end: for this, a head is kept elsewhere.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What stands between a line's content and the key's id.
const FIELD: &[u8] = b",\"mac\":\"";
/// What ends a line.
const END: &[u8] = b"\"}";
/// Characters of HMAC-SHA-256's 32 octets in base64url.
const MAC_CHARS: usize = 43;
/// Bytes after a line's content: the field, the id, a colon, the MAC, the end.
pub(super) const SUFFIX: usize = FIELD.len() + 2 + MAC_CHARS + END.len();

/// A key that seals lines, derived from a key of the ring for this purpose alone.
#[derive(Clone)]
pub struct MacKey {
    id: u8,
    key: hmac::Key,
}

/// What a line's MAC says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mac {
    /// The line has none: an earlier version wrote it.
    Absent,
    /// A key of these made it.
    Good,
    /// A key of these has this id, and did not make it.
    Bad,
    /// None of these keys has the id.
    UnknownKey,
}

impl MacKey {
    /// The key with this id, one character of base64url. `None` if it is another character.
    pub fn new(id: char, secret: &[u8; 32]) -> Option<Self> {
        let id = u8::try_from(id).ok().filter(u8::is_ascii)?;
        Some(Self { id, key: hmac::Key::new(hmac::HMAC_SHA256, secret) })
    }

    /// Ends a line that lacks its closing brace.
    pub(super) fn seal(&self, line: &mut Vec<u8>) {
        let mac = URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, line));
        line.extend([FIELD, &[self.id], b":", mac.as_bytes(), END].concat());
    }

    fn made(&self, message: &[u8], mac: &[u8]) -> bool {
        hmac::verify(&self.key, message, mac).is_ok()
    }
}

/// Checks a whole line, without its newline.
pub(super) fn check(keys: &[MacKey], line: &[u8]) -> Mac {
    let Some((message, id, mac)) = parts(line) else { return Mac::Absent };
    let mut own = keys.iter().filter(|key| key.id == id).peekable();
    if own.peek().is_none() {
        return Mac::UnknownKey;
    }
    let mac = URL_SAFE_NO_PAD.decode(mac).unwrap_or_default();
    if own.any(|key| key.made(message, &mac)) { Mac::Good } else { Mac::Bad }
}

/// Whether a line has a MAC, whatever it is worth.
pub(super) fn is_there(line: &[u8]) -> bool {
    parts(line).is_some()
}

/// The message, the key's id and the MAC of a line; `None` if it has no MAC.
fn parts(line: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let (message, suffix) = line.split_at_checked(line.len().checked_sub(SUFFIX)?)?;
    let (id, mac) = suffix.strip_prefix(FIELD)?.strip_suffix(END)?.split_first()?;
    Some((message, *id, mac.strip_prefix(b":")?))
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    #[test]
    fn a_mac_is_of_its_key_and_its_line() {
        let [one, other] = [1, 2].map(|octet| MacKey::new('A', &[octet; 32]).unwrap());
        let mut line = b"{\"seq\":0".to_vec();
        one.seal(&mut line);
        assert_eq!(line.len(), b"{\"seq\":0".len() + SUFFIX);
        assert!(serde_json::from_slice::<serde_json::Value>(&line).is_ok());
        assert_eq!(check(from_ref(&one), &line), Mac::Good);
        assert_eq!(check(from_ref(&other), &line), Mac::Bad);
        assert_eq!(check(&[other.clone(), one.clone()], &line), Mac::Good, "an id may be used again");
        assert_eq!(check(&[MacKey::new('B', &[1; 32]).unwrap()], &line), Mac::UnknownKey);
        let changed = String::from_utf8(line).unwrap().replace(":0", ":1").into_bytes();
        assert_eq!(check(&[one], &changed), Mac::Bad);
        assert_eq!(check(&[other], b"{\"seq\":0}"), Mac::Absent);
    }
}
