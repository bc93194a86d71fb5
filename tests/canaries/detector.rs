//! Finds markers in any bytes: plain, in another letter case, and inside percent-, JSON-, hexadecimal and base64
//! encodings at every alignment and in every alphabet that Graph uses. Decodes instead of encoding each marker, so that
//! one pass is enough for any number of them.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regex::bytes::Regex;

/// What every marker of a test begins with. The number of the marker follows: 6 hexadecimal or 8 decimal digits.
#[derive(Clone, Copy)]
pub(crate) struct Needle {
    pub(crate) text: &'static str,
    pub(crate) number: &'static str,
}

/// Shorter runs cannot hold a marker: 12 bytes are 16 characters of base64 and 24 hexadecimal digits.
const MIN_BASE64: usize = 16;
const MIN_HEX: usize = 24;

/// The numbers of the markers in `bytes`.
pub(crate) fn find(bytes: &[u8], needle: Needle) -> BTreeSet<usize> {
    let prefix = Regex::new(&format!("(?i-u){}|{}", needle.text, needle.number)).unwrap();
    views(bytes).flat_map(|view| scan(&view, needle, &prefix)).collect()
}

/// `bytes`, and everything that they decode to.
pub(crate) fn views(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    texts(bytes).into_iter().flat_map(|text| {
        let decoded = base64_views(&text).into_iter().chain(hex_views(&text));
        decoded.chain(std::iter::once(text)).collect::<Vec<_>>()
    })
}

/// Undoes one encoding.
type Decoder = fn(&[u8]) -> Vec<u8>;

/// `bytes`, and what is left after decoding once or twice the encodings that leave most characters unchanged.
fn texts(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut texts = vec![bytes.to_vec()];
    let decoders: [(u8, Decoder); 3] = [(b'%', percent_decoded), (b'\\', unescaped), (0, without_nul)];
    for _ in 0..2 {
        for text in texts.clone() {
            let coded = decoders.iter().filter(|(sign, _)| text.contains(sign));
            for decoded in coded.map(|(_, decode)| decode(&text)) {
                if !texts.contains(&decoded) {
                    texts.push(decoded);
                }
            }
        }
    }
    texts
}

fn scan(view: &[u8], needle: Needle, prefix: &Regex) -> Vec<usize> {
    let numbers = prefix.find_iter(view).filter_map(|found| {
        let is_text = found.as_bytes().eq_ignore_ascii_case(needle.text.as_bytes());
        let (digits, radix) = if is_text { (6, 16) } else { (8, 10) };
        let digits = view.get(found.end()..found.end() + digits)?;
        usize::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
    });
    numbers.collect()
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    replaced(text, b'%', |rest| {
        let [b'%', digits @ ..] = rest else { return None };
        Some((vec![u8::try_from(hex_number(digits, 2)?).ok()?], 3))
    })
}

/// JSON's `\u0061`, and `\/`, which could hide base64.
fn unescaped(text: &[u8]) -> Vec<u8> {
    replaced(text, b'\\', |rest| match rest {
        [b'\\', b'/', ..] => Some((vec![b'/'], 2)),
        [b'\\', b'u', digits @ ..] => {
            let c = char::from_u32(u32::try_from(hex_number(digits, 4)?).ok()?)?;
            Some((c.to_string().into_bytes(), 6))
        }
        _ => None,
    })
}

/// Turns UTF-16 into ASCII where that is possible.
fn without_nul(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| *byte != 0).collect()
}

/// Decodes `text`. `decode` gets the rest of the text from each `sign` on, and returns the decoded bytes and the length
/// of what they replace.
fn replaced(text: &[u8], sign: u8, decode: impl Fn(&[u8]) -> Option<(Vec<u8>, usize)>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == sign) {
        let (before, coded) = rest.split_at(at);
        let (bytes, length) = decode(coded).unwrap_or((vec![sign], 1));
        out.extend_from_slice(before);
        out.extend(bytes);
        rest = &coded[length..];
    }
    out.extend_from_slice(rest);
    out
}

fn hex_number(digits: &[u8], count: usize) -> Option<usize> {
    let digits = digits.get(..count).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn hex_views(text: &[u8]) -> Vec<Vec<u8>> {
    let runs = text.split(|byte| !byte.is_ascii_hexdigit()).filter(|run| run.len() >= MIN_HEX);
    let pairs = |run: &[u8]| -> Vec<u8> {
        run.chunks_exact(2).filter_map(|pair| u8::try_from(hex_number(pair, 2)?).ok()).collect()
    };
    runs.flat_map(|run| [pairs(run), pairs(&run[1..])]).collect()
}

/// Decodes text of any length, with or without padding: a marker may begin and end anywhere in it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Every run of base64 from each of four offsets, in the standard alphabet and base64url (RFC 4648) and in Exchange's,
/// which swaps the last two characters of base64url.
fn base64_views(text: &[u8]) -> Vec<Vec<u8>> {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    let runs = text.split(|byte| !is_base64(byte)).filter(|run| run.len() >= MIN_BASE64);
    let mut views = Vec::new();
    for run in runs {
        let alphabets = if run.iter().any(|byte| b"-_".contains(byte)) { 2 } else { 1 };
        for swapped in [*b"+/", *b"/+"].into_iter().take(alphabets) {
            let standard = in_standard_alphabet(run, swapped);
            views.extend((0..4).map(|offset| base64_decoded(&standard[offset..])));
        }
    }
    views
}

/// `run` with these characters in place of `-` and `_`.
fn in_standard_alphabet(run: &[u8], [minus, underscore]: [u8; 2]) -> Vec<u8> {
    let replaced = run.iter().map(|byte| match byte {
        b'-' => minus,
        b'_' => underscore,
        other => *other,
    });
    replaced.collect()
}

fn base64_decoded(run: &[u8]) -> Vec<u8> {
    // One character of four holds no whole byte.
    let length = run.len() - usize::from(run.len() % 4 == 1);
    BASE64.decode(&run[..length]).unwrap()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::{Needle, find};

    const NEEDLE: Needle = Needle { text: "5e1f7e", number: "519273" };
    const MARKER: &str = "5e1f7e00002a";

    fn finds(text: impl AsRef<[u8]>) -> bool {
        find(text.as_ref(), NEEDLE).contains(&42)
    }

    #[test]
    fn a_planted_marker_is_found_in_each_encoding() {
        let hex: String = MARKER.bytes().map(|byte| format!("{byte:02X}")).collect();
        let percent: String = MARKER.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let twice = percent.replace('%', "%25");
        let json: String = MARKER.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
        let utf16: Vec<u8> = MARKER.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for planted in [MARKER, &MARKER.to_uppercase(), &hex, &format!("0{hex}"), &percent, &twice, &json] {
            assert!(finds(format!("{{\"a\":\"x{planted}y\"}}")), "{planted}");
        }
        assert!(finds(utf16));
        assert!(finds("{\"n\":51927300000042}"));
    }

    #[test]
    fn a_planted_marker_is_found_in_base64_at_each_alignment() {
        for before in ["", "a", "ab", "\u{0}\u{3}$"] {
            let plain = format!("{before}??>~{MARKER}??>~");
            let (standard, url) = (STANDARD.encode(&plain), URL_SAFE_NO_PAD.encode(&plain));
            let exchange = standard.replace('/', "-").replace('+', "_");
            assert_ne!(exchange, url);
            for encoded in [standard.clone(), standard.replace('/', "\\/"), url, exchange] {
                for glue in ["", "x", "p~T", "abcxyz"] {
                    assert!(finds(format!("\"{glue}{encoded}\"")), "{glue}{encoded}");
                }
            }
        }
    }

    #[test]
    fn other_texts_are_not_markers() {
        for text in ["", "5e1f7", "5e1f7e", "5e1f7e0000zz", "5e1f7e000043", "519273", "hello"] {
            assert!(!finds(text), "{text}");
        }
    }
}
