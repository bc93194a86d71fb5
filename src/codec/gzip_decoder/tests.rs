use std::io::Write;

use super::*;
use crate::codec::GzipEncoder;

const TEXT: &[u8] = br#"{"value":[{"id":"1"},{"id":"2"},{"id":"3"}]}"#;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut encoder = GzipEncoder::new();
    encoder.push(plain, &mut packed);
    encoder.finish(&mut packed);
    packed
}

/// Decodes `packed` in pieces of `step` bytes.
fn inflate(packed: &[u8], step: usize, bounds: Bounds) -> Result<Vec<u8>, GzipDecodeError> {
    let mut inflater = GzipDecoder::new(bounds);
    let mut plain = Vec::new();
    for piece in packed.chunks(step) {
        inflater.push(piece, &mut |decoded| {
            assert!(decoded.len() <= SLICE);
            plain.extend_from_slice(decoded);
            Ok::<_, GzipDecodeError>(())
        })?;
    }
    inflater.finish().map(|()| plain)
}

fn whole(packed: &[u8]) -> Result<Vec<u8>, GzipDecodeError> {
    inflate(packed, packed.len().max(1), Bounds::default())
}

/// `len` blanks, compressed as far as deflate can.
fn bomb(len: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b' '; len]).unwrap();
    encoder.finish().unwrap()
}

/// Bytes that hardly compress: a linear congruential sequence.
fn noise(len: usize) -> Vec<u8> {
    let mut x = 1_u32;
    let next = || {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        x.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(len).collect()
}

#[test]
fn any_chunking_gives_the_same_bytes() {
    let plain = [TEXT.repeat(5_000), noise(100_000)].concat();
    let packed = gzip(&plain);
    for step in [1, 2, 7, 4096, packed.len()] {
        assert_eq!(inflate(&packed, step, Bounds::default()).unwrap(), plain);
    }
}

#[test]
fn an_empty_member_is_valid_and_a_missing_one_is_not() {
    assert_eq!(whole(&gzip(b"")), Ok(Vec::new()));
    assert_eq!(whole(b""), Err(GzipDecodeError::Truncated));
}

#[test]
fn other_codings_are_refused() {
    let mut zlib = flate2::Compress::new(flate2::Compression::fast(), true);
    let mut packed = Vec::with_capacity(1024);
    zlib.compress_vec(TEXT, &mut packed, flate2::FlushCompress::Finish).unwrap();
    assert_eq!(whole(&packed), Err(GzipDecodeError::Corrupt));
    assert_eq!(whole(TEXT), Err(GzipDecodeError::Corrupt));
    assert_eq!(whole(&gzip(TEXT)), Ok(TEXT.to_vec()));
}

/// Fault: gzip from Graph is cut at any byte. Outcome: decoding fails.
#[test]
fn every_truncation_is_refused() {
    let packed = gzip(TEXT);
    for end in 1..packed.len() {
        assert_eq!(whole(&packed[..end]), Err(GzipDecodeError::Truncated), "cut at {end}");
    }
}

/// Fault: bytes or a second member follow gzip from Graph. Outcome: decoding fails.
#[test]
fn bytes_after_the_member_are_refused() {
    let packed = gzip(TEXT);
    for tail in [vec![0], gzip(TEXT)] {
        let long = [packed.clone(), tail].concat();
        assert_eq!(whole(&long), Err(GzipDecodeError::Trailing));
        assert_eq!(inflate(&long, 1, Bounds::default()), Err(GzipDecodeError::Trailing));
    }
}

/// Fault: the checksum or length of gzip from Graph is wrong by one bit. Outcome: decoding fails.
#[test]
fn a_wrong_checksum_or_length_is_refused() {
    let packed = gzip(TEXT);
    for from_end in 1..=8 {
        let mut bad = packed.clone();
        let at = bad.len() - from_end;
        bad[at] ^= 1;
        assert_eq!(whole(&bad), Err(GzipDecodeError::Corrupt), "byte {from_end} from the end");
    }
}

/// Fault: gzip from Graph decodes to more than the limit. Outcome: decoding stops at the limit.
#[test]
fn the_decoded_size_is_bounded_to_the_byte() {
    let packed = gzip(&noise(50_000));
    let at_most = |max_decoded| inflate(&packed, 999, Bounds { max_decoded, ..Bounds::default() });
    assert_eq!(at_most(50_000).unwrap().len(), 50_000);
    assert_eq!(at_most(49_999), Err(GzipDecodeError::TooLarge));
}

#[test]
fn a_bomb_is_refused_and_a_regular_page_is_not() {
    let decoded = |packed: Vec<u8>| whole(&packed).map(|plain| plain.len());
    assert_eq!(decoded(bomb(4 << 20)), Err(GzipDecodeError::Ratio));
    assert_eq!(decoded(bomb(1 << 20)), Ok(1 << 20), "short enough to be harmless");
    let page = [noise(30_000), TEXT.repeat(40_000)].concat();
    assert_eq!(decoded(gzip(&page)), Ok(page.len()));
}

#[test]
fn an_error_is_repeated() {
    let mut inflater = GzipDecoder::new(Bounds::default());
    let mut ignore = |_: &[u8]| Ok::<_, GzipDecodeError>(());
    assert_eq!(inflater.push(b"no gzip", &mut ignore), Err(GzipDecodeError::Corrupt));
    assert_eq!(inflater.push(&gzip(TEXT), &mut ignore), Err(GzipDecodeError::Corrupt));
    assert_eq!(inflater.finish(), Err(GzipDecodeError::Corrupt));
}

#[test]
fn the_output_can_stop_the_decoding() {
    let mut inflater = GzipDecoder::new(Bounds::default());
    let mut refuse = |_: &[u8]| Err(GzipDecodeError::TooLarge);
    assert_eq!(inflater.push(&gzip(TEXT), &mut refuse), Err(GzipDecodeError::TooLarge));
}

/// A member with this head in place of the usual one.
fn with_head(head: &[u8]) -> Vec<u8> {
    [head, &gzip(TEXT)[10..]].concat()
}

/// The flags, in a head without time.
fn head(flags: u8, fields: &[u8]) -> Vec<u8> {
    [&[0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255], fields].concat()
}

/// The checksum of a head (RFC 1952 section 2.3.1).
fn checked(head: &[u8]) -> Vec<u8> {
    let [low, high, ..] = crc32fast::hash(head).to_le_bytes();
    [head, &[low, high]].concat()
}

#[test]
fn a_head_with_every_field_is_read() {
    let text = head(0b1, b"");
    let extra = head(0b100, b"\x03\0abc");
    let names = head(0b1_1000, b"page.json\0a comment\0");
    let all = checked(&head(0b1_1111, b"\0\0page.json\0\0"));
    for head in [text, extra, names, all] {
        let packed = with_head(&head);
        assert_eq!(whole(&packed), Ok(TEXT.to_vec()));
        assert_eq!(inflate(&packed, 1, Bounds::default()), Ok(TEXT.to_vec()));
        for end in 0..head.len() {
            assert_eq!(whole(&packed[..end]), Err(GzipDecodeError::Truncated), "cut at {end}");
        }
    }
}

/// Fault: the head of gzip from Graph is damaged. Outcome: decoding fails.
#[test]
fn a_damaged_head_is_refused() {
    let mut wrong_checksum = checked(&head(0b10, b""));
    wrong_checksum[10] ^= 1;
    let reserved = [0b10_0000, 0b100_0000, 0b1000_0000].map(|flag| head(flag, b""));
    for head in reserved.into_iter().chain([wrong_checksum]) {
        assert_eq!(whole(&with_head(&head)), Err(GzipDecodeError::Corrupt));
        assert_eq!(inflate(&with_head(&head), 1, Bounds::default()), Err(GzipDecodeError::Corrupt));
    }
}

/// A member of this deflate stream and text.
fn member(deflated: &[u8], text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap();
    let trailer = [crc32fast::hash(text).to_le_bytes(), length.to_le_bytes()].concat();
    [&head(0, b""), deflated, &trailer].concat()
}

/// Bits in the order of the stream.
fn bits(bits: &str) -> Vec<u8> {
    let byte = |bits: &[u8]| bits.iter().rev().fold(0, |value, bit| value << 1 | (bit - b'0'));
    bits.as_bytes().chunks(8).map(byte).collect()
}

/// The last block, with fixed codes (RFC 1951 section 3.2.6).
fn last_block(symbols: &str) -> Vec<u8> {
    bits(&["110", symbols, "0000000"].concat())
}

/// Repeats reach back as far as they can, also where the window was moved.
#[test]
fn the_window_has_32_kib_wherever_it_is() {
    let start = noise(32 * 1024);
    let stored = [&[0, 0, 0x80, 0xff, 0x7f], start.as_slice()].concat();
    // 258 bytes at distance 32,768.
    let repeat = ["11000101", "11101", "1111111111111"].concat();
    let packed = [stored, last_block(&repeat.repeat(1_000))].concat();
    let text: Vec<u8> = start.iter().copied().cycle().take(start.len() + 258_000).collect();
    let packed = member(&packed, &text);
    for step in [1, 1_000, packed.len()] {
        assert_eq!(inflate(&packed, step, Bounds::default()).as_deref(), Ok(text.as_slice()));
    }
}

/// Fault: a repeat in gzip from Graph reaches back before the start. Outcome: decoding fails.
#[test]
fn a_repeat_before_the_start_is_refused() {
    // The letter a, and three bytes at a distance.
    let at = |distance: &str| member(&last_block(&["10010001", "0000001", distance].concat()), b"aaaa");
    let (one, two) = ("00000", "00001");
    assert_eq!(whole(&at(one)), Ok(b"aaaa".to_vec()));
    assert_eq!(whole(&at(two)), Err(GzipDecodeError::Corrupt));
}

/// Fault: any bytes are between the deflate stream and the trailer of gzip from Graph. Outcome: decoding fails.
#[test]
fn bytes_before_the_trailer_are_refused() {
    let packed = gzip(TEXT);
    let (body, trailer) = packed.split_at(packed.len() - 8);
    for length in 1..20 {
        let long = [body, &vec![0; length], trailer].concat();
        assert_eq!(whole(&long), Err(GzipDecodeError::Corrupt), "{length} bytes");
        assert_eq!(inflate(&long, 1, Bounds::default()), Err(GzipDecodeError::Corrupt), "{length} bytes");
    }
}
