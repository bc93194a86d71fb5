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
//!  push ──▶ window ──▶ repeats (table) ──▶ portion: literals, repeats ──▶ blocks: the codes that fit ──▶ bits
//!           64 KiB      what came before     16 Ki, 4 Ki                    (or as it came)
//! ```
//!
//! # Why the matcher gives no hints
//!
//! The sanitizer knows where it writes scaffold and where a token, and could say so. It was measured what that could save: of the
//! literals of a page a perfect search would find 2 %, half a percent of the page; and to mark each token within a repeat cost a
//! seventh of the time and found a tenth of that. The places are in the text: a quote is one. So the encoder takes bytes from
//! anybody, and there is no second channel between what decides and what packs.

mod bits;
mod blocks;
mod coder;
mod codes;
mod counts;
mod header;
mod huffman;
mod portion;
mod repeats;
mod symbols;
mod table;
mod tuned;
mod window;

use blocks::Blocks;
use portion::Portion;
use repeats::Repeats;

/// A streaming encoder of one deflate stream. Holds some 120 KiB for a page, and 256 at most, whatever comes.
#[derive(Default)]
pub(super) struct Deflate {
    repeats: Repeats,
    portion: Portion,
    blocks: Blocks,
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
        self.repeats.held() + self.portion.text_length()
    }

    /// Appends all that was pushed so far, so that a decoder that has read the output has all of it.
    pub(super) fn flush(&mut self, output: &mut Vec<u8>) {
        self.encode(self.repeats.end(), output);
        self.blocks.flush(&self.portion, output);
        self.portion.clear();
    }

    /// Ends the stream.
    pub(super) fn finish(mut self, output: &mut Vec<u8>) {
        self.encode(self.repeats.end(), output);
        self.blocks.finish(&self.portion, output);
    }

    /// Puts the text up to `end` into portions, and writes those that are full.
    fn encode(&mut self, end: usize, output: &mut Vec<u8>) {
        while let Some(step) = self.repeats.next(end) {
            self.portion.add_literals(step.text, step.literals);
            if let Some(repeat) = step.repeat {
                self.portion.add_repeat(repeat);
            }
            if self.portion.is_full() {
                self.blocks.add(&self.portion, output);
                self.portion.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests;
