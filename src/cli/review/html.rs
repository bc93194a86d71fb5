//! The review as one HTML page, for a browser or a printer. It stands alone: no script, nothing from elsewhere.

use maud::{Markup, html};

use super::shown::{lines, place, value, verdict};
use crate::web;
use glassine_core::statement::review::{
    Addresses, Consumer, Example, Finding, Kind, Level, Object, Permission, Request, Requests, Review, Row, Stays,
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
            h1 { (title) }
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
            (facts(review))
            (findings(review))
            (overview(review))
            (leaves(review))
            (stays(&review.stays))
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
        dl.facts {
            dt { "File" } dd { code { (review.file) } }
            dt { "Connector" } dd { code { (review.connector) } }
            dt { "Rules" } dd { code { (review.fingerprint) } }
            @for consumer in &review.consumers { (self::consumer(consumer)) }
            @for permission in &review.permissions { (self::permission(permission)) }
            (addresses(&review.addresses))
        }
    }
}

fn consumer(consumer: &Consumer) -> Markup {
    html! {
        dt { "For" }
        dd {
            strong { (consumer.title) } " (" code { (consumer.name) } "), statement "
            code { (consumer.fingerprint) }
            ", pseudonym domain " code { (consumer.pseudonym_domain) }
        }
    }
}

fn permission(permission: &Permission) -> Markup {
    html! {
        dt { "Permission" }
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
        dt { "Addresses" }
        dd {
            (addresses.domains) " " (addresses.plus_tags)
            @for example in &addresses.examples { br; (self::example(example)) }
        }
    }
}

fn example(Example { before, after }: &Example) -> Markup {
    html! {
        code { (value(before)) } span.arrow { " → " } code { (value(after)) }
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
            (label) " " strong { (finding.what) } " "
            @for (at, property) in finding.properties.iter().enumerate() {
                @if at > 0 { ", " }
                code { (property) }
            }
            div.quiet {
                @if let Some(advice) = &finding.advice { (advice) ". " }
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
            @if !review.around.is_empty() {
                section {
                    h4 { "Around the objects" }
                    (rows("What leaves around the objects", &review.around))
                }
            }
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
            thead {
                tr {
                    th scope="col" { "Property" }
                    th scope="col" { "Leaves" }
                    th scope="col" { "Before → after" }
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
                @for (at, form) in row.forms.iter().enumerate() {
                    @if at > 0 { "; " }
                    span class={ "kind " (class(form.kind)) } { (form.kind.label()) } " " (form.words)
                }
                @if let Some(danger) = &row.danger { " " span.badge.bad { "Red" } " " strong { (danger) } }
            }
            td { @if let Some(example) = &row.example { (self::example(example)) } }
            td { (lines(&row.lines)) }
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
    html! {
        section {
            h3 { "What may be asked" }
            p.quiet {
                "Every other request is refused. A " code { "{name}" } " in a path takes a token that this consumer received, and nothing \
                 else, unless its row says so."
            }
            table.requests {
                caption { "Requests, by kind of object" }
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
                        @for request in requests { (self::request(request)) }
                    }
                }
            }
        }
    }
}

fn request(request: &Request) -> Markup {
    let asks: Vec<_> = request.params.iter().chain(&request.options).map(String::as_str).collect();
    html! {
        tr.bad[request.takes_raw] {
            td { code { (request.path) } }
            td { (request.gives) " (" (request.versions.join(", ")) ")" }
            td {
                @if request.takes_raw { span.badge.bad { "Red" } " " }
                (asks.join("; "))
            }
            td { (request.line) }
        }
    }
}
