//! Traces: `traceparent` continues into the log, and spans reach a collector without anything personal, and without anybody
//! waiting for it.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::metrics::scrape;
use crate::service::{PAGE, USERS};
use crate::support::glassine::{Consumer, Glassine, Setup};
use crate::support::logs::Logs;
use crate::support::upstream::{FakeUpstream, Received, Script};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{PARENT}-{flags}")
}

/// A Graph that forbids everything but users, so that there are lines in the log.
async fn graph() -> FakeUpstream {
    FakeUpstream::start(|request: &Received| match request.path() {
        USERS => Script::json(PAGE),
        _ => Script::status(403).header("Content-Type", "application/json").body(r#"{"error":{"code":"x"}}"#),
    })
    .await
}

/// A proxy whose spans go to this collector.
async fn traced(graph: &FakeUpstream, collector: &FakeUpstream) -> Glassine {
    let mut setup = Setup::scripted(graph);
    setup.more = format!("traces: {{ url: 'http://{}/v1/traces' }}\n", collector.address());
    setup.start().await
}

/// The spans that came, once there are so many.
async fn spans(collector: &FakeUpstream, count: usize) -> Vec<Value> {
    let mut spans = Vec::new();
    for _ in 0..1_000 {
        spans = collector.requests().iter().flat_map(spans_in).collect();
        if spans.len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(spans.len(), count, "{spans:?}");
    spans
}

fn spans_in(request: &Received) -> Vec<Value> {
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/v1/traces"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    let document: Value = serde_json::from_str(&request.body).unwrap();
    let resource = &document["resourceSpans"][0];
    assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "glassine");
    resource["scopeSpans"][0]["spans"].as_array().unwrap().clone()
}

fn attribute<'a>(span: &'a Value, key: &str) -> Option<&'a str> {
    let attributes = span["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == key)?;
    found["value"]["stringValue"].as_str().or(found["value"]["intValue"].as_str())
}

fn named<'a>(spans: &'a [Value], name: &str) -> Vec<&'a Value> {
    spans.iter().filter(|span| span["name"] == name).collect()
}

#[tokio::test]
async fn the_trace_of_an_identified_consumer_continues_into_the_log_and_nobody_elses() {
    let logs = Logs::start();
    let graph = graph().await;
    let proxy = Setup::scripted(&graph).start().await;
    let target = format!("{USERS}/{}", proxy.id("u1"));
    let good = traceparent("01");
    assert_eq!(proxy.get_as("acme", &target, &[("traceparent", &good)]).await.status, 403);
    assert!(logs.text().contains(&format!("trace_id={TRACE}")), "{}", logs.text());

    let other = "aaaabbbbccccddddeeeeffff00001111";
    let bad = [
        good.replace(TRACE, &other.to_uppercase()),
        format!("00-{other}-{PARENT}"),
        format!("ff-{other}-{PARENT}-01"),
    ];
    for value in bad {
        let response = proxy.get_as("acme", &target, &[("traceparent", &value)]).await;
        let own = response.headers["request-id"].to_str().unwrap().replace('-', "");
        assert!(logs.text().contains(&format!("trace_id={own}")), "{value}: {}", logs.text());
    }
    let twice = traceparent("01").replace(TRACE, other);
    proxy.get_as("acme", &target, &[("traceparent", &twice), ("traceparent", &twice)]).await;
    proxy.send("GET", USERS, &[("traceparent", &twice)]).await;
    assert!(!logs.text().to_lowercase().contains(other), "{}", logs.text());
    // Graph hears of no trace.
    for request in graph.requests() {
        assert!(
            request
                .headers
                .iter()
                .all(|(name, value)| !name.eq_ignore_ascii_case("traceparent") && !value.contains(TRACE))
        );
    }
}

#[tokio::test]
async fn spans_say_how_requests_went_and_nothing_else() {
    let (graph, collector) = (graph().await, FakeUpstream::always(Script::json("{}")).await);
    let proxy = traced(&graph, &collector).await;
    let (path_canary, id) = ("canary-in-a-path", proxy.id("canary-id"));
    assert_eq!(proxy.get_as("acme", USERS, &[("traceparent", &traceparent("01"))]).await.status, 200);
    proxy.get(&format!("{USERS}/{id}")).await;
    proxy.get(&format!("/v1.0/{path_canary}")).await;
    // Whoever began this trace does not record it.
    proxy.get_as("acme", USERS, &[("traceparent", &traceparent("00"))]).await;
    let spans = spans(&collector, 5).await;
    let (requests, asked) = (named(&spans, "request"), named(&spans, "graph"));
    assert_eq!((requests.len(), asked.len()), (3, 2));
    let first = requests[0];
    assert_eq!((&first["traceId"], &first["parentSpanId"]), (&TRACE.into(), &PARENT.into()));
    for (key, value) in [
        ("glassine.consumer", "acme"),
        ("glassine.endpoint", "list-users"),
        ("glassine.reason", "allowed"),
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
    ] {
        assert_eq!(attribute(first, key), Some(value), "{key}");
    }
    assert!(attribute(first, "glassine.bytes_read").unwrap().parse::<u64>().unwrap() > 10);
    assert_eq!((&asked[0]["traceId"], &asked[0]["parentSpanId"]), (&TRACE.into(), &first["spanId"]));
    assert_eq!(
        (attribute(asked[1], "http.response.status_code"), &asked[1]["status"]["code"]),
        (Some("403"), &2.into())
    );
    assert_eq!(attribute(requests[2], "glassine.reason"), Some("endpointNotAllowed"));
    let nanoseconds = |span: &Value, key: &str| span[key].as_str().unwrap().parse::<u128>().unwrap();
    assert!(
        spans.iter().all(|it| nanoseconds(it, "endTimeUnixNano") >= nanoseconds(it, "startTimeUnixNano"))
    );
    // A trace without a traceparent has the digits of the audit log's request_id.
    let record = proxy.audit().into_iter().find(|it| it["reason"] == "endpointNotAllowed").unwrap();
    assert_eq!(requests[2]["traceId"], record["request_id"].as_str().unwrap().replace('-', "").as_str());

    let keys: std::collections::BTreeSet<_> = spans
        .iter()
        .flat_map(|span| span["attributes"].as_array().unwrap())
        .map(|attribute| attribute["key"].as_str().unwrap().to_owned())
        .collect();
    let told = include_str!("../docs/OPERATIONS.md");
    assert!(keys.iter().all(|key| told.contains(&format!("`{key}`"))), "{keys:?}");
    let sent: String = collector.requests().iter().map(|request| request.body.clone()).collect();
    for secret in [path_canary, &id, "canary-id", "/v1.0", &Consumer::token("acme"), "127.0.0.1", "u1\""] {
        assert!(!sent.contains(secret), "{secret}: {sent}");
    }
}

#[tokio::test]
async fn the_requests_of_a_batch_are_its_children() {
    let (graph, collector) = (graph().await, FakeUpstream::always(Script::json("{}")).await);
    let proxy = traced(&graph, &collector).await;
    let bearer = format!("Bearer {}", Consumer::token("acme"));
    let parent = traceparent("01");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("traceparent", parent.as_str()),
    ];
    let body =
        r#"{"requests":[{"id":"1","method":"GET","url":"/users"},{"id":"2","method":"GET","url":"/users"}]}"#;
    assert_eq!(proxy.send_body("POST", "/v1.0/$batch", &headers, body.to_owned()).await.status, 200);
    let spans = spans(&collector, 5).await;
    assert!(spans.iter().all(|span| span["traceId"] == TRACE));
    let batch = spans.iter().find(|span| attribute(span, "glassine.endpoint") == Some("$batch")).unwrap();
    let children = spans.iter().filter(|span| span["parentSpanId"] == batch["spanId"]).count();
    assert_eq!((children, &batch["parentSpanId"]), (2, &PARENT.into()));
}

/// Fault: the collector of traces does not respond. Outcome: no request waits for it.
#[tokio::test]
async fn a_collector_that_stands_still_delays_nothing() {
    let (graph, collector) = (graph().await, FakeUpstream::always(Script::never()).await);
    let proxy = traced(&graph, &collector).await;
    let began = Instant::now();
    for _ in 0..20 {
        assert_eq!(proxy.get(USERS).await.status, 200);
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let after = scrape(&proxy).await;
    assert_eq!(after["glassine_trace_spans_total{result=\"sent\"}"], 0.0);
}

/// Fault: the collector of traces refuses spans. Outcome: they are counted as failed, a line in the log says why, and requests are served.
#[tokio::test]
async fn a_collector_that_refuses_is_in_the_log_and_in_the_metrics() {
    let logs = Logs::start();
    let (graph, collector) = (graph().await, FakeUpstream::always(Script::status(500)).await);
    let proxy = traced(&graph, &collector).await;
    assert_eq!(proxy.get(USERS).await.status, 200);
    spans(&collector, 2).await;
    for _ in 0..500 {
        if scrape(&proxy).await["glassine_trace_spans_total{result=\"failed\"}"] == 2.0 {
            assert!(logs.text().contains("the server responded with status 500"), "{}", logs.text());
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", scrape(&proxy).await);
}
