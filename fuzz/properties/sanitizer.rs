//! What leaves of any response under the shipped rules is the same for every way to cut the response, is JSON, equals
//! the output of the slow reference, does not depend on the values of properties that the rules do not name, and is
//! closed: no text in it is one that a person could have written.
//!
//! This is the promise of the whole program, tested on documents that nobody thought of.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use glassine_core::rules::raw;
use glassine_core::sanitize::tokenizer::SyntaxErrorKind;
use glassine_core::sanitize::{Context, Counters, Failure, Unlisted, Violation};
use glassine_core::yaml;
use serde_json::{Map, Value};

use super::seed;
use super::shipped::{CONNECTORS, Connector};
use crate::support::closed::Closed;
use crate::support::reading::{Verdict, random_chunks, serde_verdict};
use crate::support::reference;
use crate::support::sanitizing::{DOMAIN, PROXY, pseudonyms, sanitize_chunks, with_body};
use crate::support::surrogates::mended;

/// Names with a meaning for the sanitizer itself.
const KNOWN: [&str; 7] =
    ["value", "error", "reason", "@removed", "@odata.count", "@odata.nextLink", "@odata.deltaLink"];

type Response = Result<(String, Counters), Failure>;

/// See the module. The input is an endpoint's name, a line feed and Graph's response. Without a known name, the input
/// is the response to a list of messages.
pub fn sanitizer(data: &[u8]) {
    let (stages, document) = addressed(data);
    for stage in stages {
        stage.check(document);
    }
}

/// An endpoint of one connector.
struct Stage {
    rules: &'static Rules,
    context: Context,
    endpoint: usize,
}

struct Rules {
    source: &'static str,
    file: raw::File,
    closed: Closed,
}

static RULES: LazyLock<Vec<Rules>> = LazyLock::new(|| {
    let loaded = |connector: &Connector| {
        let file = yaml::load::<raw::File>(connector.source).value.expect("the shipped rules load");
        let closed = Closed::new(connector.source, &[DOMAIN], PROXY);
        Rules { source: connector.source, file, closed }
    };
    CONNECTORS.iter().map(loaded).collect()
});

/// The endpoints of all connectors by their names.
static STAGES: LazyLock<BTreeMap<&'static str, Vec<Stage>>> = LazyLock::new(|| {
    let mut stages = BTreeMap::<_, Vec<_>>::new();
    for (rules, connector) in RULES.iter().zip(CONNECTORS.iter()) {
        for (at, endpoint) in connector.policy.plan.endpoints.iter().enumerate() {
            let context = with_body(endpoint.response.body().clone());
            stages.entry(endpoint.name.as_str()).or_default().push(Stage { rules, context, endpoint: at });
        }
    }
    stages
});

fn addressed(data: &[u8]) -> (&'static [Stage], &[u8]) {
    let line = data.iter().position(|byte| *byte == b'\n').map(|at| data.split_at(at));
    let named =
        line.and_then(|(name, rest)| Some((STAGES.get(std::str::from_utf8(name).ok()?)?, &rest[1..])));
    let (stages, document) = named.unwrap_or_else(|| (&STAGES["list-messages"], data));
    (stages, document)
}

impl Stage {
    fn check(&self, document: &[u8]) {
        let response = self.in_any_chunks(document);
        if let Ok((text, _)) = &response {
            let is_json = !matches!(serde_verdict(text.as_bytes()), Verdict::Refused);
            assert!(is_json, "{text}");
            assert_eq!(mended(text.as_bytes()), text.as_bytes(), "a lone surrogate left");
            let open = parsed(text).map(|response| self.rules.closed.violations(&response));
            assert_eq!(open.unwrap_or_default(), [""; 0], "{text}");
        }
        match serde_verdict(document) {
            Verdict::Value(value) => self.equals_the_reference(&response, &value),
            // The sanitizer may have refused it for another, earlier reason.
            Verdict::Refused => assert!(response.is_err(), "{response:?}"),
            Verdict::Unknown => {}
        }
    }

    fn in_any_chunks(&self, document: &[u8]) -> Response {
        let whole = sanitize_chunks(&self.context, [document]);
        assert_eq!(sanitize_chunks(&self.context, document.chunks(1)), whole, "byte by byte");
        for longest in [3, 40] {
            let chunks = random_chunks(document, longest, seed(document));
            assert_eq!(sanitize_chunks(&self.context, chunks), whole, "chunks of up to {longest}");
        }
        whole
    }

    fn equals_the_reference(&self, response: &Response, value: &Value) {
        match response {
            Ok((text, _)) => assert_eq!(parsed(text), self.referenced(value), "{text}"),
            // The reference does not check these.
            Err(Failure::Syntax(error)) => assert!(is_limit(error.kind), "{error}"),
            Err(Failure::Violation(Violation::DuplicateProperty)) => {}
            Err(Failure::Violation(Violation::AnError)) => assert!(value.get("error").is_some()),
            Err(Failure::Violation(_)) => assert_eq!(self.referenced(value), None, "{response:?}"),
        }
        if !matches!(response, Err(Failure::Syntax(_))) {
            self.does_not_depend_on_what_is_hidden(value);
        }
    }

    fn referenced(&self, value: &Value) -> Option<Value> {
        reference::response(&self.rules.file, self.endpoint, &pseudonyms(), value)
    }

    fn does_not_depend_on_what_is_hidden(&self, value: &Value) {
        // The shapes of what is hidden are counted, for the operator. They are the only difference.
        let leaves = |value: &Value| {
            let response = sanitize_chunks(&self.context, [value.to_string().as_bytes()]);
            response.map(|(text, counters)| (text, Counters { unlisted: Unlisted::default(), ..counters }))
        };
        assert_eq!(leaves(&self.blinded(value)), leaves(value));
    }

    /// The document with another value for each property that the rules do not name.
    fn blinded(&self, value: &Value) -> Value {
        let member = |(name, value): (&String, &Value)| {
            let value = if self.mentions(name) { self.blinded(value) } else { "blinded".into() };
            (name.clone(), value)
        };
        match value {
            Value::Object(members) => Value::Object(members.iter().map(member).collect::<Map<_, _>>()),
            Value::Array(elements) => elements.iter().map(|element| self.blinded(element)).collect(),
            leaf => leaf.clone(),
        }
    }

    fn mentions(&self, name: &str) -> bool {
        KNOWN.contains(&name) || self.rules.source.contains(name)
    }
}

fn parsed(text: &str) -> Option<Value> {
    Some(serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}")))
}

/// Whether the document may be valid JSON that exceeds a limit.
fn is_limit(kind: SyntaxErrorKind) -> bool {
    use SyntaxErrorKind::{DocumentTooLong, KeyTooLong, NumberTooLong, TooDeep};
    matches!(kind, DocumentTooLong | KeyTooLong | NumberTooLong | TooDeep)
}
