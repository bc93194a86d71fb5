//! Verdict, place of an error and events are the same for every way to cut a document, with or without the contents of
//! strings, with or without expected keys. `serde_json` accepts the same documents with the same values.
//!
//! Nobody knows the consumer's parser. If it reads a document in another way than the proxy, data leaks past the rules.

use glassine_core::sanitize::tokenizer::Limits;

use super::seed;
use crate::support::reading::{agrees_with_serde, read_with, wide};

/// See the module.
pub fn tokenizer(data: &[u8]) {
    let seed = seed(data);
    agrees_with_serde(data, seed);
    let (events, outcome) = read_with(data, narrow(seed), seed);
    if outcome.is_ok() {
        assert_eq!(events, read_with(data, wide(), seed).0, "a limit changed what was read");
    }
}

/// Limits that even short documents exceed.
fn narrow(seed: u64) -> Limits {
    let at_most = |shift: u32, most: u64| (seed >> shift) % (most + 1);
    let length = |length: u64| usize::try_from(length).unwrap_or(usize::MAX);
    Limits {
        depth: u32::try_from(at_most(0, 6)).unwrap_or_default(),
        key_length: length(at_most(8, 12)),
        number_length: length(at_most(16, 6)),
        document_length: at_most(24, 200),
    }
}
