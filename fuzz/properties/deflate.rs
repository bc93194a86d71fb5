//! Every way to cut and flush a text gives a member of the same text, for each of three decoders.
//!
//! A consumer could otherwise read a document that the sanitizer did not write.

use std::io::Read as _;

use flate2::read::GzDecoder;
use glassine::codec::{Bounds, GzipDecodeError, GzipDecoder, GzipEncoder};
use miniz_oxide::inflate::decompress_to_vec;

/// The longest text that a program writes: some windows.
const LONGEST: usize = 256 * 1024;
/// A member without options has a head of this length, and a trailer (RFC 1952, section 2.3).
const HEAD: usize = 10;
const TRAILER: usize = 8;
/// Deflate's highest ratio is 1,032, so only the length is bounded.
const BOUNDS: Bounds = Bounds { max_decoded: LONGEST as u64, max_ratio: 2_000 };

/// See the module. The first byte says how many cuts follow; the rest is a text, and also a program that writes one.
pub fn deflate(data: &[u8]) {
    let Some((count, rest)) = data.split_first() else { return };
    let (cuts, rest) = rest.split_at(usize::from(*count).min(rest.len()));
    for text in [rest.get(..LONGEST).unwrap_or(rest), &written(rest)] {
        is_read_by_all(text, &packed(text, &[]));
        is_read_by_all(text, &packed(text, cuts));
    }
}

/// A byte of 0xfe or 0xff copies: two bytes say from how far back, one says how much. Other bytes stand for themselves. So a
/// few bytes make a text with matches at any distance.
fn written(mut program: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    while let Some((step, rest)) = program.split_first() {
        program = rest;
        match (step, rest) {
            (0xfe.., [far, farther, length, rest @ ..]) => {
                let (distance, length) =
                    (usize::from(u16::from_le_bytes([*far, *farther])), usize::from(*length));
                copy(&mut text, distance, length * if *step == 0xff { 1 } else { 200 });
                program = rest;
            }
            _ => text.push(*step),
        }
    }
    text.truncate(LONGEST);
    text
}

fn copy(text: &mut Vec<u8>, distance: usize, length: usize) {
    let Some(start) = text.len().checked_sub(distance).filter(|_| distance > 0) else { return };
    for at in start..start + length.min(LONGEST.saturating_sub(text.len())) {
        text.push(text[at]);
    }
}

/// Each cut is the length of a piece, and whether a flush follows. They are used over and over.
fn packed(text: &[u8], cuts: &[u8]) -> Vec<u8> {
    let (mut encoder, mut output) = (GzipEncoder::new(), Vec::new());
    let mut rest = text;
    for cut in cuts.iter().cycle() {
        let length = usize::from(cut >> 1) * if rest.len() > 10_000 { 300 } else { 1 };
        let Some((piece, after)) = rest.split_at_checked(length.max(1)) else { break };
        rest = after;
        encoder.push(piece, &mut output);
        if cut & 1 == 1 {
            encoder.flush(&mut output);
            // Not after each flush: it reads everything again.
            if rest.len().is_multiple_of(16) {
                begins_with(&output, text.len() - rest.len());
            }
        }
    }
    encoder.push(rest, &mut output);
    encoder.finish(&mut output);
    output
}

fn begins_with(unfinished: &[u8], length: usize) {
    let mut text = Vec::new();
    let read = GzDecoder::new(unfinished).take(length as u64).read_to_end(&mut text);
    assert!(read.is_ok_and(|read| read == length), "flushed text is not all there");
}

fn is_read_by_all(text: &[u8], member: &[u8]) {
    let mut plain = Vec::new();
    GzDecoder::new(member).read_to_end(&mut plain).expect("zlib-rs reads it");
    assert!(plain == text, "zlib-rs reads something else");
    assert!(ours(member).as_deref() == Ok(text), "the proxy's own decoder reads something else");
    assert!(member[3] == 0, "a member without options");
    let deflated = &member[HEAD..member.len() - TRAILER];
    assert!(decompress_to_vec(deflated).is_ok_and(|plain| plain == text), "miniz_oxide reads something else");
}

fn ours(member: &[u8]) -> Result<Vec<u8>, GzipDecodeError> {
    let (mut decoder, mut plain) = (GzipDecoder::new(BOUNDS), Vec::new());
    decoder.push(member, &mut |piece| {
        plain.extend_from_slice(piece);
        Ok::<_, GzipDecodeError>(())
    })?;
    decoder.finish().map(|()| plain)
}
