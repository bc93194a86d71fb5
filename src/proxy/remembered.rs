//! Signed tokens that were verified lately. A consumer sends one token with thousands of requests, and an RSA signature costs
//! more than the rest of a small request's way through the proxy.
//!
//! What is kept is a digest, never a token; only verified tokens get in, so nobody else can push them out. The memory is
//! bounded by two generations: when the young one is full it becomes the old one, and what was in that is forgotten.
//! An entry ends with its token, and with the key set that verified it. A reload starts with an empty memory.
//!
//! Finding a digest is not in constant time. It would tell how a digest begins, and digests cannot be aimed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::consumer::TokenDigest;
use crate::jwt::KeySet;

/// The most tokens of a generation: two generations are some 400 KiB.
const GENERATION: usize = 2_048;

/// The memory.
#[derive(Default)]
pub(super) struct Remembered(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<[u8; 32], Entry>,
    old: HashMap<[u8; 32], Entry>,
}

#[derive(Clone)]
struct Entry {
    /// Whose token it is, by place.
    consumer: usize,
    /// The first second in which it is no longer good.
    until: i64,
    keys: Arc<KeySet>,
}

impl Remembered {
    /// Whose token it is, if that is known and still so. `is_current` says whether a consumer's keys are these.
    pub(super) fn get(
        &self,
        digest: &TokenDigest,
        now: i64,
        is_current: impl Fn(usize, &Arc<KeySet>) -> bool,
    ) -> Option<usize> {
        let entry = self.find(digest)?;
        (now < entry.until && is_current(entry.consumer, &entry.keys)).then_some(entry.consumer)
    }

    pub(super) fn put(&self, digest: &TokenDigest, consumer: usize, until: i64, keys: Arc<KeySet>) {
        self.with(|generations| generations.put(*digest.as_bytes(), Entry { consumer, until, keys }));
    }

    fn find(&self, digest: &TokenDigest) -> Option<Entry> {
        self.with(|generations| {
            let key = digest.as_bytes();
            if let Some(entry) = generations.young.get(key) {
                return Some(entry.clone());
            }
            // What is still in use moves on to the young.
            let entry = generations.old.remove(key)?;
            generations.put(*key, entry.clone());
            Some(entry)
        })
    }

    fn with<T>(&self, run: impl FnOnce(&mut Generations) -> T) -> T {
        run(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Generations {
    fn put(&mut self, digest: [u8; 32], entry: Entry) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Arc<KeySet> {
        let set =
            br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        Arc::new(KeySet::parse(set).unwrap())
    }

    fn digest(number: usize) -> TokenDigest {
        TokenDigest::of(&number.to_string())
    }

    #[test]
    fn a_token_is_remembered_until_it_ends_or_its_keys_do() {
        let (memory, keys) = (Remembered::default(), keys());
        memory.put(&digest(1), 7, 100, Arc::clone(&keys));
        let same = |_, held: &_| Arc::ptr_eq(held, &keys);
        assert_eq!(memory.get(&digest(1), 99, same), Some(7));
        assert_eq!(memory.get(&digest(1), 100, same), None);
        assert_eq!(memory.get(&digest(1), 99, |_, _| false), None);
        assert_eq!(memory.get(&digest(2), 99, same), None);
    }

    #[test]
    fn what_is_in_use_stays_and_the_rest_is_bounded() {
        let (memory, keys) = (Remembered::default(), keys());
        for number in 0..10 * GENERATION {
            memory.put(&digest(number), number, 100, Arc::clone(&keys));
            assert_eq!(memory.get(&digest(0), 0, |_, _| true), Some(0), "{number}");
        }
        let held = memory.with(|generations| generations.young.len() + generations.old.len());
        assert!(held <= 2 * GENERATION, "{held}");
        assert_eq!(memory.get(&digest(1), 0, |_, _| true), None);
    }
}
