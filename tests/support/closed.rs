//! Whether a response is closed: each value in it is a boolean, a number, a time, a word of a list, a token, or a link that
//! the proxy sealed, and each property's name is in the rules. Written from outside: regular expressions and the rules'
//! text, and nothing that the sanitizer uses, besides the list of time zones.

use std::collections::BTreeSet;

use glassine_core::catalogue::time_zones;
use regex::Regex;
use serde_json::Value;

/// What a connector's responses may consist of.
pub(crate) struct Closed {
    /// All words of the rules' shapes: names of properties, and texts under `values`.
    rules: BTreeSet<String>,
    form: Regex,
}

/// Names and values that this program adds to those of the rules.
const OWN: [&str; 16] = [
    "value",
    "reason",
    "changed",
    "deleted",
    "@removed",
    "@odata.count",
    "@odata.nextLink",
    "@odata.deltaLink",
    "length",
    "words",
    "name",
    // A flag of a list of headers.
    "true",
    "smtp:",
    "SMTP:",
    "x500:",
    "X500:",
];

impl Closed {
    /// For responses under these rules. `domains` leave readable, and links lead to `proxy`.
    pub(crate) fn new(rules: &str, domains: &[&str], proxy: &str) -> Self {
        let clock = r"\d\d:\d\d:\d\d(?:\.\d+)?";
        let time = format!(r"\d{{4}}-\d\d-\d\d(?:T{clock}(?:Z|[+-]\d\d:\d\d)?)?|{clock}");
        let tag = "[A-Za-z0-9_-]{33}";
        let domains = domains.iter().map(|domain| regex::escape(domain)).collect::<Vec<_>>().join("|");
        let token = format!(
            "(?:smtp:|SMTP:|x500:|X500:)?t~{tag}(?:@(?:{domains}|d~{tag}))?|d~{tag}|p~[A-Za-z0-9_-]+"
        );
        let tokens = format!("t~{tag}(?: t~{tag})+");
        let link =
            format!(r"{}/[A-Za-z0-9._~/()-]+\?\$(?:skip|delta)token=[A-Za-z0-9_-]+", regex::escape(proxy));
        let form = Regex::new(&format!("^(?:{time}|{token}|{tokens}|{link})$")).unwrap();
        Self { rules: words_of_shapes(rules), form }
    }

    /// What in the response is of none of these kinds, with its place.
    pub(crate) fn violations(&self, response: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.visit("$", response, &mut found);
        found
    }

    fn visit(&self, place: &str, value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) if number.to_string().len() <= 32 => {}
            Value::String(text) if self.is_closed(text) => {}
            Value::Number(_) | Value::String(_) => found.push(format!("{place}: {value}")),
            Value::Array(elements) => {
                let elements = elements.iter().enumerate();
                elements.for_each(|(at, element)| self.visit(&format!("{place}[{at}]"), element, found));
            }
            Value::Object(members) => {
                for (name, value) in members {
                    if !self.is_spelled(name) {
                        found.push(format!("{place}: the name {name:?}"));
                    }
                    self.visit(&format!("{place}.{name}"), value, found);
                }
            }
        }
    }

    fn is_closed(&self, text: &str) -> bool {
        self.is_spelled(text) || self.form.is_match(text) || time_zones().any(|zone| zone == text)
    }

    fn is_spelled(&self, text: &str) -> bool {
        self.rules.contains(text) || OWN.contains(&text)
    }
}

/// The words between `shapes:` and `endpoints:`, without comments; of a path, each name.
fn words_of_shapes(rules: &str) -> BTreeSet<String> {
    let (_, shapes) = rules.split_once("\nshapes:").unwrap();
    let (shapes, _) = shapes.split_once("\nendpoints:").unwrap();
    let word = Regex::new(r"[A-Za-z0-9_@#.]+(?:-[A-Za-z0-9_@#.]+)*").unwrap();
    let lines = shapes.lines().map(|line| line.split("  #").next().unwrap());
    let words = lines.flat_map(|line| word.find_iter(line)).map(|word| word.as_str());
    words.flat_map(|word| word.split('.').chain([word])).map(str::to_owned).collect()
}
