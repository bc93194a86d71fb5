//! Content codings: how the bytes of a message are packed for the wire, apart from what they mean.
//!
//! Only gzip (RFC 1952), the one coding that Graph sends and every consumer understands. Both directions stream and
//! are free of I/O: bytes in, bytes out, bounds as arguments.

mod deflate;
mod inflate;

pub use deflate::{DeflateError, Deflater};
pub use inflate::{Bounds, InflateError, Inflater, MAX_DECODED, MAX_RATIO};
