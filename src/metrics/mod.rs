//! The proxy's metrics. Labels are words of closed sets, or names from the operator's files, never data. Every series that is
//! not about a file's content is at zero from the start, and nothing that strangers send makes another one.
//!
//! | file | what |
//! |---|---|
//! | `series` | series that exist before anything is counted, and no others |
//! | `requests` | consumers' requests: status, reason, time, bytes, dropped values |
//! | `reasons`, `statuses` | the closed lists of how a request can end |
//! | `latency` | histograms, and why they have these buckets |
//! | `graph` | requests to Graph: waiting, in flight, responses, repetitions |
//! | `tokens` | access tokens for Graph |
//! | `clock` | this machine's clock against those of Graph and Entra |
//! | `configuration` | rules, keys, approvals, certificates, reloads |
//! | `connections`, `upstream` | connections of consumers, and to Microsoft |
//! | `audit`, `log_lines`, `traces`, `tasks` | the audit log, the log, spans, the runtime |
//! | `text` | the formats in which all this is read |

mod audit;
mod clock;
mod configuration;
pub(crate) mod connections;
mod graph;
mod latency;
pub(crate) mod log_lines;
mod reasons;
mod requests;
mod series;
mod statuses;
mod tasks;
mod text;
mod tokens;
mod traces;
mod upstream;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use audit::AuditCollector;
use clock::Clock;
use configuration::Configuration;
pub(crate) use configuration::{CertificateEnds, KeyFacts};
use connections::Connections;
pub(crate) use graph::GraphMetrics;
use requests::Requests;
pub(crate) use requests::{Limited, Names};
pub(crate) use series::Counted;
use tokens::TokenMetrics;
pub(crate) use tokens::{CurrentToken, TokenFacts};
pub(crate) use traces::SpanFate;
use traces::Spans;
pub use upstream::UpstreamConnections;
pub(crate) use upstream::{Closed, Open, Protocol, Repeated};

use crate::audit::{AuditLog, Record};

/// All metrics of the program.
pub struct Metrics {
    registry: Registry,
    requests: Requests,
    configuration: Configuration,
    graph: GraphMetrics,
    /// Those of the running state's clients.
    upstream: Upstream,
    connections: Connections,
    ready: Gauge,
    tokens: TokenMetrics,
    clock: Clock,
    audit: AuditCollector,
    spans: Spans,
}

impl Metrics {
    /// Metrics at zero, under the prefix `glassine_`.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("glassine"),
            requests: Requests::default(),
            configuration: Configuration::default(),
            graph: GraphMetrics::default(),
            upstream: Upstream::default(),
            connections: Connections::default(),
            ready: Gauge::default(),
            tokens: TokenMetrics::default(),
            clock: Clock::default(),
            audit: AuditCollector::default(),
            spans: Spans::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        self.requests.register(registry);
        self.configuration.register(registry);
        self.graph.register(registry);
        self.connections.register(registry);
        registry.register("ready", "1 if requests can be served, 0 if not", self.ready.clone());
        self.tokens.register(registry);
        self.clock.register(registry);
        self.spans.register(registry);
        registry.register(
            "log_lines_left_out",
            "Lines that the log does not have, because there were too many of their kind or nobody reads the log",
            log_lines::family(),
        );
        registry.register_collector(Box::new(tasks::Tasks));
        registry.register_collector(Box::new(self.upstream.clone()));
        registry.register_collector(Box::new(self.audit.clone()));
    }

    /// Sets the audit log, which says of itself how it is when metrics are read.
    pub(crate) fn know_audit(&self, audit: &Arc<AuditLog>) {
        self.audit.know(audit);
    }

    /// Sets the names in the operator's files. Only these may become labels; those that are not among them any more have no
    /// series.
    pub(crate) fn know_names(&self, names: &Names) {
        self.requests.know(names);
        self.graph.know(&names.endpoints);
    }

    /// Sets the counts of the connections to upstream servers.
    pub fn know_connections(&self, connections: UpstreamConnections) {
        self.upstream.0.store(Arc::new(connections));
    }

    /// Sets which rules serve each consumer: its name and their fingerprint. Rules that are not among these any more have
    /// no series.
    pub(crate) fn know_rules(&self, rules: impl IntoIterator<Item = (Arc<str>, String)>) {
        self.configuration.know_rules(rules);
    }

    /// Sets which keys the ring has. Keys that are not among these any more have no series.
    pub(crate) fn know_keys(&self, keys: Vec<KeyFacts>) {
        self.configuration.know_keys(keys);
    }

    /// Sets when all keys were replaced at once, in seconds since 1970.
    pub(crate) fn keys_replaced(&self, at: Option<i64>) {
        self.configuration.keys_replaced(at);
    }

    /// Sets by how many seconds this machine's clock is ahead of Graph's, as a response of Graph shows it.
    pub(crate) fn ahead_of_graph(&self, seconds: i64) {
        self.clock.ahead_of_graph(seconds);
    }

    /// Sets what says which access tokens are in use.
    pub(crate) fn know_tokens(&self, asked: impl Fn() -> Vec<TokenFacts> + Send + Sync + 'static) {
        self.tokens.ask(asked);
    }

    /// Sets when the certificates end that the configuration names.
    pub(crate) fn certificates_end(&self, ends: CertificateEnds) {
        self.configuration.certificates_end(ends);
    }

    /// Sets when the approvals of each consumer end, in seconds since 1970. Consumers that are not named have no end.
    pub(crate) fn approvals_end(&self, ends: impl IntoIterator<Item = (Arc<str>, i64)>) {
        self.configuration.approvals_end(ends);
    }

    /// Sets how many warnings there are about the files that the running state was made from.
    pub(crate) fn warned(&self, warnings: usize) {
        self.configuration.warned(warnings);
    }

    /// Counts a reload at this time, in seconds since 1970. `good` says whether the running state now matches the files.
    pub fn reloaded(&self, good: bool, now: i64) {
        self.configuration.reloaded(good, now);
    }

    /// Sets whether requests can be served.
    pub(crate) fn ready(&self, is_ready: bool) {
        self.ready.set(i64::from(is_ready));
    }

    /// Counts a request as in progress until the returned value is dropped.
    pub(crate) fn begin_request(&self) -> Counted {
        self.requests.begin()
    }

    /// Counts a request that ended after this time, from its audit record ([`crate::audit::Guard::observed_by`]).
    pub(crate) fn end_request(&self, record: &Record, time: Duration) {
        self.requests.end(record, time);
    }

    /// Counts a step of the connection pages, as [`Self::end_request`] does a request.
    pub(crate) fn end_step(&self, record: &Record, time: Duration) {
        self.requests.end_step(record, time);
    }

    /// Counts a request that was over its consumer's limits.
    pub(crate) fn limited(&self, consumer: Arc<str>, result: Limited) {
        self.requests.limited(consumer, result);
    }

    /// Counts spans, by what became of them.
    pub(crate) fn spans(&self, fate: SpanFate, spans: usize) {
        self.spans.count(fate, spans);
    }

    /// What is counted of requests to Graph.
    pub(crate) fn graph(&self) -> &GraphMetrics {
        &self.graph
    }

    /// The connections of the listeners.
    pub(crate) fn connections(&self) -> &Connections {
        &self.connections
    }

    /// All metrics in the OpenMetrics text format.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        self.tokens.while_fresh(&self.clock, || encode(&mut text, &self.registry))?;
        Ok(text)
    }

    /// All metrics in Prometheus' own text format, for readers that do not know OpenMetrics.
    pub fn prometheus_text(&self) -> Result<String, fmt::Error> {
        Ok(text::prometheus(&self.text()?))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{AuditLog, Decision, Guard, Options};

    #[track_caller]
    fn has(metrics: &Metrics, line: &str) {
        let text = metrics.text().unwrap();
        assert!(text.lines().any(|it| it == line), "{line:?} missing in:\n{text}");
    }

    /// Counts one request through a guard, as the proxy does.
    fn count(metrics: &Arc<Metrics>, decision: Decision, status: u16, endpoint: &str) {
        let log = Arc::new(AuditLog::to_stream(Box::new(std::io::sink()), Options::default()).unwrap());
        let counting = Arc::clone(metrics);
        let mut guard = Guard::begin(log, "id".to_owned(), "GET")
            .observed_by(move |record| counting.end_request(record, Duration::from_millis(30)));
        guard.set_decision(decision, "reason");
        guard.set_status(http::StatusCode::from_u16(status).unwrap());
        guard.set_endpoint(endpoint.into());
        guard.counters_mut().bytes_sent = 7;
        guard.counters_mut().drop_values("too_long", 2);
        guard.counters_mut().unlisted = [1, 2, 3, 4];
    }

    fn names(endpoint: &str, consumer: &str) -> Names {
        Names { endpoints: vec![endpoint.into()], consumers: vec![consumer.into()], keys: vec!['A'] }
    }

    #[test]
    fn requests_are_counted_by_decision_status_and_known_endpoint() {
        let metrics = Arc::new(Metrics::new());
        metrics.know_names(&names("list-messages", "acme"));
        count(&metrics, Decision::Allowed, 200, "list-messages");
        count(&metrics, Decision::Refused, 404, "alice@example");
        has(
            &metrics,
            "glassine_requests_total{decision=\"allowed\",status=\"200\",endpoint=\"list-messages\"} 1",
        );
        has(&metrics, "glassine_requests_total{decision=\"refused\",status=\"404\",endpoint=\"none\"} 1");
        has(&metrics, "glassine_request_duration_seconds_bucket{le=\"0.05\",endpoint=\"list-messages\"} 1");
        has(&metrics, "glassine_request_duration_seconds_count{endpoint=\"none\"} 1");
        has(&metrics, "glassine_body_bytes_total{direction=\"sent\"} 14");
        has(&metrics, "glassine_values_dropped_total{reason=\"too_long\"} 4");
        has(&metrics, "glassine_values_dropped_total{reason=\"unlisted_string\"} 6");
        assert!(!metrics.text().unwrap().contains("alice"));
    }

    fn series(metrics: &Metrics) -> Vec<String> {
        let text = metrics.text().unwrap();
        let mut all: Vec<_> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned()))
            .collect();
        all.sort();
        all
    }

    /// Consumers, endpoints and keys that come and go by reload leave nothing behind.
    #[test]
    fn a_hundred_reloads_leave_as_many_series_as_one() {
        let metrics = Arc::new(Metrics::new());
        metrics.know_names(&names("list-users", "acme"));
        let before = series(&metrics);
        for number in 0..100 {
            let (endpoint, consumer) = (format!("endpoint-{number}"), format!("consumer-{number}"));
            metrics.know_names(&names(&endpoint, &consumer));
            count(&metrics, Decision::Allowed, 200, &endpoint);
            metrics.limited(consumer.as_str().into(), Limited::Refused);
            metrics.graph().took(endpoint.as_str().into(), Duration::ZERO);
        }
        metrics.know_names(&names("list-users", "acme"));
        assert_eq!(series(&metrics), before);
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
        metrics.reloaded(true, 7);
        has(&metrics, "glassine_config_good 1");
        metrics.reloaded(false, 9);
        has(&metrics, "glassine_config_good 0");
        has(&metrics, "glassine_config_loaded_timestamp_seconds 7");
        has(&metrics, "glassine_reloads_total{result=\"failed\"} 1");
    }
}
