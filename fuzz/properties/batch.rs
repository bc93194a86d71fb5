//! An envelope that is read has as many requests as a batch may have, each with an id of its own, a target under the
//! version, and nothing before it that is not there; written anew it is read alike, and its response is JSON.
//!
//! The requests go on to be admitted one by one, in the order and under the ids that are read here.

use glassine_core::graph::Version;
use glassine_core::graph::batch::{BatchItem, ItemHead, MAX_ITEMS, parse};
use serde_json::{Value, json};

/// See the module.
pub fn batch(data: &[u8]) {
    for version in [Version::V1, Version::Beta] {
        if let Ok(items) = parse(version, data) {
            assert!((1..=MAX_ITEMS).contains(&items.len()), "{} requests", items.len());
            items.iter().enumerate().for_each(|(at, item)| stands(version, &items[..at], item));
            assert_eq!(parse(version, written(version, &items).to_string().as_bytes()), Ok(items));
        }
    }
}

fn stands(version: Version, earlier: &[BatchItem], item: &BatchItem) {
    assert!(!item.id.is_empty() && earlier.iter().all(|other| !other.id.eq_ignore_ascii_case(&item.id)));
    assert!(item.depends_on.iter().all(|at| *at < earlier.len()), "{item:?}");
    let path = item.target.strip_prefix(&format!("/{}/", version.as_str()));
    let first = path.and_then(|path| path.split(['/', '?']).next()).unwrap_or_else(|| panic!("{item:?}"));
    assert!(!path.is_some_and(|path| path.starts_with('/')) && !first.contains(':'), "{item:?}");
    has_response(item);
}

fn has_response(item: &BatchItem) {
    let headers = [("content-type", item.method.as_str()), ("retry-after", "1")];
    let head = ItemHead { id: &item.id, status: 200, headers: &headers }.to_json();
    let response: Value = serde_json::from_slice(&[&head[..], b"{}}"].concat()).expect("a response is JSON");
    assert_eq!(response["id"], *item.id);
    assert_eq!(response["headers"]["Content-Type"], *item.method);
}

/// The envelope as this program would write it.
fn written(version: Version, items: &[BatchItem]) -> Value {
    let request = |item: &BatchItem| {
        let mut headers = json!({ "ConsistencyLevel": if item.eventual { "eventual" } else { "" } });
        item.prefer.iter().for_each(|prefer| headers["prefer"] = json!(prefer));
        json!({
            "id": item.id,
            "method": item.method,
            "url": item.target.strip_prefix(&format!("/{}", version.as_str())),
            "headers": headers,
            "dependsOn": item.depends_on.iter().map(|at| &items[*at].id).collect::<Vec<_>>(),
            "body": item.has_body.then_some(1),
        })
    };
    json!({ "requests": items.iter().map(request).collect::<Vec<_>>() })
}
