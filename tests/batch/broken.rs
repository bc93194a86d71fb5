//! A response that breaks in the middle of a batch: it alone gets an error, and the others arrive.

use serde_json::{Value, json};

use super::{batch, statuses};
use crate::streams::page;
use crate::support::glassine::{Glassine, Setup};
use crate::support::upstream::{FakeUpstream, Received, Script};

/// Groups break as the script says, users are a large page, and one user is small.
async fn stage(groups: Script) -> (FakeUpstream, Glassine) {
    let respond = move |request: &Received| match request.path() {
        "/v1.0/users" => Script::json(page("]}")),
        "/v1.0/groups" => groups.clone(),
        _ => Script::json(r#"{"id":"u1","accountEnabled":true}"#),
    };
    let graph = FakeUpstream::start(respond).await;
    let proxy = Setup::scripted(&graph).start().await;
    (graph, proxy)
}

fn large_broken_small(proxy: &Glassine) -> Value {
    json!([
        { "id": "large", "method": "GET", "url": "/users" },
        { "id": "broken", "method": "GET", "url": "/groups" },
        { "id": "after", "method": "GET", "url": "/users", "dependsOn": ["broken"] },
        { "id": "small", "method": "GET", "url": format!("/users/{}", proxy.id("u1")) },
    ])
}

/// The record of the request to this endpoint with this status.
fn record<'a>(records: &'a [Value], endpoint: &str, status: u64) -> &'a Value {
    let found = records.iter().find(|it| it["endpoint"] == endpoint && it["status"] == status);
    found.unwrap_or_else(|| panic!("{endpoint} {status}: {records:?}"))
}

async fn assert_alone(name: &str, groups: Script, status: u64, code: &str) {
    let (_graph, proxy) = stage(groups).await;
    let responses = batch(&proxy, large_broken_small(&proxy)).await;
    assert_eq!(statuses(&responses), [200, status, 424, 200], "{name}");
    assert_eq!(responses[0]["body"]["value"].as_array().unwrap().len(), 2_000, "{name}");
    assert_eq!(responses[1]["body"]["error"]["code"], code, "{name}");
    assert_eq!(responses[3]["body"]["accountEnabled"], true, "{name}");

    let records = proxy.audited(5).await;
    let told = |endpoint, status| {
        let record = record(&records, endpoint, status);
        let text = |key: &str| record[key].as_str().unwrap().to_owned();
        (
            text("outcome"),
            text("reason"),
            record["bytes_read"].as_u64() > Some(0),
            record["kept"].as_u64() > Some(0),
        )
    };
    let complete = |kept| ("complete".to_owned(), "allowed".to_owned(), kept, kept);
    assert_eq!(told("list-users", 200), complete(true), "{name}");
    assert_eq!(told("get-user", 200), complete(true), "{name}");
    assert_eq!(told("$batch", 200), complete(false), "{name}");
    let (outcome, reason, read, _) = told("list-groups", status);
    assert_eq!((outcome.as_str(), reason.as_str()), ("upstream_failed", "upstream_malformed"), "{name}");
    // A reset can take with it what was not read yet.
    assert!(read || name == "reset", "{name}: {records:?}");
    assert!(records.iter().all(|record| record["outcome"] != "client_gone"), "{name}: {records:?}");
    assert!(records.iter().any(|record| record["reason"] == "failed_dependency"), "{name}: {records:?}");
}

/// Fault: Graph breaks off in one response of a batch. Outcome: this response is 502, its dependents are 424, and the others arrive whole.
/// Fault: Graph falls silent in one response of a batch. Outcome: this response is 504, its dependents are 424, and the others arrive whole.
#[tokio::test]
async fn a_response_that_breaks_in_the_middle_is_a_502_and_the_others_arrive() {
    let late = page("]}").len() - 100;
    let bad = "upstreamMalformed";
    assert_alone("closed", Script::json(page("]}")).close_after(late), 502, bad).await;
    assert_alone("reset", Script::json(page("]}")).reset_after(late), 502, bad).await;
    assert_alone("malformed", Script::json(page("]}MARKER")), 502, bad).await;
    assert_alone("gzip cut short", Script::gzip(page("]}")).trimmed(4), 502, bad).await;
    assert_alone("silent", Script::json(page("]}")).stall_after(late), 504, "upstreamTimeout").await;
}

/// A page of so many users, each with a token of some 60 bytes.
fn users(count: usize) -> String {
    let user = |n: usize| format!(r#"{{"id":"u{n}"}}"#);
    format!(r#"{{"value":[{}]}}"#, (0..count).map(user).collect::<Vec<_>>().join(","))
}

/// What is held until it is whole has a bound. Alone, the response streams.
/// Fault: one response of a batch is longer than 4 MiB. Outcome: this response is 413, and the others arrive; asked alone, the response streams.
#[tokio::test]
async fn a_response_that_is_too_long_for_a_batch_is_refused_in_place_and_served_alone() {
    let (_graph, proxy) = stage(Script::json(users(80_000))).await;
    let alone = proxy.get("/v1.0/groups").await;
    assert!(alone.status == 200 && alone.body.len() > 4 << 20, "too short: {}", alone.body.len());
    let responses = batch(&proxy, large_broken_small(&proxy)).await;
    assert_eq!(statuses(&responses), [200, 413, 424, 200]);
    let error = &responses[1]["body"]["error"];
    assert_eq!(error["code"], "batchResponseTooLarge");
    assert!(error["message"].as_str().unwrap().contains("4 MiB"), "{error}");
    let records = proxy.audited(6).await;
    let refused = record(&records, "list-groups", 413);
    assert_eq!(
        (&refused["outcome"], &refused["reason"]),
        (&"refused".into(), &"batch_response_too_large".into())
    );
    assert!(refused["bytes_read"].as_u64() > Some(0), "{refused}");
}
