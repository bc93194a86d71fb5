//! What identifies a statement.

use std::fmt;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::hex;

/// Octets of the form that people compare: 128 bits, so that nobody can make two statements with one.
const SHOWN: usize = 16;
/// Octets of the form in records and headers, which tells the rules of one site apart.
const SHORT: usize = 8;

/// SHA-256 over a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a text.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// All 64 hexadecimal digits.
    pub fn full(&self) -> String {
        hex::lower(&self.0)
    }

    /// The first 16 hexadecimal digits.
    pub fn short(&self) -> String {
        self.0.first_chunk::<SHORT>().map(|octets| hex::lower(octets)).unwrap_or_default()
    }
}

impl fmt::Display for Fingerprint {
    /// The first 32 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.first_chunk::<SHOWN>().map(|octets| hex::lower(octets));
        f.write_str(&shown.unwrap_or_default())
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.full())
    }
}
