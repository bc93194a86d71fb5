//! `$batch`, as clients that talk to Graph itself send it.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use glassine::demo::tenant::Tenant;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use super::{Graph, TenantResponse};
use crate::support::waiting::until;

impl Graph {
    async fn send_batch(&self, version: &str, envelope: &str) -> TenantResponse {
        let request = Request::post(format!("/{version}/$batch"))
            .header("host", "graph.example")
            .header("content-type", "application/json");
        self.send(request.body(Full::new(Bytes::from(envelope.to_owned()))).unwrap()).await
    }

    /// The responses by their ids, in the order in which they came.
    async fn batch(&self, requests: &Value) -> Vec<(String, Value)> {
        let response = self.send_batch("v1.0", &json!({ "requests": requests }).to_string()).await;
        assert_eq!(response.status, 200, "{:?}", response.body);
        let responses = response.json()["responses"].as_array().unwrap().clone();
        responses.into_iter().map(|it| (it["id"].as_str().unwrap().to_owned(), it)).collect()
    }
}

fn get(id: &str, url: &str) -> Value {
    json!({ "id": id, "method": "GET", "url": url })
}

fn find<'a>(responses: &'a [(String, Value)], id: &str) -> &'a Value {
    &responses.iter().find(|response| response.0 == id).unwrap().1
}

#[tokio::test]
async fn each_request_gets_the_response_that_it_would_get_alone() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let responses = graph
        .batch(&json!([
            get("users", "/users?$top=2"),
            get("without a slash", "users?$select=id,displayName&$filter=userType eq 'Guest'&$top=3"),
            get("mail", &format!("/users/{user}/messages?$top=1")),
            get("missing", "/users/nobody"),
            { "id": "deleted", "method": "DELETE", "url": format!("/users/{user}") },
            get("me", "/me"),
        ]))
        .await;
    assert_eq!(responses.len(), 6);
    assert_eq!(find(&responses, "users")["body"], graph.get("/v1.0/users?$top=2").await);
    assert!(
        find(&responses, "users")["body"]["@odata.nextLink"]
            .as_str()
            .unwrap()
            .contains("/v1.0/users?$top=2&")
    );
    let spaced = &find(&responses, "without a slash")["body"];
    assert_eq!(spaced["value"].as_array().unwrap().len(), 3);
    assert_eq!(
        graph.get(spaced["@odata.nextLink"].as_str().unwrap()).await["value"].as_array().unwrap().len(),
        3
    );
    let statuses =
        ["mail", "missing", "deleted", "me"].map(|id| find(&responses, id)["status"].as_u64().unwrap());
    assert_eq!(statuses, [200, 404, 405, 400]);
    assert_eq!(find(&responses, "missing")["body"]["error"]["code"], "Request_ResourceNotFound");
    let content_type = find(&responses, "mail")["headers"]["Content-Type"].as_str().unwrap();
    assert!(content_type.starts_with("application/json;odata.metadata=minimal"));
}

/// "Requests in a batch are evaluated individually against throttling limits"
/// (<https://learn.microsoft.com/graph/throttling#throttling-and-batching>).
#[tokio::test]
async fn each_request_is_throttled_by_itself() {
    let graph = Arc::new(Graph::of(Arc::new(Tenant::new(7).throttled(Duration::from_secs(2)))).await);
    let [busy, free] = [0, 1].map(|place| graph.tenant.users()[place].id().to_owned());
    let messages = |user: &str| format!("/users/{user}/messages?$top=1");
    for _ in 0..4 {
        let (graph, target) = (Arc::clone(&graph), format!("/v1.0{}", messages(&busy)));
        tokio::spawn(async move { graph.get(&target).await });
    }
    until("four requests at a time", async || graph.tenant.most_at_once() == 4).await;
    let requests = json!([get("busy", &messages(&busy)), get("free", &messages(&free))]);
    let responses = graph.batch(&requests).await;
    let refused = find(&responses, "busy");
    let shown = (&refused["status"], &refused["headers"]["Retry-After"], &refused["body"]["error"]["code"]);
    assert_eq!(shown, (&json!(429), &json!("1"), &json!("ApplicationThrottled")));
    assert_eq!(find(&responses, "free")["status"], 200);
}

#[tokio::test]
async fn requests_have_their_own_headers() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let url = format!("/users/{user}/messages?$top=1");
    let responses = graph
        .batch(&json!([
            { "id": "1", "method": "GET", "url": "/users/$count", "headers": { "ConsistencyLevel": "eventual" } },
            get("2", "/users/$count"),
            { "id": "3", "method": "GET", "url": url, "headers": { "Prefer": "IdType=\"ImmutableId\"" } },
        ]))
        .await;
    // What is no JSON comes in base64.
    let counted = STANDARD.encode(graph.tenant.users().len().to_string());
    assert_eq!(find(&responses, "1")["body"], counted);
    assert_eq!(find(&responses, "2")["status"], 400);
    assert!(find(&responses, "3")["body"]["value"][0]["id"].as_str().unwrap().starts_with("AAkA"));
}

#[tokio::test]
async fn dependencies_order_requests_and_fail_with_them() {
    let graph = Graph::start().await;
    let after = |id: &str, url: &str, other: &str| json!({ "id": id, "method": "GET", "url": url, "dependsOn": [other] });
    let responses = graph
        .batch(&json!([
            get("bad", "/users/nobody"),
            after("after bad", "/users?$top=1", "BAD"),
            after("after that", "/users?$top=1", "after bad"),
            after("early", "/users?$top=1", "late"),
            get("late", "/groups?$top=1"),
        ]))
        .await;
    let status = |id: &str| find(&responses, id)["status"].as_u64().unwrap();
    assert_eq!(["bad", "after bad", "after that", "early", "late"].map(status), [404, 424, 424, 200, 200]);
    let place = |id: &str| responses.iter().position(|response| response.0 == id).unwrap();
    assert!(place("late") < place("early"));
    let ordered: Vec<Value> = (1..=20).map(|id| get(&id.to_string(), "/groups?$top=1")).collect();
    let responses = graph.batch(&json!(ordered)).await;
    assert_eq!((responses.len(), responses[0].0.as_str()), (20, "20"), "clients must not count on the order");
}

#[tokio::test]
async fn a_batch_needs_the_token_that_its_requests_need() {
    let graph = Graph::of(Arc::new(Tenant::new(7).require_bearer("sample"))).await;
    let envelope = json!({ "requests": [get("1", "/users?$top=1")] }).to_string();
    assert_eq!(graph.send_batch("v1.0", &envelope).await.status, 401);
    let request = Request::post("/v1.0/$batch").header("host", "graph.example");
    let request = request.header("authorization", "Bearer sample");
    let response = graph.send(request.body(Full::new(Bytes::from(envelope))).unwrap()).await.json();
    assert_eq!(response["responses"][0]["status"], 200);
}

#[tokio::test]
async fn what_is_no_batch_is_refused_whole() {
    let graph = Graph::start().await;
    let many: Vec<Value> = (1..=21).map(|id| get(&id.to_string(), "/users")).collect();
    for envelope in [
        "{}".to_owned(),
        "{\"requests\":".to_owned(),
        json!({ "requests": [] }).to_string(),
        json!({ "requests": many }).to_string(),
        json!({ "requests": [{ "id": "1", "url": "/users" }] }).to_string(),
        json!({ "requests": [get("a", "/users"), get("A", "/users")] }).to_string(),
        json!({ "requests": [{ "id": "1", "method": "GET", "url": "/users", "dependsOn": ["2"] }] })
            .to_string(),
    ] {
        for version in ["v1.0", "beta"] {
            let response = graph.send_batch(version, &envelope).await;
            assert_eq!(response.status, 400, "{envelope}");
            assert_eq!(response.json()["error"]["code"], "BadRequest");
        }
    }
    graph.refuses("/v1.0/$batch", 400, "BadRequest").await;
}
