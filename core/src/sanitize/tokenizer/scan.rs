//! The hot loop: where does a run of ordinary string bytes end?
//!
//! Most of a mail page is text inside strings, so speed is decided here. A quote, a backslash or a control character
//! ends a run. A byte of 0x80 or more does not: `Input` has already checked the UTF-8 of the whole chunk.
//!
//! One comparison covers [`BLOCK`] bytes and results in one bit for each; the run ends at the lowest set bit. So a
//! string of a block or less, as nearly all names and values are, costs the same whatever its length, without a branch
//! that the processor could predict wrongly. Blocks begin where the run begins; they need no alignment.

use wide::u8x32;

use super::escape;

/// Bytes compared at once. Two vector registers of the x86-64 and AArch64 baselines.
pub(super) const BLOCK: usize = 32;

/// How many bytes from the start belong to the run, whether the run ends there or the input does.
#[inline]
pub(super) fn run_length(bytes: &[u8]) -> usize {
    let (blocks, tail) = bytes.as_chunks();
    let mut length = 0;
    for block in blocks {
        let stops = stops(block);
        if stops != 0 {
            return length + first(stops);
        }
        length += BLOCK;
    }
    length + tail.iter().position(|byte| is_stop(*byte)).unwrap_or(tail.len())
}

/// How many bytes from the start are runs and escapes of two bytes, whether something else follows or the input ends.
pub(super) fn text_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    while let Some(block) = bytes.get(length..).and_then(<[u8]>::first_chunk) {
        let taken = text_length_in(block);
        length += taken;
        // The letter after a backslash at the block's end is in the next block, which begins with that backslash.
        if taken < BLOCK - 1 {
            return length;
        }
    }
    length + text_length_by_bytes(bytes.get(length..).unwrap_or_default())
}

fn text_length_in(block: &[u8; BLOCK]) -> usize {
    let mut stops = stops(block);
    while stops != 0 {
        let at = first(stops);
        match block.get(at..) {
            Some([b'\\', letter, ..]) if escape::simple(*letter).is_some() => stops &= !(0b11 << at),
            _ => return at,
        }
    }
    BLOCK
}

fn text_length_by_bytes(bytes: &[u8]) -> usize {
    let mut length = 0;
    loop {
        length += match bytes.get(length..) {
            Some([b'\\', letter, ..]) if escape::simple(*letter).is_some() => 2,
            Some([byte, ..]) if !is_stop(*byte) => 1,
            _ => return length,
        }
    }
}

/// Where bytes of the block end a run: a bit for each byte, the lowest for the first.
#[inline]
fn stops(block: &[u8; BLOCK]) -> u32 {
    let bytes = u8x32::new(*block);
    let is_control = bytes.min(u8x32::splat(0x1f)).simd_eq(bytes);
    let is = |byte| bytes.simd_eq(u8x32::splat(byte));
    (is_control | is(b'"') | is(b'\\')).to_bitmask()
}

/// Where the lowest bit is set; [`BLOCK`] if none is.
#[inline]
fn first(stops: u32) -> usize {
    usize::try_from(stops.trailing_zeros()).unwrap_or(BLOCK)
}

/// Whether one byte ends a run.
fn is_stop(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths around the edges of blocks.
    const LENGTHS: std::ops::Range<usize> = 0..3 * BLOCK + 2;

    /// Every byte value, at every offset, among neighbours that differ from a stop in one bit.
    #[test]
    fn finds_the_first_stop_wherever_it_is() {
        for filler in [b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xff] {
            for length in LENGTHS {
                assert_eq!(run_length(&vec![filler; length]), length);
            }
            for offset in LENGTHS {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![filler; LENGTHS.end + 1];
                    bytes[offset] = byte;
                    let expected = if is_stop(byte) { offset } else { bytes.len() };
                    assert_eq!(run_length(&bytes), expected, "{byte:#x} at {offset} among {filler:#x}");
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

    /// Escapes at every offset, alone and one behind the other, before each byte that ends the text.
    #[test]
    fn passes_over_escapes_of_two_bytes_and_nothing_else() {
        let ends = [r#"""#, "\n", r"\u0041", r"\x", "\\"];
        for text in [r"\n", r"\r\n", r"\\", r#"\"\\"#, r"é\/", ""] {
            for offset in LENGTHS {
                for end in ends {
                    for behind in [0, 1, 2 * BLOCK] {
                        let bytes = format!("{}{text}é{end}{}", "x".repeat(offset), "é".repeat(behind));
                        let expected = text_length_by_bytes(bytes.as_bytes());
                        assert_eq!(text_length(bytes.as_bytes()), expected, "{bytes}");
                    }
                }
            }
        }
    }
}
