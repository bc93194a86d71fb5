//! How deep a reply is, from its conversation index ([MS-OXOMSG] 2.2.1.3): a header of 22 octets, the first of which is 1,
//! and 5 octets for each reply. The rest of the index (when the thread began, its GUID, when each reply was written) stays
//! inside.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const HEADER: usize = 22;
const REPLY: usize = 5;

/// The deepest reply that is reported. Whoever makes an index up can make it as long as they like.
const MAX_DEPTH: usize = 1000;

/// An index of more octets than base64 needs for the deepest reply is not decoded.
const MAX_TEXT: usize = (HEADER + REPLY * MAX_DEPTH).div_ceil(3) * 4;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The number of replies on the way from the first message of the thread, 0 to 1,000; `None` if the text is not a
/// conversation index, or says more.
pub(super) fn of(text: &str) -> Option<usize> {
    if text.len() > MAX_TEXT {
        return None;
    }
    // Graph writes base64, and OData's JSON format 4.01 base64url (8.9.1, `Edm.Binary`).
    let octets = BASE64.decode(text.replace('-', "+").replace('_', "/")).ok()?;
    let replies = octets.len().checked_sub(HEADER)?;
    let depth = replies / REPLY;
    let is_index = octets.first() == Some(&1) && replies % REPLY == 0 && depth <= MAX_DEPTH;
    is_index.then_some(depth)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

    use super::*;

    fn index(octets: usize) -> Vec<u8> {
        std::iter::once(1).chain(std::iter::repeat(0xfb)).take(octets).collect()
    }

    #[test]
    fn each_reply_is_five_octets_in_each_alphabet() {
        for depth in [0, 1, 2, 17, MAX_DEPTH] {
            let octets = index(HEADER + REPLY * depth);
            for engine in [STANDARD, URL_SAFE, URL_SAFE_NO_PAD] {
                assert_eq!(of(&engine.encode(&octets)), Some(depth));
            }
        }
        assert_eq!(of("AQHXFOrL5NYFOqMjfESlIcNb0mOt1g=="), Some(0), "an index from Graph");
    }

    #[test]
    fn what_is_not_an_index_has_no_depth() {
        let encoded = |octets: &[u8]| STANDARD.encode(octets);
        for length in [0, 1, 5, 21, 23, 26, 28, HEADER + REPLY * (MAX_DEPTH + 1), 70_000] {
            assert_eq!(of(&encoded(&index(length))), None, "{length}");
        }
        let mut other = index(HEADER);
        other[0] = 2;
        assert_eq!(of(&encoded(&other)), None);
        let good = encoded(&index(HEADER));
        let (first, rest) = good.split_at(1);
        for bad in
            ["alice@contoso.com", rest, &format!("{good}A"), &format!(" {good}"), &format!("{first}*{rest}")]
        {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
