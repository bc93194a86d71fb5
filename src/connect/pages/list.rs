//! *Data Connections*: a card for each consumer's connector.

use http::StatusCode;
use maud::{Markup, html};

use super::{badge, page, standing};
use crate::connect::response::PageResponse;
use crate::connect::site::Site;
use crate::connect::store::{Connection, ConnectionState};
use glassine_core::catalogue::permissions::plain_words;
use glassine_core::rules::Plan;
use glassine_core::rules::plan::Permission;

/// The data of a card.
struct Card<'a> {
    consumer: &'a str,
    title: &'a str,
    plan: &'a Plan,
    connection: Option<Connection>,
}

/// The page.
pub(super) fn view(site: &Site) -> PageResponse {
    let cards = site.connectors().iter().map(|connector| Card {
        consumer: &connector.name,
        title: &connector.title,
        plan: &connector.plan,
        connection: site.connection(connector),
    });
    PageResponse::page(StatusCode::OK, list(site.prefix(), &cards.collect::<Vec<_>>()))
}

fn list(prefix: &str, cards: &[Card<'_>]) -> String {
    let main = html! {
        h1 { "Data Connections" }
        p.lead {
            "What this organisation lets analytics applications read of Microsoft 365. Each connector has rules that \
             say what leaves; everything else stays."
        }
        ul.cards {
            @for card in cards { (self::card(prefix, card)) }
        }
    };
    page(prefix, "Data Connections", &main)
}

fn card(prefix: &str, card: &Card<'_>) -> Markup {
    let connection = card.connection.as_ref();
    let (class, action) = match connection.map(|connection| connection.state) {
        None => ("button", "Connect"),
        Some(ConnectionState::ConsentMissing) => ("button", "Connect again"),
        Some(
            ConnectionState::Connected | ConnectionState::OverPrivileged | ConnectionState::GrantedUnverified,
        ) => ("button second", "Review"),
    };
    html! {
        li.card {
            div.top {
                h2 { (card.plan.title) }
                (badge(connection))
            }
            p { (card.plan.purpose) }
            dl {
                dt { "For" }
                dd { (card.title) }
                dt { "Needs" }
                dd {
                    ul.needs {
                        @for permission in &card.plan.permissions { (need(permission)) }
                    }
                }
            }
            @if connection.is_some() { (standing(connection)) }
            p {
                a class=(class) href={ (prefix) "/connect/" (card.consumer) } {
                    (action)
                    span.hidden { " " (card.plan.title) " for " (card.consumer) }
                }
            }
        }
    }
}

/// A permission with what it allows.
fn need(permission: &Permission) -> Markup {
    let least = permission.any_of.first().map(String::as_str).unwrap_or_default();
    html! {
        li {
            @if let Some(words) = plain_words(least) { (words) " " }
            code { (least) }
        }
    }
}
