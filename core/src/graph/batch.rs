//! JSON batches: `POST /{version}/$batch` (Microsoft Graph, "Combine multiple HTTP requests using JSON batching").
//!
//! A batch is an envelope around requests that could each be made alone. This module reads the envelope. Each request
//! in it is then read like any other.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Version;

/// Graph's own limit.
pub const MAX_ITEMS: usize = 20;
/// The most bytes of an envelope: twenty requests, each with the longest target.
pub const MAX_ENVELOPE: usize = 256 * 1024;
/// The most bytes of an item's id. SDKs use numbers or GUIDs.
const MAX_ID: usize = 128;

/// One request of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchItem {
    /// The id that the consumer gave the request.
    pub id: String,
    /// The method, as written.
    pub method: String,
    /// The origin-form target, with the batch's version in front.
    pub target: String,
    /// The `Prefer` header, if there is one.
    pub prefer: Option<String>,
    /// Whether its `ConsistencyLevel` header says `eventual`.
    pub eventual: bool,
    /// The positions, in the batch, of the requests that must succeed first. All are before this one.
    pub depends_on: Vec<usize>,
    /// Whether the request has a body. Such a request is refused.
    pub has_body: bool,
}

/// Why an envelope was refused as a whole. The texts repeat nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Not JSON, not of the documented form, or a key that comes twice.
    #[error("the body is not a batch: {{\"requests\":[{{\"id\",\"method\",\"url\"}}]}}")]
    Form,
    /// No request, or more than [`MAX_ITEMS`].
    #[error("a batch has 1 to {MAX_ITEMS} requests")]
    Count,
    /// An id that is empty, too long, or used twice (letter case does not count).
    #[error("each request of a batch needs an id that no other request has, of 1 to {MAX_ID} bytes")]
    Id,
    /// `dependsOn` names something other than an earlier request.
    #[error("`dependsOn` can name earlier requests of the batch only")]
    DependsOn,
    /// A URL that is not relative to the version.
    #[error("the URLs of a batch are relative to the version, as in `/users`")]
    Url,
}

impl BatchError {
    /// A stable name, for responses, logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Form => "batchMalformed",
            Self::Count => "batchCount",
            Self::Id => "batchId",
            Self::DependsOn => "batchDependsOn",
            Self::Url => "batchUrl",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    requests: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Item {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    // The Python SDK writes this key in its own style.
    #[serde(default, alias = "depends_on")]
    depends_on: Option<Vec<String>>,
    #[serde(default)]
    body: Option<serde_json::Value>,
}

/// Reads an envelope.
///
/// # Errors
///
/// [`BatchError`] if it is not a batch. An error in a single request becomes that request's response.
pub fn parse(version: Version, envelope: &[u8]) -> Result<Vec<BatchItem>, BatchError> {
    let Envelope { requests } = serde_json::from_slice(envelope).map_err(|_| BatchError::Form)?;
    if !(1..=MAX_ITEMS).contains(&requests.len()) {
        return Err(BatchError::Count);
    }
    let ids: Vec<_> = requests.iter().map(|item| item.id.to_ascii_lowercase()).collect();
    requests
        .into_iter()
        .enumerate()
        .map(|(at, item)| item.check(version, ids.get(..at).unwrap_or_default()))
        .collect()
}

impl Item {
    fn check(self, version: Version, earlier: &[String]) -> Result<BatchItem, BatchError> {
        if self.id.is_empty() || self.id.len() > MAX_ID || earlier.contains(&self.id.to_ascii_lowercase()) {
            return Err(BatchError::Id);
        }
        let place = |name: &String| earlier.iter().position(|id| id.eq_ignore_ascii_case(name));
        let depends_on = self.depends_on.iter().flatten().map(place).collect::<Option<_>>();
        let headers = self.headers.unwrap_or_default();
        let header = |wanted: &str| {
            let mut values = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
            values.next().map(|(_, value)| value)
        };
        let level = header("consistencylevel");
        Ok(BatchItem {
            id: self.id,
            method: self.method,
            target: target(version, &self.url)?,
            prefer: header("prefer").cloned(),
            eventual: level.is_some_and(|level| level.eq_ignore_ascii_case("eventual")),
            depends_on: depends_on.ok_or(BatchError::DependsOn)?,
            has_body: self.body.is_some_and(|body| !body.is_null()),
        })
    }
}

/// Accepts `users` and `/users`, never `//host` or a scheme. The rest is parsed later, like any target.
fn target(version: Version, url: &str) -> Result<String, BatchError> {
    let path = url.strip_prefix('/').unwrap_or(url);
    let first = path.split(['/', '?']).next().unwrap_or_default();
    if path.starts_with('/') || first.contains(':') {
        return Err(BatchError::Url);
    }
    Ok(format!("/{}/{path}", version.as_str()))
}

/// What comes before an item's body in the batch's response.
#[derive(Clone, Copy, Debug)]
pub struct ItemHead<'a> {
    /// The id that the consumer gave the request.
    pub id: &'a str,
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: &'a [(&'a str, &'a str)],
}

impl ItemHead<'_> {
    /// `{"id":…,"status":…,"headers":{…},"body":`; the body and a `}` follow.
    pub fn to_json(&self) -> Vec<u8> {
        let headers: serde_json::Map<String, serde_json::Value> =
            self.headers.iter().map(|(name, value)| (capitalized(name), (*value).into())).collect();
        let (id, headers) = (serde_json::Value::from(self.id), serde_json::Value::from(headers));
        format!("{{\"id\":{id},\"status\":{},\"headers\":{headers},\"body\":", self.status).into_bytes()
    }
}

/// A header name in Graph's spelling, such as `Content-Type`. In JSON, header names are ordinary keys, and Graph's
/// JavaScript client recognises a JSON body only by this spelling.
fn capitalized(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + rest
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(envelope: &str) -> Result<Vec<BatchItem>, BatchError> {
        parse(Version::V1, envelope.as_bytes())
    }

    fn with_url(url: &str) -> Result<String, BatchError> {
        let envelope = serde_json::json!({ "requests": [{ "id": "1", "method": "GET", "url": url }] });
        read(&envelope.to_string()).map(|items| items[0].target.clone())
    }

    #[test]
    fn an_envelope_becomes_requests() {
        let items = read(
            r#"{"requests":[{"id":"a","method":"GET","url":"/users?$top=1","headers":{"prefer":"x"}},
                {"id":"b","method":"GET","url":"users","dependsOn":["A"]},
                {"id":"c","method":"GET","url":"users","depends_on":[]}]}"#,
        )
        .unwrap();
        assert_eq!(items[0].target, "/v1.0/users?$top=1");
        assert_eq!(items[0].prefer.as_deref(), Some("x"));
        assert_eq!(items[1].depends_on, [0]);
        assert_eq!(items[2].depends_on, [] as [usize; 0]);
    }

    #[test]
    fn urls_are_relative_to_the_version() {
        assert_eq!(with_url("users").unwrap(), "/v1.0/users");
        for url in ["//evil.example/users", "https://graph.microsoft.com/v1.0/users", "///users"] {
            assert_eq!(with_url(url), Err(BatchError::Url), "{url}");
        }
    }

    #[test]
    fn a_malformed_batch_is_refused_whole() {
        let item = r#"{"id":"1","method":"GET","url":"users"}"#;
        let many = |n: usize| {
            let items: Vec<_> = (0..n).map(|at| item.replace("\"1\"", &format!("\"{at}\""))).collect();
            format!("{{\"requests\":[{}]}}", items.join(","))
        };
        assert_eq!(read(&many(20)).unwrap().len(), 20);
        for (envelope, error) in [
            (many(21), BatchError::Count),
            (many(0), BatchError::Count),
            ("[]".to_owned(), BatchError::Form),
            (format!("{{\"requests\":[{item}],\"more\":1}}"), BatchError::Form),
            (format!("{{\"requests\":[{item}],\"requests\":[{item}]}}"), BatchError::Form),
            (format!("{{\"requests\":[{item},{item}]}}"), BatchError::Id),
            (format!("{{\"requests\":[{}]}}", item.replace("\"1\"", "\"\"")), BatchError::Id),
            (
                format!("{{\"requests\":[{}]}}", item.replace("\"url\"", "\"dependsOn\":[\"9\"],\"url\"")),
                BatchError::DependsOn,
            ),
        ] {
            assert_eq!(read(&envelope), Err(error), "{envelope}");
        }
    }

    #[test]
    fn a_head_a_body_and_a_brace_are_json() {
        let head = ItemHead { id: "a\"b", status: 200, headers: &[("retry-after", "1")] };
        let text = String::from_utf8(head.to_json()).unwrap() + "{}}";
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["id"], "a\"b");
        assert_eq!(value["headers"]["Retry-After"], "1");
    }

    #[test]
    fn header_names_are_spelled_as_graph_spells_them() {
        for (name, spelled) in
            [("content-type", "Content-Type"), ("Date", "Date"), ("", ""), ("-é-a", "-é-A")]
        {
            assert_eq!(capitalized(name), spelled);
        }
    }
}
