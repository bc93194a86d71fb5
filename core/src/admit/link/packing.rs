//! Shorter forms of request targets, for sealed links.
//!
//! Graph's tokens are base64url for the most part, of which each character carries six bits and takes eight. Sealed and in
//! base64url again, a token of 12,000 characters would have 16,000. So each character is written with a code of its own,
//! always the same one:
//!
//! | characters | bits |
//! |---|---|
//! | `A` to `Z`, `a` to `z`, `0` to `9`, `-` | 6 |
//! | an escape, such as `%2F` | 15: six ones, a one, the octet that it stands for |
//! | any other octet | 15: six ones, a zero, the octet |
//!
//! # Why this is not a compressor
//!
//! A compressor writes what repeats itself in fewer bits. The length of its output tells whether two parts of a text are alike
//! (CRIME, 2012; J. Kelsey, "Compression and Information Leakage of Plaintext", 2002), and sealing keeps lengths. Here the
//! consumer sees the length. One part of the text is the name of the last user of a page, which the consumer must not know.
//! Another part can be the consumer's choice: Graph's links repeat `$filter` and `$select`, and only Graph knows what its
//! tokens repeat. Padding does not help against somebody who chooses the length of a part, and so the place where the next
//! size begins.
//!
//! With one code for each character, every character adds its own number of bits, wherever it stands and whatever is
//! beside it. So the length of the packed text tells what the length of the text told before, and no more. The price: a token
//! that repeats itself becomes no shorter than one that does not.

use crate::hex;

/// The code before all octets that have no code of their own.
const OTHER: u8 = 63;

/// Added to the octet of an escape.
const ESCAPE: u32 = 0x100;

/// The first octet of a text that is as it was: it has so many signs that codes would make it longer.
const PLAIN: u8 = 0;

/// The first octet of a text in codes.
const CODED: u8 = 1;

/// The packed form of a text. At most one octet longer than the text.
pub(super) fn pack(text: &str) -> Vec<u8> {
    let coded = coded(text.as_bytes());
    if coded.len() <= text.len() { coded } else { [&[PLAIN], text.as_bytes()].concat() }
}

/// The text of a packed form. The form is authentic: the proxy has sealed it.
pub(super) fn unpack(packed: &[u8]) -> Option<String> {
    let text = match packed.split_first()? {
        (&PLAIN, text) => text.to_vec(),
        (&CODED, codes) => decoded(codes),
        _ => return None,
    };
    String::from_utf8(text).ok()
}

fn coded(mut text: &[u8]) -> Vec<u8> {
    let mut bits = Writer { octets: vec![CODED], held: 0, count: 0 };
    while let [octet, rest @ ..] = text {
        text = rest;
        match (code(*octet), escape(*octet, rest)) {
            (Some(code), _) => bits.push(code.into(), 6),
            (None, Some((octet, rest))) => {
                bits.push_other(ESCAPE | u32::from(octet));
                text = rest;
            }
            (None, None) => bits.push_other((*octet).into()),
        }
    }
    bits.finish()
}

fn decoded(codes: &[u8]) -> Vec<u8> {
    let mut bits = Reader { octets: codes, held: 0, count: 0 };
    let mut text = Vec::new();
    while let Some(code) = bits.take(6) {
        match character(code) {
            Some(character) => text.push(character),
            None => text.extend(bits.take(9).into_iter().flat_map(other)),
        }
    }
    text
}

/// The code of a character that has one of its own.
fn code(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'-' => Some(62),
        _ => None,
    }
}

/// The character of a code; `None` for [`OTHER`].
fn character(code: u32) -> Option<u8> {
    match u8::try_from(code).unwrap_or(OTHER) {
        code @ 0..=25 => Some(b'A' + code),
        code @ 26..=51 => Some(b'a' + (code - 26)),
        code @ 52..=61 => Some(b'0' + (code - 52)),
        62 => Some(b'-'),
        _ => None,
    }
}

/// The octet of an escape in upper case that begins with this one, and what follows it.
fn escape(first: u8, rest: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = rest.split_first_chunk().filter(|_| first == b'%')?;
    let is_canonical = !digits.iter().any(u8::is_ascii_lowercase);
    Some((hex::octet(*digits).filter(|_| is_canonical)?, rest))
}

/// What the bits after [`OTHER`] stand for.
fn other(bits: u32) -> Vec<u8> {
    let [.., octet] = bits.to_be_bytes();
    if bits & ESCAPE == 0 {
        return vec![octet];
    }
    String::from_iter(hex::escaped(octet)).into_bytes()
}

/// Writes bits, the highest one of each number first.
struct Writer {
    octets: Vec<u8>,
    /// The lowest `count` bits do not fill an octet yet.
    held: u32,
    count: u32,
}

impl Writer {
    /// Writes the lowest `width` bits, at most nine.
    fn push(&mut self, bits: u32, width: u32) {
        self.held = self.held << width | bits;
        self.count += width;
        while let Some(left) = self.count.checked_sub(8) {
            let [.., octet] = (self.held >> left).to_be_bytes();
            self.octets.push(octet);
            self.count = left;
        }
    }

    fn push_other(&mut self, bits: u32) {
        self.push(OTHER.into(), 6);
        self.push(bits, 9);
    }

    /// Fills the last octet with ones: [`OTHER`] at most, with too few bits behind it to stand for anything.
    fn finish(mut self) -> Vec<u8> {
        let missing = (8 - self.count) % 8;
        self.push(!(u32::MAX << missing), missing);
        self.octets
    }
}

/// Reads bits in the order of [`Writer`].
struct Reader<'o> {
    octets: &'o [u8],
    /// The lowest `count` bits are read from `octets`, and not taken yet.
    held: u32,
    count: u32,
}

impl Reader<'_> {
    /// The next `width` bits, at most nine.
    fn take(&mut self, width: u32) -> Option<u32> {
        while self.count < width {
            let (octet, rest) = self.octets.split_first()?;
            self.octets = rest;
            self.held = self.held << 8 | u32::from(*octet);
            self.count += 8;
        }
        self.count -= width;
        Some(self.held >> self.count & !(u32::MAX << width))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Octets of the packed form besides its first one.
    fn size(text: &str) -> usize {
        let packed = pack(text);
        assert_eq!(unpack(&packed).as_deref(), Some(text), "{text}");
        packed.len() - 1
    }

    #[test]
    fn a_text_comes_back_whatever_bits_are_left_at_its_end() {
        for text in ["", "?", "-", "%", "%2", "%2F", "%2f", "%zz", "%25", "_~.", "\u{e9}\u{1f600}%C3"] {
            for before in ["", "a", "ab", "abc", "abcd", "99999999"] {
                size(&format!("{before}{text}"));
                size(&format!("{text}{before}"));
            }
        }
    }

    #[test]
    fn base64url_takes_six_bits_and_signs_fifteen() {
        assert_eq!(size(&"Az0-".repeat(1000)), 3000);
        assert_eq!(size(&format!("{}{}", "a".repeat(1000), "_".repeat(80))), 750 + 150);
        assert_eq!(size(&format!("{}{}", "a".repeat(1000), "%2F".repeat(80))), 750 + 150);
        assert_eq!(size(&format!("{}{}", "a".repeat(1000), "%2f".repeat(8))), 750 + 15 + 12);
        assert_eq!(size(&"_".repeat(1000)), 1000, "as it is");
    }

    #[test]
    fn what_is_no_packed_form_is_refused() {
        for octets in [b"".as_slice(), b"\x02", b"\x00\xff", b"\xff"] {
            assert_eq!(unpack(octets), None, "{octets:?}");
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "[ -~]{0,300}|\\PC{0,100}") {
            size(&text);
        }

        /// What a consumer adds to a text adds the same number of bits, whatever the rest of the text is.
        #[test]
        fn the_length_does_not_tell_whether_two_parts_are_alike(secret in "[A-Za-z0-9]{40}", guess in "[A-Za-z0-9]{40}") {
            let with = |chosen: &str| size(&format!("?$filter=a%20eq%20'{chosen}'&$skiptoken={secret}"));
            prop_assert_eq!(with(&guess), with(&secret));
        }
    }
}
