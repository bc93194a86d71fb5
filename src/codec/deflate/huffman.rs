//! Huffman codes of bounded length (RFC 1951 section 3.2.2).

/// The longest code that deflate has.
pub(super) const MAX_BITS: usize = 15;

/// A code: its bits in the order in which they are written, and how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) length: u8,
}

/// How many symbols have codes of each length.
type Numbers = [usize; MAX_BITS + 1];

/// The lengths of the best code of at most `limit` bits; nearly the best one where the limit matters. Symbols that do not occur have
/// none, except that at least two have one: there are decoders that refuse a code of a single symbol.
pub(super) fn lengths<const N: usize>(counts: &[u32; N], limit: usize) -> [u8; N] {
    let used = rarest_first(counts);
    let mut numbers = numbers(&used, limit);
    shorten(&mut numbers, limit);
    let mut lengths = [0; N];
    let mut symbols = used.iter();
    for (length, number) in (0..=MAX_BITS as u8).zip(numbers).rev() {
        for (_, symbol) in symbols.by_ref().take(number) {
            if let Some(place) = lengths.get_mut(*symbol) {
                *place = length;
            }
        }
    }
    lengths
}

/// Counts and symbols.
fn rarest_first(counts: &[u32]) -> Vec<(u32, usize)> {
    let all = || counts.iter().copied().zip(0..);
    let mut used: Vec<_> = all().filter(|(count, _)| *count > 0).collect();
    let missing = 2_usize.saturating_sub(used.len());
    used.extend(all().filter(|(count, _)| *count == 0).take(missing));
    used.sort_unstable();
    used
}

/// Huffman's tree: the two rarest nodes become one, until one is left. A made node is never rarer than one made before, so two queues
/// have all nodes in order: the symbols, and what was made of them.
fn numbers(used: &[(u32, usize)], limit: usize) -> Numbers {
    let mut symbols = used.iter().map(|(count, _)| *count).peekable();
    let mut made: Vec<u32> = Vec::with_capacity(used.len());
    // Under which made node each is.
    let (mut above_symbols, mut above_made) =
        (Vec::with_capacity(used.len()), Vec::with_capacity(used.len()));
    for node in 0..used.len().saturating_sub(1) {
        let mut count = 0;
        for _ in 0..2 {
            let next_made =
                made.get(above_made.len()).filter(|made| symbols.peek().is_none_or(|it| *made < it));
            count += match next_made {
                Some(made) => {
                    above_made.push(node);
                    *made
                }
                None => {
                    above_symbols.push(node);
                    symbols.next().unwrap_or_default()
                }
            };
        }
        made.push(count);
    }
    numbers_in(&above_symbols, &above_made, limit)
}

/// Counts the symbols of each depth, from the root, which was made last, to the leaves. What is deeper than `limit` counts as there.
fn numbers_in(above_symbols: &[usize], above_made: &[usize], limit: usize) -> Numbers {
    let mut depths = vec![0_usize; above_made.len() + 1];
    for (node, above) in above_made.iter().enumerate().rev() {
        let depth = depths.get(*above).map_or(0, |above| above + 1);
        if let Some(place) = depths.get_mut(node) {
            *place = depth;
        }
    }
    let mut numbers = [0; MAX_BITS + 1];
    for above in above_symbols {
        let depth = depths.get(*above).map_or(0, |above| above + 1);
        if let Some(number) = numbers.get_mut(depth.min(limit)) {
            *number += 1;
        }
    }
    numbers
}

/// Makes room for the codes that were cut at the limit. A code of so many bits takes up a share of all there are; here the shares of
/// the longest codes are the unit. Each step saves one: the longest code below the limit becomes two, one bit longer, and the second
/// one takes the place of a code at the limit.
fn shorten(numbers: &mut Numbers, limit: usize) {
    let taken: usize =
        numbers.iter().zip(0..=limit).skip(1).map(|(number, length)| number << (limit - length)).sum();
    for _ in (1 << limit)..taken {
        let below = (1..limit).rev().find(|length| numbers.get(*length).is_some_and(|number| *number > 0));
        let Some(length) = below else { return };
        for (length, change) in [(length, -1), (length + 1, 2), (limit, -1)] {
            if let Some(number) = numbers.get_mut(length) {
                *number = number.saturating_add_signed(change);
            }
        }
    }
}

/// The codes of these lengths.
pub(super) fn codes<const N: usize>(lengths: &[u8; N]) -> [Code; N] {
    let mut next = first_codes(lengths);
    lengths.map(|length| {
        let Some(code) = next.get_mut(usize::from(length)).filter(|_| length > 0) else {
            return Code::default();
        };
        let bits = code.reverse_bits() >> (u16::BITS - u32::from(length));
        *code += 1;
        Code { bits, length }
    })
}

/// The first code of each length: they are in the order of their lengths, then of their symbols.
fn first_codes(lengths: &[u8]) -> [u16; MAX_BITS + 1] {
    let mut numbers = [0; MAX_BITS + 1];
    for length in lengths.iter().filter(|length| **length > 0) {
        if let Some(number) = numbers.get_mut(usize::from(*length)) {
            *number += 1;
        }
    }
    let (mut code, mut shorter) = (0, 0);
    numbers.map(|number| {
        code = (code + shorter) << 1;
        shorter = number;
        code
    })
}

/// Counts a symbol.
#[inline]
pub(super) fn count(counts: &mut [u32], symbol: usize) {
    if let Some(count) = counts.get_mut(symbol) {
        *count += 1;
    }
}

/// The code of a symbol.
#[inline]
pub(super) fn code_of(codes: &[Code], symbol: usize) -> Code {
    codes.get(symbol).copied().unwrap_or_default()
}

/// Bits of symbols that come so often.
pub(super) fn bits(lengths: &[u8], counts: &[u32]) -> usize {
    lengths.iter().zip(counts).map(|(length, count)| usize::from(*length) * *count as usize).sum()
}
