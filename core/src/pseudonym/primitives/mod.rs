//! The cryptographic primitives of this module, each behind one thin seam: HMAC-SHA-256 (RFC 2104),
//! HKDF-SHA256 (RFC 5869) and AES-SIV with a 512-bit key (RFC 5297).
//!
//! No other module under `pseudonym` uses these crates. So the published test vectors test the same code that makes
//! tokens.

mod cmac;
mod hmac;
mod siv;

pub use hmac::HmacKey;
pub(crate) use hmac::MAC_LEN;
pub(crate) use siv::IV_LEN;
pub use siv::{SIV_KEY_LEN, Siv};

use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Octets that HKDF-SHA256 can give at most (RFC 5869, section 2.3).
const HKDF_MAX_LEN: usize = 255 * MAC_LEN;

/// SHA-256 (FIPS 180-4) of `message`.
pub fn sha256(message: &[u8]) -> [u8; MAC_LEN] {
    Sha256::digest(message).into()
}

/// HKDF-SHA256: extract from `secret` without a salt, then expand to `N` octets under `info`.
#[expect(clippy::expect_used, reason = "the compiler has checked the only condition: N is short enough")]
pub(crate) fn hkdf<const N: usize>(secret: &[u8], info: &[u8]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= HKDF_MAX_LEN) };
    let mut okm = Zeroizing::new([0; N]);
    Hkdf::<Sha256>::new(None, secret).expand(info, okm.as_mut_slice()).expect("N <= 255 * 32");
    okm
}
