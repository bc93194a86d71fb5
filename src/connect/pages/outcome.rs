//! What came of a step: one heading, what it means, what to do.

use super::page;
use crate::web::Html;

/// How the news is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::connect) enum Tone {
    Good,
    Warning,
    Bad,
}

/// What the page says.
pub(in crate::connect) struct Notice {
    pub(in crate::connect) tone: Tone,
    pub(in crate::connect) heading: &'static str,
    pub(in crate::connect) text: &'static str,
    /// Names of permissions that the text is about.
    pub(in crate::connect) permissions: Vec<String>,
    /// What to do about it.
    pub(in crate::connect) advice: &'static str,
    /// A stable code, for who is asked for help.
    pub(in crate::connect) code: &'static str,
}

/// `again` is the path on which the flow begins anew.
pub(in crate::connect) fn notice(prefix: &str, notice: &Notice, again: &str) -> String {
    let note = match notice.tone {
        Tone::Good => "<div class=\"note good\" role=\"status\"><p>",
        Tone::Warning => "<div class=\"note warn\" role=\"status\"><p>",
        Tone::Bad => "<div class=\"note bad\" role=\"alert\"><p>",
    };
    let main = Html::default()
        .markup("<section class=\"card\"><h1>")
        .text(notice.heading)
        .markup("</h1>")
        .markup(note)
        .text(notice.text)
        .markup("</p>")
        .piece(permissions(&notice.permissions))
        .markup("</div>")
        .each(Some(notice.advice).filter(|advice| !advice.is_empty()), |advice| {
            Html::default().markup("<p>").text(advice).markup("</p>")
        })
        .markup("<p class=\"quiet\">Code: <code>")
        .text(notice.code)
        .markup("</code></p><p><a class=\"button\" href=\"")
        .text(prefix)
        .text(again)
        .markup("\">")
        .markup(if again == "/connect" { "Data Connections" } else { "Back to the connection" })
        .markup("</a></p></section>");
    page(prefix, notice.heading, main)
}

fn permissions(names: &[String]) -> Html {
    if names.is_empty() {
        return Html::default();
    }
    Html::default()
        .markup("<ul>")
        .each(names, |name| Html::default().markup("<li><code>").text(name).markup("</code></li>"))
        .markup("</ul>")
}
