//! `POST /{version}/$batch`: up to twenty requests in one (<https://learn.microsoft.com/graph/json-batching>). Reads the
//! envelope itself: a mistake that the proxy's parser and this one shared would stay hidden.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fault::{Fault, WAIT};

/// Graph's limit.
const MAX_ITEMS: usize = 20;

/// A batch that can be run.
#[derive(Debug)]
pub(super) struct Batch {
    items: Vec<Item>,
}

/// One request of a batch.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    id: String,
    pub(super) method: String,
    url: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// The response to one request.
pub(super) struct ItemResponse {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

#[derive(Deserialize)]
struct Envelope {
    requests: Vec<Item>,
}

impl Batch {
    pub(super) fn parse(envelope: &[u8]) -> Result<Batch, Fault> {
        let Ok(Envelope { requests }) = serde_json::from_slice(envelope) else { return Err(Fault::Batch) };
        match requests.len() {
            0 => Err(Fault::Batch),
            1..=MAX_ITEMS => Batch { items: requests }.checked(),
            _ => Err(Fault::BatchCount),
        }
    }

    /// Runs each request once those it depends on have succeeded. The others come in the opposite order of the batch:
    /// Graph promises none, so clients must not count on one.
    pub(super) fn run(
        &self,
        respond: impl Fn(&Item) -> ItemResponse,
        failed: impl Fn() -> ItemResponse,
    ) -> Value {
        let mut done: Vec<(&Item, ItemResponse)> = Vec::new();
        while let Some(item) = self.next(&done) {
            let succeeded =
                |name: &String| done.iter().any(|(item, it)| item.is(name) && it.status.is_success());
            let response = if item.depends_on.iter().all(succeeded) { respond(item) } else { failed() };
            done.push((item, response));
        }
        json!({ "responses": done.iter().map(|(item, response)| response.to_json(&item.id)).collect::<Vec<_>>() })
    }

    fn checked(self) -> Result<Batch, Fault> {
        for (place, item) in self.items.iter().enumerate() {
            if item.id.is_empty() {
                return Err(Fault::Batch);
            }
            if self.items.iter().take(place).any(|earlier| earlier.is(&item.id)) {
                return Err(Fault::BatchId(item.id.clone()));
            }
        }
        match self.circle() {
            Some(id) => Err(Fault::BatchOrder(id)),
            None => Ok(self),
        }
    }

    /// A request that can never run: what it depends on is not there, or depends on it.
    fn circle(&self) -> Option<String> {
        let mut done: Vec<(&Item, ())> = Vec::new();
        while let Some(item) = self.next(&done) {
            done.push((item, ()));
        }
        let is_done = |item: &&Item| done.iter().any(|(it, ())| it.is(&item.id));
        self.items.iter().find(|item| !is_done(item)).map(|item| item.id.clone())
    }

    /// The last request that is not done and depends on nothing that is not done.
    fn next<'a, T>(&'a self, done: &[(&Item, T)]) -> Option<&'a Item> {
        let is_done = |name: &String| done.iter().any(|(item, _)| item.is(name));
        let is_ready = |item: &&Item| !is_done(&item.id) && item.depends_on.iter().all(is_done);
        self.items.iter().rev().find(is_ready)
    }
}

impl Item {
    /// Ids are compared without letter case.
    fn is(&self, id: &str) -> bool {
        self.id.eq_ignore_ascii_case(id)
    }

    /// The path and the query under this version. Spaces may be written as they are.
    pub(super) fn target(&self, version: &str) -> (String, Option<String>) {
        let url = self.url.replace(' ', "%20");
        let (path, query) =
            url.split_once('?').map_or((url.as_str(), None), |(path, query)| (path, Some(query)));
        (format!("/{version}/{}", path.trim_start_matches('/')), query.map(str::to_owned))
    }

    /// The header fields whose values are texts.
    pub(super) fn headers(&self) -> http::HeaderMap {
        let text = |(name, value): (&String, &Value)| {
            let name = http::HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, http::HeaderValue::from_str(value.as_str()?).ok()?))
        };
        self.headers.iter().filter_map(text).collect()
    }
}

impl ItemResponse {
    /// JSON stays JSON; anything else becomes a text in base64.
    fn to_json(&self, id: &str) -> Value {
        let body = if self.content_type.starts_with("application/json") {
            serde_json::from_slice(&self.body).unwrap_or_default()
        } else {
            Value::String(STANDARD.encode(&self.body))
        };
        let mut headers = json!({
            "Cache-Control": "no-cache", "OData-Version": "4.0", "Content-Type": self.content_type,
        });
        if let (StatusCode::TOO_MANY_REQUESTS, Value::Object(headers)) = (self.status, &mut headers) {
            headers.insert("Retry-After".to_owned(), json!(WAIT));
        }
        json!({ "id": id, "status": self.status.as_u16(), "headers": headers, "body": body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(requests: &Value) -> Result<String, Fault> {
        let batch = Batch::parse(json!({ "requests": requests }).to_string().as_bytes())?;
        let status = |item: &Item| if item.url == "bad" { StatusCode::NOT_FOUND } else { StatusCode::OK };
        let response = |status| ItemResponse { status, content_type: "text/plain", body: Vec::new() };
        let all = batch.run(|item| response(status(item)), || response(StatusCode::FAILED_DEPENDENCY));
        let one = |it: &Value| format!("{}:{} ", it["id"].as_str().unwrap(), it["status"]);
        Ok(all["responses"].as_array().unwrap().iter().map(one).collect())
    }

    fn item(id: &str, url: &str, depends_on: &[&str]) -> Value {
        json!({ "id": id, "method": "GET", "url": url, "dependsOn": depends_on })
    }

    #[test]
    fn requests_run_after_those_they_depend_on() {
        let requests = json!([item("1", "ok", &["C"]), item("2", "ok", &[]), item("c", "ok", &[])]);
        assert_eq!(order(&requests).unwrap(), "c:200 2:200 1:200 ");
    }

    #[test]
    fn a_failure_reaches_all_that_depend_on_it() {
        let requests = json!([item("1", "bad", &[]), item("2", "ok", &["1"]), item("3", "ok", &["2"])]);
        assert_eq!(order(&requests).unwrap(), "1:404 2:424 3:424 ");
    }

    #[test]
    fn what_is_no_batch_is_refused_whole() {
        let many: Vec<Value> = (0..21).map(|it| item(&it.to_string(), "ok", &[])).collect();
        for (requests, fault) in [
            (json!([]), Fault::Batch),
            (json!([{ "id": "1", "url": "x" }]), Fault::Batch),
            (json!(many), Fault::BatchCount),
            (json!([item("a", "ok", &[]), item("A", "ok", &[])]), Fault::BatchId("A".to_owned())),
            (json!([item("a", "ok", &["b"])]), Fault::BatchOrder("a".to_owned())),
            (json!([item("a", "ok", &["b"]), item("b", "ok", &["a"])]), Fault::BatchOrder("a".to_owned())),
        ] {
            assert_eq!(order(&requests), Err(fault), "{requests}");
        }
    }

    #[test]
    fn a_url_is_below_the_version() {
        let item: Item = serde_json::from_value(item("1", "users?$filter=a eq 'b'", &[])).unwrap();
        let target = ("/v1.0/users".to_owned(), Some("$filter=a%20eq%20'b'".to_owned()));
        assert_eq!(item.target("v1.0"), target);
    }
}
