//! The two codes of a block: of literals and lengths, and of distances (RFC 1951 section 3.2.3).

use super::counts::Counts;
use super::huffman::{self, Code, MAX_BITS};
use super::symbols::{DISTANCES, END, LITERALS};

/// The longest code of a literal or length, so that four literals fit between two flushes.
pub(super) const MAX_LITERAL_BITS: usize = 14;

/// The lengths of the codes.
pub(super) struct Lengths {
    pub(super) literals: [u8; LITERALS],
    pub(super) distances: [u8; DISTANCES],
}

pub(super) struct Codes {
    pub(super) literals: [Code; LITERALS],
    pub(super) distances: [Code; DISTANCES],
}

impl Lengths {
    pub(super) fn best(counts: &Counts) -> Self {
        Self {
            literals: huffman::lengths(&counts.literals, MAX_LITERAL_BITS),
            distances: huffman::lengths(&counts.distances, MAX_BITS),
        }
    }

    /// RFC 1951 section 3.2.6.
    pub(super) fn fixed() -> Self {
        let of_literal = |symbol| match symbol {
            0..144 => 8,
            144..END => 9,
            END..280 => 7,
            _ => 8,
        };
        Self { literals: std::array::from_fn(of_literal), distances: [5; DISTANCES] }
    }

    pub(super) fn codes(&self) -> Codes {
        Codes { literals: huffman::codes(&self.literals), distances: huffman::codes(&self.distances) }
    }

    /// Bits of all symbols.
    pub(super) fn bits(&self, counts: &Counts) -> usize {
        huffman::bits(&self.literals, &counts.literals) + huffman::bits(&self.distances, &counts.distances)
    }
}
