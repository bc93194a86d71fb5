//! Content codings (RFC 9110, 8.4). Only gzip (RFC 1952): Graph sends it, and every consumer understands it. What comes from Graph
//! is decoded by zlib-rs; what leaves is encoded by [`deflate`], which is made for it.
//!
//! Decoder and encoder stream and do no I/O: bytes in, bytes out, bounds as arguments.

mod deflate;
mod gzip_decoder;
mod gzip_encoder;

pub use gzip_decoder::{Bounds, GzipDecodeError, GzipDecoder};
pub use gzip_encoder::GzipEncoder;
