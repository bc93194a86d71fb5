//! The codecs of the program, and those of its dependency.

use crate::codec::{Bounds, GzipDecodeError, GzipDecoder, GzipEncoder};
use flate2::{Compress, Compression, FlushCompress, Status};

use crate::contest::{Decode, Decoder, Encode, Encoder};

/// The window, as a power of two.
const WINDOW_BITS: u8 = 15;
/// Room for each step of the encoder.
const STEP: usize = 16 * 1024;

pub(crate) fn encoders() -> Vec<Encoder> {
    let encoder = |name, open| Encoder { name, open, read_back: gunzip as Decode };
    vec![
        encoder("**Glassine**", || Box::new(GzipEncoder::new())),
        encoder("zlib-rs level 1", || zlib_rs(1)),
        encoder("zlib-rs level 2", || zlib_rs(2)),
    ]
}

pub(crate) fn decoders() -> Vec<Decoder> {
    vec![Decoder { name: "**Glassine** (zlib-rs)", decode: gunzip }]
}

impl Encode for GzipEncoder {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) {
        GzipEncoder::push(self, input, output);
    }

    fn finish(self: Box<Self>, output: &mut Vec<u8>) {
        GzipEncoder::finish(*self, output);
    }
}

fn zlib_rs(level: u32) -> Box<dyn Encode> {
    Box::new(Compress::new_gzip(Compression::new(level), WINDOW_BITS))
}

impl Encode for Compress {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) {
        let (start, mut rest) = (self.total_in(), input);
        while !rest.is_empty() {
            output.reserve(STEP);
            self.compress_vec(rest, output, FlushCompress::None).unwrap();
            let read = usize::try_from(self.total_in() - start).unwrap();
            rest = input.get(read..).unwrap_or_default();
        }
    }

    fn finish(mut self: Box<Self>, output: &mut Vec<u8>) {
        while self.compress_vec(&[], output, FlushCompress::Finish).unwrap() != Status::StreamEnd {
            output.reserve(STEP);
        }
    }
}

pub(crate) fn gunzip(packed: &mut dyn Iterator<Item = &[u8]>, output: &mut dyn FnMut(&[u8])) {
    let mut decoder = GzipDecoder::new(Bounds::default());
    for chunk in packed {
        decoder
            .push(chunk, &mut |piece| {
                output(piece);
                Ok::<_, GzipDecodeError>(())
            })
            .unwrap();
    }
    decoder.finish().unwrap();
}
