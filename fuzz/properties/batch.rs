//! An accepted envelope has no more requests than a batch may have. Each request has a unique id, a target under the
//! version, and dependencies only on earlier requests. The envelope written again parses to the same, and its
//! response is JSON.
//!
//! The proxy then admits the requests one by one, in this order and under these ids.

use std::collections::BTreeSet;

use glassine_core::graph::batch::{BatchItem, ItemHead, ItemId, MAX_ITEMS, parse};
use glassine_core::graph::{BaseUrl, Version};
use serde_json::{Value, json};

/// See the module.
pub fn batch(data: &[u8]) {
    let own = BaseUrl::parse("https://p.example/g").expect("a URL");
    for version in [Version::V1, Version::Beta] {
        if let Ok(items) = parse(version, &own, data) {
            assert!((1..=MAX_ITEMS).contains(&items.len()), "{} requests", items.len());
            let ids: BTreeSet<_> = items.iter().map(|item| text(&item.id)).collect();
            assert!(ids.len() == items.len() && !ids.contains(""), "{ids:?}");
            items.iter().enumerate().for_each(|(at, item)| is_consistent(version, at, item));
            assert_eq!(parse(version, &own, written(&items).to_string().as_bytes()), Ok(items));
        }
    }
}

/// The id as clients compare it.
fn text(id: &ItemId) -> String {
    match id {
        ItemId::Integer(number) => number.to_string(),
        ItemId::Text(text) => text.to_ascii_lowercase(),
    }
}

fn is_consistent(version: Version, at: usize, item: &BatchItem) {
    assert!(item.depends_on.iter().all(|earlier| *earlier < at), "{item:?}");
    assert!(item.target.is_ascii() && !item.target.contains(' '), "{item:?}");
    let path = item.target.strip_prefix(&format!("/{}/", version.as_str()));
    let first = path.and_then(|path| path.split(['/', '?']).next()).unwrap_or_else(|| panic!("{item:?}"));
    assert!(!path.is_some_and(|path| path.starts_with('/')) && !first.contains(':'), "{item:?}");
    its_response_is_json(item);
}

fn its_response_is_json(item: &BatchItem) {
    let headers = [("content-type", item.method.as_str()), ("retry-after", "1")];
    let head = ItemHead { id: &item.id, status: 200, headers: &headers }.to_json();
    let response: Value = serde_json::from_slice(&[&head[..], b"{}}"].concat()).expect("a response is JSON");
    assert_eq!(response["id"], json!(item.id));
    assert_eq!(response["headers"]["Content-Type"], *item.method);
}

/// The envelope written from its parsed form.
fn written(items: &[BatchItem]) -> Value {
    let request = |item: &BatchItem| {
        let mut headers = json!({ "ConsistencyLevel": if item.eventual { "eventual" } else { "" } });
        item.prefer.iter().for_each(|prefer| headers["prefer"] = json!(prefer));
        json!({
            "id": item.id,
            "method": item.method,
            "url": item.target,
            "headers": headers,
            "dependsOn": item.depends_on.iter().map(|at| &items[*at].id).collect::<Vec<_>>(),
            "body": item.has_body.then_some(1),
        })
    };
    json!({ "requests": items.iter().map(request).collect::<Vec<_>>() })
}
