//! What comes in comes out, whatever it is and however it is cut; and what it costs.

use proptest::collection::vec;
use proptest::prelude::*;

use super::coder::Coder;
use super::counts::Sample;
use super::huffman::{self, MAX_BITS};
use super::repeats::Repeat;
use super::symbols::{self, MAX_DISTANCE, MAX_LENGTH, USED_LITERALS};
use super::{tuned, *};

/// Encodes pieces, with a flush behind each that says so.
fn encode<'a>(pieces: impl IntoIterator<Item = (&'a [u8], bool)>) -> Vec<u8> {
    let mut output = b"before".to_vec();
    let mut deflate = Deflate::default();
    for (piece, flush) in pieces {
        deflate.push(piece, &mut output);
        if flush {
            deflate.flush(&mut output);
            assert_eq!(deflate.held(), 0);
        }
    }
    deflate.finish(&mut output);
    assert!(output.starts_with(b"before"));
    output.split_off(b"before".len())
}

fn in_pieces(text: &[u8], length: usize) -> Vec<u8> {
    encode(text.chunks(length).map(|piece| (piece, false)))
}

/// By zlib-rs, as one stream without anything behind it.
fn decode(packed: &[u8]) -> Vec<u8> {
    let mut decoder = flate2::Decompress::new(false);
    let mut text = Vec::new();
    loop {
        text.reserve(64 * 1024);
        let rest = &packed[usize::try_from(decoder.total_in()).unwrap()..];
        let status = decoder.decompress_vec(rest, &mut text, flate2::FlushDecompress::None).unwrap();
        if status == flate2::Status::StreamEnd {
            assert_eq!(usize::try_from(decoder.total_in()), Ok(packed.len()), "bytes behind the end");
            return text;
        }
        assert!(!rest.is_empty(), "no end");
    }
}

/// Bytes in which nothing repeats: a linear congruential sequence.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Characters of tokens, likewise.
fn token(noise: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    noise.iter().map(|byte| ALPHABET[usize::from(byte % 64)]).collect()
}

/// A page as the sanitizer writes it, with a fresh id in each message and one of a few senders.
fn page(messages: usize) -> Vec<u8> {
    let random = noise(messages * 200);
    let mut page = br#"{"value":["#.to_vec();
    for message in random.chunks(200) {
        let (id, sender) = (token(message), token(&noise(32 + usize::from(message[0] % 32))));
        page.extend_from_slice(br#"{"id":"p~A"#);
        page.extend(id);
        page.extend_from_slice(br#"","from":{"emailAddress":{"address":"t~A"#);
        page.extend(sender);
        page.extend_from_slice(br#"@contoso.com"}},"isRead":false},"#);
    }
    page
}

#[test]
fn everything_comes_back_however_it_is_cut() {
    let texts =
        [page(1_000), noise(200_000), vec![b'a'; 300_000], [page(50), noise(70_000), page(50)].concat()];
    for text in texts {
        for length in [1, 7, 4_096, MAX_DISTANCE, 2 * MAX_DISTANCE + 1, text.len()] {
            assert!(decode(&in_pieces(&text, length)) == text, "{} bytes, {length} at a time", text.len());
        }
    }
}

#[test]
fn every_short_text_comes_back() {
    let texts = [page(2), noise(700), b"abc".repeat(200), vec![0; 600]];
    for (text, length) in texts.iter().flat_map(|text| (0..600).map(move |length| (text, length))) {
        let text = &text[..length];
        assert_eq!(decode(&in_pieces(text, 600)), text);
    }
}

#[test]
fn repeats_reach_as_far_as_they_may_and_not_farther() {
    let unit = noise(64);
    for gap in MAX_DISTANCE - 66..MAX_DISTANCE + 3 {
        let text =
            [unit.clone(), noise(gap).into_iter().map(|byte| byte | 0x80).collect(), unit.clone()].concat();
        assert!(decode(&in_pieces(&text, 1_000)) == text, "{gap}");
    }
}

#[test]
fn what_is_flushed_can_be_read_before_the_end() {
    let text = page(20);
    let (first, second) = text.split_at(3_333);
    let mut deflate = Deflate::default();
    let mut output = Vec::new();
    deflate.push(first, &mut output);
    assert!(deflate.held() > 0);
    deflate.flush(&mut output);
    let mut decoder = flate2::Decompress::new(false);
    let mut read = Vec::with_capacity(text.len() + 1);
    decoder.decompress_vec(&output, &mut read, flate2::FlushDecompress::None).unwrap();
    assert_eq!(read, first);
    deflate.push(second, &mut output);
    deflate.finish(&mut output);
    assert_eq!(decode(&output), text);
}

/// No text becomes longer by more than some bytes in a thousand.
#[test]
fn what_does_not_repeat_is_stored() {
    for length in [0, 1, 100, 20_000, 200_000] {
        let packed = in_pieces(&noise(length), 32 * 1024);
        assert!(packed.len() <= length + length / 1_000 + 8, "{length} became {}", packed.len());
    }
}

/// Six bits for each character that nobody has seen, and little for all the rest.
#[test]
fn a_page_costs_little_more_than_its_fresh_tokens() {
    let (messages, text) = (2_000, page(2_000));
    let packed = in_pieces(&text, 32 * 1024);
    let fresh = messages * 200 * 6 / 8;
    assert!(packed.len() < fresh * 110 / 100, "{} of {}, {fresh} are fresh", packed.len(), text.len());
}

/// Characters of one kind, of which none can be guessed.
fn characters(alphabet: &[u8], length: usize) -> Vec<u8> {
    noise(length).into_iter().map(|byte| alphabet[usize::from(byte) % alphabet.len()]).collect()
}

/// Codes that were made for one text, or tuned for any, are no burden for another.
#[test]
fn codes_are_given_up_when_the_text_changes() {
    let texts = [
        page(300),
        characters(b"0123456789", 60_000),
        noise(60_000),
        page(300),
        characters(b"abcdefghijklmnopqrstuvwxyz", 60_000),
        noise(5_000),
        page(10),
    ];
    let alone: usize = texts.iter().map(|text| in_pieces(text, 32 * 1024).len()).sum();
    let together = in_pieces(&texts.concat(), 32 * 1024).len();
    assert!(together <= alone * 105 / 100, "{together}, alone {alone}");
}

/// A block goes on with codes made for its first portion, so they have symbols that come later.
#[test]
fn a_byte_that_comes_late_has_a_code() {
    let mut text = characters(b"abcdefghijklmnop", 80_000);
    for (byte, place) in (0..=u8::MAX).zip(text.iter_mut().skip(40_000).step_by(101)) {
        *place = byte;
    }
    let late = [text, b"abcdefgh".repeat(500)].concat();
    assert!(decode(&in_pieces(&late, 4_096)) == late);
    let length = in_pieces(&late, 4_096).len();
    assert!(length < 80_000 * 55 / 100, "{length}");
}

fn portion(text: &[u8]) -> Portion {
    let mut deflate = Deflate::default();
    deflate.repeats.fill(&mut &text[..]);
    deflate.encode(text.len(), &mut Vec::new());
    deflate.portion
}

#[test]
fn the_tuned_codes_fit_a_page_and_no_other_text() {
    for (text, fits) in [
        (page(40), true),
        (page(5), true),
        (noise(8_000), false),
        (characters(b"0123456789", 8_000), false),
        (characters(b"abcdefghijklmnopqrstuvwxyz", 8_000), false),
    ] {
        assert_eq!(Coder::tuned().fits(&Sample::of(&portion(&text))), fits, "{:?}", &text[..20]);
    }
}

#[test]
fn the_tuned_codes_are_complete_and_have_every_symbol() {
    let lengths = tuned::lengths();
    assert_eq!([share(&lengths.literals), share(&lengths.distances)], [1 << MAX_BITS; 2]);
    assert!(lengths.literals[..USED_LITERALS].iter().chain(&lengths.distances).all(|length| *length > 0));
}

#[test]
fn a_text_of_one_byte_is_nearly_nothing() {
    let packed = in_pieces(&vec![b' '; 1 << 20], 4_096);
    assert!(packed.len() < (1 << 20) / 150, "{} bytes", packed.len());
}

/// Any repeat, also where the search would not look: a wrong choice costs bytes, never the text.
#[test]
fn every_length_and_distance_is_written_as_the_standard_says() {
    let history = noise(MAX_DISTANCE);
    let distances =
        (0..15).flat_map(|power| [(1 << power) - 1, 1 << power, (1 << power) + 1]).chain([MAX_DISTANCE]);
    for distance in distances.filter(|distance| *distance > 0) {
        for length in [3, 4, 10, 11, 34, 35, 130, 131, 256, 257, MAX_LENGTH] {
            let mut expected = history.clone();
            (0..length).for_each(|_| expected.push(expected[expected.len() - distance]));
            let mut portion = Portion::default();
            portion.add_literals(&history, history.len());
            portion.add_repeat(Repeat { length, distance });
            let mut output = Vec::new();
            Blocks::default().finish(&portion, &mut output);
            assert!(decode(&output) == expected, "{length} bytes from {distance} before");
        }
    }
}

/// RFC 1951 section 3.2.5: the symbols' first values, and how many bits follow.
#[test]
fn symbols_are_those_of_the_table() {
    let length = |length| {
        let symbol = symbols::of_length(length);
        (symbol.symbol, symbol.extra_bits, symbol.extra)
    };
    assert_eq!(
        [3, 10, 11, 12, 18, 19, 257, 258].map(length),
        [
            (257, 0, 0),
            (264, 0, 0),
            (265, 1, 0),
            (265, 1, 1),
            (268, 1, 1),
            (269, 2, 0),
            (284, 5, 30),
            (285, 0, 0),
        ]
    );
    let distance = |distance: u16| {
        let symbol = symbols::of_distance(distance - 1);
        (symbol.symbol, symbol.extra_bits, symbol.extra)
    };
    assert_eq!(
        [1, 4, 5, 6, 7, 193, 24_577, 32_768].map(distance),
        [(0, 0, 0), (3, 0, 0), (4, 1, 0), (4, 1, 1), (5, 1, 0), (15, 6, 0), (29, 13, 0), (29, 13, 8_191),]
    );
}

/// The shares of all codes, in units of the longest that deflate has.
fn share(lengths: &[u8]) -> usize {
    lengths.iter().filter(|length| **length > 0).map(|length| 1 << (MAX_BITS - usize::from(*length))).sum()
}

/// What Huffman's own method costs, by the sums of its made nodes, without a limit.
fn least_bits(counts: &[u32]) -> usize {
    let mut nodes: Vec<usize> =
        counts.iter().filter(|count| **count > 0).map(|count| *count as usize).collect();
    let mut bits = 0;
    while nodes.len() > 1 {
        nodes.sort_unstable_by(|one, two| two.cmp(one));
        let made = nodes.pop().unwrap() + nodes.pop().unwrap();
        bits += made;
        nodes.push(made);
    }
    bits
}

proptest! {
    #[test]
    fn any_text_in_any_pieces_with_any_flushes_comes_back(
        parts in vec((vec(any::<u8>(), 0..40), 1_usize..300), 0..60),
        cuts in vec((1_usize..5_000, any::<bool>()), 1..20),
    ) {
        let text: Vec<u8> = parts.iter().flat_map(|(part, times)| part.repeat(*times)).collect();
        let mut rest = text.as_slice();
        let mut pieces = Vec::new();
        for (length, flush) in cuts.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, behind) = rest.split_at(length.min(rest.len()));
            pieces.push((piece, flush));
            rest = behind;
        }
        prop_assert!(decode(&encode(pieces)) == text);
    }

    /// Complete, so that every decoder takes it; within the limit; and the best there is unless the limit matters.
    #[test]
    fn codes_are_complete_and_short(counts in vec(0_u32..100_000, 30), powers in any::<bool>(), limit in 7_usize..=MAX_BITS) {
        let mut counts: [u32; 30] = counts.try_into().unwrap();
        if powers {
            // The deepest tree: each count is as large as all before it.
            (0..30_u32).zip(&mut counts).for_each(|(at, count)| *count = if *count % 7 == 0 { 0 } else { 1 << at });
        }
        let lengths = huffman::lengths(&counts, limit);
        prop_assert_eq!(share(&lengths), 1 << MAX_BITS);
        prop_assert!(lengths.iter().all(|length| usize::from(*length) <= limit));
        prop_assert!(counts.iter().zip(lengths).all(|(count, length)| *count == 0 || length > 0));
        let unlimited = usize::from(lengths.iter().copied().max().unwrap_or_default()) < limit;
        if unlimited && counts.iter().filter(|count| **count > 0).count() > 1 {
            prop_assert_eq!(huffman::bits(&lengths, &counts), least_bits(&counts));
        }
    }
}

#[test]
fn a_code_of_one_symbol_or_none_has_two() {
    for used in [None, Some(0), Some(3), Some(18)] {
        let mut counts = [0; 19];
        if let Some(used) = used {
            counts[used] = 5;
        }
        let lengths = huffman::lengths(&counts, 7);
        assert_eq!(lengths.iter().map(|length| usize::from(*length)).sum::<usize>(), 2);
        assert!(used.is_none_or(|used| lengths[used] == 1));
    }
}
