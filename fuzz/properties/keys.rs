//! An accepted key file has 1 to 64 keys with ids of their own, and says the same when it is written again. A staged key stands
//! behind the same first key, and the files of staging, promoting and retiring are key files. A refusal contains no text of the
//! file.
//!
//! Secrets are in the file: an error goes to a log that others read.

use glassine_core::pseudonym::{Fingerprint, KeyRing, RingError};
use jiff::Timestamp;

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
    is_the_same_when_read_again(ring);
    let now = CREATED.parse().expect("a time");
    let master = std::array::from_fn(|at| u8::try_from(at * at % 251).unwrap_or_default());
    match ring.staged(&master, now) {
        Ok(staged) => has_a_key_behind_the_first(&keys, &staged, now),
        Err(RingError::Staged(id)) => assert!(keys.iter().any(|key| key.id == id), "{id:?}"),
        Err(error) => assert_eq!((error, keys.len()), (RingError::Full, 64), "there was a free id"),
    }
    let (rest, retired) = ring.retired(now);
    assert_eq!(rest.fingerprint().len() + retired.len(), keys.len());
    is_the_same_when_read_again(&rest);
}

fn has_a_key_behind_the_first(keys: &[Fingerprint], staged: &KeyRing, now: Timestamp) {
    is_the_same_when_read_again(staged);
    let all = staged.fingerprint();
    let [first, new, old @ ..] = &all[..] else { panic!("{all:?}") };
    assert!(keys.iter().all(|key| key.id != new.id), "{new:?}");
    // A first key from the future changes what the others are taken for.
    let written = |key: &Fingerprint| (key.id, key.created.clone(), key.fingerprint.clone());
    let rest = std::iter::once(first).chain(old).map(written);
    assert!(rest.eq(keys.iter().map(written)), "{all:?}");
    let promoted = staged.promoted(Some(new.id), now).expect("the key is not the first one");
    is_the_same_when_read_again(&promoted);
    assert_eq!(promoted.fingerprint()[0].id, new.id);
}

fn is_the_same_when_read_again(ring: &KeyRing) {
    let read = KeyRing::parse(&ring.render()).expect("a written file is a key file");
    assert_eq!(read.fingerprint(), ring.fingerprint());
}

fn quotes_nothing(written: &str, message: &str) {
    let is_secret = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '/' | '=');
    let long = written.split(|c| !is_secret(c)).filter(|run| run.len() >= QUOTED);
    for run in long {
        assert!(!message.contains(run), "{message}");
    }
}
