//! AES-SIV (RFC 5297) with AES-256. Work that does not depend on the plain text is done once.
//!
//! A response has thousands of reversible tokens under one key and one list of associated data. The `aes-siv` crate
//! expands both keys and authenticates all associated data for each token, which is more work than the token itself. So
//! we implement the construction here, over the same `ctr` and `aes` crates and a CMAC that keeps its key. We keep the
//! key schedules, and S2V's value after the associated data (section 2.4: `D` before the last component). Each token
//! then needs one CMAC and one pass of AES-CTR.
//!
//! Tests run the published vectors (RFC 5297, Wycheproof) and compare with the `aes-siv` crate on arbitrary input.

use aes::Aes256Enc;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipherCore};
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;
use dbl::Dbl;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::cmac::{BLOCK_LEN, Block, Cmac, padded, xor};

/// Octets of an AES-SIV key: the first half for S2V (AES-256-CMAC), the second for AES-256-CTR.
pub const SIV_KEY_LEN: usize = 64;

/// The length of the synthetic IV, by which sealed text is longer than its content.
pub(crate) const IV_LEN: usize = 16;

/// The most components of associated data that S2V accepts besides the plain text (section 7).
const MAX_HEADERS: usize = 126;

/// One key with one list of associated data. The key schedules are wiped on drop.
pub struct Siv {
    /// S2V's CMAC.
    mac: Cmac,
    /// CTR's block cipher.
    cipher: Aes256Enc,
    /// S2V's value after the associated data.
    vector: Block,
}

impl Siv {
    /// Each of `headers` is one component of associated data, so the boundaries between them are authenticated too.
    pub fn new<const N: usize>(key: &[u8; SIV_KEY_LEN], headers: [&[u8]; N]) -> Self {
        const { assert!(N <= MAX_HEADERS) };
        let (for_mac, for_cipher) = key.split_at(SIV_KEY_LEN / 2);
        let mac = Cmac::new(schedule(for_mac));
        let cipher = schedule(for_cipher);
        let vector = headers
            .iter()
            .fold(mac.mac(&Block::default()), |vector, header| xor(vector.dbl(), &mac.mac(header).0));
        Self { mac, cipher, vector }
    }

    /// The 16-octet synthetic IV, then the cipher text of the concatenated `parts`.
    pub fn seal<const N: usize>(&self, parts: [&[u8]; N]) -> Vec<u8> {
        let length = BLOCK_LEN + parts.iter().map(|part| part.len()).sum::<usize>();
        let mut sealed = Vec::with_capacity(length.next_multiple_of(BLOCK_LEN));
        sealed.resize(BLOCK_LEN, 0);
        parts.iter().for_each(|part| sealed.extend_from_slice(part));
        if let Some((iv, text)) = sealed.split_first_chunk_mut() {
            *iv = self.synthetic_iv(text).0;
        }
        self.apply_keystream(&mut sealed);
        sealed
    }

    /// The plain text. `None` if `sealed` is not authentic.
    pub fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let iv = sealed.first_chunk::<BLOCK_LEN>()?;
        let mut plain = Zeroizing::new(sealed.to_vec());
        self.apply_keystream(&mut plain);
        plain.drain(..BLOCK_LEN);
        let is_authentic = self.synthetic_iv(&mut plain).ct_eq(iv);
        bool::from(is_authentic).then_some(plain)
    }

    /// The last step of S2V, over the plain text. Masks the end of `plain` and restores it before returning.
    fn synthetic_iv(&self, plain: &mut [u8]) -> Block {
        if plain.len() < BLOCK_LEN {
            return self.mac.mac(&xor(self.vector.dbl(), &padded(plain).0));
        }
        self.mask_end(plain);
        let iv = self.mac.mac(plain);
        self.mask_end(plain);
        iv
    }

    /// XORs S2V's vector into the last 16 octets. A second call restores them.
    fn mask_end(&self, plain: &mut [u8]) {
        if let Some(end) = plain.last_chunk_mut() {
            *end = xor(self.vector, end).0;
        }
    }

    /// Encrypts or decrypts the text after the IV: AES-CTR, starting at the IV with two bits cleared (section 2.5).
    /// Works in whole blocks, since a partial block would make the cipher prepare a second time.
    fn apply_keystream(&self, sealed: &mut Vec<u8>) {
        let length = sealed.len();
        sealed.resize(length.next_multiple_of(BLOCK_LEN), 0);
        if let Some((iv, text)) = Block::slice_as_chunks_mut(sealed).0.split_first_mut() {
            let mut counter = *iv;
            let [.., third, _, _, _, fourth, _, _, _] = &mut counter.0;
            *third &= 0x7f;
            *fourth &= 0x7f;
            CtrCore::<_, Ctr128BE>::inner_iv_init(&self.cipher, &counter).apply_keystream_blocks(text);
        }
        sealed.truncate(length);
    }
}

/// The expanded key.
#[expect(clippy::expect_used, reason = "both halves of a key of SIV_KEY_LEN are AES-256 keys")]
fn schedule(half: &[u8]) -> Aes256Enc {
    Aes256Enc::new_from_slice(half).expect("32 octets")
}
