//! The codes of a typical response, for its first portion and all that are like it: nothing has to be counted for them.

use super::codes::Lengths;
use super::counts::Counts;
use super::symbols::{END, USED_LITERALS};

/// How often symbols come in pages of messages, in proportion. The 64 characters of tokens are as frequent as each other, but for digits:
/// times have them, too.
const TOKEN_CHARACTER: u32 = 400;
const DIGIT: u32 = 440;
const PUNCTUATION: [(u8, u32); 4] = [(b'"', 46), (b':', 143), (b',', 13), (b'~', 8)];
/// By symbol, from the shortest length on.
const LENGTHS: [u32; USED_LITERALS - END - 1] = [
    1, 1, 1, 19, 9, 4, 5, 12, 37, 12, 71, 7, 13, 43, 66, 118, 86, 118, 58, 27, 155, 50, 8, 1, 30, 1, 28, 9, 1,
];
const DISTANCES: [u32; 30] = [
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 25, 7, 20, 19, 23, 9, 6, 99, 126, 240, 29, 87, 59, 47, 42, 31, 36, 82,
];
/// Any other symbol.
const OTHER: u32 = 1;

pub(super) fn lengths() -> Lengths {
    let mut counts = Counts { distances: DISTANCES, ..Counts::default() };
    let literals = (0..=u8::MAX).map(literal).chain([OTHER]).chain(LENGTHS);
    counts.literals.iter_mut().zip(literals).for_each(|(place, count)| *place = count);
    Lengths::best(&counts)
}

fn literal(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => DIGIT,
        b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' => TOKEN_CHARACTER,
        _ => PUNCTUATION.iter().find(|(sign, _)| *sign == byte).map_or(OTHER, |(_, count)| *count),
    }
}
