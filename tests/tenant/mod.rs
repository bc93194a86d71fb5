//! The sample tenant over a real socket, read by a plain HTTP client: what the proxy and the SDKs will meet.

mod batch;
mod counts;
mod deltas;
mod directory;
mod entra;
mod filters;
mod lists;
mod mail;
mod paths;
mod protocol;
mod refusals;
mod transport;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use glassine::demo::tenant::{Account, Tenant, User, serve};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

/// The header field of advanced queries.
const EVENTUAL: [(&str, &str); 1] = [("consistencylevel", "eventual")];

struct Graph {
    tenant: Arc<Tenant>,
    address: SocketAddr,
}

struct TenantResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Graph {
    async fn start() -> Graph {
        static TENANT: OnceLock<Arc<Tenant>> = OnceLock::new();
        Graph::of(TENANT.get_or_init(|| Arc::new(Tenant::new(7))).clone()).await
    }

    async fn of(tenant: Arc<Tenant>) -> Graph {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let base_url = format!("http://{address}");
        tokio::spawn(serve(listener, tenant.clone(), base_url, std::future::pending()));
        Graph { tenant, address }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> TenantResponse {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        TenantResponse { status: head.status, headers: head.headers, body }
    }

    /// Spaces may be written as they are.
    async fn get_with(&self, target: &str, headers: &[(&str, &str)]) -> TenantResponse {
        let target = target.strip_prefix(&format!("http://{}", self.address)).unwrap_or(target);
        let target = target.replace(' ', "%20");
        let mut request = Request::get(target).header("host", "graph.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::default()).unwrap()).await
    }

    async fn post(&self, target: &str, form: &str, headers: &[(&str, &str)]) -> TenantResponse {
        let mut request = Request::post(target).header("host", "login.example");
        request = request.header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::from(form.to_owned())).unwrap()).await
    }

    async fn get(&self, target: &str) -> Value {
        let response = self.get_with(target, &[]).await;
        assert_eq!(response.status, StatusCode::OK, "{target}: {:?}", response.body);
        response.json()
    }

    /// The response of an advanced query.
    async fn get_eventually(&self, target: &str) -> Value {
        let response = self.get_with(target, &EVENTUAL).await;
        assert_eq!(response.status, StatusCode::OK, "{target}: {:?}", response.body);
        response.json()
    }

    /// The number that a `/$count` responds with.
    async fn count(&self, target: &str, headers: &[(&str, &str)]) -> usize {
        let response = self.get_with(target, headers).await;
        assert_eq!(response.status, StatusCode::OK, "{target}: {:?}", response.body);
        assert_eq!(response.header("content-type"), "text/plain");
        String::from_utf8(response.body.to_vec()).unwrap().parse().unwrap()
    }

    /// The objects of a round of change tracking, page after page, and the link to the next round.
    async fn round(&self, first: &str) -> (Vec<Value>, String) {
        let mut items = Vec::new();
        let mut link = first.to_owned();
        loop {
            let page = self.get(&link).await;
            items.extend(page["value"].as_array().unwrap().clone());
            match page["@odata.nextLink"].as_str() {
                Some(next) => next.clone_into(&mut link),
                None => return (items, page["@odata.deltaLink"].as_str().unwrap().to_owned()),
            }
        }
    }

    /// Checks that the target is refused with this status and code, in Graph's error shape.
    async fn refuses(&self, target: &str, status: u16, code: &str) {
        self.refuses_with(target, &[], status, code).await;
    }

    async fn refuses_with(&self, target: &str, headers: &[(&str, &str)], status: u16, code: &str) {
        let response = self.get_with(target, headers).await;
        let error = response.json()["error"].clone();
        assert_eq!((response.status.as_u16(), &error["code"]), (status, &json!(code)), "{target}");
        assert!(error["message"].is_string() && error["innerError"]["request-id"].is_string(), "{error}");
    }

    /// All items of a collection, page after page.
    async fn walk(&self, first: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut link = Some(first.to_owned());
        while let Some(target) = link {
            let page = self.get(&target).await;
            items.extend(page["value"].as_array().unwrap().clone());
            link = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        items
    }

    fn staff(&self) -> &User {
        self.tenant
            .users()
            .iter()
            .find(|user| user.account() == Account::Member && user.has_mailbox())
            .unwrap()
    }
}

impl TenantResponse {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }
}

fn thread_guid(conversation_id: &Value) -> Vec<u8> {
    let id = conversation_id.as_str().unwrap().replace('-', "/").replace('_', "+");
    STANDARD.decode(id).unwrap().split_off(43)
}

/// What a client has after a round: an object that comes several times, or in parts, is one object.
pub(crate) fn merged(items: &[Value]) -> BTreeMap<String, Value> {
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    for item in items {
        let id = item["id"].as_str().unwrap();
        if item["@removed"].is_object() {
            all.remove(id);
            continue;
        }
        let known = all.entry(id.to_owned()).or_insert_with(|| json!({}));
        for (name, value) in item.as_object().unwrap() {
            match (known.get_mut(name).and_then(Value::as_array_mut), value) {
                (Some(members), Value::Array(more)) if name == "members@delta" => {
                    members.extend(more.clone())
                }
                _ => known[name] = value.clone(),
            }
        }
    }
    all
}

fn ids(items: &[Value]) -> BTreeSet<String> {
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}
