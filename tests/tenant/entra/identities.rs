//! Managed identities: the metadata service of a virtual machine, and App Service.

use serde_json::{Value, json};

use super::{Graph, but, claims, query};

const MACHINE: &str = "/metadata/identity/oauth2/token";
const SERVICE: &str = "/msi/token";
const RESOURCE: &str = "https://graph.microsoft.com/";

/// Status and document.
async fn ask(graph: &Graph, path: &str, asked: &[(&str, &str)], headers: &[(&str, &str)]) -> (u16, Value) {
    let response = graph.get_with(&format!("{path}?{}", query(asked)), headers).await;
    (response.status.as_u16(), response.json())
}

#[tokio::test]
async fn a_machine_gets_a_token_with_the_header_and_not_without() {
    let graph = Graph::start().await;
    let asked = [("api-version", "2018-02-01"), ("resource", RESOURCE)];
    let machine =
        async |asked: &[(&str, &str)], headers: &[(&str, &str)]| ask(&graph, MACHINE, asked, headers).await;
    let (status, response) = machine(&asked, &[("metadata", "true")]).await;
    assert_eq!(
        (status, &response["token_type"], &response["expires_in"]),
        (200, &json!("Bearer"), &json!("3599"))
    );
    let token = claims(response["access_token"].as_str().unwrap());
    assert_eq!(response["expires_on"], token["exp"].to_string());
    assert_eq!(
        (&token["appid"], &response["resource"]),
        (&graph.tenant.client_id().into(), &RESOURCE.into())
    );
    for headers in
        [&[][..], &[("metadata", "True")], &[("metadata", "true"), ("x-forwarded-for", "192.0.2.1")]]
    {
        let (status, response) = machine(&asked, headers).await;
        assert_eq!((status, &response["error"]), (400, &json!("invalid_request")), "{headers:?}");
    }
}

#[tokio::test]
async fn a_machine_asks_for_graph_in_the_identitys_name() {
    let graph = Graph::start().await;
    let asked =
        [("api-version", "2018-02-01"), ("resource", RESOURCE), ("client_id", graph.tenant.client_id())];
    let machine = async |asked: &[(&str, &str)]| ask(&graph, MACHINE, asked, &[("metadata", "true")]).await;
    assert_eq!(machine(&asked).await.0, 200);
    assert_eq!(machine(&but(&asked, "resource", &graph.base())).await.0, 200);
    for (name, value, error) in [
        ("api-version", "", "invalid_request"),
        ("api-version", "2017-01-01", "invalid_request"),
        ("resource", "", "invalid_request"),
        ("resource", "https://vault.azure.net", "invalid_resource"),
        ("client_id", "99992222-3333-4444-5555-666677778888", "invalid_request"),
    ] {
        let (status, response) = machine(&but(&asked, name, value)).await;
        assert_eq!((status, response["error"].as_str()), (400, Some(error)), "{name}={value}: {response}");
    }
}

#[tokio::test]
async fn an_app_service_gets_a_token_with_its_own_header() {
    let graph = Graph::start().await;
    let asked = [("api-version", "2019-08-01"), ("resource", RESOURCE)];
    let header = [("x-identity-header", graph.tenant.entra().identity_header())];
    let (status, response) = ask(&graph, SERVICE, &asked, &header).await;
    let token = claims(response["access_token"].as_str().unwrap());
    assert_eq!((status, &response["expires_on"]), (200, &token["exp"].to_string().into()), "{response}");
    assert!(response.get("expires_in").is_none());
    for headers in [&[][..], &[("x-identity-header", "other")], &[("metadata", "true")]] {
        assert_eq!(ask(&graph, SERVICE, &asked, headers).await.0, 401, "{headers:?}");
    }
    for (name, value) in [
        ("api-version", "2018-02-01"),
        ("resource", ""),
        ("resource", "https://vault.azure.net"),
        ("client_id", "99992222-3333-4444-5555-666677778888"),
    ] {
        assert_eq!(ask(&graph, SERVICE, &but(&asked, name, value), &header).await.0, 400, "{name}={value}");
    }
}
