//! Change tracking: what deltas may be asked, and what their rounds bring.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Graph, ids, merged};

fn inbox(graph: &Graph) -> String {
    format!("/v1.0/users/{}/mailFolders/inbox/messages/delta", graph.staff().id())
}

fn is_removed(object: &&Value) -> bool {
    object["@removed"].is_object()
}

#[tokio::test]
async fn membership_is_in_a_delta_only_where_it_is_tracked() {
    let graph = Graph::start().await;
    for (select, tracked) in [
        ("", true),
        ("?$select=members", true),
        ("?$select=displayName,Members", true),
        ("?$select=id,displayName", false),
        ("?$select=mail", false),
    ] {
        let (groups, next) = graph.round(&format!("/v1.0/groups/delta{select}")).await;
        let (changed, _) = graph.round(&next).await;
        let kept = groups.iter().chain(&changed).filter(|it| !is_removed(it));
        for group in kept {
            assert_eq!(group.get("members@delta").is_some(), tracked, "{select}: {group}");
            assert!(group["id"].is_string(), "{group}");
        }
    }
}

#[tokio::test]
async fn a_later_round_says_who_joined_and_who_left() {
    let graph = Graph::start().await;
    let (groups, next) = graph.round("/v1.0/groups/delta?$select=members").await;
    let groups = merged(&groups);
    let (changed, _) = graph.round(&next).await;
    for group in changed.iter().filter(|group| !is_removed(group)) {
        let before = &groups[group["id"].as_str().unwrap()];
        let before = ids(before["members@delta"].as_array().unwrap());
        let changes = group["members@delta"].as_array().unwrap();
        assert!(
            changes.iter().all(|it| it["@odata.type"].as_str().unwrap().starts_with("#microsoft.graph."))
        );
        let (left, joined): (Vec<&Value>, Vec<&Value>) = changes.iter().partition(is_removed);
        assert_eq!((left.len(), joined.len()), (1, 1), "{group}");
        assert!(before.contains(left[0]["id"].as_str().unwrap()));
        assert!(!before.contains(joined[0]["id"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn latest_starts_now_in_the_directory_and_keeps_the_options() {
    let graph = Graph::start().await;
    for list in ["/v1.0/users/delta", "/beta/groups/delta()"] {
        let now = graph.get(&format!("{list}?$deltaToken=latest&$select=mail")).await;
        assert_eq!(now["value"], serde_json::json!([]), "{list}");
        assert!(now.get("@odata.nextLink").is_none());
        let (changed, _) = graph.round(now["@odata.deltaLink"].as_str().unwrap()).await;
        assert_eq!(ids(&changed).len(), 3);
        for object in &changed {
            let mut kept = object.as_object().unwrap().keys();
            assert!(kept.all(|name| ["id", "mail", "@removed"].contains(&name.as_str())), "{list}: {object}");
        }
        assert!(changed.iter().any(|object| object["mail"].is_string()), "{list}");
    }
}

#[tokio::test]
async fn latest_is_a_word_of_the_directory_and_no_token_of_exchange() {
    let graph = Graph::start().await;
    let user = format!("/v1.0/users/{}", graph.staff().id());
    for list in [inbox(&graph), format!("{user}/mailFolders/delta"), format!("{user}/contacts/delta")] {
        graph.refuses(&format!("{list}?$deltatoken=latest"), 410, "SyncStateNotFound").await;
        assert!(!graph.round(&list).await.0.is_empty(), "{list}");
    }
}

#[tokio::test]
async fn top_is_a_page_size_for_messages_and_nothing_for_the_directory() {
    let graph = Graph::start().await;
    let page = graph.get(&format!("{}?$top=3", inbox(&graph))).await;
    assert_eq!(page["value"].as_array().unwrap().len(), 3);
    let next = graph.get(page["@odata.nextLink"].as_str().unwrap()).await;
    assert_eq!(next["value"].as_array().unwrap().len(), 3, "the token has the page size");
    assert!(graph.get("/v1.0/users/delta?$top=3").await["value"].as_array().unwrap().len() > 100);
    graph.refuses(&format!("{}?$top=1001", inbox(&graph)), 400, "Request_UnsupportedQuery").await;
}

#[tokio::test]
async fn messages_can_be_limited_to_one_kind_of_change() {
    let graph = Graph::start().await;
    let (all, _) = graph.round(&inbox(&graph)).await;
    let mut shown = BTreeSet::new();
    for (kind, listed, removed) in [("created", all.len(), 0), ("updated", 0, 0), ("deleted", 0, 1)] {
        let (first, next) = graph.round(&format!("{}?changeType={kind}", inbox(&graph))).await;
        assert_eq!(first.len(), listed, "{kind}");
        let (changed, _) = graph.round(&next).await;
        assert_eq!(changed.iter().filter(is_removed).count(), removed, "{kind}");
        shown.extend(ids(&changed));
        assert_eq!(changed.len(), 1, "{kind}");
    }
    assert_eq!(shown.len(), 3);
    graph.refuses(&format!("{}?changeType=moved", inbox(&graph)), 400, "BadRequest").await;
}

#[tokio::test]
async fn deltas_of_the_directory_can_be_limited_to_ids() {
    let graph = Graph::start().await;
    let users: Vec<&str> = graph.tenant.users().iter().map(|user| user.id()).collect();
    let by_ids = |many: &[&str]| {
        let terms: Vec<String> = many.iter().map(|id| format!("id eq '{id}'")).collect();
        format!("/v1.0/users/delta?$filter={}", terms.join(" or "))
    };
    let (found, next) = graph.round(&by_ids(&users[3..5])).await;
    assert_eq!(ids(&found), users[3..5].iter().map(|id| (*id).to_owned()).collect());
    let (changed, _) = graph.round(&next).await;
    assert!(
        !changed.is_empty() && changed.iter().all(|it| users[3..5].contains(&it["id"].as_str().unwrap()))
    );
    assert_eq!(ids(&graph.round(&by_ids(&users[..50])).await.0).len(), 50);
    let group = graph.tenant.groups()[2].id();
    let (found, _) = graph.round(&format!("/v1.0/groups/delta?$filter=id eq '{group}'")).await;
    assert_eq!(ids(&found), [group.to_owned()].into());
    for filter in [
        by_ids(&users[..51]),
        "/v1.0/users/delta?$filter=accountEnabled eq true".to_owned(),
        format!("/v1.0/users/delta?$filter=id in ('{}')", users[0]),
        format!("/v1.0/users/delta?$filter=id ne '{}'", users[0]),
    ] {
        graph.refuses(&filter, 400, "Request_UnsupportedQuery").await;
    }
}

#[tokio::test]
async fn deltas_of_messages_are_filtered_by_receipt_only() {
    let graph = Graph::start().await;
    let since = "2026-02-01T00:00:00Z";
    let list = inbox(&graph);
    let (all, _) = graph.round(&list).await;
    for filter in [format!("receivedDateTime ge {since}"), format!("ReceivedDateTime gt {since}")] {
        let (found, next) =
            graph.round(&format!("{list}?$filter={filter}&$orderby=receivedDateTime desc")).await;
        let times: Vec<&str> = found.iter().map(|it| it["receivedDateTime"].as_str().unwrap()).collect();
        assert!(!times.is_empty() && times.len() < all.len() && times.iter().all(|time| *time >= since));
        assert!(times.iter().rev().is_sorted());
        let (changed, _) = graph.round(&next).await;
        assert!(ids(&changed).is_subset(&ids(&found)), "the token has the filter");
    }
    for refused in [
        "$filter=isRead eq false".to_owned(),
        format!("$filter=receivedDateTime le {since}"),
        format!("$filter=receivedDateTime ge {since} and isRead eq false"),
        "$orderby=receivedDateTime".to_owned(),
        "$orderby=subject desc".to_owned(),
        "$search=%22x%22".to_owned(),
    ] {
        graph.refuses(&format!("{list}?{refused}"), 400, "ErrorInvalidUrlQuery").await;
    }
}

#[tokio::test]
async fn deltas_of_folders_and_contacts_take_select_alone() {
    let graph = Graph::start().await;
    let user = format!("/v1.0/users/{}", graph.staff().id());
    for list in [format!("{user}/mailFolders/delta"), format!("{user}/contacts/delta")] {
        let (found, _) = graph.round(&format!("{list}?$select=id")).await;
        assert!(found.iter().all(|it| it.get("displayName").is_none()), "{list}");
        for option in ["$top=5", "$filter=displayName eq 'x'", "$orderby=displayName", "$search=%22x%22"] {
            graph.refuses(&format!("{list}?{option}"), 400, "ErrorInvalidUrlQuery").await;
        }
    }
}

#[tokio::test]
async fn messages_are_tracked_in_folders_only() {
    let graph = Graph::start().await;
    let target = format!("/v1.0/users/{}/messages/delta", graph.staff().id());
    graph.refuses(&target, 400, "BadRequest").await;
    assert!(!graph.round(&inbox(&graph)).await.0.is_empty());
}

#[tokio::test]
async fn contacts_are_tracked_with_and_without_their_folder() {
    let graph = Graph::start().await;
    let user = format!("/v1.0/users/{}", graph.staff().id());
    let book =
        graph.get(&format!("{user}/contactFolders")).await["value"][0]["id"].as_str().unwrap().to_owned();
    let (plain, next) = graph.round(&format!("{user}/contacts/delta")).await;
    assert!(next.contains("/contacts/delta?$deltatoken=") && !next.contains("contactFolders"), "{next}");
    let (named, next) = graph.round(&format!("{user}/contactFolders/{book}/contacts/delta")).await;
    assert!(next.contains(&format!("/contactFolders('{book}')/contacts/delta?$deltatoken=")), "{next}");
    assert!(!plain.is_empty() && plain == named);
}
