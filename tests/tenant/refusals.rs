//! What Graph refuses, in Graph's words.

use super::{EVENTUAL, Graph};

impl Graph {
    /// Checks the code and the text of a refusal.
    async fn says(&self, target: &str, code: &str, message: &str) {
        let response = self.get_with(target, &[]).await;
        let error = &response.json()["error"];
        assert_eq!(
            (response.status.as_u16(), error["code"].as_str()),
            (400, Some(code)),
            "{target}: {error}"
        );
        assert_eq!(error["message"], message, "{target}");
    }
}

#[tokio::test]
async fn properties_that_a_type_does_not_have() {
    let graph = Graph::start().await;
    let user = format!("/v1.0/users/{}", graph.staff().id());
    let select = |name: &str, of: &str| {
        format!(
            "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type \
             'microsoft.graph.{of}'."
        )
    };
    for (target, name, of) in [
        ("/v1.0/users".to_owned(), "nickname", "user"),
        (user.clone(), "nickname", "user"),
        ("/v1.0/users/delta".to_owned(), "nickname", "user"),
        ("/v1.0/groups".to_owned(), "userType", "group"),
        (format!("/v1.0/groups/{}/members", graph.tenant.groups()[0].id()), "isRead", "directoryObject"),
        (format!("{user}/messages"), "isOpen", "message"),
        (format!("{user}/mailFolders"), "isRead", "mailFolder"),
        (format!("{user}/mailFolders/inbox"), "isRead", "mailFolder"),
        (format!("{user}/contacts"), "userType", "contact"),
        (format!("{user}/contactFolders"), "isHidden", "contactFolder"),
        ("/v1.0/organization".to_owned(), "mail", "organization"),
    ] {
        graph.says(&format!("{target}?$select=id,{name}"), "BadRequest", &select(name, of)).await;
        graph.get(&format!("{target}?$select=id")).await;
    }
    let filter =
        "Invalid filter clause: Could not find a property named 'nickname' on type 'microsoft.graph.user'.";
    graph.says("/v1.0/users?$filter=nickname eq 'x'", "BadRequest", filter).await;
    let order = "Could not find a property named 'size' on type 'microsoft.graph.message'.";
    graph.says(&format!("{user}/messages?$orderby=size"), "BadRequest", order).await;
    graph.get("/v1.0/users?$select=id,extension_0a1b2c_costCenter&$top=1").await;
    assert_eq!(
        graph.get("/v1.0/users?$select=*&$top=1").await["value"][0]["userType"],
        "Member",
        "a star selects everything"
    );
}

#[tokio::test]
async fn options_that_graph_does_not_have() {
    let graph = Graph::start().await;
    graph
        .says(
            "/v1.0/users?$apply=aggregate(id)",
            "BadRequest",
            "The query parameter '$apply' is not supported.",
        )
        .await;
    graph.get("/v1.0/users?$top=1&anything=else").await;
}

#[tokio::test]
async fn the_directory_does_not_skip_and_has_limits() {
    let graph = Graph::start().await;
    let skip = "'$skip' is not supported by the service.";
    for list in ["users", "groups"] {
        graph.says(&format!("/v1.0/{list}?$skip=5"), "Request_BadRequest", skip).await;
        for top in [0, 1000] {
            let limits =
                format!("Invalid page size specified: '{top}'. Must be between 1 and 999 inclusive.");
            graph.says(&format!("/v1.0/{list}?$top={top}"), "Request_UnsupportedQuery", &limits).await;
        }
        graph.get(&format!("/v1.0/{list}?$top=999")).await;
    }
    let user = format!("/v1.0/users/{}", graph.staff().id());
    graph.refuses(&format!("{user}/messages?$top=0"), 400, "Request_UnsupportedQuery").await;
    graph.get(&format!("{user}/messages?$skip=5&$top=1000")).await;
}

#[tokio::test]
async fn mail_is_searched_without_filter_and_order() {
    let graph = Graph::start().await;
    let list = format!("/v1.0/users/{}/messages?$search=%22lawyer%22", graph.staff().id());
    graph.get(&list).await;
    graph.refuses(&format!("{list}&$filter=isRead eq true"), 400, "SearchWithFilter").await;
    graph.refuses(&format!("{list}&$orderby=receivedDateTime"), 400, "SearchWithOrderBy").await;
}

#[tokio::test]
async fn the_directory_is_searched_eventually_only() {
    let graph = Graph::start().await;
    let list = "/v1.0/groups?$search=%22displayName:project%22";
    graph.refuses(list, 400, "Request_UnsupportedQuery").await;
    let found = graph.get_eventually(list).await["value"].as_array().unwrap().len();
    assert!(found > 0 && found < graph.tenant.groups().len(), "{found}");
    graph.refuses_with("/v1.0/groups?$search=project", &EVENTUAL, 400, "BadRequest").await;
}

#[tokio::test]
async fn some_properties_of_the_directory_are_not_filtered() {
    let graph = Graph::start().await;
    let stored_elsewhere =
        "Unsupported or invalid query filter clause specified for property 'aboutMe' of resource 'User'.";
    graph.says("/v1.0/users?$filter=aboutMe eq 'x'", "Request_UnsupportedQuery", stored_elsewhere).await;
    let contains = "Unsupported property filter clause operator 'Contains'.";
    graph.says("/v1.0/users?$filter=contains(displayName,'x')", "Request_UnsupportedQuery", contains).await;
}
