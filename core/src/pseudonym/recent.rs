//! A table of recently made tokens, so that the proxy need not make them again.
//!
//! A page of 1,000 messages holds some 6,300 addresses, fewer than 600 of them distinct. Its messages lie in a dozen
//! folders and some 400 threads. Computing the canonical form of an address and its MAC costs ten times as much as a
//! lookup in this table. A token depends only on the value and the keys, so the table makes a response faster and never
//! changes its content.
//!
//! # Bounds
//!
//! Senders of mail choose the addresses, so everything is bounded: the number of values ([`SHARDS`] × [`SETS`] × 4) and
//! the size of each ([`MAX_VALUE`], [`MAX_TOKEN`]). Longer values are never stored. The hash of a value selects one set
//! of four places: two for established values, then two for newcomers. A new value takes an empty place, or else the first
//! one for newcomers. A newcomer that is found again moves to the front. Values that occur once therefore replace only
//! each other, however many there are. The hash has no key, since an attacker gains nothing from collisions: the colliding
//! tokens then cost what all tokens cost without a table.
//!
//! Nearly every reversible id is that of a message, which occurs once, and its token is long. Such a value is stored
//! when it comes the second time. Until then its set keeps only a part of its hash.
//!
//! # Concurrency
//!
//! All streams of one consumer share the table. Each shard has a lock, held while copying a few hundred bytes at most.
//! No stream waits for the lock: if it is taken, the stream makes the token itself.
//!
//! # Timing
//!
//! A value in the table is faster by a microsecond. An attacker who could measure this through a network would learn
//! that this consumer recently received that token. The consumer knows this already. Each consumer has its own table,
//! which holds only values written for that consumer. Lookups happen only while processing a response from Graph, so
//! neither consumers nor senders of mail can look up values directly.
//!
//! Values and tokens are overwritten when they are replaced, and wiped together with the keys.

use std::sync::Mutex;

use zeroize::Zeroizing;

use super::{Class, Outcome};

/// Parts of the table. Each has its own lock, on its own cache line.
const SHARDS: usize = 64;
/// Sets in each shard.
const SETS: usize = 32;
/// Places in each set. With two, every fifth value of a page shares its set with another and pushes it out in turn.
const PLACES: usize = 4;
/// The place of a new value. The places before it are for established values.
const NEWCOMER: usize = 2;
/// Octets of the longest value that the table stores. Addresses have a few dozen, ids of folders and messages up to
/// 200. A longer id would be padded to 512 octets.
const MAX_VALUE: usize = 255;
/// Octets of the longest token that the table stores. An id of [`MAX_VALUE`] is padded to 256 octets, and its token has
/// a third more (base64url) and two dozen.
const MAX_TOKEN: usize = 384;

/// Which kind of token was made from the value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// The token of an address.
    Email,
    /// The token of a thread.
    Thread,
    /// The reversible token of this class.
    Reversible(Class),
}

/// The table.
pub(super) struct Recent(Box<[Shard]>);

/// The first value allocates the sets, so a consumer has memory only for the shards that it uses.
#[repr(align(64))]
#[derive(Default)]
struct Shard(Mutex<Vec<Set>>);

#[derive(Clone, Default)]
struct Set {
    places: [Option<Entry>; PLACES],
    /// The tag of the last value that came and was not stored.
    passed: u32,
}

#[derive(Clone)]
struct Entry {
    made: Made,
    /// A part of the value's hash: most other values are told apart without reading their text.
    tag: u32,
    value_length: u16,
    /// The value, followed by its token.
    text: Zeroizing<Vec<u8>>,
}

/// What the table says about a value.
enum Look {
    /// Its token was appended.
    Found,
    /// Its token has to be made, and will be stored.
    Store,
    /// Its token has to be made.
    Pass,
}

/// A value whose token is looked up.
#[derive(Clone, Copy)]
struct Wanted<'v> {
    made: Made,
    value: &'v str,
    hash: Hash,
}

impl Recent {
    pub(super) fn new() -> Self {
        Self((0..SHARDS).map(|_| Shard::default()).collect())
    }

    /// Appends the token of `value` from the table, or else lets `make` append it. `make` is told whether the table will
    /// store the token.
    pub(super) fn or_make(
        &self,
        made: Made,
        value: &str,
        out: &mut Vec<u8>,
        make: impl FnOnce(&mut Vec<u8>, bool) -> Outcome,
    ) -> Outcome {
        if value.len() > MAX_VALUE {
            return make(out, false);
        }
        let wanted = Wanted { made, value, hash: Hash::of(value) };
        let start = out.len();
        match self.with_set(wanted.hash, |set| Some(set.look(wanted, out))).unwrap_or(Look::Pass) {
            Look::Found => Outcome::Written,
            Look::Pass => make(out, false),
            Look::Store => {
                let outcome = make(out, true);
                let token = out.get(start..).unwrap_or_default();
                if outcome == Outcome::Written && token.len() <= MAX_TOKEN {
                    self.with_set(wanted.hash, |set| set.store(wanted, token));
                }
                outcome
            }
        }
    }

    /// Also `None` if another stream holds the lock of the shard.
    fn with_set<T>(&self, hash: Hash, visit: impl FnOnce(&mut Set) -> Option<T>) -> Option<T> {
        let mut sets = self.0.get(hash.place % SHARDS)?.0.try_lock().ok()?;
        if sets.is_empty() {
            sets.resize(SETS, Set::default());
        }
        visit(sets.get_mut(hash.place / SHARDS % SETS)?)
    }
}

impl Set {
    /// Appends the token if the set has it.
    fn look(&mut self, wanted: Wanted<'_>, out: &mut Vec<u8>) -> Look {
        if let Some(token) = self.find(wanted) {
            out.extend_from_slice(token);
            return Look::Found;
        }
        if wanted.made.is_stored_at_once() || self.passed == wanted.hash.tag {
            return Look::Store;
        }
        self.passed = wanted.hash.tag;
        Look::Pass
    }

    fn find(&mut self, wanted: Wanted<'_>) -> Option<&[u8]> {
        let is_it = |place: &Option<Entry>| place.as_ref().is_some_and(|entry| entry.is(wanted));
        let mut at = self.places.iter().position(is_it)?;
        if at >= NEWCOMER {
            self.places.get_mut(..=at)?.rotate_right(1);
            at = 0;
        }
        self.places.get(at)?.as_ref().map(Entry::token)
    }

    fn store(&mut self, wanted: Wanted<'_>, token: &[u8]) -> Option<()> {
        let at = match self.places.iter().position(Option::is_none) {
            Some(empty) => empty,
            None => {
                self.places.get_mut(NEWCOMER..)?.rotate_right(1);
                NEWCOMER
            }
        };
        let place = self.places.get_mut(at)?;
        let room = place.take().map(|pushed_out| pushed_out.text).unwrap_or_default();
        *place = Some(Entry::new(wanted, token, room));
        Some(())
    }
}

impl Made {
    /// Most addresses and threads come again on the same page.
    fn is_stored_at_once(self) -> bool {
        match self {
            Self::Email | Self::Thread => true,
            Self::Reversible(_) => false,
        }
    }
}

impl Entry {
    /// Reuses the buffer `room` of the replaced entry if it is large enough. This saves an octet-by-octet wipe and an
    /// allocation.
    fn new(wanted: Wanted<'_>, token: &[u8], mut room: Zeroizing<Vec<u8>>) -> Self {
        let Wanted { made, value, hash } = wanted;
        let length = value.len() + token.len();
        if room.capacity() < length {
            room = Zeroizing::new(Vec::with_capacity(length));
        }
        room.fill(0);
        room.clear();
        room.extend_from_slice(value.as_bytes());
        room.extend_from_slice(token);
        let value_length = u16::try_from(value.len()).unwrap_or_default();
        Self { made, tag: hash.tag, value_length, text: room }
    }

    fn is(&self, wanted: Wanted<'_>) -> bool {
        self.tag == wanted.hash.tag
            && self.made == wanted.made
            && self.text.get(..self.value_length()) == Some(wanted.value.as_bytes())
    }

    fn token(&self) -> &[u8] {
        self.text.get(self.value_length()..).unwrap_or_default()
    }

    fn value_length(&self) -> usize {
        usize::from(self.value_length)
    }
}

/// Where the table looks for a value.
#[derive(Clone, Copy)]
struct Hash {
    /// Selects the shard and the set.
    place: usize,
    tag: u32,
}

impl Hash {
    fn of(value: &str) -> Self {
        let (blocks, rest) = value.as_bytes().as_chunks();
        let mut last = [0; 16];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        let length = u64::try_from(value.len()).unwrap_or_default();
        let hash = blocks
            .iter()
            .chain([&last])
            .fold(length, |hash, block| hash.rotate_left(23) ^ multiplied(u128::from_le_bytes(*block)));
        let [a, b, c, d, place @ ..] = multiplied(hash.into()).to_le_bytes();
        let place = usize::try_from(u32::from_le_bytes(place)).unwrap_or_default();
        Self { place, tag: u32::from_le_bytes([a, b, c, d]) }
    }
}

/// The halves of a block multiplied with each other, not with the hash so far: no multiplication waits for another.
fn multiplied(block: u128) -> u64 {
    const SEED: u128 = 0x9e37_79b9_7f4a_7c15_d1b5_4a32_d192_ed03;
    let (high, low) = halves(block ^ SEED);
    let (high, low) = halves(u128::from(high) * u128::from(low));
    high ^ low
}

fn halves(wide: u128) -> (u64, u64) {
    let half = |bits| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
    (half(wide >> 64), half(wide))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The token from [`Recent::or_make`], and whether `make` was called.
    fn token(recent: &Recent, made: Made, value: &str) -> (String, bool) {
        let (mut out, mut was_made) = (b"before ".to_vec(), false);
        let outcome = recent.or_make(made, value, &mut out, |out, _| {
            was_made = true;
            out.extend_from_slice(format!("token of {value}").as_bytes());
            Outcome::Written
        });
        assert_eq!(outcome, Outcome::Written);
        (String::from_utf8(out).unwrap(), was_made)
    }

    #[test]
    fn a_token_is_made_once() {
        let recent = Recent::new();
        for was_made in [true, false, false] {
            assert_eq!(token(&recent, Made::Email, "a@b"), ("before token of a@b".to_owned(), was_made));
        }
    }

    #[test]
    fn a_value_has_one_token_of_each_sort() {
        let recent = Recent::new();
        for made in [Made::Email, Made::Thread] {
            assert!(token(&recent, made, "x").1);
            assert!(!token(&recent, made, "x").1);
        }
    }

    /// Most ids are those of messages, which come once: their long tokens would push out what comes again.
    #[test]
    fn the_token_of_an_id_is_stored_when_it_comes_the_second_time() {
        for made in [Made::Reversible(Class::Email), Made::Reversible(Class::Id)] {
            let recent = Recent::new();
            for was_made in [true, true, false, false] {
                assert_eq!(token(&recent, made, "x").1, was_made);
            }
        }
    }

    #[test]
    fn make_is_told_whether_its_token_is_stored() {
        let recent = Recent::new();
        let is_stored = |made, value: &str| {
            let mut told = None;
            let _outcome = recent.or_make(made, value, &mut Vec::new(), |_, is_stored| {
                told = Some(is_stored);
                Outcome::Written
            });
            told
        };
        assert_eq!(is_stored(Made::Email, "x"), Some(true));
        assert_eq!(is_stored(Made::Email, &"x".repeat(MAX_VALUE + 1)), Some(false));
        let id = Made::Reversible(Class::Id);
        assert_eq!([(); 3].map(|()| is_stored(id, "x")), [Some(false), Some(true), None]);
    }

    /// With two places, every fifth value of a page shared its set with another one, and each pushed out the other.
    #[test]
    fn the_values_of_a_page_have_room_side_by_side() {
        let recent = Recent::new();
        let people: Vec<_> = (0..1000).map(|at| format!("person{at}@contoso.com")).collect();
        let made = || people.iter().filter(|person| token(&recent, Made::Email, person).1).count();
        assert_eq!(made(), 1000);
        assert!(made() < 20);
        assert!(made() < 20);
    }

    #[test]
    fn long_values_are_made_each_time() {
        let recent = Recent::new();
        for (length, is_remembered) in [(MAX_VALUE, true), (MAX_VALUE + 1, false)] {
            let value = "x".repeat(length);
            assert!(token(&recent, Made::Email, &value).1);
            assert_eq!(token(&recent, Made::Email, &value).1, !is_remembered, "{length}");
        }
    }

    #[test]
    fn what_was_not_written_is_not_remembered() {
        let recent = Recent::new();
        let mut out = Vec::new();
        for outcome in [Outcome::Empty, Outcome::NotUnderstood, Outcome::Empty] {
            assert_eq!(recent.or_make(Made::Email, "x", &mut out, |_, _| outcome), outcome);
        }
        assert!(token(&recent, Made::Email, "x").1);
    }

    /// A sender who keeps inventing addresses must not evict the addresses that recur.
    #[test]
    fn values_that_come_once_do_not_push_out_those_that_come_again() {
        let recent = Recent::new();
        token(&recent, Made::Email, "colleague");
        assert!(!token(&recent, Made::Email, "colleague").1);
        for at in 0..4 * SHARDS * SETS {
            assert!(token(&recent, Made::Email, &format!("stranger {at}")).1);
        }
        assert!(!token(&recent, Made::Email, "colleague").1);
    }

    #[test]
    fn a_place_that_is_taken_over_holds_the_new_value_alone() {
        let recent = Recent::new();
        for at in 0..4 * SHARDS * SETS {
            let value = format!("{at}{}", "x".repeat(at % 100));
            let (made, found) = (token(&recent, Made::Email, &value), token(&recent, Made::Email, &value));
            assert_eq!(found, (format!("before token of {value}"), false));
            assert_eq!(made, (found.0, true));
        }
    }

    #[test]
    fn there_are_never_more_values_than_places() {
        let recent = Recent::new();
        for at in 0..8 * SHARDS * SETS {
            token(&recent, Made::Email, &at.to_string());
        }
        for shard in &recent.0 {
            assert_eq!(shard.0.lock().unwrap().len(), SETS);
        }
    }
}
