//! Counts of the connections to upstream servers. All clients of one running proxy share them, also after a reload.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

/// How many connections there are, how they began and ended, and how many requests had to be repeated.
#[derive(Clone, Debug)]
pub struct UpstreamConnections(Arc<Counted>);

#[derive(Debug, Default)]
struct Counted {
    open: Family<OpenLabels, Gauge>,
    opened: Family<ProtocolLabels, Counter>,
    failed: Counter,
    closed: Family<ClosedLabels, Counter>,
    repeated: Family<RepeatedLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OpenLabels {
    protocol: &'static str,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProtocolLabels {
    protocol: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClosedLabels {
    protocol: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RepeatedLabels {
    reason: &'static str,
}

/// The version of HTTP that a connection uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Busy,
    Idle,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// A request was given up before the head of its response (HTTP/1.1 has no other way to say so).
    Abandoned,
    /// Nobody used it for a while, or enough others are idle.
    Idle,
    /// The network lost it, or the server reset it.
    Lost,
    /// The server broke the protocol.
    Protocol,
    /// The server closed it; or, over HTTP/1.1, nobody read a response to its end.
    Server,
    /// The server left pings unanswered.
    Silent,
    /// Another connection was found dead, so this idle one might be dead too.
    Suspect,
}

/// Why a request was sent a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeated {
    /// The connection was lost before the head of the response.
    Lost,
    /// The server had not processed the request (HTTP/2).
    Unprocessed,
    /// A connection that had been idle brought no response for a while.
    NoResponse,
}

impl Default for UpstreamConnections {
    /// All counts at zero.
    fn default() -> Self {
        let counted = Counted::default();
        for protocol in [Protocol::Http1, Protocol::Http2].map(Protocol::label) {
            drop(counted.opened.get_or_create(&ProtocolLabels { protocol }));
            for state in [State::Busy, State::Idle].map(State::label) {
                drop(counted.open.get_or_create(&OpenLabels { protocol, state }));
            }
            for reason in Closed::ALL.map(Closed::label) {
                drop(counted.closed.get_or_create(&ClosedLabels { protocol, reason }));
            }
        }
        for reason in [Repeated::Lost, Repeated::NoResponse, Repeated::Unprocessed].map(Repeated::label) {
            drop(counted.repeated.get_or_create(&RepeatedLabels { reason }));
        }
        Self(Arc::new(counted))
    }
}

impl UpstreamConnections {
    /// Counts a connection that was opened, until the returned value is dropped. The connection is busy.
    pub(crate) fn open(&self, protocol: Protocol) -> Open {
        self.0.opened.get_or_create(&ProtocolLabels { protocol: protocol.label() }).inc();
        let of = |state: State| {
            let labels = OpenLabels { protocol: protocol.label(), state: state.label() };
            self.0.open.get_or_create(&labels).clone()
        };
        let (busy, idle) = (of(State::Busy), of(State::Idle));
        busy.inc();
        Open { counts: self.clone(), protocol, state: State::Busy, reason: Closed::Abandoned, busy, idle }
    }

    /// Counts a connection that could not be opened.
    pub(crate) fn failed(&self) {
        self.0.failed.inc();
    }

    /// Counts a request that is sent a second time.
    pub(crate) fn repeated(&self, reason: Repeated) {
        self.0.repeated.get_or_create(&RepeatedLabels { reason: reason.label() }).inc();
    }

    /// Writes all counts.
    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Counted { open, opened, failed, closed, repeated } = &*self.0;
        let mut write = |name: &str, help: &str, metric: &dyn Encoded| metric.encode(encoder, name, help);
        write("upstream_connections", "Connections to upstream servers", open)?;
        write("upstream_connections_opened", "Connections that were opened to upstream servers", opened)?;
        write(
            "upstream_connections_failed",
            "Connections that could not be opened to upstream servers",
            failed,
        )?;
        write(
            "upstream_connections_closed",
            "Connections to upstream servers that ended, by reason",
            closed,
        )?;
        write("upstream_requests_repeated", "Requests that were sent a second time, by reason", repeated)
    }
}

/// A metric of any type.
pub(super) trait Encoded {
    fn encode(&self, encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> fmt::Result;
}

impl<M: EncodeMetric> Encoded for M {
    fn encode(&self, encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> fmt::Result {
        EncodeMetric::encode(self, encoder.encode_descriptor(name, help, None, self.metric_type())?)
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Open {
    counts: UpstreamConnections,
    protocol: Protocol,
    state: State,
    reason: Closed,
    /// Looked up once: each request changes them.
    busy: Gauge,
    idle: Gauge,
}

impl Open {
    /// A request uses the connection.
    pub(crate) fn busy(&mut self) {
        self.turn(State::Busy);
    }

    /// No request uses the connection.
    pub(crate) fn idle(&mut self) {
        self.turn(State::Idle);
    }

    /// Counts the end of the connection.
    pub(crate) fn close(mut self, reason: Closed) {
        self.reason = reason;
    }

    fn turn(&mut self, state: State) {
        if self.state != state {
            self.gauge().dec();
            self.state = state;
            self.gauge().inc();
        }
    }

    fn gauge(&self) -> &Gauge {
        match self.state {
            State::Busy => &self.busy,
            State::Idle => &self.idle,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.gauge().dec();
        let labels = ClosedLabels { protocol: self.protocol.label(), reason: self.reason.label() };
        self.counts.0.closed.get_or_create(&labels).inc();
    }
}

impl Protocol {
    fn label(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Http2 => "http2",
        }
    }
}

impl State {
    fn label(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Idle => "idle",
        }
    }
}

impl Closed {
    const ALL: [Self; 7] =
        [Self::Abandoned, Self::Idle, Self::Lost, Self::Protocol, Self::Server, Self::Silent, Self::Suspect];

    fn label(self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::Idle => "idle",
            Self::Lost => "lost",
            Self::Protocol => "protocol",
            Self::Server => "server",
            Self::Silent => "silent",
            Self::Suspect => "suspect",
        }
    }
}

impl Repeated {
    fn label(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::NoResponse => "no_response",
            Self::Unprocessed => "unprocessed",
        }
    }
}
