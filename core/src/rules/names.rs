//! Finds a property's name among the few that the rules know at a place. The matcher does this for every property of a
//! response.

/// Slots for each name. Three in four stay empty, so the search for an unknown name mostly ends at the first slot.
const SLOTS_PER_NAME: usize = 4;

/// A hash table of numbers. It is made once, when rules are compiled, and never grows.
///
/// A name's slot is computed from its length and three of its octets, which tell Graph's names apart well enough. A
/// search compares the name in that slot, then those in the slots after it, up to an empty one. So names that share a
/// slot cost one more comparison and nothing else.
#[derive(Debug)]
pub(super) struct Names {
    /// A name's number plus one; zero in an empty slot. Invariant: the length is a power of two, and some slots are
    /// empty.
    slots: Box<[u8]>,
}

impl Names {
    /// The table of `names`, whose numbers are their positions. There are at most [`super::automaton::MAX_NAMES`].
    pub(super) fn new<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Self {
        let size = (names.len().max(1) * SLOTS_PER_NAME).next_power_of_two();
        let mut table = Self { slots: vec![0; size].into_boxed_slice() };
        for (number, name) in (1..=u8::MAX).zip(names) {
            let free = table.slots_of(name).find(|at| table.slots.get(*at) == Some(&0));
            if let Some(slot) = free.and_then(|at| table.slots.get_mut(at)) {
                *slot = number;
            }
        }
        table
    }

    /// The number of `name`; `is_number` says whether a number belongs to it.
    #[inline]
    pub(super) fn find(&self, name: &str, is_number: impl Fn(usize) -> bool) -> Option<usize> {
        for at in self.slots_of(name) {
            let number = usize::from(self.slots.get(at)?.checked_sub(1)?);
            if is_number(number) {
                return Some(number);
            }
        }
        None
    }

    /// The slots in which `name` may be, in the order of the search.
    #[inline]
    fn slots_of(&self, name: &str) -> impl Iterator<Item = usize> + use<> {
        let size = self.slots.len();
        let first = hash(name);
        (0..size).map(move |step| first.wrapping_add(step) & (size - 1))
    }
}

/// Knuth's multiplicative hash of the length and of the first, middle and last octet.
#[inline]
fn hash(name: &str) -> usize {
    let octets = name.as_bytes();
    let at = |position: usize| octets.get(position).copied().map_or(0, u32::from);
    let sample = u32::try_from(octets.len()).unwrap_or(u32::MAX).wrapping_mul(0x0101_0000)
        ^ at(0)
        ^ at(octets.len() / 2).wrapping_shl(8)
        ^ at(octets.len().saturating_sub(1)).wrapping_shl(16);
    usize::try_from(sample.wrapping_mul(0x9e37_79b1) >> 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    /// Short names of few letters, so that many share a slot.
    fn name() -> impl Strategy<Value = String> {
        "[abé]{0,5}"
    }

    proptest! {
        #[test]
        fn finds_what_a_linear_search_finds(known in btree_set(name(), 0..60), asked in vec(name(), 20)) {
            let known: Vec<String> = known.into_iter().collect();
            let table = Names::new(known.iter().map(String::as_str));
            for name in known.iter().chain(&asked) {
                let found = table.find(name, |number| known[number] == *name);
                prop_assert_eq!(found, known.iter().position(|one| one == name), "{}", name);
            }
        }
    }

    #[test]
    fn holds_as_many_names_as_an_object_may_have() {
        let known: Vec<String> =
            (0..super::super::automaton::MAX_NAMES).map(|at| format!("x{at}x")).collect();
        let table = Names::new(known.iter().map(String::as_str));
        for (number, name) in known.iter().enumerate() {
            assert_eq!(table.find(name, |at| known[at] == *name), Some(number));
        }
        assert_eq!(table.find("y", |at| known[at] == "y"), None);
    }
}
