//! Hexadecimal digits, written without the formatting machinery: requests are full of them.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_has_its_two_digits() {
        for octet in 0..=u8::MAX {
            assert_eq!(lower(&[octet]), format!("{octet:02x}"));
            assert_eq!(String::from_iter(escaped(octet)), format!("%{octet:02X}"));
        }
        assert_eq!(lower(&[]), "");
        assert_eq!(lower(b"\x00\xff"), "00ff");
    }
}
