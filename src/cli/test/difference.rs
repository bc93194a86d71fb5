//! Where two JSON documents differ, place by place.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use glassine_core::rules::automaton::{Location, Step};

/// The most characters of a value that a line shows.
const MAX_SHOWN: usize = 120;

/// A place at which two documents differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Difference {
    /// As JSONPath.
    path: String,
    /// Absent if nothing was expected here.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Value>,
    /// Absent if nothing is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    got: Option<Value>,
}

/// All differences, in the order of their places. The order of an object's properties makes none.
pub(super) fn differences(expected: &Value, got: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(Some(expected), Some(got), &Location::default(), &mut found);
    found
}

fn compare(expected: Option<&Value>, got: Option<&Value>, at: &Location, found: &mut Vec<Difference>) {
    match (expected, got) {
        (Some(Value::Object(expected)), Some(Value::Object(got))) => {
            let names: BTreeSet<_> = expected.keys().chain(got.keys()).collect();
            for name in names {
                let at = at.child(Step::Name(name.as_str().into()));
                compare(expected.get(name), got.get(name), &at, found);
            }
        }
        (Some(Value::Array(expected)), Some(Value::Array(got))) => {
            for (index, step) in (0..expected.len().max(got.len())).zip(0..) {
                compare(expected.get(index), got.get(index), &at.child(Step::Index(step)), found);
            }
        }
        (expected, got) if expected == got => {}
        (expected, got) => {
            let path = at.to_string();
            found.push(Difference { path, expected: expected.cloned(), got: got.cloned() });
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, expected, got } = self;
        write!(f, "{path}: expected {}, got {}", shown(expected.as_ref()), shown(got.as_ref()))
    }
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "nothing".to_owned() };
    let text = value.to_string();
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
