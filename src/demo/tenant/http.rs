//! The HTTP server: responses of unknown length like Graph's, compressed if the client accepts it, and the faults of
//! [`transport`](super::transport).

use std::future::Future;
use std::io::{self, Write as _};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RETRY_AFTER, VARY,
    WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use jiff::Timestamp;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::time::{Sleep, sleep};

use super::Tenant;
use super::access::Access;
use super::batch::{Batch, Item, ItemResponse};
use super::entra::{self, Call, Endpoint};
use super::fault::{Fault, WAIT};
use super::rng::Rng;
use super::route::{self, Headers, Reply};
use super::transport::TransportFault;
use super::visits::Visit;
use crate::demo::socket::{self, Farewell, Lost};

const JSON: &str =
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
/// The size of the pieces in which a page is sent: small, so that JSON tokens are cut in two.
const CHUNK: usize = 4096;
/// Forms are short; the longest has a signed assertion in it.
const FORM_LIMIT: usize = 16 * 1024;
/// Batches hold twenty targets, some with long filters.
const BATCH_LIMIT: usize = 1024 * 1024;
/// Graph's challenge if it refuses a token.
const CHALLENGE: &str = r#"Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000""#;
const DIAGNOSTIC: &str = r#"{"ServerInfo":{"DataCenter":"West Europe","Slice":"E","Ring":"5","ScaleUnit":"002","RoleInstance":"AM2PEPF0001D3A1"}}"#;

/// Serves the tenant on `listener` until `shutdown` is done; open connections are then dropped.
///
/// `base_url` is what links in responses start with: scheme and authority, no slash at the end
/// (`http://127.0.0.1:9000`). Plaintext; meant for loopback. Failing connections end quietly.
pub async fn serve(
    listener: TcpListener,
    tenant: Arc<Tenant>,
    base_url: String,
    shutdown: impl Future<Output = ()>,
) {
    let idle = tenant.faults.idle();
    let server = Arc::new(Server::new(tenant, base_url));
    let respond = move |request| {
        let server = Arc::clone(&server);
        async move { server.respond(request).await }
    };
    socket::serve(listener, idle, shutdown, respond).await;
}

/// Serves the tenant on one connection, for those who bring their own TLS. Else as [`serve`].
pub async fn serve_connection<S>(stream: S, tenant: Arc<Tenant>, base_url: String)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let idle = tenant.faults.idle();
    let server = Arc::new(Server::new(tenant, base_url));
    let respond = move |request| {
        let server = Arc::clone(&server);
        async move { server.respond(request).await }
    };
    socket::connection(stream, idle, respond).await;
}

struct Server {
    tenant: Arc<Tenant>,
    base_url: String,
    requests: AtomicU64,
}

/// A response before it is put on the wire.
struct GraphResponse {
    status: StatusCode,
    content_type: &'static str,
    body: Vec<u8>,
    immutable_ids: bool,
    location: Option<String>,
    /// Ends with the body.
    visit: Option<Visit>,
}

/// The ids that every response carries.
struct RequestIds {
    number: u64,
    request: String,
    client: String,
}

impl Server {
    fn new(tenant: Arc<Tenant>, base_url: String) -> Server {
        Server { tenant, base_url, requests: AtomicU64::new(0) }
    }

    async fn respond(&self, request: http::Request<Incoming>) -> Result<Response<Chunks>, Lost> {
        let (head, body) = request.into_parts();
        let ids = self.request_ids(&head.headers);
        if let Some(endpoint) = Endpoint::of(head.uri.path()) {
            return Ok(self.entra(endpoint, &head, body, &ids).await);
        }
        let fault = self.tenant.faults.next();
        let response = match fault {
            Some(TransportFault::ClosedUnanswered) => return Err(Lost::Closed),
            Some(TransportFault::Refused) => return Err(Lost::Reset(h2::Reason::REFUSED_STREAM.into())),
            Some(TransportFault::Throttled) => GraphResponse::fault(&Fault::TooManyRequests, &ids),
            _ => self.graph_or_batch(&head, body, &ids).await,
        };
        let mut response = response.into_response(&head.headers, &ids, fault);
        if fault == Some(TransportFault::GoAway) {
            leave(&head, &mut response);
        }
        Ok(response)
    }

    async fn graph_or_batch(&self, head: &Parts, body: Incoming, ids: &RequestIds) -> GraphResponse {
        let response = match route::batch_version(head.uri.path()) {
            Some(version) if head.method == Method::POST => {
                let envelope = read(body, BATCH_LIMIT).await;
                self.batch(version, &head.headers, &envelope, ids)
            }
            _ => self.graph(head).await,
        };
        response.unwrap_or_else(|fault| GraphResponse::fault(&fault, ids))
    }

    async fn entra(
        &self,
        endpoint: Endpoint<'_>,
        head: &Parts,
        body: Incoming,
        ids: &RequestIds,
    ) -> Response<Chunks> {
        let form = if is_form(&head.headers) { read(body, FORM_LIMIT).await } else { Bytes::new() };
        let form = String::from_utf8_lossy(&form);
        let call = Call {
            method: &head.method,
            query: head.uri.query().unwrap_or_default(),
            headers: &head.headers,
            form: &form,
            base: &self.base_url,
            request_id: &ids.request,
            client_request_id: &ids.client,
        };
        let entra::EntraResponse { status, headers, body } = self.tenant.entra().respond(endpoint, &call);
        let mut response = Response::new(Chunks::new(body.into_bytes(), None));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        insert_text(response.headers_mut(), "x-ms-request-id", &ids.request);
        response
    }

    async fn graph(&self, head: &Parts) -> Result<GraphResponse, Fault> {
        let access = self.tenant.access(head.headers.get(AUTHORIZATION))?;
        let visit = self.tenant.visit(head.uri.path())?;
        if let Some(visit) = &visit {
            visit.last().await;
        }
        let target = (head.uri.path(), head.uri.query());
        let response = self.one(head.method.as_str(), target, &head.headers, &access)?;
        Ok(GraphResponse { visit, ..response })
    }

    fn batch(
        &self,
        version: &str,
        headers: &HeaderMap,
        envelope: &[u8],
        ids: &RequestIds,
    ) -> Result<GraphResponse, Fault> {
        let access = self.tenant.access(headers.get(AUTHORIZATION))?;
        let respond = |item: &Item| {
            let (path, query) = item.target(version);
            // "Requests in a batch are evaluated individually against throttling limits"
            // (<https://learn.microsoft.com/graph/throttling#throttling-and-batching>). Here they run one after the other.
            let response = self.tenant.visit(&path).and_then(|_visit| {
                self.one(&item.method, (&path, query.as_deref()), &item.headers(), &access)
            });
            response.unwrap_or_else(|fault| GraphResponse::fault(&fault, ids)).into_item()
        };
        let failed = || GraphResponse::fault(&Fault::FailedDependency, ids).into_item();
        Ok(GraphResponse::json(StatusCode::OK, &Batch::parse(envelope)?.run(respond, failed)))
    }

    /// The response to one request, alone or in a batch.
    fn one(
        &self,
        method: &str,
        target: (&str, Option<&str>),
        headers: &HeaderMap,
        access: &Access,
    ) -> Result<GraphResponse, Fault> {
        if method != Method::GET.as_str() {
            return Err(Fault::Method(method.to_owned()));
        }
        let headers = asked_headers(headers);
        let mut response = match route::respond(&self.tenant, &self.base_url, target, headers, access)? {
            Reply::Page(page) => GraphResponse::json(StatusCode::OK, &page),
            Reply::Object(object) => GraphResponse::json(StatusCode::OK, &object),
            Reply::Text(text) => GraphResponse::other("text/plain", text),
            Reply::Mime(text) => GraphResponse::other("application/octet-stream", text),
        };
        response.immutable_ids = headers.immutable_ids;
        Ok(response)
    }

    fn request_ids(&self, headers: &HeaderMap) -> RequestIds {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let request = Rng::of(self.tenant.directory.seed, "request", &[number]).guid();
        let sent = headers.get("client-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        RequestIds { client: sent.unwrap_or_else(|| request.clone()), number, request }
    }
}

/// Says that this response is the last one of its connection.
fn leave(head: &Parts, response: &mut Response<Chunks>) {
    if head.version < Version::HTTP_2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    } else if let Some(farewell) = head.extensions.get::<Farewell>() {
        farewell.say();
    }
}

impl GraphResponse {
    fn json(status: StatusCode, value: &impl Serialize) -> GraphResponse {
        let body = serde_json::to_vec(value).unwrap_or_default();
        GraphResponse { status, content_type: JSON, body, immutable_ids: false, location: None, visit: None }
    }

    fn other(content_type: &'static str, text: String) -> GraphResponse {
        GraphResponse { content_type, body: text.into_bytes(), ..GraphResponse::json(StatusCode::OK, &()) }
    }

    fn fault(fault: &Fault, ids: &RequestIds) -> GraphResponse {
        let document = fault.to_json(&ids.request, &ids.client, &now());
        let location = fault.location().map(str::to_owned);
        GraphResponse { location, ..GraphResponse::json(fault.status(), &document) }
    }

    fn into_item(self) -> ItemResponse {
        ItemResponse { status: self.status, content_type: self.content_type, body: self.body }
    }

    fn into_response(
        mut self,
        asked: &HeaderMap,
        ids: &RequestIds,
        fault: Option<TransportFault>,
    ) -> Response<Chunks> {
        let compress = accepts_gzip(asked);
        let fault = fault.filter(|_| self.status == StatusCode::OK);
        if fault == Some(TransportFault::CutJson) {
            self.body.truncate(self.body.len() / 2);
        }
        let body = if compress { gzip(self.body) } else { self.body };
        let mut response = Response::new(Chunks::new(body, self.visit).with(fault, ids.number));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        headers.insert("cache-control", HeaderValue::from_static("no-cache"));
        headers.insert("strict-transport-security", HeaderValue::from_static("max-age=31536000"));
        headers.insert("odata-version", HeaderValue::from_static("4.0"));
        headers.insert("x-ms-ags-diagnostic", HeaderValue::from_static(DIAGNOSTIC));
        insert_text(headers, "request-id", &ids.request);
        insert_text(headers, "client-request-id", &ids.client);
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        }
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(WAIT));
        }
        if let Some(location) = &self.location {
            insert_text(headers, LOCATION.as_str(), location);
        }
        if compress {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if self.immutable_ids {
            headers.insert("preference-applied", HeaderValue::from_static("IdType=ImmutableId"));
        }
        response
    }
}

/// How long the first half of a response is on its way before the connection breaks. If both came at once, hyper would send
/// nothing of the response.
const BREAK: Duration = Duration::from_millis(50);

/// A body of unknown length, which HTTP/1.1 sends with `Transfer-Encoding: chunked`.
struct Chunks {
    body: Bytes,
    /// Whether the length is announced.
    is_announced: bool,
    /// Whether the connection breaks behind these bytes, and the pause before it does.
    breaks: Option<Pin<Box<Sleep>>>,
    _visit: Option<Visit>,
}

impl Chunks {
    fn new(body: Vec<u8>, visit: Option<Visit>) -> Chunks {
        Chunks { body: Bytes::from(body), is_announced: false, breaks: None, _visit: visit }
    }

    /// The body with a fault in it.
    fn with(mut self, fault: Option<TransportFault>, number: u64) -> Chunks {
        match fault {
            Some(TransportFault::CutJson) => self.is_announced = number.is_multiple_of(2),
            Some(TransportFault::ClosedWithin) => {
                self.body.truncate(self.body.len() / 2);
                self.breaks = Some(Box::pin(sleep(BREAK)));
            }
            _ => {}
        }
        self
    }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.body.is_empty() {
            let Some(pause) = &mut self.breaks else { return Poll::Ready(None) };
            return pause.as_mut().poll(context).map(|()| Some(Err(broken())));
        }
        let size = self.body.len().min(CHUNK);
        Poll::Ready(Some(Ok(Frame::data(self.body.split_to(size)))))
    }

    fn size_hint(&self) -> SizeHint {
        let length = u64::try_from(self.body.len()).unwrap_or_default();
        if self.is_announced { SizeHint::with_exact(length) } else { SizeHint::default() }
    }
}

/// A connection that is lost on purpose.
fn broken() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionReset)
}

/// The body, if its content type is that of a form. Other bodies are not read, as in Entra.
fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The whole body. Empty if the body is too long.
async fn read(body: Incoming, limit: usize) -> Bytes {
    Limited::new(body, limit).collect().await.map(|body| body.to_bytes()).unwrap_or_default()
}

/// What the header fields ask for: preferences (RFC 7240) and the level of consistency. Only the first `Prefer` line counts:
/// no document says that Graph reads a second one, and no public client sends one.
fn asked_headers(headers: &HeaderMap) -> Headers {
    let preferences = headers.get("prefer").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let level = headers.get("consistencylevel").and_then(|level| level.to_str().ok());
    let eventual = level.is_some_and(|level| level.trim().eq_ignore_ascii_case("eventual"));
    let mut asked = Headers { eventual, ..Headers::default() };
    for preference in preferences.split(',') {
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        let (name, value) = (name.trim().to_lowercase(), value.trim().trim_matches('"'));
        match name.as_str() {
            "idtype" => asked.immutable_ids = value.eq_ignore_ascii_case("ImmutableId"),
            "odata.maxpagesize" => asked.page_size = value.parse().ok(),
            "return" => asked.minimal = value.eq_ignore_ascii_case("minimal"),
            _ => {}
        }
    }
    asked
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (coding, quality) = coding.split_once(';').unwrap_or((coding, ""));
        coding.trim().eq_ignore_ascii_case("gzip") && quality.replace(' ', "") != "q=0"
    })
}

fn gzip(body: Vec<u8>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(&body);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

fn insert_text(headers: &mut HeaderMap, name: &'static str, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
