//! What the directory does to a client that trusts the order of things. The sources are in `demo/tenant/delta/directory.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use glassine::demo::tenant::{GroupKind, Tenant};
use serde_json::{Value, json};

use super::{Graph, ids, merged};

/// The sizes of a round's pages, its objects, and the link to the next round.
async fn pages(graph: &Graph, first: &str) -> (Vec<usize>, Vec<Value>, String) {
    let (mut sizes, mut objects, mut link) = (Vec::new(), Vec::new(), first.to_owned());
    loop {
        let page = graph.get(&link).await;
        let value = page["value"].as_array().unwrap();
        sizes.push(value.len());
        objects.extend(value.clone());
        match page["@odata.nextLink"].as_str() {
            Some(next) => next.clone_into(&mut link),
            None => return (sizes, objects, page["@odata.deltaLink"].as_str().unwrap().to_owned()),
        }
    }
}

fn without_unset(mut object: Value) -> Value {
    object.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    object
}

#[tokio::test]
async fn pages_of_changes_are_uneven_and_one_is_empty() {
    let graph = Graph::start().await;
    let (sizes, _, _) = pages(&graph, "/v1.0/users/delta").await;
    assert!(sizes.iter().all(|size| *size <= 200) && sizes.contains(&0), "{sizes:?}");
    let least = graph.get_with("/v1.0/users/delta", &[("prefer", "odata.maxpagesize=40")]).await.json();
    assert!((30..=40).contains(&least["value"].as_array().unwrap().len()));
    assert_eq!(
        graph.get("/v1.0/users?$top=40").await["value"].as_array().unwrap().len(),
        40,
        "a list is even"
    );
}

#[tokio::test]
async fn users_come_again_and_in_parts_and_together_they_are_the_list() {
    let graph = Graph::start().await;
    let select = "$select=id,displayName,mail,accountEnabled,userType";
    let (_, objects, _) = pages(&graph, &format!("/v1.0/users/delta?{select}")).await;
    let mut showings: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for object in objects.iter().filter(|it| !it["@removed"].is_object()) {
        showings.entry(object["id"].as_str().unwrap()).or_default().push(object);
    }
    let twice = showings.values().filter(|it| it.len() == 2);
    let (replayed, in_parts): (Vec<&Vec<&Value>>, Vec<&Vec<&Value>>) = twice.partition(|it| it[0] == it[1]);
    assert!(replayed.len() >= 4 && in_parts.len() >= 6, "{} and {}", replayed.len(), in_parts.len());
    for parts in in_parts {
        let shared = parts[0].as_object().unwrap().keys().filter(|name| parts[1].get(*name).is_some());
        assert_eq!(shared.collect::<Vec<_>>(), ["id"], "{parts:?}");
    }
    let listed = graph.walk(&format!("/v1.0/users?{select}")).await;
    let listed: Vec<_> = listed.into_iter().map(without_unset).collect();
    assert_eq!(merged(&objects), merged(&listed));
}

#[tokio::test]
async fn members_of_a_large_group_come_in_parts() {
    let graph = Graph::start().await;
    let (_, objects, _) = pages(&graph, "/v1.0/groups/delta?$select=displayName,members").await;
    let mut large = 0;
    for (id, group) in merged(&objects) {
        let members = graph.walk(&format!("/v1.0/groups/{id}/members?$select=id")).await;
        assert_eq!(ids(group["members@delta"].as_array().unwrap()), ids(&members), "{group}");
        let showings: Vec<_> = objects.iter().filter(|it| it["id"] == json!(id)).collect();
        assert!(showings.iter().all(|it| it["displayName"] == group["displayName"]));
        if members.len() > 50 {
            large += 1;
            assert!(showings.len() >= 2 && showings[0]["members@delta"] != showings[1]["members@delta"]);
        }
    }
    assert!(large > 1, "{large}");
}

#[tokio::test]
async fn what_was_deleted_is_changed_first_and_deleted_later() {
    let graph = Graph::start().await;
    let (_, first, mut link) = pages(&graph, "/v1.0/users/delta").await;
    let reasons = |objects: &[Value]| -> Vec<(String, Value)> {
        let removed = objects.iter().filter(|it| it["@removed"].is_object());
        removed.map(|it| (it["id"].as_str().unwrap().to_owned(), it["@removed"]["reason"].clone())).collect()
    };
    let before = reasons(&first);
    assert_eq!((before.len(), &before[0].1), (1, &json!("changed")), "somebody who was deleted before");
    assert!(graph.tenant.users().iter().all(|user| user.id() != before[0].0));
    let mut last = None;
    for round in 1..5 {
        let (_, changed, next) = pages(&graph, &link).await;
        let removed = reasons(&changed);
        assert_eq!(removed[0].1, "changed");
        assert_eq!(removed.get(1).cloned(), last, "round {round}");
        assert_eq!(ids(&changed).len(), changed.len() - 1, "one object changed twice");
        last = Some((removed[0].0.clone(), json!("deleted")));
        link = next;
    }
    let security: Vec<_> =
        graph.tenant.groups().iter().filter(|it| it.kind() != GroupKind::Unified).collect();
    let (_, _, mut link) = pages(&graph, "/v1.0/groups/delta").await;
    for _ in 0..6 {
        let (_, changed, next) = pages(&graph, &link).await;
        for (id, reason) in reasons(&changed) {
            let cannot_return = security.iter().any(|group| group.id() == id);
            assert!(!cannot_return || reason == "deleted", "{id}: {reason}");
        }
        link = next;
    }
}

#[tokio::test]
async fn a_client_can_prefer_only_what_changed() {
    let graph = Graph::start().await;
    let (_, _, link) = pages(&graph, "/v1.0/users/delta?$select=displayName,accountEnabled,userType").await;
    let all = graph.get(&link).await;
    let minimal = graph.get_with(&link, &[("prefer", "return=minimal")]).await.json();
    let (all, minimal) = (all["value"].as_array().unwrap(), minimal["value"].as_array().unwrap());
    assert_eq!((all[0].as_object().unwrap().len(), minimal[0].as_object().unwrap().len()), (4, 3));
    assert_eq!(all[1], minimal[1], "a new user is whole");
    assert_eq!(all[3], minimal[3], "so is a removal");
}

#[tokio::test]
async fn a_reset_leads_back_to_the_beginning() {
    let graph = Graph::of(Arc::new(Tenant::new(7))).await;
    let (_, before, link) = pages(&graph, "/v1.0/users/delta").await;
    graph.tenant.reset_changes();
    let response = graph.get_with(&link, &[]).await;
    assert_eq!(
        (response.status.as_u16(), &response.json()["error"]["code"]),
        (410, &json!("resyncRequired"))
    );
    let location = response.header("location").to_owned();
    assert_eq!(location, format!("http://{}/v1.0/users/delta?$deltatoken=", graph.address));
    let (_, again, link) = pages(&graph, &location).await;
    assert_eq!(merged(&again), merged(&before));
    assert!(!pages(&graph, &link).await.1.is_empty(), "links of after the reset work");
    graph.refuses("/v1.0/users/delta?$deltatoken=forged", 400, "syncStateNotFound").await;
}

#[tokio::test]
async fn hidden_members_are_left_out_without_an_error() {
    let graph = Graph::start().await;
    let group = graph.tenant.groups().iter().find(|group| group.has_hidden_members()).unwrap();
    let shown = graph.get(&format!("/v1.0/groups/{}?$select=visibility", group.id())).await;
    assert_eq!(shown["visibility"], "HiddenMembership", "a request without a token sees everything");
    assert!(!graph.walk(&format!("/v1.0/groups/{}/members", group.id())).await.is_empty());
    let hidden = graph.tenant.groups().iter().filter(|group| group.has_hidden_members());
    assert!(hidden.clone().count() == 1 && hidden.clone().all(|group| group.kind() == GroupKind::Unified));
}
