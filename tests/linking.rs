//! What a recipient can find out although every pseudonym holds: the experiments whose numbers SECURITY.md gives.
//!
//! They fail when a number changes, in either direction: then the document has to change too.

use std::collections::{BTreeMap, BTreeSet};

use glassine_core::pseudonym::KeyRing;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::glassine::{Consumer, Glassine, METADATA_ONLY, Setup, sample_tenant};
use crate::support::upstream::{FakeUpstream, Script};

const SECURITY: &str = include_str!("../SECURITY.md");
const RECIPIENTS: [&str; 4] = ["toRecipients", "ccRecipients", "bccRecipients", "replyTo"];

/// Asserts that SECURITY.md states a result.
fn says(sentence: &str) {
    let words = SECURITY.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(sentence), "SECURITY.md does not say: {sentence}");
}

/// All objects of a collection, page after page.
async fn all(proxy: &Glassine, consumer: &str, first: &str) -> Vec<Value> {
    let (mut objects, mut next) = (Vec::new(), Some(first.to_owned()));
    while let Some(target) = next {
        let page = proxy.get_as(consumer, &target, &[]).await.json();
        objects.extend(page["value"].as_array().expect("a page").clone());
        next = page["@odata.nextLink"].as_str().map(str::to_owned);
    }
    objects
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The addresses of a message, in order.
fn addresses(message: &Value) -> Vec<&str> {
    let one = ["sender", "from"].into_iter().map(|name| &message[name]);
    let many = RECIPIENTS.into_iter().filter_map(|name| message[name].as_array()).flatten();
    one.chain(many).map(|it| text(&it["emailAddress"]["address"])).filter(|it| !it.is_empty()).collect()
}

#[tokio::test]
async fn the_order_of_recipients_names_the_mailboxes_that_a_stranger_guessed() {
    let (tenant, graph) = sample_tenant().await;
    let guesses: Vec<_> = tenant.users().iter().filter_map(|user| user.mail()).take(50).collect();
    let recipient = |address: &&str| json!({"emailAddress": {"name": "x", "address": address}});
    let (to, cc) = guesses.split_at(25);
    let mail = json!({"value": [{
        "receivedDateTime": "2026-03-01T03:14:15Z",
        "from": recipient(&"stranger@elsewhere.example"),
        "toRecipients": to.iter().map(recipient).collect::<Vec<_>>(),
        "ccRecipients": cc.iter().map(recipient).collect::<Vec<_>>(),
    }]});
    // The same keys on both proxies: one has the stranger's mail, the other one the directory.
    let inbox = FakeUpstream::always(Script::json(mail.to_string())).await;
    let inbox = Setup { domain: tenant.domain().to_owned(), ..Setup::scripted(&inbox) }.start().await;
    let directory = Setup { domain: tenant.domain().to_owned(), ..Setup::in_front_of(graph) }.start().await;
    let message = &all(&inbox, "acme", &format!("/v1.0/users/{}/messages", inbox.id("x"))).await[0];
    let users = all(&directory, "acme", "/v1.0/users?$top=999").await;

    let tokens = &addresses(message)[1..];
    assert_eq!(tokens.len(), guesses.len());
    let is_named = |(guess, token): &(&&str, &&str)| {
        let id = directory.id(tenant.user(guess).unwrap().id());
        users.iter().any(|user| user["id"] == id && user["mail"] == **token)
    };
    assert_eq!(guesses.iter().zip(tokens).filter(is_named).count(), 50);
    says("names 50 of 50 mailboxes");
}

/// Joins are tried on the messages of this many mailboxes.
const MAILBOXES: usize = 10;

/// Tokens of one delivery, each with the tokens at the same places in the other one.
type Joined<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

async fn delivery(proxy: &Glassine, consumer: &str) -> Vec<Value> {
    let mut messages = Vec::new();
    for user in all(proxy, consumer, "/v1.0/users?$top=100").await.iter().take(MAILBOXES) {
        let target = format!("/v1.0/users/{}/messages?$top=1000", text(&user["id"]));
        // An account without a mailbox has no messages.
        if proxy.get_as(consumer, &target, &[]).await.status == 200 {
            messages.extend(all(proxy, consumer, &target).await);
        }
    }
    messages
}

fn joined<'a>(pairs: impl Iterator<Item = (&'a Value, &'a Value)>) -> Joined<'a> {
    let mut joined = Joined::new();
    for (ours, theirs) in pairs {
        for (our, their) in addresses(ours).into_iter().zip(addresses(theirs)) {
            joined.entry(our).or_default().insert(their);
        }
    }
    joined
}

/// The messages by the first `digits` characters of their times and by their numbers of recipients. Messages that have
/// both in common are left out.
fn by_shape(messages: &[Value], digits: usize) -> BTreeMap<String, &Value> {
    let mut by_shape = BTreeMap::<_, Vec<_>>::new();
    for message in messages {
        let times = ["receivedDateTime", "sentDateTime"].map(|name| text(&message[name]).get(..digits));
        let counts = RECIPIENTS.map(|name| message[name].as_array().map_or(0, Vec::len));
        by_shape.entry(format!("{times:?} {counts:?}")).or_default().push(message);
    }
    by_shape
        .into_iter()
        .filter(|(_, several)| several.len() == 1)
        .map(|(shape, one)| (shape, one[0]))
        .collect()
}

/// How many tokens of `ours` are mapped to the right token of `theirs`, and to no other one.
fn mapped(ours: &[Value], theirs: &[Value], digits: usize, truth: &Joined<'_>) -> usize {
    let (ours, theirs) = (by_shape(ours, digits), by_shape(theirs, digits));
    let found = joined(ours.iter().filter_map(|(shape, our)| Some((*our, *theirs.get(shape)?))));
    truth.iter().filter(|(our, their)| found.get(*our) == Some(their)).count()
}

#[tokio::test]
async fn two_recipients_join_their_deliveries_by_times_and_counts() {
    let (_, graph) = sample_tenant().await;
    let proxy = Setup::in_front_of(graph).consumer(Consumer::new("other", METADATA_ONLY)).start().await;
    let (ours, theirs) = (delivery(&proxy, "acme").await, delivery(&proxy, "other").await);
    // Both deliveries are in Graph's order, so the messages at the same position are the same.
    let truth = joined(ours.iter().zip(&theirs));
    assert!(truth.values().all(|their| their.len() == 1), "one token is one token");
    let shared = truth.values().flatten().filter(|their| truth.contains_key(*their)).count();
    assert_eq!(shared, 0, "no token means the same to both");

    assert_eq!(truth.len(), 509);
    let to = |digits| mapped(&ours, &theirs, digits, &truth);
    let (second, hour, day) = (19, 13, 10);
    assert_eq!([to(second), to(hour), to(day)], [509, 476, 359]);
    says("map 509 of 509 address tokens");
    says("476 with times truncated to the hour, 359 to the day");
}

/// The object that `target` has after a reload; `changed` says whether it is there already.
async fn reloaded(proxy: &Glassine, keys: &str, target: &str, changed: impl Fn(&Value) -> bool) -> Value {
    proxy.write("keys.yaml", keys);
    proxy.until(target, |response| changed(&response.json())).await.json()
}

#[tokio::test]
async fn old_ids_carry_every_user_over_a_rotation_and_none_to_a_new_key_file() {
    let (_, graph) = sample_tenant().await;
    let mut setup = Setup::in_front_of(graph);
    setup.consumers[0].more = "    limits: { requests_per_second: 100000 }\n".to_owned();
    let proxy = setup.start().await;
    let before = all(&proxy, "acme", "/v1.0/users?$top=999").await;
    let by_id = |user: &Value| format!("/v1.0/users/{}", text(&user["id"]));
    let fresh: [u8; 32] = Sha256::digest(b"a fresh key").into();
    let ring = KeyRing::parse(&proxy.read("keys.yaml")).unwrap();
    let rotated = ring.rotated(&fresh, "2026-02-01T00:00:00Z".parse().unwrap()).unwrap().render();
    reloaded(&proxy, &rotated, &by_id(&before[0]), |user| user["id"] != before[0]["id"]).await;

    let (mut ids, mut addresses) = (0, 0);
    for old in &before {
        let new = proxy.get(&by_id(old)).await.json();
        ids += usize::from(new["id"].is_string() && new["id"] != old["id"]);
        addresses += usize::from(new["mail"].is_string() && new["mail"] != old["mail"]);
    }
    assert_eq!((ids, addresses, before.len()), (300, 295, 300));
    says("carry 300 of 300 users over a rotation");
    says("the 295 that have an address");

    let new_start = KeyRing::render_new(&fresh, 'N', "2026-02-01T00:00:00Z");
    reloaded(&proxy, &new_start, &by_id(&before[0]), |user| user["error"]["code"] == "itemNotFound").await;
    for old in &before {
        assert_eq!(proxy.get(&by_id(old)).await.status, 404);
    }
}
