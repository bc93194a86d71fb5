//! Codes in use. They are told once, and then any number of portions are written in them (RFC 1951 section 3.2.3).

use std::f32::consts::LN_2;
use std::sync::{Arc, LazyLock};

use super::bits::{BitWriter, Kind};
use super::codes::{Codes, Lengths};
use super::counts::{Counts, Sample};
use super::header::Header;
use super::huffman::{Code, code_of};
use super::symbols::{END, LITERALS, Symbol};
use super::tuned;

/// Of the bits that codes made for a text would take, codes that fit take at most so much more.
const SLACK: f32 = 1.0 / 32.0;
/// And this many bits, since codes have to be told.
const HEADER: f32 = 600.0;

pub(super) struct Coder {
    /// How the codes are told; `None` for those that every decoder knows.
    header: Option<Header>,
    lengths: Lengths,
    codes: Codes,
    literals: LiteralCodes,
}

impl Coder {
    fn new(lengths: Lengths, header: Option<Header>) -> Self {
        let codes = lengths.codes();
        Self { header, lengths, literals: LiteralCodes::new(&codes.literals), codes }
    }

    /// The codes of a typical response.
    pub(super) fn tuned() -> Arc<Self> {
        static TUNED: LazyLock<Arc<Coder>> = LazyLock::new(|| {
            let lengths = tuned::lengths();
            let header = Header::new(&lengths);
            Arc::new(Coder::new(lengths, Some(header)))
        });
        Arc::clone(&TUNED)
    }

    /// The codes that write these symbols in the fewest bits, and how many these are. If `more_come`, they have all symbols.
    pub(super) fn best(counts: &Counts, more_come: bool) -> (Self, usize) {
        let own = if more_come { Lengths::best(&counts.with_all()) } else { Lengths::best(counts) };
        let fixed = Lengths::fixed();
        let header = Header::new(&own);
        let (of_own, of_fixed) = (header.bits() + own.bits(counts), fixed.bits(counts));
        if of_fixed <= of_own {
            (Self::new(fixed, None), of_fixed)
        } else {
            (Self::new(own, Some(header)), of_own)
        }
    }

    /// Whether codes made for the text would be hardly shorter.
    pub(super) fn fits(&self, sample: &Sample) -> bool {
        let counts = &sample.counts;
        let taken = self.lengths.bits(counts) as f32;
        let least = information(&counts.literals) + information(&counts.distances);
        taken <= least * (1.0 + SLACK) + HEADER * sample.share
    }

    /// Begins a block.
    pub(super) fn begin(&self, bits: &mut BitWriter<'_>) {
        match &self.header {
            None => bits.begin(Kind::Fixed),
            Some(header) => {
                bits.begin(Kind::Dynamic);
                header.write(bits);
            }
        }
    }

    /// Ends the block.
    pub(super) fn end(&self, bits: &mut BitWriter<'_>) {
        let end = code_of(&self.codes.literals, END);
        bits.put(u64::from(end.bits), u32::from(end.length));
        bits.flush();
    }

    #[inline(always)]
    pub(super) fn write_literals(&self, run: &[u8], bits: &mut BitWriter<'_>) {
        self.literals.write(run, bits);
    }

    #[inline]
    pub(super) fn write_repeat(&self, length: Symbol, distance: Symbol, bits: &mut BitWriter<'_>) {
        let (length, first) = with_extra(&self.codes.literals, length);
        let (distance, second) = with_extra(&self.codes.distances, distance);
        bits.put(length | distance << first, first + second);
        bits.flush();
    }
}

/// The bits of a symbol and of what follows it, and how many.
#[inline]
fn with_extra(codes: &[Code], symbol: Symbol) -> (u64, u32) {
    let code = code_of(codes, usize::from(symbol.symbol));
    let bits = u64::from(code.bits) | u64::from(symbol.extra) << code.length;
    (bits, u32::from(code.length) + u32::from(symbol.extra_bits))
}

/// The bits that symbols of these frequencies take at least (C. Shannon, *A Mathematical Theory of Communication*, 1948). A sample
/// shows too few kinds of symbols, and so too little, which is made up for (G. Miller, *Note on the bias of information estimates*,
/// 1955).
fn information(counts: &[u32]) -> f32 {
    let (mut all, mut kinds, mut sum) = (0.0, 0.0, 0.0);
    for count in counts.iter().filter(|count| **count > 0) {
        let count = *count as f32;
        (all, kinds, sum) = (all + count, kinds + 1.0, sum + count * count.log2());
    }
    if all == 0.0 {
        return 0.0;
    }
    all * all.log2() - sum + (kinds - 1.0) / (2.0 * LN_2)
}

/// The codes of the literals, each with its length in the lowest byte: a shift by that many bits needs no more than the entry.
struct LiteralCodes([u32; 256]);

impl LiteralCodes {
    fn new(codes: &[Code; LITERALS]) -> Self {
        let entry = |code: Code| u32::from(code.bits) << 8 | u32::from(code.length);
        Self(std::array::from_fn(|byte| entry(code_of(codes, byte))))
    }

    /// Four at a time: the codes of two pairs are joined side by side, not one behind the other.
    #[inline(always)]
    fn write(&self, run: &[u8], bits: &mut BitWriter<'_>) {
        let (fours, few) = run.as_chunks();
        for [first, second, third, fourth] in fours {
            let low = self.of(*first).before(self.of(*second));
            let high = self.of(*third).before(self.of(*fourth));
            low.before(high).put(bits);
            bits.flush();
        }
        for byte in few {
            self.of(*byte).put(bits);
        }
        bits.flush();
    }

    #[inline]
    fn of(&self, byte: u8) -> Joined {
        let Self(entries) = self;
        let entry = u64::from(entries.get(usize::from(byte)).copied().unwrap_or_default());
        Joined { bits: entry >> 8, count: entry }
    }
}

/// Codes one behind the other.
#[derive(Clone, Copy)]
struct Joined {
    bits: u64,
    /// In the lowest six bits; what is above them is noise.
    count: u64,
}

impl Joined {
    #[inline]
    fn before(self, next: Self) -> Self {
        Self { bits: self.bits | next.bits << (self.count & 63), count: self.count + next.count }
    }

    #[inline]
    fn put(self, bits: &mut BitWriter<'_>) {
        bits.put(self.bits, (self.count & 63) as u32);
    }
}
