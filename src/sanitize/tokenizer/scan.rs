//! The hot loop: where does a run of ordinary string bytes end?
//!
//! Most of a mail page is text inside strings, so speed is decided here. Three bytes or kinds of byte end a run: the
//! quote, the backslash and control characters. Bytes of 0x80 and more do not: what is scanned is text already, checked
//! by `Input` for the whole chunk with `str::from_utf8`, which is at its best on long texts.
//!
//! Most strings are short, so the first [`BLOCK`] bytes are tested in words of eight, with arithmetic that also tells
//! which byte it was. Behind them it matters whether the text has control characters at all, which [`has_control`] says of a
//! whole chunk at the price of a look at each byte. What programs write has none. Then two bytes are left to look for, and
//! `memchr` knows how; else blocks are tested as a whole, with no early exit, so that the compiler turns the test into a few
//! vector instructions, and the block that has a stop is then tested in words.

use memchr::memchr2;

/// Bytes tested at once. Two vector registers of the x86-64 and AArch64 baselines.
const BLOCK: usize = 32;

const WORD: usize = size_of::<u64>();

/// Whether one of the bytes is a control character.
pub(super) fn has_control(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |any, byte| any | (*byte < 0x20))
}

/// How many bytes from the start belong to the run, whether it ends there or only the input does. `has_control` may be
/// false only where no byte is a control character.
#[inline]
pub(super) fn run_length(bytes: &[u8], has_control: bool) -> usize {
    let (head, rest) = bytes.split_at_checked(BLOCK).unwrap_or((bytes, &[]));
    let length = run_length_by_words(head);
    if length < BLOCK {
        length
    } else if has_control {
        BLOCK + run_length_by_blocks(rest)
    } else {
        BLOCK + memchr2(b'"', b'\\', rest).unwrap_or(rest.len())
    }
}

fn run_length_by_blocks(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let clean = blocks.iter().take_while(|block| !has_stop(block)).count() * BLOCK;
    clean + run_length_by_words(bytes.get(clean..).unwrap_or_default())
}

#[inline]
fn has_stop(block: &[u8; BLOCK]) -> bool {
    block.iter().fold(false, |any, byte| any | is_stop(*byte))
}

fn is_stop(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

#[inline]
fn run_length_by_words(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks::<WORD>();
    let mut length = 0;
    for word in words {
        if let Some(offset) = first_stop(u64::from_le_bytes(*word)) {
            return length + offset;
        }
        length += WORD;
    }
    length + tail.iter().position(|byte| is_stop(*byte)).unwrap_or(tail.len())
}

/// Which of eight bytes, the first being the lowest, is the first to end the run.
///
/// A byte `b` is below `n` if `b - n` borrows, and equal to `c` if `b ^ c` is below 1. Either sets the highest bit of the
/// byte's difference, as do bytes of 0x80 and more, which are taken out again: they do not end a run. The subtraction
/// is done for all eight at once, so a borrow may spoil the bytes *above* a hit: the lowest hit, the only one used, is
/// always true.
#[inline]
fn first_stop(word: u64) -> Option<usize> {
    let below = |word: u64, bound: u8| word.wrapping_sub(repeat(bound));
    let equal = |byte: u8| below(word ^ repeat(byte), 1);
    let stops = (below(word, 0x20) | equal(b'"') | equal(b'\\')) & !word & repeat(0x80);
    let bit = usize::try_from(stops.trailing_zeros()).unwrap_or_default();
    (stops != 0).then_some(bit / 8)
}

fn repeat(byte: u8) -> u64 {
    u64::from_le_bytes([byte; WORD])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte value, at every offset around the edges of words and blocks, among neighbours that provoke borrows.
    #[test]
    fn finds_the_first_stop_wherever_it_is() {
        for filler in [b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xff] {
            for length in 0..4 * BLOCK + WORD + 2 {
                assert_eq!(run_length(&vec![filler; length], true), length);
                assert_eq!(run_length(&vec![filler; length], false), length);
            }
            for offset in 0..4 * BLOCK + WORD + 2 {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![filler; 4 * BLOCK + WORD + 3];
                    bytes[offset] = byte;
                    let expected = if is_stop(byte) { offset } else { bytes.len() };
                    let label = format!("{byte:#x} at {offset} among {filler:#x}");
                    assert_eq!(run_length(&bytes, true), expected, "{label}");
                    assert_eq!(has_control(&bytes), byte < 0x20, "{label}");
                    if byte >= 0x20 {
                        assert_eq!(run_length(&bytes, false), expected, "{label}");
                    }
                }
            }
        }
    }

    #[test]
    fn stops_at_three_kinds_of_byte() {
        let stops: Vec<u8> = (0..=u8::MAX).filter(|byte| is_stop(*byte)).collect();
        let expected: Vec<u8> = (0..0x20).chain([b'"', b'\\']).collect();
        assert_eq!(stops, expected);
    }
}
