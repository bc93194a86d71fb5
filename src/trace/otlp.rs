//! Spans as the JSON of OTLP/HTTP (OpenTelemetry Protocol 1.x, "JSON Protobuf Encoding"): ids in hexadecimal digits, 64-bit
//! numbers as texts.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use super::span::{Span, Value};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

/// The body of a request to a collector.
pub(super) fn document<'a>(spans: impl IntoIterator<Item = &'a Span>) -> String {
    let resource = json!({ "attributes": [
        { "key": "service.name", "value": { "stringValue": "glassine" } },
        { "key": "service.version", "value": { "stringValue": VERSION } },
    ]});
    let spans: Vec<_> = spans.into_iter().map(span).collect();
    let scope = json!({ "name": "glassine", "version": VERSION });
    json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "scope": scope, "spans": spans }] }] })
        .to_string()
}

fn span(span: &Span) -> Json {
    let attributes: Vec<_> = span
        .attributes
        .iter()
        .map(|(attribute, value)| json!({ "key": attribute.key(), "value": any_value(value) }))
        .collect();
    let mut written = json!({
        "traceId": span.context.trace.to_string(),
        "spanId": span.id.to_string(),
        "name": span.kind.name(),
        "kind": span.kind.number(),
        "startTimeUnixNano": nanoseconds(span.began),
        "endTimeUnixNano": nanoseconds(span.ended),
        "attributes": attributes,
    });
    if let Some(fields) = written.as_object_mut() {
        if let Some(parent) = span.context.parent {
            fields.insert("parentSpanId".to_owned(), parent.to_string().into());
        }
        if span.has_failed {
            fields.insert("status".to_owned(), json!({ "code": ERROR }));
        }
    }
    written
}

fn any_value(value: &Value) -> Json {
    match value {
        Value::Word(word) => json!({ "stringValue": word }),
        Value::Name(name) => json!({ "stringValue": &**name }),
        Value::Id(id) => json!({ "stringValue": id }),
        Value::Number(number) => json!({ "intValue": number.to_string() }),
    }
}

fn nanoseconds(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()).to_string()
}
