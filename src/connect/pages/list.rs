//! *Data Connections*: a card for each consumer's connector.

use super::{badge, page, standing};
use crate::connect::store::{Connection, ConnectionState};
use crate::web::Html;
use glassine_core::rules::Plan;
use glassine_core::rules::permissions::plain_words;
use glassine_core::rules::plan::Permission;

/// What a card shows.
pub(in crate::connect) struct Card<'a> {
    pub(in crate::connect) consumer: &'a str,
    pub(in crate::connect) plan: &'a Plan,
    pub(in crate::connect) connection: Option<Connection>,
}

pub(in crate::connect) fn list(prefix: &str, cards: &[Card<'_>]) -> String {
    let main = Html::default()
        .markup("<h1>Data Connections</h1>\n<p class=\"lead\">What this organisation lets analytics applications read of Microsoft 365. Each connector has rules that say what leaves; everything else stays.</p>\n<ul class=\"cards\">")
        .each(cards, |card| self::card(prefix, card))
        .markup("</ul>");
    page(prefix, "Data Connections", main)
}

fn card(prefix: &str, card: &Card<'_>) -> Html {
    let connection = card.connection.as_ref();
    let (class, action) = match connection.map(|connection| connection.state) {
        None => ("<p><a class=\"button\" href=\"", "Connect"),
        Some(ConnectionState::ConsentMissing) => ("<p><a class=\"button\" href=\"", "Connect again"),
        Some(ConnectionState::Connected | ConnectionState::OverPrivileged) => {
            ("<p><a class=\"button second\" href=\"", "Review")
        }
    };
    Html::default()
        .markup("<li class=\"card\"><div class=\"top\"><h2>")
        .text(&card.plan.title)
        .markup("</h2>")
        .piece(badge(connection))
        .markup("</div><p>")
        .text(&card.plan.purpose)
        .markup("</p><dl><dt>For</dt><dd>")
        .text(card.consumer)
        .markup("</dd><dt>Needs</dt><dd><ul class=\"needs\">")
        .each(&card.plan.permissions, need)
        .markup("</ul></dd></dl>")
        .each(connection, |connection| standing(Some(connection)))
        .markup(class)
        .text(prefix)
        .markup("/connect/")
        .text(card.consumer)
        .markup("\">")
        .markup(action)
        .markup("<span class=\"hidden\"> ")
        .text(&card.plan.title)
        .markup(" for ")
        .text(card.consumer)
        .markup("</span></a></p></li>\n")
}

/// A permission, as what it allows.
fn need(permission: &Permission) -> Html {
    let least = permission.any_of.first().map(String::as_str).unwrap_or_default();
    let words = plain_words(least).map(|words| Html::default().text(words).markup(" "));
    Html::default()
        .markup("<li>")
        .each(words, |words| words)
        .markup("<code>")
        .text(least)
        .markup("</code></li>")
}
