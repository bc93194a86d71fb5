//! HTML, in which a text can only be a text: markup is written in this program's source, and everything else is escaped.

/// A piece of a page.
#[derive(Default)]
pub(crate) struct Html(String);

impl Html {
    /// Markup out of this program's source.
    pub(crate) fn markup(mut self, markup: &'static str) -> Self {
        self.0.push_str(markup);
        self
    }

    /// Any text, between tags or in an attribute with double quotes.
    pub(crate) fn text(mut self, text: &str) -> Self {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // Control characters change how the text around them reads, and some end a page.
                c if c.is_control() && c != '\n' => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Another piece.
    pub(crate) fn piece(mut self, piece: Self) -> Self {
        self.0.push_str(&piece.0);
        self
    }

    /// A piece for each of these.
    pub(crate) fn each<T>(self, items: impl IntoIterator<Item = T>, piece: impl Fn(T) -> Self) -> Self {
        items.into_iter().fold(self, |html, item| html.piece(piece(item)))
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_a_text() {
        let hostile = "</title><script>alert('x')</script>\" onload=\"x\0\u{85}&amp;";
        let html = Html::default().markup("<p title=\"").text(hostile).markup("\">").into_text();
        assert_eq!(
            html,
            "<p title=\"&lt;/title&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot; onload=&quot;x\u{fffd}\u{fffd}&amp;amp;\">"
        );
    }
}
