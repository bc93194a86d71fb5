//! Where words began lately.

/// Bytes that make a word. Shorter repeats are hardly worth their bits.
pub(super) const KEY: usize = 6;

/// The table has two to the power of this many entries: 16 KiB, which stay in the processor's nearest cache beside the text.
const BITS: u32 = 12;

/// The golden ratio as a fraction of 2⁶⁴: its multiples are spread evenly (D. Knuth, *The Art of Computer Programming*, volume 3,
/// section 6.4).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// For each kind of word the last two positions at which one began, the later one first. Words share entries, and 0 stands for
/// none: an entry is a place to look at, not a promise.
pub(super) struct Table {
    entries: Box<[[u16; 2]]>,
}

impl Default for Table {
    fn default() -> Self {
        Self { entries: vec![[0; 2]; 1 << BITS].into_boxed_slice() }
    }
}

impl Table {
    /// Where the word may have begun, and that it begins at `at`, too.
    #[inline]
    pub(super) fn replace(&mut self, word: u64, at: usize) -> [usize; 2] {
        let Some(entry) = self.entries.get_mut(hash(word)) else { return [0; 2] };
        let [later, earlier] = *entry;
        // A position has sixteen bits; a wrong one would only be looked at in vain.
        *entry = [at as u16, later];
        [usize::from(later), usize::from(earlier)]
    }

    /// Every position is less by this.
    pub(super) fn forget(&mut self, count: usize) {
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        for position in self.entries.as_flattened_mut() {
            *position = position.saturating_sub(count);
        }
    }
}

/// Of the lowest [`KEY`] bytes.
#[inline]
fn hash(word: u64) -> usize {
    let unused = u64::BITS - 8 * KEY as u32;
    ((word << unused).wrapping_mul(SPREAD) >> (u64::BITS - BITS)) as usize
}
