//! One-way tokens: `t~` or `d~`, the key id, and 192 bits of an HMAC-SHA-256 in 32 base64url characters.
//!
//! What is authenticated is the version of the canonical form, the kind and the value, each after its
//! length, so that no two values of different kinds read the same. 192 bits are 32 characters without
//! padding, and well over half of the output, which RFC 2104 section 5 asks for.

use super::base64url;
use super::derive::length;
use super::primitives::{HmacKey, MAC_LEN};

/// Octets of the MAC that stand in a token.
const TAG_LEN: usize = 24;

/// What a token begins with.
#[derive(Clone, Copy)]
pub(super) enum Prefix {
    /// A value.
    Value,
    /// The domain of an address.
    Domain,
}

/// A canonical value: the version of the canonical form, the kind within it, and the value's parts.
#[derive(Clone, Copy)]
pub(super) struct Canonical<'a> {
    /// `e1` for addresses, and so on: a new version makes new tokens.
    pub(super) version: &'static str,
    /// Keeps apart what was understood and what was not.
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
    /// Makes tokens with `key`, whose ring entry is `key_id`.
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
