//! A guess at the key that comes next.

use wide::u8x32;

use super::handler::Key;
use super::scan::BLOCK;

/// A key as programs write it: in quotes, without escapes, and the colon right behind it.
///
/// It is made of a key that was read, so those bytes are a valid key wherever a key may stand. To find them there takes one
/// comparison, in the place of a search for the closing quote and of another for what the name means.
pub struct ExpectedKey {
    written: u8x32,
    /// The bits of the comparison that count.
    bits: u32,
    length: usize,
}

impl ExpectedKey {
    /// Bytes around the name.
    const PUNCTUATION: usize = r#""":"#.len();

    /// The same key once more, if it can be expected: names of under thirty bytes can.
    pub fn of(key: Key<'_>) -> Option<Self> {
        let name = Some(key.raw()).filter(|_| !key.has_escapes())?;
        let length = name.len() + Self::PUNCTUATION;
        let mut written = [0; BLOCK];
        let [open, inside @ .., close, colon] = written.get_mut(..length)? else { return None };
        (*open, *close, *colon) = (b'"', b'"', b':');
        inside.copy_from_slice(name.as_bytes());
        Some(Self { written: u8x32::new(written), bits: u32::MAX >> (BLOCK - length), length })
    }

    /// Whether it is this key.
    pub fn is(&self, key: Key<'_>) -> bool {
        self.name() == key.raw().as_bytes()
    }

    /// The name, which is UTF-8.
    pub fn name(&self) -> &[u8] {
        self.written.as_array().get(1..self.length - 2).unwrap_or_default()
    }

    /// Writes it to `out`, quotes and colon included.
    #[inline]
    pub fn write(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.length;
        // A block is a copy of known length. The zeros behind the key are taken back.
        out.extend_from_slice(self.written.as_array());
        out.truncate(end);
    }

    /// Its length in bytes, quotes and colon included.
    #[inline]
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Whether the block begins with the key.
    #[inline]
    pub(super) fn begins(&self, block: &[u8; BLOCK]) -> bool {
        let equal = u8x32::new(*block).simd_eq(self.written).to_bitmask();
        equal & self.bits == self.bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> [u8; BLOCK] {
        let padded = format!("{text:<BLOCK$}");
        *padded.as_bytes().first_chunk().unwrap()
    }

    #[test]
    fn a_key_is_found_with_its_quotes_and_colon_and_nothing_else_is() {
        for name in ["", "x", "é", "receivedDateTime", &"x".repeat(29)] {
            let written = format!("\"{name}\":");
            let expected = ExpectedKey::of(Key::plain(name)).unwrap();
            assert!(expected.begins(&block(&format!("{written}\"value\""))), "{name}");
            for at in 0..written.len() {
                let mut other = block(&written);
                other[at] ^= 1;
                assert!(!expected.begins(&other), "{name} with another byte at {at}");
            }
        }
    }

    #[test]
    fn a_key_is_written_as_it_was_read_and_nothing_behind_it() {
        for name in ["", "x", "é", "receivedDateTime", &"x".repeat(29)] {
            let mut out = b"before".to_vec();
            ExpectedKey::of(Key::plain(name)).unwrap().write(&mut out);
            assert_eq!(out, format!("before\"{name}\":").into_bytes());
        }
    }

    #[test]
    fn long_keys_and_keys_with_escapes_are_not_expected() {
        assert!(ExpectedKey::of(Key::plain(&"x".repeat(30))).is_none());
        assert!(ExpectedKey::of(Key::written(r"bo\u0064y")).is_none());
        assert!(ExpectedKey::of(Key::written("body")).is_some());
    }
}
