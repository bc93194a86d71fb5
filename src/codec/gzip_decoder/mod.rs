//! Decodes one gzip member, and bounds its decoded size.
//!
//! One compressed kilobyte can decode to a megabyte. So the decoder never holds more than one buffer, counts the
//! decoded bytes, and stops when the total or the ratio is more than an honest page needs. It takes exactly one member.
//! RFC 1952 section 2.2 allows several in a row, but Graph sends one, and some readers do not see the second one.

use std::mem;

use flate2::{Decompress, FlushDecompress, Status};

/// The most decoded bytes of one response. A page of 1,000 messages with bodies has about 6 MB. The rest is room for
/// messages with inline pictures, which Exchange lets grow to about 150 MB.
pub(crate) const MAX_DECODED: u64 = 256 * 1024 * 1024;

/// The most decoded bytes per compressed byte. A synthetic page of 1,000 messages has a ratio of 6, or 57 if all have
/// the same 5 KB body. Deflate's highest ratio is 1,032, and only a bomb comes near it.
pub(crate) const MAX_RATIO: u64 = 200;

/// The ratio counts only beyond this many decoded bytes: a short and very regular response does no harm.
const RATIO_FREE: u64 = 1024 * 1024;

/// The most decoded bytes in one call of `output`. The decoder copies its window after each call, 32 KiB, so a slice is
/// longer than that: with slices of 32 KiB, decoding a page of 1,000 messages takes a tenth more. Small enough for the L2
/// cache, and a page of ten messages is one slice.
const SLICE: usize = 64 * 1024;

/// The largest window of a gzip stream, as a power of two (RFC 1951 section 2).
const WINDOW_BITS: u8 = 15;

/// The bounds of a decoded stream.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most decoded bytes.
    pub max_decoded: u64,
    /// Most decoded bytes per compressed byte, once the first MiB is out.
    pub max_ratio: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { max_decoded: MAX_DECODED, max_ratio: MAX_RATIO }
    }
}

/// Why a stream was refused. The decoder never recovers, and repeats its first error.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum GzipDecodeError {
    /// Not gzip, a damaged stream, or a wrong checksum or length at its end.
    #[error("the compressed response is not a valid gzip stream")]
    Corrupt,
    /// More decoded bytes per compressed byte than [`Bounds::max_ratio`].
    #[error("the compressed response expands more than any honest response does")]
    Ratio,
    /// More decoded bytes than [`Bounds::max_decoded`].
    #[error("the compressed response decodes to more bytes than allowed")]
    TooLarge,
    /// Bytes after the end of the member, such as a second member.
    #[error("the compressed response has bytes after its end")]
    Trailing,
    /// The input ended inside the member.
    #[error("the compressed response ends too early")]
    Truncated,
}

/// A streaming decoder of one gzip member.
pub struct GzipDecoder {
    decoder: Decompress,
    bounds: Bounds,
    /// What was decoded last. Its capacity is the most of one step.
    buffer: Vec<u8>,
    state: Stage,
}

enum Stage {
    Open,
    Ended,
    Failed(GzipDecodeError),
}

impl GzipDecoder {
    /// A decoder at the start of a stream.
    pub fn new(bounds: Bounds) -> Self {
        let buffer = Vec::with_capacity(SLICE);
        Self { decoder: Decompress::new_gzip(WINDOW_BITS), bounds, buffer, state: Stage::Open }
    }

    /// Decodes `input` and calls `output` with the result, at most 64 KiB at a time.
    ///
    /// # Errors
    /// What is wrong with the stream, or an error of `output`, which also ends the decoding.
    pub fn push<E: From<GzipDecodeError>>(
        &mut self,
        input: &[u8],
        output: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = input;
        while self.wants(rest)? {
            let consumed = self.step(rest)?;
            rest = rest.get(consumed..).unwrap_or_default();
            match self.buffer.as_slice() {
                [] if consumed == 0 => return Ok(()),
                [] => {}
                decoded => output(decoded)?,
            }
        }
        Ok(())
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// [`GzipDecodeError::Truncated`] unless the member is complete, or an earlier error again.
    pub fn finish(self) -> Result<(), GzipDecodeError> {
        match self.state {
            Stage::Open => Err(GzipDecodeError::Truncated),
            Stage::Ended => Ok(()),
            Stage::Failed(error) => Err(error),
        }
    }

    /// Whether there is more to decode. After the member's end, any further byte is an error.
    fn wants(&mut self, rest: &[u8]) -> Result<bool, GzipDecodeError> {
        match self.state {
            Stage::Open => Ok(true),
            Stage::Ended if rest.is_empty() => Ok(false),
            Stage::Ended => self.fail(GzipDecodeError::Trailing),
            Stage::Failed(error) => Err(error),
        }
    }

    /// Decodes until the buffer is full or the input is used up. Returns how many bytes were consumed. The decoder needs more input if
    /// none were, and the buffer is empty.
    fn step(&mut self, input: &[u8]) -> Result<usize, GzipDecodeError> {
        let (seen, _) = self.totals();
        self.buffer.clear();
        match self.decoder.decompress_vec(input, &mut self.buffer, FlushDecompress::None) {
            Ok(Status::StreamEnd) => drop(mem::replace(&mut self.state, Stage::Ended)),
            Ok(Status::Ok | Status::BufError) => {}
            Err(_) => return self.fail(GzipDecodeError::Corrupt),
        }
        let (seen_now, decoded_now) = self.totals();
        if let Some(excess) = self.excess(seen_now, decoded_now) {
            return self.fail(excess);
        }
        // At most the length of a slice in memory.
        usize::try_from(seen_now - seen).map_err(|_| GzipDecodeError::Corrupt)
    }

    fn totals(&self) -> (u64, u64) {
        (self.decoder.total_in(), self.decoder.total_out())
    }

    fn excess(&self, seen: u64, decoded: u64) -> Option<GzipDecodeError> {
        if decoded > self.bounds.max_decoded {
            return Some(GzipDecodeError::TooLarge);
        }
        let bomb = decoded > RATIO_FREE && decoded > seen.saturating_mul(self.bounds.max_ratio);
        bomb.then_some(GzipDecodeError::Ratio)
    }

    fn fail<T>(&mut self, error: GzipDecodeError) -> Result<T, GzipDecodeError> {
        self.state = Stage::Failed(error);
        Err(error)
    }
}

#[cfg(test)]
mod tests;
