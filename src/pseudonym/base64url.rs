//! Base64url without padding (RFC 4648, section 5), as tokens are written.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Octets that are written at once, without an allocation: most tokens.
const PART: usize = 192;

/// Appends `octets`.
#[expect(clippy::expect_used, reason = "three octets are four characters, so the room is enough")]
pub(super) fn append(octets: &[u8], out: &mut Vec<u8>) {
    let mut text = [0; PART / 3 * 4];
    for part in octets.chunks(PART) {
        let length = URL_SAFE_NO_PAD.encode_slice(part, &mut text).expect("enough room");
        out.extend_from_slice(text.get(..length).unwrap_or_default());
    }
}

/// `octets` as text.
pub(super) fn encode(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

/// The octets that `text` stands for, if it is their only writing.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
