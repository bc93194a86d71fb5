//! The pages as HTML texts. A page loads only the style sheet: no script, no image, nothing from other sites.
//!
//! | file | what |
//! |---|---|
//! | `list` | *Data Connections*: a card for each connector |
//! | `detail` | one connector: permissions, what they are for, what leaves |
//! | `leaves` | what leaves of a connector's objects |
//! | `outcome` | the outcome of a step |

mod detail;
mod leaves;
mod list;
mod outcome;

use maud::{Markup, html};

pub(super) use outcome::{Notice, Tone, notice};

use super::problem::Problem;
use super::request::PageRequest;
use super::response::PageResponse;
use super::site::{Connector, Site};
use super::store::{Connection, ConnectionState};
use crate::web;

/// Shows something of the site.
pub(super) type SiteView = fn(&Site) -> PageResponse;

/// Shows something of a connector.
pub(super) type ConnectorView = fn(&Site, &Connector, &PageRequest<'_>) -> Result<PageResponse, Problem>;

/// The pages of the site, by the part of the path after `/connect`.
pub(super) const OF_SITE: &[(&str, SiteView)] = &[("", list::view), ("/", list::view)];

/// What every address may have: the style of error pages, and the public keys with which an analytics application verifies
/// results.
pub(super) const FOR_ALL: &[(&str, SiteView)] = &[("/style.css", style), ("/keys", result_keys)];

/// The pages of a connector, by the part of the path after its name.
pub(super) const OF_CONNECTOR: &[(&str, ConnectorView)] = &[("", detail::view), ("/rules", rules)];

fn style(_: &Site) -> PageResponse {
    PageResponse::file("text/css; charset=utf-8", [web::THEME, include_str!("style.css")].concat())
}

fn result_keys(site: &Site) -> PageResponse {
    PageResponse::file("application/json", site.result_keys().key_set())
}

fn rules(_: &Site, connector: &Connector, _: &PageRequest<'_>) -> Result<PageResponse, Problem> {
    Ok(PageResponse::file("text/plain; charset=utf-8", connector.rules.clone()))
}

/// A whole page. `prefix` is the path under which consumers and browsers reach this proxy.
fn page(prefix: &str, title: &str, main: &Markup) -> String {
    let head = html! {
        meta name="robots" content="noindex";
        link rel="stylesheet" href={ (prefix) "/connect/style.css" };
    };
    let body = html! {
        header {
            p.brand {
                strong { "Glassine" } " "
                span {
                    "The proxy between your Microsoft 365 and analytics applications. What is not listed does not leave."
                }
            }
        }
        main { (main) }
    };
    web::page(&format!("{title} - Glassine"), &head, &body)
}

/// The state of a connection as a short label.
fn badge(connection: Option<&Connection>) -> Markup {
    let (class, words) = match connection.map(|connection| connection.state) {
        None => ("badge", "Not connected"),
        Some(ConnectionState::Connected) => ("badge good", "Connected"),
        Some(ConnectionState::OverPrivileged) => ("badge warn", "Connected, over-privileged"),
        Some(ConnectionState::GrantedUnverified) => ("badge good", "Connected, permissions not readable"),
        Some(ConnectionState::ConsentMissing) => ("badge bad", "Consent missing"),
    };
    html! { span class=(class) { (words) } }
}

/// The state of a connection in sentences.
fn standing(connection: Option<&Connection>) -> Markup {
    let Some(connection) = connection else {
        return html! {
            p.quiet { "Not connected yet. Permissions granted elsewhere show after the first sign-in." }
        };
    };
    let since = connection.since.get(..10).unwrap_or_default();
    match connection.state {
        ConnectionState::Connected => html! {
            div.note.good {
                p { "Connected since " (since) ". Exactly the permissions that the rules need are granted." }
            }
        },
        ConnectionState::OverPrivileged => html! {
            div.note.warn {
                p {
                    "Connected since " (since) ". More is granted than the rules need: "
                    (names(&connection.excess))
                    ". The rules let out no more for it. Remove what is not needed from the app registration, so that \
                     Microsoft withholds it as well."
                }
            }
        },
        ConnectionState::GrantedUnverified => html! {
            div.note.good {
                p {
                    "Connected since " (since) ". Requests to Microsoft Graph succeed. The access token cannot be read here, so \
                     whether more is granted than the rules need is not known."
                }
            }
        },
        ConnectionState::ConsentMissing => html! {
            div.note.bad {
                p {
                    "Not granted when last checked: "
                    (names(&connection.missing))
                    ". Add what is missing to the app registration if it is not there, then connect again. A consent \
                     can take some minutes to show; the proxy uses it as soon as Entra's tokens have it."
                }
            }
        },
    }
}

fn names(permissions: &[String]) -> Markup {
    html! {
        @for (at, name) in permissions.iter().enumerate() {
            @if at > 0 { ", " }
            code { (name) }
        }
    }
}
