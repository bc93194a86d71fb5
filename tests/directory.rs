//! The directory through the proxy: what Graph does there reaches the consumer as Graph's own client would meet it.

use std::collections::BTreeSet;
use std::sync::Arc;

use glassine::demo::tenant::Tenant;
use serde_json::Value;

use crate::support::glassine::{Glassine, ProxyResponse, Setup, sample_tenant};
use crate::support::upstream::{FakeUpstream, Script};
use crate::tenant::merged;

async fn stage() -> (Arc<Tenant>, Glassine) {
    let (tenant, graph) = sample_tenant().await;
    let mut setup = Setup::in_front_of(graph);
    setup.domain = tenant.domain().to_owned();
    (tenant, setup.start().await)
}

async fn page(proxy: &Glassine, target: &str) -> ProxyResponse {
    let response = proxy.get(target).await;
    assert_eq!(response.status, 200, "{target}: {}", response.text());
    response
}

/// The objects of a round, the sizes of its pages, and the link to the next round.
async fn round(proxy: &Glassine, first: &str) -> (Vec<Value>, Vec<usize>, String) {
    let (mut objects, mut sizes, mut link) = (Vec::new(), Vec::new(), first.to_owned());
    loop {
        let page = page(proxy, &link).await.json();
        let value = page["value"].as_array().unwrap();
        sizes.push(value.len());
        objects.extend(value.clone());
        match page["@odata.nextLink"].as_str() {
            Some(next) => next.clone_into(&mut link),
            None => return (objects, sizes, page["@odata.deltaLink"].as_str().unwrap().to_owned()),
        }
    }
}

/// Fault: Graph's changes come with an empty page, with objects twice, and with objects in parts. Outcome: the consumer gets all of it, and every link.
#[tokio::test]
async fn changes_that_come_in_parts_together_are_the_list() {
    let (tenant, proxy) = stage().await;
    let (objects, sizes, link) = round(&proxy, "/v1.0/users/delta").await;
    assert!(sizes.contains(&0) && objects.len() > tenant.users().len(), "{sizes:?}");
    let mut listed = page(&proxy, "/v1.0/users?$top=999").await.json()["value"].as_array().unwrap().clone();
    listed.iter_mut().for_each(|it| it.as_object_mut().unwrap().retain(|_, value| !value.is_null()));
    assert_eq!(merged(&objects), merged(&listed));
    let (changed, _, _) = round(&proxy, &link).await;
    let ids: BTreeSet<_> = changed.iter().map(|it| it["id"].to_string()).collect();
    assert_eq!(ids.len() + 1, changed.len(), "one changed twice, with one token");
    let minimal = proxy.get_as("acme", &link, &[("prefer", "return=minimal")]).await.json();
    assert!(minimal["value"][0].as_object().unwrap().len() < changed[0].as_object().unwrap().len());
}

/// Fault: Graph resets its changes (410 with a `Location`). Outcome: the consumer gets 410 `resyncRequired` without the `Location`, and begins anew.
/// Fault: a delta token of the directory has expired (400 `syncStateNotFound`). Outcome: the consumer gets that status and code.
#[tokio::test]
async fn a_reset_and_an_expired_token_read_as_graphs() {
    let (tenant, proxy) = stage().await;
    let (_, _, link) = round(&proxy, "/v1.0/users/delta").await;
    tenant.reset_changes();
    let reset = proxy.get(&link).await;
    assert_eq!((reset.status, reset.code().as_str()), (410, "resyncRequired"));
    assert!(!reset.headers.contains_key("location"), "it would lead to Graph: {}", reset.everything());
    let (_, _, link) = round(&proxy, "/v1.0/users/delta").await;
    assert!(!round(&proxy, &link).await.0.is_empty());

    let body = r#"{"error":{"code":"syncStateNotFound","message":"The delta token is expired."}}"#;
    let script = Script::status(400).header("Content-Type", "application/json").body(body);
    let graph = FakeUpstream::always(script).await;
    let expired = Setup::scripted(&graph).start().await.get("/v1.0/users/delta").await;
    assert_eq!((expired.status, expired.code().as_str()), (400, "syncStateNotFound"));
}

#[tokio::test]
async fn a_consumer_that_sends_no_consistency_level_gets_its_count() {
    let (tenant, proxy) = stage().await;
    let first = page(&proxy, "/v1.0/users?$count=true&$top=50").await.json();
    assert_eq!(first["@odata.count"], tenant.users().len());
    page(&proxy, first["@odata.nextLink"].as_str().unwrap()).await;
    assert_eq!(page(&proxy, "/v1.0/users/$count").await.text(), tenant.users().len().to_string());
    let uncounted = page(&proxy, "/v1.0/users?$top=50").await.json();
    assert!(uncounted.get("@odata.count").is_none());
}
