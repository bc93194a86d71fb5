//! `$batch` through the whole proxy: each request is handled on its own, and its response has its id.

mod broken;
mod documentation;
mod forms;
mod waiting;

use std::sync::Arc;

use serde_json::{Value, json};

use glassine::demo::tenant::Tenant;

use crate::support::glassine::{Consumer, Glassine, ProxyResponse, Setup, sample_tenant, serve_tenant};

async fn proxy() -> (Glassine, String) {
    in_front_of(sample_tenant().await).await
}

async fn in_front_of((tenant, graph): (Arc<Tenant>, String)) -> (Glassine, String) {
    let proxy = Setup::in_front_of(graph).start().await;
    let user = tenant.users().iter().find(|user| user.has_mailbox()).unwrap();
    let token = proxy.id(user.id());
    (proxy, token)
}

async fn post(proxy: &Glassine, target: &str, body: &Value) -> ProxyResponse {
    let token = format!("Bearer {}", Consumer::token("acme"));
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    proxy.send_body("POST", target, &headers, body.to_string()).await
}

async fn batch(proxy: &Glassine, requests: Value) -> Vec<Value> {
    let response = post(proxy, "/v1.0/$batch", &json!({ "requests": requests })).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()["responses"].as_array().unwrap().clone()
}

fn statuses(responses: &[Value]) -> Vec<u64> {
    responses.iter().map(|one| one["status"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn each_request_in_a_batch_has_its_own_rules_and_its_response_has_its_id() {
    let (proxy, user) = proxy().await;
    let responses = batch(
        &proxy,
        json!([
            { "id": "1", "method": "GET", "url": format!("/users/{user}/messages?$top=2") },
            { "id": "two", "method": "GET", "url": "users?$top=1", "depends_on": [] },
            { "id": "3", "method": "GET", "url": format!("/users/{user}/messages?$search=\"x\"") },
            { "id": "4", "method": "DELETE", "url": format!("/users/{user}") },
            { "id": "5", "method": "GET", "url": "/users/alice@contoso.com" },
        ]),
    )
    .await;
    let seen: Vec<_> =
        responses.iter().map(|one| (one["id"].as_str().unwrap(), one["status"].as_u64().unwrap())).collect();
    assert_eq!(seen, [("1", 200), ("two", 200), ("3", 400), ("4", 405), ("5", 404)]);
    let page = &responses[0]["body"];
    assert_eq!(page["value"].as_array().unwrap().len(), 2);
    assert!(page["value"][0].get("subject").is_none() && page["value"][0]["receivedDateTime"].is_string());
    assert!(page["@odata.nextLink"].as_str().unwrap().starts_with(&proxy.url()));
    // The JavaScript client looks for this spelling.
    assert!(responses[0]["headers"]["Content-Type"].as_str().unwrap().starts_with("application/json"));
    assert_eq!(responses[2]["body"]["error"]["code"], "optionNotAllowed");
}

#[tokio::test]
async fn large_responses_arrive_whole_and_twenty_requests_get_responses() {
    let (proxy, user) = proxy().await;
    let one = |at: u32| json!({ "id": at.to_string(), "method": "GET", "url": format!("/users/{user}/messages?$top=1000") });
    let responses = batch(&proxy, (0..20).map(one).collect()).await;
    let alone = proxy.get(&format!("/v1.0/users/{user}/messages?$top=1000")).await;
    assert!(alone.body.len() > 100_000, "too short to show anything: {}", alone.body.len());
    assert_eq!(responses.len(), 20);
    assert!(responses.iter().all(|one| one["body"] == alone.json()));
}

/// Regression: each preference had a `Prefer` line of its own, of which Graph may read the first one only.
#[tokio::test]
async fn the_page_size_of_a_request_in_a_batch_reaches_graph_beside_the_form_of_ids() {
    let (proxy, user) = proxy().await;
    let url = format!("/users/{user}/mailFolders/inbox/messages/delta");
    let prefer = json!({ "Prefer": "odata.maxpagesize=3" });
    let requests = json!([
        { "id": "1", "method": "GET", "url": url, "headers": prefer },
        { "id": "2", "method": "GET", "url": url },
    ]);
    let responses = batch(&proxy, requests).await;
    let lengths: Vec<_> =
        responses.iter().map(|one| one["body"]["value"].as_array().unwrap().len()).collect();
    assert_eq!(lengths, [3, 10]);
}

/// Regression: from 6,000 characters of a token on, the page was a 502.
#[tokio::test]
async fn links_with_long_tokens_are_made_and_followed_in_batches() {
    let (proxy, user) = in_front_of(serve_tenant(Tenant::new(7).with_tokens_of(16_000)).await).await;
    let get = |id: &str, url: &str| json!({ "id": id, "method": "GET", "url": url });
    let folder = format!("/users/{user}/mailFolders/drafts/messages/delta");
    let first = batch(&proxy, json!([get("users", "/users?$top=5"), get("changes", &folder)])).await;
    let link = |response: &Value, name: &str| response["body"][name].as_str().map(str::to_owned);
    let next = link(&first[0], "@odata.nextLink").unwrap();
    let changes = link(&first[1], "@odata.deltaLink").or(link(&first[1], "@odata.nextLink")).unwrap();
    assert!(next.len() > 16_000 && changes.len() > 16_000, "{} and {}", next.len(), changes.len());
    // Twenty of the longest requests fit into one batch.
    let again = (0..20).map(|at| get(&at.to_string(), if at % 2 == 0 { &next } else { &changes })).collect();
    let followed = batch(&proxy, again).await;
    assert_eq!(statuses(&followed), [200; 20]);
    assert_ne!(followed[0]["body"]["value"], first[0]["body"]["value"]);
}

/// Fault: a request in a batch depends on one that is refused. Outcome: it gets 424, and its neighbour is served.
#[tokio::test]
async fn what_depends_on_a_refused_request_fails_and_its_neighbour_does_not() {
    let (proxy, _) = proxy().await;
    let responses = batch(
        &proxy,
        json!([
            { "id": "bad", "method": "GET", "url": "/me" },
            { "id": "good", "method": "GET", "url": "/users?$top=1" },
            { "id": "after-bad", "method": "GET", "url": "/users?$top=1", "dependsOn": ["bad"] },
            { "id": "after-good", "method": "GET", "url": "/users?$top=1", "dependsOn": ["good"] },
            { "id": "after-both", "method": "GET", "url": "/users?$top=1", "dependsOn": ["good", "after-bad"] },
        ]),
    )
    .await;
    assert_eq!(statuses(&responses), [403, 200, 424, 200, 424]);
}

/// Fault: a batch has no requests, is malformed, leads elsewhere, or is too large. Outcome: the client gets 400 or 413.
#[tokio::test]
async fn an_envelope_that_is_none_is_refused_whole() {
    let (proxy, _) = proxy().await;
    let good = json!({ "requests": [{ "id": "1", "method": "GET", "url": "/users?$top=1" }] });
    assert_eq!(post(&proxy, "/v1.0/$batch", &good).await.status, 200);
    assert_eq!(post(&proxy, "/beta/%24batch", &good).await.status, 200);
    for (target, body, status, code) in [
        ("/v1.0/$batch", json!({ "requests": [] }), 400, "batchCount"),
        ("/v1.0/$batch", json!([]), 400, "batchMalformed"),
        (
            "/v1.0/$batch",
            json!({ "requests": [{ "id": "1", "method": "GET", "url": "//evil.example/" }] }),
            400,
            "batchUrl",
        ),
        ("/v1.0/$batch?x=1", good.clone(), 405, "methodNotAllowed"),
        ("/v1.0/users", good.clone(), 405, "methodNotAllowed"),
        ("/v1.0/$batch", json!({ "requests": "x".repeat(600_000) }), 413, "batchTooLarge"),
    ] {
        let response = post(&proxy, target, &body).await;
        assert_eq!((response.status, response.code().as_str()), (status, code), "{target}");
    }
}

#[tokio::test]
async fn a_batch_inside_a_batch_and_bodies_are_refused_in_place() {
    let (proxy, _) = proxy().await;
    let responses = batch(
        &proxy,
        json!([
            { "id": "1", "method": "POST", "url": "/$batch", "headers": { "content-type": "application/json" }, "body": { "requests": [] } },
            { "id": "2", "method": "POST", "url": "/$batch" },
            { "id": "3", "method": "GET", "url": "/users?$top=1", "body": { "a": 1 } },
            { "id": "4", "method": "GET", "url": "/users?$top=1", "body": {} },
            { "id": "5", "method": "GET", "url": "/users?$top=1", "body": null },
        ]),
    )
    .await;
    assert_eq!(statuses(&responses), [405, 405, 413, 200, 200]);
}

#[tokio::test]
async fn every_request_of_a_batch_has_an_audit_record() {
    let (proxy, _) = proxy().await;
    batch(
        &proxy,
        json!([
            { "id": "1", "method": "GET", "url": "/users?$top=1" },
            { "id": "2", "method": "GET", "url": "/me" },
        ]),
    )
    .await;
    let records = proxy.audit();
    let seen: Vec<_> =
        records.iter().map(|record| (record["endpoint"].as_str(), record["status"].as_u64())).collect();
    assert_eq!(seen.len(), 3, "{seen:?}");
    for expected in [(Some("list-users"), Some(200)), (None, Some(403)), (Some("$batch"), Some(200))] {
        assert!(seen.contains(&expected), "{expected:?} in {seen:?}");
    }
}

/// The status and code of the response to these bytes.
async fn raw(proxy: &Glassine, fields: &str, body: &str) -> (String, String) {
    let head = format!(
        "POST /v1.0/$batch HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n{fields}Connection: close\r\n\r\n{body}",
        proxy.address,
        Consumer::token("acme"),
    );
    let response = proxy.raw(head.as_bytes()).await;
    let status = response.split(' ').nth(1).unwrap_or_default().to_owned();
    let code = response.split("\"code\":\"").nth(1).and_then(|rest| rest.split('"').next());
    (status, code.unwrap_or_default().to_owned())
}

/// Both got a 408, as if no body had arrived.
/// Fault: a batch's body is malformed, or announced as too large. Outcome: the client gets 400 or 413 at once, without a wait for the body.
#[tokio::test]
async fn a_malformed_body_and_one_that_is_declared_too_large_are_no_late_ones() {
    let (proxy, _) = proxy().await;
    let good = r#"{"requests":[{"id":"1","method":"GET","url":"/users?$top=1"}]}"#;
    let chunk = format!("{:x}\r\n{good}\r\n0\r\n\r\n", good.len());
    let chunked = "Transfer-Encoding: chunked\r\n";
    assert_eq!(raw(&proxy, chunked, &chunk).await.0, "200");
    for malformed in [format!("nonsense\r\n{good}"), format!("5\r\n{good}")] {
        let told = raw(&proxy, chunked, &malformed).await;
        assert_eq!(told, ("400".to_owned(), "malformedBody".to_owned()), "{malformed}");
    }
    let started = std::time::Instant::now();
    // Only declared: such a client waits for 100 (Continue).
    let told = raw(&proxy, "Content-Length: 10000000\r\nExpect: 100-continue\r\n", "").await;
    assert_eq!(told, ("413".to_owned(), "batchTooLarge".to_owned()));
    assert!(started.elapsed().as_secs() < 5, "the proxy waited for a body that it refuses");
}
