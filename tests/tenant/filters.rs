//! `$filter` and `$orderby`, each result compared with the unfiltered list.

use serde_json::Value;

use super::{Graph, ids};

/// Checks that the filter finds exactly the objects for which `holds` is true, and that these are some, but not all.
async fn finds(graph: &Graph, list: &str, filter: &str, holds: impl Fn(&Value) -> bool) {
    let sign = if list.contains('?') { '&' } else { '?' };
    let all = graph.walk(list).await;
    let expected: Vec<Value> = all.iter().filter(|object| holds(object)).cloned().collect();
    assert!(
        !expected.is_empty() && expected.len() < all.len(),
        "{filter}: {} of {}",
        expected.len(),
        all.len()
    );
    assert_eq!(graph.walk(&format!("{list}{sign}$filter={filter}")).await, expected, "{filter}");
}

#[tokio::test]
async fn users_and_groups() {
    let graph = Graph::start().await;
    let users = "/v1.0/users?$top=999&$select=id,mail,accountEnabled,userType,department,createdDateTime";
    let first = graph.tenant.users()[0].id();
    finds(&graph, users, "accountEnabled eq true", |it| it["accountEnabled"] == true).await;
    finds(&graph, users, "userType eq 'Member'", |it| it["userType"] == "Member").await;
    finds(&graph, users, "mail eq null", |it| it["mail"].is_null()).await;
    finds(&graph, users, &format!("id eq '{first}'"), |it| it["id"] == first).await;
    finds(&graph, users, &format!("id in ('{first}', 'x')"), |it| it["id"] == first).await;
    finds(&graph, users, "userType eq 'Guest' or accountEnabled eq false", |it| {
        it["userType"] == "Guest" || it["accountEnabled"] == false
    })
    .await;
    let groups = "/v1.0/groups?$top=999";
    let unified = |it: &Value| it["groupTypes"] == serde_json::json!(["Unified"]);
    finds(&graph, groups, "mailEnabled eq true", |it| it["mailEnabled"] == true).await;
    finds(&graph, groups, "groupTypes/any(c:c eq 'Unified')", unified).await;
    finds(&graph, groups, "groupTypes/any(kind: kind eq 'Unified')", unified).await;
    let both = "securityEnabled eq false and mailEnabled eq true and groupTypes/any(c:c+eq+'Unified')";
    finds(&graph, groups, both, unified).await;
}

#[tokio::test]
async fn messages() {
    let graph = Graph::start().await;
    let list = format!("/v1.0/users/{}/messages?$top=1000", graph.staff().id());
    let at = "2026-02-10T00:00:00Z";
    let time = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
    finds(&graph, &list, "isRead eq false", |it| it["isRead"] == false).await;
    finds(&graph, &list, "isDraft eq true", |it| it["isDraft"] == true).await;
    finds(&graph, &list, "hasAttachments eq true", |it| it["hasAttachments"] == true).await;
    finds(&graph, &list, "importance eq 'high'", |it| it["importance"] == "high").await;
    for name in ["receivedDateTime", "sentDateTime", "createdDateTime", "lastModifiedDateTime"] {
        finds(&graph, &list, &format!("{name} ge {at}"), |it| time(it, name).as_str() >= at).await;
    }
    let nested = format!("receivedDateTime lt {at} and (importance eq 'high' or not (isRead eq true))");
    finds(&graph, &list, &nested, |it| {
        time(it, "receivedDateTime").as_str() < at && (it["importance"] == "high" || it["isRead"] == false)
    })
    .await;
}

#[tokio::test]
async fn contacts_and_folders() {
    let graph = Graph::start().await;
    let user = format!("/v1.0/users/{}", graph.staff().id());
    let contacts = format!("{user}/contacts?$top=100");
    let some = graph.walk(&contacts).await[0]["emailAddresses"][0]["address"].as_str().unwrap().to_owned();
    let has = |it: &Value| it["emailAddresses"].as_array().unwrap().iter().any(|it| it["address"] == some);
    finds(&graph, &contacts, &format!("emailAddresses/any(a:a/address eq '{some}')"), has).await;
    let names = |objects: Vec<Value>| -> Vec<String> {
        objects.iter().map(|it| it["displayName"].as_str().unwrap().to_lowercase()).collect()
    };
    let sorted = names(graph.walk(&format!("{contacts}&$orderby=displayName desc")).await);
    assert!(sorted.len() > 2 && sorted.iter().rev().is_sorted(), "{sorted:?}");
    let folders = names(graph.walk(&format!("{user}/mailFolders?$orderby=displayName")).await);
    assert!(folders.len() > 8 && folders.is_sorted(), "{folders:?}");
}

#[tokio::test]
async fn some_queries_of_the_directory_need_header_and_count() {
    let graph = Graph::start().await;
    let code = "Request_UnsupportedQuery";
    for query in [
        "users?$filter=mail ne null",
        "users?$filter=not (accountEnabled eq true)",
        "users?$filter=endswith(mail,'@tallgrass.example')",
        "groups?$filter=mailEnabled ne true",
        "users?$filter=userType eq 'Member'&$orderby=displayName",
    ] {
        let plain = format!("/v1.0/{query}&$select=id");
        graph.refuses(&plain, 400, code).await;
        graph.refuses(&format!("{plain}&$count=true"), 400, code).await;
        graph.refuses_with(&plain, &super::EVENTUAL, 400, code).await;
        let page = graph.get_eventually(&format!("{plain}&$count=true&$top=999")).await;
        let found = page["value"].as_array().unwrap().len();
        assert!(found > 0 && found < 300, "{query}: {found}");
        assert_eq!(page["@odata.count"], found);
    }
    let with_mail = graph.get_eventually("/v1.0/users?$filter=mail ne null&$count=true&$top=999").await;
    let expected: Vec<_> = graph.tenant.users().iter().filter(|user| user.mail().is_some()).collect();
    assert_eq!(ids(with_mail["value"].as_array().unwrap()).len(), expected.len());
}

#[tokio::test]
async fn the_directory_sorts_by_names_only() {
    let graph = Graph::start().await;
    for list in
        ["users?$orderby=displayName desc", "users?$orderby=userPrincipalName", "groups?$orderby=displayName"]
    {
        let property = if list.contains("Principal") { "userPrincipalName" } else { "displayName" };
        let all = graph.walk(&format!("/v1.0/{list}")).await;
        let mut names: Vec<String> =
            all.iter().map(|it| it[property].as_str().unwrap().to_lowercase()).collect();
        if list.ends_with("desc") {
            names.reverse();
        }
        assert!(names.is_sorted() && names.len() >= 40, "{list}");
    }
    graph.refuses("/v1.0/users?$orderby=accountEnabled", 400, "Request_UnsupportedQuery").await;
    graph.refuses("/v1.0/groups?$orderby=mail", 400, "Request_UnsupportedQuery").await;
}

#[tokio::test]
async fn what_messages_are_sorted_by_has_to_lead_their_filter() {
    let graph = Graph::start().await;
    let list = format!("/v1.0/users/{}/messages?$top=1000", graph.staff().id());
    let at = "2026-02-01T00:00:00Z";
    for (filter, orderby) in [
        ("isRead eq false".to_owned(), "receivedDateTime desc"),
        (format!("isRead eq false and receivedDateTime ge {at}"), "receivedDateTime desc"),
        (format!("receivedDateTime ge {at}"), "receivedDateTime desc,isRead"),
        (format!("receivedDateTime ge {at} and sentDateTime ge {at}"), "sentDateTime,receivedDateTime"),
    ] {
        let target = format!("{list}&$filter={filter}&$orderby={orderby}");
        let refused = graph.get_with(&target, &[]).await;
        assert_eq!(refused.status, 400, "{filter} {orderby}");
        let error = &refused.json()["error"];
        assert_eq!(error["code"], "InefficientFilter");
        assert_eq!(error["message"], "The restriction or sort order is too complex for this operation.");
    }
    for (filter, orderby) in [
        (format!("receivedDateTime ge {at} and isRead eq false"), "receivedDateTime"),
        (format!("lastModifiedDateTime ge {at}"), "lastModifiedDateTime asc"),
        (
            format!("receivedDateTime ge {at} and ReceivedDateTime lt 2027-01-01 and isRead eq false"),
            "receivedDateTime,isRead",
        ),
    ] {
        let found = graph.walk(&format!("{list}&$filter={filter}&$orderby={orderby}")).await;
        let property = orderby.split([' ', ',']).next().unwrap();
        let times: Vec<&str> = found.iter().map(|it| it[property].as_str().unwrap()).collect();
        assert!(times.len() > 2 && times.is_sorted(), "{orderby}");
    }
    let sorted = graph.walk(&format!("{list}&$orderby=importance,receivedDateTime desc")).await;
    assert_eq!(sorted[0]["importance"], "high");
}
