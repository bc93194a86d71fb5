//! A block: literals and repeats, until there are enough for codes of their own. Then the codes, and all of it in them
//! (RFC 1951 section 3.2.3).

use super::bits::{BitWriter, Rest};
use super::codes::{Codes, Coding, Counts};
use super::huffman::{Code, code_of, count};
use super::repeats::Repeat;
use super::symbols::{self, DISTANCES, END, LITERALS, Symbol};
use super::window::BLOCK;

/// Literals of a block. Fewer, and the codes, some 70 bytes, are a larger part of it; more, and they fit less well.
const MAX_LITERALS: usize = 16 * 1024;
/// Repeats of a block, so that a text without literals ends, too.
const MAX_REPEATS: usize = 4 * 1024;

#[derive(Default)]
pub(super) struct Block {
    literals: Vec<u8>,
    repeats: Vec<Packed>,
    /// Literals since the last repeat.
    run: u32,
    text_length: usize,
}

/// Literals, by their number, and a repeat.
#[derive(Clone, Copy)]
struct Packed {
    literals: u32,
    length: u16,
    distance_less_1: u16,
}

impl Block {
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

    /// Writes the block, and begins the next one.
    pub(super) fn write(&mut self, is_last: bool, rest: Rest, output: &mut Vec<u8>) -> Rest {
        let counts = self.counts();
        let room = 2 * self.literals.len() + 6 * self.repeats.len() + 256;
        let mut bits = BitWriter::new(output, rest, room);
        let stored = self.repeats.is_empty().then_some(self.literals.len());
        match Coding::best(&counts, stored) {
            Coding::Stored => write_stored(&self.literals, is_last, &mut bits),
            Coding::Fixed(codes) => {
                begin(0b01, is_last, &mut bits);
                self.write_symbols(&codes, &mut bits);
            }
            Coding::Dynamic(header, codes) => {
                begin(0b10, is_last, &mut bits);
                header.write(&mut bits);
                self.write_symbols(&codes, &mut bits);
            }
        }
        self.clear();
        bits.finish()
    }

    fn clear(&mut self) {
        self.literals.clear();
        self.repeats.clear();
        (self.run, self.text_length) = (0, 0);
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts { literals: [0; LITERALS], distances: [0; DISTANCES] };
        for (count, counted) in counts.literals.iter_mut().zip(count_bytes(&self.literals)) {
            *count = counted;
        }
        for repeat in &self.repeats {
            count(&mut counts.literals, usize::from(repeat.length().symbol));
            count(&mut counts.distances, usize::from(repeat.distance().symbol));
        }
        count(&mut counts.literals, END);
        counts
    }

    fn write_symbols(&self, codes: &Codes, bits: &mut BitWriter<'_>) {
        let of_literals = LiteralCodes::new(&codes.literals);
        let mut literals = self.literals.as_slice();
        for repeat in &self.repeats {
            let (run, behind) =
                literals.split_at_checked(repeat.literals as usize).unwrap_or((literals, &[]));
            of_literals.write(run, bits);
            repeat.write(codes, bits);
            literals = behind;
        }
        of_literals.write(literals, bits);
        let end = code_of(&codes.literals, END);
        bits.put(u64::from(end.bits), u32::from(end.length));
        bits.flush();
    }
}

impl Packed {
    #[inline]
    fn length(self) -> Symbol {
        symbols::of_length(usize::from(self.length))
    }

    #[inline]
    fn distance(self) -> Symbol {
        symbols::of_distance(self.distance_less_1)
    }

    #[inline]
    fn write(self, codes: &Codes, bits: &mut BitWriter<'_>) {
        let (length, first) = with_extra(&codes.literals, self.length());
        let (distance, second) = with_extra(&codes.distances, self.distance());
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

fn begin(kind: u64, is_last: bool, bits: &mut BitWriter<'_>) {
    bits.put(u64::from(is_last) | kind << 1, 3);
    bits.flush();
}

/// Writes bytes as they are, in as many blocks as their lengths of sixteen bits need (RFC 1951 section 3.2.4). At least one.
pub(super) fn write_stored(bytes: &[u8], is_last: bool, bits: &mut BitWriter<'_>) {
    let mut rest = bytes;
    loop {
        let (piece, behind) = rest.split_at_checked(usize::from(u16::MAX)).unwrap_or((rest, &[]));
        begin(0b00, is_last && behind.is_empty(), bits);
        bits.align();
        let length = piece.len() as u16;
        bits.append(&length.to_le_bytes());
        bits.append(&(!length).to_le_bytes());
        bits.append(piece);
        if behind.is_empty() {
            return;
        }
        rest = behind;
    }
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

/// How often each byte comes. There are four counts, so that a byte that comes twice in a row does not wait for its own count.
fn count_bytes(bytes: &[u8]) -> [u32; 256] {
    let mut counts = [[0_u32; 256]; 4];
    let (fours, few) = bytes.as_chunks::<4>();
    for four in fours.iter().map(<[u8; 4]>::as_slice).chain([few]) {
        for (counts, byte) in counts.iter_mut().zip(four) {
            count(counts, usize::from(*byte));
        }
    }
    std::array::from_fn(|byte| counts.iter().filter_map(|counts| counts.get(byte)).sum())
}
