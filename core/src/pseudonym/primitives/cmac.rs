//! AES-256-CMAC (RFC 4493; NIST SP 800-38B with this key size) that neither copies its key nor computes a subkey again.
//!
//! The `cmac` crate consumes a MAC with its message. To keep the key, each message would need a copy of the key
//! schedule, wiped afterwards. The crate also calls the block cipher several times per message. Each call prepares the
//! cipher for parallel blocks, which a chain of blocks cannot use. Here, a message is one call. With the crate, a page
//! without bodies takes a tenth longer.

use aes::Aes256Enc;
use aes::cipher::common::BlockSizeUser;
use aes::cipher::{Array, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, consts::U16};
use dbl::Dbl;
use zeroize::Zeroizing;

/// Octets of an AES block, and of a MAC.
pub(super) const BLOCK_LEN: usize = 16;

pub(super) type Block = Array<u8, U16>;

/// A key with its two subkeys. All three are wiped on drop.
pub(super) struct Cmac {
    cipher: Aes256Enc,
    /// Subkey for a complete last block (K1).
    whole: Zeroizing<[u8; BLOCK_LEN]>,
    /// Subkey for a padded last block (K2).
    padded: Zeroizing<[u8; BLOCK_LEN]>,
}

impl Cmac {
    /// A MAC under the key of `cipher`.
    pub(super) fn new(cipher: Aes256Enc) -> Self {
        let mut zero = Zeroizing::new([0; BLOCK_LEN]);
        cipher.encrypt_block((&mut *zero).into());
        let double = |block: &[u8; BLOCK_LEN]| Zeroizing::new(Block::from(*block).dbl().0);
        let whole = double(&zero);
        let padded = double(&whole);
        Self { cipher, whole, padded }
    }

    /// The MAC over `message`.
    pub(super) fn mac(&self, message: &[u8]) -> Block {
        let [mac] = self.macs([message]);
        mac
    }

    /// The MAC over each message. Eight take hardly longer than one: each block waits for the one before it in its
    /// message, but not for the blocks of the other messages.
    pub(super) fn macs<const N: usize>(&self, messages: [&[u8]; N]) -> [Block; N] {
        let mut macs = [Block::default(); N];
        let chains = messages.map(|message| self.chain(message));
        self.cipher.encrypt_with_backend(Chains { chains, macs: &mut macs });
        macs
    }

    fn chain<'a>(&self, message: &'a [u8]) -> Chain<'a> {
        let (blocks, rest) = message.as_chunks();
        match blocks.split_last() {
            Some((last, before)) if rest.is_empty() => {
                Chain { before, last: xor(Block::from(*last), &self.whole) }
            }
            _ => Chain { before: blocks, last: xor(padded(rest), &self.padded) },
        }
    }
}

/// The blocks of a message. A subkey is in the last one.
struct Chain<'a> {
    before: &'a [[u8; BLOCK_LEN]],
    last: Block,
}

/// Cipher block chaining that keeps only the last block of each chain.
struct Chains<'a, const N: usize> {
    chains: [Chain<'a>; N],
    macs: &'a mut [Block; N],
}

impl<const N: usize> BlockSizeUser for Chains<'_, N> {
    type BlockSize = U16;
}

impl<const N: usize> BlockCipherEncClosure for Chains<'_, N> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let longest = self.chains.iter().map(|chain| chain.before.len()).max().unwrap_or_default();
        let add = |mac: &mut Block, block| {
            *mac = xor(*mac, block);
            backend.encrypt_block_inplace(mac);
        };
        for step in 0..longest {
            for (chain, mac) in self.chains.iter().zip(&mut *self.macs) {
                if let Some(block) = chain.before.get(step) {
                    add(mac, block);
                }
            }
        }
        self.chains.iter().zip(self.macs).for_each(|(chain, mac)| add(mac, &chain.last.0));
    }
}

#[inline(always)]
pub(super) fn xor(mut block: Block, other: &[u8; BLOCK_LEN]) -> Block {
    block.iter_mut().zip(other).for_each(|(to, from)| *to ^= from);
    block
}

/// Pads less than a block to a whole block: a one bit, then zeros.
pub(super) fn padded(short: &[u8]) -> Block {
    let mut block = Block::default();
    let content = short.iter().copied().chain([0x80]);
    block.iter_mut().zip(content).for_each(|(to, from)| *to = from);
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;
    use aes::cipher::KeyInit;

    /// The key and the message of the examples that NIST publishes for SP 800-38B.
    const KEY: &str = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
    const MESSAGE: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                           30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

    fn octets(text: &str) -> Vec<u8> {
        hex::decoded(text).unwrap()
    }

    #[test]
    fn macs_are_those_of_the_published_examples() {
        let cmac = Cmac::new(Aes256Enc::new_from_slice(&octets(KEY)).unwrap());
        for (length, expected) in [
            (0, "028962f61b7bf89efc6b551f4667d983"),
            (16, "28a7023f452e8f82bd4bf28d8c37c35c"),
            (40, "aaf3d8f1de5640c232f5b169b9c911e6"),
            (64, "e1992190549f6ed5696a2c056c315410"),
        ] {
            assert_eq!(cmac.mac(&octets(MESSAGE)[..length]).to_vec(), octets(expected), "{length} octets");
        }
    }

    #[test]
    fn macs_of_several_messages_are_those_of_each() {
        let cmac = Cmac::new(Aes256Enc::new_from_slice(&octets(KEY)).unwrap());
        let message = octets(MESSAGE);
        for lengths in [[0, 16, 40, 64], [64, 48, 0, 17], [33; 4]] {
            let messages = lengths.map(|length| &message[..length]);
            assert_eq!(cmac.macs(messages), messages.map(|message| cmac.mac(message)), "{lengths:?}");
        }
    }
}
