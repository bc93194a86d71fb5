//! The symbols of lengths and distances, and the bits that follow them (RFC 1951 section 3.2.5).

/// The shortest repeat that has a symbol.
const MIN_LENGTH: usize = 3;
/// The longest one.
pub(super) const MAX_LENGTH: usize = 258;
/// The farthest one.
pub(super) const MAX_DISTANCE: usize = 32 * 1024;

/// The end of a block. Below it are the literals, above it the lengths.
pub(super) const END: usize = 256;
/// Literals, the end of a block, and lengths.
pub(super) const USED_LITERALS: usize = 286;
/// With two that stand for nothing, and are part of the fixed code.
pub(super) const LITERALS: usize = 288;
/// Distances that have a symbol.
pub(super) const DISTANCES: usize = 30;

/// A symbol, and the bits that follow its code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Symbol {
    pub(super) symbol: u16,
    pub(super) extra: u16,
    pub(super) extra_bits: u8,
}

/// The symbol of a length from 3 to [`MAX_LENGTH`].
#[inline]
pub(super) fn of_length(length: usize) -> Symbol {
    LENGTHS.get(length.wrapping_sub(MIN_LENGTH)).copied().unwrap_or_default()
}

/// The symbol of a distance, of which `less_1` is one less. From the fifth symbol on, two share each number of extra bits: what is
/// left of the number below its two highest bits.
#[inline]
pub(super) fn of_distance(less_1: u16) -> Symbol {
    let extra_bits = (less_1 | 1).ilog2().saturating_sub(1);
    let high = less_1 >> extra_bits;
    let extra = less_1 & !(u16::MAX << extra_bits);
    Symbol { symbol: 2 * extra_bits as u16 + high, extra, extra_bits: extra_bits as u8 }
}

/// By length less [`MIN_LENGTH`].
static LENGTHS: [Symbol; MAX_LENGTH - MIN_LENGTH + 1] = lengths();

#[allow(clippy::indexing_slicing, reason = "runs at compile time")]
const fn lengths() -> [Symbol; MAX_LENGTH - MIN_LENGTH + 1] {
    let mut all = [Symbol { symbol: 0, extra: 0, extra_bits: 0 }; MAX_LENGTH - MIN_LENGTH + 1];
    let (mut kind, mut at) = (0, 0);
    while at < all.len() {
        // Eight symbols without extra bits, then four of each number.
        let extra_bits = if kind < 8 { 0 } else { kind / 4 - 1 };
        let mut extra = 0;
        while extra < 1 << extra_bits && at < all.len() {
            all[at] = Symbol { symbol: END as u16 + 1 + kind, extra, extra_bits: extra_bits as u8 };
            at += 1;
            extra += 1;
        }
        kind += 1;
    }
    // The longest one has a symbol of its own.
    all[MAX_LENGTH - MIN_LENGTH] = Symbol { symbol: END as u16 + 1 + kind, extra: 0, extra_bits: 0 };
    all
}
