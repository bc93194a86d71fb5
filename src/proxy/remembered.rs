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

/// The memory: whose tokens they are, and the keys that verified them.
pub(super) struct Remembered<C>(Mutex<Generations<C>>);

struct Generations<C> {
    young: HashMap<[u8; 32], Entry<C>>,
    old: HashMap<[u8; 32], Entry<C>>,
}

#[derive(Clone)]
struct Entry<C> {
    consumer: C,
    keys: Arc<KeySet>,
    /// The first second in which it is no longer good.
    until: i64,
}

impl<C: Clone> Remembered<C> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() }))
    }

    /// Whose token it is, unless it has ended, and the keys that said so. Whether those are still the issuer's is for the caller
    /// to see.
    pub(super) fn get(&self, digest: &TokenDigest, now: i64) -> Option<(C, Arc<KeySet>)> {
        let entry = self.with(|generations| generations.find(digest.as_bytes()))?;
        (now < entry.until).then_some((entry.consumer, entry.keys))
    }

    /// Remembers a token that was verified with these keys, up to a second in which it is no longer good.
    pub(super) fn put(&self, digest: &TokenDigest, consumer: C, keys: Arc<KeySet>, until: i64) {
        self.with(|generations| generations.put(*digest.as_bytes(), Entry { consumer, keys, until }));
    }

    fn with<T>(&self, run: impl FnOnce(&mut Generations<C>) -> T) -> T {
        run(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<C: Clone> Generations<C> {
    /// What is found among the old is in use, and moves on to the young.
    fn find(&mut self, digest: &[u8; 32]) -> Option<Entry<C>> {
        if let Some(entry) = self.young.get(digest) {
            return Some(entry.clone());
        }
        let entry = self.old.remove(digest)?;
        self.put(*digest, entry.clone());
        Some(entry)
    }

    fn put(&mut self, digest: [u8; 32], entry: Entry<C>) {
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
    fn a_token_is_remembered_until_it_ends() {
        let (memory, keys) = (Remembered::new(), keys());
        memory.put(&digest(1), "a", Arc::clone(&keys), 100);
        let (consumer, held) = memory.get(&digest(1), 99).unwrap();
        assert!(consumer == "a" && Arc::ptr_eq(&held, &keys));
        assert!(memory.get(&digest(1), 100).is_none());
        assert!(memory.get(&digest(2), 99).is_none());
    }

    #[test]
    fn what_is_in_use_stays_and_the_rest_is_bounded() {
        let (memory, keys) = (Remembered::new(), keys());
        for number in 0..10 * GENERATION {
            memory.put(&digest(number), number, Arc::clone(&keys), 100);
            assert_eq!(memory.get(&digest(0), 0).map(|(consumer, _)| consumer), Some(0), "{number}");
        }
        let held = memory.with(|generations| generations.young.len() + generations.old.len());
        assert!(held <= 2 * GENERATION, "{held}");
        assert!(memory.get(&digest(1), 0).is_none());
    }
}
