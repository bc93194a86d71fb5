//! The outcome of a step: a heading, an explanation, and what to do.

use maud::html;

use super::page;

/// How the page presents the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::connect) enum Tone {
    Good,
    Warning,
    Bad,
}

/// The text of the page.
pub(in crate::connect) struct Notice {
    pub(in crate::connect) tone: Tone,
    pub(in crate::connect) heading: &'static str,
    pub(in crate::connect) text: &'static str,
    /// The names of the permissions that the text refers to.
    pub(in crate::connect) permissions: Vec<String>,
    /// What to do about it.
    pub(in crate::connect) advice: &'static str,
    /// A stable code, which people give when they ask for help.
    pub(in crate::connect) code: &'static str,
}

/// `again` is the path on which the flow can be started again.
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
