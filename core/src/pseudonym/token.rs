//! One-way tokens: `t~` or `d~`, the key id, and 192 bits of an HMAC-SHA-256 in 32 base64url characters.
//!
//! The MAC covers the version of the canonical form, the kind and the value. Each is preceded by its length, so that
//! values of different kinds never give the same input. 192 bits are 32 characters without padding. RFC 2104 section 5
//! asks for at least half of the output, which is 128 bits.

use super::base64url;
use super::derive::length;
use super::primitives::{HmacKey, MAC_LEN};

/// Octets of the MAC that a token contains.
const TAG_LEN: usize = 24;

/// The prefix of a token.
#[derive(Clone, Copy)]
pub(super) enum Prefix {
    /// `t~`: a value.
    Value,
    /// `d~`: the domain of an address.
    Domain,
}

/// A canonical value: the version of the canonical form, the kind, and the value.
#[derive(Clone, Copy)]
pub(super) struct Canonical<'a> {
    /// For example `e1` for addresses. A new version makes new tokens.
    pub(super) version: &'static str,
    /// Separates recognised values from opaque ones, for example `smtp` from `opaque`.
    pub(super) kind: &'static str,
    /// The value.
    pub(super) value: &'a [u8],
}

/// A keyed token maker for one class.
pub(super) struct Tokens {
    key: HmacKey,
    key_id: char,
}

impl Tokens {
    /// Makes tokens with `key`, derived from the ring's key `key_id`.
    pub(super) const fn new(key: HmacKey, key_id: char) -> Self {
        Self { key, key_id }
    }

    /// Appends the token of `canonical`.
    pub(super) fn write(&self, prefix: Prefix, canonical: Canonical<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(match prefix {
            Prefix::Value => b"t~",
            Prefix::Domain => b"d~",
        });
        out.extend_from_slice(self.key_id.encode_utf8(&mut [0; 4]).as_bytes());
        let mac = self.mac(canonical);
        let (tag, _) = mac.split_at(TAG_LEN);
        base64url::append(tag, out);
    }

    fn mac(&self, canonical: Canonical<'_>) -> [u8; MAC_LEN] {
        let Canonical { version, kind, value } = canonical;
        let (version, kind) = (version.as_bytes(), kind.as_bytes());
        self.key.mac([&length(version), version, &length(kind), kind, &length(value), value])
    }
}
