//! A cache of signed tokens that were verified lately. A consumer sends one token with thousands of requests, and
//! verifying an RSA signature costs more than the rest of a small request.
//!
//! The cache holds digests, never tokens. Only verified tokens enter, so a stranger cannot evict them. Its size is
//! bounded by two generations: when the young one is full, it replaces the old one, whose entries are dropped. An entry
//! expires with its token, and with the key set that verified it. A reload starts with an empty cache.
//!
//! The lookup is not in constant time. Its time could show how a stored digest begins, but nobody can choose a token by
//! its digest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::consumer::TokenDigest;
use crate::jwt::KeySet;

/// The most tokens in one generation. Two full generations take about 400 KiB.
const GENERATION: usize = 2_048;

/// Maps a token's digest to its consumer and the keys that verified it.
pub(super) struct Remembered<C>(Mutex<Generations<C>>);

struct Generations<C> {
    young: HashMap<[u8; 32], Entry<C>>,
    old: HashMap<[u8; 32], Entry<C>>,
}

#[derive(Clone)]
struct Entry<C> {
    consumer: C,
    keys: Arc<KeySet>,
    /// The first second in which the token is no longer valid.
    until: i64,
}

impl<C: Clone> Remembered<C> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() }))
    }

    /// The token's consumer, unless the token has expired, and the keys that verified it. The caller checks that the
    /// issuer still uses these keys.
    pub(super) fn get(&self, digest: &TokenDigest, now: i64) -> Option<(C, Arc<KeySet>)> {
        let entry = self.with(|generations| generations.find(digest.as_bytes()))?;
        (now < entry.until).then_some((entry.consumer, entry.keys))
    }

    /// Remembers a token that was verified with these keys. `until` is the first second in which it is no longer valid.
    pub(super) fn put(&self, digest: &TokenDigest, consumer: C, keys: Arc<KeySet>, until: i64) {
        self.with(|generations| generations.put(*digest.as_bytes(), Entry { consumer, keys, until }));
    }

    fn with<T>(&self, run: impl FnOnce(&mut Generations<C>) -> T) -> T {
        run(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<C: Clone> Generations<C> {
    /// Moves an entry from the old generation to the young one, since it is in use.
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
    fn a_token_is_remembered_until_it_expires() {
        let (memory, keys) = (Remembered::new(), keys());
        memory.put(&digest(1), "a", Arc::clone(&keys), 100);
        let (consumer, held) = memory.get(&digest(1), 99).unwrap();
        assert!(consumer == "a" && Arc::ptr_eq(&held, &keys));
        assert!(memory.get(&digest(1), 100).is_none());
        assert!(memory.get(&digest(2), 99).is_none());
    }

    #[test]
    fn a_token_in_use_stays_and_the_size_is_bounded() {
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
