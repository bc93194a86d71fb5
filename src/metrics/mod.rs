//! The proxy's metrics. Labels are words of closed sets, or names from the operator's files, never data.

mod audit;
pub(crate) mod connections;
mod graph;
pub(crate) mod log_lines;
mod tasks;
mod tokens;
mod upstream;

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use arc_swap::ArcSwap;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use audit::AuditCollector;
use connections::Connections;
pub(crate) use graph::GraphMetrics;
use tokens::TokenMetrics;
pub(crate) use tokens::{CurrentToken, TokenFacts};
pub use upstream::UpstreamConnections;
pub(crate) use upstream::{Closed, Open, Protocol, Repeated};

use crate::audit::{AuditLog, Decision, Record};

/// The endpoint label of requests that match no known endpoint.
const NO_ENDPOINT: &str = "none";

/// All metrics of the program.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    in_flight: Gauge,
    dropped: Family<ReasonLabels, Counter>,
    bytes: Family<DirectionLabels, Counter>,
    reloads: Family<ReloadLabels, Counter>,
    config_good: Gauge,
    approvals_end: Family<ConsumerLabels, Gauge>,
    config_warnings: Gauge,
    /// The rules that serve each consumer.
    rules: Facts<RulesLabels>,
    keys: Family<KeyLabels, Counter>,
    /// The keys of the ring.
    key_info: Facts<KeyInfoLabels>,
    limited: Family<LimitedLabels, Counter>,
    graph: GraphMetrics,
    /// Those of the running state's clients.
    upstream: Upstream,
    connections: Connections,
    ready: Gauge,
    tokens: TokenMetrics,
    audit: AuditCollector,
    /// The only endpoint names that may become labels.
    endpoints: ArcSwap<HashSet<Arc<str>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    decision: DecisionLabel,
    status: StatusClass,
    endpoint: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DirectionLabels {
    direction: Direction,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConsumerLabels {
    consumer: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KeyLabels {
    consumer: Arc<str>,
    key: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KeyInfoLabels {
    key: String,
    fingerprint: String,
    standing: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitedLabels {
    consumer: Arc<str>,
    result: Limited,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabels {
    result: ReloadResult,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RulesLabels {
    consumer: Arc<str>,
    fingerprint: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct DecisionLabel(Decision);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum StatusClass {
    Success,
    Redirection,
    ClientError,
    ServerError,
    /// No response was sent, or its status is outside the classes of RFC 9110.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Direction {
    Read,
    Sent,
}

/// What a consumer's limits did to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Limited {
    /// It was refused.
    Refused,
    /// It waited, and had its turn.
    Waited,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ReloadResult {
    Ok,
    Failed,
}

impl Metrics {
    /// Metrics at zero, under the prefix `glassine_`.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("glassine"),
            requests: Family::default(),
            in_flight: Gauge::default(),
            dropped: Family::default(),
            bytes: Family::default(),
            reloads: Family::default(),
            config_good: Gauge::default(),
            approvals_end: Family::default(),
            config_warnings: Gauge::default(),
            rules: Facts::default(),
            keys: Family::default(),
            key_info: Facts::default(),
            limited: Family::default(),
            graph: GraphMetrics::default(),
            upstream: Upstream::default(),
            connections: Connections::default(),
            ready: Gauge::default(),
            tokens: TokenMetrics::default(),
            audit: AuditCollector::default(),
            endpoints: ArcSwap::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("requests", "Requests that ended", self.requests.clone());
        registry.register("requests_in_flight", "Requests in progress", self.in_flight.clone());
        registry.register("values_dropped", "Values that did not leave, by reason", self.dropped.clone());
        registry.register(
            "body_bytes",
            "Bytes of bodies read from Graph and sent to consumers",
            self.bytes.clone(),
        );
        registry.register("reloads", "Reloads of the configuration", self.reloads.clone());
        registry.register(
            "config_good",
            "1 if the running state is what the files say, 0 if they are bad and the last good state runs",
            self.config_good.clone(),
        );
        registry.register(
            "approvals_end_timestamp_seconds",
            "When the approvals of a consumer end, in seconds since 1970",
            self.approvals_end.clone(),
        );
        registry.register(
            "config_warnings",
            "Warnings about the files that the running state was made from",
            self.config_warnings.clone(),
        );
        registry.register(
            "key_requests",
            "Requests that ended, by the key that their tokens were made with",
            self.keys.clone(),
        );
        registry.register(
            "limited_requests",
            "Requests over a consumer's limits, by what became of them",
            self.limited.clone(),
        );
        self.graph.register(registry);
        self.connections.register(registry);
        registry.register("ready", "1 if requests can be served, 0 if not", self.ready.clone());
        self.tokens.register(registry);
        registry.register(
            "log_lines_left_out",
            "Lines that the log does not have, because there were too many of their kind or nobody reads the log",
            log_lines::family(),
        );
        registry.register(
            "key_info",
            "The keys of the ring, and what each does",
            self.key_info.family.clone(),
        );
        registry.register("rules_info", "The rules that serve a consumer", self.rules.family.clone());
        registry.register_collector(Box::new(tasks::Tasks));
        registry.register_collector(Box::new(self.upstream.clone()));
        registry.register_collector(Box::new(self.audit.clone()));
        let build = Info::new(BuildLabels { version: env!("CARGO_PKG_VERSION") });
        registry.register("build", "The running program", build);
    }

    /// Sets the audit log, which says of itself how it is when metrics are read.
    pub(crate) fn know_audit(&self, audit: &Arc<AuditLog>) {
        self.audit.know(audit);
    }

    /// Sets the endpoint names of the loaded rules. Only these may become labels.
    pub(crate) fn know_endpoints(&self, names: impl IntoIterator<Item = Arc<str>>) {
        self.endpoints.store(Arc::new(names.into_iter().collect()));
    }

    /// Sets the counts of the connections to upstream servers.
    pub fn know_connections(&self, connections: UpstreamConnections) {
        self.upstream.0.store(Arc::new(connections));
    }

    /// Sets which rules serve each consumer: its name and their fingerprint. Rules that are not among these any more have
    /// no series.
    pub(crate) fn know_rules(&self, rules: impl IntoIterator<Item = (Arc<str>, String)>) {
        self.rules.set(
            rules.into_iter().map(|(consumer, fingerprint)| RulesLabels { consumer, fingerprint }).collect(),
        );
    }

    /// Sets which keys the ring has. Keys that are not among these any more have no series.
    /// Each has its id, its fingerprint, and what it does.
    pub(crate) fn know_keys(&self, keys: impl IntoIterator<Item = (char, String, &'static str)>) {
        let labels = |(id, fingerprint, standing): (char, _, _)| KeyInfoLabels {
            key: id.to_string(),
            fingerprint,
            standing,
        };
        self.key_info.set(keys.into_iter().map(labels).collect());
    }

    /// Sets how many warnings there are about the files that the running state was made from.
    pub(crate) fn warned(&self, warnings: usize) {
        self.config_warnings.set(i64::try_from(warnings).unwrap_or(i64::MAX));
    }

    /// Counts a request as in progress until the returned value is dropped.
    pub(crate) fn begin_request(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts a request that ended, from its audit record ([`crate::audit::Guard::observed_by`]).
    pub(crate) fn end_request(&self, record: &Record) {
        let labels = RequestLabels {
            decision: DecisionLabel(record.decision),
            status: StatusClass::of(record.status),
            endpoint: self.known_endpoint(record.endpoint.as_deref()),
        };
        self.requests.get_or_create(&labels).inc();
        if let (Some(consumer), Some(key)) = (&record.consumer, record.key) {
            let labels = KeyLabels { consumer: Arc::clone(consumer), key: key.into() };
            self.keys.get_or_create(&labels).inc();
        }
        for (direction, count) in
            [(Direction::Read, record.counters.bytes_read), (Direction::Sent, record.counters.bytes_sent)]
        {
            self.bytes.get_or_create(&DirectionLabels { direction }).inc_by(count);
        }
        for (reason, count) in &record.counters.dropped {
            self.dropped.get_or_create(&ReasonLabels { reason }).inc_by(*count);
        }
    }

    /// Counts a request that was over its consumer's limits.
    pub(crate) fn limited(&self, consumer: Arc<str>, result: Limited) {
        self.limited.get_or_create(&LimitedLabels { consumer, result }).inc();
    }

    /// What is counted of requests to Graph.
    pub(crate) fn graph(&self) -> &GraphMetrics {
        &self.graph
    }

    /// The connections of the listeners.
    pub(crate) fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Sets whether requests can be served.
    pub(crate) fn ready(&self, is_ready: bool) {
        self.ready.set(i64::from(is_ready));
    }

    /// Counts a reload. `good` says whether the running state now matches the files.
    pub fn reloaded(&self, good: bool) {
        let result = if good { ReloadResult::Ok } else { ReloadResult::Failed };
        self.reloads.get_or_create(&ReloadLabels { result }).inc();
        self.config_good.set(i64::from(good));
    }

    /// Sets when the approvals of each consumer end, in seconds since 1970. Consumers that are not named have no end.
    pub(crate) fn approvals_end(&self, ends: impl Iterator<Item = (Arc<str>, i64)>) {
        self.approvals_end.clear();
        for (consumer, end) in ends {
            self.approvals_end.get_or_create(&ConsumerLabels { consumer }).set(end);
        }
    }

    /// Sets what says which access tokens are in use.
    pub(crate) fn know_tokens(&self, asked: impl Fn() -> Vec<TokenFacts> + Send + Sync + 'static) {
        self.tokens.ask(asked);
    }

    /// All metrics in the OpenMetrics text format.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        self.tokens.while_fresh(|| encode(&mut text, &self.registry))?;
        Ok(text)
    }

    fn known_endpoint(&self, endpoint: Option<&str>) -> Arc<str> {
        let known = self.endpoints.load();
        endpoint.and_then(|name| known.get(name).cloned()).unwrap_or_else(|| NO_ENDPOINT.into())
    }
}

/// The counts of connections are made with the clients, before there are metrics.
#[derive(Clone, Debug, Default)]
struct Upstream(Arc<ArcSwap<UpstreamConnections>>);

impl Collector for Upstream {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        self.0.load().encode(&mut encoder)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// A series with the value 1 for each of some facts. A fact that no longer holds has none.
struct Facts<L: Clone + Eq + Hash> {
    family: Family<L, Gauge>,
    /// The labels of the series.
    known: ArcSwap<HashSet<L>>,
}

impl<L: Clone + Eq + Hash> Default for Facts<L> {
    fn default() -> Self {
        Self { family: Family::default(), known: ArcSwap::default() }
    }
}

impl<L: Clone + Eq + Hash> Facts<L> {
    /// Replaces all facts. Those that stay are there all the time.
    fn set(&self, now: HashSet<L>) {
        for labels in &now {
            self.family.get_or_create(labels).set(1);
        }
        let now = Arc::new(now);
        for labels in self.known.swap(Arc::clone(&now)).difference(&now) {
            self.family.remove(labels);
        }
    }
}

/// A request in progress.
#[derive(Debug)]
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl StatusClass {
    fn of(status: Option<u16>) -> Self {
        match status.map(|status| status / 100) {
            Some(2) => Self::Success,
            Some(3) => Self::Redirection,
            Some(4) => Self::ClientError,
            Some(5) => Self::ServerError,
            Some(_) | None => Self::Other,
        }
    }
}

impl EncodeLabelValue for DecisionLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let text = match self.0 {
            Decision::Allowed => "allowed",
            Decision::Refused => "refused",
        };
        text.encode(encoder)
    }
}

impl EncodeLabelValue for StatusClass {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let text = match self {
            Self::Success => "2xx",
            Self::Redirection => "3xx",
            Self::ClientError => "4xx",
            Self::ServerError => "5xx",
            Self::Other => "other",
        };
        text.encode(encoder)
    }
}

impl EncodeLabelValue for Direction {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let text = match self {
            Self::Read => "read",
            Self::Sent => "sent",
        };
        text.encode(encoder)
    }
}

impl EncodeLabelValue for Limited {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let text = match self {
            Self::Refused => "refused",
            Self::Waited => "waited",
        };
        text.encode(encoder)
    }
}

impl EncodeLabelValue for ReloadResult {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let text = match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
        };
        text.encode(encoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{AuditLog, Guard, Options};

    #[track_caller]
    fn has(metrics: &Metrics, line: &str) {
        let text = metrics.text().unwrap();
        assert!(text.lines().any(|it| it == line), "{line:?} missing in:\n{text}");
    }

    /// Counts one request through a guard, as the proxy does.
    fn count(metrics: &Arc<Metrics>, decision: Decision, status: u16, endpoint: &str) {
        let log = Arc::new(AuditLog::to_stream(Box::new(std::io::sink()), Options::default()).unwrap());
        let counting = Arc::clone(metrics);
        let mut guard =
            Guard::begin(log, "id".to_owned(), "GET").observed_by(move |record| counting.end_request(record));
        guard.set_decision(decision, "reason");
        guard.set_status(http::StatusCode::from_u16(status).unwrap());
        guard.set_endpoint(endpoint.into());
        guard.counters_mut().bytes_sent = 7;
        guard.counters_mut().drop_values("unlisted", 2);
    }

    #[test]
    fn requests_are_counted_by_decision_status_and_known_endpoint() {
        let metrics = Arc::new(Metrics::new());
        metrics.know_endpoints(["list-messages".into()]);
        count(&metrics, Decision::Allowed, 200, "list-messages");
        count(&metrics, Decision::Refused, 404, "alice@example");
        has(
            &metrics,
            "glassine_requests_total{decision=\"allowed\",status=\"2xx\",endpoint=\"list-messages\"} 1",
        );
        has(&metrics, "glassine_requests_total{decision=\"refused\",status=\"4xx\",endpoint=\"none\"} 1");
        has(&metrics, "glassine_body_bytes_total{direction=\"sent\"} 14");
        has(&metrics, "glassine_values_dropped_total{reason=\"unlisted\"} 4");
        assert!(!metrics.text().unwrap().contains("alice"));
    }

    #[test]
    fn requests_in_flight_go_up_and_down() {
        let metrics = Metrics::new();
        let one = metrics.begin_request();
        has(&metrics, "glassine_requests_in_flight 1");
        drop(one);
        has(&metrics, "glassine_requests_in_flight 0");
    }

    #[test]
    fn connections_are_counted_until_they_end() {
        let (metrics, connections) = (Metrics::new(), UpstreamConnections::default());
        metrics.know_connections(connections.clone());
        let (mut one, two) = (connections.open(Protocol::Http2), connections.open(Protocol::Http1));
        one.idle();
        two.close(Closed::Lost);
        connections.failed();
        connections.repeated(Repeated::Lost);
        has(&metrics, "glassine_upstream_connections{protocol=\"http2\",state=\"idle\"} 1");
        has(&metrics, "glassine_upstream_connections{protocol=\"http2\",state=\"busy\"} 0");
        has(&metrics, "glassine_upstream_connections{protocol=\"http1\",state=\"busy\"} 0");
        has(&metrics, "glassine_upstream_connections_opened_total{protocol=\"http1\"} 1");
        has(&metrics, "glassine_upstream_connections_closed_total{protocol=\"http1\",reason=\"lost\"} 1");
        has(&metrics, "glassine_upstream_connections_failed_total 1");
        has(&metrics, "glassine_upstream_requests_repeated_total{reason=\"lost\"} 1");
    }

    #[test]
    fn a_failed_reload_shows() {
        let metrics = Metrics::new();
        metrics.reloaded(true);
        has(&metrics, "glassine_config_good 1");
        metrics.reloaded(false);
        has(&metrics, "glassine_config_good 0");
        has(&metrics, "glassine_reloads_total{result=\"failed\"} 1");
    }
}
