//! AES-SIV (RFC 5297) with AES-256, with everything done once that does not depend on the plain text.
//!
//! An answer has thousands of reversible tokens under one key and one list of associated data. The `aes-siv` crate
//! expands both keys and authenticates all of the associated data for every one of them, which is more work than the
//! token itself. So the construction is written out here, over the same `cmac`, `ctr` and `aes` that it stands on: the
//! key schedules are kept, and so is S2V's value after the associated data (section 2.4: `D` before the last
//! component). What remains for a token is one CMAC and one pass of AES-CTR over it.
//!
//! Published vectors (RFC 5297, Wycheproof) and a comparison with the `aes-siv` crate on any input run against this.

use aes::Aes256Enc;
use aes::cipher::{Array, InnerIvInit, KeyInit, StreamCipherCore, consts::U16};
use cmac::digest::common::InnerInit;
use cmac::{Cmac, Mac};
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;
use dbl::Dbl;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Octets of an AES-SIV key: the first half for S2V (AES-256-CMAC), the second for AES-256-CTR.
pub const SIV_KEY_LEN: usize = 64;

/// Components of associated data that S2V takes at most beside the plain text (section 7).
const MAX_HEADERS: usize = 126;

/// Octets of the synthetic IV, which is an AES block.
const IV_LEN: usize = 16;

type Block = Array<u8, U16>;

/// One key with one list of associated data. The key schedules are wiped on drop.
pub struct Siv {
    /// S2V's CMAC, before any message.
    mac: Cmac<Aes256Enc>,
    /// CTR's block cipher.
    cipher: Aes256Enc,
    /// S2V's value after the associated data.
    vector: Block,
}

impl Siv {
    /// Each of `headers` is one component of associated data, so where one ends and the next begins is authenticated
    /// too.
    pub fn new<const N: usize>(key: &[u8; SIV_KEY_LEN], headers: [&[u8]; N]) -> Self {
        const { assert!(N <= MAX_HEADERS) };
        let (for_mac, for_cipher) = key.split_at(SIV_KEY_LEN / 2);
        let mac = Cmac::inner_init(schedule(for_mac));
        let cipher = schedule(for_cipher);
        let vector = headers.iter().fold(cmac(&mac, &[&Block::default()]), |vector, header| {
            xor(vector.dbl(), &cmac(&mac, &[header]))
        });
        Self { mac, cipher, vector }
    }

    /// The 16-octet synthetic IV, then the cipher text.
    pub fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let iv = self.synthetic_iv(plain);
        let mut sealed = Vec::with_capacity(IV_LEN + plain.len());
        sealed.extend_from_slice(&iv);
        sealed.extend_from_slice(plain);
        if let Some((_, text)) = sealed.split_at_mut_checked(IV_LEN) {
            self.apply_keystream(iv, text);
        }
        sealed
    }

    /// The plain text; `None` for anything that does not authenticate.
    pub fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (iv, text) = sealed.split_first_chunk::<IV_LEN>()?;
        let mut plain = Zeroizing::new(text.to_vec());
        self.apply_keystream((*iv).into(), &mut plain);
        let is_authentic = self.synthetic_iv(&plain).ct_eq(iv);
        bool::from(is_authentic).then_some(plain)
    }

    /// The last step of S2V, over the plain text.
    fn synthetic_iv(&self, plain: &[u8]) -> Block {
        match plain.split_last_chunk::<IV_LEN>() {
            Some((before, last)) => cmac(&self.mac, &[before, &xor(self.vector, last)]),
            None => cmac(&self.mac, &[&xor(self.vector.dbl(), &padded(plain))]),
        }
    }

    /// Encrypts or decrypts: AES-CTR from the IV with two bits cleared (section 2.5).
    fn apply_keystream(&self, mut iv: Block, text: &mut [u8]) {
        let [.., third, _, _, _, fourth, _, _, _] = &mut iv.0;
        *third &= 0x7f;
        *fourth &= 0x7f;
        CtrCore::<_, Ctr128BE>::inner_iv_init(&self.cipher, &iv).apply_keystream_partial(text.into());
    }
}

/// The expanded key.
#[expect(clippy::expect_used, reason = "both halves of a key of SIV_KEY_LEN are AES-256 keys")]
fn schedule(half: &[u8]) -> Aes256Enc {
    Aes256Enc::new_from_slice(half).expect("32 octets")
}

/// The CMAC over the parts, one after the other as if they were one message.
fn cmac(keyed: &Cmac<Aes256Enc>, parts: &[&[u8]]) -> Block {
    let mut mac = keyed.clone();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes()
}

fn xor(mut block: Block, other: &[u8]) -> Block {
    block.iter_mut().zip(other).for_each(|(to, from)| *to ^= from);
    block
}

/// Less than a block, a one bit and zeros up to a block.
fn padded(short: &[u8]) -> Block {
    let mut block = Block::default();
    let content = short.iter().copied().chain([0x80]);
    block.iter_mut().zip(content).for_each(|(to, from)| *to = from);
    block
}
