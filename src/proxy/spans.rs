//! The spans of one request: its own, and one for each request to Graph.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use http::StatusCode;

use crate::audit::{Outcome, Record};
use crate::trace::{Attribute, Exporter, Kind, Span, SpanId, TraceContext, Value};

/// The most requests to Graph that one request makes: with the first token and a newer one, each once more if Graph asked to
/// wait.
const MOST: usize = 4;

/// The spans of a request that has not ended. Without an exporter, only its trace is known.
#[derive(Clone)]
pub(super) struct Spans {
    context: TraceContext,
    id: SpanId,
    collected: Option<Arc<Collected>>,
}

/// What is sent when the request ends.
struct Collected {
    exporter: Arc<Exporter>,
    id: SpanId,
    began: SystemTime,
    state: Mutex<State>,
}

struct State {
    context: TraceContext,
    to_graph: Vec<Span>,
}

/// A request to Graph that has begun; `None` if nobody collects spans.
pub(super) struct ToGraph(Option<SystemTime>);

impl Spans {
    /// A request that begins a trace.
    pub(super) fn begin(request_id: [u8; 16], exporter: Option<&Arc<Exporter>>) -> Self {
        let (context, id) = (TraceContext::begun_by(request_id), SpanId::of(request_id));
        let collected = exporter.map(|exporter| {
            Arc::new(Collected {
                exporter: Arc::clone(exporter),
                id,
                began: SystemTime::now(),
                state: Mutex::new(State { context, to_graph: Vec::new() }),
            })
        });
        Self { context, id, collected }
    }

    /// The request is part of this trace instead.
    pub(super) fn follow(&mut self, context: TraceContext) {
        self.context = context;
        if let Some(collected) = &self.collected {
            collected.lock().context = context;
        }
    }

    /// The trace that the request is part of.
    pub(super) fn context(&self) -> TraceContext {
        self.context
    }

    /// The trace, for what is a part of the request.
    pub(super) fn within(&self) -> TraceContext {
        self.context.within(self.id)
    }

    /// A request to Graph begins.
    pub(super) fn ask(&self) -> ToGraph {
        ToGraph(self.collected.as_ref().map(|_| SystemTime::now()))
    }

    /// Graph has responded, or not.
    pub(super) fn asked(&self, begun: ToGraph, status: Option<StatusCode>) {
        let (Some(collected), Some(began)) = (&self.collected, begun.0) else { return };
        let mut state = collected.lock();
        if state.to_graph.len() < MOST {
            let status = status.map(|status| status.as_u16());
            state.to_graph.push(Span {
                context: self.within(),
                id: SpanId::random(),
                kind: Kind::Graph,
                began,
                ended: SystemTime::now(),
                attributes: status
                    .map(|status| (Attribute::Status, Value::Number(status.into())))
                    .into_iter()
                    .collect(),
                has_failed: status.is_none_or(|status| status >= 400),
            });
        }
    }

    /// Sends the spans of a request that ended with this record. Callable from wherever the record ends.
    pub(super) fn sender(&self) -> impl FnOnce(&Record) + Send + Sync + 'static + use<> {
        let collected = self.collected.clone();
        move |record| {
            if let Some(collected) = collected {
                collected.send(record);
            }
        }
    }
}

impl Collected {
    fn send(&self, record: &Record) {
        let mut state = self.lock();
        // Whoever began the trace has decided.
        if !state.context.is_sampled {
            return;
        }
        let own = Span {
            context: state.context,
            id: self.id,
            kind: Kind::Request,
            began: self.began,
            ended: SystemTime::now(),
            attributes: attributes(record),
            has_failed: matches!(record.outcome, Outcome::UpstreamFailed | Outcome::Aborted),
        };
        let mut spans = std::mem::take(&mut state.to_graph);
        drop(state);
        spans.insert(0, own);
        self.exporter.export(spans);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a span says of a request: what its record says, and less.
fn attributes(record: &Record) -> Vec<(Attribute, Value)> {
    let counters = &record.counters;
    let names = [(Attribute::Consumer, &record.consumer), (Attribute::Endpoint, &record.endpoint)];
    let names =
        names.into_iter().filter_map(|(key, name)| Some((key, Value::Name(Arc::clone(name.as_ref()?)))));
    let status = record.status.map(|status| (Attribute::Status, Value::Number(status.into())));
    let always = [
        (Attribute::Method, Value::Word(record.method)),
        (Attribute::Reason, Value::Word(record.reason)),
        (Attribute::RequestId, Value::Id(record.request_id.clone())),
        (Attribute::BytesRead, Value::Number(counters.bytes_read)),
        (Attribute::BytesSent, Value::Number(counters.bytes_sent)),
        (Attribute::WaitedMilliseconds, Value::Number(counters.waited_milliseconds)),
    ];
    names.chain(status).chain(always).collect()
}
