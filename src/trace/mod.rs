//! Traces: which request of a consumer belongs to which of its own operations (W3C Trace Context), and where the time went
//! (OpenTelemetry).
//!
//! | file | what |
//! |---|---|
//! | `context` | `traceparent`, strictly |
//! | `span` | what a span says: a closed list of attributes, never a path, an id of Graph or an address |
//! | `otlp` | spans as OTLP's JSON |
//! | `exporter` | the bounded queue to a collector, which nothing waits for |
//!
//! The exporter is this program's own. `opentelemetry-otlp` with what it needs would bring more than twenty packages into the
//! program that holds the keys (the SDK, protobuf, a second HTTP client), to write one JSON document that has a specification.
//! `traceparent` is not sent to Graph: which header fields a request to Graph has is a closed list.

mod context;
mod exporter;
mod otlp;
mod span;

pub(crate) use context::{SpanId, TraceContext, TraceId};
pub(crate) use exporter::{Exporter, Worker};
pub(crate) use span::{Attribute, Kind, Span, Value};
