//! `$expand`, `ConsistencyLevel` and `return=minimal` through the whole proxy: the request for Graph, and what leaves.

use serde_json::json;

use crate::support::glassine::{Glassine, Setup};
use crate::support::upstream::{FakeUpstream, Script};

const RULES: &str = r"
version: 1
connector: expansions
title: Expansions
purpose: Who leads whom.
permissions: [User.Read.All, GroupMember.Read.All]
shapes:
  person:
    keep: { one_of: [{ path: $.userType, values: [Member, Guest] }] }
    pseudonymize: [{ path: $.mail, as: email }]
  group:
    keep: { one_of: [{ path: $.visibility, values: [Private, Public, HiddenMembership] }] }
endpoints:
  - name: list-groups
    get: /v1.0/groups
    query:
      $expand:
        members: { shape: person, select: kept, top: { integer: { min: 1, max: 20 } } }
        createdOnBehalfOf: { shape: person }
    response: { collection: group }
";

async fn stage() -> (Glassine, FakeUpstream) {
    let person =
        |name: &str| json!({ "@odata.type": "#x", "displayName": name, "userType": "Member", "mail": null });
    let page = json!({ "value": [{
        "displayName": "secret", "visibility": "Public",
        "members@odata.nextLink": "https://graph.microsoft.com/v1.0/groups/g/members?$skiptoken=secret",
        "members": [person("secret"), { "userType": "Guest", "members": [person("secret")], "manager": person("secret") }],
        "createdOnBehalfOf": person("secret"),
        "owners": [person("secret")],
    }] });
    let graph = FakeUpstream::always(Script::json(page.to_string())).await;
    (Setup::scripted(&graph).rules(RULES).start().await, graph)
}

#[tokio::test]
async fn what_is_expanded_leaves_by_its_own_shape() {
    let (proxy, graph) = stage().await;
    let response = proxy.get("/v1.0/groups?expand=MEMBERS(top=5),createdOnBehalfOf").await;
    assert_eq!(
        response.json(),
        json!({ "value": [{
            "visibility": "Public",
            "members": [{ "userType": "Member", "mail": null }, { "userType": "Guest" }],
            "createdOnBehalfOf": { "userType": "Member", "mail": null },
        }] })
    );
    let asked = &graph.requests()[0].target;
    let expected = "/v1.0/groups?$expand=members%28%24select%3Dmail%2CuserType%3B%24top%3D5%29%2C\
                    createdOnBehalfOf%28%24select%3Dmail%2CuserType%29&$select=visibility";
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn what_is_not_named_is_neither_expanded_nor_let_out() {
    let (proxy, graph) = stage().await;
    for options in
        ["$expand=owners", "$expand=members($expand=manager)", "$expand=members($filter=userType%20eq%20'x')"]
    {
        let response = proxy.get(&format!("/v1.0/groups?{options}")).await;
        assert_eq!(response.status, 400, "{options}: {}", response.text());
    }
    assert_eq!(graph.requests().len(), 0);
    assert!(!proxy.get("/v1.0/groups").await.text().contains("secret"));
}

#[tokio::test]
async fn a_directory_that_is_counted_is_asked_eventually() {
    let graph = FakeUpstream::always(Script::json(r#"{"value":[]}"#)).await;
    let proxy = Setup::scripted(&graph).start().await;
    let eventual = [("consistencylevel", "Eventual")];
    assert_eq!(proxy.get_as("acme", "/v1.0/groups", &eventual).await.status, 200);
    assert_eq!(proxy.get_as("acme", "/v1.0/groups", &[("consistencylevel", "session")]).await.status, 200);
    let messages = format!("/v1.0/users/{}/messages?$count=true", proxy.id("u1"));
    assert_eq!(proxy.get_as("acme", &messages, &eventual).await.status, 200);
    let minimal = [("prefer", "return=minimal")];
    assert_eq!(proxy.get_as("acme", "/v1.0/groups/delta", &minimal).await.status, 200);
    let requests = graph.requests();
    let sent: Vec<_> = requests.iter().map(|it| it.header("consistencylevel")).collect();
    assert_eq!(sent, [Some("eventual"), None, None, None]);
    assert_eq!(requests[3].all("prefer").collect::<Vec<_>>(), ["return=minimal"]);
}
