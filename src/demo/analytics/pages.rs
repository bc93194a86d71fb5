//! The application's pages: the start page, and the result with the checks that it passed.

use maud::{Markup, html};
use serde_json::Value;

use super::{Believed, Disbelief};
use crate::jwt::Claims;
use crate::web;

/// The style sheet.
pub(super) const STYLE: &str = include_str!("style.css");

/// The claims in the order of docs/CONNECT.md, each with its meaning.
const CLAIMS: &[(&str, &str)] = &[
    ("connection", "how the connection stands"),
    ("error", "why it was not made"),
    ("missing", "permissions that are needed and not granted"),
    ("excess", "permissions that are granted and not needed"),
    ("connector", "the connector"),
    ("rules", "the fingerprint of the rules that say what leaves"),
    ("tenant", "the organisation, as a pseudonym"),
    ("person", "who connected, as this application knows users"),
    ("consumer", "this application, as the proxy calls it"),
    ("state", "what this application gave at the start"),
    ("iss", "the proxy that signed"),
    ("aud", "whom the result is for"),
    ("iat", "when it was signed"),
    ("exp", "when it ends"),
    ("jti", "good for one use"),
];

/// The start page.
pub(super) fn home(proxy: &str, consumer: &str, state: &str) -> String {
    let main = html! {
        h1 { "Connect your mail" }
        p {
            "This stands in for an application that analyses how people collaborate. It never talks to Microsoft and \
             never sees a name: it sends you to your organisation's own proxy, and reads through that."
        }
        p {
            a.button href={ (proxy) "/connect/" (consumer) "?state=" (state) } { "Connect Outlook Mail" }
        }
    };
    page("Connect your mail", &main)
}

/// The page of an accepted result.
pub(super) fn result(proxy: &str, believed: &Believed) -> String {
    let (heading, text) = news(&believed.claims);
    let main = html! {
        h1 { (heading) }
        p { (text) }
        (checks(proxy, believed.begun_here))
        section aria-labelledby="claims" {
            h2 #claims { "What the proxy told this application" }
            table {
                thead {
                    tr {
                        th scope="col" { "Claim" }
                        th scope="col" { "Value" }
                    }
                }
                tbody {
                    @for (name, meaning) in CLAIMS {
                        @if let Some(value) = believed.claims.get(name) { (claim(name, meaning, value)) }
                    }
                }
            }
        }
        (ways(proxy))
    };
    page(heading, &main)
}

fn news(claims: &Claims) -> (&'static str, &'static str) {
    match claims.text("connection") {
        Some("connected") => ("Your mail is connected", "The analysis can begin."),
        Some("over_privileged") => (
            "Your mail is connected",
            "The analysis can begin. More was granted than is needed; your administrator can take that back.",
        ),
        Some("granted_unverified") => (
            "Your mail is connected",
            "The analysis can begin. Whether more was granted than is needed is not known.",
        ),
        Some("consent_missing") => {
            ("A permission is missing", "Something that the analysis needs was not granted.")
        }
        _ => ("Your mail is not connected", "No connection was made. You can try again whenever you like."),
    }
}

fn checks(proxy: &str, begun_here: bool) -> Markup {
    let begun = if begun_here {
        "Begun by this application, in this browser."
    } else {
        "Begun on the proxy's own pages: no state of this application came back."
    };
    html! {
        section aria-labelledby="checks" {
            h2 #checks { "Why it is believed" }
            ul.checks {
                li { "Signed by a key that the proxy publishes at " code { (proxy) "/connect/keys" } "." }
                li { "From that proxy, for this application, in time." }
                li { "Not seen before." }
                li { (begun) }
            }
        }
    }
}

fn claim(name: &str, meaning: &str, value: &Value) -> Markup {
    html! {
        tr {
            td {
                code { (name) }
                span { (meaning) }
            }
            td {
                @for line in lines(value) { code { (line) } }
            }
        }
    }
}

/// One line for each element of an array or member of an object.
fn lines(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| format!("{name}: {}", text(value))).collect()
        }
        value => vec![text(value)],
    }
}

/// The page of a refused result. Shows nothing from the result.
pub(super) fn refused(proxy: &str, why: &Disbelief) -> String {
    let main = html! {
        h1 { "This result is not believed" }
        p role="alert" { "Why: " (maud::display(why)) "." }
        p { "Nothing was changed. See how the connection stands, or begin again." }
        (ways(proxy))
    };
    page("This result is not believed", &main)
}

pub(super) fn not_found() -> String {
    let main = html! {
        h1 { "No such page" }
        p { a href="/" { "Begin here" } }
    };
    page("No such page", &main)
}

/// The links at the end of a page.
fn ways(proxy: &str) -> Markup {
    html! {
        p.ways {
            a href="/" { "Begin again" } " "
            a href={ (proxy) "/connect" } { "Data Connections" }
        }
    }
}

fn page(title: &str, main: &Markup) -> String {
    let head = html! { link rel="stylesheet" href="/style.css"; };
    let body = html! {
        header { p { "Your analytics application" } }
        main { (main) }
        footer { p { "A sample that stands in for the application behind the proxy." } }
    };
    web::page(&format!("{title} - sample analytics application"), &head, &body)
}
