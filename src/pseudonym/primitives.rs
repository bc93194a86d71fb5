//! The cryptographic primitives of this module, each behind one thin seam: HMAC-SHA-256 (RFC 2104),
//! HKDF-SHA256 (RFC 5869) and AES-SIV with a 512-bit key (RFC 5297).
//!
//! Nothing else under `pseudonym` touches a cryptography crate, so that published test vectors run against
//! the very code that makes tokens.

mod cmac;
mod siv;

pub use siv::{SIV_KEY_LEN, Siv};

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

/// Octets of an HMAC-SHA-256 or SHA-256 output.
pub const MAC_LEN: usize = 32;

/// Octets of a SHA-256 block, which is the longest HMAC key that is used unhashed (RFC 2104, section 2).
const BLOCK_LEN: usize = 64;

/// Octets that HKDF-SHA256 can give at most (RFC 5869, section 2.3).
const HKDF_MAX_LEN: usize = 255 * MAC_LEN;

/// HMAC-SHA-256 with its key absorbed. A message starts from a copy of that state, which saves two of the
/// four compressions of a short message. State and copies are wiped on drop.
pub struct HmacKey(Hmac<Sha256>);

impl HmacKey {
    /// Absorbs `key`, of any length.
    pub fn new(key: &[u8]) -> Self {
        let mut block = key_block(key);
        let keyed = Self(Hmac::<Sha256>::new((&*block).into()));
        block.zeroize();
        keyed
    }

    /// The MAC over the parts, one after the other as if they were one message.
    pub fn mac<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; MAC_LEN] {
        let mut state = self.0.clone();
        parts.into_iter().for_each(|part| state.update(part));
        state.finalize().into_bytes().into()
    }
}

/// RFC 2104's key padded with zeros to one block, hashed first if longer.
fn key_block(key: &[u8]) -> Zeroizing<[u8; BLOCK_LEN]> {
    let mut block = Zeroizing::new([0; BLOCK_LEN]);
    let hashed;
    let key = if key.len() > BLOCK_LEN {
        hashed = Zeroizing::new(sha256(key));
        hashed.as_slice()
    } else {
        key
    };
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    block
}

/// SHA-256 (FIPS 180-4) of `message`.
pub fn sha256(message: &[u8]) -> [u8; MAC_LEN] {
    Sha256::digest(message).into()
}

/// HKDF-SHA256: extract from `secret` without a salt, then expand to `N` octets under `info`.
#[expect(clippy::expect_used, reason = "the compiler has checked the only condition: N is short enough")]
pub fn hkdf<const N: usize>(secret: &[u8], info: &[u8]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= HKDF_MAX_LEN) };
    let mut okm = Zeroizing::new([0; N]);
    Hkdf::<Sha256>::new(None, secret).expand(info, okm.as_mut_slice()).expect("N <= 255 * 32");
    okm
}
