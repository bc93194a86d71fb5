//! Key derivation. HKDF derives every working key from a master key of the ring. The `info` names the use, the
//! pseudonym domain and the class.

use super::Class;
use super::primitives::{HmacKey, SIV_KEY_LEN, hkdf};
use zeroize::Zeroizing;

/// First part of every `info`. Changing it changes every token.
const LABEL: &str = "glassine/pseudonym/1";

/// Octets of a derived HMAC key: the output of SHA-256, as RFC 2104 section 3 advises.
const HMAC_KEY_LEN: usize = 32;

/// What a derived key is used for.
#[derive(Clone, Copy)]
enum Use {
    /// One-way tokens, `t~` and `d~`.
    Token,
    /// Reversible tokens, `p~`.
    Reversible,
    /// Values the proxy seals for itself.
    Seal,
    /// Values that the connection pages hand to a browser, which sends them back.
    ConnectionState,
    /// Signatures over the result of a connection.
    ConnectionResult,
    /// MACs of the audit log's lines.
    Audit,
    /// Printable fingerprints of ring entries.
    Fingerprint,
}

impl Use {
    const fn label(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Reversible => "reversible",
            Self::Seal => "seal",
            Self::ConnectionState => "connection-state",
            Self::ConnectionResult => "connection-result",
            Self::Audit => "audit",
            Self::Fingerprint => "fingerprint",
        }
    }
}

/// The key for one-way tokens of one class.
pub(super) fn token_key(master: &[u8; 32], domain: &str, class: Class) -> HmacKey {
    HmacKey::new(&*hkdf::<HMAC_KEY_LEN>(master, &info(Use::Token, domain, class.name())))
}

/// The key for reversible tokens of one class.
pub(super) fn reversible_key(master: &[u8; 32], domain: &str, class: Class) -> Zeroizing<[u8; SIV_KEY_LEN]> {
    hkdf(master, &info(Use::Reversible, domain, class.name()))
}

/// The key for sealed values.
pub(super) fn seal_key(master: &[u8; 32], domain: &str) -> Zeroizing<[u8; SIV_KEY_LEN]> {
    hkdf(master, &info(Use::Seal, domain, ""))
}

/// The key for values that the connection pages seal.
pub(super) fn connection_state_key(master: &[u8; 32]) -> Zeroizing<[u8; SIV_KEY_LEN]> {
    hkdf(master, &info(Use::ConnectionState, "", ""))
}

/// The seed of the key that signs the result of a connection.
pub(super) fn connection_result_seed(master: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    hkdf(master, &info(Use::ConnectionResult, "", ""))
}

/// The key for MACs of the audit log's lines.
pub(super) fn audit_key(master: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    hkdf(master, &info(Use::Audit, "", ""))
}

/// The key for the fingerprint of a ring entry.
pub(super) fn fingerprint_key(master: &[u8; 32]) -> HmacKey {
    HmacKey::new(&*hkdf::<HMAC_KEY_LEN>(master, &info(Use::Fingerprint, "", "")))
}

fn info(purpose: Use, domain: &str, class: &str) -> Vec<u8> {
    [LABEL, purpose.label(), domain, class].iter().flat_map(|part| prefixed(part.as_bytes())).collect()
}

/// The length of `part` as eight octets in network order, then `part`. So different lists never give the same octets.
fn prefixed(part: &[u8]) -> impl Iterator<Item = u8> + '_ {
    length(part).into_iter().chain(part.iter().copied())
}

/// The length prefix of `part`, in octets.
pub(super) fn length(part: &[u8]) -> [u8; 8] {
    u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes()
}
