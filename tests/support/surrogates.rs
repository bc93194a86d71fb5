//! Lone surrogates, for readers that refuse them: `serde_json` has no value for such a string.

/// Stands for a lone surrogate in texts. Noncharacters around it, so that no document has it by chance.
pub(crate) const LONE: &str = "\u{fdd0}lone surrogate\u{fdd0}";

/// The document with [`LONE`] in place of each escaped surrogate that has no other half. Other bytes stay, also those of a
/// document that is not JSON.
pub(crate) fn mended(document: &[u8]) -> Vec<u8> {
    let mut mended = Vec::with_capacity(document.len());
    let mut rest = document;
    while let Some(first) = rest.first() {
        let length = match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                mended.extend_from_slice(LONE.as_bytes());
                rest = &rest[6..];
                continue;
            }
            _ if *first == b'\\' => 2,
            _ => 1,
        };
        let (taken, behind) = rest.split_at(length.min(rest.len()));
        mended.extend_from_slice(taken);
        rest = behind;
    }
    mended
}

/// The number of the `\\uXXXX` that the bytes begin with.
fn unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.get(..6)?.strip_prefix(b"\\u")?;
    let is_number = digits.iter().all(u8::is_ascii_hexdigit);
    u16::from_str_radix(str::from_utf8(digits).ok().filter(|_| is_number)?, 16).ok()
}

#[test]
fn pairs_and_other_escapes_stay() {
    let kept = br#"{"a\\uD800":"\ud83d\uDE00\u0041\n\ux \\\uD83D\uDE00"}"#;
    assert_eq!(mended(kept), kept);
    let lone = mended(br#""\uD800\uD83D\uDE00\udc00x""#);
    assert_eq!(String::from_utf8(lone).unwrap(), format!(r#""{LONE}\uD83D\uDE00{LONE}x""#));
}
