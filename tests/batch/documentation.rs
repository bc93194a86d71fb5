//! The examples of "Combine multiple HTTP requests using JSON batching" (Microsoft Graph), in the forms of that page: keys
//! in its order, URLs with and without a leading slash and with raw spaces, headers and an empty body inside requests.

use serde_json::Value;

use super::{post, statuses};
use crate::support::glassine::{Glassine, Setup, sample_tenant};

/// A proxy, and the texts of the page in which the tokens of a user and a group of the sample tenant stand.
struct Page {
    proxy: Glassine,
    user: String,
    group: String,
}

impl Page {
    async fn new() -> Self {
        let (tenant, graph) = sample_tenant().await;
        let proxy = Setup::in_front_of(graph).start().await;
        let user = tenant.users().iter().find(|user| user.has_mailbox()).unwrap();
        let user = proxy.id(user.id());
        let groups = proxy.get("/v1.0/groups?$top=1").await.json();
        let group = groups["value"][0]["id"].as_str().unwrap().to_owned();
        Self { proxy, user, group }
    }

    async fn responses(&self, example: &str) -> Vec<Value> {
        let text = example.replace("{user}", &self.user).replace("{group}", &self.group);
        let response = post(&self.proxy, "/v1.0/$batch", &serde_json::from_str(&text).unwrap()).await;
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()["responses"].as_array().unwrap().clone()
    }
}

/// The first example, with other requests in place of those that no rule opens. Request 6 has the raw spaces of the page's
/// request 5, in a comparison that the rules open.
const OPENED: &str = r#"{
  "requests": [
    {
      "id": "1",
      "method": "GET",
      "url": "/users/{user}/mailFolders"
    },
    {
      "id": "2",
      "method": "GET",
      "url": "/users/{user}/mailboxSettings"
    },
    {
      "id": "3",
      "method": "GET",
      "url": "/groups/{group}"
    },
    {
      "id": "4",
      "url": "/groups/{group}/members/microsoft.graph.user",
      "method": "GET",
      "body": {},
      "headers": {"Content-Type": "application/json"}
    },
    {
      "id": "5",
      "url": "users?$select=id,displayName,userPrincipalName",
      "method": "GET",
      "headers": {
        "ConsistencyLevel": "eventual"
      }
    },
    {
      "id": "6",
      "url": "users/{user}/messages?$select=id,receivedDateTime&$filter=receivedDateTime ge 2000-01-01T00:00:00Z&$count=true",
      "method": "GET",
      "headers": {
        "ConsistencyLevel": "eventual"
      }
    }
  ]
}"#;

#[tokio::test]
async fn the_first_example_is_served_where_the_rules_open_its_requests() {
    let page = Page::new().await;
    let responses = page.responses(OPENED).await;
    let ids: Vec<_> = responses.iter().map(|response| response["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(statuses(&responses), [200; 6], "{responses:?}");
    let last = &responses[5]["body"];
    assert!(
        last["@odata.count"].as_u64() > Some(0) && last["value"][0]["receivedDateTime"].is_string(),
        "{last}"
    );
    assert!(responses[4]["body"]["value"][0]["id"].as_str().unwrap().starts_with("p~"));
}

/// The first example to the letter, in the page's versions of 2025 and before.
const VERBATIM: &str = r#"{
  "requests": [
    {
      "id": "1",
      "method": "GET",
      "url": "/me/memberOf"
    },
    {
      "id": "2",
      "method": "GET",
      "url": "/me/planner/tasks"
    },
    {
      "id": "3",
      "method": "DELETE",
      "url": "/groups/0e226165-c685-41ce-8bfc-df8360ab325d"
    },
    {
      "id": "4",
      "url": "/users/161ab652-cdbc-490d-82a4-0ada1f0db247/getPasswordSingleSignOnCredentials",
      "method": "POST",
      "body": {},
      "headers": {"Content-Type": "application/json"}
    },
    {
      "id": "5",
      "url": "users?$select=id,displayName,userPrincipalName&$filter=city eq null&$count=true",
      "method": "GET",
      "headers": {
        "ConsistencyLevel": "eventual"
      }
    },
    {
      "id": "6",
      "method": "GET",
      "url": "/me/drive/root:/{file}:/content"
    },
    {
      "id": "7",
      "url": "/me",
      "method": "PATCH",
      "body": {
        "city" : "Redmond"
      },
      "headers": {
        "Content-Type": "application/json"
      }
    }
  ]
}"#;

#[tokio::test]
async fn the_first_example_as_it_stands_is_a_batch_and_each_refusal_is_in_its_place() {
    let page = Page::new().await;
    let responses = page.responses(VERBATIM).await;
    let all = statuses(&responses);
    assert_eq!((all[2], all[3], all[6]), (405, 405, 405), "the page has 405 for its request 4, too");
    for (at, response) in responses.iter().enumerate() {
        assert_eq!(response["id"], (at + 1).to_string());
        assert!((400..500).contains(&all[at]), "{response}");
        assert!(response["body"]["error"]["code"].is_string(), "{response}");
    }
    // What is wrong with request 5 is the hidden property, not the spaces.
    assert!(
        responses[4]["body"]["error"]["code"].as_str().unwrap().starts_with("option"),
        "{}",
        responses[4]
    );
}

/// The second example, whose URLs are `...` on the page.
const SEQUENCE: &str = r#"{
  "requests": [
    {
      "id": "1",
      "method": "GET",
      "url": "/users/{user}"
    },
    {
      "id": "2",
      "dependsOn": [ "1" ],
      "method": "GET",
      "url": "/users/{user}/mailFolders/inbox"
    },
    {
      "id": "4",
      "dependsOn": [ "2" ],
      "method": "GET",
      "url": "/users/{user}/messages?$orderby=receivedDateTime desc&$top=1"
    },
    {
      "id": "3",
      "dependsOn": [ "4" ],
      "method": "GET",
      "url": "groups?$top=1"
    }
  ]
}"#;

#[tokio::test]
async fn the_second_example_runs_in_its_order() {
    let page = Page::new().await;
    let responses = page.responses(SEQUENCE).await;
    assert_eq!(statuses(&responses), [200; 4], "{responses:?}");
    let broken = SEQUENCE.replace("/mailFolders/inbox", "/mailFolders/../inbox");
    assert_eq!(statuses(&page.responses(&broken).await), [200, 400, 424, 424]);
}
