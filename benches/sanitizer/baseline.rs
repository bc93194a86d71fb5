//! The obvious way: parse the page to a tree, edit the tree, write it. Written by hand for messages only, with the same
//! tokens and links, but without the sanitizer's checks (depth, duplicate properties).

use glassine_core::pseudonym::{Class, Outcome, Pseudonyms};
use serde_json::{Map, Value};

use crate::support::connector::Connector;

/// The properties of a message that the shipped rules keep unchanged.
const KEPT: &[&str] = &[
    "@odata.type",
    "createdDateTime",
    "lastModifiedDateTime",
    "receivedDateTime",
    "sentDateTime",
    "hasAttachments",
    "importance",
    "inferenceClassification",
    "isRead",
    "isDraft",
    "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
];
const ONE_PERSON: &[&str] = &["from", "sender"];
const PEOPLE: &[&str] = &["toRecipients", "ccRecipients", "bccRecipients", "replyTo"];

/// A function that writes a token.
type Transform = fn(&Pseudonyms, &str, &mut Vec<u8>) -> Outcome;

pub(crate) fn edit_tree(page: &[u8], connector: &Connector) -> Vec<u8> {
    let mut page: Map<String, Value> = serde_json::from_slice(page).unwrap();
    page.retain(|name, _| matches!(name.as_str(), "value" | "@odata.nextLink"));
    if let Some(Value::String(link)) = page.get_mut("@odata.nextLink") {
        *link = connector.next_link(link);
    }
    if let Some(Value::Array(messages)) = page.get_mut("value") {
        messages.iter_mut().filter_map(Value::as_object_mut).for_each(|message| {
            edit_message(message, connector.pseudonyms());
        });
    }
    serde_json::to_vec(&page).unwrap()
}

fn edit_message(message: &mut Map<String, Value>, keys: &Pseudonyms) {
    message.retain(|name, value| match name.as_str() {
        "id" | "parentFolderId" => {
            replace(value, keys, |keys, raw, out| keys.reversible(Class::Id, raw, out))
        }
        "conversationId" => replace(value, keys, Pseudonyms::thread),
        "internetMessageId" => replace(value, keys, Pseudonyms::message_id),
        "flag" => keep_only(value, "flagStatus"),
        name if ONE_PERSON.contains(&name) => edit_recipient(value, keys),
        name if PEOPLE.contains(&name) => edit_recipients(value, keys),
        name => KEPT.contains(&name) && !value.is_object() && !value.is_array(),
    });
}

fn edit_recipients(people: &mut Value, keys: &Pseudonyms) -> bool {
    people.as_array_mut().is_some_and(|people| {
        people.retain_mut(|person| edit_recipient(person, keys));
        true
    })
}

fn edit_recipient(person: &mut Value, keys: &Pseudonyms) -> bool {
    let kept = keep_only(person, "emailAddress");
    if let Some(inner) = person.get_mut("emailAddress") {
        keep_only(inner, "address");
        if let Some(address) = inner.get_mut("address") {
            replace(address, keys, Pseudonyms::email);
        }
    }
    kept
}

fn keep_only(object: &mut Value, name: &str) -> bool {
    object.as_object_mut().is_some_and(|object| {
        object.retain(|other, _| other == name);
        true
    })
}

fn replace(value: &mut Value, keys: &Pseudonyms, transform: Transform) -> bool {
    let Value::String(text) = value else {
        return value.is_null();
    };
    let mut token = Vec::with_capacity(text.len());
    match transform(keys, text, &mut token) {
        Outcome::Written => *text = String::from_utf8(token).unwrap(),
        Outcome::Empty => *value = Value::Null,
        Outcome::NotUnderstood => return false,
    }
    true
}
