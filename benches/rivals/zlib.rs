//! zlib and zlib-ng, through the C interface that both have.

use crate::contest::{Decoder, Encode, Encoder};
use crate::ours::gunzip;

/// The greatest window, as a power of two, with a gzip head and trailer.
const GZIP: i32 = 15 + 16;
/// zlib's default of memory.
const MEMORY: i32 = 8;
/// The most bytes of one step, as in the program's decoder.
const STEP: usize = 32 * 1024;

macro_rules! interface {
    ($module:ident, $library:ident) => {
        mod $module {
            use std::mem::MaybeUninit;
            use std::mem::size_of;

            use $library as z;

            use super::{Encode, GZIP, MEMORY, STEP};

            /// Zeroed means: the library's own allocator. In a box, because the library remembers the place.
            type Stream = Box<MaybeUninit<z::z_stream>>;

            struct Deflate(Stream);
            struct Inflate(Stream);

            fn size() -> i32 {
                i32::try_from(size_of::<z::z_stream>()).unwrap()
            }

            pub(super) fn open(level: i32) -> Box<dyn Encode> {
                let mut stream: Stream = Box::new(MaybeUninit::zeroed());
                let code = unsafe {
                    z::deflateInit2_(
                        stream.as_mut_ptr(),
                        level,
                        z::Z_DEFLATED,
                        GZIP,
                        MEMORY,
                        z::Z_DEFAULT_STRATEGY,
                        z::zlibVersion(),
                        size(),
                    )
                };
                assert_eq!(code, z::Z_OK);
                Box::new(Deflate(stream))
            }

            impl Deflate {
                /// The library's code, and whether it wants more room.
                fn step(&mut self, output: &mut Vec<u8>, flush: i32) -> (i32, bool) {
                    output.reserve(STEP);
                    let stream = self.0.as_mut_ptr();
                    unsafe {
                        (*stream).next_out = output.as_mut_ptr().add(output.len());
                        (*stream).avail_out = STEP as u32;
                        let code = z::deflate(stream, flush);
                        let left = (*stream).avail_out;
                        output.set_len(output.len() + STEP - left as usize);
                        (code, left == 0)
                    }
                }
            }

            impl Encode for Deflate {
                fn push(&mut self, input: &[u8], output: &mut Vec<u8>) {
                    unsafe {
                        (*self.0.as_mut_ptr()).next_in = input.as_ptr().cast_mut();
                        (*self.0.as_mut_ptr()).avail_in = u32::try_from(input.len()).unwrap();
                    }
                    while self.step(output, z::Z_NO_FLUSH).1 {}
                }

                fn finish(mut self: Box<Self>, output: &mut Vec<u8>) {
                    while self.step(output, z::Z_FINISH).0 != z::Z_STREAM_END {}
                }
            }

            impl Drop for Deflate {
                fn drop(&mut self) {
                    unsafe { z::deflateEnd(self.0.as_mut_ptr()) };
                }
            }

            impl Drop for Inflate {
                fn drop(&mut self) {
                    unsafe { z::inflateEnd(self.0.as_mut_ptr()) };
                }
            }

            pub(super) fn inflate(chunks: &mut dyn Iterator<Item = &[u8]>, output: &mut dyn FnMut(&[u8])) {
                let mut inflate = Inflate(Box::new(MaybeUninit::zeroed()));
                let stream = inflate.0.as_mut_ptr();
                let code = unsafe { z::inflateInit2_(stream, GZIP, z::zlibVersion(), size()) };
                assert_eq!(code, z::Z_OK);
                let mut buffer = vec![0; STEP];
                for chunk in chunks {
                    unsafe {
                        (*stream).next_in = chunk.as_ptr().cast_mut();
                        (*stream).avail_in = u32::try_from(chunk.len()).unwrap();
                    }
                    loop {
                        let left = unsafe {
                            (*stream).next_out = buffer.as_mut_ptr();
                            (*stream).avail_out = STEP as u32;
                            z::inflate(stream, z::Z_NO_FLUSH);
                            (*stream).avail_out as usize
                        };
                        output(&buffer[..STEP - left]);
                        if left > 0 {
                            break;
                        }
                    }
                }
            }
        }
    };
}

interface!(stock, libz_sys);
interface!(ng, libz_ng_sys);

pub(crate) fn encoders() -> Vec<Encoder> {
    let encoder = |name, open| Encoder { name, open, read_back: gunzip };
    vec![
        encoder("zlib level 1", || stock::open(1)),
        encoder("zlib-ng level 1", || ng::open(1)),
        encoder("zlib-ng level 2", || ng::open(2)),
    ]
}

pub(crate) fn decoders() -> Vec<Decoder> {
    vec![Decoder { name: "zlib", decode: stock::inflate }, Decoder { name: "zlib-ng", decode: ng::inflate }]
}
