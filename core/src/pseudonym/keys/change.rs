//! How a ring changes, so that replicas may have two rings at a time and each opens what the other one makes.
//!
//! A replica opens tokens and links of every key of its ring, and makes them with the first. So a key may come first
//! anywhere only when every replica has it:
//!
//! | step | the file | makes tokens | opens them |
//! |---|---|---|---|
//! | | A | A | A |
//! | stage | A, B | A | A, B |
//! | promote, when every replica has B | B, A | B | A, B |
//! | retire, when nothing of A is in use | B | B | B |

use std::fmt;

use base64::alphabet::URL_SAFE;
use jiff::Timestamp;

use super::{Key, KeyRing, Moment, SECRET_LEN};
use zeroize::Zeroizing;

/// What a key of a ring does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It makes tokens.
    First,
    /// It was never first, and waits to be.
    Staged,
    /// It made tokens until then, and opens them.
    Superseded(Timestamp),
}

/// A key that was dropped from a ring.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retired {
    /// Its id.
    pub id: char,
    /// Until when it made tokens.
    pub superseded: Timestamp,
}

/// Why a ring cannot change in this way.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RingError {
    /// The key makes tokens already.
    #[error("key `{0}` is the first one already")]
    First(char),
    /// Every id is taken.
    #[error(
        "the file already has the maximum number of keys; `glassine keys retire` drops those that are no longer in use"
    )]
    Full,
    /// No key waits to be promoted.
    #[error(
        "no key is staged: every key that is not the first has been it; `glassine keys stage` adds a fresh one, `--id` names an old one"
    )]
    NothingStaged,
    /// A key waits to be promoted.
    #[error("key `{0}` is staged already: promote it, when every replica has it")]
    Staged(char),
    /// The ring has no such key.
    #[error("the file has no key `{0}`; `glassine keys fingerprint` lists its keys")]
    Unknown(char),
}

impl KeyRing {
    /// This ring with a fresh second key, under the first free id in base64url order.
    ///
    /// # Errors
    /// [`RingError::Staged`], [`RingError::Full`].
    pub fn staged(&self, master: &[u8; SECRET_LEN], now: Timestamp) -> Result<Self, RingError> {
        match self.waiting() {
            Some(key) => Err(RingError::Staged(key.id)),
            None => {
                let older = std::iter::once(self.fresh(master, now)?).chain(self.older.iter().cloned());
                Ok(Self { newest: self.newest.clone(), older: older.collect() })
            }
        }
    }

    /// This ring with the key of this id first; without an id, the staged one.
    ///
    /// # Errors
    /// [`RingError::NothingStaged`], [`RingError::First`], [`RingError::Unknown`].
    pub fn promoted(&self, id: Option<char>, now: Timestamp) -> Result<Self, RingError> {
        let id = match id {
            Some(id) => id,
            None => self.waiting().ok_or(RingError::NothingStaged)?.id,
        };
        if id == self.newest.id {
            return Err(RingError::First(id));
        }
        let mut ring = self.led_by(id).ok_or(RingError::Unknown(id))?;
        ring.newest.superseded = None;
        let before = ring.older.iter_mut().find(|key| key.id == self.newest.id);
        before.into_iter().for_each(|key| key.superseded = Some(Moment::of(now)));
        Ok(ring)
    }

    /// This ring without the keys that stopped making tokens at `before` or earlier, and those keys. Never drops the
    /// first key or a staged one.
    pub fn retired(&self, before: Timestamp) -> (Self, Vec<Retired>) {
        let end = |key: &Key| match self.standing(key) {
            Standing::Superseded(at) => Some(at).filter(|at| *at <= before),
            Standing::First | Standing::Staged => None,
        };
        let older = self.older.iter().filter(|key| end(key).is_none()).cloned().collect();
        let retired = self.older.iter().filter_map(|key| Some(Retired { id: key.id, superseded: end(key)? }));
        (Self { newest: self.newest.clone(), older }, retired.collect())
    }

    /// This ring with a fresh first key: staged and promoted at once, which suits a single replica.
    ///
    /// # Errors
    /// As [`Self::staged`].
    pub fn rotated(&self, master: &[u8; SECRET_LEN], now: Timestamp) -> Result<Self, RingError> {
        let ring = self.staged(master, now)?;
        let fresh = ring.older.first().map(|key| key.id);
        ring.promoted(fresh, now)
    }

    /// What a key of this ring does. The file of an earlier release does not say until when a key was first; then that is
    /// when the key that took its place was made.
    pub(super) fn standing(&self, key: &Key) -> Standing {
        if key.id == self.newest.id {
            return Standing::First;
        }
        if self.waits(key) {
            return Standing::Staged;
        }
        let ahead = self.keys().take_while(|it| it.id != key.id).filter(|it| !self.waits(it));
        let successor = ahead.last().unwrap_or(&self.newest);
        Standing::Superseded(key.superseded.as_ref().unwrap_or(&successor.created).at)
    }

    fn waiting(&self) -> Option<&Key> {
        self.older.iter().find(|key| self.waits(key))
    }

    /// Whether a key behind the first one was never first.
    fn waits(&self, key: &Key) -> bool {
        key.id != self.newest.id && key.superseded.is_none() && key.created.at >= self.newest.created.at
    }

    fn fresh(&self, master: &[u8; SECRET_LEN], now: Timestamp) -> Result<Key, RingError> {
        let is_free = |id: &char| self.keys().all(|key| key.id != *id);
        let id = URL_SAFE.as_str().chars().find(is_free).ok_or(RingError::Full)?;
        let master = Zeroizing::new(*master);
        Ok(Key { id, master, created: Moment::of(now), superseded: None })
    }
}

impl Standing {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Staged => "staged",
            Self::Superseded(_) => "superseded",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First | Self::Staged => f.write_str(self.as_str()),
            Self::Superseded(at) => write!(f, "superseded {}", Moment::of(*at).text),
        }
    }
}
