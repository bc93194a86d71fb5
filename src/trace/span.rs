//! What a span says.

use std::sync::Arc;
use std::time::SystemTime;

use super::context::{SpanId, TraceContext};

/// A piece of work that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    /// Its trace, and what it is a part of.
    pub(crate) context: TraceContext,
    pub(crate) id: SpanId,
    pub(crate) kind: Kind,
    pub(crate) began: SystemTime,
    pub(crate) ended: SystemTime,
    pub(crate) attributes: Vec<(Attribute, Value)>,
    /// Whether the proxy or Graph is to blame for how it ended.
    pub(crate) has_failed: bool,
}

/// What a span is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A request of a consumer.
    Request,
    /// A request to Graph.
    Graph,
}

/// Everything that a span can say. None of it can hold a path, a query, an address, a token or an id of Graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    /// The consumer's name in the configuration.
    Consumer,
    /// The endpoint's name in the rules.
    Endpoint,
    /// The request's method, or `OTHER`.
    Method,
    /// The reason in the audit log.
    Reason,
    /// This proxy's id of the request, as the audit log has it.
    RequestId,
    /// Bytes of Graph's body.
    BytesRead,
    /// Bytes of the response's body.
    BytesSent,
    /// How long the request waited for its turn at Graph, and for Graph's `Retry-After`.
    WaitedMilliseconds,
    /// The status of the response.
    Status,
}

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A word of this program.
    Word(&'static str),
    /// A name from the operator's files.
    Name(Arc<str>),
    /// An id that this program made.
    Id(String),
    Number(u64),
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Graph => "graph",
        }
    }

    /// `SPAN_KIND_SERVER` and `SPAN_KIND_CLIENT` of OTLP.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Request => 2,
            Self::Graph => 3,
        }
    }
}

impl Attribute {
    /// OpenTelemetry's own name where it has one (semantic conventions for HTTP).
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Consumer => "glassine.consumer",
            Self::Endpoint => "glassine.endpoint",
            Self::Method => "http.request.method",
            Self::Reason => "glassine.reason",
            Self::RequestId => "glassine.request_id",
            Self::BytesRead => "glassine.bytes_read",
            Self::BytesSent => "http.response.body.size",
            Self::WaitedMilliseconds => "glassine.waited_milliseconds",
            Self::Status => "http.response.status_code",
        }
    }
}
