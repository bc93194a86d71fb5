//! How lines of an audit log are linked.
//!
//! Every line is one JSON object that begins with `seq`, a number that rises by one, and `prev`, the SHA-256 of the
//! line before it (without its newline) in hexadecimal. The first line of a chain has `seq` 0 and `prev` [`GENESIS`]. With
//! a key, the line ends with a MAC ([`super::mac`]).
//!
//! A crash can leave an unfinished line. The next start ends this line with a newline and writes a marker
//! `{"seq":…,"prev":…,"event":"torn_line","after":…}`. `prev` is the hash of the torn bytes, `after` is the hash of the
//! last whole line. So the chain covers the damage, and nobody can insert anything there later.
//!
//! A chain goes on over files: the first line of a file that follows another is an event `continued`, whose `seq` and `prev`
//! are those after the last line of the file before.
//!
//! Without MACs, the chain shows edits by somebody who cannot rewrite the whole file. Against somebody who can, keep
//! [`super::Summary::head`] elsewhere from time to time. If a log still contains that line, nobody has rewritten what is
//! before it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::mac::MacKey;
use glassine_core::hex;

/// The `prev` of a chain's first line. No line has this hash.
pub(crate) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The `event` of a marker after an unfinished line.
pub(crate) const TORN_LINE: &str = "torn_line";

/// The `event` of the first line of a file that continues the chain of another.
pub(crate) const CONTINUED: &str = "continued";

/// The longest line. The record of a request is well under 2 KiB, a line of an event under 20 KiB. Bounds the memory that
/// a damaged file can make the reader use.
pub(crate) const MAX_LINE_BYTES: usize = 32 * 1024;

/// The most bytes of a line's content: what a line has beside it is shorter than this difference.
pub(super) const MAX_CONTENT: usize = MAX_LINE_BYTES - 256;

/// What the next line links to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) seq: u64,
    pub(super) prev: String,
}

impl Position {
    /// The start of a fresh chain.
    pub(super) fn genesis() -> Self {
        Self { seq: 0, prev: GENESIS.to_owned() }
    }

    /// The position after `line`; `None` if `line` is not a line of a chain.
    pub(super) fn after(line: &[u8]) -> Option<Self> {
        let link = Link::of(line)?;
        Some(Self { seq: link.seq.checked_add(1)?, prev: sha256_hex(line) })
    }

    /// Links `content`, a JSON object, here. Returns the line, without its newline, and the position after it.
    pub(super) fn link(&self, content: &[u8], key: Option<&MacKey>) -> (Vec<u8>, Self) {
        let mut line = format!("{{\"seq\":{},\"prev\":\"{}\"", self.seq, self.prev).into_bytes();
        let inside = content.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")).unwrap_or_default();
        if !inside.is_empty() {
            line.push(b',');
            line.extend_from_slice(inside);
        }
        match key {
            Some(key) => key.seal(&mut line),
            None => line.push(b'}'),
        }
        let next = Self { seq: self.seq.saturating_add(1), prev: sha256_hex(&line) };
        (line, next)
    }

    /// The marker that continues the chain after `torn`, an unfinished line at this position.
    pub(super) fn link_torn(&self, torn: &[u8], key: Option<&MacKey>) -> (Vec<u8>, Self) {
        let over_the_torn_bytes = Self { seq: self.seq, prev: sha256_hex(torn) };
        let marker = format!("{{\"event\":\"{TORN_LINE}\",\"after\":\"{}\"}}", self.prev);
        over_the_torn_bytes.link(marker.as_bytes(), key)
    }
}

/// `content` as the JSON object of a line, which has its link in front.
pub(super) fn encode(content: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(content)
}

/// The fields of a line that verification reads.
#[derive(Deserialize)]
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) prev: String,
    pub(super) event: Option<String>,
    pub(super) after: Option<String>,
}

impl Link {
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    pub(super) fn starts_a_chain(&self) -> bool {
        self.seq == 0 && self.prev == GENESIS
    }

    pub(super) fn is(&self, event: &str) -> bool {
        self.event.as_deref() == Some(event)
    }
}

pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex::lower(&Sha256::digest(bytes))
}
