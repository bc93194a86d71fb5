//! An accepted key file has 1 to 64 keys with ids of their own, and the file that a rotation writes has the same keys
//! behind a new one. A refusal contains no text of the file.
//!
//! Secrets are in the file: an error goes to a log that others read.

use glassine_core::pseudonym::{Fingerprint, KeyRing};

use super::text;

/// As long as no word of a message.
const QUOTED: usize = 24;
/// Of a created key.
const CREATED: &str = "2027-01-31T12:00:00Z";

/// See the module.
pub fn keys(data: &[u8]) {
    let Some(written) = text(data) else { return };
    match KeyRing::parse(written) {
        Ok(ring) => is_sound(&ring),
        Err(error) => quotes_nothing(written, &error.to_string()),
    }
}

fn is_sound(ring: &KeyRing) {
    let keys = ring.fingerprint();
    let mut ids: Vec<_> = keys.iter().map(|key| key.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert!(ids.len() == keys.len() && (1..=64).contains(&keys.len()), "{keys:?}");
    let master = std::array::from_fn(|at| u8::try_from(at * at % 251).unwrap_or_default());
    match ring.render_rotated(&master, CREATED) {
        Some(rotated) => has_a_new_key_before(&keys, &rotated),
        None => assert_eq!(keys.len(), 64, "there was a free id"),
    }
}

fn has_a_new_key_before(keys: &[Fingerprint], rotated: &str) {
    let rotated = KeyRing::parse(rotated).expect("a rotated file is a key file").fingerprint();
    let (new, old) = rotated.split_first().expect("a key");
    assert!(new.created == CREATED && keys.iter().all(|key| key.id != new.id), "{new:?}");
    assert_eq!(old, keys);
}

fn quotes_nothing(written: &str, message: &str) {
    let is_secret = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '/' | '=');
    let long = written.split(|c| !is_secret(c)).filter(|run| run.len() >= QUOTED);
    for run in long {
        assert!(!message.contains(run), "{message}");
    }
}
