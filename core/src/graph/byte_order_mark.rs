//! The byte order mark that some of Microsoft's services write before UTF-8.
//!
//! Sources: an error of Graph that begins with EF BB BF (<https://github.com/microsoftgraph/microsoft-graph-docs/issues/679>),
//! and Entra's federation metadata (<https://github.com/microsoftgraph/microsoft-graph-docs/issues/10510>). A parser of JSON
//! may ignore the mark (RFC 8259 section 8.1).

/// UTF-8 without the one byte order mark that may be before it.
pub fn without_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::without_byte_order_mark;

    #[test]
    fn one_whole_mark_at_the_beginning_is_left_out() {
        for (text, left) in [
            ("\u{FEFF}{}", "{}"),
            ("{}", "{}"),
            ("", ""),
            ("\u{FEFF}", ""),
            ("\u{FEFF}\u{FEFF}{}", "\u{FEFF}{}"),
            (" \u{FEFF}{}", " \u{FEFF}{}"),
        ] {
            assert_eq!(without_byte_order_mark(text.as_bytes()), left.as_bytes(), "{text:?}");
        }
        assert_eq!(without_byte_order_mark(b"\xEF\xBB{}"), b"\xEF\xBB{}");
    }
}
