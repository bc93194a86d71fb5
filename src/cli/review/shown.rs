//! What the formats have in common: values and tokens, short enough to read.

use std::borrow::Cow;

use serde_json::Value;

use glassine_core::statement::review::{Form, Level, Request, Requests, Review, Row};

/// Where a token is cut off in an example. The prefix, the key id and a few characters stay.
const TOKEN: usize = 9;

/// How many names of dropped properties are shown at most. HTML and JSON have all of them.
const NAMES: usize = 8;

/// The beginnings of tokens (docs/PSEUDONYMS.md).
const PREFIXES: [&str; 3] = ["t~", "p~", "d~"];

/// A value as people read it: a text without quotes, and everything else as JSON, with tokens cut short.
pub(super) fn value(value: &Value) -> String {
    let text: Cow<'_, str> = match value {
        Value::String(text) => text.into(),
        other => other.to_string().into(),
    };
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '~'));
    text.split_inclusive(is_end).map(|piece| cut(piece, is_end)).collect()
}

/// Cuts a token short. Its last character may be the one behind it.
fn cut(piece: &str, is_end: impl Fn(char) -> bool) -> String {
    let Some(start) = PREFIXES.iter().filter_map(|prefix| piece.find(prefix)).min() else {
        return piece.to_owned();
    };
    let (before, token) = piece.split_at(start);
    let end = token.chars().next_back().filter(|c| is_end(*c));
    let head: String = token.chars().take(TOKEN).collect();
    let tail = end.map(String::from).unwrap_or_default();
    if token.chars().count() <= TOKEN + 1 { piece.to_owned() } else { format!("{before}{head}…{tail}") }
}

/// The form in which something leaves: `one way: the address as a pseudonym`.
pub(super) fn form(Form { kind, words }: &Form) -> String {
    format!("{}: {words}", kind.label())
}

/// All forms of a row.
pub(super) fn forms(row: &Row) -> String {
    row.forms.iter().map(form).collect::<Vec<_>>().join("; ")
}

/// A finding as a sentence: it begins with a capital letter, unless it begins with code.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Line numbers: `41, 44`. A page's links stand for a line of each endpoint.
pub(super) fn lines(lines: &[usize]) -> String {
    match lines {
        [first, _, others @ ..] if !others.is_empty() => format!("{first} and {} more", others.len() + 1),
        few => few.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// Names of properties, not more than people read.
pub(super) fn names(properties: &[String]) -> String {
    let names: Vec<_> = properties.iter().take(NAMES).map(String::as_str).collect();
    match properties.len().saturating_sub(NAMES) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// What leaves of a response besides its body, in one sentence.
pub(super) fn besides(review: &Review) -> String {
    format!(
        "Of Graph's headers, these leave: {}. Of an error, only its code leaves, if this program knows the code.",
        review.headers.join(", ")
    )
}

/// What may be asked with a request.
pub(super) fn asks(request: &Request) -> String {
    request.params.iter().chain(&request.options).map(String::as_str).collect::<Vec<_>>().join("; ")
}

/// The API versions, if all requests have the same ones.
pub(super) fn shared_versions(all: &[Requests]) -> Option<String> {
    let mut requests = all.iter().flat_map(|requests| &requests.requests);
    let first = requests.next()?;
    requests.all(|request| request.versions == first.versions).then(|| first.versions.join(" and "))
}

/// The place of a finding: `rules.yaml:41`.
pub(super) fn place(file: &str, line: Option<usize>) -> String {
    line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
}

/// What the findings come to, in one sentence.
pub(super) fn verdict(review: &Review) -> String {
    match review.findings_of(Level::Red).count() {
        0 => "Nothing that people write and no name of a person leaves. Each value that leaves is a boolean, a number, a \
              time, one of a few fixed texts, a token, a listed domain or a sealed link."
            .to_owned(),
        1 => "1 finding is red: look at it before you sign.".to_owned(),
        red => format!("{red} findings are red: look at them before you sign."),
    }
}
