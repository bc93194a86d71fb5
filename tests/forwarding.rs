//! Consumers that bring their own tokens for Graph: these tokens go to Graph, and do not authenticate the consumer.

use std::collections::BTreeMap;

use glassine::config::Config;
use glassine::proxy::ProxyState;
use serde_json::json;

use crate::support::glassine::{
    Consumer, Glassine, METADATA_ONLY, ProxyResponse, Setup, lines_of, unidentified,
};
use crate::support::upstream::{FakeUpstream, Script};

const USERS: &str = "/v1.0/users";
const PAGE: &str = r#"{"value":[{"id":"u1"}]}"#;

async fn stage(script: Script) -> (FakeUpstream, Glassine) {
    let graph = FakeUpstream::always(script).await;
    let mut setup = Setup::scripted(&graph).consumer(Consumer::new("other", METADATA_ONLY));
    setup.credential = "credential: { forward: true }".to_owned();
    let proxy = setup.start().await;
    (graph, proxy)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// A GET with these two fields.
async fn get(proxy: &Glassine, own: Option<&str>, graph: Option<&str>) -> ProxyResponse {
    let (own, graph) = (own.map(bearer), graph.map(bearer));
    let fields = [("proxy-authorization", own.as_deref()), ("authorization", graph.as_deref())];
    let fields: Vec<_> = fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    proxy.send("GET", USERS, &fields).await
}

#[tokio::test]
async fn each_token_goes_to_graph_for_the_one_who_sent_it() {
    let (graph, proxy) = stage(Script::json(PAGE)).await;
    for (consumer, token) in
        [("acme", "graph-token-1"), ("other", "graph-token-2"), ("acme", "graph-token-3")]
    {
        let own = Consumer::token(consumer);
        assert_eq!(get(&proxy, Some(&own), Some(token)).await.status, 200);
        let asked = graph.requests().pop().unwrap();
        assert_eq!(asked.all("authorization").collect::<Vec<_>>(), [bearer(token)]);
        assert_eq!(asked.header("proxy-authorization"), None);
        assert!(!format!("{asked:?}").contains(&own));
    }
    let consumers: Vec<_> = proxy.audited(3).await.iter().map(|record| record["consumer"].clone()).collect();
    assert_eq!(consumers, ["acme", "other", "acme"]);
    assert!(!proxy.read("audit.jsonl").contains("graph-token"));
}

#[tokio::test]
async fn a_token_for_graph_is_nobodys_credential() {
    let (graph, proxy) = stage(Script::json(PAGE)).await;
    let acme = Consumer::token("acme");
    for own in [None, Some("wrong"), Some("graph-token")] {
        // Not even a consumer's own token in the wrong field.
        for token in [None, Some("graph-token"), Some(acme.as_str())] {
            let response = get(&proxy, own, token).await;
            assert_eq!((response.status, response.code().as_str()), (401, "InvalidAuthenticationToken"));
            let challenge = response.headers["www-authenticate"].to_str().unwrap();
            assert_eq!(challenge.contains("invalid_token"), own.is_some());
        }
    }
    assert_eq!(get(&proxy, Some(&acme), None).await.status, 401, "no token for Graph, no request to Graph");
    assert_eq!(graph.requests().len(), 0);
    let folder = proxy.stop().await;
    let file = folder.path().join("audit.jsonl");
    assert_eq!(unidentified(&file), BTreeMap::from([("unauthenticated".to_owned(), 9)]));
    let own: Vec<_> = lines_of(&file).into_iter().filter(|line| line["consumer"] == "acme").collect();
    assert_eq!((own.len(), &own[0]["reason"]), (1, &"graph_token".into()));
}

#[tokio::test]
async fn a_token_that_graph_refuses_is_its_senders_to_renew() {
    let (graph, proxy) = stage(Script::status(401)).await;
    let response = get(&proxy, Some(&Consumer::token("acme")), Some("expired")).await;
    assert_eq!((response.status, response.code().as_str()), (401, "InvalidAuthenticationToken"));
    assert!(response.headers["www-authenticate"].to_str().unwrap().contains("invalid_token"));
    assert_eq!(graph.requests().len(), 1, "there is nothing to try again with");
}

#[tokio::test]
async fn a_batch_asks_with_its_senders_token() {
    let (graph, proxy) = stage(Script::json(PAGE)).await;
    let envelope = json!({ "requests": [
        { "id": "1", "method": "GET", "url": "/users" },
        { "id": "2", "method": "GET", "url": "/groups" },
    ] });
    let (own, token) = (bearer(&Consumer::token("acme")), bearer("graph-token"));
    let fields = [
        ("proxy-authorization", own.as_str()),
        ("authorization", &token),
        ("content-type", "application/json"),
    ];
    let response = proxy.send_body("POST", "/v1.0/$batch", &fields, envelope.to_string()).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let sent: Vec<_> =
        graph.requests().iter().map(|it| it.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(sent, [token.clone(), token.clone()]);
}

#[tokio::test]
async fn without_forwarding_only_authorization_is_looked_at() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let proxy = Setup::scripted(&graph).start().await;
    let acme = Consumer::token("acme");
    assert_eq!(get(&proxy, Some(&acme), None).await.status, 401);
    assert_eq!(get(&proxy, Some("anything"), Some(&acme)).await.status, 200);
    assert_eq!(graph.requests()[0].header("proxy-authorization"), None);
}

#[tokio::test]
async fn the_operator_is_warned_that_the_proxy_can_be_passed_by() {
    let (_graph, forwarding) = stage(Script::json(PAGE)).await;
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let own = Setup::scripted(&graph).start().await;
    for (proxy, is_warned) in [(&forwarding, true), (&own, false)] {
        let (name, text) = (proxy.file("config.yaml").display().to_string(), proxy.read("config.yaml"));
        let (_, reports) = ProxyState::build(&name, &text, &Config::load(&name, &text).unwrap()).unwrap();
        let rendered: String = reports.iter().map(glassine_core::diagnostic::Report::render).collect();
        assert_eq!(rendered.contains("warning[G0406]"), is_warned, "{rendered}");
    }
}
