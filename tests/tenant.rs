//! The sample tenant over a real socket, read by a plain HTTP client: what the proxy and the SDKs will meet.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use glassine::demo::tenant::{Account, Tenant, User, serve};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

struct Graph {
    tenant: Arc<Tenant>,
    address: SocketAddr,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Graph {
    async fn start() -> Graph {
        static TENANT: OnceLock<Arc<Tenant>> = OnceLock::new();
        Graph::of(TENANT.get_or_init(|| Arc::new(Tenant::new(7))).clone()).await
    }

    async fn of(tenant: Arc<Tenant>) -> Graph {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let base_url = format!("http://{address}");
        tokio::spawn(serve(listener, tenant.clone(), base_url, std::future::pending()));
        Graph { tenant, address }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            body,
        }
    }

    async fn get_with(&self, target: &str, headers: &[(&str, &str)]) -> Answer {
        let target = target
            .strip_prefix(&format!("http://{}", self.address))
            .unwrap_or(target);
        let mut request = Request::get(target).header("host", "graph.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::default()).unwrap()).await
    }

    async fn get(&self, target: &str) -> Value {
        let answer = self.get_with(target, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{target}: {:?}", answer.body);
        answer.json()
    }

    /// Status and code of what is refused.
    async fn refused(&self, target: &str) -> (u16, String) {
        let answer = self.get_with(target, &[]).await;
        let error = answer.json()["error"].clone();
        assert!(
            error["message"].is_string() && error["innerError"]["request-id"].is_string(),
            "{target}: {error}"
        );
        (answer.status.as_u16(), error["code"].as_str().unwrap().to_owned())
    }

    /// All items of a collection, page after page.
    async fn walk(&self, first: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut link = Some(first.to_owned());
        while let Some(target) = link {
            let page = self.get(&target).await;
            items.extend(page["value"].as_array().unwrap().clone());
            link = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        items
    }

    fn staff(&self) -> &User {
        self.tenant
            .users()
            .iter()
            .find(|user| user.account() == Account::Member && user.has_mailbox())
            .unwrap()
    }
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }
}

fn thread_guid(conversation_id: &Value) -> Vec<u8> {
    let id = conversation_id
        .as_str()
        .unwrap()
        .replace('-', "/")
        .replace('_', "+");
    STANDARD.decode(id).unwrap().split_off(43)
}

fn ids(items: &[Value]) -> BTreeSet<String> {
    items
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn users_come_in_pages_with_a_skiptoken() {
    let graph = Graph::start().await;
    let first = graph.get("/v1.0/users").await;
    assert_eq!(first["value"].as_array().unwrap().len(), 100);
    assert!(
        first["@odata.nextLink"]
            .as_str()
            .unwrap()
            .contains("/v1.0/users?$skiptoken=")
    );
    assert_eq!(first["value"][0].as_object().unwrap().len(), 11);
    let all = graph
        .walk("/beta/users?$top=77&$select=id,mail,proxyAddresses")
        .await;
    assert_eq!(ids(&all).len(), graph.tenant.users().len());
    assert!(all.iter().all(|user| user.get("displayName").is_none()));
}

#[tokio::test]
async fn from_users_through_folders_to_messages() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let folders = graph
        .walk(&format!("/v1.0/users/{user}/mailFolders?$top=3"))
        .await;
    assert!(folders.len() > 8);
    let inbox = folders
        .iter()
        .find(|folder| folder["displayName"] == "Inbox")
        .unwrap();
    let inbox_id = inbox["id"].as_str().unwrap();
    let messages = graph
        .walk(&format!(
            "/v1.0/users/{user}/mailFolders/{inbox_id}/messages?$top=50"
        ))
        .await;
    assert_eq!(json!(messages.len()), inbox["totalItemCount"]);
    assert_eq!(ids(&messages).len(), messages.len());
    let unread = messages
        .iter()
        .filter(|message| message["isRead"] == false)
        .count();
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
    let plain = messages
        .iter()
        .find(|message| message.get("@odata.type").is_none())
        .unwrap();
    assert_eq!(
        plain
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>(),
        expected
    );
    let types: BTreeSet<&str> = messages
        .iter()
        .filter_map(|it| it["@odata.type"].as_str())
        .collect();
    assert!(
        types.contains("#microsoft.graph.eventMessageRequest"),
        "{types:?}"
    );
    let named = graph
        .get(&format!(
            "/v1.0/users/{user}/messages?$top=1&$select=uniqueBody,internetMessageHeaders"
        ))
        .await;
    let names: Vec<&String> = named["value"][0].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["@odata.etag", "id", "internetMessageHeaders", "uniqueBody"]
    );
}

#[tokio::test]
async fn one_letter_is_one_thread_in_every_mailbox() {
    let graph = Graph::start().await;
    let mut seen: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for user in graph
        .tenant
        .users()
        .iter()
        .filter(|user| user.has_mailbox())
        .take(6)
    {
        let target = format!("/v1.0/users/{}/messages?$top=1000", user.id());
        for message in graph.walk(&target).await {
            seen.entry(message["internetMessageId"].to_string())
                .or_default()
                .push(message);
        }
    }
    let shared: Vec<_> = seen.values().filter(|copies| copies.len() > 1).collect();
    assert!(shared.len() > 20, "{}", shared.len());
    for copies in shared {
        let threads: BTreeSet<_> = copies
            .iter()
            .map(|copy| thread_guid(&copy["conversationId"]))
            .collect();
        let times: BTreeSet<_> = copies
            .iter()
            .map(|copy| copy["sentDateTime"].to_string())
            .collect();
        assert_eq!(
            (threads.len(), times.len(), ids(copies).len()),
            (1, 1, copies.len())
        );
    }
}

#[tokio::test]
async fn replies_share_a_conversation() {
    let graph = Graph::start().await;
    let messages = graph
        .walk(&format!("/v1.0/users/{}/messages?$top=1000", graph.staff().id()))
        .await;
    let mut threads: BTreeMap<&str, usize> = BTreeMap::new();
    for message in &messages {
        *threads
            .entry(message["conversationId"].as_str().unwrap())
            .or_default() += 1;
    }
    assert!(threads.values().any(|length| *length > 2));
}

#[tokio::test]
async fn odd_addresses_occur() {
    let graph = Graph::start().await;
    let mut addresses = BTreeSet::new();
    for user in graph
        .tenant
        .users()
        .iter()
        .filter(|user| user.has_mailbox())
        .take(12)
    {
        for message in graph
            .walk(&format!(
                "/v1.0/users/{}/messages?$top=1000&$select=from,toRecipients,ccRecipients",
                user.id()
            ))
            .await
        {
            let all = ["toRecipients", "ccRecipients"]
                .iter()
                .flat_map(|it| message[*it].as_array().unwrap());
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
    assert!(
        has(&|it| it.contains('@') && it.to_uppercase() == *it),
        "capitals"
    );
    assert!(has(&str::is_empty), "empty");
    assert!(
        has(&|it| !it.contains('@') && it.contains(' ') && !it.starts_with('/')),
        "bare display string"
    );
}

#[tokio::test]
async fn spellings_of_one_resource_are_alike() {
    let graph = Graph::start().await;
    let user = graph.staff();
    let plain = graph
        .get(&format!(
            "/v1.0/users/{}/mailFolders/inbox/messages?$top=2",
            user.id()
        ))
        .await["value"]
        .clone();
    let upn = user.user_principal_name().replace('@', "%40");
    for target in [
        format!("/v1.0/users/{upn}/mailfolders/Inbox/messages/?%24top=2"),
        format!("/v1.0/Users('{upn}')/MailFolders('inbox')/Messages?top=2"),
        format!(
            "/v1.0/users/{}@{}/mailFolders/INBOX/messages?$Top=2",
            user.id(),
            graph.tenant.tenant_id()
        ),
    ] {
        assert_eq!(graph.get(&target).await["value"], plain, "{target}");
    }
}

#[tokio::test]
async fn next_links_repeat_path_and_options() {
    let graph = Graph::start().await;
    let target = format!(
        "/v1.0/users/{}/messages?$select=id&$top=5&$count=true",
        graph.staff().id()
    );
    let page = graph.get(&target).await;
    let next = page["@odata.nextLink"].as_str().unwrap();
    assert_eq!(next, format!("http://{}{target}&$skip=5", graph.address));
    assert!(page["@odata.count"].as_u64().unwrap() > 5);
    assert!(
        page["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with(&format!("users('{}')/messages(id)", graph.staff().id()))
    );
    let counted = graph
        .get_with(
            &format!("/v1.0/users/{}/messages/$count", graph.staff().id()),
            &[],
        )
        .await;
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
    let times: Vec<&str> = filtered
        .iter()
        .map(|it| it["receivedDateTime"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted() && !times.is_empty() && times.len() < all.len());
    assert!(times.iter().all(|time| *time >= from && *time < "2026-03-01"));
    let found = graph
        .walk(&format!("{base}&$filter=contains(subject,'salary')"))
        .await;
    assert!(
        !found.is_empty()
            && found
                .iter()
                .all(|it| it["subject"].as_str().unwrap().to_lowercase().contains("salary"))
    );
    let searched = graph.walk(&format!("{base}&$search=%22lawyer%22")).await;
    assert!(!searched.is_empty() && searched.len() < all.len());
}

#[tokio::test]
async fn what_a_proxy_must_hide_is_there_to_be_hidden() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let page =
        format!("/v1.0/users/{user}/messages?$top=1&$filter=hasAttachments%20eq%20true&$expand=attachments");
    let message = graph.get(&page).await["value"][0].clone();
    assert!(message["attachments"][0]["contentBytes"].is_string());
    assert!(
        message["body"]["content"]
            .as_str()
            .unwrap()
            .contains("<div>Dear ")
    );
    let id = message["id"].as_str().unwrap();
    let mime = graph
        .get_with(&format!("/v1.0/users/{user}/messages/{id}/$value"), &[])
        .await;
    assert!(String::from_utf8_lossy(&mime.body).contains("Subject: "));
    let attachments = graph
        .get(&format!("/v1.0/users/{user}/messages/{id}/attachments"))
        .await;
    assert_eq!(attachments["value"], message["attachments"]);
}

#[tokio::test]
async fn immutable_ids_are_another_form_that_opens() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let target = format!("/v1.0/users/{user}/messages?$top=1");
    let answer = graph
        .get_with(
            &target,
            &[("prefer", "odata.maxpagesize=3, IdType=\"ImmutableId\"")],
        )
        .await;
    assert_eq!(answer.header("preference-applied"), "IdType=\"ImmutableId\"");
    let immutable = answer.json()["value"][0].clone();
    let regular = graph.get(&target).await["value"][0].clone();
    assert!(immutable["id"].as_str().unwrap().starts_with("AAkA"));
    assert_ne!(immutable["id"], regular["id"]);
    let opened = graph
        .get(&format!(
            "/v1.0/users/{user}/messages/{}",
            immutable["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(opened["internetMessageId"], regular["internetMessageId"]);
    assert_eq!(opened["id"], regular["id"]);
}

#[tokio::test]
async fn page_size_can_be_preferred() {
    let graph = Graph::start().await;
    let target = format!("/v1.0/users/{}/messages", graph.staff().id());
    let answer = graph
        .get_with(&target, &[("prefer", "odata.maxpagesize=3")])
        .await
        .json();
    assert_eq!(answer["value"].as_array().unwrap().len(), 3);
    assert!(
        answer["@odata.nextLink"]
            .as_str()
            .unwrap()
            .ends_with("/messages?$skip=3")
    );
}

#[tokio::test]
async fn message_delta_lists_then_brings_changes() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let inbox = graph.tenant.folder_id(graph.staff(), "inbox").unwrap();
    let mut page = graph
        .get(&format!(
            "/v1.0/users/{user}/mailFolders/inbox/messages/delta()?$select=isRead"
        ))
        .await;
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
    let removed: Vec<_> = changed
        .iter()
        .filter(|item| item["@removed"]["reason"] == "deleted")
        .collect();
    assert_eq!((changed.len(), removed.len()), (3, 1));
    assert_eq!(
        changed[0].as_object().unwrap().len(),
        4,
        "etag, type, id, isRead: {}",
        changed[0]
    );
    assert_ne!(changes["@odata.deltaLink"].as_str().unwrap(), delta);
    assert_eq!(
        graph.get(&delta).await,
        changes,
        "a delta link can be followed again"
    );
}

#[tokio::test]
async fn every_delta_has_a_second_round() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    for first in [
        "/v1.0/users/delta".to_owned(),
        "/v1.0/groups/microsoft.graph.delta()".to_owned(),
        format!("/v1.0/users/{user}/mailFolders/delta"),
        format!("/beta/users/{user}/contacts/delta"),
    ] {
        let mut page = graph.get(&first).await;
        while let Some(next) = page["@odata.nextLink"].as_str().map(str::to_owned) {
            page = graph.get(&next).await;
        }
        let changes = graph.get(page["@odata.deltaLink"].as_str().unwrap()).await;
        assert!(
            changes["value"]
                .as_array()
                .unwrap()
                .iter()
                .any(|it| it["@removed"].is_object()),
            "{first}"
        );
        assert!(changes["@odata.deltaLink"].is_string());
        let forged = graph.refused(&format!("{first}?$deltatoken=forged")).await;
        assert_eq!(forged, (410, "SyncStateNotFound".to_owned()), "{first}");
    }
}

#[tokio::test]
async fn groups_and_their_members() {
    let graph = Graph::start().await;
    let groups = graph.walk("/v1.0/groups").await;
    assert_eq!(groups.len(), 40);
    let everyone = groups
        .iter()
        .find(|group| group["displayName"] == "Everyone")
        .unwrap();
    let id = everyone["id"].as_str().unwrap();
    let direct = graph.walk(&format!("/v1.0/groups/{id}/members")).await;
    assert!(
        direct
            .iter()
            .all(|member| member["@odata.type"] == "#microsoft.graph.group")
    );
    let all = graph
        .walk(&format!("/v1.0/groups/{id}/transitiveMembers?$select=id,mail"))
        .await;
    assert!(
        all.iter()
            .filter(|member| member["@odata.type"] == "#microsoft.graph.user")
            .count()
            > 200
    );
    let users = graph
        .walk(&format!(
            "/v1.0/groups/{id}/transitiveMembers/graph.user?$top=999"
        ))
        .await;
    assert_eq!(users.len() + direct.len(), all.len());
}

#[tokio::test]
async fn contacts_settings_and_folders_below_folders() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let contacts = graph.walk(&format!("/v1.0/users/{user}/contacts")).await;
    let one = graph
        .get(&format!(
            "/v1.0/users/{user}/contacts/{}",
            contacts[0]["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(one["personalNotes"], contacts[0]["personalNotes"]);
    let book = graph.walk(&format!("/v1.0/users/{user}/contactFolders")).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        graph
            .walk(&format!("/v1.0/users/{user}/contactFolders/{book}/contacts"))
            .await
            .len(),
        contacts.len()
    );
    let settings = graph.get(&format!("/v1.0/users/{user}/mailboxSettings")).await;
    assert!(settings["workingHours"]["startTime"].is_string());
    assert!(
        settings["automaticRepliesSetting"]["internalReplyMessage"]
            .as_str()
            .unwrap()
            .contains("hospital")
    );
    let shown = graph.walk(&format!("/beta/users/{user}/mailFolders")).await;
    let hidden = graph
        .walk(&format!(
            "/beta/users/{user}/mailFolders?includeHiddenFolders=true"
        ))
        .await;
    assert_eq!(hidden.len(), shown.len() + 2);
    let parent = shown
        .iter()
        .find(|folder| folder["wellKnownName"].is_null())
        .unwrap()["id"]
        .as_str()
        .unwrap();
    let children = graph
        .walk(&format!("/v1.0/users/{user}/mailFolders/{parent}/childFolders"))
        .await;
    assert_eq!(children[0]["displayName"], "2025");
    assert_eq!(children[0]["parentFolderId"], parent);
}

#[tokio::test]
async fn errors_have_graphs_shape() {
    let graph = Graph::start().await;
    let staff = graph.staff();
    let user = staff.id();
    let guest = graph
        .tenant
        .users()
        .iter()
        .find(|user| user.account() == Account::Guest)
        .unwrap()
        .id();
    let other = graph
        .tenant
        .users()
        .iter()
        .filter(|it| it.has_mailbox())
        .nth(1)
        .unwrap();
    let foreign = graph.tenant.folder_id(other, "inbox").unwrap();
    for (target, status, code) in [
        ("/v2.0/users".to_owned(), 400, "BadRequest"),
        ("/v1.0/me/messages".to_owned(), 400, "BadRequest"),
        ("/v1.0/nothing".to_owned(), 400, "BadRequest"),
        (
            "/v1.0/users/nobody@tallgrass.example".to_owned(),
            404,
            "Request_ResourceNotFound",
        ),
        (
            "/v1.0/users/nobody@tallgrass.example/messages".to_owned(),
            404,
            "ErrorInvalidUser",
        ),
        (
            format!("/v1.0/users/{guest}/messages"),
            404,
            "MailboxNotEnabledForRESTAPI",
        ),
        (
            format!("/v1.0/users/{user}/messages/nonsense"),
            400,
            "ErrorInvalidIdMalformed",
        ),
        (
            format!("/v1.0/users/{user}/mailFolders/{foreign}"),
            404,
            "ErrorItemNotFound",
        ),
        (
            format!("/v1.0/users/{user}/messages?$top=1001"),
            400,
            "Request_UnsupportedQuery",
        ),
        (
            format!("/v1.0/users/{user}/messages?$select=mentionsPreview"),
            400,
            "RequestBroker--ParseUri",
        ),
        (
            format!("/v1.0/users/{user}/messages?$top=1&top=2"),
            400,
            "BadRequest",
        ),
        (
            format!("/v1.0/users/{user}/messages?$filter=nonsense"),
            400,
            "BadRequest",
        ),
        (
            "/v1.0/users?$top=1000".to_owned(),
            400,
            "Request_UnsupportedQuery",
        ),
        (
            "/v1.0/users?$skiptoken=forged".to_owned(),
            400,
            "Directory_ExpiredPageToken",
        ),
    ] {
        assert_eq!(
            graph.refused(&target).await,
            (status, code.to_owned()),
            "{target}"
        );
    }
    assert!(
        graph.get_with("/v1.0/users/x@y/messages", &[]).await.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("x@y")
    );
}

#[tokio::test]
async fn headers_are_those_of_graph() {
    let graph = Graph::start().await;
    let answer = graph
        .get_with("/v1.0/users", &[("client-request-id", "abc")])
        .await;
    assert!(
        answer
            .header("content-type")
            .starts_with("application/json;odata.metadata=minimal;")
    );
    assert_eq!(answer.header("transfer-encoding"), "chunked");
    assert_eq!(answer.header("client-request-id"), "abc");
    assert_eq!(answer.header("odata-version"), "4.0");
    for name in [
        "request-id",
        "x-ms-ags-diagnostic",
        "strict-transport-security",
        "date",
        "vary",
    ] {
        assert!(answer.headers.contains_key(name), "{name}");
    }
    assert!(!answer.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn gzip_only_when_asked() {
    let graph = Graph::start().await;
    let answer = graph
        .get_with("/v1.0/users", &[("accept-encoding", "br, gzip, deflate")])
        .await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(answer.body.as_ref())
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        graph.get("/v1.0/users").await
    );
    let refused = graph
        .get_with("/v1.0/users", &[("accept-encoding", "gzip;q=0")])
        .await;
    assert!(!refused.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn a_required_bearer_is_required() {
    let graph = Graph::of(Arc::new(Tenant::new(7).require_bearer("sample"))).await;
    let with = async |value: &str| {
        graph
            .get_with("/v1.0/users?$top=1", &[("authorization", value)])
            .await
    };
    assert_eq!(with("Bearer sample").await.status, StatusCode::OK);
    assert_eq!(
        graph.refused("/v1.0/users").await,
        (401, "InvalidAuthenticationToken".to_owned())
    );
    assert_eq!(with("Bearer other").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(with("Basic sample").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_token_endpoint_grants_the_client_its_token() {
    let graph = Graph::start().await;
    let (tenant, client, secret) = (
        graph.tenant.tenant_id(),
        graph.tenant.client_id(),
        graph.tenant.client_secret(),
    );
    let scope = "https%3A%2F%2Fgraph.microsoft.com%2F.default";
    let ask = async |grant: &str, scope: &str, client: &str, secret: &str| {
        let form = format!("grant_type={grant}&scope={scope}&client_id={client}&client_secret={secret}");
        let target = format!("/{tenant}/oauth2/v2.0/token");
        let request = Request::builder()
            .method(Method::POST)
            .uri(target)
            .header("host", "login.example");
        let answer = graph.send(request.body(Full::from(form)).unwrap()).await;
        (answer.status.as_u16(), answer.json())
    };
    let (status, token) = ask("client_credentials", scope, client, secret).await;
    assert_eq!(
        (status, &token["expires_in"], &token["token_type"]),
        (200, &json!(3599), &json!("Bearer"))
    );
    assert_eq!(token["access_token"], graph.tenant.access_token());
    for (answer, status, code) in [
        (ask("password", scope, client, secret).await, 400, 70_003),
        (
            ask("client_credentials", "openid", client, secret).await,
            400,
            1_002_012,
        ),
        (
            ask("client_credentials", scope, "other", secret).await,
            400,
            700_016,
        ),
        (
            ask("client_credentials", scope, client, "wrong").await,
            401,
            7_000_215,
        ),
    ] {
        assert_eq!(
            (answer.0, &answer.1["error_codes"]),
            (status, &json!([code])),
            "{}",
            answer.1
        );
    }
}

#[tokio::test]
async fn other_methods_are_refused() {
    let graph = Graph::start().await;
    let request = Request::delete("/v1.0/users")
        .header("host", "graph.example")
        .body(Full::default())
        .unwrap();
    assert_eq!(graph.send(request).await.status, StatusCode::METHOD_NOT_ALLOWED);
}
