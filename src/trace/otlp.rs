//! Spans as the JSON of OTLP/HTTP (OpenTelemetry Protocol 1.x, "JSON Protobuf Encoding"): ids in hexadecimal digits, 64-bit
//! numbers as texts.

use std::fmt::Display;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

use super::context::{SpanId, TraceId};
use super::span::{self, Attribute, Span};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `STATUS_CODE_ERROR`.
const ERROR: Status = Status { code: 2 };

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    resource_spans: [ResourceSpans<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'a> {
    resource: Resource,
    scope_spans: [ScopeSpans<'a>; 1],
}

#[derive(Serialize)]
struct Resource {
    attributes: [KeyValue<'static>; 2],
}

#[derive(Serialize)]
struct ScopeSpans<'a> {
    scope: Scope,
    spans: Vec<Written<'a>>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    trace_id: Text<TraceId>,
    span_id: Text<SpanId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<Text<SpanId>>,
    name: &'static str,
    kind: u8,
    start_time_unix_nano: Text<u128>,
    end_time_unix_nano: Text<u128>,
    attributes: Attributes<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

#[derive(Serialize)]
struct Status {
    code: u8,
}

#[derive(Serialize)]
struct KeyValue<'a> {
    key: &'static str,
    value: AnyValue<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum AnyValue<'a> {
    StringValue(&'a str),
    IntValue(Text<u64>),
}

struct Attributes<'a>(&'a [(Attribute, span::Value)]);

/// Written as a text.
struct Text<T>(T);

/// The body of a request to a collector. These types have no error.
pub(super) fn document(spans: &[Span]) -> Result<String, serde_json::Error> {
    let own = |key, value| KeyValue { key, value: AnyValue::StringValue(value) };
    let resource =
        Resource { attributes: [own("service.name", "glassine"), own("service.version", VERSION)] };
    let scope = Scope { name: "glassine", version: VERSION };
    let scope_spans = [ScopeSpans { scope, spans: spans.iter().map(Written::of).collect() }];
    serde_json::to_string(&Document { resource_spans: [ResourceSpans { resource, scope_spans }] })
}

impl<'a> Written<'a> {
    fn of(span: &'a Span) -> Self {
        Self {
            trace_id: Text(span.context.trace),
            span_id: Text(span.id),
            parent_span_id: span.context.parent.map(Text),
            name: span.kind.name(),
            kind: span.kind.number(),
            start_time_unix_nano: nanoseconds(span.began),
            end_time_unix_nano: nanoseconds(span.ended),
            attributes: Attributes(&span.attributes),
            status: span.has_failed.then_some(ERROR),
        }
    }
}

impl<'a> AnyValue<'a> {
    fn of(value: &'a span::Value) -> Self {
        match value {
            span::Value::Word(word) => Self::StringValue(word),
            span::Value::Name(name) => Self::StringValue(name),
            span::Value::Id(id) => Self::StringValue(id),
            span::Value::Number(number) => Self::IntValue(Text(*number)),
        }
    }
}

fn nanoseconds(time: SystemTime) -> Text<u128> {
    Text(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()))
}

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written =
            self.0.iter().map(|(key, value)| KeyValue { key: key.key(), value: AnyValue::of(value) });
        serializer.collect_seq(written)
    }
}

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
