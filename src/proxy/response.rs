//! A response before its head goes out: status, headers, the first part of the sanitized body, and the source of the
//! rest.

use std::future::poll_fn;

use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, HeaderName, HeaderValue, VARY};
use http::{HeaderMap, Method, Response, StatusCode};
use http_body::Body;

use super::account::Account;
use super::batch::BatchStream;
use super::body::ResponseBody;
use super::head::Head;
use super::limits::Permit;
use super::pipeline::{Broken, Pipeline};
use super::problem::Problem;
use super::quota::{self, Quota, is_quota};
use super::raw_response::CleanHeader;
use crate::audit::Outcome;
use glassine_core::sanitize::Clean;

/// This much of a body is sanitized before the head goes out, so that a failure until then can still set the status.
/// Most pages of ten messages fit; they leave whole, with a `Content-Length`.
const HEAD_BUFFER: usize = 64 * 1024;
/// A body shorter than this is not worth compressing.
const MIN_GZIP: usize = 1024;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
/// Says which rules the response was made under, so that a consumer knows when its columns can have changed.
const RULES: &str = "glassine-rules";
/// Says which key the response's tokens were made with, so that a consumer knows which tokens it can compare.
const KEYS: &str = "glassine-keys";
/// A shared cache must never store a response, because another consumer might get it.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// A response whose head has not gone out.
pub(super) struct ProxyResponse {
    pub(super) status: StatusCode,
    content_type: HeaderValue,
    headers: Vec<CleanHeader>,
    /// Headers that this proxy adds.
    extra: Vec<(HeaderName, HeaderValue)>,
    pub(super) start: Clean<Vec<u8>>,
    /// What follows the start.
    pub(super) rest: Rest,
    pub(super) permit: Option<Permit>,
    /// The outcome in the audit if the body ends cleanly.
    pub(super) outcome: Outcome,
}

/// What follows a response's start.
#[derive(Default)]
pub(super) enum Rest {
    /// Nothing.
    #[default]
    Nothing,
    /// Nothing: the start contains the whole document. The pipeline still has the counters.
    Read(Box<Pipeline>),
    /// The rest of a document.
    Document(Box<Pipeline>),
    /// The responses of a batch.
    Batch(BatchStream),
}

impl ProxyResponse {
    /// A JSON document. Waits until its first part is sanitized.
    pub(super) async fn json(headers: Vec<CleanHeader>, mut pipeline: Pipeline) -> Result<Self, Problem> {
        let start = pipeline.start(HEAD_BUFFER).await?;
        let rest = if pipeline.has_ended() { Rest::Read } else { Rest::Document };
        let rest = rest(Box::new(pipeline));
        Ok(Self { rest, ..Self::whole(StatusCode::OK, JSON, headers, start) })
    }

    /// The whole body. Fails if it has more than about `limit` bytes.
    pub(super) async fn collect(self, limit: usize) -> Result<Clean<Vec<u8>>, Problem> {
        let mut whole = self.start;
        if let Rest::Document(mut pipeline) = self.rest {
            while let Some(piece) = poll_fn(|cx| pipeline.poll_piece(cx)).await {
                whole.append(piece?);
                if whole.get().len() > limit {
                    return Err(Broken::TooLong.into());
                }
            }
        }
        Ok(whole)
    }

    /// A number, as `text/plain`.
    pub(super) fn text(headers: Vec<CleanHeader>, text: Clean<Vec<u8>>) -> Self {
        Self::whole(StatusCode::OK, TEXT, headers, text)
    }

    /// A description of the consumer's interface.
    pub(super) fn description(media_type: HeaderValue, text: Clean<Vec<u8>>) -> Self {
        Self::whole(StatusCode::OK, media_type, Vec::new(), text)
    }

    /// An error in Graph's shape.
    pub(super) fn error(status: StatusCode, headers: Vec<CleanHeader>, body: Clean<Vec<u8>>) -> Self {
        Self::whole(status, JSON, headers, body)
    }

    /// The responses of a batch.
    pub(super) fn batch(responses: BatchStream) -> Self {
        Self {
            rest: Rest::Batch(responses),
            ..Self::whole(StatusCode::OK, JSON, Vec::new(), Clean::default())
        }
    }

    fn whole(
        status: StatusCode,
        content_type: HeaderValue,
        headers: Vec<CleanHeader>,
        start: Clean<Vec<u8>>,
    ) -> Self {
        let (rest, outcome) = (Rest::Nothing, Outcome::Complete);
        Self { status, content_type, headers, extra: Vec::new(), start, rest, permit: None, outcome }
    }

    /// Holds the slot among the consumer's concurrent requests until the body ends.
    pub(super) fn holding(self, permit: Permit) -> Self {
        Self { permit: Some(permit), ..self }
    }

    /// Adds a header.
    pub(super) fn with(mut self, extra: Option<(HeaderName, HeaderValue)>) -> Self {
        self.extra.extend(extra);
        self
    }

    /// Tells the consumer one quota: its own with this proxy, or that of Graph if it is tighter. Graph's quota is for all
    /// consumers of an application together, so a client that paces itself by the tighter one exceeds neither.
    pub(super) fn tell(&mut self, quota: Option<Quota>) {
        let Some(quota) = quota.filter(|quota| !quota.is_looser_than(&self.headers)) else { return };
        self.headers.retain(|(name, _)| !is_quota(name));
        self.extra.extend(quota.fields());
    }

    /// Sets the outcome in the audit if the body ends cleanly.
    pub(super) fn ending(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    pub(super) fn is_json(&self) -> bool {
        self.content_type == JSON
    }

    /// The headers of this response that a batch repeats for each item.
    pub(super) fn fields(&self) -> Vec<(&str, &str)> {
        let clean = self.headers.iter().map(|(name, value)| (*name, value.get().as_str()));
        let own = [("content-type", &self.content_type)].into_iter();
        let extra = self.extra.iter().map(|(name, value)| (name.as_str(), value));
        own.chain(extra).filter_map(|(name, value)| Some((name, value.to_str().ok()?))).chain(clean).collect()
    }

    /// The response, once the audit log has its record, or its opening record if it leaves in pieces. Without that, a
    /// refusal takes its place.
    pub(super) async fn deliver(self, head: &Head<'_>, account: Account) -> Response<ResponseBody> {
        match self.recorded(head, account).await {
            Ok(response) => response,
            Err(mut account) => {
                let refusal = Problem::AuditFailing.respond(head.client_request_id(), &mut account);
                let (response, body, account) = refusal.prepare(head, account);
                account.close(Outcome::Refused);
                response.map(|()| body)
            }
        }
    }

    async fn recorded(self, head: &Head<'_>, account: Account) -> Result<Response<ResponseBody>, Account> {
        let outcome = self.outcome;
        let (response, mut body, mut account) = self.prepare(head, account);
        if body.follows() {
            if account.announce().await.is_err() {
                return Err(account);
            }
            body.close_with(account, outcome);
            return Ok(response.map(|()| body));
        }
        body.note_whole(&mut account);
        account.settle(outcome).await?;
        Ok(response.map(|()| body))
    }

    /// The response's head and body, with nothing recorded yet.
    fn prepare(mut self, head: &Head<'_>, mut account: Account) -> (Response<()>, ResponseBody, Account) {
        account.set_status(self.status);
        self.tell(account.quota());
        let mut response = Response::new(());
        *response.status_mut() = self.status;
        self.set_headers(response.headers_mut(), head, &account);
        let gzip = head.accepts_gzip() && (self.rest.follows() || self.start.get().len() >= MIN_GZIP);
        if gzip {
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if head.method() == Method::HEAD {
            return (response, ResponseBody::default(), account);
        }
        let body = ResponseBody::new(self, gzip);
        if let Some(length) = body.size_hint().exact() {
            response.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        (response, body, account)
    }

    fn set_headers(&self, headers: &mut HeaderMap, head: &Head<'_>, account: &Account) {
        headers.insert(CACHE_CONTROL, NO_STORE);
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        let ours = account.request_id().to_string();
        let theirs = head.client_request_id().unwrap_or(&ours);
        let ids = [("request-id", ours.as_str()), ("client-request-id", theirs)];
        let rules = account.rules().map(|rules| (RULES, rules));
        let key = account.key().map(String::from);
        let key = key.as_deref().map(|key| (KEYS, key));
        for (name, value) in ids.into_iter().chain(rules).chain(key).chain(self.fields()) {
            if let (Ok(name), Ok(mut value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
            {
                value.set_sensitive(is_new_each_time(name.as_str()));
                headers.insert(name, value);
            }
        }
    }
}

/// Whether a field has another value in the next response. In HPACK's table such values would push out those that come again, and
/// h2 would compare each new value with every earlier one of its name. A sensitive field stays out of the table (RFC 7541, 7.1.3).
fn is_new_each_time(name: &str) -> bool {
    ["request-id", "client-request-id", quota::REMAINING, quota::RESET].contains(&name)
}

impl Rest {
    /// Whether more bytes can follow.
    pub(super) fn follows(&self) -> bool {
        matches!(self, Self::Document(_) | Self::Batch(_))
    }
}
