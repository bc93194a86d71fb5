//! What is in a mailbox.

use std::collections::{BTreeMap, BTreeSet};

use glassine::demo::tenant::Tenant;
use serde_json::{Value, json};

use super::{Graph, ids, thread_guid};

#[tokio::test]
async fn from_users_through_folders_to_messages() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let folders = graph.walk(&format!("/v1.0/users/{user}/mailFolders?$top=3")).await;
    assert!(folders.len() > 8);
    let inbox = folders.iter().find(|folder| folder["displayName"] == "Inbox").unwrap();
    let inbox_id = inbox["id"].as_str().unwrap();
    let messages = graph.walk(&format!("/v1.0/users/{user}/mailFolders/{inbox_id}/messages?$top=50")).await;
    assert_eq!(json!(messages.len()), inbox["totalItemCount"]);
    assert_eq!(ids(&messages).len(), messages.len());
    let unread = messages.iter().filter(|message| message["isRead"] == false).count();
    assert_eq!(json!(unread), inbox["unreadItemCount"]);
    let one = messages[0]["id"].as_str().unwrap();
    let alone = graph.get(&format!("/v1.0/users/{user}/messages/{one}")).await;
    assert_eq!(alone["subject"], messages[0]["subject"]);
    assert_eq!(messages[0]["parentFolderId"], inbox_id);
}

#[tokio::test]
async fn a_message_has_what_the_real_one_has() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let page = graph.get(&format!("/beta/users/{user}/messages?$top=200")).await;
    let expected = [
        "@odata.etag",
        "bccRecipients",
        "body",
        "bodyPreview",
        "categories",
        "ccRecipients",
        "changeKey",
        "conversationId",
        "conversationIndex",
        "createdDateTime",
        "flag",
        "from",
        "hasAttachments",
        "id",
        "importance",
        "inferenceClassification",
        "internetMessageId",
        "isDeliveryReceiptRequested",
        "isDraft",
        "isRead",
        "isReadReceiptRequested",
        "lastModifiedDateTime",
        "mentionsPreview",
        "parentFolderId",
        "receivedDateTime",
        "replyTo",
        "sender",
        "sentDateTime",
        "subject",
        "toRecipients",
        "unsubscribeData",
        "unsubscribeEnabled",
        "webLink",
    ];
    let messages = page["value"].as_array().unwrap();
    let plain = messages.iter().find(|message| message.get("@odata.type").is_none()).unwrap();
    assert_eq!(plain.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>(), expected);
    let types: BTreeSet<&str> = messages.iter().filter_map(|it| it["@odata.type"].as_str()).collect();
    assert!(types.contains("#microsoft.graph.eventMessageRequest"), "{types:?}");
    let named = graph
        .get(&format!("/v1.0/users/{user}/messages?$top=1&$select=uniqueBody,internetMessageHeaders"))
        .await;
    let names: Vec<&String> = named["value"][0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["@odata.etag", "id", "internetMessageHeaders", "uniqueBody"]);
}

#[tokio::test]
async fn one_letter_is_one_thread_in_every_mailbox() {
    let graph = Graph::start().await;
    let mut seen: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for user in graph.tenant.users().iter().filter(|user| user.has_mailbox()).take(6) {
        let target = format!("/v1.0/users/{}/messages?$top=1000", user.id());
        for message in graph.walk(&target).await {
            seen.entry(message["internetMessageId"].to_string()).or_default().push(message);
        }
    }
    let shared: Vec<_> = seen.values().filter(|copies| copies.len() > 1).collect();
    assert!(shared.len() > 20, "{}", shared.len());
    for copies in shared {
        let threads: BTreeSet<_> = copies.iter().map(|copy| thread_guid(&copy["conversationId"])).collect();
        let times: BTreeSet<_> = copies.iter().map(|copy| copy["sentDateTime"].to_string()).collect();
        assert_eq!((threads.len(), times.len(), ids(copies).len()), (1, 1, copies.len()));
    }
}

#[tokio::test]
async fn replies_share_a_conversation() {
    let graph = Graph::start().await;
    let messages = graph.walk(&format!("/v1.0/users/{}/messages?$top=1000", graph.staff().id())).await;
    let mut threads: BTreeMap<&str, usize> = BTreeMap::new();
    for message in &messages {
        *threads.entry(message["conversationId"].as_str().unwrap()).or_default() += 1;
    }
    assert!(threads.values().any(|length| *length > 2));
}

#[tokio::test]
async fn odd_addresses_occur() {
    let graph = Graph::start().await;
    let mut addresses = BTreeSet::new();
    for user in graph.tenant.users().iter().filter(|user| user.has_mailbox()).take(12) {
        for message in graph
            .walk(&format!(
                "/v1.0/users/{}/messages?$top=1000&$select=from,toRecipients,ccRecipients",
                user.id()
            ))
            .await
        {
            let all = ["toRecipients", "ccRecipients"].iter().flat_map(|it| message[*it].as_array().unwrap());
            addresses.extend(
                all.chain([&message["from"]])
                    .map(|it| it["emailAddress"]["address"].as_str().unwrap().to_owned()),
            );
        }
    }
    let has = |what: &dyn Fn(&str) -> bool| addresses.iter().any(|address| what(address));
    assert!(has(&|it| it.starts_with("/O=EXCHANGELABS/")), "X.500");
    assert!(has(&|it| it.contains("@bücher-müller")), "U-label");
    assert!(has(&|it| it.contains("@xn--")), "A-label");
    assert!(has(&|it| it.contains("+projects@")), "plus tag");
    assert!(has(&|it| it.contains('@') && it.to_uppercase() == *it), "capitals");
    assert!(has(&str::is_empty), "empty");
    assert!(has(&|it| !it.contains('@') && it.contains(' ') && !it.starts_with('/')), "bare display string");
}

#[tokio::test]
async fn what_a_proxy_must_hide_is_there_to_be_hidden() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let page =
        format!("/v1.0/users/{user}/messages?$top=1&$filter=hasAttachments%20eq%20true&$expand=attachments");
    let message = graph.get(&page).await["value"][0].clone();
    assert!(message["attachments"][0]["contentBytes"].is_string());
    assert!(message["body"]["content"].as_str().unwrap().contains("<div>Dear "));
    let id = message["id"].as_str().unwrap();
    let mime = graph.get_with(&format!("/v1.0/users/{user}/messages/{id}/$value"), &[]).await;
    assert!(String::from_utf8_lossy(&mime.body).contains("Subject: "));
    let attachments = graph.get(&format!("/v1.0/users/{user}/messages/{id}/attachments")).await;
    assert_eq!(attachments["value"], message["attachments"]);
}

#[tokio::test]
async fn immutable_ids_are_another_form_that_opens() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let target = format!("/v1.0/users/{user}/messages?$top=1");
    let response =
        graph.get_with(&target, &[("prefer", "odata.maxpagesize=3, IdType=\"ImmutableId\"")]).await;
    assert_eq!(response.header("preference-applied"), "IdType=ImmutableId");
    let immutable = response.json()["value"][0].clone();
    let regular = graph.get(&target).await["value"][0].clone();
    assert!(immutable["id"].as_str().unwrap().starts_with("AAkA"));
    assert_ne!(immutable["id"], regular["id"]);
    let opened =
        graph.get(&format!("/v1.0/users/{user}/messages/{}", immutable["id"].as_str().unwrap())).await;
    assert_eq!(opened["internetMessageId"], regular["internetMessageId"]);
    assert_eq!(opened["id"], regular["id"]);
}

#[tokio::test]
async fn contacts_settings_and_folders_below_folders() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let contacts = graph.walk(&format!("/v1.0/users/{user}/contacts")).await;
    let one =
        graph.get(&format!("/v1.0/users/{user}/contacts/{}", contacts[0]["id"].as_str().unwrap())).await;
    assert_eq!(one["personalNotes"], contacts[0]["personalNotes"]);
    let book =
        graph.walk(&format!("/v1.0/users/{user}/contactFolders")).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        graph.walk(&format!("/v1.0/users/{user}/contactFolders/{book}/contacts")).await.len(),
        contacts.len()
    );
    let settings = graph.get(&format!("/v1.0/users/{user}/mailboxSettings")).await;
    assert!(settings["workingHours"]["startTime"].is_string());
    assert!(
        settings["automaticRepliesSetting"]["internalReplyMessage"].as_str().unwrap().contains("hospital")
    );
    let shown = graph.walk(&format!("/beta/users/{user}/mailFolders")).await;
    let hidden = graph.walk(&format!("/beta/users/{user}/mailFolders?includeHiddenFolders=true")).await;
    assert_eq!(hidden.len(), shown.len() + 4);
    let parent =
        shown.iter().find(|folder| folder["wellKnownName"].is_null()).unwrap()["id"].as_str().unwrap();
    let children = graph.walk(&format!("/v1.0/users/{user}/mailFolders/{parent}/childFolders")).await;
    assert_eq!(children[0]["displayName"], "2025");
    assert_eq!(children[0]["parentFolderId"], parent);
}

#[test]
fn equal_seeds_give_equal_tenants() {
    let inbox_of_first = |seed| {
        let tenant = Tenant::new(seed);
        tenant.message_ids(&tenant.users()[0], "inbox")
    };
    assert_eq!(inbox_of_first(7), inbox_of_first(7));
    assert_ne!(inbox_of_first(7), inbox_of_first(8));
}
