//! What the application shows: where to begin, what it was told and why it believes it.

use serde_json::Value;

use super::{Believed, Disbelief};
use crate::jwt::Claims;
use crate::web::Html;

/// The style sheet.
pub(super) const STYLE: &str = include_str!("style.css");

/// The claims in the order of docs/CONNECT.md, and what each is.
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

/// Where to begin.
pub(super) fn home(proxy: &str, consumer: &str, state: &str) -> String {
    let main = Html::default()
        .markup("<h1>Connect your mail</h1>\n<p>This stands in for an application that analyses how people collaborate. It never talks to Microsoft and never sees a name: it sends you to your organisation's own proxy, and reads through that.</p>\n<p><a class=\"button\" href=\"")
        .text(proxy)
        .markup("/connect/")
        .text(consumer)
        .markup("?state=")
        .text(state)
        .markup("\">Connect Outlook Mail</a></p>");
    page("Connect your mail", main)
}

/// What the application was told.
pub(super) fn result(proxy: &str, believed: &Believed) -> String {
    let (heading, text) = news(&believed.claims);
    let main = Html::default()
        .markup("<h1>")
        .text(heading)
        .markup("</h1>\n<p>")
        .text(text)
        .markup("</p>\n")
        .piece(checks(proxy, believed.begun_here))
        .markup("<section aria-labelledby=\"told\"><h2 id=\"told\">What the proxy told this application</h2>\n<table><thead><tr><th scope=\"col\">Claim</th><th scope=\"col\">Value</th></tr></thead><tbody>")
        .each(CLAIMS, |(name, meaning)| {
            Html::default().each(believed.claims.get(name), |value| claim(name, meaning, value))
        })
        .markup("</tbody></table></section>\n")
        .piece(back(proxy));
    page(heading, main)
}

fn news(claims: &Claims) -> (&'static str, &'static str) {
    match claims.text("connection") {
        Some("connected") => ("Your mail is connected", "The analysis can begin."),
        Some("over_privileged") => (
            "Your mail is connected",
            "The analysis can begin. More was granted than is needed; your administrator can take that back.",
        ),
        Some("consent_missing") => {
            ("A permission is missing", "Something that the analysis needs was not granted.")
        }
        _ => ("Your mail is not connected", "No connection was made. You can try again whenever you like."),
    }
}

fn checks(proxy: &str, begun_here: bool) -> Html {
    let begun = if begun_here {
        "Begun by this application, in this browser."
    } else {
        "Begun on the proxy's own pages: no state of this application came back."
    };
    Html::default()
        .markup("<section aria-labelledby=\"checks\"><h2 id=\"checks\">Why it is believed</h2>\n<ul class=\"checks\"><li>Signed by a key that the proxy publishes at <code>")
        .text(proxy)
        .markup("/connect/keys</code>.</li><li>From that proxy, for this application, in time.</li><li>Not seen before.</li><li>")
        .text(begun)
        .markup("</li></ul></section>\n")
}

fn claim(name: &str, meaning: &str, value: &Value) -> Html {
    Html::default()
        .markup("<tr><td><code>")
        .text(name)
        .markup("</code><span>")
        .text(meaning)
        .markup("</span></td><td>")
        .each(lines(value), |line| Html::default().markup("<code>").text(&line).markup("</code>"))
        .markup("</td></tr>")
}

/// What is in a list or an object comes one by line.
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

/// Nothing of a result that is not believed is shown.
pub(super) fn refused(proxy: &str, why: &Disbelief) -> String {
    let main = Html::default()
        .markup("<h1>This result is not believed</h1>\n<p role=\"alert\">Why: ")
        .text(&why.to_string())
        .markup(".</p>\n<p>Nothing was changed. See how the connection stands, or begin again.</p>\n")
        .piece(back(proxy));
    page("This result is not believed", main)
}

pub(super) fn not_found() -> String {
    page(
        "No such page",
        Html::default().markup("<h1>No such page</h1>\n<p><a href=\"/\">Begin here</a></p>\n"),
    )
}

fn back(proxy: &str) -> Html {
    Html::default()
        .markup("<p class=\"ways\"><a href=\"/\">Begin again</a> <a href=\"")
        .text(proxy)
        .markup("/connect\">Data Connections</a></p>\n")
}

fn page(title: &str, main: Html) -> String {
    Html::default()
        .markup("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
        .text(title)
        .markup(" - sample analytics application</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n<header><p>Your analytics application</p></header>\n<main>\n")
        .piece(main)
        .markup("</main>\n<footer><p>A sample that stands in for the application behind the proxy.</p></footer>\n</body>\n</html>\n")
        .into_text()
}
