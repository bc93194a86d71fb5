//! Hexadecimal digits, read and written, without the formatting machinery: requests are full of them.

/// Two digits in lower case for each octet.
pub fn lower(octets: &[u8]) -> String {
    octets.iter().flat_map(|octet| digits(*octet)).collect()
}

/// The two digits of an octet, in lower case.
fn digits(octet: u8) -> [char; 2] {
    [octet >> 4, octet & 0xf].map(|digit| char::from_digit(digit.into(), 16).unwrap_or_default())
}

/// The two digits of an octet as they stand in a percent-escape, where RFC 3986 section 2.1 wants upper case.
pub fn escaped(octet: u8) -> [char; 3] {
    let [high, low] = digits(octet).map(|digit| digit.to_ascii_uppercase());
    ['%', high, low]
}

/// The octets that `text` stands for, two digits each, in either case.
pub fn decoded(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks() else { return None };
    pairs.iter().map(|pair| octet(*pair)).collect()
}

/// The octet that two digits stand for, in either case. A sign is not a digit.
pub fn octet([high, low]: [u8; 2]) -> Option<u8> {
    Some(digit(high)? << 4 | digit(low)?)
}

/// The number that a digit stands for, in either case.
pub fn digit(character: u8) -> Option<u8> {
    char::from(character).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_has_its_two_digits() {
        for octet in 0..=u8::MAX {
            assert_eq!(lower(&[octet]), format!("{octet:02x}"));
            assert_eq!(String::from_iter(escaped(octet)), format!("%{octet:02X}"));
            assert_eq!(decoded(&format!("{octet:02x}{octet:02X}")), Some(vec![octet; 2]));
        }
        assert_eq!(lower(&[]), "");
        assert_eq!(lower(b"\x00\xff"), "00ff");
        assert_eq!(decoded(""), Some(Vec::new()));
    }

    #[test]
    fn what_is_not_two_digits_for_each_octet_is_not_decoded() {
        for text in ["0", "000", "0g", "+1", "-1", " 1", "0x", "é", "00\u{664}"] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }
}
