//! Errors, headers, encodings and authentication.

use std::io::Read as _;
use std::sync::Arc;

use glassine::demo::tenant::{Account, Tenant, serve};
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use tokio::net::TcpListener;

use super::Graph;

#[tokio::test]
async fn what_does_not_exist_is_refused_as_graph_does() {
    let graph = Graph::start().await;
    let guest = graph.tenant.users().iter().find(|user| user.account() == Account::Guest).unwrap().id();
    let nobody = "/v1.0/users/nobody@tallgrass.example";
    graph.refuses("/v2.0/users", 400, "BadRequest").await;
    graph.refuses("/v1.0/me/messages", 400, "BadRequest").await;
    graph.refuses("/v1.0/nothing", 400, "BadRequest").await;
    graph.refuses("/v1.0/groups/nothing", 404, "Request_ResourceNotFound").await;
    graph.refuses(nobody, 404, "Request_ResourceNotFound").await;
    graph.refuses(&format!("{nobody}/messages"), 404, "ErrorInvalidUser").await;
    graph.refuses(&format!("/v1.0/users/{guest}/messages"), 404, "MailboxNotEnabledForRESTAPI").await;
}

#[tokio::test]
async fn ids_that_do_not_open_are_told_apart() {
    let graph = Graph::start().await;
    let user = format!("/v1.0/users/{}", graph.staff().id());
    let other = graph.tenant.users().iter().filter(|it| it.has_mailbox()).nth(1).unwrap();
    let (folder, message) =
        (graph.tenant.folder_id(other, "inbox").unwrap(), graph.tenant.message_ids(other, "inbox").remove(0));
    graph.refuses(&format!("{user}/messages/nonsense"), 400, "ErrorInvalidIdMalformed").await;
    graph.refuses(&format!("{user}/messages/{message}"), 404, "ErrorItemNotFound").await;
    graph.refuses(&format!("{user}/mailFolders/{folder}"), 404, "ErrorItemNotFound").await;
}

#[tokio::test]
async fn options_that_graph_does_not_take_are_refused() {
    let graph = Graph::start().await;
    let messages = format!("/v1.0/users/{}/messages", graph.staff().id());
    graph.refuses(&format!("{messages}?$top=1001"), 400, "Request_UnsupportedQuery").await;
    graph.refuses(&format!("{messages}?$select=mentionsPreview"), 400, "BadRequest").await;
    graph.refuses(&format!("{messages}?$top=1&top=2"), 400, "BadRequest").await;
    graph.refuses(&format!("{messages}?$filter=nonsense"), 400, "BadRequest").await;
    graph.refuses("/v1.0/users?$top=1000", 400, "Request_UnsupportedQuery").await;
    graph.refuses("/v1.0/users?$skiptoken=forged", 400, "Directory_ExpiredPageToken").await;
}

#[tokio::test]
async fn error_texts_carry_data_as_the_real_ones_do() {
    let graph = Graph::start().await;
    let refused = graph.get_with("/v1.0/users/x@y/messages", &[]).await.json();
    assert_eq!(refused["error"]["message"], "The requested user 'x@y' is invalid.");
}

#[tokio::test]
async fn headers_are_those_of_graph() {
    let graph = Graph::start().await;
    let response = graph.get_with("/v1.0/users", &[("client-request-id", "abc")]).await;
    assert!(response.header("content-type").starts_with("application/json;odata.metadata=minimal;"));
    assert_eq!(response.header("transfer-encoding"), "chunked");
    assert_eq!(response.header("client-request-id"), "abc");
    assert_eq!(response.header("odata-version"), "4.0");
    for name in ["request-id", "x-ms-ags-diagnostic", "strict-transport-security", "date", "vary"] {
        assert!(response.headers.contains_key(name), "{name}");
    }
    assert!(!response.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn gzip_only_when_asked() {
    let graph = Graph::start().await;
    let response = graph.get_with("/v1.0/users", &[("accept-encoding", "br, gzip, deflate")]).await;
    assert_eq!(response.header("content-encoding"), "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(response.body.as_ref()).read_to_string(&mut text).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), graph.get("/v1.0/users").await);
    let refused = graph.get_with("/v1.0/users", &[("accept-encoding", "gzip;q=0")]).await;
    assert!(!refused.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn a_required_bearer_is_required() {
    let graph = Graph::of(Arc::new(Tenant::new(7).require_bearer("sample"))).await;
    let with = async |value: &str| graph.get_with("/v1.0/users?$top=1", &[("authorization", value)]).await;
    assert_eq!(with("Bearer sample").await.status, StatusCode::OK);
    graph.refuses("/v1.0/users", 401, "InvalidAuthenticationToken").await;
    assert_eq!(with("Bearer other").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(with("Basic sample").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn other_methods_are_refused() {
    let graph = Graph::start().await;
    let request =
        Request::delete("/v1.0/users").header("host", "graph.example").body(Full::default()).unwrap();
    assert_eq!(graph.send(request).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn serving_ends_when_told() {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = async { drop(stopped.await) };
    let serving = tokio::spawn(serve(listener, Arc::new(Tenant::new(7)), base_url, shutdown));
    assert!(!serving.is_finished());
    stop.send(()).unwrap();
    serving.await.unwrap();
}
