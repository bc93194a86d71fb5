//! Client credentials with a secret, and what is in a token.

use glassine::demo::tenant::Tenant;
use glassine_core::rules::compile;
use http::Request;
use serde_json::json;

use super::{Graph, SCOPE, but, claims, with_secret};
use crate::support::entra::query;
use crate::support::glassine::{METADATA_ONLY, OUTLOOK_MAIL};

#[tokio::test]
async fn a_secret_gets_a_token_with_what_was_granted() {
    let graph = Graph::start().await;
    let application = graph.application(graph.tenant.client_id());
    assert_eq!(application.client_secret(), graph.tenant.client_secret());
    let (status, response) = graph.ask(&with_secret(&application)).await;
    assert_eq!(
        (status, &response["token_type"], &response["expires_in"]),
        (200, &json!("Bearer"), &json!(3599))
    );
    let token = claims(response["access_token"].as_str().unwrap());
    assert_eq!(token["aud"], "https://graph.microsoft.com");
    assert_eq!(token["appid"], application.client_id());
    assert_eq!(token["tid"], graph.tenant.tenant_id());
    assert_eq!(token["roles"], json!(application.granted().collect::<Vec<_>>()));
    let seconds = token["exp"].as_i64().unwrap() - token["iat"].as_i64().unwrap();
    assert_eq!((seconds, &token["idtyp"], &token["appidacr"]), (3599, &json!("app"), &json!("1")));
}

#[tokio::test]
async fn graph_is_known_by_its_address_its_id_and_where_it_is() {
    let graph = Graph::start().await;
    let application = graph.application("Sample application");
    let form = with_secret(&application);
    let here = format!("{}/.default", graph.base());
    for scope in [SCOPE, "00000003-0000-0000-c000-000000000000/.default", &here] {
        assert_eq!(graph.ask(&but(&form, "scope", scope)).await.0, 200, "{scope}");
    }
    let elsewhere = but(&form, "scope", "https://vault.azure.net/.default");
    graph.denies(&elsewhere, 400, "invalid_resource", 500_011).await;
    for scope in ["openid", "https://graph.microsoft.com/Mail.Read", &format!("{SCOPE} {SCOPE}")] {
        graph.denies(&but(&form, "scope", scope), 400, "invalid_scope", 1_002_012).await;
    }
}

#[tokio::test]
async fn a_request_is_refused_for_what_is_wrong_with_it() {
    let graph = Graph::start().await;
    let application = graph.application("Sample application");
    let form = with_secret(&application);
    let other = "99992222-3333-4444-5555-666677778888";
    assert_eq!(graph.ask(&form).await.0, 200);
    graph.denies(&but(&form, "grant_type", ""), 400, "invalid_request", 900_144).await;
    graph.denies(&but(&form, "grant_type", "password"), 400, "unsupported_grant_type", 70_003).await;
    graph.denies(&but(&form, "client_id", ""), 400, "invalid_request", 900_144).await;
    graph.denies(&but(&form, "client_id", other), 400, "unauthorized_client", 700_016).await;
    graph.denies(&but(&form, "client_secret", "wrong"), 401, "invalid_client", 7_000_215).await;
    graph.denies(&but(&form, "client_secret", ""), 401, "invalid_client", 7_000_216).await;
    let twice = [form.as_slice(), &form[..1]].concat();
    graph.denies(&twice, 400, "invalid_request", 9_002_313).await;
    let both = [form.as_slice(), &[("client_assertion", "a.b.c")]].concat();
    graph.denies(&both, 400, "invalid_request", 9_002_313).await;
}

#[tokio::test]
async fn a_token_request_is_a_form_that_is_posted_to_the_tenant() {
    let graph = Graph::start().await;
    let application = graph.application("Sample application");
    let form = query(&with_secret(&application));
    let path = graph.entra("/oauth2/v2.0/token");
    let got = graph.get_with(&format!("{path}?{form}"), &[]).await;
    assert_eq!((got.status.as_u16(), &got.json()["error_codes"][0]), (400, &json!(900_561)));
    let request = Request::post(&path).header("host", "login.example");
    let as_json = request.header("content-type", "application/json").body(form.clone().into()).unwrap();
    assert_eq!(graph.send(as_json).await.json()["error_codes"][0], 900_144);
    let response = graph.post("/contoso.com/oauth2/v2.0/token", &form, &[]).await;
    assert_eq!((response.status.as_u16(), &response.json()["error_codes"][0]), (400, &json!(90_002)));
    let response = graph.post("/tallgrass.example/oauth2/v2.0/token", &form, &[]).await;
    assert_eq!((response.status.as_u16(), response.header("cache-control")), (200, "no-store, no-cache"));
}

#[tokio::test]
async fn secrets_end_and_are_replaced_and_an_application_can_be_disabled() {
    let graph = Graph::own().await;
    let name = "Outlook Mail";
    let now = jiff::Timestamp::now().as_second();
    graph.change(name, |it| {
        it.remove_secrets();
        it.add_secret("of this month", now + 60);
        it.add_secret("of the next month", now + 3600);
    });
    let application = graph.application(name);
    let first = with_secret(&application);
    let second = but(&first, "client_secret", "of the next month");
    assert_eq!((graph.ask(&first).await.0, graph.ask(&second).await.0), (200, 200));
    graph.tenant.entra().advance_clock(61);
    graph.denies(&first, 401, "invalid_client", 7_000_222).await;
    assert_eq!(graph.ask(&second).await.0, 200);
    graph.change(name, |it| it.set_enabled(false));
    graph.denies(&second, 400, "unauthorized_client", 7_000_112).await;
    graph.change(name, |it| it.set_enabled(true));
    assert_eq!(graph.ask(&second).await.0, 200);
    assert_eq!(graph.application(name).token_requests(), 6);
}

#[tokio::test]
async fn what_is_granted_later_is_in_later_tokens() {
    let graph = Graph::own().await;
    let name = "Outlook Mail - Meta Data Only";
    let roles = async || claims(&graph.token_of(name).await)["roles"].clone();
    assert_eq!(roles().await, json!(null));
    graph.change(name, |it| it.grant("User.Read.All"));
    graph.change(name, |it| it.grant("Mail.ReadBasic.All"));
    assert_eq!(roles().await, json!(["Mail.ReadBasic.All", "User.Read.All"]));
    graph.change(name, |it| it.revoke("User.Read.All"));
    assert_eq!(roles().await, json!(["Mail.ReadBasic.All"]));
}

#[tokio::test]
async fn the_life_of_tokens_can_be_shortened() {
    let graph = Graph::own().await;
    graph.tenant.entra().set_token_life(5);
    let application = graph.application("Sample application");
    let (_, response) = graph.ask(&with_secret(&application)).await;
    let token = claims(response["access_token"].as_str().unwrap());
    assert_eq!(response["expires_in"], 5);
    assert_eq!(token["exp"].as_i64().unwrap() - token["iat"].as_i64().unwrap(), 5);
}

/// The connectors' registrations list what their rules need, and were granted nothing.
#[test]
fn connectors_have_the_permissions_of_their_rules() {
    let tenant = Tenant::new(7);
    for (name, rules, mail) in [
        ("Outlook Mail", OUTLOOK_MAIL, "Mail.Read"),
        ("Outlook Mail - Meta Data Only", METADATA_ONLY, "Mail.ReadBasic.All"),
    ] {
        let plan = compile("rules.yaml", rules).plan.unwrap();
        let application = tenant.entra().registration(name).unwrap();
        assert_eq!((plan.title.as_str(), application.granted().count()), (name, 0));
        assert_eq!(application.configured().len(), plan.permissions.len());
        for needed in &plan.permissions {
            let listed = needed.any_of.iter().filter(|it| application.configured().contains(it));
            assert_eq!(listed.count(), 1, "{needed:?}");
        }
        assert!(application.configured().iter().any(|it| it == mail));
    }
}
