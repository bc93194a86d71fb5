//! HMAC-SHA-256 (RFC 2104) that starts each message from the two states that its key leaves behind.
//!
//! A MAC of the `hmac` crate is used up by its message, so a key that stays means a copy of two hashers with their buffers
//! for each message, wiped after it, which a page of short messages spends a good part of its time on. Here the key is 64
//! octets, and what is written out is the construction and the padding of SHA-256; the hash's work is `sha2`'s.
//!
//! Wycheproof's vectors and a comparison with the `hmac` crate run against this.

use sha2::block_api::compress256;
use zeroize::Zeroizing;

use super::sha256;

/// Octets of an HMAC-SHA-256 or SHA-256 output.
pub const MAC_LEN: usize = 32;

/// Octets of a SHA-256 block, which is the longest HMAC key that is used unhashed (RFC 2104, section 2).
const BLOCK_LEN: usize = 64;
/// Where the message's length in bits stands in the last block.
const LENGTH_AT: usize = BLOCK_LEN - 8;

/// The hash value before the first block (FIPS 180-4, section 5.3.3).
const INITIAL: State =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

type State = [u32; 8];

/// A key. It is wiped on drop, and so is what is made of it for a message.
pub struct HmacKey {
    inner: Zeroizing<State>,
    outer: Zeroizing<State>,
}

impl HmacKey {
    /// Absorbs `key`, of any length.
    pub fn new(key: &[u8]) -> Self {
        let block = key_block(key);
        let absorbed = |pad: u8| {
            let padded = Zeroizing::new(block.map(|octet| octet ^ pad));
            let mut state = Zeroizing::new(INITIAL);
            compress256(&mut state, std::slice::from_ref(&*padded));
            state
        };
        Self { inner: absorbed(0x36), outer: absorbed(0x5c) }
    }

    /// The MAC over the parts, one after the other as if they were one message.
    pub fn mac<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; MAC_LEN] {
        let mut inner = Hash::behind_key(&self.inner);
        parts.into_iter().for_each(|part| inner.update(part));
        let mut outer = Hash::behind_key(&self.outer);
        outer.update(&inner.finish());
        outer.finish()
    }
}

/// SHA-256 of a message that began with a key's block.
struct Hash {
    state: Zeroizing<State>,
    /// What of the message waits for its block to be full.
    block: [u8; BLOCK_LEN],
    /// Octets of the message, the key's block included.
    length: usize,
}

impl Hash {
    fn behind_key(key: &State) -> Self {
        Self { state: Zeroizing::new(*key), block: [0; BLOCK_LEN], length: BLOCK_LEN }
    }

    fn update(&mut self, part: &[u8]) {
        let mut rest = part;
        while !rest.is_empty() {
            let (_, room) = self.split();
            let (now, later) = rest.split_at_checked(room.len()).unwrap_or((rest, &[]));
            if let Some(room) = room.get_mut(..now.len()) {
                room.copy_from_slice(now);
            }
            self.length += now.len();
            if self.length.is_multiple_of(BLOCK_LEN) {
                self.compress();
            }
            rest = later;
        }
    }

    /// Pads the message with a one bit, zeros and its length (FIPS 180-4, section 5.1.1).
    fn finish(mut self) -> [u8; MAC_LEN] {
        let bits = u64::try_from(self.length).unwrap_or(u64::MAX).wrapping_mul(8);
        let (filled, padding) = self.split();
        padding.fill(0);
        if let Some(first) = padding.first_mut() {
            *first = 0x80;
        }
        if filled >= LENGTH_AT {
            self.compress();
            self.block = [0; BLOCK_LEN];
        }
        if let Some(length) = self.block.last_chunk_mut() {
            *length = bits.to_be_bytes();
        }
        self.compress();
        let mut octets = [0; MAC_LEN];
        let (words, _) = octets.as_chunks_mut();
        words.iter_mut().zip(self.state.iter()).for_each(|(to, word)| *to = word.to_be_bytes());
        octets
    }

    /// How much of the block is filled, and the rest of it, which is never empty.
    fn split(&mut self) -> (usize, &mut [u8]) {
        let filled = self.length % BLOCK_LEN;
        (filled, self.block.get_mut(filled..).unwrap_or_default())
    }

    fn compress(&mut self) {
        compress256(&mut self.state, std::slice::from_ref(&self.block));
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

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;

    /// Keys of the lengths around a block's edges and messages of every length up to three blocks, cut in two.
    #[test]
    fn macs_are_those_of_the_hmac_crate() {
        let octets: Vec<u8> = (0..3 * BLOCK_LEN + 2).map(|at| u8::try_from(at % 251).unwrap()).collect();
        for key in [0, 1, 32, 63, 64, 65, 130] {
            let key = &octets[..key];
            let keyed = HmacKey::new(key);
            for length in 0..octets.len() {
                let message = &octets[..length];
                let mut reference = Hmac::<Sha256>::new_from_slice(key).unwrap();
                reference.update(message);
                let expected: [u8; MAC_LEN] = reference.finalize().into_bytes().into();
                for cut in [0, 1, length / 2, length] {
                    let (head, tail) = message.split_at(cut.min(length));
                    assert_eq!(keyed.mac([head, tail]), expected, "{length} octets cut at {cut}");
                }
            }
        }
    }
}
