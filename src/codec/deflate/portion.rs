//! A portion of the text: literals and repeats, until there are enough to tell which codes fit them ([`super::counts`]).

use super::bits::BitWriter;
use super::coder::Coder;
use super::repeats::Repeat;
use super::symbols::{self, Symbol};
use super::window::BLOCK;

/// Literals of a portion: enough for codes of their own, and held until it is written.
const MAX_LITERALS: usize = 16 * 1024;
/// Repeats of a portion, so that a text without literals ends, too.
const MAX_REPEATS: usize = 4 * 1024;

#[derive(Default)]
pub(super) struct Portion {
    literals: Vec<u8>,
    repeats: Vec<Packed>,
    /// Literals since the last repeat.
    run: u32,
    text_length: usize,
}

/// Literals, by their number, and a repeat.
#[derive(Clone, Copy)]
pub(super) struct Packed {
    literals: u32,
    length: u16,
    distance_less_1: u16,
}

impl Portion {
    /// Adds the first `count` bytes of `text` as literals.
    #[inline]
    pub(super) fn add_literals(&mut self, text: &[u8], count: usize) {
        match text.first_chunk::<BLOCK>() {
            // Most runs are this short, and a block of fixed length is copied faster than a run.
            Some(block) if count <= BLOCK => {
                let end = self.literals.len() + count;
                self.literals.extend_from_slice(block);
                self.literals.truncate(end);
            }
            _ => self.literals.extend_from_slice(text.get(..count).unwrap_or_default()),
        }
        self.run += count as u32;
        self.text_length += count;
    }

    #[inline]
    pub(super) fn add_repeat(&mut self, repeat: Repeat) {
        let (length, distance_less_1) = (repeat.length as u16, (repeat.distance - 1) as u16);
        self.repeats.push(Packed { literals: self.run, length, distance_less_1 });
        self.run = 0;
        self.text_length += repeat.length;
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.literals.len() >= MAX_LITERALS || self.repeats.len() >= MAX_REPEATS
    }

    /// Bytes of the text in it.
    pub(super) fn text_length(&self) -> usize {
        self.text_length
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text_length == 0
    }

    pub(super) fn literals(&self) -> &[u8] {
        &self.literals
    }

    pub(super) fn repeats(&self) -> &[Packed] {
        &self.repeats
    }

    /// Bytes that it hardly exceeds when it is written.
    pub(super) fn room(&self) -> usize {
        2 * self.literals.len() + 6 * self.repeats.len() + 256
    }

    pub(super) fn clear(&mut self) {
        self.literals.clear();
        self.repeats.clear();
        (self.run, self.text_length) = (0, 0);
    }

    /// Writes the symbols.
    pub(super) fn write(&self, coder: &Coder, bits: &mut BitWriter<'_>) {
        let mut literals = self.literals.as_slice();
        for repeat in &self.repeats {
            let (run, behind) =
                literals.split_at_checked(repeat.literals as usize).unwrap_or((literals, &[]));
            coder.write_literals(run, bits);
            coder.write_repeat(repeat.length(), repeat.distance(), bits);
            literals = behind;
        }
        coder.write_literals(literals, bits);
    }
}

impl Packed {
    #[inline]
    pub(super) fn length(self) -> Symbol {
        symbols::of_length(usize::from(self.length))
    }

    #[inline]
    pub(super) fn distance(self) -> Symbol {
        symbols::of_distance(self.distance_less_1)
    }
}
