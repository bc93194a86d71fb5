//! Compresses a response as one gzip member (RFC 1952), streaming.

use flate2::{Compress, CompressError, Compression, FlushCompress, Status};

/// Free space that is reserved before each step, so that each step makes progress.
const STEP: usize = 16 * 1024;

/// The window, as a power of two. The largest one: its memory is only held during one response.
const WINDOW_BITS: u8 = 15;

/// The encoder failed. This is a defect of the program, because every byte string can be compressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the response could not be compressed")]
pub struct GzipEncodeError;

impl From<CompressError> for GzipEncodeError {
    fn from(_: CompressError) -> Self {
        Self
    }
}

/// A streaming encoder of one gzip member, at level 1. Metadata is repetitive: higher levels take several times as long
/// and save only a few percent.
pub struct GzipEncoder(Compress);

impl GzipEncoder {
    /// An encoder at the start of a member.
    pub fn new() -> Self {
        Self(Compress::new_gzip(Compression::fast(), WINDOW_BITS))
    }

    /// Compresses `input` and appends to `output` what is ready. The encoder holds some bytes until more input or the
    /// end.
    ///
    /// # Errors
    /// [`GzipEncodeError`], after which the member must not be used.
    pub fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(), GzipEncodeError> {
        let mut rest = input;
        while !rest.is_empty() {
            let before = self.0.total_in();
            self.step(rest, output, FlushCompress::None)?;
            let consumed = usize::try_from(self.0.total_in() - before).map_err(|_| GzipEncodeError)?;
            rest = rest.get(consumed..).unwrap_or_default();
        }
        Ok(())
    }

    /// Ends the member and appends the rest of it to `output`.
    ///
    /// # Errors
    /// [`GzipEncodeError`], after which the member must not be used.
    pub fn finish(mut self, output: &mut Vec<u8>) -> Result<(), GzipEncodeError> {
        while self.step(&[], output, FlushCompress::Finish)? != Status::StreamEnd {}
        Ok(())
    }

    fn step(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
        flush: FlushCompress,
    ) -> Result<Status, GzipEncodeError> {
        output.reserve(STEP);
        Ok(self.0.compress_vec(input, output, flush)?)
    }
}

impl Default for GzipEncoder {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// Reads a member with flate2's reader, independent of this module's decoder.
    fn read(packed: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(packed).read_to_end(&mut plain).unwrap();
        plain
    }

    fn packed(pieces: &[&[u8]]) -> Vec<u8> {
        let mut output = b"before".to_vec();
        let mut deflater = GzipEncoder::new();
        for piece in pieces {
            deflater.push(piece, &mut output).unwrap();
        }
        deflater.finish(&mut output).unwrap();
        output.split_off(b"before".len())
    }

    #[test]
    fn any_reader_gets_the_bytes_back() {
        let text = br#"{"value":[]}"#.repeat(50_000);
        let (head, tail) = text.split_at(123_457);
        assert_eq!(read(&packed(&[&text])), text);
        assert_eq!(read(&packed(&[head, b"", tail])), text);
        assert!(packed(&[&text]).len() < text.len() / 50);
    }

    #[test]
    fn an_empty_response_is_a_valid_member() {
        assert_eq!(read(&packed(&[])), b"");
    }
}
