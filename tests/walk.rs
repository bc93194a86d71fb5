//! What a consumer does: users → folders → messages → next pages, with only tokens from earlier responses.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::glassine::{Glassine, METADATA_ONLY, OUTLOOK_MAIL, Setup, sample_tenant};
use crate::tenant::merged;

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_else(|| panic!("{name} in {object}"))
}

async fn walk_the_tenant(rules: &str, version: &str) {
    let (tenant, graph) = sample_tenant().await;
    let mut setup = Setup::in_front_of(graph).rules(rules);
    setup.domain = tenant.domain().to_owned();
    let proxy = setup.start().await;

    let (users, pages) = proxy.walk(&format!("/{version}/users")).await;
    assert_eq!(users.len(), tenant.users().len());
    assert!(pages > 1);

    let mailbox = tenant.users().iter().find(|user| user.has_mailbox()).unwrap();
    let token = proxy.id(mailbox.id());
    let user = users.iter().find(|user| text(user, "id") == token).expect("the user is in the list");
    let base = format!("/{version}/users/{}", text(user, "id"));

    let (folders, _) = proxy.walk(&format!("{base}/mailFolders?$top=3")).await;
    assert!(folders.len() > 3);
    let (all, _) = proxy.walk(&format!("{base}/messages?$top=100")).await;
    let by_folder: u64 = folders.iter().map(|folder| folder["totalItemCount"].as_u64().unwrap()).sum();
    assert!(all.len() as u64 >= by_folder, "{} of {by_folder}", all.len());

    let folder = folders.iter().max_by_key(|folder| folder["totalItemCount"].as_u64()).unwrap();
    let (messages, pages) =
        proxy.walk(&format!("{base}/mailFolders/{}/messages?$top=25", text(folder, "id"))).await;
    assert_eq!(messages.len() as u64, folder["totalItemCount"].as_u64().unwrap());
    assert!(pages > 1);
    let ids: BTreeSet<_> = messages.iter().map(|message| text(message, "id")).collect();
    assert_eq!(ids.len(), messages.len());

    let one = proxy.get(&format!("{base}/messages/{}", text(&messages[0], "id"))).await.json();
    assert_eq!(one["conversationId"], messages[0]["conversationId"]);
    let settings = proxy.get(&format!("{base}/mailboxSettings")).await.json();
    assert!(settings["timeZone"].is_string() && settings["automaticRepliesSetting"]["status"].is_string());
    assert!(settings["automaticRepliesSetting"].get("internalReplyMessage").is_none());

    // The owner's address is one token in the directory and in their mail.
    let mail = text(user, "mail");
    assert!(mail.starts_with("t~") && mail.ends_with(tenant.domain()), "{mail}");
    let addressed = all.iter().any(|message| message["toRecipients"].to_string().contains(mail));
    assert!(addressed, "nothing was sent to {mail}");

    let (groups, _) = proxy.walk(&format!("/{version}/groups")).await;
    let mut members = Vec::new();
    for group in &groups {
        members.extend(proxy.walk(&format!("/{version}/groups/{}/members", text(group, "id"))).await.0);
    }
    let known: BTreeSet<_> = users.iter().chain(&groups).map(|object| text(object, "id")).collect();
    assert!(!members.is_empty() && members.iter().all(|member| known.contains(text(member, "id"))));

    let (contacts, _) = proxy.walk(&format!("{base}/contacts")).await;
    assert!(contacts.iter().any(|contact| contact["emailAddresses"].to_string().contains("t~")));
    walk_contacts(&proxy, &base, &contacts).await;
    let (changed, _) = proxy.walk(&format!("/{version}/groups/delta")).await;
    assert_eq!(merged(&changed).len(), groups.len());
    let mut people = Vec::new();
    for group in &groups {
        let members = format!("/{version}/groups/{}/members/graph.user", text(group, "id"));
        people.extend(proxy.walk(&members).await.0);
    }
    assert!(!people.is_empty() && people.len() <= members.len());
    let persons: BTreeSet<_> = users.iter().map(|user| text(user, "id")).collect();
    assert!(people.iter().all(|person| persons.contains(text(person, "id"))));
}

/// Contacts by id, by folder, and the changes in the folder since.
async fn walk_contacts(proxy: &Glassine, base: &str, contacts: &[Value]) {
    let one = proxy.get(&format!("{base}/contacts/{}", text(&contacts[0], "id"))).await.json();
    assert_eq!(one["emailAddresses"], contacts[0]["emailAddresses"]);
    let folder = format!("{base}/contactFolders/{}/contacts", text(&contacts[0], "parentFolderId"));
    assert_eq!(proxy.walk(&folder).await.0.len(), contacts.len());
    let (folders, _) = proxy.walk(&format!("{base}/contactFolders")).await;
    assert!(folders.iter().all(|folder| folder.get("displayName").is_none()), "{folders:?}");
    let mut next = format!("{folder}/delta");
    let delta = loop {
        let page = proxy.get(&next).await.json();
        match page["@odata.deltaLink"].as_str() {
            Some(link) => break link.to_owned(),
            None => next = text(&page, "@odata.nextLink").to_owned(),
        }
    };
    let changes = proxy.get(&delta).await.json();
    let removed =
        changes["value"].as_array().unwrap().iter().any(|one| one["@removed"]["reason"].is_string());
    assert!(removed && changes["@odata.deltaLink"].is_string(), "{changes}");
}

#[tokio::test]
async fn a_consumer_walks_the_tenant_by_tokens_alone() {
    walk_the_tenant(METADATA_ONLY, "v1.0").await;
}

#[tokio::test]
async fn a_consumer_walks_the_tenant_through_beta() {
    walk_the_tenant(METADATA_ONLY, "beta").await;
}

#[tokio::test]
async fn a_consumer_walks_the_tenant_with_the_other_connector() {
    walk_the_tenant(OUTLOOK_MAIL, "v1.0").await;
}
