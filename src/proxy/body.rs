//! The body of a response to a consumer. It can only be made of [`Clean`] bytes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::account::Account;
use super::limits::Permit;
use super::pipeline::Broken;
use super::response::{ProxyResponse, Rest};
use crate::audit::Outcome;
use crate::codec::GzipEncoder;
use glassine_core::sanitize::Clean;

/// Ends cleanly only if Graph's response did. Otherwise it fails, and the server cuts the connection.
#[derive(Default)]
pub struct ResponseBody {
    start: Option<Result<Bytes, Broken>>,
    rest: Rest,
    deflater: Option<GzipEncoder>,
    ending: Option<Ending>,
}

/// What is closed and released when the body ends.
struct Ending {
    account: Account,
    outcome: Outcome,
    _permit: Option<Permit>,
}

impl ResponseBody {
    pub(super) fn new(response: ProxyResponse, gzip: bool, account: Account) -> Self {
        let ending = Some(Ending { account, outcome: response.outcome, _permit: response.permit });
        let mut body =
            Self { start: None, rest: response.rest, deflater: gzip.then(GzipEncoder::new), ending };
        body.start = Some(body.encode_start(response.start));
        body
    }

    fn encode_start(&mut self, clean: Clean<Vec<u8>>) -> Result<Bytes, Broken> {
        let mut start = self.encode(clean)?;
        if !self.rest.follows() {
            start.extend(self.last_of_deflater()?);
        }
        Ok(start.into())
    }

    /// Compresses the bytes if the consumer accepts gzip.
    fn encode(&mut self, clean: Clean<Vec<u8>>) -> Result<Vec<u8>, Broken> {
        let Some(deflater) = &mut self.deflater else { return Ok(clean.into_inner()) };
        let mut packed = Vec::new();
        deflater.push(clean.get(), &mut packed)?;
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
        let piece = match &mut self.rest {
            Rest::Nothing | Rest::Read(_) => return Poll::Ready(None),
            Rest::Document(pipeline) => ready!(pipeline.poll_piece(cx)),
            Rest::Batch(responses) => ready!(responses.poll_piece(cx)),
        };
        match piece {
            Some(piece) => Poll::Ready(Some(piece.and_then(|clean| self.encode(clean)))),
            None => {
                let last = self.last_of_deflater();
                Poll::Ready(Some(last).filter(|last| !matches!(last, Ok(bytes) if bytes.is_empty())))
            }
        }
    }

    fn hand_out(&mut self, bytes: Bytes) -> Option<Result<Frame<Bytes>, Broken>> {
        if let Some(ending) = &mut self.ending {
            ending.account.add_bytes_sent(bytes.len());
        }
        // hyper does not poll a body of known length again for its end, so the last piece settles the account.
        if !self.rest.follows() {
            self.settle(None);
        }
        Some(Ok(Frame::data(bytes)))
    }

    fn settle(&mut self, outcome: Option<Outcome>) {
        let rest = std::mem::take(&mut self.rest);
        let Some(mut ending) = self.ending.take() else { return };
        if let Rest::Read(pipeline) | Rest::Document(pipeline) = rest {
            ending.account.add_counters(&pipeline);
        }
        ending.account.close(outcome.unwrap_or(ending.outcome));
    }

    fn abort(&mut self, broken: Broken) -> Option<Result<Frame<Bytes>, Broken>> {
        if let Some(ending) = &mut self.ending {
            ending.account.set_broken(&broken);
        }
        self.settle(Some(Outcome::Aborted));
        Some(Err(broken))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(start) = self.start.take_if(|start| !matches!(start, Ok(bytes) if bytes.is_empty())) {
            return Poll::Ready(match start {
                Ok(start) => self.hand_out(start),
                Err(broken) => self.abort(broken),
            });
        }
        self.start = None;
        loop {
            match ready!(self.poll_rest(cx)) {
                // The compressor holds back small input.
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
        self.start.is_none() && !self.rest.follows()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.start, self.rest.follows()) {
            (_, true) | (Some(Err(_)), false) => SizeHint::default(),
            (start, false) => {
                let length = start.iter().flatten().map(Bytes::len).sum::<usize>();
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
        }
    }
}
