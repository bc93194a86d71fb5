//! Content codings (RFC 9110, 8.4). Only gzip (RFC 1952): Graph sends it, and every consumer understands it.
//!
//! Decoder and encoder stream and do no I/O: bytes in, bytes out, bounds as arguments.

mod gzip_decoder;
mod gzip_encoder;

pub use gzip_decoder::{Bounds, GzipDecodeError, GzipDecoder};
pub use gzip_encoder::{GzipEncodeError, GzipEncoder};
