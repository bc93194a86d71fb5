//! Graph's limits: the proxy keeps them itself, waits where Graph asks for a moment, and multiplies no storm.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use glassine_core::pseudonym::{Class, Outcome};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::glassine::{
    Consumer, DOMAIN, Glassine, METADATA_ONLY, ProxyResponse, Setup, read_all, serve_tenant,
};
use crate::support::logs::Logs;
use crate::support::upstream::{FakeUpstream, Received, Script};
use crate::support::waiting::until;
use glassine::demo::tenant::Tenant;

const EMPTY: &str = r#"{"value":[]}"#;
/// Marks a person in what must not have any.
const PERSON: &str = "3b1f5f0e-0000-4000-8000-00000000abcd";

fn throttled(wait: &str) -> Script {
    let body = r#"{"error":{"code":"ApplicationThrottled","message":"MARKER"}}"#;
    Script::status(429).header("Content-Type", "application/json").header("Retry-After", wait).body(body)
}

fn error(status: u16, code: &str) -> Script {
    let body = json!({ "error": { "code": code, "message": "MARKER" } }).to_string();
    Script::status(status).header("Content-Type", "application/json").body(body)
}

fn messages(proxy: &Glassine, user: &str) -> String {
    format!("/v1.0/users/{}/messages?$top=1", proxy.id(user))
}

/// A page of which the first part goes out while the rest never comes.
fn endless_page() -> Script {
    let items = vec![r#"{"id":"u1","isRead":true}"#; 4_000].join(",");
    let page = format!(r#"{{"value":[{items}]}}"#);
    let most = page.len() - 1;
    Script::json(page).stall_after(most)
}

fn is_of(user: &str) -> impl Fn(&Received) -> bool {
    let path = format!("/v1.0/users/{user}/messages");
    move |request| request.path() == path
}

/// A Graph that asks to wait for a second at the first request for the messages of `PERSON`.
async fn throttling_once() -> FakeUpstream {
    let is_first = AtomicBool::new(true);
    FakeUpstream::start(move |request| {
        let throttles = is_of(PERSON)(request) && is_first.swap(false, Ordering::SeqCst);
        if throttles { throttled("1") } else { Script::json(EMPTY) }
    })
    .await
}

async fn metrics(proxy: &Glassine) -> String {
    proxy.admin_get("/metrics").await.text()
}

/// The count of a series, which is there from the start.
fn value(metrics: &str, series: &str) -> u64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')).expect(series);
    line.parse().expect(series)
}

/// Waits until the metrics have this line.
async fn until_metric(proxy: &Glassine, line: &str) {
    until(line, async || metrics(proxy).await.lines().any(|it| it == line)).await;
}

async fn waiting(proxy: &Glassine, gate: &str, count: usize) {
    until_metric(proxy, &format!("glassine_graph_waiting_requests{{gate=\"{gate}\"}} {count}")).await;
}

async fn until_asked(graph: &FakeUpstream, count: usize) {
    until("the requests reach Graph", async || graph.requests().len() >= count).await;
}

/// Four requests that are at Graph in one mailbox, and stay there.
async fn fill(proxy: &Glassine, graph: &FakeUpstream, target: &str) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for count in 1..=4 {
        streams.push(proxy.open("acme", target).await);
        until_asked(graph, count).await;
    }
    streams
}

async fn batch(proxy: &Glassine, urls: &[String]) -> Vec<Value> {
    let requests: Vec<_> = urls
        .iter()
        .enumerate()
        .map(|(id, url)| json!({ "id": id.to_string(), "method": "GET", "url": url.trim_start_matches("/v1.0") }))
        .collect();
    batch_of(proxy, json!(requests)).await
}

async fn batch_of(proxy: &Glassine, requests: Value) -> Vec<Value> {
    let token = format!("Bearer {}", Consumer::token("acme"));
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    let body = json!({ "requests": requests }).to_string();
    let response = proxy.send_body("POST", "/v1.0/$batch", &headers, body).await;
    response.json()["responses"].as_array().unwrap().clone()
}

/// The sample tenant refuses what Exchange refuses: the fifth request at a time in one mailbox.
async fn exchange(latency: u64) -> (Arc<Tenant>, String) {
    serve_tenant(Tenant::new(7).throttled(Duration::from_millis(latency))).await
}

#[tokio::test]
async fn the_tenant_refuses_a_fifth_request_in_a_mailbox() {
    let (tenant, url) = exchange(300).await;
    let address = url.trim_start_matches("http://").to_owned();
    let users: Vec<_> = tenant.users().iter().filter(|user| user.has_mailbox()).take(2).collect();
    let ask = |user: &str, resource: &str| {
        let (address, target) = (address.clone(), format!("/v1.0/users/{user}/{resource}"));
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            let head = format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            read_all(&mut stream).await
        })
    };
    let resources = ["messages", "mailFolders", "contacts", "mailboxSettings", "messages"];
    let mut asked: Vec<_> = resources.map(|resource| ask(users[0].id(), resource)).into();
    asked.push(ask(users[1].id(), "messages"));
    asked.push(ask(users[0].id(), "memberOf"));
    let mut statuses = Vec::new();
    for one in asked {
        let response = one.await.unwrap();
        let throttled = response.contains("ApplicationThrottled") && response.contains("retry-after: 1");
        statuses.push((response.split(' ').nth(1).unwrap().to_owned(), throttled));
    }
    let refused = |(status, throttled): &&(String, bool)| status == "429" && *throttled;
    assert_eq!((statuses.iter().filter(refused).count(), tenant.most_at_once()), (1, 4), "{statuses:?}");
    assert!(statuses[5..].iter().all(|(status, _)| status == "200"), "{statuses:?}");
}

/// Fault: a consumer sends 40 requests at once for one mailbox. Outcome: Exchange's limit is never touched, and other mailboxes are not delayed.
#[tokio::test]
async fn a_crowd_at_one_mailbox_provokes_no_throttling_and_delays_no_other_mailbox() {
    let (tenant, url) = exchange(60).await;
    let mut setup = Setup::in_front_of(url);
    setup.consumers[0].more = "    limits: { concurrent: 200, requests_per_second: 1000 }\n".to_owned();
    setup.timeouts = (60, 30);
    let proxy = Arc::new(setup.start().await);
    let users: Vec<_> = tenant.users().iter().filter(|user| user.has_mailbox()).take(11).collect();
    let (hot, others) = users.split_first().unwrap();
    let hot = messages(&proxy, hot.id());
    let others: Vec<_> = others.iter().map(|user| messages(&proxy, user.id())).collect();

    let alone = |target: String| {
        let proxy = Arc::clone(&proxy);
        tokio::spawn(async move {
            let came = Instant::now();
            (proxy.get(&target).await.status, came.elapsed())
        })
    };
    let together = |targets: Vec<String>| {
        let proxy = Arc::clone(&proxy);
        tokio::spawn(async move { batch(&proxy, &targets).await })
    };
    let began = Instant::now();
    let mut crowd: Vec<_> = (0..20).map(|_| alone(hot.clone())).collect();
    let batches = [together(vec![hot.clone(); 20]), together([others.as_slice(); 2].concat())];
    let single: Vec<_> = others.iter().chain(&others).map(|target| alone(target.clone())).collect();
    let mut slowest = Duration::ZERO;
    for one in single {
        let (status, time) = one.await.unwrap();
        assert_eq!(status, 200);
        slowest = slowest.max(time);
    }
    for one in crowd.drain(..) {
        assert_eq!(one.await.unwrap().0, 200);
    }
    for all in batches {
        let responses = all.await.unwrap();
        assert!(responses.len() == 20 && responses.iter().all(|one| one["status"] == 200), "{responses:?}");
    }
    let whole = began.elapsed();
    assert_eq!(tenant.most_at_once(), 4, "as many as Exchange takes, and not one more");
    let metrics = metrics(&proxy).await;
    assert!(metrics.contains("glassine_graph_responses_total{status=\"200\",kind=\"ok\"} 80"), "{metrics}");
    assert_eq!(value(&metrics, "glassine_graph_responses_total{status=\"429\",kind=\"throttled\"}"), 0);
    assert!(value(&metrics, "glassine_graph_gated_requests_total{gate=\"mailbox\",result=\"waited\"}") > 0);
    // The crowd takes ten times as long as a request.
    assert!(slowest < whole.mul_f64(0.7), "{slowest:?} of {whole:?}");
}

/// Fault: Graph throttles a mailbox for a second (429). Outcome: the proxy waits and asks once more; the consumer sees nothing of it.
/// Fault: requests come for a mailbox that Graph throttles. Outcome: they wait until the time is over, and other mailboxes go on.
#[tokio::test]
async fn a_short_wait_is_waited_and_the_mailbox_with_it() {
    let logs = Logs::start();
    let graph = throttling_once().await;
    let proxy = Setup::scripted(&graph).start().await;
    let came = Instant::now();
    let mut first = proxy.open("acme", &messages(&proxy, PERSON)).await;
    waiting(&proxy, "pause", 1).await;
    let mut second = proxy.open("acme", &messages(&proxy, PERSON)).await;
    waiting(&proxy, "pause", 2).await;
    assert_eq!(proxy.get(&messages(&proxy, "other")).await.status, 200);
    assert_eq!(proxy.get("/v1.0/users").await.status, 200);
    assert!(came.elapsed() < Duration::from_secs(1), "too slow to show anything");
    assert!(read_all(&mut first).await.starts_with("HTTP/1.1 200 "));
    assert!(came.elapsed() >= Duration::from_secs(1));
    assert!(read_all(&mut second).await.starts_with("HTTP/1.1 200 "));
    let asked: Vec<_> = graph.requests().iter().map(is_of(PERSON)).collect();
    assert_eq!(asked, [true, false, false, true, true]);

    let records = proxy.audited(4).await;
    let repeated: Vec<_> = records.iter().filter(|record| record["retried"] == 1).collect();
    assert_eq!((repeated.len(), &repeated[0]["upstream_status"]), (1, &200.into()));
    let waited = |record: &&Value| record["waited_milliseconds"].as_u64().is_some_and(|time| time > 500);
    assert_eq!(records.iter().filter(waited).count(), 2, "{records:?}");
    let metrics = metrics(&proxy).await;
    for line in [
        "glassine_graph_repeated_requests_total{status=\"429\",result=\"served\"} 1",
        "glassine_graph_responses_total{status=\"429\",kind=\"throttled\"} 1",
        "glassine_graph_gated_requests_total{gate=\"pause\",result=\"waited\"} 2",
    ] {
        assert!(metrics.contains(line), "{line}:\n{metrics}");
    }
    let text = logs.text();
    let line = text.lines().find(|line| line.contains("throttles the application")).unwrap();
    for part in
        ["WARN", "acme", "ApplicationThrottled", "status=429", "retry_after=1", "repeated", "OPERATIONS.md"]
    {
        assert!(line.contains(part), "{part}: {line}");
    }
    let id = proxy.id(PERSON);
    for shown in [&text, &metrics] {
        assert!(!shown.contains(PERSON) && !shown.contains(&id) && !shown.contains("MARKER"), "{shown}");
    }
}

/// Fault: Graph is not available for a moment (503 or 504 with Retry-After). Outcome: the proxy waits and asks once more.
#[tokio::test]
async fn each_status_that_may_pass_is_repeated_once_and_no_other() {
    for (status, wait, asked, got) in [
        (429, Some("0"), 2, 200),
        (503, Some("0.2"), 2, 200),
        (504, Some("Sun, 06 Nov 1994 08:49:37 GMT"), 2, 200),
        (503, None, 1, 503),
        (503, Some("soon"), 1, 503),
        (429, Some("4"), 1, 429),
        (500, Some("0"), 1, 500),
        (404, Some("0"), 1, 404),
    ] {
        let mut script = error(status, "serviceNotAvailable");
        if let Some(wait) = wait {
            script = script.header("Retry-After", wait);
        }
        let graph = FakeUpstream::in_turn(vec![script, Script::json(EMPTY)]).await;
        let proxy = Setup::scripted(&graph).start().await;
        let response = proxy.get("/v1.0/users").await;
        assert_eq!((response.status, graph.requests().len()), (got, asked), "{status} {wait:?}");
        let record = proxy.audited(1).await.remove(0);
        assert_eq!(
            record["retried"].as_u64().unwrap_or_default(),
            u64::try_from(asked).unwrap() - 1,
            "{record}"
        );
    }
}

/// Fault: Graph asks for a wait that the request has no time for. Outcome: the consumer gets Graph's 429 and its Retry-After at once.
#[tokio::test]
async fn a_wait_that_is_longer_than_the_requests_time_is_passed_on() {
    let logs = Logs::start();
    for (wait, seconds, reason) in [("2", 1, "no_time"), ("2", 10, "refused_again"), ("17", 10, "long_wait")]
    {
        let graph = FakeUpstream::always(throttled(wait)).await;
        let mut setup = Setup::scripted(&graph);
        setup.timeouts = (seconds, 5);
        let proxy = setup.start().await;
        let came = Instant::now();
        let response = proxy.get(&messages(&proxy, PERSON)).await;
        assert_eq!((response.status, response.code().as_str()), (429, "ApplicationThrottled"));
        assert_eq!(response.headers["retry-after"], wait);
        assert_eq!(
            came.elapsed() > Duration::from_secs(2),
            reason == "refused_again",
            "{:?}",
            came.elapsed()
        );
        let counted =
            format!("glassine_graph_repeated_requests_total{{status=\"429\",result=\"{reason}\"}} 1");
        assert!(metrics(&proxy).await.contains(&counted), "{counted}");
        assert!(logs.text().contains(&format!("reason=\"{reason}\"")), "{}", logs.text());
    }
}

/// Fault: Graph asks to wait, and does not respond to the repeated request. Outcome: 504 when the time of the request is over, not later.
#[tokio::test]
async fn the_repeated_request_has_the_time_that_the_first_one_left() {
    let graph = FakeUpstream::in_turn(vec![throttled("1"), Script::never()]).await;
    let mut setup = Setup::scripted(&graph);
    setup.timeouts = (2, 5);
    let proxy = setup.start().await;
    let came = Instant::now();
    let response = proxy.get(&messages(&proxy, PERSON)).await;
    assert_eq!((response.status, response.code().as_str()), (504, "upstreamTimeout"));
    assert!((1_900..2_800).contains(&came.elapsed().as_millis()), "{:?}", came.elapsed());
    let metrics = metrics(&proxy).await;
    assert!(metrics.contains("glassine_graph_repeated_requests_total{status=\"429\",result=\"failed\"} 1"));
    assert!(metrics.contains("glassine_graph_responses_total{status=\"none\",kind=\"no_response\"} 1"));
}

/// Fault: Graph throttles every request. Outcome: the proxy repeats a tenth of them and ten more, not all, and passes Graph's 429 on.
#[tokio::test]
async fn a_storm_is_not_multiplied() {
    const REQUESTS: usize = 60;
    let graph = FakeUpstream::always(throttled("1")).await;
    let mut setup = Setup::scripted(&graph);
    setup.consumers[0].more = "    limits: { concurrent: 200, requests_per_second: 1000 }\n".to_owned();
    let proxy = setup.start().await;
    let mut streams = Vec::new();
    for at in 0..REQUESTS {
        streams.push(proxy.open("acme", &messages(&proxy, &format!("user-{at}"))).await);
    }
    for stream in &mut streams {
        let response = read_all(stream).await;
        assert!(
            response.starts_with("HTTP/1.1 429 ") && response.contains("ApplicationThrottled"),
            "{response}"
        );
    }
    let asked = graph.requests().len();
    assert!(asked <= REQUESTS + REQUESTS / 10 + 10, "{asked}");
    assert!(asked >= REQUESTS + 10, "the budget is used: {asked}");
    let refused = "glassine_graph_repeated_requests_total{status=\"429\",result=\"no_budget\"}";
    assert!(value(&metrics(&proxy).await, refused) > 0);
}

/// Fault: four requests of a mailbox are at Graph, and one of another consumer comes. Outcome: it waits; requests for other mailboxes do not.
#[tokio::test]
async fn consumers_of_one_application_share_the_places_in_a_mailbox() {
    let graph =
        FakeUpstream::start(
            |request| {
                if is_of(PERSON)(request) { endless_page() } else { Script::json(EMPTY) }
            },
        )
        .await;
    let mut setup = Setup::scripted(&graph).consumer(Consumer::new("other", METADATA_ONLY));
    setup.timeouts = (60, 60);
    setup.domain = DOMAIN.to_owned();
    let proxy = setup.start().await;
    let mut streams = fill(&proxy, &graph, &messages(&proxy, PERSON)).await;
    let mut token = Vec::new();
    assert_eq!(proxy.pseudonyms("other").reversible(Class::Id, PERSON, &mut token), Outcome::Written);
    let theirs = format!("/beta/users/{}/mailFolders/inbox/messages", String::from_utf8(token).unwrap());
    let mut fifth = proxy.open("other", &theirs).await;
    waiting(&proxy, "mailbox", 1).await;
    assert_eq!(proxy.get(&messages(&proxy, "somebody-else")).await.status, 200);
    assert_eq!(graph.requests().len(), 5);
    // The first part of a response is here, the rest is still at Graph: the place is taken until the consumer leaves.
    assert!(streams[0].read(&mut [0; 1024]).await.unwrap() > 0);
    drop(streams.pop());
    assert!(read_all(&mut fifth).await.starts_with("HTTP/1.1 200 "));
}

/// Fault: a client leaves while its request waits for its turn in a mailbox. Outcome: Graph is not asked, and the next one has its turn.
#[tokio::test]
async fn a_client_that_leaves_gives_up_its_turn() {
    let graph = FakeUpstream::start(|request| {
        if request.target.contains("top=1&") { endless_page() } else { Script::json(EMPTY) }
    })
    .await;
    let mut setup = Setup::scripted(&graph);
    setup.timeouts = (60, 60);
    let proxy = setup.start().await;
    let mut streams = fill(&proxy, &graph, &messages(&proxy, PERSON)).await;
    let last = messages(&proxy, PERSON).replace("top=1", "top=2");
    let gone = proxy.open("acme", &messages(&proxy, PERSON)).await;
    waiting(&proxy, "mailbox", 1).await;
    let mut next = proxy.open("acme", &last).await;
    waiting(&proxy, "mailbox", 2).await;
    drop(gone);
    waiting(&proxy, "mailbox", 1).await;
    drop(streams.pop());
    assert!(read_all(&mut next).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(graph.requests().len(), 5);
}

/// Fault: a request gets no turn in a mailbox for 15 seconds. Outcome: 429 mailboxBusy with Retry-After; Graph was not asked.
#[tokio::test]
async fn a_turn_that_does_not_come_is_a_429_of_this_proxy() {
    let graph = FakeUpstream::always(Script::never()).await;
    let mut setup = Setup::scripted(&graph);
    setup.timeouts = (100, 100);
    let proxy = setup.start().await;
    let _streams = fill(&proxy, &graph, &messages(&proxy, PERSON)).await;
    let mut fifth = proxy.open("acme", &messages(&proxy, PERSON)).await;
    waiting(&proxy, "mailbox", 1).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(15)).await;
    tokio::time::resume();
    let response = read_all(&mut fifth).await;
    assert!(response.starts_with("HTTP/1.1 429 ") && response.contains("mailboxBusy"), "{response}");
    assert!(response.contains("\r\nretry-after: 5\r\n"), "{response}");
    let record = proxy.audited(1).await.remove(0);
    assert_eq!((&record["reason"], &record["status"]), (&"mailbox_busy".into(), &429.into()));
    assert!(
        record["upstream_status"].is_null() && record["waited_milliseconds"].as_u64() >= Some(14_000),
        "{record}"
    );
    assert_eq!(graph.requests().len(), 4);
    let refused = "glassine_graph_gated_requests_total{gate=\"mailbox\",result=\"refused\"} 1";
    assert!(metrics(&proxy).await.contains(refused));
}

/// Fault: the proxy stops while requests wait for their turn at Graph. Outcome: they get 429 at once, and the stop does not wait for them.
#[tokio::test]
async fn a_stop_does_not_wait_for_turns() {
    let graph = FakeUpstream::always(Script::json(EMPTY).delayed(Duration::from_secs(3))).await;
    let proxy = Setup::scripted(&graph).start().await;
    let mut running = fill(&proxy, &graph, &messages(&proxy, PERSON)).await;
    let mut fifth = proxy.open("acme", &messages(&proxy, PERSON)).await;
    waiting(&proxy, "mailbox", 1).await;
    let came = Instant::now();
    let waited = async {
        let response = read_all(&mut fifth).await;
        (response, came.elapsed())
    };
    let (folder, (response, time), first) =
        tokio::join!(proxy.stop(), waited, read_all(running.first_mut().unwrap()));
    assert!(response.starts_with("HTTP/1.1 429 ") && response.contains("mailboxBusy"), "{response}");
    assert!(
        response.contains("\r\nretry-after: 1\r\n") && time < Duration::from_secs(2),
        "{time:?} {response}"
    );
    assert!(first.starts_with("HTTP/1.1 200 "), "{first}");
    assert_eq!(graph.requests().len(), 4);
    assert!(std::fs::read_to_string(folder.path().join("audit.jsonl")).unwrap().contains("mailbox_busy"));
}

/// Fault: Graph throttles one request of a batch for a moment. Outcome: it is repeated alone, and what depends on it waits for it.
#[tokio::test]
async fn each_request_of_a_batch_waits_and_is_repeated_by_itself() {
    let graph = throttling_once().await;
    let proxy = Setup::scripted(&graph).start().await;
    let url = |user: &str| messages(&proxy, user).replace("/v1.0", "");
    let requests = json!([
        { "id": "a", "method": "GET", "url": url(PERSON) },
        { "id": "b", "method": "GET", "url": url("other") },
        { "id": "c", "method": "GET", "url": url("third"), "dependsOn": ["a"] },
    ]);
    let responses = batch_of(&proxy, requests).await;
    let seen: Vec<_> =
        responses.iter().map(|one| (one["id"].as_str().unwrap(), one["status"].as_u64())).collect();
    assert_eq!(seen, [("a", Some(200)), ("b", Some(200)), ("c", Some(200))]);
    let asked: Vec<_> = graph.requests().iter().map(|it| it.path().to_owned()).collect();
    assert_eq!(asked.len(), 4);
    assert!(asked[2].contains(PERSON) && asked[3].contains("third"), "{asked:?}");
}

async fn logged(status: u16, code: &str) -> (String, ProxyResponse) {
    let logs = Logs::start();
    let graph = FakeUpstream::always(error(status, code)).await;
    let proxy = Setup::scripted(&graph).start().await;
    let response = proxy.get(&messages(&proxy, PERSON)).await;
    let text = logs.text();
    assert!(!text.contains(PERSON) && !text.contains("MARKER"), "{text}");
    (text, response)
}

/// Fault: the application's consent is revoked, so Graph responds 403. Outcome: a warning in the log names the endpoint, Graph's code and what to do.
/// Fault: Graph rejects the proxy's access token. Outcome: the consumer gets 502, and a warning in the log says what to do.
/// Fault: Graph fails (5xx). Outcome: a warning in the log has Graph's status and code.
#[tokio::test]
async fn every_error_that_an_operator_can_mend_is_one_line_and_the_others_are_none() {
    for (status, code, words) in [
        (403, "ErrorAccessDenied", &["forbids a request", "glassine doctor", "ENTRA.md"][..]),
        (401, "InvalidAuthenticationToken", &["does not accept an access token", "glassine doctor"]),
        (429, "TooManyRequests", &["throttles the application", "OPERATIONS.md"]),
        (503, "ApplicationThrottled", &["throttles the application"]),
        (500, "generalException", &["Microsoft Graph failed", "service health"]),
        (502, "no code of Graph", &["Microsoft Graph failed", "code=\"none\""]),
    ] {
        let (text, response) = logged(status, code).await;
        let lines: Vec<_> =
            text.lines().filter(|line| line.contains("WARN") && line.contains("request_id")).collect();
        assert_eq!(lines.len(), 1, "{status}: {text}");
        let id = response.headers["request-id"].to_str().unwrap().to_owned();
        let status = format!("status={status}");
        for word in words.iter().copied().chain(["acme", "list-messages", &status, &id]) {
            assert!(lines[0].contains(word), "{word}: {}", lines[0]);
        }
    }
    for status in [400, 404, 410] {
        let (text, _) = logged(status, "ErrorItemNotFound").await;
        assert!(!text.contains("request_id"), "{text}");
    }
}
