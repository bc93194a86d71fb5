//! What the consumer gets. Bodies are made of [`Clean`] bytes, and there is no other way to make one.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, VARY,
};
use http::{Method, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};

use super::account::Account;
use super::head::Head;
use super::limits::Permit;
use super::pipeline::{Broken, Pipeline};
use super::problem::Problem;
use super::raw_answer::CleanHeader;
use crate::audit::Outcome;
use crate::codec::Deflater;
use crate::sanitize::Clean;

/// So much of an answer is held back before its head goes out: a failure until then becomes a status of its own.
/// Most pages of ten messages fit, and those leave whole, with a length.
const HEAD_BUFFER: usize = 64 * 1024;
/// A body shorter than this is not worth compressing.
const MIN_GZIP: usize = 1024;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// A clean answer whose head has not gone out.
pub(super) struct Answer {
    status: StatusCode,
    content_type: HeaderValue,
    headers: Vec<CleanHeader>,
    start: Vec<u8>,
    /// What is still to come; the rest is all in `start` otherwise.
    rest: Option<Pipeline>,
    /// What a pipeline that has ended had to say.
    ended: Option<Pipeline>,
    permit: Option<Permit>,
}

impl Answer {
    /// A document, its first part already sanitized.
    pub(super) async fn json(headers: Vec<CleanHeader>, mut pipeline: Pipeline) -> Result<Self, Problem> {
        let mut answer = Self::whole(StatusCode::OK, JSON, headers, Clean::default());
        while answer.start.len() < HEAD_BUFFER {
            match poll_fn(|cx| pipeline.poll_piece(cx)).await {
                Some(piece) => answer.start.extend_from_slice(piece?.get()),
                None => {
                    answer.ended = Some(pipeline);
                    return Ok(answer);
                }
            }
        }
        answer.rest = Some(pipeline);
        Ok(answer)
    }

    /// A number.
    pub(super) fn text(headers: Vec<CleanHeader>, text: Clean<Vec<u8>>) -> Self {
        Self::whole(StatusCode::OK, TEXT, headers, text)
    }

    /// An error in Graph's shape.
    pub(super) fn error(status: StatusCode, headers: Vec<CleanHeader>, body: Clean<Vec<u8>>) -> Self {
        Self::whole(status, JSON, headers, body)
    }

    fn whole(
        status: StatusCode,
        content_type: HeaderValue,
        headers: Vec<CleanHeader>,
        body: Clean<Vec<u8>>,
    ) -> Self {
        Self {
            status,
            content_type,
            headers,
            start: body.into_inner(),
            rest: None,
            ended: None,
            permit: None,
        }
    }

    /// Holds the place among the consumer's concurrent requests until the body is done.
    pub(super) fn holding(self, permit: Permit) -> Self {
        Self { permit: Some(permit), ..self }
    }

    /// The response. Its body closes the account.
    pub(super) fn into_response(self, head: &Head<'_>, account: Account) -> Response<AnswerBody> {
        self.respond(head, account, Outcome::Complete)
    }

    pub(super) fn respond(
        self,
        head: &Head<'_>,
        mut account: Account,
        outcome: Outcome,
    ) -> Response<AnswerBody> {
        account.status(self.status);
        if let Some(pipeline) = &self.ended {
            account.pipeline(pipeline);
        }
        let mut response = Response::new(AnswerBody::default());
        *response.status_mut() = self.status;
        set_headers(&mut response, &self, head, &account);
        let gzip = head.accepts_gzip() && (self.rest.is_some() || self.start.len() >= MIN_GZIP);
        if gzip {
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if head.method() == Method::HEAD {
            account.close(outcome);
            return response;
        }
        let body = AnswerBody::new(self, gzip, account, outcome);
        if let Some(length) = body.size_hint().exact() {
            response.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        *response.body_mut() = body;
        response
    }
}

fn set_headers(response: &mut Response<AnswerBody>, answer: &Answer, head: &Head<'_>, account: &Account) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, answer.content_type.clone());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let ours = account.request_id().to_string();
    let ids =
        [("request-id", ours.as_str()), ("client-request-id", head.client_request_id().unwrap_or(&ours))];
    let clean = answer.headers.iter().map(|(name, value)| (*name, value.get().as_str()));
    for (name, value) in ids.into_iter().chain(clean) {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// The body of an answer. Ends cleanly only if the document did; fails otherwise, so that the connection is cut.
#[derive(Default)]
pub struct AnswerBody {
    start: Option<Result<Bytes, Broken>>,
    rest: Option<Pipeline>,
    deflater: Option<Deflater>,
    ending: Option<Ending>,
}

/// What is settled when the body is done.
struct Ending {
    account: Account,
    outcome: Outcome,
    _permit: Option<Permit>,
}

impl AnswerBody {
    fn new(answer: Answer, gzip: bool, account: Account, outcome: Outcome) -> Self {
        let ending = Some(Ending { account, outcome, _permit: answer.permit });
        let mut body = Self { start: None, rest: answer.rest, deflater: gzip.then(Deflater::new), ending };
        body.start = Some(body.encode_start(answer.start));
        body
    }

    fn encode_start(&mut self, clean: Vec<u8>) -> Result<Bytes, Broken> {
        let mut start = self.encode(clean)?;
        if self.rest.is_none() {
            start.extend(self.last_of_deflater()?);
        }
        Ok(start.into())
    }

    /// The bytes as the consumer asked for them.
    fn encode(&mut self, clean: Vec<u8>) -> Result<Vec<u8>, Broken> {
        let Some(deflater) = &mut self.deflater else { return Ok(clean) };
        let mut packed = Vec::new();
        deflater.push(&clean, &mut packed)?;
        Ok(packed)
    }

    fn last_of_deflater(&mut self) -> Result<Vec<u8>, Broken> {
        let mut packed = Vec::new();
        if let Some(deflater) = self.deflater.take() {
            deflater.finish(&mut packed)?;
        }
        Ok(packed)
    }

    /// The next bytes after the start; `None` after the last.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>, Broken>>> {
        let Some(pipeline) = &mut self.rest else { return Poll::Ready(None) };
        match ready!(pipeline.poll_piece(cx)) {
            Some(piece) => Poll::Ready(Some(piece.and_then(|clean| self.encode(clean.into_inner())))),
            None => {
                let last = self.last_of_deflater();
                Poll::Ready(Some(last).filter(|last| !matches!(last, Ok(bytes) if bytes.is_empty())))
            }
        }
    }

    fn hand_out(&mut self, bytes: Bytes) -> Option<Result<Frame<Bytes>, Broken>> {
        if let Some(ending) = &mut self.ending {
            ending.account.bytes_sent(bytes.len());
        }
        // A body of known length is not asked for its end.
        if self.rest.is_none() {
            self.settle(None);
        }
        Some(Ok(Frame::data(bytes)))
    }

    fn settle(&mut self, outcome: Option<Outcome>) {
        let pipeline = self.rest.take();
        let Some(mut ending) = self.ending.take() else { return };
        if let Some(pipeline) = pipeline {
            ending.account.pipeline(&pipeline);
        }
        ending.account.close(outcome.unwrap_or(ending.outcome));
    }

    fn abort(&mut self, broken: Broken) -> Option<Result<Frame<Bytes>, Broken>> {
        if let Some(ending) = &mut self.ending {
            ending.account.reason("answer_broken");
            let (request_id, endpoint) = (ending.account.request_id(), ending.account.endpoint());
            tracing::warn!(%request_id, endpoint, error = %broken, "an answer was cut off after its head had gone out");
        }
        self.settle(Some(Outcome::Aborted));
        Some(Err(broken))
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(start) = self.start.take() {
            return Poll::Ready(match start {
                Ok(start) => self.hand_out(start),
                Err(broken) => self.abort(broken),
            });
        }
        loop {
            match ready!(self.poll_rest(cx)) {
                // A compressor keeps what is too little to write.
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(bytes)) => return Poll::Ready(self.hand_out(bytes.into())),
                Some(Err(broken)) => return Poll::Ready(self.abort(broken)),
                None => {
                    self.settle(None);
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.start.is_none() && self.rest.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.start, &self.rest) {
            (_, Some(_)) => SizeHint::default(),
            (Some(Err(_)), None) => SizeHint::default(),
            (start, None) => {
                let length = start.iter().flatten().map(Bytes::len).sum::<usize>();
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
        }
    }
}
