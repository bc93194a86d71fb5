//! The review as one HTML page, for a browser or a printer. It stands alone: no script, nothing from elsewhere.

use maud::{Markup, html};

use super::shown::{asks, besides, lines, place, sentence, shared_versions, value, verdict};
use crate::web;
use glassine_core::statement::review::{
    Addresses, Consumer, Example, Finding, Kind, Level, Object, Permission, Request, Requests, Review, Row,
    Stays,
};

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

fn leaves(review: &Review) -> Markup {
    html! {
        section {
            h3 { "What leaves" }
            p.quiet {
                "One row for each property. Examples are made by the sanitizer, with keys that protect nothing; tokens are \
                 cut short. The line is that of the rules file."
            }
            @for object in &review.objects { (self::object(object)) }
        }
    }
}

fn object(object: &Object) -> Markup {
    html! {
        section {
            h4 { (object.title) }
            @if object.is_open() {
                div.note.bad { p { strong { "Everything leaves" } " that no line names, also what people write." } }
            }
            (rows(&object.title, &object.rows))
            @if !object.redacted.is_empty() {
                p.quiet {
                    "Dropped by name: "
                    @for (at, redacted) in object.redacted.iter().enumerate() {
                        @if at > 0 { ", " }
                        code { (redacted.path) } " (line " (lines(&redacted.lines)) ")"
                    }
                }
            }
        }
    }
}

fn rows(caption: &str, rows: &[Row]) -> Markup {
    html! {
        table.rows {
            caption { (caption) }
            colgroup { col.property; col.form; col.before; col.after; col.line; }
            thead {
                tr {
                    th scope="col" { "Property" }
                    th scope="col" { "Leaves" }
                    th scope="col" { "Graph sends" }
                    th scope="col" { "The consumer gets" }
                    th scope="col" { "Line" }
                }
            }
            tbody {
                @for row in rows { (self::row(row)) }
            }
        }
    }
}

fn row(row: &Row) -> Markup {
    html! {
        tr.bad[row.danger.is_some()] {
            th scope="row" { code { (row.path) } }
            td {
                (forms(row))
                @if let Some(danger) = &row.danger { " " span.badge.bad { "Red" } " " strong { (prose(danger)) } }
            }
            td { @if let Some(example) = &row.example { code { (value(&example.before)) } } }
            td { @if let Some(example) = &row.example { code { (value(&example.after)) } } }
            td { (lines(&row.lines)) }
        }
    }
}

fn forms(row: &Row) -> Markup {
    html! {
        @for (at, form) in row.forms.iter().enumerate() {
            @if at > 0 { "; " }
            span class={ "kind " (class(form.kind)) } { (form.kind.label()) } " " (form.words)
        }
    }
}

/// What leaves around the objects. It has no examples: a link is sealed for one request of one consumer.
fn around(review: &Review) -> Markup {
    html! {
        section {
            h3 { "Around the objects" }
            p.quiet { (besides(review)) }
            @if !review.around.is_empty() {
                table {
                    caption { "What leaves around the objects" }
                    thead {
                        tr {
                            th scope="col" { "Property" }
                            th scope="col" { "Leaves" }
                            th scope="col" { "Line" }
                        }
                    }
                    tbody {
                        @for row in &review.around {
                            tr {
                                th scope="row" { code { (row.path) } }
                                td { (forms(row)) }
                                td { (lines(&row.lines)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The class of a kind's colour.
fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::OneWay | Kind::Link | Kind::Presence | Kind::Again => "good",
        Kind::OpensAgain => "warn",
        Kind::AsItIs | Kind::Part => "plain",
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

fn requests(requests: &[Requests]) -> Markup {
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
