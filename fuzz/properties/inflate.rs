//! Every way to cut the input has the same outcome. The output stays within the bounds. Accepted input decodes to what
//! another gzip decoder reads. What the encoder packs, the decoder reads.
//!
//! An upstream, or an attacker in its place, could otherwise make one kilobyte take any amount of memory and time.

use std::io::Read as _;

use flate2::Crc;
use flate2::bufread::{DeflateDecoder, GzDecoder};
use glassine::codec::{Bounds, GzipDecodeError, GzipDecoder, GzipEncoder};

use super::seed;
use crate::support::reading::random_chunks;

/// Short enough that the ratio is not checked, and long enough for a few rounds of the decoder's buffer.
const BOUNDS: Bounds = Bounds { max_decoded: 256 * 1024, max_ratio: 200 };
/// The largest piece that the decoder hands over at once.
const PIECE: usize = 64 * 1024;
/// The head of a member without options: magic number, deflate, no flags, no time, unknown system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// See the module. The input serves as a gzip member, as the deflated part of a member, and as a text to pack.
pub fn inflate(data: &[u8]) {
    is_read_as_others_read_it(data);
    if let Some(member) = member_of(data) {
        is_read_as_others_read_it(&member);
    }
    if data.len() as u64 <= BOUNDS.max_decoded {
        assert_eq!(in_any_chunks(&packed(data)), Ok(data.to_vec()));
    }
}

fn is_read_as_others_read_it(packed: &[u8]) {
    let outcome = in_any_chunks(packed);
    let mut other = GzDecoder::new(packed);
    let mut plain = Vec::new();
    let read = other.by_ref().take(BOUNDS.max_decoded + 1).read_to_end(&mut plain).is_ok();
    let rest = other.into_inner();
    if plain.len() as u64 > BOUNDS.max_decoded {
        return assert!(outcome.is_err(), "more than is allowed");
    }
    match outcome {
        Ok(ours) => assert!(read && rest.is_empty() && ours == plain, "another reader reads something else"),
        Err(GzipDecodeError::Trailing) => assert!(read && !rest.is_empty(), "another reader sees no end"),
        Err(error) => assert!(!read, "another reader reads it: {error}"),
    }
}

fn in_any_chunks(packed: &[u8]) -> Result<Vec<u8>, GzipDecodeError> {
    let whole = decoded([packed]);
    is_alike(&decoded(packed.chunks(1)), &whole, "byte by byte");
    is_alike(&decoded(random_chunks(packed, 40, seed(packed))), &whole, "in random chunks");
    whole
}

/// Input that is both damaged and too long may be refused for either reason, whichever the decoder sees first.
fn is_alike(cut: &Result<Vec<u8>, GzipDecodeError>, whole: &Result<Vec<u8>, GzipDecodeError>, how: &str) {
    use GzipDecodeError::{Corrupt, TooLarge};
    let is_either = |outcome: &Result<_, _>| matches!(outcome, Err(Corrupt | TooLarge));
    assert!(
        cut == whole || (is_either(cut) && is_either(whole)),
        "{how}: {:?}, {:?}",
        cut.as_ref().err(),
        whole.as_ref().err()
    );
}

fn decoded<'c>(chunks: impl IntoIterator<Item = &'c [u8]>) -> Result<Vec<u8>, GzipDecodeError> {
    let (mut inflater, mut plain) = (GzipDecoder::new(BOUNDS), Vec::new());
    for chunk in chunks {
        inflater.push(chunk, &mut |piece| {
            plain.extend_from_slice(piece);
            assert!(piece.len() <= PIECE && plain.len() as u64 <= BOUNDS.max_decoded, "more than is allowed");
            Ok::<_, GzipDecodeError>(())
        })?;
    }
    inflater.finish().map(|()| plain)
}

/// A member with the correct checksum at its end, which a fuzzer cannot guess.
fn member_of(deflated: &[u8]) -> Option<Vec<u8>> {
    let (mut plain, mut crc) = (Vec::new(), Crc::new());
    DeflateDecoder::new(deflated).take(BOUNDS.max_decoded + 1).read_to_end(&mut plain).ok()?;
    crc.update(&plain);
    Some([&HEAD[..], deflated, &crc.sum().to_le_bytes(), &crc.amount().to_le_bytes()].concat())
}

fn packed(plain: &[u8]) -> Vec<u8> {
    let (mut deflater, mut packed) = (GzipEncoder::new(), Vec::new());
    deflater.push(plain, &mut packed);
    deflater.finish(&mut packed);
    packed
}
