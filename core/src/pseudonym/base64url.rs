//! Base64url without padding (RFC 4648, section 5), for tokens.
//!
//! Every token of a page is encoded here, so `base64-simd` encodes: with the `base64` crate, a page without bodies
//! takes 3 % longer. Consumers send few tokens back, so `base64` decodes them, like all other text.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64_simd::AsOut;

/// Appends `octets` in base64url.
pub(super) fn append(octets: &[u8], out: &mut Vec<u8>) {
    base64_simd::URL_SAFE_NO_PAD.encode_append(octets, out);
}

/// The length of so many octets in base64url.
pub(super) const fn encoded_length(octets: usize) -> usize {
    base64_simd::URL_SAFE_NO_PAD.encoded_length(octets)
}

/// Writes `octets` in base64url at the start of `place`, if it is long enough.
pub(super) fn write(octets: &[u8], place: &mut [u8]) {
    if let Some(place) = place.get_mut(..encoded_length(octets.len())) {
        let _text = base64_simd::URL_SAFE_NO_PAD.encode(octets, place.as_out());
    }
}

/// `octets` as text.
pub(super) fn encode(octets: &[u8]) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(octets)
}

/// The octets of `text`. `None` unless `text` is their one canonical encoding.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
