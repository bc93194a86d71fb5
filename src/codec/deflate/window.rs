//! The text that is being compressed, and as much of it as a repeat can reach.

use wide::u8x32;

use super::symbols::MAX_DISTANCE;

/// The most bytes that are held: what a repeat can reach, and as much again, so that it is moved seldom. Positions have sixteen
/// bits.
pub(super) const SIZE: usize = 2 * MAX_DISTANCE;

/// Bytes that are compared at once. Two vector registers of the x86-64 and AArch64 baselines.
pub(super) const BLOCK: usize = 32;

/// At most [`SIZE`] bytes. Positions count from the oldest.
#[derive(Default)]
pub(super) struct Window {
    bytes: Vec<u8>,
}

impl Window {
    /// Takes bytes from `input`, as many as there is room for.
    pub(super) fn fill(&mut self, input: &mut &[u8]) {
        let room = SIZE.saturating_sub(self.bytes.len());
        let (taken, rest) = input.split_at_checked(room).unwrap_or((input, &[]));
        self.bytes.extend_from_slice(taken);
        *input = rest;
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= SIZE
    }

    /// The position behind the last byte.
    pub(super) fn end(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets the oldest `count` bytes: every position is less by that.
    pub(super) fn forget(&mut self, count: usize) {
        let forgotten = count.min(self.bytes.len());
        self.bytes.copy_within(forgotten.., 0);
        self.bytes.truncate(self.bytes.len() - forgotten);
    }

    /// All bytes from this position on.
    #[inline]
    pub(super) fn behind(&self, at: usize) -> &[u8] {
        self.bytes.get(at..).unwrap_or_default()
    }

    /// The eight bytes from here on, the first one lowest. Bytes behind the last one are zero.
    #[inline]
    pub(super) fn word(&self, at: usize) -> u64 {
        let rest = self.behind(at);
        rest.first_chunk().map_or_else(|| short_word(rest), |word| u64::from_le_bytes(*word))
    }

    /// How many bytes from `old` on are those from `new` on, at most `most`.
    #[inline]
    pub(super) fn common(&self, old: usize, new: usize, most: usize) -> usize {
        let pair = (self.bytes.get(old..old + most), self.bytes.get(new..new + most));
        let (Some(old), Some(new)) = pair else { return 0 };
        let ((old, old_tail), (new, new_tail)) = (old.as_chunks::<BLOCK>(), new.as_chunks::<BLOCK>());
        let mut length = 0;
        for (old, new) in old.iter().zip(new) {
            let equal = u8x32::new(*old).simd_eq(u8x32::new(*new)).to_bitmask();
            if equal != u32::MAX {
                return length + first(!equal);
            }
            length += BLOCK;
        }
        length + old_tail.iter().zip(new_tail).take_while(|(old, new)| old == new).count()
    }

    /// How many bytes before `old` are those before `new`, at most `most`.
    #[inline]
    pub(super) fn common_before(&self, old: usize, new: usize, most: usize) -> usize {
        let before = |at: usize| self.bytes.get(..at).unwrap_or_default().iter().rev();
        before(old).zip(before(new)).take(most).take_while(|(old, new)| old == new).count()
    }

    /// How many bytes from `at` to `end` are in the middle of a word: of a token, for example.
    #[inline]
    pub(super) fn word_length(&self, at: usize, end: usize) -> usize {
        let (blocks, tail) = self.bytes.get(at..end).unwrap_or_default().as_chunks();
        let mut length = 0;
        for block in blocks {
            let begins = words_begin(block);
            if begins != 0 {
                return length + first(begins);
            }
            length += BLOCK;
        }
        length + tail.iter().position(|byte| word_begins(*byte)).unwrap_or(tail.len())
    }
}

/// Where words begin in the block: a bit for each byte, the lowest for the first.
#[inline]
fn words_begin(block: &[u8; BLOCK]) -> u32 {
    let bytes = u8x32::new(*block);
    let is = |byte| bytes.simd_eq(u8x32::splat(byte));
    let is_low = bytes.min(u8x32::splat(LAST_LOW)).simd_eq(bytes);
    (is_low | is(b':') | is(b'@')).to_bitmask()
}

/// Blanks, quotes and commas are below this. Nothing that tokens are made of is.
const LAST_LOW: u8 = b',';

fn word_begins(byte: u8) -> bool {
    byte <= LAST_LOW || byte == b':' || byte == b'@'
}

/// Where the lowest bit is set; [`BLOCK`] if none is.
#[inline]
fn first(bits: u32) -> usize {
    usize::try_from(bits.trailing_zeros()).unwrap_or(BLOCK)
}

/// The last bytes of all.
#[cold]
fn short_word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}
