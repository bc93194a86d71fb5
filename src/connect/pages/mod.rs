//! The pages, as texts. No script, no image, nothing from elsewhere; everything but the style sheet is in the page.
//!
//! | file | what |
//! |---|---|
//! | `list` | *Data Connections*: a card for each connector |
//! | `detail` | one connector: permissions, what they are for, what leaves |
//! | `outcome` | what came of a step |

mod detail;
mod list;
mod outcome;

pub(super) use detail::{Detail, detail};
pub(super) use list::{Card, list};
pub(super) use outcome::{Notice, Tone, notice};

use super::store::{Connection, ConnectionState};
use crate::web::Html;

/// The style sheet of all pages.
pub(super) const STYLE: &str = include_str!("style.css");

/// A whole page. `prefix` is the path under which consumers and browsers reach this proxy.
fn page(prefix: &str, title: &str, main: Html) -> String {
    Html::default()
        .markup("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .markup("<meta name=\"robots\" content=\"noindex\">\n<title>")
        .text(title)
        .markup(" - Glassine</title>\n<link rel=\"stylesheet\" href=\"")
        .text(prefix)
        .markup("/connect/style.css\">\n</head>\n<body>\n<header><p class=\"brand\"><strong>Glassine</strong> <span>The proxy between your Microsoft 365 and analytics applications. What is not listed does not leave.</span></p></header>\n<main>\n")
        .piece(main)
        .markup("\n</main>\n</body>\n</html>\n")
        .into_text()
}

/// How a connection stands, in a word or two.
fn badge(connection: Option<&Connection>) -> Html {
    let (class, words) = match connection.map(|connection| connection.state) {
        None => ("<span class=\"badge\">", "Not connected"),
        Some(ConnectionState::Connected) => ("<span class=\"badge good\">", "Connected"),
        Some(ConnectionState::OverPrivileged) => {
            ("<span class=\"badge warn\">", "Connected, over-privileged")
        }
        Some(ConnectionState::ConsentMissing) => ("<span class=\"badge bad\">", "Consent missing"),
    };
    Html::default().markup(class).text(words).markup("</span>")
}

/// How a connection stands, in sentences.
fn standing(connection: Option<&Connection>) -> Html {
    let Some(connection) = connection else {
        return Html::default()
            .markup("<p class=\"quiet\">Nobody has connected this here yet. What was granted elsewhere is not known before that.</p>");
    };
    let since = connection.since.get(..10).unwrap_or_default();
    match connection.state {
        ConnectionState::Connected => Html::default()
            .markup("<div class=\"note good\"><p>Connected since ")
            .text(since)
            .markup(". Exactly the permissions that the rules need are granted.</p></div>"),
        ConnectionState::OverPrivileged => Html::default()
            .markup("<div class=\"note warn\"><p>Connected since ")
            .text(since)
            .markup(". More is granted than the rules need: ")
            .piece(names(&connection.excess))
            .markup(". The rules let out no more for it. Remove what is not needed from the app registration, so that Microsoft withholds it as well.</p></div>"),
        ConnectionState::ConsentMissing => Html::default()
            .markup("<div class=\"note bad\"><p>Not granted when last checked: ")
            .piece(names(&connection.missing))
            .markup(". Add what is missing to the app registration if it is not there, then connect again. A consent can take a minute to show.</p></div>"),
    }
}

fn names(permissions: &[String]) -> Html {
    permissions.iter().enumerate().fold(Html::default(), |html, (at, name)| {
        html.markup(if at == 0 { "<code>" } else { ", <code>" }).text(name).markup("</code>")
    })
}
