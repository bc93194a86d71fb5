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
mod tests {
    use std::io::Write;

    use super::*;
    use crate::codec::GzipEncoder;

    const TEXT: &[u8] = br#"{"value":[{"id":"1"},{"id":"2"},{"id":"3"}]}"#;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        let mut encoder = GzipEncoder::new();
        encoder.push(plain, &mut packed);
        encoder.finish(&mut packed);
        packed
    }

    /// Decodes `packed` in pieces of `step` bytes.
    fn inflate(packed: &[u8], step: usize, bounds: Bounds) -> Result<Vec<u8>, GzipDecodeError> {
        let mut inflater = GzipDecoder::new(bounds);
        let mut plain = Vec::new();
        for piece in packed.chunks(step) {
            inflater.push(piece, &mut |decoded| {
                assert!(decoded.len() <= SLICE);
                plain.extend_from_slice(decoded);
                Ok::<_, GzipDecodeError>(())
            })?;
        }
        inflater.finish().map(|()| plain)
    }

    fn whole(packed: &[u8]) -> Result<Vec<u8>, GzipDecodeError> {
        inflate(packed, packed.len().max(1), Bounds::default())
    }

    /// `len` blanks, compressed as far as deflate can.
    fn bomb(len: usize) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![b' '; len]).unwrap();
        encoder.finish().unwrap()
    }

    /// Bytes that hardly compress: a linear congruential sequence.
    fn noise(len: usize) -> Vec<u8> {
        let mut x = 1_u32;
        let next = || {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            x.to_be_bytes()[0]
        };
        std::iter::repeat_with(next).take(len).collect()
    }

    #[test]
    fn any_chunking_gives_the_same_bytes() {
        let plain = [TEXT.repeat(5_000), noise(100_000)].concat();
        let packed = gzip(&plain);
        for step in [1, 2, 7, 4096, packed.len()] {
            assert_eq!(inflate(&packed, step, Bounds::default()).unwrap(), plain);
        }
    }

    #[test]
    fn an_empty_member_is_valid_and_a_missing_one_is_not() {
        assert_eq!(whole(&gzip(b"")), Ok(Vec::new()));
        assert_eq!(whole(b""), Err(GzipDecodeError::Truncated));
    }

    #[test]
    fn other_codings_are_refused() {
        let mut zlib = flate2::Compress::new(flate2::Compression::fast(), true);
        let mut packed = Vec::with_capacity(1024);
        zlib.compress_vec(TEXT, &mut packed, flate2::FlushCompress::Finish).unwrap();
        assert_eq!(whole(&packed), Err(GzipDecodeError::Corrupt));
        assert_eq!(whole(TEXT), Err(GzipDecodeError::Corrupt));
        assert_eq!(whole(&gzip(TEXT)), Ok(TEXT.to_vec()));
    }

    /// Fault: gzip from Graph is cut at any byte. Outcome: decoding fails.
    #[test]
    fn every_truncation_is_refused() {
        let packed = gzip(TEXT);
        for end in 1..packed.len() {
            assert_eq!(whole(&packed[..end]), Err(GzipDecodeError::Truncated), "cut at {end}");
        }
    }

    /// Fault: bytes or a second member follow gzip from Graph. Outcome: decoding fails.
    #[test]
    fn bytes_after_the_member_are_refused() {
        let packed = gzip(TEXT);
        for tail in [vec![0], gzip(TEXT)] {
            let long = [packed.clone(), tail].concat();
            assert_eq!(whole(&long), Err(GzipDecodeError::Trailing));
            assert_eq!(inflate(&long, 1, Bounds::default()), Err(GzipDecodeError::Trailing));
        }
    }

    /// Fault: the checksum or length of gzip from Graph is wrong by one bit. Outcome: decoding fails.
    #[test]
    fn a_wrong_checksum_or_length_is_refused() {
        let packed = gzip(TEXT);
        for from_end in 1..=8 {
            let mut bad = packed.clone();
            let at = bad.len() - from_end;
            bad[at] ^= 1;
            assert_eq!(whole(&bad), Err(GzipDecodeError::Corrupt), "byte {from_end} from the end");
        }
    }

    /// Fault: gzip from Graph decodes to more than the limit. Outcome: decoding stops at the limit.
    #[test]
    fn the_decoded_size_is_bounded_to_the_byte() {
        let packed = gzip(&noise(50_000));
        let at_most = |max_decoded| inflate(&packed, 999, Bounds { max_decoded, ..Bounds::default() });
        assert_eq!(at_most(50_000).unwrap().len(), 50_000);
        assert_eq!(at_most(49_999), Err(GzipDecodeError::TooLarge));
    }

    #[test]
    fn a_bomb_is_refused_and_a_regular_page_is_not() {
        let decoded = |packed: Vec<u8>| whole(&packed).map(|plain| plain.len());
        assert_eq!(decoded(bomb(4 << 20)), Err(GzipDecodeError::Ratio));
        assert_eq!(decoded(bomb(1 << 20)), Ok(1 << 20), "short enough to be harmless");
        let page = [noise(30_000), TEXT.repeat(40_000)].concat();
        assert_eq!(decoded(gzip(&page)), Ok(page.len()));
    }

    #[test]
    fn an_error_is_repeated() {
        let mut inflater = GzipDecoder::new(Bounds::default());
        let mut ignore = |_: &[u8]| Ok::<_, GzipDecodeError>(());
        assert_eq!(inflater.push(b"no gzip", &mut ignore), Err(GzipDecodeError::Corrupt));
        assert_eq!(inflater.push(&gzip(TEXT), &mut ignore), Err(GzipDecodeError::Corrupt));
        assert_eq!(inflater.finish(), Err(GzipDecodeError::Corrupt));
    }

    #[test]
    fn the_output_can_stop_the_decoding() {
        let mut inflater = GzipDecoder::new(Bounds::default());
        let mut refuse = |_: &[u8]| Err(GzipDecodeError::TooLarge);
        assert_eq!(inflater.push(&gzip(TEXT), &mut refuse), Err(GzipDecodeError::TooLarge));
    }
}
