//! Portions become blocks (RFC 1951 section 3.2.3).
//!
//! A block begins with its codes, some 80 bytes, and may be as long as it likes. So it goes on as long as its codes fit what comes;
//! a sample tells. Most responses are alike: nine of ten symbols are characters of tokens, each as frequent as the next. So the
//! tuned codes are tried first. Only where they do not fit, all symbols are counted, and codes made for them.

use std::sync::Arc;

use super::bits::{BitWriter, Rest};
use super::coder::Coder;
use super::counts::{Counts, Sample, is_short};
use super::portion::Portion;

#[derive(Default)]
pub(super) struct Blocks {
    /// The codes of the block that was begun and not ended.
    open: Option<Arc<Coder>>,
    /// Bits of the output that do not fill a byte.
    rest: Rest,
}

impl Blocks {
    /// Appends a portion; more come.
    pub(super) fn add(&mut self, portion: &Portion, output: &mut Vec<u8>) {
        let mut bits = BitWriter::new(output, self.rest, portion.room());
        self.write(portion, true, &mut bits);
        self.rest = bits.finish();
    }

    /// Appends the portion before a pause, so that a decoder that has read the output has all of it. Zlib calls this a sync flush:
    /// an empty stored block ends it at a whole byte.
    pub(super) fn flush(&mut self, portion: &Portion, output: &mut Vec<u8>) {
        let mut bits = BitWriter::new(output, self.rest, portion.room());
        self.write(portion, false, &mut bits);
        self.end(&mut bits);
        bits.write_stored(&[]);
        self.rest = bits.finish();
    }

    /// Appends the last portion, and ends the stream: by an empty block, since none that came before was known to be the last one.
    pub(super) fn finish(mut self, portion: &Portion, output: &mut Vec<u8>) {
        let mut bits = BitWriter::new(output, self.rest, portion.room());
        self.write(portion, false, &mut bits);
        self.end(&mut bits);
        bits.write_last_block();
        bits.finish();
    }

    /// Writes a portion, in the block that is open or in a new one, which stays open.
    fn write(&mut self, portion: &Portion, more_come: bool, bits: &mut BitWriter<'_>) {
        if portion.is_empty() {
            return;
        }
        let sample = Sample::of(portion);
        if !self.open.as_ref().is_some_and(|coder| coder.fits(&sample)) {
            self.end(bits);
            self.open = coder_for(portion, sample, more_come);
            if let Some(coder) = &self.open {
                coder.begin(bits);
            }
        }
        match &self.open {
            Some(coder) => portion.write(coder, bits),
            None => bits.write_stored(portion.literals()),
        }
    }

    fn end(&mut self, bits: &mut BitWriter<'_>) {
        if let Some(coder) = self.open.take() {
            coder.end(bits);
        }
    }
}

/// The codes of a block that begins with this portion. `None` if the portion, of literals only, is shortest as it came.
fn coder_for(portion: &Portion, sample: Sample, more_come: bool) -> Option<Arc<Coder>> {
    let counts = if is_short(portion) {
        // Its sample has all of it.
        sample.counts
    } else {
        let tuned = Coder::tuned();
        if tuned.fits(&sample) {
            return Some(tuned);
        }
        Counts::of(portion)
    };
    let (best, bits) = Coder::best(&counts, more_come);
    // The bits that say how a block is written are the same in all. A stored block has up to four bytes more.
    let stored = portion.repeats().is_empty().then(|| 8 * portion.literals().len() + 32);
    let is_shortest = stored.is_some_and(|stored| stored < bits);
    (!is_shortest).then(|| Arc::new(best))
}
