//! Envelopes as clients write them. Each form that is accepted stands beside one with two readings.

use serde_json::{Value, json};

use super::{batch, post, proxy, statuses};
use crate::support::glassine::Setup;
use crate::support::upstream::{FakeUpstream, Script};

#[tokio::test]
async fn integers_and_other_letter_case_are_read_and_ids_come_back_as_they_came() {
    let (proxy, _) = proxy().await;
    let envelope = json!({ "Requests": [
        { "Id": 1, "Method": "GET", "Url": "/users?$top=1" },
        { "ID": "b", "METHOD": "get", "URL": "users?$top=1", "DependsOn": [1], "Headers": { "ACCEPT": "*/*" } },
        { "id": 3, "method": "GET", "url": "/me" },
        { "id": "four", "method": "GET", "url": "/users?$top=1", "dependsOn": ["1", 3] },
    ]});
    let response = post(&proxy, "/v1.0/$batch", &envelope).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let responses = response.json()["responses"].as_array().unwrap().clone();
    let ids: Vec<_> = responses.iter().map(|response| response["id"].clone()).collect();
    assert_eq!(ids, [json!(1), json!("b"), json!(3), json!("four")]);
    assert_eq!(statuses(&responses), [200, 200, 403, 424]);
}

/// Fault: a batch has two readings. Outcome: the client gets 400, and Graph gets no request.
#[tokio::test]
async fn what_has_two_readings_is_refused_whole() {
    let (proxy, _) = proxy().await;
    let item = |id: Value, url: &str| json!({ "id": id, "method": "GET", "url": url });
    for (requests, code) in [
        (json!([item(1.into(), "/users"), item("1".into(), "/groups")]), "batchId"),
        (json!([item("a".into(), "/users"), item("A".into(), "/groups")]), "batchId"),
        (json!([{ "id": "1", "ID": "2", "method": "GET", "url": "/users" }]), "batchMalformed"),
        (json!([{ "id": "1", "method": "GET", "url": "/users", "Url": "/groups" }]), "batchMalformed"),
        (json!([item(1.5.into(), "/users")]), "batchMalformed"),
        (json!([item(1.into(), "/beta/users")]), "batchVersion"),
        (json!([item(1.into(), "https://graph.microsoft.com/v1.0/users")]), "batchUrl"),
        (json!([item(1.into(), &format!("{}/users", proxy.url()))]), "batchUrl"),
    ] {
        let response = post(&proxy, "/v1.0/$batch", &json!({ "requests": requests })).await;
        assert_eq!((response.status, response.code().as_str()), (400, code), "{requests}");
        let message = response.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("The batch is not acceptable: "), "{message}");
        assert!(!message.contains("graph.microsoft.com"), "{message}");
    }
    assert_eq!(proxy.audited(8).await.iter().filter(|record| record["status"] == 400).count(), 8);
}

/// `msgraph-core` for Python writes absolute URLs, and `System.Text.Json` leaves spaces and quotes to the URL.
#[tokio::test]
async fn urls_as_clients_write_them_become_the_targets_of_requests_alone() {
    let graph = FakeUpstream::always(Script::json(r#"{"value":[]}"#)).await;
    let proxy = Setup::scripted(&graph).start().await;
    let user = proxy.id("u1");
    let (own, list) = (proxy.url(), format!("/users/{user}/messages"));
    let alone = format!("/v1.0{list}?$filter=receivedDateTime%20ge%202026-01-01T00:00:00Z&$top=5");
    assert_eq!(proxy.get(&alone).await.status, 200);
    let asked = graph.requests().remove(0).target;

    let raw = format!("{list}?$filter=receivedDateTime ge 2026-01-01T00:00:00Z&$top=5");
    let urls = [
        raw.clone(),
        raw.trim_start_matches('/').to_owned(),
        format!("/v1.0{raw}"),
        format!("v1.0{raw}&"),
        format!("{own}/v1.0{raw}"),
        format!("{}/v1.0{raw}", own.to_uppercase()),
        alone.clone(),
        format!("{own}{alone}"),
        format!("/users('{user}')/messages?&$top=5&$filter= receivedDateTime  ge 2026-01-01T00:00:00Z "),
    ];
    let item = |(at, url): (usize, &String)| json!({ "id": at, "method": "GET", "url": url });
    let responses = batch(&proxy, urls.iter().enumerate().map(item).collect()).await;
    assert_eq!(statuses(&responses), vec![200; urls.len()], "{responses:?}");
    let mut targets: Vec<_> = graph.requests().into_iter().map(|request| sorted(&request.target)).collect();
    targets.dedup();
    assert_eq!(targets, [sorted(&asked)]);
}

/// A target with its options in alphabetical order.
fn sorted(target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap();
    let mut options: Vec<_> = query.split('&').collect();
    options.sort_unstable();
    format!("{path}?{}", options.join("&"))
}

#[tokio::test]
async fn other_characters_of_a_url_keep_their_refusals_in_place() {
    let (proxy, user) = proxy().await;
    let item = |(at, url): (usize, &str)| json!({ "id": at, "method": "GET", "url": url });
    let spaced = format!("/users/{user} /messages");
    let urls = [
        "/users?$top=1",
        "/users#/me",
        "/users\\me",
        "/users\t",
        "/users\u{0}",
        "/users?$top=1%",
        "/users/%2e%2e/me",
        &spaced,
        "/us ers",
        "/users\u{ff0f}me",
        "/users?$top=1",
    ];
    let responses = batch(&proxy, urls.into_iter().enumerate().map(item).collect()).await;
    let codes: Vec<_> =
        responses.iter().map(|one| one["body"]["error"]["code"].as_str().unwrap_or("")).collect();
    assert_eq!(
        codes,
        [
            "",
            "fragment",
            "invalidRawByte",
            "invalidRawByte",
            "invalidRawByte",
            "invalidEscape",
            "dotSegment",
            "edgeSpace",
            "endpointNotAllowed",
            "endpointNotAllowed",
            ""
        ]
    );
}
