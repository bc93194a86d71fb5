//! Sample messages of Graph: each `conversationId` is of the layout that `thread` knows.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use glassine_core::pseudonym::{AddressPolicy, KeyRing, Outcome};
use serde_json::Value;
use std::collections::BTreeSet;

use crate::support::data;

/// Every `conversationId` anywhere in `json`.
fn conversation_ids(json: &Value, found: &mut BTreeSet<String>) {
    match json {
        Value::Object(members) => {
            found.extend(members.get("conversationId").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| conversation_ids(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| conversation_ids(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The same thread as another mailbox would name it.
fn from_another_mailbox(id: &str) -> String {
    let mut octets = STANDARD.decode(id.replace('-', "/").replace('_', "+")).unwrap();
    octets[4..40].copy_from_slice(b"00000000-1111-2222-3333-444444444444");
    STANDARD.encode(octets).replace('/', "-").replace('+', "_")
}

#[test]
fn a_thread_is_one_thread_from_every_mailbox() {
    let samples = data::text(&data::graph().join("samples/messages.jsonl"));
    let mut ids = BTreeSet::new();
    samples.lines().for_each(|line| conversation_ids(&serde_json::from_str(line).unwrap(), &mut ids));
    assert!(ids.len() > 5, "{ids:?}");

    let master = std::array::from_fn(|at| u8::try_from(at * at % 251).unwrap());
    let ring = KeyRing::parse(&KeyRing::render_new(&master, 'A', "2026-01-01T00:00:00Z")).unwrap();
    let pseudonyms = ring.pseudonyms("acme", &AddressPolicy::default());
    let token = |id: &str| {
        let mut out = Vec::new();
        assert_eq!(pseudonyms.thread(id, &mut out), Outcome::Written);
        out
    };
    for id in &ids {
        let elsewhere = from_another_mailbox(id);
        assert_ne!(*id, elsewhere);
        assert_eq!(token(id), token(&elsewhere), "{id}");
    }
    assert_eq!(ids.iter().map(|id| token(id)).collect::<BTreeSet<_>>().len(), ids.len());
}
