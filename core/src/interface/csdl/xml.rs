//! Writes XML: elements with attributes, and either others or a text in them.

/// Attributes of an element, in order.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a str)];

/// The elements so far.
#[derive(Default)]
pub(super) struct Xml {
    text: String,
    depth: usize,
}

impl Xml {
    /// An empty document.
    pub(super) fn new() -> Self {
        Self { text: "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_owned(), depth: 0 }
    }

    /// Adds an element with others in it.
    pub(super) fn element(&mut self, name: &str, attributes: Attributes<'_>, inside: impl FnOnce(&mut Self)) {
        self.open(name, attributes, ">");
        let (start, depth) = (self.text.len(), self.depth);
        self.depth = depth + 1;
        inside(self);
        self.depth = depth;
        if self.text.len() == start {
            self.text.truncate(start.saturating_sub(">\n".len()));
            self.text.push_str("/>\n");
        } else {
            self.indent();
            self.text.extend(["</", name, ">\n"]);
        }
    }

    /// Adds an element without others in it.
    pub(super) fn leaf(&mut self, name: &str, attributes: Attributes<'_>) {
        self.open(name, attributes, "/>");
    }

    /// Adds an element with a text in it.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.indent();
        self.text.extend(["<", name, ">", &escaped(text), "</", name, ">\n"]);
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn open(&mut self, name: &str, attributes: Attributes<'_>, end: &str) {
        self.indent();
        self.text.extend(["<", name]);
        for (name, value) in attributes {
            self.text.extend([" ", name, "=\"", &escaped(value), "\""]);
        }
        self.text.extend([end, "\n"]);
    }

    fn indent(&mut self) {
        self.text.extend(std::iter::repeat_n("  ", self.depth));
    }
}

/// A text as the value of an attribute or between tags (XML 1.0, 2.4 and 3.3.3). XML cannot have other control characters than tab and line ends.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push_str(&format!("&#{};", u32::from(character))),
            '\0'..=' ' if character != ' ' => escaped.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            plain => escaped.push(plain),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_close_themselves_if_nothing_is_in_them() {
        let mut xml = Xml::new();
        xml.element("a", &[("x", "1")], |xml| {
            xml.leaf("b", &[]);
            xml.element("c", &[("y", "2")], |_| {});
            xml.element("d", &[], |xml| xml.text("e", "<"));
        });
        let expected = "<a x=\"1\">\n  <b/>\n  <c y=\"2\"/>\n  <d>\n    <e>&lt;</e>\n  </d>\n</a>\n";
        assert_eq!(xml.into_text(), format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{expected}"));
    }

    #[test]
    fn no_text_ends_an_attribute() {
        assert_eq!(escaped("a\"b<c>&'d\n\u{1}é"), "a&quot;b&lt;c&gt;&amp;'d&#10;\u{fffd}é");
    }
}
