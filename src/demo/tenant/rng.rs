//! Reproducible random numbers. Every synthetic thing is a function of the seed, its kind and its number. So a page can
//! be generated on request, is the same each time, and does not change with the version of a random-number crate.
//!
//! The generator is splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).

const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// The random numbers of one thing.
pub(super) struct Rng(u64);

impl Rng {
    /// The random numbers of the thing called `what` with these `numbers`. Different names give unrelated numbers.
    pub(super) fn of(seed: u64, what: &str, numbers: &[u64]) -> Rng {
        let named = what.bytes().fold(seed, |state, byte| mix(state ^ u64::from(byte)));
        Rng(numbers.iter().fold(named, |state, number| mix(state.wrapping_add(GOLDEN_GAMMA) ^ number)))
    }

    pub(super) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN_GAMMA);
        mix(self.0)
    }

    /// A number in `0..bound`. 0 if the bound is 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        let drawn = self.draw().checked_rem(bound).unwrap_or_default();
        usize::try_from(drawn).unwrap_or_default()
    }

    /// True with a chance of `percent` %.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the words. Empty if there are none.
    pub(super) fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words.get(self.below(words.len())).copied().unwrap_or_default()
    }

    /// One of the numbers. 0 if there are none.
    pub(super) fn pick_number(&mut self, numbers: &[usize]) -> usize {
        numbers.get(self.below(numbers.len())).copied().unwrap_or_default()
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.draw().to_le_bytes().first().copied().unwrap_or_default())
    }

    /// A random (version 4) GUID in its usual spelling (RFC 9562).
    pub(super) fn guid(&mut self) -> String {
        let random = u128::from_le_bytes(self.bytes());
        let versioned = random & !(0xF << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{versioned:032x}");
        let mut guid = String::with_capacity(36);
        for (place, digit) in hex.chars().enumerate() {
            if [8, 12, 16, 20].contains(&place) {
                guid.push('-');
            }
            guid.push(digit);
        }
        guid
    }
}

fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn equal_names_give_equal_streams_and_others_do_not() {
        assert_eq!(Rng::of(1, "user", &[7]).draw(), Rng::of(1, "user", &[7]).draw());
        assert_ne!(Rng::of(1, "user", &[7]).draw(), Rng::of(1, "user", &[8]).draw());
        assert_ne!(Rng::of(1, "user", &[7]).draw(), Rng::of(1, "group", &[7]).draw());
        assert_ne!(Rng::of(1, "user", &[7]).draw(), Rng::of(2, "user", &[7]).draw());
    }

    #[test]
    fn first_draw_from_zero_is_the_published_one() {
        assert_eq!(Rng(0).draw(), 0xE220_A839_7B1D_CDAF);
    }

    #[test]
    fn guid_is_version_4() {
        let guid = Rng::of(1, "guid", &[]).guid();
        assert_eq!(guid.len(), 36);
        assert_eq!(guid.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&guid.as_bytes()[19]));
    }

    #[test]
    fn a_choice_from_nothing_does_not_panic() {
        assert_eq!(Rng(0).below(0), 0);
        assert_eq!(Rng(0).pick(&[]), "");
    }
}
