//! Pages, options, links and change tracking.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Graph, ids, merged};

const PAGES_OF_THREE: [(&str, &str); 1] = [("prefer", "odata.maxpagesize=3")];

/// Walks through a list in pages of three. Gives the objects, and the lengths of the tokens. Checks that each token of a
/// next link holds the id of the last object of its page, and the name that `named` has for it.
async fn walk_by_tokens(
    graph: &Graph,
    first: &str,
    named: &BTreeMap<&str, String>,
) -> (Vec<Value>, BTreeSet<usize>) {
    let (mut objects, mut lengths) = (Vec::new(), BTreeSet::new());
    let mut link = first.to_owned();
    loop {
        let page = graph.get_with(&link, &PAGES_OF_THREE).await.json();
        objects.extend(page["value"].as_array().unwrap().clone());
        let Some(next) = page["@odata.nextLink"].as_str() else { return (objects, lengths) };
        let (_, token) = next.split_once("$skiptoken=").unwrap();
        let content = URL_SAFE_NO_PAD.decode(token).unwrap();
        let content = String::from_utf8_lossy(&content);
        let last = objects.iter().rev().find(|object| !object["@removed"].is_object()).unwrap();
        let id = last["id"].as_str().unwrap();
        for part in [id, &named[id]] {
            assert!(content.contains(part), "{part} in {content}");
        }
        lengths.insert(token.len());
        next.clone_into(&mut link);
    }
}

/// As in Entra, so that tests can see whether the lengths of the proxy's links tell anything.
#[tokio::test]
async fn tokens_of_the_directory_hold_the_last_object_of_the_page() {
    let graph = Graph::start().await;
    let listed = graph.walk("/v1.0/groups").await;
    let users = graph.tenant.users().iter();
    let users: BTreeMap<&str, String> =
        users.map(|user| (user.id(), user.user_principal_name().to_owned())).collect();
    let text = |object: &Value, name| object[name].as_str().unwrap().to_owned();
    let groups = listed.iter().map(|group| (group["id"].as_str().unwrap(), text(group, "displayName")));
    let groups: BTreeMap<&str, String> = groups.collect();
    for (first, named) in [
        ("/v1.0/users", &users),
        ("/v1.0/users/delta", &users),
        ("/v1.0/groups", &groups),
        ("/v1.0/groups/delta", &groups),
    ] {
        let (objects, lengths) = walk_by_tokens(&graph, first, named).await;
        let found = merged(&objects);
        assert!(found.keys().map(String::as_str).eq(named.keys().copied()), "{first}");
        assert!(lengths.len() >= 5, "{first}: {lengths:?}");
    }
}

#[tokio::test]
async fn small_pages_of_filtered_users_and_of_members_are_the_whole_list() {
    let graph = Graph::start().await;
    for list in [
        "/v1.0/users?$filter=userType%20eq%20'Guest'".to_owned(),
        format!(
            "/v1.0/groups/{}/transitiveMembers?$select=id,userPrincipalName",
            graph.tenant.groups()[0].id()
        ),
        format!("/v1.0/groups/{}/members", graph.tenant.groups()[0].id()),
    ] {
        let whole =
            graph.walk(&format!("{list}{}$top=999", if list.contains('?') { '&' } else { '?' })).await;
        let mut pages = Vec::new();
        let mut link = Some(list.clone());
        while let Some(target) = link {
            let page = graph.get_with(&target, &PAGES_OF_THREE).await.json();
            pages.extend(page["value"].as_array().unwrap().clone());
            link = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        assert!(whole.len() > 3 && pages == whole, "{list}: {} of {}", pages.len(), whole.len());
    }
}

#[tokio::test]
async fn a_token_of_another_list_is_refused() {
    let graph = Graph::start().await;
    let page = graph.get("/v1.0/users?$top=2").await;
    let (_, token) = page["@odata.nextLink"].as_str().unwrap().split_once("$skiptoken=").unwrap();
    assert_eq!(
        graph.get(&format!("/v1.0/users?$top=1&$skiptoken={token}")).await["value"][0]["id"],
        graph.tenant.users()[2].id()
    );
    for other in ["/v1.0/groups", "/v1.0/users?$filter=userType%20eq%20'Guest'"] {
        let target = format!("{other}{}$skiptoken={token}", if other.contains('?') { '&' } else { '?' });
        graph.refuses(&target, 400, "Directory_ExpiredPageToken").await;
    }
}

#[tokio::test]
async fn users_come_in_pages_with_a_skiptoken() {
    let graph = Graph::start().await;
    let first = graph.get("/v1.0/users").await;
    assert_eq!(first["value"].as_array().unwrap().len(), 100);
    assert!(first["@odata.nextLink"].as_str().unwrap().contains("/v1.0/users?$skiptoken="));
    assert_eq!(first["value"][0].as_object().unwrap().len(), 11);
    let all = graph.walk("/beta/users?$top=77&$select=id,mail,proxyAddresses").await;
    assert_eq!(ids(&all).len(), graph.tenant.users().len());
    assert!(all.iter().all(|user| user.get("displayName").is_none()));
}

#[tokio::test]
async fn spellings_of_one_resource_are_alike() {
    let graph = Graph::start().await;
    let user = graph.staff();
    let plain =
        graph.get(&format!("/v1.0/users/{}/mailFolders/inbox/messages?$top=2", user.id())).await["value"]
            .clone();
    let upn = user.user_principal_name().replace('@', "%40");
    for target in [
        format!("/v1.0/users/{upn}/mailfolders/Inbox/messages/?%24top=2"),
        format!("/v1.0/Users('{upn}')/MailFolders('inbox')/Messages?top=2"),
        format!("/v1.0/users/{}@{}/mailFolders/INBOX/messages?$Top=2", user.id(), graph.tenant.tenant_id()),
    ] {
        assert_eq!(graph.get(&target).await["value"], plain, "{target}");
    }
}

#[tokio::test]
async fn next_links_repeat_path_and_options() {
    let graph = Graph::start().await;
    let target = format!("/v1.0/users/{}/messages?$select=id&$top=5&$count=true", graph.staff().id());
    let page = graph.get(&target).await;
    let next = page["@odata.nextLink"].as_str().unwrap();
    // After five messages, one more item has been gone through.
    let repeated = target.replace('$', "%24");
    assert_eq!(next, format!("http://{}{repeated}&%24skip=6", graph.address));
    assert!(page["@odata.count"].as_u64().unwrap() > 5);
    assert!(
        page["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with(&format!("users('{}')/messages(id)", graph.staff().id()))
    );
    let counted = graph.get_with(&format!("/v1.0/users/{}/messages/$count", graph.staff().id()), &[]).await;
    assert_eq!(counted.header("content-type"), "text/plain");
    assert_eq!(counted.body, page["@odata.count"].to_string());
}

#[tokio::test]
async fn filters_and_order() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let base = format!("/v1.0/users/{user}/messages?$top=1000&$select=receivedDateTime,subject,isRead");
    let all = graph.walk(&base).await;
    let from = "2026-02-01T00:00:00Z";
    let filtered = graph
        .walk(&format!("{base}&$filter=receivedDateTime%20ge%20{from}%20and%20receivedDateTime%20lt%202026-03-01&$orderby=receivedDateTime%20asc"))
        .await;
    let times: Vec<&str> = filtered.iter().map(|it| it["receivedDateTime"].as_str().unwrap()).collect();
    assert!(times.is_sorted() && !times.is_empty() && times.len() < all.len());
    assert!(times.iter().all(|time| *time >= from && *time < "2026-03-01"));
    let found = graph.walk(&format!("{base}&$filter=contains(subject,'salary')")).await;
    assert!(
        !found.is_empty()
            && found.iter().all(|it| it["subject"].as_str().unwrap().to_lowercase().contains("salary"))
    );
    let searched = graph.walk(&format!("{base}&$search=%22lawyer%22")).await;
    assert!(!searched.is_empty() && searched.len() < all.len());
}

#[tokio::test]
async fn page_size_can_be_preferred() {
    let graph = Graph::start().await;
    let target = format!("/v1.0/users/{}/messages", graph.staff().id());
    let response = graph.get_with(&target, &[("prefer", "odata.maxpagesize=3")]).await.json();
    assert_eq!(response["value"].as_array().unwrap().len(), 3);
    assert!(response["@odata.nextLink"].as_str().unwrap().ends_with("/messages?%24skip=3"));
}

#[tokio::test]
async fn links_below_a_folder_have_keys_in_parentheses() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let inbox = graph.tenant.folder_id(graph.staff(), "inbox").unwrap();
    for (rest, linked) in [
        (format!("mailFolders/{inbox}/messages"), format!("mailFolders('{inbox}')/messages")),
        (format!("mailFolders('{inbox}')/messages"), format!("mailFolders('{inbox}')/messages")),
        ("mailFolders/inbox/messages".to_owned(), "mailFolders('inbox')/messages".to_owned()),
    ] {
        let list = format!("/v1.0/users/{user}/{rest}");
        let page =
            graph.get(&format!("{list}?$select=id,isRead&$orderby=receivedDateTime desc&$top=10")).await;
        let next = page["@odata.nextLink"].as_str().unwrap();
        let query = "%24select=id%2CisRead&%24orderby=receivedDateTime+desc&%24top=10&%24skip=11";
        assert_eq!(next, format!("http://{}/v1.0/users('{user}')/{linked}?{query}", graph.address));
    }
    let folders = format!("/v1.0/users/{user}/mailFolders/msgfolderroot/childFolders?$top=2");
    let next = graph.get(&folders).await["@odata.nextLink"].as_str().unwrap().to_owned();
    let linked =
        format!("/v1.0/users('{user}')/mailFolders('msgfolderroot')/childFolders?%24top=2&%24skip=2");
    assert_eq!(next, format!("http://{}{linked}", graph.address), "folders are all there is in their list");
}

#[tokio::test]
async fn skip_counts_what_is_no_message() {
    let graph = Graph::start().await;
    let list = format!("/v1.0/users/{}/messages?$select=id", graph.staff().id());
    let walked = graph.walk(&format!("{list}&$top=7")).await;
    assert_eq!(ids(&walked).len(), walked.len(), "whoever follows the links gets each message once");
    assert_eq!(walked, graph.walk(&format!("{list}&$top=1000")).await);
    let mut computed = Vec::new();
    for skip in (0..70).step_by(7) {
        let page = graph.get(&format!("{list}&$top=7&$skip={skip}")).await;
        computed.extend(page["value"].as_array().unwrap().clone());
    }
    assert!(ids(&computed).len() < computed.len(), "whoever computes `$skip` gets some twice");
}

#[tokio::test]
async fn message_delta_lists_then_brings_changes() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let inbox = graph.tenant.folder_id(graph.staff(), "inbox").unwrap();
    let mut page =
        graph.get(&format!("/v1.0/users/{user}/mailFolders/inbox/messages/delta()?$select=isRead")).await;
    let mut listed = page["value"].as_array().unwrap().len();
    while let Some(next) = page["@odata.nextLink"].as_str().map(str::to_owned) {
        let style = format!("/v1.0/users('{user}')/mailfolders('{inbox}')/messages/delta?$skiptoken=");
        assert!(next.contains(&style), "{next}");
        page = graph.get(&next).await;
        listed += page["value"].as_array().unwrap().len();
    }
    assert_eq!(listed, graph.tenant.message_ids(graph.staff(), "inbox").len());
    let delta = page["@odata.deltaLink"].as_str().unwrap().to_owned();
    assert!(delta.contains("$deltatoken="));
    let changes = graph.get(&delta).await;
    let changed = changes["value"].as_array().unwrap();
    let removed: Vec<_> = changed.iter().filter(|item| item["@removed"]["reason"] == "deleted").collect();
    assert_eq!((changed.len(), removed.len()), (3, 1));
    assert_eq!(changed[0].as_object().unwrap().len(), 4, "etag, type, id, isRead: {}", changed[0]);
    assert_ne!(changes["@odata.deltaLink"].as_str().unwrap(), delta);
    assert_eq!(graph.get(&delta).await, changes, "a delta link can be followed again");
}

#[tokio::test]
async fn every_delta_has_a_second_round() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let (unknown, gone) = ((400, "syncStateNotFound"), (410, "SyncStateNotFound"));
    for (first, (status, code)) in [
        ("/v1.0/users/delta".to_owned(), unknown),
        ("/v1.0/groups/microsoft.graph.delta()".to_owned(), unknown),
        (format!("/v1.0/users/{user}/mailFolders/delta"), gone),
        (format!("/beta/users/{user}/contacts/delta"), gone),
    ] {
        let mut page = graph.get(&first).await;
        while let Some(next) = page["@odata.nextLink"].as_str().map(str::to_owned) {
            page = graph.get(&next).await;
        }
        let changes = graph.get(page["@odata.deltaLink"].as_str().unwrap()).await;
        assert!(changes["value"].as_array().unwrap().iter().any(|it| it["@removed"].is_object()), "{first}");
        assert!(changes["@odata.deltaLink"].is_string());
        graph.refuses(&format!("{first}?$deltatoken=forged"), status, code).await;
    }
}

#[tokio::test]
async fn groups_and_their_members() {
    let graph = Graph::start().await;
    let groups = graph.walk("/v1.0/groups").await;
    assert_eq!(groups.len(), 40);
    let everyone = groups.iter().find(|group| group["displayName"] == "Everyone").unwrap();
    let id = everyone["id"].as_str().unwrap();
    let direct = graph.walk(&format!("/v1.0/groups/{id}/members")).await;
    assert!(direct.iter().all(|member| member["@odata.type"] == "#microsoft.graph.group"));
    let all = graph.walk(&format!("/v1.0/groups/{id}/transitiveMembers?$select=id,mail")).await;
    assert!(all.iter().filter(|member| member["@odata.type"] == "#microsoft.graph.user").count() > 200);
    let users = graph.walk(&format!("/v1.0/groups/{id}/transitiveMembers/graph.user?$top=999")).await;
    assert_eq!(users.len() + direct.len(), all.len());
}

#[tokio::test]
async fn folders_and_accounts_can_be_filtered() {
    let graph = Graph::start().await;
    let folders = format!("/v1.0/users/{}/mailFolders", graph.staff().id());
    let found = graph.walk(&format!("{folders}?$filter=displayName%20eq%20'Inbox'")).await;
    assert_eq!(ids(&found).into_iter().next(), graph.tenant.folder_id(graph.staff(), "inbox"));
    let guests = graph.walk("/v1.0/users?$filter=userType%20eq%20'Guest'&$select=id,userType").await;
    assert!(!guests.is_empty() && guests.iter().all(|user| user["userType"] == "Guest"));
    let unfiltered = graph.walk("/v1.0/users?$select=id,userType").await;
    assert!(unfiltered.len() > guests.len());
}

#[tokio::test]
async fn latest_skips_the_first_round() {
    let graph = Graph::start().await;
    let now = graph.get("/v1.0/users/delta?$deltatoken=latest").await;
    assert!(now["value"].as_array().unwrap().is_empty());
    let changes = graph.get(now["@odata.deltaLink"].as_str().unwrap()).await;
    assert_eq!(ids(changes["value"].as_array().unwrap()).len(), 3);
}
