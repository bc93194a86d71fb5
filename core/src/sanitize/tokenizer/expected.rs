//! A guess at the key that comes next.

use wide::u8x32;

use super::handler::Key;
use super::scan::BLOCK;

/// A key as programs write it: in quotes, without escapes, with the colon right after it.
///
/// It is made from a key that was read, so the same bytes are a valid key wherever a key may come. One comparison finds
/// them, instead of a search for the closing quote and a look-up of the name.
pub struct ExpectedKey {
    written: u8x32,
    /// The bits of the comparison that belong to the key.
    bits: u32,
    length: usize,
}

impl ExpectedKey {
    /// Bytes around the name.
    const PUNCTUATION: usize = r#""":"#.len();

    /// The expected form of `key`, if it has no escapes and its name has fewer than thirty bytes.
    pub fn of(key: Key<'_>) -> Option<Self> {
        let name = Some(key.raw()).filter(|_| !key.has_escapes())?;
        let length = name.len() + Self::PUNCTUATION;
        let mut written = [0; BLOCK];
        let [open, inside @ .., close, colon] = written.get_mut(..length)? else { return None };
        (*open, *close, *colon) = (b'"', b'"', b':');
        inside.copy_from_slice(name.as_bytes());
        Some(Self { written: u8x32::new(written), bits: u32::MAX >> (BLOCK - length), length })
    }

    /// Whether `key` is this one.
    pub fn is(&self, key: Key<'_>) -> bool {
        self.name() == key.raw().as_bytes()
    }

    /// The name, which is UTF-8.
    pub fn name(&self) -> &[u8] {
        self.written.as_array().get(1..self.length - 2).unwrap_or_default()
    }

    /// Writes the key to `out`, with quotes and colon.
    #[inline]
    pub fn write(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.length;
        // Copying a whole block has a known length, which is fast. The zeros after the key are removed again.
        out.extend_from_slice(self.written.as_array());
        out.truncate(end);
    }

    /// The key's length in bytes, with quotes and colon.
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
    fn a_key_is_written_as_it_was_read_and_nothing_after_it() {
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
