//! What came of a step: one heading, what it means, what to do.

use maud::html;

use super::page;

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
    let (class, role) = match notice.tone {
        Tone::Good => ("note good", "status"),
        Tone::Warning => ("note warn", "status"),
        Tone::Bad => ("note bad", "alert"),
    };
    let main = html! {
        section.card {
            h1 { (notice.heading) }
            div class=(class) role=(role) {
                p { (notice.text) }
                @if !notice.permissions.is_empty() {
                    ul {
                        @for name in &notice.permissions { li { code { (name) } } }
                    }
                }
            }
            @if !notice.advice.is_empty() { p { (notice.advice) } }
            p.quiet { "Code: " code { (notice.code) } }
            p {
                a.button href={ (prefix) (again) } {
                    @if again == "/connect" { "Data Connections" } @else { "Back to the connection" }
                }
            }
        }
    };
    page(prefix, notice.heading, &main)
}
