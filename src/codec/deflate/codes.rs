//! The two codes of a block, and which kind of block takes the fewest bits (RFC 1951 section 3.2.3).

use super::header::Header;
use super::huffman::{self, Code, MAX_BITS};
use super::symbols::{DISTANCES, END, LITERALS};

/// The longest code of a literal or length, so that four literals fit between two flushes.
pub(super) const MAX_LITERAL_BITS: usize = 14;

/// How often each symbol comes.
pub(super) struct Counts {
    pub(super) literals: [u32; LITERALS],
    pub(super) distances: [u32; DISTANCES],
}

/// The lengths of the codes.
pub(super) struct Lengths {
    pub(super) literals: [u8; LITERALS],
    pub(super) distances: [u8; DISTANCES],
}

pub(super) struct Codes {
    pub(super) literals: [Code; LITERALS],
    pub(super) distances: [Code; DISTANCES],
}

/// How a block is written.
pub(super) enum Coding {
    Stored,
    /// With codes that every decoder knows.
    Fixed(Codes),
    /// With codes of its own.
    Dynamic(Header, Codes),
}

impl Coding {
    /// What takes the fewest bits. `stored` bytes are what the block is as it came, if it can be stored.
    pub(super) fn best(counts: &Counts, stored: Option<usize>) -> Self {
        let (own, fixed) = (Lengths::best(counts), Lengths::fixed());
        let header = Header::new(&own);
        let of_own = header.bits() + own.bits(counts);
        let of_fixed = fixed.bits(counts);
        // Three bits of each block and the bits behind symbols are the same in all. A stored block has up to four bytes more.
        match stored.map(|bytes| 8 * bytes + 32) {
            Some(of_stored) if of_stored < of_own.min(of_fixed) => Self::Stored,
            _ if of_fixed <= of_own => Self::Fixed(fixed.codes()),
            _ => Self::Dynamic(header, own.codes()),
        }
    }
}

impl Lengths {
    fn best(counts: &Counts) -> Self {
        Self {
            literals: huffman::lengths(&counts.literals, MAX_LITERAL_BITS),
            distances: huffman::lengths(&counts.distances, MAX_BITS),
        }
    }

    /// RFC 1951 section 3.2.6.
    fn fixed() -> Self {
        let of_literal = |symbol| match symbol {
            0..144 => 8,
            144..END => 9,
            END..280 => 7,
            _ => 8,
        };
        Self { literals: std::array::from_fn(of_literal), distances: [5; DISTANCES] }
    }

    fn codes(&self) -> Codes {
        Codes { literals: huffman::codes(&self.literals), distances: huffman::codes(&self.distances) }
    }

    /// Bits of all symbols.
    fn bits(&self, counts: &Counts) -> usize {
        huffman::bits(&self.literals, &counts.literals) + huffman::bits(&self.distances, &counts.distances)
    }
}
