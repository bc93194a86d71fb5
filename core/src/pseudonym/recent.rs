//! A table of recently made tokens, so that the proxy need not make them again.
//!
//! A page of 1,000 messages holds some 6,300 addresses, fewer than 600 of them distinct. Its messages lie in a dozen
//! folders and some 400 threads. Computing the canonical form of an address and its MAC costs ten times as much as a
//! lookup in this table. A token depends only on the value and the keys, so the table makes a response faster and never
//! changes its content.
//!
//! # Bounds
//!
//! Senders of mail choose the addresses, so everything is bounded: the number of values ([`SHARDS`] × [`SETS`] × 2) and
//! the size of each ([`MAX_VALUE`], [`MAX_TOKEN`]). Longer values are never stored. The hash of a value selects one set
//! of two places: newcomer and established. A new value takes the newcomer place. A value that is found again swaps
//! into the established place. Values that occur once, such as message ids, therefore replace only each other, however
//! many there are. The hash has no key, since an attacker gains nothing from collisions: the colliding tokens then cost
//! what all tokens cost without a table.
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
/// Sets of two values in each shard.
const SETS: usize = 64;
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
    established: Option<Entry>,
    newcomer: Option<Entry>,
}

#[derive(Clone)]
struct Entry {
    made: Made,
    /// The value, followed by its token.
    text: Zeroizing<Vec<u8>>,
    value_length: usize,
}

impl Recent {
    pub(super) fn new() -> Self {
        Self((0..SHARDS).map(|_| Shard::default()).collect())
    }

    /// Appends the token of `value` from the table, or else lets `make` append it.
    pub(super) fn or_make(
        &self,
        made: Made,
        value: &str,
        out: &mut Vec<u8>,
        make: impl FnOnce(&mut Vec<u8>) -> Outcome,
    ) -> Outcome {
        if value.len() > MAX_VALUE {
            return make(out);
        }
        let hash = hash(value);
        if self
            .with_set(hash, |set| set.find(made, value).map(|token| out.extend_from_slice(token)))
            .is_some()
        {
            return Outcome::Written;
        }
        let start = out.len();
        let outcome = make(out);
        let token = out.get(start..).unwrap_or_default();
        if outcome == Outcome::Written && token.len() <= MAX_TOKEN {
            self.with_set(hash, |set| {
                set.remember(made, value, token);
                Some(())
            });
        }
        outcome
    }

    /// Also `None` if another stream holds the lock of the shard.
    fn with_set<T>(&self, hash: usize, visit: impl FnOnce(&mut Set) -> Option<T>) -> Option<T> {
        let mut sets = self.0.get(hash % SHARDS)?.0.try_lock().ok()?;
        if sets.is_empty() {
            sets.resize(SETS, Set::default());
        }
        visit(sets.get_mut(hash / SHARDS % SETS)?)
    }
}

impl Set {
    fn find(&mut self, made: Made, value: &str) -> Option<&[u8]> {
        if self.newcomer.as_ref().is_some_and(|entry| entry.is_of(made, value)) {
            std::mem::swap(&mut self.established, &mut self.newcomer);
        }
        self.established.as_ref().filter(|entry| entry.is_of(made, value)).map(Entry::token)
    }

    fn remember(&mut self, made: Made, value: &str, token: &[u8]) {
        let room = self.newcomer.take().map(|pushed_out| pushed_out.text).unwrap_or_default();
        self.newcomer = Some(Entry::new(made, value, token, room));
    }
}

impl Entry {
    /// Reuses the buffer `room` of the replaced entry if it is large enough. This saves an octet-by-octet wipe and an
    /// allocation.
    fn new(made: Made, value: &str, token: &[u8], mut room: Zeroizing<Vec<u8>>) -> Self {
        let length = value.len() + token.len();
        if room.capacity() < length {
            room = Zeroizing::new(Vec::with_capacity(length));
        }
        room.fill(0);
        room.clear();
        room.extend_from_slice(value.as_bytes());
        room.extend_from_slice(token);
        Self { made, text: room, value_length: value.len() }
    }

    fn is_of(&self, made: Made, value: &str) -> bool {
        self.made == made && self.text.get(..self.value_length) == Some(value.as_bytes())
    }

    fn token(&self) -> &[u8] {
        self.text.get(self.value_length..).unwrap_or_default()
    }
}

/// A multiplicative hash, word by word. Only the upper 32 bits are kept, which fit a `usize` on every target.
fn hash(value: &str) -> usize {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = value.as_bytes().as_chunks();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let hash = words.iter().chain([&last]).fold(MULTIPLIER, |hash, word| {
        (hash.rotate_left(29) ^ u64::from_le_bytes(*word)).wrapping_mul(MULTIPLIER)
    });
    usize::try_from(hash >> 32).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The token from [`Recent::or_make`], and whether `make` was called.
    fn token(recent: &Recent, made: Made, value: &str) -> (String, bool) {
        let (mut out, mut was_made) = (b"before ".to_vec(), false);
        let outcome = recent.or_make(made, value, &mut out, |out| {
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
        for made in [Made::Email, Made::Reversible(Class::Email), Made::Reversible(Class::Id)] {
            assert!(token(&recent, made, "x").1);
            assert!(!token(&recent, made, "x").1);
        }
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
            assert_eq!(recent.or_make(Made::Email, "x", &mut out, |_| outcome), outcome);
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
