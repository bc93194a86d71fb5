//! Encodes a response as one gzip member (RFC 1952), streaming.

use crc32fast::Hasher;

use super::deflate::Deflate;

/// Deflate, no name, no time, "fastest algorithm", unknown operating system: nothing that tells of the machine.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

/// A streaming encoder of one gzip member.
#[derive(Default)]
pub struct GzipEncoder {
    deflate: Deflate,
    checksum: Hasher,
    /// Bytes pushed, modulo 2³².
    length: u32,
    begun: bool,
}

impl GzipEncoder {
    /// An encoder at the start of a member.
    pub fn new() -> Self {
        Self::default()
    }

    /// Encodes `input` and appends to `output` what is ready. The encoder holds some bytes until more input, a flush or the
    /// end.
    pub fn push(&mut self, input: &[u8], output: &mut Vec<u8>) {
        self.begin(output);
        self.checksum.update(input);
        // The length that gzip keeps is cut in the same way.
        self.length = self.length.wrapping_add(input.len() as u32);
        self.deflate.push(input, output);
    }

    /// How many bytes it holds.
    pub fn held(&self) -> usize {
        self.deflate.held()
    }

    /// Appends what is held, at the price of some bytes.
    pub fn flush(&mut self, output: &mut Vec<u8>) {
        self.begin(output);
        self.deflate.flush(output);
    }

    /// Ends the member and appends the rest of it to `output`.
    pub fn finish(mut self, output: &mut Vec<u8>) {
        self.begin(output);
        self.deflate.finish(output);
        output.extend_from_slice(&self.checksum.finalize().to_le_bytes());
        output.extend_from_slice(&self.length.to_le_bytes());
    }

    fn begin(&mut self, output: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            output.extend_from_slice(&HEADER);
        }
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
        let mut encoder = GzipEncoder::new();
        for piece in pieces {
            encoder.push(piece, &mut output);
        }
        encoder.finish(&mut output);
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

    #[test]
    fn a_flush_before_the_first_byte_begins_the_member() {
        let mut output = Vec::new();
        let mut encoder = GzipEncoder::new();
        encoder.flush(&mut output);
        encoder.push(b"text", &mut output);
        assert!(encoder.held() > 0);
        encoder.finish(&mut output);
        assert_eq!(read(&output), b"text");
    }
}
