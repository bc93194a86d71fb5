//! Deflate (RFC 1951) for what the sanitizer writes.
//!
//! # What is known of that text
//!
//! It has two parts. *Scaffold* is the same again and again: `"}},{"emailAddress":{"address":"t~A`. *Tokens* and times are in
//! between: a token either came before as a whole, or is 32 to 200 characters that nobody has seen, of which each takes six
//! bits and no search saves any. In a page of messages nine of ten bytes of the result are such characters.
//!
//! A general encoder looks for a repeat at every byte. Here a repeat begins only where a word does: behind the last repeat, or
//! at a quote, a comma, a colon, an `@` ([`window`]). So the places to look at are few, each is looked up once ([`table`]), and
//! fresh tokens are stepped over 32 bytes at a time. Two earlier places are compared and the longer repeat taken, because the
//! scaffold behind a token depends on whether a list goes on. All of this is a choice of what to compare: a repeat is only
//! written if the bytes are equal, so a bad choice makes the result longer, never wrong.
//!
//! ```text
//!  push ──▶ window ──▶ repeats (table) ──▶ block: literals, repeats ──▶ Huffman codes of this block ──▶ bits
//!           64 KiB      what came before     16 Ki, 4 Ki                  (or fixed ones, or stored)
//! ```
//!
//! # Why the matcher gives no hints
//!
//! The sanitizer knows where it writes scaffold and where a token, and could say so. It was measured what that could save: of the
//! literals of a page a perfect search would find 2 %, half a percent of the page; and to mark each token within a repeat cost a
//! seventh of the time and found a tenth of that. The places are in the text: a quote is one. So the encoder takes bytes from
//! anybody, and there is no second channel between what decides and what packs.

mod bits;
mod block;
mod codes;
mod header;
mod huffman;
mod repeats;
mod symbols;
mod table;
mod window;

use bits::{BitWriter, Rest};
use block::Block;
use repeats::Repeats;

/// A streaming encoder of one deflate stream. Holds some 120 KiB for a page, and 256 at most, whatever comes.
#[derive(Default)]
pub(super) struct Deflate {
    repeats: Repeats,
    block: Block,
    /// Bits of the output that do not fill a byte.
    rest: Rest,
}

impl Deflate {
    /// Encodes `input` and appends to `output` what is ready.
    pub(super) fn push(&mut self, input: &[u8], output: &mut Vec<u8>) {
        let mut input = input;
        while !input.is_empty() {
            self.repeats.fill(&mut input);
            self.encode(self.repeats.settled(), output);
        }
    }

    /// Bytes that were pushed and are not yet in the output.
    pub(super) fn held(&self) -> usize {
        self.repeats.held() + self.block.text_length()
    }

    /// Appends all that was pushed so far, so that a decoder that has read the output has all of it. Zlib calls this a sync flush:
    /// an empty stored block ends it at a whole byte.
    pub(super) fn flush(&mut self, output: &mut Vec<u8>) {
        self.encode(self.repeats.end(), output);
        if self.block.text_length() > 0 {
            self.rest = self.block.write(false, self.rest, output);
        }
        let mut bits = BitWriter::new(output, self.rest, 0);
        block::write_stored(&[], false, &mut bits);
        self.rest = bits.finish();
    }

    /// Ends the stream.
    pub(super) fn finish(mut self, output: &mut Vec<u8>) {
        self.encode(self.repeats.end(), output);
        let rest = self.block.write(true, self.rest, output);
        let mut bits = BitWriter::new(output, rest, 0);
        bits.align();
        bits.finish();
    }

    /// Puts the text up to `end` into blocks, and writes those that are full.
    fn encode(&mut self, end: usize, output: &mut Vec<u8>) {
        while let Some(step) = self.repeats.next(end) {
            self.block.add_literals(step.text, step.literals);
            if let Some(repeat) = step.repeat {
                self.block.add_repeat(repeat);
            }
            if self.block.is_full() {
                self.rest = self.block.write(false, self.rest, output);
            }
        }
    }
}

#[cfg(test)]
mod tests;
