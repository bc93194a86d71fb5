//! The JSONPath Compliance Test Suite (github.com/jsonpath-standard/jsonpath-compliance-test-suite), each selector as a
//! rule: as `redact` under `unlisted: keep`, and as `keep`. Each document is the member `w` of an object, because rules
//! apply to objects. The expected selections come from the suite, not from the library that parses the selectors.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::support::data;
use crate::support::sanitizing::{context, errors, rules_file, sanitize, yaml_quoted};

/// The codes for escapes, letters beyond ASCII, white space other than spaces, and characters that do not show.
const SPELLING: [&str; 4] = ["G0003", "G0008", "G0010", "G0106"];

#[derive(Deserialize)]
struct Suite {
    tests: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    selector: String,
    #[serde(default)]
    document: Value,
    #[serde(default)]
    result_paths: Vec<String>,
    /// Where the order of members is open: the same paths in several orders.
    #[serde(default)]
    results_paths: Vec<Vec<String>>,
    #[serde(default)]
    invalid_selector: bool,
}

impl Case {
    /// The selector, for the document as the member `w`.
    fn path(&self) -> Option<String> {
        Some(format!("$['w']{}", self.selector.strip_prefix('$')?))
    }

    /// The nodes that the suite expects: lists of names and indexes, all as texts.
    fn selected(&self) -> BTreeSet<Vec<String>> {
        let paths = self.results_paths.first().unwrap_or(&self.result_paths);
        paths.iter().map(|path| normalized(path)).collect()
    }
}

/// The steps of a normalized path (RFC 9535, 2.7).
fn normalized(path: &str) -> Vec<String> {
    let (mut steps, mut rest) = (Vec::new(), path.strip_prefix('$').unwrap());
    while let Some(after) = rest.strip_prefix('[') {
        let Some(quoted) = after.strip_prefix('\'') else {
            let (index, next) = after.split_once(']').unwrap();
            steps.push(index.to_owned());
            rest = next;
            continue;
        };
        let end = quoted.char_indices().find(|(at, c)| *c == '\'' && !is_escaped(&quoted[..*at])).unwrap().0;
        let json = format!("\"{}\"", quoted[..end].replace("\\'", "'").replace('"', "\\\""));
        steps.push(serde_json::from_str(&json).expect(path));
        rest = quoted[end..].strip_prefix("']").unwrap();
    }
    steps
}

fn is_escaped(before: &str) -> bool {
    before.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1
}

fn suite() -> Vec<Case> {
    let text = data::text(&data::vectors().join("jsonpath-cts.json"));
    let suite: Suite = serde_json::from_str(&text).unwrap();
    assert!(suite.tests.len() > 600, "the suite is incomplete");
    suite.tests
}

fn redacting(path: &str) -> String {
    format!("  s: {{ unlisted: keep, redact: [{}] }}", yaml_quoted(path))
}

fn keeping(path: &str) -> String {
    format!("  s: {{ keep: {{ text: [{}] }} }}", yaml_quoted(path))
}

fn response(shapes: &str, document: &Value) -> Value {
    let document = json!({ "w": document }).to_string();
    serde_json::from_str(&sanitize(&context(shapes, "{ entity: s }"), &document).unwrap().0).unwrap()
}

/// Codes by the name of the case.
type Refusals<'c> = BTreeMap<&'c str, Vec<&'static str>>;

/// The valid selectors that rules cannot have, with the codes of their refusals.
fn refusals<'c>(cases: &'c [Case], shapes: impl Fn(&str) -> String) -> Refusals<'c> {
    let coded = cases.iter().filter_map(|case| {
        let codes = errors(&rules_file(&shapes(&case.path()?), "{ entity: s }"));
        (!codes.is_empty()).then_some((case.name.as_str(), codes))
    });
    coded.collect()
}

fn counted(refused: &Refusals<'_>) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    refused.values().for_each(|codes| *counts.entry(codes[0]).or_default() += 1);
    counts
}

/// The document without these nodes.
fn without(value: &Value, at: &mut Vec<String>, gone: &BTreeSet<Vec<String>>) -> Option<Value> {
    if gone.contains(at) {
        return None;
    }
    let mut child = |step: String, value: &Value| {
        at.push(step);
        let rest = without(value, at, gone);
        at.pop();
        rest
    };
    Some(match value {
        Value::Array(elements) => {
            let rest = elements.iter().enumerate();
            Value::Array(rest.filter_map(|(index, value)| child(index.to_string(), value)).collect())
        }
        Value::Object(members) => {
            let rest =
                members.iter().filter_map(|(name, value)| Some((name.clone(), child(name.clone(), value)?)));
            Value::Object(rest.collect::<Map<_, _>>())
        }
        leaf => leaf.clone(),
    })
}

fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| leaves(element, found)),
        Value::Object(members) => members.values().for_each(|member| leaves(member, found)),
        leaf => found.push(leaf.to_string()),
    }
}

fn sorted_leaves(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    leaves(value, &mut found);
    found.sort();
    found
}

fn at<'v>(value: &'v Value, path: &[String]) -> &'v Value {
    path.iter().fold(value, |value, step| match value {
        Value::Array(elements) => &elements[step.parse::<usize>().unwrap()],
        other => &other[step],
    })
}

#[test]
fn invalid_selectors_are_refused() {
    let cases = suite();
    let invalid: Vec<_> = cases.iter().filter(|case| case.invalid_selector).collect();
    let refused = |case: &&&Case| {
        let codes = errors(&rules_file(&redacting(&case.selector), "{ entity: s }"));
        !codes.is_empty()
    };
    let accepted: Vec<_> =
        invalid.iter().filter(|case| !refused(case)).map(|case| (&case.name, &case.selector)).collect();
    println!("{} invalid selectors, {} refused", invalid.len(), invalid.len() - accepted.len());
    assert_eq!(accepted, []);
}

#[test]
fn what_redact_selects_does_not_leave() {
    let cases = suite();
    let valid: Vec<_> = cases.into_iter().filter(|case| !case.invalid_selector).collect();
    let refused = refusals(&valid, redacting);
    println!("{} valid selectors; refused: {:?}", valid.len(), counted(&refused));
    for case in valid.iter().filter(|case| !refused.contains_key(case.name.as_str())) {
        let left = response(&redacting(&case.path().unwrap()), &case.document);
        let rest = without(&case.document, &mut Vec::new(), &case.selected());
        assert_eq!(left.get("w"), rest.as_ref(), "{}: {}", case.name, case.selector);
    }
    for (name, codes) in refused {
        assert!(codes.iter().all(|code| *code == "G0102" || SPELLING.contains(code)), "{name}: {codes:?}");
    }
}

#[test]
fn what_keep_selects_leaves_and_nothing_else() {
    let cases = suite();
    let valid: Vec<_> = cases.into_iter().filter(|case| !case.invalid_selector).collect();
    let refused = refusals(&valid, keeping);
    let mut narrowed = Vec::new();
    for case in valid.iter().filter(|case| !refused.contains_key(case.name.as_str())) {
        let left = sorted_leaves(&response(&keeping(&case.path().unwrap()), &case.document));
        let selected = case.selected();
        let values = selected.iter().map(|path| at(&case.document, path));
        let mut expected: Vec<_> =
            values.filter(|value| !value.is_array() && !value.is_object()).map(Value::to_string).collect();
        expected.sort();
        if left != expected {
            assert!(case.selector.contains('*'), "{}: {}", case.name, case.selector);
            assert!(left.iter().all(|leaf| expected.contains(leaf)), "{}: {}", case.name, case.selector);
            narrowed.push(case.name.as_str());
        }
    }
    println!("{} valid selectors; refused: {:?}", valid.len(), counted(&refused));
    println!("`*` narrowed to elements: {narrowed:#?}");
    let is_expected = |code: &&str| ["G0102", "G0103"].contains(code) || SPELLING.contains(code);
    assert!(refused.values().flatten().all(is_expected), "{refused:#?}");
    assert!(!narrowed.is_empty());
}
