//! The review as one HTML page, for a browser or a printer. It stands alone: no script, nothing from elsewhere.
//!
//! | file | what |
//! |---|---|
//! | `leaves` | what leaves, property by property |
//! | `requests` | what may be asked |

mod leaves;
mod requests;

use maud::{Markup, html};

use super::shown::{place, sentence, value, verdict};
use crate::web;
use glassine_core::statement::review::{
    Addresses, Consumer, Example, Finding, Kind, Level, Permission, Review, Stays,
};
use leaves::{around, leaves};
use requests::requests;

/// The kinds of forms that have a column in the overview.
const COLUMNS: [Kind; 4] = [Kind::AsItIs, Kind::Part, Kind::OpensAgain, Kind::OneWay];

/// What the page may load: nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The whole page.
pub(super) fn render(reviews: &[Review]) -> String {
    let title = match reviews {
        [only] => format!("Review of {}", only.title),
        _ => "Review".to_owned(),
    };
    let head = html! {
        meta http-equiv="Content-Security-Policy" content=(POLICY);
        (web::style(web::THEME))
        (web::style(include_str!("style.css")))
    };
    let body = html! {
        header {
            p.brand {
                strong { "Glassine" } " "
                span { "What leaves the tenant, computed from the rules that the proxy runs. What is not listed does not leave." }
            }
        }
        main {
            h1 { "Review" }
            @if reviews.len() > 1 { (contents(reviews)) }
            @for (number, review) in reviews.iter().enumerate() { (article(number, review)) }
        }
    };
    web::page(&title, &head, &body)
}

fn contents(reviews: &[Review]) -> Markup {
    html! {
        nav aria-label="Connectors" {
            ul {
                @for (number, review) in reviews.iter().enumerate() {
                    li { a href={ "#review-" (number) } { (review.title) } " " (badge(review)) }
                }
            }
        }
    }
}

fn article(number: usize, review: &Review) -> Markup {
    let id = format!("review-{number}");
    html! {
        article aria-labelledby=(id) {
            div.top {
                h2 id=(id) { (review.title) }
                (badge(review))
            }
            p.lead { (review.purpose) }
            (findings(review))
            div.sides {
                (facts(review))
                (overview(review))
            }
            (leaves(review))
            div.sides {
                (stays(&review.stays))
                (around(review))
            }
            (requests(&review.requests))
        }
    }
}

fn badge(review: &Review) -> Markup {
    let red = review.findings_of(Level::Red).count();
    let notes = review.findings_of(Level::Note).count();
    match (red, notes) {
        (0, 0) => html! { span.badge.good { "Nothing red" } },
        (0, _) => html! { span.badge.good { "Nothing red, " (notes) " to note" } },
        _ => html! { span.badge.bad { (red) " red" } },
    }
}

fn facts(review: &Review) -> Markup {
    html! {
        section {
            h3 { "In short" }
            dl.facts {
                dt { "File" } dd { code { (review.file) } ", connector " code { (review.connector) } }
                dt { "Fingerprint" } dd { code { (review.fingerprint) } }
                @if !review.consumers.is_empty() {
                    dt { "For" }
                    @for consumer in &review.consumers { (self::consumer(consumer)) }
                }
                dt { "Permissions" }
                @for permission in &review.permissions { (self::permission(permission)) }
                dt { "Addresses" }
                (addresses(&review.addresses))
            }
        }
    }
}

fn consumer(consumer: &Consumer) -> Markup {
    html! {
        dd {
            strong { (consumer.title) } " (" code { (consumer.name) } "), pseudonym domain " code { (consumer.pseudonym_domain) }
            ", statement " code { (consumer.fingerprint) }
        }
    }
}

fn permission(permission: &Permission) -> Markup {
    html! {
        dd {
            @for (at, name) in permission.any_of.iter().enumerate() {
                @if at > 0 { " or " }
                code { (name) }
            }
            @if let Some(opens) = permission.opens { ": may " (opens) }
        }
    }
}

fn addresses(addresses: &Addresses) -> Markup {
    html! {
        dd { (prose(&addresses.domains)) " " (addresses.plus_tags) }
        @for Example { before, after } in &addresses.examples {
            dd { code { (value(before)) } " → " code { (value(after)) } }
        }
    }
}

/// A text with code between backticks.
fn prose(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn findings(review: &Review) -> Markup {
    let tone = if review.findings_of(Level::Red).next().is_some() { "note bad" } else { "note good" };
    html! {
        section {
            h3 { "Findings" }
            div class=(tone) { p { strong { (verdict(review)) } } }
            @if !review.findings.is_empty() {
                ul.findings {
                    @for finding in &review.findings { (self::finding(finding)) }
                }
            }
        }
    }
}

fn finding(finding: &Finding) -> Markup {
    let (class, label) = match finding.level {
        Level::Red => ("finding bad", html! { span.badge.bad { "Red" } }),
        Level::Note => ("finding", html! { span.badge { "Note" } }),
    };
    html! {
        li class=(class) {
            (label) " " strong { (prose(&sentence(&finding.what))) } " "
            @for (at, property) in finding.properties.iter().enumerate() {
                @if at > 0 { ", " }
                code { (property) }
            }
            div.quiet {
                @if let Some(advice) = &finding.advice { (prose(&sentence(advice))) ". " }
                code { (place(&finding.file, finding.line)) }
                @if let Some(code) = finding.code { " " (code) }
            }
        }
    }
}

fn overview(review: &Review) -> Markup {
    html! {
        section {
            h3 { "At a glance" }
            table.numbers {
                caption { "How many properties of each kind of object leave, by form" }
                thead {
                    tr {
                        th scope="col" { "Properties that leave" }
                        @for kind in COLUMNS { th scope="col" { (kind.label()) } }
                    }
                }
                tbody {
                    @for object in &review.objects {
                        tr {
                            th scope="row" { (object.title) }
                            @for kind in COLUMNS { td { (object.count(kind)) } }
                        }
                    }
                }
            }
        }
    }
}

fn stays(stays: &[Stays]) -> Markup {
    html! {
        section {
            h3 { "What stays inside" }
            p.quiet {
                "Of all that the catalogue of Microsoft Graph knows of these objects. What Microsoft adds later stays inside, too, \
                 unless an object above is open."
            }
            table.stays {
                caption { "What stays inside, by class" }
                thead {
                    tr {
                        th scope="col" { "Class" }
                        th scope="col" { "Properties" }
                    }
                }
                tbody {
                    @for it in stays { (self::class_row(it)) }
                }
            }
        }
    }
}

fn class_row(stays: &Stays) -> Markup {
    html! {
        tr {
            th scope="row" { (stays.class.in_words()) }
            td {
                @if stays.dropped.is_empty() { (stays.in_words()) } @else {
                    details {
                        summary { (stays.in_words()) }
                        @for dropped in &stays.dropped {
                            p { strong { (dropped.title) } ": " (dropped.properties.join(", ")) }
                        }
                    }
                }
            }
        }
    }
}
