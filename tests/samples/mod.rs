//! Objects of real shape, of a demo tenant or made up, as Graph's responses: no name, address, word or id leaves, kept
//! values are unchanged, and tokens join what belongs together.

mod secrets;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::Regex;
use serde_json::{Value, json};

use crate::canaries::endpoints::{CONNECTORS, Connector, Endpoint, Form};
use crate::support::data;
use crate::support::glassine::{Glassine, Setup};
use crate::support::upstream::{FakeUpstream, Script};
use secrets::{Secrets, with_mailbox};

/// The tenant's own domain in most of the samples; it stays readable beside a token.
const OWN_DOMAIN: &str = "m365x723843.onmicrosoft.com";
const OTHER_MAILBOX: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

/// Paths whose values leave as tokens, in all shapes together.
const TOKENS: [&str; 23] = [
    "id",
    "parentFolderId",
    "conversationId",
    "internetMessageId",
    "from.emailAddress.address",
    "sender.emailAddress.address",
    "toRecipients[].emailAddress.address",
    "ccRecipients[].emailAddress.address",
    "bccRecipients[].emailAddress.address",
    "replyTo[].emailAddress.address",
    "mail",
    "userPrincipalName",
    "otherMails[]",
    "proxyAddresses[]",
    "emailAddresses[].address",
    "primaryEmailAddress.address",
    "secondaryEmailAddress.address",
    "tertiaryEmailAddress.address",
    "page:@odata.nextLink",
    "page:@odata.deltaLink",
    "page:value",
    "value",
    "page:id",
];

/// The samples of a type.
fn samples(type_name: &str) -> Vec<Value> {
    samples_in(&data::graph(), type_name)
}

fn samples_in(folder: &Path, type_name: &str) -> Vec<Value> {
    let files: &[&str] = match type_name {
        "message" => &["messages"],
        "user" => &["users"],
        "group" => &["groups"],
        "directoryObject" => &["groupMembers", "groupOwners"],
        "contact" => &["contacts"],
        "mailFolder" => &["mailFolders"],
        "mailboxSettings" => &["mailboxSettings"],
        other => panic!("no samples of {other}"),
    };
    let text = |file: &&str| data::text(&folder.join(format!("samples/{file}.jsonl")));
    // The data sets write an enum's member as OData's URLs do, and Graph's JSON writes its name.
    let literal = Regex::new(r"microsoft\.graph\.\w+'(\w+)'").unwrap();
    let lines = literal.replace_all(&files.iter().map(text).collect::<String>(), "$1").into_owned();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn start(connector: &Connector, body: Value) -> (Glassine, FakeUpstream) {
    let graph = FakeUpstream::always(Script::json(body.to_string())).await;
    let mut setup = Setup::in_front_of(format!("http://{}", graph.address())).rules(connector.rules);
    setup.domain = OWN_DOMAIN.to_owned();
    (setup.start().await, graph)
}

/// What leaves of these objects through an endpoint, as objects and as everything that was sent.
async fn through(
    connector: &Connector,
    endpoint: &Endpoint,
    version: &str,
    rows: &[Value],
) -> (Vec<Value>, String) {
    let page = json!({ "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users('PattiF%40M365x723843')",
        "value": rows });
    if endpoint.form != Form::Entity {
        let (proxy, _graph) = start(connector, page).await;
        let response = proxy.get(&endpoint.target(version, &proxy)).await;
        assert_eq!(response.status, 200, "{}", response.text());
        return (response.json()["value"].as_array().unwrap().clone(), response.everything());
    }
    let (mut objects, mut sent) = (Vec::new(), String::new());
    for row in rows {
        let (proxy, _graph) = start(connector, row.clone()).await;
        let response = proxy.get(&endpoint.target(version, &proxy)).await;
        objects.push(response.json());
        sent += &response.everything();
    }
    (objects, sent)
}

/// Every leaf with its path; `[]` is any element.
fn leaves<'v>(value: &'v Value, path: &str, out: &mut Vec<(String, &'v Value)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(member, &path, out);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|it| leaves(it, &format!("{path}[]"), out)),
        leaf => out.push((path.to_owned(), leaf)),
    }
}

fn all_leaves(value: &Value) -> Vec<(String, &Value)> {
    let mut all = Vec::new();
    leaves(value, "", &mut all);
    all
}

/// The leaves of one path.
fn at<'v>(value: &'v Value, path: &str) -> Vec<&'v Value> {
    all_leaves(value).into_iter().filter(|(own, _)| own == path).map(|(_, leaf)| leaf).collect()
}

fn is_token(leaf: &Value) -> bool {
    leaf.is_null()
        || leaf.as_str().is_some_and(|text| {
            let token = text.strip_prefix("SMTP:").or(text.strip_prefix("smtp:")).unwrap_or(text);
            token.starts_with("t~") || token.starts_with("p~")
        })
}

/// How many replies led to the message, from the length of its conversation index.
fn depth(message: &Value) -> Option<usize> {
    let index = message["conversationIndex"].as_str()?;
    let octets = index.trim_end_matches('=').len() * 3 / 4;
    Some((octets - 22) / 5)
}

/// The names of headers and flags that leave.
const NAMES: [&str; 4] = ["In-Reply-To", "References", "automatic", "list"];

/// Whether this is part of a header as it leaves: its name or that of a flag, tokens, or `true`.
fn is_of_header(part: &str, leaf: &Value) -> bool {
    let text = leaf.as_str().unwrap_or_default();
    match part {
        "name" => NAMES.contains(&text),
        _ => text == "true" || text.split(' ').all(|token| token.starts_with("t~")),
    }
}

/// Every leaf that leaves is a kept one, unchanged, a token, or the depth of a reply; and every kept one leaves.
fn compare(endpoint: &Endpoint, original: &Value, object: &Value) {
    for path in &endpoint.kept {
        assert_eq!(at(original, path), at(object, path), "{path} of {original}");
    }
    if endpoint.type_name == "message" {
        assert_eq!(
            object["conversationIndex"].as_u64(),
            depth(original).map(|depth| depth as u64),
            "{original}"
        );
    }
    for (path, leaf) in all_leaves(object).into_iter().filter(|(path, _)| path != "conversationIndex") {
        if let Some(part) = path.strip_prefix("internetMessageHeaders[].") {
            assert!(is_of_header(part, leaf), "{path}: {leaf}");
            continue;
        }
        let is_kept = endpoint.kept.contains(&path.as_str());
        assert!(is_kept || TOKENS.contains(&path.as_str()) && is_token(leaf), "{path}: {leaf}");
    }
}

#[tokio::test]
async fn nothing_of_the_samples_gets_out_but_what_is_kept() {
    for connector in &CONNECTORS {
        for version in connector.versions {
            for endpoint in connector.endpoints() {
                let rows = samples(endpoint.type_name);
                let secrets = Secrets::of(&rows, &endpoint.kept, OWN_DOMAIN);
                assert!(secrets.len() > 5, "{} secrets", secrets.len());
                let (objects, sent) = through(connector, &endpoint, version, &rows).await;
                assert_eq!(objects.len(), rows.len());
                for (original, object) in rows.iter().zip(&objects) {
                    compare(&endpoint, original, object);
                }
                let mut found = secrets.found_in(sent.as_bytes());
                found.retain(|word| !NAMES.iter().any(|name| name.eq_ignore_ascii_case(word)));
                assert!(found.is_empty(), "{}: {found:?}", endpoint.upstream(version));
            }
        }
    }
}

/// Proves that the test above can fail: plants each kind of secret in a response. Takes the fixtures, whose texts are
/// known.
#[test]
fn a_secret_of_each_kind_is_found() {
    let rows = samples_in(&data::fixture("graph"), "message");
    let secrets = Secrets::of(&rows, &[], OWN_DOMAIN);
    for planted in [
        "{\"subject\":\"PROJECT marzipan lantern\"}",
        "{\"a\":\"bastian.lindqvist@m365x723843\"}",
        "{\"a\":\"AAMkAGE0YTMwMGIyLTkyOGEtNGZhYS05ZTgzLTgwMTFhNDRjYTYyMQBGAAAAAAAIBu1FYYj_3Ts3rdrH\"}",
        "{\"a\":\"a4a300b2-928a-4faa-9e83-8011a44ca621\"}",
        "{\"a\":\"a4a300b2928a4faa9e838011a44ca621\"}",
        "{\"a\":\"QmFzdGlhbiBMaW5kcXZpc3Q=\"}",
        "{\"a\":\"redundancies\"}",
    ] {
        assert!(!secrets.found_in(planted.as_bytes()).is_empty(), "{planted}");
    }
    let harmless = "{\"id\":\"p~TabcDEF\",\"isRead\":true,\"from\":{\"emailAddress\":{\"address\":null}}}";
    assert!(secrets.found_in(harmless.as_bytes()).is_empty());
}

/// The addresses of objects and the tokens that came in their place.
fn address_pairs(original: &Value, object: &Value) -> Vec<(String, String)> {
    let texts = |value: &Value, path: &str| -> Vec<String> {
        at(value, path).into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let bare = |text: &String| -> String {
        let has_scheme = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("smtp:"));
        text.get(if has_scheme { 5 } else { 0 }..).unwrap_or_default().to_owned()
    };
    let is_smtp =
        |text: &String| text.contains('@') && !text.contains(':') || text.to_lowercase().starts_with("smtp:");
    let paths = TOKENS.iter().filter(|path| {
        path.ends_with("ddress")
            || ["mail", "userPrincipalName", "otherMails[]", "proxyAddresses[]"].contains(path)
    });
    let mut pairs = Vec::new();
    for path in paths {
        let addresses: Vec<_> = texts(original, path).into_iter().filter(is_smtp).collect();
        let tokens = texts(object, path);
        assert_eq!(addresses.len(), tokens.len(), "{path}");
        pairs.extend(addresses.iter().zip(&tokens).map(|(a, t)| (bare(a).to_lowercase(), bare(t))));
    }
    pairs
}

#[tokio::test]
async fn one_address_is_one_token_in_messages_users_contacts_and_groups() {
    for connector in &CONNECTORS {
        let mut tokens = BTreeMap::<String, BTreeSet<String>>::new();
        let mut kinds = BTreeMap::<String, BTreeSet<&str>>::new();
        for endpoint in connector.endpoints().into_iter().filter(|it| it.form == Form::Collection) {
            let rows = samples(endpoint.type_name);
            let (objects, _) = through(connector, &endpoint, "v1.0", &rows).await;
            for (original, object) in rows.iter().zip(&objects) {
                for (address, token) in address_pairs(original, object) {
                    kinds.entry(address.clone()).or_default().insert(endpoint.type_name);
                    tokens.entry(address).or_default().insert(token);
                }
            }
        }
        let (addresses, all) = (tokens.len(), tokens.values().flatten().collect::<BTreeSet<_>>());
        assert!(addresses > 20 && tokens.values().all(|it| it.len() == 1), "{tokens:?}");
        assert_eq!(all.len(), addresses, "two addresses have one token");
        let joined = kinds.values().filter(|it| it.len() > 1).count();
        assert!(joined > 3, "the samples join nothing: {kinds:?}");
        let readable = all.iter().filter(|token| token.ends_with(OWN_DOMAIN)).count();
        assert!(readable > 5 && readable < addresses, "{readable} of {addresses}");
    }
}

#[tokio::test]
async fn one_thread_is_one_token_in_every_mailbox() {
    let rows = samples("message");
    let mut both = rows.clone();
    both.extend(rows.iter().cloned().map(|mut row| {
        let id = with_mailbox(row["conversationId"].as_str().unwrap(), OTHER_MAILBOX);
        assert_ne!(row["conversationId"], id);
        row["conversationId"] = json!(id);
        row
    }));
    let endpoints = CONNECTORS[0].endpoints();
    let list = endpoints.iter().find(|it| it.type_name == "message" && it.form == Form::Collection).unwrap();
    let (objects, _) = through(&CONNECTORS[0], list, "v1.0", &both).await;
    let threads: Vec<_> = objects.iter().map(|it| it["conversationId"].as_str().unwrap()).collect();
    let (here, there) = threads.split_at(rows.len());
    assert_eq!(here, there);
    let ids: BTreeSet<_> = rows.iter().map(|row| row["conversationId"].as_str().unwrap()).collect();
    assert_eq!(here.iter().collect::<BTreeSet<_>>().len(), ids.len());
}
