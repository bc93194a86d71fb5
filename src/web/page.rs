//! A whole HTML page. `maud` escapes all text and attributes; this file adds what all pages need.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A whole page. `head` follows the title element.
pub(crate) fn page(title: &str, head: &Markup, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                (head)
            }
            body { (body) }
        }
    };
    without_controls(&page.into_string())
}

/// The style sheet that the project's pages begin with: colours, light and dark, and letters.
pub(crate) const THEME: &str = include_str!("theme.css");

/// A style sheet from this program's source. An architecture test allows `PreEscaped` in this file only.
pub(crate) fn style(sheet: &'static str) -> Markup {
    html! { style { (PreEscaped(sheet)) } }
}

/// Replaces control characters, except line breaks: they can change how a text reads, and HTML forbids most of them.
fn without_controls(page: &str) -> String {
    page.replace(|c: char| c.is_control() && !matches!(c, '\n' | '\r'), "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "</title><script>alert('x')</script>\" onload=\"x\0\u{85}&amp;";
    const ESCAPED: &str =
        "&lt;/title&gt;&lt;script&gt;alert('x')&lt;/script&gt;&quot; onload=&quot;x\u{fffd}\u{fffd}&amp;amp;";

    #[test]
    fn text_is_escaped() {
        let page = page(HOSTILE, &html! {}, &html! { p title=(HOSTILE) { (HOSTILE) } });
        assert!(page.contains(&format!("<title>{ESCAPED}</title>")), "{page}");
        assert!(page.contains(&format!("<p title=\"{ESCAPED}\">{ESCAPED}</p>")), "{page}");
    }

    #[test]
    fn line_breaks_stay() {
        let description = "AADSTS50058: no session\r\nTrace ID: t\nend";
        let page = page("", &html! {}, &html! { input value=(description); });
        assert!(page.contains(&format!("value=\"{description}\"")), "{page}");
    }

    #[test]
    fn a_style_sheet_is_not_escaped() {
        assert_eq!(
            style("a > b { content: \"&\" }").into_string(),
            "<style>a > b { content: \"&\" }</style>"
        );
    }
}
