//! AES-SIV (RFC 5297) with AES-256. Work that does not depend on the plain text is done once.
//!
//! A response has thousands of reversible tokens under one key and one list of associated data. The `aes-siv` crate
//! expands both keys and authenticates all associated data for each token, which is more work than the token itself. So
//! we implement the construction here, over the same `aes` crate and a CMAC that keeps its key. We keep the key
//! schedules, and S2V's value after the associated data (section 2.4: `D` before the last component). Each token then
//! needs one CMAC and one pass of AES-CTR. The `ctr` crate prepares the cipher to encrypt 64 blocks at once, which
//! takes longer than the dozen blocks of a token.
//!
//! Tests run the published vectors (RFC 5297, Wycheproof) and compare with the `aes-siv` crate on arbitrary input.

use aes::Aes256Enc;
use aes::cipher::common::BlockSizeUser;
use aes::cipher::{BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, KeyInit, consts::U16};
use dbl::Dbl;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::cmac::{BLOCK_LEN, Block, Cmac, padded, xor};

/// Octets of an AES-SIV key: the first half for S2V (AES-256-CMAC), the second for AES-256-CTR.
pub const SIV_KEY_LEN: usize = 64;

/// The length of the synthetic IV, by which sealed text is longer than its content.
pub(crate) const IV_LEN: usize = 16;

/// The bits of the IV that are zero in the first counter (section 2.5).
const CLEARED: u128 = 1 << 63 | 1 << 31;

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
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let mut sealed = Vec::with_capacity(IV_LEN + length);
        sealed.resize(IV_LEN, 0);
        parts.iter().for_each(|part| sealed.extend_from_slice(part));
        self.seal_in_place([&mut sealed]);
        sealed
    }

    /// Seals several texts, which takes hardly longer than one. Each has [`IV_LEN`] octets for the synthetic IV, then
    /// the plain text. Without room for the IV, it stays as it is.
    pub fn seal_in_place<const N: usize>(&self, mut texts: [&mut [u8]; N]) {
        let plains = texts.each_mut().map(|text| text.get_mut(IV_LEN..).unwrap_or_default());
        for (iv, text) in self.synthetic_ivs(plains).iter().zip(&mut texts) {
            if let Some(place) = text.first_chunk_mut() {
                *place = iv.0;
            }
        }
        self.cipher.encrypt_with_backend(Keystreams(texts));
    }

    /// The plain text. `None` if `sealed` is not authentic.
    pub fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let iv = sealed.first_chunk::<IV_LEN>()?;
        let mut plain = Zeroizing::new(sealed.to_vec());
        self.cipher.encrypt_with_backend(Keystreams([&mut plain]));
        plain.drain(..IV_LEN);
        let [expected] = self.synthetic_ivs([&mut plain]);
        bool::from(expected.ct_eq(iv)).then_some(plain)
    }

    /// The last step of S2V, over each plain text. Masks their ends and restores them before returning.
    fn synthetic_ivs<const N: usize>(&self, mut plains: [&mut [u8]; N]) -> [Block; N] {
        let is_short = |plain: &[u8]| plain.len() < BLOCK_LEN;
        let padded = |plain: &[u8]| xor(self.vector.dbl(), &padded(plain).0);
        let short = plains.each_ref().map(|plain| is_short(plain).then(|| padded(plain)));
        plains.iter_mut().for_each(|plain| self.mask_end(plain));
        let mut messages = [[].as_slice(); N];
        for ((message, plain), short) in messages.iter_mut().zip(&plains).zip(&short) {
            *message = short.as_ref().map_or(&**plain, |block| block.as_slice());
        }
        let ivs = self.mac.macs(messages);
        plains.iter_mut().for_each(|plain| self.mask_end(plain));
        ivs
    }

    /// XORs S2V's vector into the last 16 octets. A second call restores them.
    fn mask_end(&self, plain: &mut [u8]) {
        if let Some(end) = plain.last_chunk_mut() {
            *end = xor(self.vector, end).0;
        }
    }
}

/// Encrypts or decrypts each text after its IV: AES-CTR (NIST SP 800-38A, section 6.5), starting at the IV with two bits
/// cleared (RFC 5297, section 2.5). No block waits for another, so the processor encrypts several at a time.
struct Keystreams<'a, const N: usize>([&'a mut [u8]; N]);

impl<const N: usize> BlockSizeUser for Keystreams<'_, N> {
    type BlockSize = U16;
}

impl<const N: usize> BlockCipherEncClosure for Keystreams<'_, N> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        for sealed in self.0 {
            if let Some((iv, text)) = sealed.split_first_chunk_mut() {
                apply_keystream(u128::from_be_bytes(*iv) & !CLEARED, text, backend);
            }
        }
    }
}

#[inline(always)]
fn apply_keystream<B: BlockCipherEncBackend<BlockSize = U16>>(first: u128, text: &mut [u8], backend: &B) {
    let mut counter = first;
    let mut next = || {
        let mut block = Block::from(counter.to_be_bytes());
        backend.encrypt_block_inplace(&mut block);
        counter = counter.wrapping_add(1);
        block
    };
    let (blocks, rest) = text.as_chunks_mut();
    for block in blocks {
        *block = xor(next(), block).0;
    }
    if !rest.is_empty() {
        rest.iter_mut().zip(next()).for_each(|(to, from)| *to ^= from);
    }
}

/// The expanded key.
#[expect(clippy::expect_used, reason = "both halves of a key of SIV_KEY_LEN are AES-256 keys")]
fn schedule(half: &[u8]) -> Aes256Enc {
    Aes256Enc::new_from_slice(half).expect("32 octets")
}
