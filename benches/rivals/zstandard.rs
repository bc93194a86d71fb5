//! zstd: the reference in C with a few windows, and an encoder in Rust.

use std::io::Write;

use structured_zstd::encoding::{CompressionLevel, StreamingEncoder};
use zstd::stream::raw::{self, CParameter, Operation, OutBuffer};

use crate::contest::{Encode, Encoder};

/// Room for each step.
const STEP: usize = 32 * 1024;

pub(crate) fn encoders() -> Vec<Encoder> {
    let encoder = |name, open| Encoder { name, open, read_back: read };
    vec![
        encoder("zstd level 1", || reference(1, None)),
        encoder("zstd level 1, window of 128 KiB", || reference(1, Some(17))),
        encoder("zstd level 1, window of 64 KiB", || reference(1, Some(16))),
        encoder("zstd level 1, window of 32 KiB", || reference(1, Some(15))),
        encoder("structured-zstd level 1", || Box::new(Structured::new())),
    ]
}

struct Reference(raw::Encoder<'static>);

fn reference(level: i32, window: Option<u32>) -> Box<dyn Encode> {
    let mut encoder = raw::Encoder::new(level).unwrap();
    if let Some(window) = window {
        encoder.set_parameter(CParameter::WindowLog(window)).unwrap();
    }
    Box::new(Reference(encoder))
}

impl Reference {
    fn step(
        &mut self,
        output: &mut Vec<u8>,
        mut step: impl FnMut(&mut raw::Encoder<'static>, &mut OutBuffer<'_, Vec<u8>>) -> bool,
    ) {
        loop {
            output.reserve(STEP);
            let at = output.len();
            if step(&mut self.0, &mut OutBuffer::around_pos(output, at)) {
                return;
            }
        }
    }
}

impl Encode for Reference {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) {
        let mut input = raw::InBuffer::around(input);
        self.step(output, |encoder, output| {
            encoder.run(&mut input, output).unwrap();
            input.pos() == input.src.len()
        });
    }

    fn finish(mut self: Box<Self>, output: &mut Vec<u8>) {
        self.step(output, |encoder, output| encoder.finish(output, true).unwrap() == 0);
    }
}

struct Structured(StreamingEncoder<Vec<u8>>);

impl Structured {
    fn new() -> Self {
        Self(StreamingEncoder::new(Vec::new(), CompressionLevel::from_level(1)))
    }
}

impl Encode for Structured {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) {
        self.0.write_all(input).unwrap();
        output.append(self.0.get_mut());
    }

    fn finish(self: Box<Self>, output: &mut Vec<u8>) {
        output.append(&mut self.0.finish().unwrap());
    }
}

fn read(chunks: &mut dyn Iterator<Item = &[u8]>, output: &mut dyn FnMut(&[u8])) {
    let packed = chunks.collect::<Vec<_>>().concat();
    output(&zstd::stream::decode_all(&packed[..]).unwrap());
}
