//! What Entra does at times, each shown by the look-alike alone. `late` has the proxy in front of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::browser::Browser;
use super::{Graph, SCOPE, claims, query, with_secret};

const NAME: &str = "Outlook Mail - Meta Data Only";
const HERE: &str = "https://proxy.example/connect/consented";

async fn consents(graph: &Graph) {
    graph.change(NAME, |it| it.add_redirect_uri(HERE));
    let application = graph.application(NAME);
    let asked =
        [("client_id", application.client_id()), ("scope", SCOPE), ("redirect_uri", HERE), ("state", "s")];
    let mut browser = Browser::new(graph);
    let page = browser.open("/v2.0/adminconsent", &asked).await;
    let page = browser.choose(&page, 0).await;
    browser.press(&page, "decision", "accept").await;
}

#[tokio::test]
async fn a_consent_can_take_a_while_to_reach_tokens() {
    let graph = Graph::own().await;
    graph.tenant.entra().delay_consents(Duration::from_millis(600));
    graph.change(NAME, |it| it.grant("Mail.Send"));
    consents(&graph).await;
    let early = graph.token_of(NAME).await;
    assert_eq!(claims(&early)["roles"], json!(["Mail.Send"]), "what was granted before stays");
    assert_eq!(graph.application(NAME).granted().count(), 6, "the portal shows it at once");
    tokio::time::sleep(Duration::from_millis(700)).await;
    let late = graph.token_of(NAME).await;
    assert_eq!(claims(&late)["roles"].as_array().unwrap().len(), 6);
    let status = async |token: &str| {
        let header = format!("Bearer {token}");
        graph.get_with("/v1.0/users?$top=1", &[("authorization", &header)]).await.status.as_u16()
    };
    assert_eq!((status(&early).await, status(&late).await), (403, 200), "a token does not change");
}

#[tokio::test]
async fn an_opaque_token_opens_graph_and_says_nothing() {
    let graph = Graph::own().await;
    graph.tenant.entra().make_tokens_opaque();
    let token = graph.token_of("Sample application").await;
    assert!(!token.contains('.'), "{token}");
    let header = format!("Bearer {token}");
    let response = graph.get_with("/v1.0/users?$top=1", &[("authorization", &header)]).await;
    assert_eq!(response.status.as_u16(), 200);
}

#[tokio::test]
async fn a_throttled_application_is_told_how_long_to_wait() {
    let graph = Graph::own().await;
    graph.tenant.entra().throttle(2, Some(60));
    let application = graph.application(NAME);
    let form = query(&with_secret(&application));
    for _ in 0..2 {
        let response = graph.post(&graph.entra("/oauth2/v2.0/token"), &form, &[]).await;
        assert_eq!((response.status.as_u16(), response.header("retry-after")), (429, "60"));
        assert_eq!(response.json()["error_codes"], json!([90_055]));
    }
    assert_eq!(graph.ask(&with_secret(&application)).await.0, 200);
    graph.tenant.entra().throttle(1, None);
    let response = graph.post(&graph.entra("/oauth2/v2.0/token"), &form, &[]).await;
    assert_eq!((response.status.as_u16(), response.headers.get("retry-after")), (429, None));
}

#[tokio::test]
async fn a_loop_of_requests_is_ended() {
    let graph = Graph::own().await;
    graph.tenant.entra().detect_loops(2);
    let application = graph.application(NAME);
    let form = with_secret(&application);
    assert_eq!((graph.ask(&form).await.0, graph.ask(&form).await.0), (200, 200));
    graph.denies(&form, 400, "invalid_grant", 50_196).await;
    let other = graph.application("Outlook Mail");
    assert_eq!(graph.ask(&with_secret(&other)).await.0, 200, "each application is counted by itself");
}

#[tokio::test]
async fn an_identitys_token_can_come_from_a_cache_that_knows_no_new_roles() {
    let graph = Graph::own().await;
    graph.tenant.entra().cache_identity_tokens();
    let asked = query(&[("api-version", "2018-02-01"), ("resource", "https://graph.microsoft.com/")]);
    let token = async || {
        let target = format!("/metadata/identity/oauth2/token?{asked}");
        graph.get_with(&target, &[("metadata", "true")]).await.json()["access_token"].clone()
    };
    let first = token().await;
    graph.change(graph.tenant.client_id(), |it| it.grant("Mail.Send"));
    assert_eq!(token().await, first);
    graph.tenant.entra().advance_clock(3400);
    let roles = claims(token().await.as_str().unwrap())["roles"].clone();
    assert!(roles.as_array().unwrap().contains(&Value::from("Mail.Send")));
}

#[tokio::test]
async fn an_application_with_a_signing_key_of_its_own_has_a_key_set_of_its_own() {
    let graph = Graph::own().await;
    let id = graph.application(NAME).client_id().to_owned();
    let keys = async |query: &str| {
        graph.get(&graph.entra(&format!("/discovery/v2.0/keys{query}"))).await["keys"].clone()
    };
    let of_application = format!("?appid={id}");
    assert_eq!(keys(&of_application).await, keys("").await, "others have the tenant's");
    graph.change(NAME, |it| it.use_own_signing_key());
    assert_ne!(keys(&of_application).await, keys("").await);
    let configuration = |query: &str| graph.entra(&format!("/v2.0/.well-known/openid-configuration{query}"));
    let named = graph.get(&configuration(&of_application)).await["jwks_uri"].clone();
    assert_eq!(named, format!("{}{}?appid={id}", graph.base(), graph.entra("/discovery/v2.0/keys")));
    let hostile = graph.get(&configuration("?appid=%26x%3D1")).await["jwks_uri"].clone();
    assert_eq!(hostile, format!("{}{}", graph.base(), graph.entra("/discovery/v2.0/keys")));
}
