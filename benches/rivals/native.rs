//! libdeflate and ISA-L.

use std::io::Write;
use std::mem::MaybeUninit;

use isal::isal_sys::igzip_lib;
use isal::{Codec, CompressionLevel};
use libdeflater::{CompressionLvl, Compressor, Decompressor};

use crate::contest::{Decoder, Encode, Encoder};
use crate::ours::gunzip;

/// The most bytes of one step, as in the program's decoder.
const STEP: usize = 32 * 1024;

pub(crate) fn encoders() -> Vec<Encoder> {
    vec![
        Encoder {
            name: "libdeflate level 1, the whole page at once",
            open: || Box::new(Whole::new()),
            read_back: gunzip,
        },
        Encoder { name: "ISA-L level 1", open: || Box::new(Isal::new()), read_back: gunzip },
    ]
}

pub(crate) fn decoders() -> Vec<Decoder> {
    vec![
        Decoder { name: "ISA-L", decode: isal_inflate },
        Decoder { name: "libdeflate, the whole page at once", decode: libdeflate_inflate },
    ]
}

/// libdeflate has no streams: the page is gathered first.
struct Whole(Compressor, Vec<u8>);

impl Whole {
    fn new() -> Self {
        Self(Compressor::new(CompressionLvl::new(1).unwrap()), Vec::new())
    }
}

impl Encode for Whole {
    fn push(&mut self, input: &[u8], _: &mut Vec<u8>) {
        self.1.extend_from_slice(input);
    }

    fn finish(mut self: Box<Self>, output: &mut Vec<u8>) {
        let (start, bound) = (output.len(), self.0.gzip_compress_bound(self.1.len()));
        output.resize(start + bound, 0);
        let written = self.0.gzip_compress(&self.1, &mut output[start..]).unwrap();
        output.truncate(start + written);
    }
}

struct Isal(isal::write::Encoder<Vec<u8>>);

impl Isal {
    fn new() -> Self {
        Self(isal::write::Encoder::new(Vec::new(), CompressionLevel::One, Codec::Gzip))
    }
}

impl Encode for Isal {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) {
        self.0.write_all(input).unwrap();
        output.append(self.0.get_ref_mut());
    }

    fn finish(self: Box<Self>, output: &mut Vec<u8>) {
        output.append(&mut self.0.finish().unwrap());
    }
}

/// The crate's own decoder does not take a member in chunks.
fn isal_inflate(chunks: &mut dyn Iterator<Item = &[u8]>, output: &mut dyn FnMut(&[u8])) {
    let mut state: Box<MaybeUninit<igzip_lib::inflate_state>> = Box::new(MaybeUninit::zeroed());
    let (state, mut buffer) = (state.as_mut_ptr(), vec![0; STEP]);
    unsafe {
        igzip_lib::isal_inflate_init(state);
        (*state).crc_flag = igzip_lib::ISAL_GZIP;
    }
    for chunk in chunks {
        unsafe {
            (*state).next_in = chunk.as_ptr().cast_mut();
            (*state).avail_in = u32::try_from(chunk.len()).unwrap();
        }
        loop {
            let (code, left) = unsafe {
                (*state).next_out = buffer.as_mut_ptr();
                (*state).avail_out = STEP as u32;
                (igzip_lib::isal_inflate(state), (*state).avail_out as usize)
            };
            assert_eq!(code, 0);
            output(&buffer[..STEP - left]);
            if left > 0 {
                break;
            }
        }
    }
}

fn libdeflate_inflate(chunks: &mut dyn Iterator<Item = &[u8]>, output: &mut dyn FnMut(&[u8])) {
    let packed = chunks.collect::<Vec<_>>().concat();
    // A gzip member ends with the length of its text.
    let length = u32::from_le_bytes(*packed.last_chunk().unwrap());
    let mut plain = vec![0; usize::try_from(length).unwrap()];
    Decompressor::new().gzip_decompress(&packed, &mut plain).unwrap();
    output(&plain);
}
