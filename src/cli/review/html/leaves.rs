//! What leaves, property by property.

use maud::{Markup, html};

use super::prose;
use crate::cli::review::shown::{besides, lines, value};
use glassine_core::statement::review::{Kind, Object, Review, Row};

pub(super) fn leaves(review: &Review) -> Markup {
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
pub(super) fn around(review: &Review) -> Markup {
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
