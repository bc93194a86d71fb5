//! An accepted envelope has no more requests than a batch may have. Each request has a unique id, a target under the
//! version, and dependencies only on earlier requests. The envelope written again parses to the same, and its
//! response is JSON.
//!
//! The proxy then admits the requests one by one, in this order and under these ids.

use glassine_core::graph::Version;
use glassine_core::graph::batch::{BatchItem, ItemHead, MAX_ITEMS, parse};
use serde_json::{Value, json};

/// See the module.
pub fn batch(data: &[u8]) {
    for version in [Version::V1, Version::Beta] {
        if let Ok(items) = parse(version, data) {
            assert!((1..=MAX_ITEMS).contains(&items.len()), "{} requests", items.len());
            items.iter().enumerate().for_each(|(at, item)| is_consistent(version, &items[..at], item));
            assert_eq!(parse(version, written(version, &items).to_string().as_bytes()), Ok(items));
        }
    }
}

fn is_consistent(version: Version, earlier: &[BatchItem], item: &BatchItem) {
    assert!(!item.id.is_empty() && earlier.iter().all(|other| !other.id.eq_ignore_ascii_case(&item.id)));
    assert!(item.depends_on.iter().all(|at| *at < earlier.len()), "{item:?}");
    let path = item.target.strip_prefix(&format!("/{}/", version.as_str()));
    let first = path.and_then(|path| path.split(['/', '?']).next()).unwrap_or_else(|| panic!("{item:?}"));
    assert!(!path.is_some_and(|path| path.starts_with('/')) && !first.contains(':'), "{item:?}");
    its_response_is_json(item);
}

fn its_response_is_json(item: &BatchItem) {
    let headers = [("content-type", item.method.as_str()), ("retry-after", "1")];
    let head = ItemHead { id: &item.id, status: 200, headers: &headers }.to_json();
    let response: Value = serde_json::from_slice(&[&head[..], b"{}}"].concat()).expect("a response is JSON");
    assert_eq!(response["id"], *item.id);
    assert_eq!(response["headers"]["Content-Type"], *item.method);
}

/// The envelope written from its parsed form.
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
