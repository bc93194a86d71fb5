//! Content codings: how the bytes of a message are packed for the wire, apart from what they mean.
//!
//! Only gzip (RFC 1952), the one coding that Graph sends and every consumer understands. Both directions stream and
//! are free of I/O: bytes in, bytes out, bounds as arguments.

mod gzip_decoder;
mod gzip_encoder;

pub use gzip_decoder::{Bounds, GzipDecodeError, GzipDecoder, MAX_DECODED, MAX_RATIO};
pub use gzip_encoder::{GzipEncodeError, GzipEncoder};
