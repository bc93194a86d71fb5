//! Behind a byte order mark, `serde_json` reads an accepted key set as well, it has no private key, and written anew it is the same set. A key for
//! another use beside its keys changes nothing.
//!
//! The set comes over the network from an issuer, and decides whose tokens count.

use glassine::jwt::{KeySet, KeySetError};
use glassine_core::graph::without_byte_order_mark;
use serde_json::{Value, json};

/// See the module.
pub fn key_set(data: &[u8]) {
    let Ok(set) = KeySet::parse(data) else { return };
    let mut read: Value = serde_json::from_slice(without_byte_order_mark(data)).expect("JSON");
    assert!(is_same(&set, &read), "written anew, the set is another one");
    let keys = read["keys"].as_array_mut().expect("a list");
    assert!(keys.iter().all(|key| key.get("d").is_none()), "a private key");
    if keys.len() < 100 {
        keys.push(json!({ "kty": "oct", "k": "AQAB", "use": "enc" }));
        assert!(is_same(&set, &read), "a key for another use changed the set");
    }
    read["keys"][0]["d"] = json!("AQAB");
    assert_eq!(parse(&read).err(), Some(KeySetError::PrivateKey));
}

fn parse(set: &Value) -> Result<KeySet, KeySetError> {
    KeySet::parse(set.to_string().as_bytes())
}

fn is_same(set: &KeySet, written: &Value) -> bool {
    parse(written).is_ok_and(|again| again == *set)
}
