//! Tokens that were made lately, so that they need not be made again.
//!
//! A page of 1,000 messages names some 6,300 addresses, of which fewer than 600 are different, and its messages lie in a
//! dozen folders and some 400 threads. Reading the canonical form of an address and the MAC over it cost ten times what it
//! costs to find the token of the same writing in a table. A token depends on nothing but the value and the keys, so a table
//! changes how fast the response comes and never what it is.
//!
//! # Bounds
//!
//! Who sends mail decides what addresses come, so everything is bounded: the number of values ([`SHARDS`] × [`SETS`] × 2),
//! and the size of each ([`MAX_VALUE`], [`MAX_TOKEN`]; what is longer is made each time). A value has one set of two
//! places that it can be in, by its hash. A new value takes the place for newcomers; one that comes again changes to
//! the other place. So values that come once, as the ids of messages do, however many, push out only each other. The
//! hash has no key, since there is nothing to win: who finds values of one set makes those tokens cost what all tokens
//! cost without a table.
//!
//! # Concurrency
//!
//! The streams of one consumer share the table. Each shard has a lock that is held to copy a few hundred bytes at most;
//! nobody waits for it: when it is taken, the token is made.
//!
//! # What time tells
//!
//! A value that is found is quicker by a microsecond. Who could measure that through a network learns that this
//! consumer was given that token lately, which is the consumer's own knowledge: there is one table for each consumer, it
//! holds only what was written for that consumer, and no value that a consumer or a sender of mail makes up is looked
//! up in it except in the course of a response from Graph.
//!
//! Values and tokens are overwritten when they are pushed out, and wiped with the keys.

use std::sync::Mutex;

use zeroize::Zeroizing;

use super::{Class, Outcome};

/// Parts of the table with a lock each, on cache lines of their own.
const SHARDS: usize = 64;
/// Sets of two values in each of them.
const SETS: usize = 64;
/// Octets of the longest value that is remembered. Addresses have a few dozen, ids of folders and messages up to 200.
const MAX_VALUE: usize = 256;
/// Octets of the longest token that is remembered: that of the longest value, which grows by a third and two dozen.
const MAX_TOKEN: usize = 384;

/// Which token of a value it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// The address's.
    Email,
    /// The thread's.
    Thread,
    /// The one that opens, of this class.
    Reversible(Class),
}

/// The table.
pub(super) struct Recent(Box<[Shard]>);

/// Its sets appear with the first value: a consumer has tables for what it uses only.
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
    /// The value, and its token behind it.
    text: Zeroizing<Vec<u8>>,
    value_length: usize,
}

impl Recent {
    pub(super) fn new() -> Self {
        Self((0..SHARDS).map(|_| Shard::default()).collect())
    }

    /// Appends the token of `value`: the one in the table, or the one that `make` appends.
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

    /// `None` also if the set is in use.
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
    /// In the room of the one that it pushes out, if that is enough, which saves a wipe octet by octet, and the
    /// allocator's work.
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

/// A multiplicative hash, word by word. Its upper half is a `usize` everywhere.
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

    /// The token through the table, and whether it had to be made.
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

    /// A sender of mail with ever new addresses must not push out the people who come again.
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
