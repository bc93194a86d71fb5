//! What may be asked.

use maud::{Markup, html};

use crate::cli::review::shown::{asks, shared_versions};
use glassine_core::statement::review::{Request, Requests};

pub(super) fn requests(requests: &[Requests]) -> Markup {
    let versions = shared_versions(requests);
    html! {
        section {
            h3 { "What may be asked" }
            p.quiet {
                "Every other request is refused. A " code { "{name}" } " in a path takes a token that this consumer received, and nothing \
                 else, unless its row says so."
                @if let Some(versions) = &versions { " All are requests of " (versions) "." }
            }
            table.requests {
                caption { "Requests, by kind of object" }
                colgroup { col.path; col.response; col.asks; col.line; }
                thead {
                    tr {
                        th scope="col" { "GET" }
                        th scope="col" { "Response" }
                        th scope="col" { "What may be asked" }
                        th scope="col" { "Line" }
                    }
                }
                @for Requests { title, requests } in requests {
                    tbody {
                        tr { th colspan="4" scope="rowgroup" { (title) } }
                        @for request in requests { (self::request(request, versions.is_none())) }
                    }
                }
            }
        }
    }
}

fn request(request: &Request, with_versions: bool) -> Markup {
    html! {
        tr.bad[request.takes_raw] {
            td { code { (request.path) } }
            td { (request.gives) @if with_versions { " (" (request.versions.join(", ")) ")" } }
            td {
                @if request.takes_raw { span.badge.bad { "Red" } " " }
                (asks(request))
            }
            td { (request.line) }
        }
    }
}
