//! `/$count` and `$count=true`.

use super::{EVENTUAL, Graph};

#[tokio::test]
async fn the_directory_counts_eventually_only() {
    let graph = Graph::start().await;
    let group = format!("/v1.0/groups/{}", graph.tenant.groups()[0].id());
    let user = format!("/v1.0/users/{}", graph.staff().id());
    for list in [
        "/v1.0/users".to_owned(),
        "/v1.0/groups".to_owned(),
        format!("{group}/members"),
        format!("{group}/transitiveMembers"),
        format!("{group}/transitiveMembers/microsoft.graph.user"),
        format!("{user}/memberOf"),
        format!("{user}/transitiveMemberOf"),
    ] {
        let counted = graph.count(&format!("{list}/$count"), &EVENTUAL).await;
        assert_eq!(counted, graph.walk(&format!("{list}?$top=999")).await.len(), "{list}");
        graph.refuses(&format!("{list}/$count"), 400, "Request_UnsupportedQuery").await;
    }
}

#[tokio::test]
async fn a_count_honours_the_filter() {
    let graph = Graph::start().await;
    let user = format!("/v1.0/users/{}", graph.staff().id());
    for (list, filter, headers) in [
        ("/v1.0/users".to_owned(), "userType eq 'Guest'", EVENTUAL.as_slice()),
        ("/v1.0/groups".to_owned(), "mailEnabled eq false", &EVENTUAL),
        (format!("{user}/messages"), "isRead eq false", &[]),
        (format!("{user}/mailFolders/inbox/messages"), "hasAttachments eq true", &[]),
        (format!("{user}/mailFolders"), "displayName eq 'Inbox'", &[]),
    ] {
        let found = graph.count(&format!("{list}/$count?$filter={filter}"), headers).await;
        assert_eq!(found, graph.walk(&format!("{list}?$top=999&$filter={filter}")).await.len(), "{list}");
        assert!(found > 0 && found < graph.count(&format!("{list}/$count"), headers).await, "{list}");
    }
    // Without the filter's own `$count=true`: the path counts already.
    let with_mail = graph.count("/v1.0/users/$count?$filter=mail ne null", &EVENTUAL).await;
    assert_eq!(with_mail, graph.tenant.users().iter().filter(|user| user.mail().is_some()).count());
}

#[tokio::test]
async fn counts_of_a_mailbox_need_no_header() {
    let graph = Graph::start().await;
    let user = format!("/v1.0/users/{}", graph.staff().id());
    for list in ["messages", "mailFolders", "mailFolders/inbox/messages", "contacts", "contactFolders"] {
        let counted = graph.count(&format!("{user}/{list}/$count"), &[]).await;
        assert_eq!(counted, graph.walk(&format!("{user}/{list}?$top=100")).await.len(), "{list}");
    }
}

#[tokio::test]
async fn the_directory_ignores_count_without_the_header() {
    let graph = Graph::start().await;
    for list in ["/v1.0/users?$count=true&$top=2", "/v1.0/groups?$count=true&$top=2"] {
        assert!(graph.get(list).await.get("@odata.count").is_none(), "{list}");
        let first = graph.get_eventually(list).await;
        assert!(first["@odata.count"].as_u64().unwrap() >= 40);
        let next = graph.get_eventually(first["@odata.nextLink"].as_str().unwrap()).await;
        assert!(next.get("@odata.count").is_none(), "only the first page has the count");
    }
}
