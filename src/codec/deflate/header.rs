//! How a block tells its codes: the lengths of all codes, in a code of their own (RFC 1951 section 3.2.7).

use super::bits::BitWriter;
use super::codes::Lengths;
use super::huffman::{self, Code};
use super::symbols::END;

/// The lengths of codes, and three ways to repeat one.
const SYMBOLS: usize = 19;
/// Repeats the length before it.
const AGAIN: u8 = 16;
/// Repeats zero, up to ten times.
const ZEROS: u8 = 17;
/// Repeats zero, up to 138 times.
const MANY_ZEROS: u8 = 18;

/// The order in which the lengths of the code of lengths come, the least likely last.
const ORDER: [usize; SYMBOLS] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/// As many of them come in any case.
const LEAST: usize = 4;
/// The longest code of a length: it is told in three bits.
const MAX_BITS: usize = 7;

pub(super) struct Header {
    /// How many literals and lengths, and how many distances have a place.
    literals: usize,
    distances: usize,
    steps: Vec<Step>,
    counts: [u32; SYMBOLS],
    lengths: [u8; SYMBOLS],
}

/// A length, or a repetition of one.
#[derive(Clone, Copy)]
struct Step {
    symbol: u8,
    extra: u8,
    extra_bits: u8,
}

impl Header {
    pub(super) fn new(codes: &Lengths) -> Self {
        let (literals, distances) = (used(&codes.literals, END + 1), used(&codes.distances, 1));
        let of_literals = codes.literals.iter().take(literals);
        let all: Vec<u8> = of_literals.chain(codes.distances.iter().take(distances)).copied().collect();
        let mut steps = Vec::with_capacity(all.len());
        for run in all.chunk_by(|one, next| one == next) {
            add_steps(run, &mut steps);
        }
        let mut counts = [0; SYMBOLS];
        for step in &steps {
            huffman::count(&mut counts, usize::from(step.symbol));
        }
        Self { literals, distances, steps, counts, lengths: huffman::lengths(&counts, MAX_BITS) }
    }

    /// How long it is.
    pub(super) fn bits(&self) -> usize {
        let extra: usize = self.steps.iter().map(|step| usize::from(step.extra_bits)).sum();
        5 + 5 + 4 + 3 * self.ordered_used() + huffman::bits(&self.lengths, &self.counts) + extra
    }

    pub(super) fn write(&self, bits: &mut BitWriter<'_>) {
        let used = self.ordered_used();
        bits.put((self.literals - END - 1) as u64, 5);
        bits.put((self.distances - 1) as u64, 5);
        bits.put((used - LEAST) as u64, 4);
        bits.flush();
        for length in self.ordered().iter().take(used) {
            bits.put(u64::from(*length), 3);
            bits.flush();
        }
        let codes = huffman::codes(&self.lengths);
        for step in &self.steps {
            step.write(&codes, bits);
        }
    }

    fn ordered(&self) -> [u8; SYMBOLS] {
        ORDER.map(|symbol| self.lengths.get(symbol).copied().unwrap_or_default())
    }

    fn ordered_used(&self) -> usize {
        used(&self.ordered(), LEAST)
    }
}

impl Step {
    fn write(self, codes: &[Code; SYMBOLS], bits: &mut BitWriter<'_>) {
        let code = huffman::code_of(codes, usize::from(self.symbol));
        bits.put(u64::from(code.bits), u32::from(code.length));
        bits.put(u64::from(self.extra), u32::from(self.extra_bits));
        bits.flush();
    }
}

/// How many lengths there are up to the last one that is not zero, at least `least`.
fn used(lengths: &[u8], least: usize) -> usize {
    lengths.iter().rposition(|length| *length > 0).map_or(least, |last| least.max(last + 1))
}

/// A run of one length: as repetitions, as far as they go.
fn add_steps(run: &[u8], steps: &mut Vec<Step>) {
    let Some(length) = run.first() else { return };
    let once = Step { symbol: *length, extra: 0, extra_bits: 0 };
    let mut left = run.len();
    if *length > 0 {
        steps.push(once);
        left -= 1;
    }
    while left >= 3 {
        let (symbol, least, most, extra_bits) = match (*length, left) {
            (0, 11..) => (MANY_ZEROS, 11, 138, 7),
            (0, _) => (ZEROS, 3, 10, 3),
            _ => (AGAIN, 3, 6, 2),
        };
        let taken = left.min(most);
        steps.push(Step { symbol, extra: (taken - least) as u8, extra_bits });
        left -= taken;
    }
    steps.extend(std::iter::repeat_n(once, left));
}
