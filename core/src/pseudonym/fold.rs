//! Trims an address and folds its case.
//!
//! `str::to_lowercase` is unsuitable because it depends on context: a final sigma has another lower case than an inner
//! one. Full case folding is unsuitable because it merges `strasse` with `straße`, which are two people. The fold here
//! maps one character to one character. It is Unicode's simple case folding, with two deliberate differences that
//! `docs/PSEUDONYMS.md` lists.

use unicode_normalization::UnicodeNormalization;

/// NFC, then case folding, then NFC again: a folded character may compose with the mark after it.
pub(super) fn folded(text: &str) -> String {
    // ASCII text is already NFC, and only `A` to `Z` change.
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfc().map(fold).nfc().collect()
}

/// The lower case of the upper case if each is one character; otherwise the character unchanged.
///
/// İ and ı stay unchanged, as in simple case folding: only Turkish folds them to i. U+0345 stays a combining mark.
fn fold(c: char) -> char {
    match c {
        'A'..='Z' => c.to_ascii_lowercase(),
        '\u{0}'..='\u{7f}' | '\u{130}' | '\u{131}' | '\u{345}' => c,
        _ => {
            let upper = single(c, c.to_uppercase());
            single(upper, upper.to_lowercase())
        }
    }
}

/// The only character of `mapped`, or `c` if there is not exactly one.
fn single(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// `text` without white space and invisible characters at its ends.
pub(super) fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        // Nearly every address. No such octet is trimmed, or is part of a character that is.
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c)),
    }
}

/// Zero-width characters, soft hyphen, byte order mark and directional marks. They surround addresses that were copied
/// from a web page or a mail program.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_folded_without_a_locale() {
        assert_eq!(folded("ALICE"), "alice");
        assert_eq!(folded("ISTANBUL"), "istanbul");
        assert_eq!(folded("\u{130}stanbul"), "\u{130}stanbul");
        assert_eq!(folded("\u{131}"), "\u{131}");
    }

    #[test]
    fn every_sigma_is_one_and_sharp_s_is_not_ss() {
        assert_eq!(folded("ΟΔΟΣ"), folded("οδος"));
        assert_eq!(folded("ΟΔΟΣ"), folded("οδοσ"));
        assert_eq!(folded("STRAẞE"), folded("straße"));
        assert_ne!(folded("strasse"), folded("straße"));
    }

    #[test]
    fn composed_and_decomposed_are_one_but_compatibility_forms_are_not() {
        assert_eq!(folded("Jose\u{301}"), folded("JOSÉ"));
        assert_ne!(folded("\u{ff41}lice"), folded("alice"));
        assert_ne!(folded("\u{fb01}ona"), folded("fiona"));
    }

    #[test]
    fn folding_twice_is_folding_once_for_every_character() {
        for c in '\u{0}'..=char::MAX {
            let once = folded(c.encode_utf8(&mut [0; 4]));
            assert_eq!(folded(&once), once, "U+{:04X}", u32::from(c));
        }
    }

    /// The ASCII fast path needs an all-ASCII text. Appending a combining mark forces the slow path for each character.
    #[test]
    fn ascii_is_folded_alike_with_and_without_the_short_way() {
        for c in '\0'..='\x7f' {
            let text = c.to_string();
            assert_eq!(folded(&(text.clone() + "\u{ff41}")), folded(&text) + "\u{ff41}", "{text:?}");
        }
    }

    #[test]
    fn ends_are_trimmed_and_the_middle_is_not() {
        assert_eq!(trimmed("\u{feff}\u{3000} a b\u{200b}\u{202c}\n"), "a b");
        assert_eq!(trimmed("a\u{200b}b"), "a\u{200b}b");
    }
}
