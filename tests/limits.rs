//! A consumer's limits: over them, requests wait for their turn for a moment, in order; then they are refused. Responses say
//! how many requests are left.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use crate::metrics::scrape;
use crate::support::glassine::{Consumer, Glassine, METADATA_ONLY, ProxyResponse, Setup, read_all};
use crate::support::upstream::{FakeUpstream, Script};
use crate::support::waiting::until;

const USERS: &str = "/v1.0/users";
const EMPTY: &str = r#"{"value":[]}"#;

/// `acme` with these limits, and `other` with none of its own.
async fn limited(graph: &FakeUpstream, limits: &str) -> Glassine {
    let mut setup = Setup::scripted(graph).consumer(Consumer::new("other", METADATA_ONLY));
    setup.consumers[0].more = format!("    limits: {{ {limits} }}\n");
    setup.start().await
}

/// A page of which the first part goes out while the rest never comes.
fn endless_page() -> Script {
    let items = vec![r#"{"id":"u1","accountEnabled":true}"#; 3_000].join(",");
    let page = format!(r#"{{"value":[{items}]}}"#);
    let most = page.len() - 1;
    Script::json(page).stall_after(most)
}

/// Fault: a consumer has more requests in progress than it may. Outcome: the consumer gets 429 with `Retry-After`, and other consumers are served.
/// Fault: a client disconnects within a response. Outcome: its place is free for the next request.
#[tokio::test]
async fn a_place_is_taken_until_the_body_is_done_or_aborted() {
    let graph = FakeUpstream::in_turn(vec![endless_page(), Script::json(EMPTY)]).await;
    let proxy = limited(&graph, "concurrent: 1").await;
    let mut first = proxy.open("acme", USERS).await;
    assert!(first.read(&mut [0; 1024]).await.unwrap() > 0, "the head is out, the body is not");

    let second = proxy.get(USERS).await;
    assert_eq!((second.status, second.code().as_str()), (429, "TooManyRequests"));
    assert_eq!(second.headers["retry-after"], "1");
    assert_eq!(proxy.get_as("other", USERS, &[]).await.status, 200, "limits are each consumer's own");

    drop(first);
    let gone = |records: &[Value]| records.iter().any(|record| record["outcome"] == "client_gone");
    until("the record", async || gone(&proxy.audit())).await;
    for _ in 0..3 {
        assert_eq!(proxy.get(USERS).await.status, 200);
    }
}

/// Fault: the configuration is reloaded while a consumer uses all its places. Outcome: the places stay taken.
#[tokio::test]
async fn places_stay_taken_through_a_reload() {
    let graph = FakeUpstream::in_turn(vec![endless_page(), Script::json(EMPTY)]).await;
    let mut setup = Setup::scripted(&graph).consumer(Consumer::new("other", METADATA_ONLY));
    setup.consumers[0].more = "    limits: { concurrent: 1 }\n".to_owned();
    // The first response has to outlive two checks of the files, two seconds apart.
    setup.timeouts = (5, 30);
    let proxy = setup.start().await;
    let mut first = proxy.open("acme", USERS).await;
    assert!(first.read(&mut [0; 1024]).await.unwrap() > 0, "the head is out, the body is not");
    // `other` may no longer connect from here, which shows that the reload has happened.
    let config = proxy.read("config.yaml");
    proxy
        .write("config.yaml", &config.replace("name: other\n", "name: other\n    allow_from: [192.0.2.1]\n"));
    until("the reload", async || proxy.get_as("other", USERS, &[]).await.status == 403).await;
    assert_eq!(proxy.get(USERS).await.status, 429);
    // A change of the limits begins a new count.
    proxy.write("config.yaml", &config.replace("concurrent: 1", "concurrent: 2"));
    until("the second reload", async || proxy.get_as("other", USERS, &[]).await.status == 200).await;
    assert_eq!(proxy.get(USERS).await.status, 200);
}

/// Waits until so many requests are in progress.
async fn in_flight(proxy: &Glassine, count: usize) {
    let line = format!("glassine_requests_in_flight {count}\n");
    for _ in 0..1_000 {
        if proxy.admin_get("/metrics").await.text().contains(&line) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("never {line}");
}

/// The whole responses to as many requests, all of which are on their way before the first response is read.
async fn at_once(proxy: &Glassine, count: usize) -> Vec<String> {
    let mut streams = Vec::new();
    for _ in 0..count {
        streams.push(proxy.open("acme", USERS).await);
    }
    let mut responses = Vec::new();
    for stream in &mut streams {
        responses.push(read_all(stream).await);
    }
    responses
}

/// The value of a header in a whole response.
fn header<'a>(response: &'a str, name: &str) -> Option<&'a str> {
    let value =
        |line: &'a str| line.split_once(": ").filter(|(known, _)| *known == name).map(|(_, value)| value);
    response.lines().take_while(|line| !line.is_empty()).find_map(value)
}

/// The digit of `$top` in what Graph was asked.
fn top(target: &str) -> Option<char> {
    target.split_once("top=")?.1.chars().next()
}

async fn counted(proxy: &Glassine, result: &str) -> bool {
    let series = format!("glassine_limited_requests_total{{consumer=\"acme\",result=\"{result}\"}}");
    scrape(proxy).await[&series] > 0.0
}

/// Fault: a client sends a burst of twice its rate. Outcome: all requests are served within a second.
#[tokio::test]
async fn a_client_that_sends_as_fast_as_it_can_is_served_at_its_rate() {
    let graph = FakeUpstream::always(Script::json(EMPTY)).await;
    let proxy = limited(&graph, "requests_per_second: 10").await;
    // Ten at once, and ten more within a second.
    for response in at_once(&proxy, 20).await {
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    }
    assert!(counted(&proxy, "waited").await && !counted(&proxy, "refused").await);
}

/// Fault: a client sends far more than its rate. Outcome: the requests that would wait too long get 429 with a `Retry-After` that holds.
#[tokio::test]
async fn what_would_wait_too_long_is_refused_and_learns_when_its_turn_would_come() {
    let graph = FakeUpstream::always(Script::json(EMPTY)).await;
    let proxy = limited(&graph, "requests_per_second: 2").await;
    let responses = at_once(&proxy, 10).await;
    let (served, refused): (Vec<_>, Vec<_>) =
        responses.iter().partition(|response| response.starts_with("HTTP/1.1 200 "));
    assert!(
        served.len() >= 4 && !refused.is_empty(),
        "two at once, two more within a second: {}",
        served.len()
    );
    for response in &refused {
        assert!(response.starts_with("HTTP/1.1 429 ") && response.contains("TooManyRequests"), "{response}");
        assert_eq!(
            header(response, "retry-after"),
            Some("2"),
            "the next token but two comes after 1.5 seconds"
        );
        assert_eq!(header(response, "ratelimit-remaining"), Some("0"));
    }
    assert!(counted(&proxy, "waited").await && counted(&proxy, "refused").await);
    let records = proxy.audit();
    let over = records.iter().filter(|record| record["reason"] == "too_many_requests");
    assert_eq!(over.count(), refused.len());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let graph_before = graph.requests().len();
    assert_eq!((graph_before, proxy.get(USERS).await.status), (served.len(), 200));
}

/// Fault: a consumer's requests wait for their turn. Outcome: other consumers are not delayed.
#[tokio::test]
async fn a_request_that_waits_asks_nothing_of_graph_and_delays_no_other_consumer() {
    let graph = FakeUpstream::always(Script::json(EMPTY)).await;
    let proxy = limited(&graph, "requests_per_second: 1").await;
    assert_eq!(proxy.get(USERS).await.status, 200);
    let mut waiting = proxy.open("acme", &format!("{USERS}?$top=7")).await;
    in_flight(&proxy, 1).await;
    assert_eq!((graph.requests().len(), graph.connections()), (1, 1));
    let other = format!("{USERS}?$top=8");
    for _ in 0..5 {
        assert_eq!(proxy.get_as("other", &other, &[]).await.status, 200);
    }
    assert!(read_all(&mut waiting).await.starts_with("HTTP/1.1 200 "));
    let asked: Vec<_> = graph.requests().iter().map(|request| top(&request.target) == Some('7')).collect();
    assert_eq!(asked, [false, false, false, false, false, false, true]);
}

#[tokio::test]
async fn who_comes_first_is_served_first() {
    let graph = FakeUpstream::in_turn(vec![endless_page(), Script::json(EMPTY)]).await;
    let proxy = limited(&graph, "concurrent: 1").await;
    let mut first = proxy.open("acme", USERS).await;
    assert!(first.read(&mut [0; 1024]).await.unwrap() > 0, "the head is out, the body is not");
    let mut waiting = Vec::new();
    for number in 1..=5 {
        waiting.push(proxy.open("acme", &format!("{USERS}?$top={number}")).await);
        in_flight(&proxy, 1 + number).await;
    }
    drop(first);
    for stream in &mut waiting {
        let response = read_all(stream).await;
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    }
    let order: Vec<_> = graph.requests().iter().filter_map(|request| top(&request.target)).collect();
    assert_eq!(order, ['1', '2', '3', '4', '5']);
}

/// Fault: a client disconnects while its request waits for its turn. Outcome: the request leaves the queue, and the audit record says `client_gone`.
#[tokio::test]
async fn a_client_that_goes_away_leaves_the_queue() {
    let graph = FakeUpstream::always(Script::json(EMPTY)).await;
    let proxy = limited(&graph, "requests_per_second: 1").await;
    assert_eq!(proxy.get(USERS).await.status, 200);
    let gone = proxy.open("acme", USERS).await;
    in_flight(&proxy, 1).await;
    drop(gone);
    in_flight(&proxy, 0).await;
    assert_eq!(proxy.audited(2).await[1]["outcome"], "client_gone");
    // Behind the one that went, this would have to wait for two seconds.
    assert_eq!(proxy.get(USERS).await.status, 200);
    assert_eq!(graph.requests().len(), 2);
}

/// Fault: the process is stopped while requests wait for their turn. Outcome: they get 429 with `Retry-After` at once.
#[tokio::test]
async fn a_stop_does_not_wait_for_the_queue() {
    let graph = FakeUpstream::always(Script::json(EMPTY)).await;
    let proxy = limited(&graph, "requests_per_second: 1").await;
    assert_eq!(proxy.get(USERS).await.status, 200);
    let mut waiting = proxy.open("acme", USERS).await;
    in_flight(&proxy, 1).await;
    let (folder, response) = tokio::join!(proxy.stop(), read_all(&mut waiting));
    assert!(
        response.starts_with("HTTP/1.1 429 ") && header(&response, "retry-after") == Some("1"),
        "{response}"
    );
    let audit = std::fs::read_to_string(folder.path().join("audit.jsonl")).unwrap();
    assert!(audit.contains("too_many_requests"), "{audit}");
}

/// Fault: a batch has more requests than the rate allows at once. Outcome: the requests wait their turn, and all succeed.
#[tokio::test]
async fn the_requests_of_a_batch_count_and_wait_like_others() {
    let graph = FakeUpstream::always(Script::json(EMPTY)).await;
    let proxy = limited(&graph, "requests_per_second: 5").await;
    let requests: Vec<_> =
        (0..10).map(|id| json!({ "id": id.to_string(), "method": "GET", "url": "/users" })).collect();
    let token = format!("Bearer {}", Consumer::token("acme"));
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    let body = json!({ "requests": requests }).to_string();
    let response = proxy.send_body("POST", "/v1.0/$batch", &headers, body).await;
    assert_eq!(response.headers["ratelimit-limit"], "5");
    let responses = response.json()["responses"].as_array().unwrap().clone();
    let statuses: Vec<_> = responses.iter().map(|item| item["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200; 10]);
    for item in &responses {
        let of = |name: &str| item["headers"][name].as_str().unwrap().parse::<u32>().unwrap();
        assert!(
            of("Ratelimit-Limit") == 5 && of("Ratelimit-Remaining") < 5 && of("Ratelimit-Reset") > 0,
            "{item}"
        );
    }
    assert!(counted(&proxy, "waited").await && !counted(&proxy, "refused").await);
}

fn quota(response: &ProxyResponse) -> Option<[u32; 3]> {
    let [limit, remaining, reset] = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]
        .map(|name| Some(response.headers.get(name)?.to_str().unwrap().parse().unwrap()));
    Some([limit?, remaining?, reset?])
}

#[tokio::test]
async fn every_response_to_a_known_consumer_says_what_is_left() {
    let graph = FakeUpstream::always(Script::json(EMPTY)).await;
    let proxy = limited(&graph, "requests_per_second: 1").await;
    for (target, status) in [(USERS, 200), ("/v1.0/me", 403), ("/v1.0/users/nobody", 404)] {
        let response = proxy.get(target).await;
        assert_eq!((response.status, quota(&response)), (status, Some([1, 0, 1])), "{target}");
    }
    let unknown = proxy.send("GET", USERS, &[]).await;
    assert_eq!((unknown.status, quota(&unknown)), (401, None));
    assert!(unknown.headers.keys().all(|name| !name.as_str().starts_with("ratelimit")));
}

/// What a consumer with a fresh quota of 200 requests learns when Graph responds like this.
async fn told(script: Script) -> [u32; 3] {
    let graph = FakeUpstream::always(script).await;
    let response = Setup::scripted(&graph).start().await.get(USERS).await;
    assert_eq!(response.status, 200);
    quota(&response).unwrap()
}

/// Fault: Graph's quota headers are malformed or incomplete. Outcome: the consumer gets the proxy's own quota.
#[tokio::test]
async fn the_tighter_of_two_quotas_is_told_and_never_a_mix() {
    let of_proxy = |[limit, ..]: [u32; 3]| limit == 200;
    for (limit, remaining, reset, is_graphs) in [
        // A hundred in a minute, and none: slower than 200 in a second.
        ("1250", "100", "60", true),
        ("1250", "0", "60", true),
        // Less remains, but it is whole again before the client needs it.
        ("100", "99", "0", false),
        ("100000", "90000", "60", false),
        // What is not a number does not leave.
        ("1250", "0", "soon", false),
        ("1250", "1.2.3", "60", false),
    ] {
        let script = Script::json(EMPTY)
            .header("RateLimit-Limit", limit)
            .header("RateLimit-Remaining", remaining)
            .header("RateLimit-Reset", reset);
        let told = told(script).await;
        if is_graphs {
            assert_eq!(told.map(|number| number.to_string()), [limit, remaining, reset]);
        } else {
            assert!(of_proxy(told), "{limit} {remaining} {reset}: {told:?}");
        }
    }
    let half = Script::json(EMPTY).header("RateLimit-Remaining", "0");
    assert!(of_proxy(told(half).await), "one header of three tells no pace");
}
