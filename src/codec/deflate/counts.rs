//! How often symbols come: in a whole portion, or in a sample of it.

use super::huffman::count;
use super::portion::{Packed, Portion};
use super::symbols::{DISTANCES, END, LITERALS, USED_LITERALS};

/// With fewer symbols than this, all are counted: a sample would tell too little.
const SHORT: usize = 2 * 1024;
/// Otherwise one of so many is.
const SAMPLE: usize = 8;
/// Literals are sampled in rows of this many.
const ROW: usize = 128;

/// How often each symbol comes.
pub(super) struct Counts {
    pub(super) literals: [u32; LITERALS],
    pub(super) distances: [u32; DISTANCES],
}

/// Counts of a share of a portion.
pub(super) struct Sample {
    pub(super) counts: Counts,
    pub(super) share: f32,
}

impl Sample {
    pub(super) fn of(portion: &Portion) -> Self {
        if is_short(portion) {
            return Self { counts: Counts::of(portion), share: 1.0 };
        }
        let rows = portion.literals().chunks(ROW).step_by(SAMPLE);
        let counts = Counts::of_parts(rows, portion.repeats().iter().step_by(SAMPLE));
        Self { counts, share: 1.0 / SAMPLE as f32 }
    }
}

/// Whether a portion is so short that its codes are a good part of it.
pub(super) fn is_short(portion: &Portion) -> bool {
    portion.literals().len() + portion.repeats().len() < SHORT
}

impl Default for Counts {
    fn default() -> Self {
        Self { literals: [0; LITERALS], distances: [0; DISTANCES] }
    }
}

impl Counts {
    /// Of all symbols, and the end of a block.
    pub(super) fn of(portion: &Portion) -> Self {
        let mut counts = Self::of_parts([portion.literals()], portion.repeats().iter());
        count(&mut counts.literals, END);
        counts
    }

    fn of_parts<'a>(
        literals: impl IntoIterator<Item = &'a [u8]>,
        repeats: impl Iterator<Item = &'a Packed>,
    ) -> Self {
        let mut counts = Self::default();
        for (place, counted) in counts.literals.iter_mut().zip(count_bytes(literals)) {
            *place = counted;
        }
        for repeat in repeats {
            count(&mut counts.literals, usize::from(repeat.length().symbol));
            count(&mut counts.distances, usize::from(repeat.distance().symbol));
        }
        counts
    }

    /// Counts whose codes have every symbol, at little cost for those that come.
    pub(super) fn with_all(&self) -> Self {
        let mut all = Self::default();
        let places = all.literals.iter_mut().take(USED_LITERALS).chain(&mut all.distances);
        let counts = self.literals.iter().take(USED_LITERALS).chain(&self.distances);
        places.zip(counts).for_each(|(place, count)| *place = (16 * count).max(1));
        all
    }
}

/// How often each byte comes. There are four counts, so that a byte that comes twice in a row does not wait for its own count.
fn count_bytes<'a>(slices: impl IntoIterator<Item = &'a [u8]>) -> [u32; 256] {
    let mut counts = [[0_u32; 256]; 4];
    for bytes in slices {
        let (fours, few) = bytes.as_chunks::<4>();
        for four in fours.iter().map(<[u8; 4]>::as_slice).chain([few]) {
            for (counts, byte) in counts.iter_mut().zip(four) {
                count(counts, usize::from(*byte));
            }
        }
    }
    std::array::from_fn(|byte| counts.iter().filter_map(|counts| counts.get(byte)).sum())
}
