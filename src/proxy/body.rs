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

/// A flush costs up to a hundred bytes, so it is not done for less than this.
const MIN_FLUSH: usize = 2 * 1024;

/// Ends cleanly only if Graph's response did and the audit log has the record. Otherwise it fails, and the server cuts the
/// connection.
#[derive(Default)]
pub struct ResponseBody {
    start: Option<Bytes>,
    rest: Rest,
    encoder: Option<GzipEncoder>,
    /// The last byte so far of a document that is not compressed. It leaves with those that follow, so that the document is
    /// not whole before its record is in the audit log. A compressed one ends with a checksum anyway.
    carried: Option<u8>,
    /// Bytes that were handed out.
    sent: usize,
    ending: Ending,
    /// Released with the body.
    _permit: Option<Permit>,
}

/// How far the audit record is.
#[derive(Default)]
enum Ending {
    /// It is in the audit log, or on its way there.
    #[default]
    Recorded,
    /// It is open. The body is not at its end.
    Open(Box<Account>, Outcome),
    /// The end of the body waits until the audit log has it.
    Settling(Settling, Bytes),
}

/// Comes with the account if the audit log does not take the record.
type Settling = Pin<Box<dyn Future<Output = Result<(), Account>> + Send>>;

/// What comes next of a body that leaves in pieces.
enum Next {
    Piece(Vec<u8>),
    /// The end. May be empty.
    Last(Vec<u8>),
}

impl ResponseBody {
    pub(super) fn new(response: ProxyResponse, gzip: bool) -> Self {
        let mut body = Self {
            rest: response.rest,
            encoder: gzip.then(GzipEncoder::new),
            _permit: response.permit,
            ..Self::default()
        };
        body.start = Some(body.encode_start(response.start).into());
        body
    }

    /// Whether the body leaves in pieces.
    pub(super) fn follows(&self) -> bool {
        self.rest.follows()
    }

    /// The end of the body closes this account.
    pub(super) fn close_with(&mut self, account: Account, outcome: Outcome) {
        self.ending = Ending::Open(Box::new(account), outcome);
    }

    /// Notes what leaves with a body that is whole already.
    pub(super) fn note_whole(&mut self, account: &mut Account) {
        account.set_bytes_sent(self.start.iter().map(Bytes::len).sum());
        self.note_values(account);
    }

    /// Notes what was read and kept, once nothing follows.
    fn note_values(&mut self, account: &mut Account) {
        if let Rest::Read(pipeline) | Rest::Document(pipeline) = std::mem::take(&mut self.rest) {
            account.add_counters(&pipeline);
        }
    }

    fn encode_start(&mut self, clean: Clean<Vec<u8>>) -> Vec<u8> {
        let mut start = self.encode(clean);
        if !self.rest.follows() {
            start.extend(self.last());
        }
        start
    }

    /// Compresses the bytes if the consumer accepts gzip. Otherwise holds the last one back.
    fn encode(&mut self, clean: Clean<Vec<u8>>) -> Vec<u8> {
        let Some(encoder) = &mut self.encoder else {
            let mut bytes = clean.into_inner();
            if let Some(last) = bytes.pop() {
                drop(bytes.splice(..0, self.carried.replace(last)));
            }
            return bytes;
        };
        let mut packed = Vec::new();
        encoder.push(clean.get(), &mut packed);
        packed
    }

    /// What was held back.
    fn last(&mut self) -> Vec<u8> {
        let mut last: Vec<u8> = self.carried.take().into_iter().collect();
        if let Some(encoder) = self.encoder.take() {
            encoder.finish(&mut last);
        }
        last
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Next, Broken>> {
        let piece = match &mut self.rest {
            Rest::Nothing | Rest::Read(_) => None,
            Rest::Document(pipeline) => ready!(pipeline.poll_piece(cx)),
            Rest::Batch(responses) => match responses.poll_piece(cx) {
                Poll::Ready(piece) => piece,
                Poll::Pending => {
                    return self.flushed().map_or(Poll::Pending, |it| Poll::Ready(Ok(Next::Piece(it))));
                }
            },
        };
        Poll::Ready(match piece {
            Some(piece) => piece.map(|clean| Next::Piece(self.encode(clean))),
            None => Ok(Next::Last(self.last())),
        })
    }

    /// What the encoder holds of a batch that waits, if it is enough for what a flush costs. A batch may wait for minutes until Graph
    /// lets its next request in, and a consumer that receives nothing for so long gives up.
    fn flushed(&mut self) -> Option<Vec<u8>> {
        let encoder = self.encoder.as_mut().filter(|encoder| encoder.held() >= MIN_FLUSH)?;
        let mut packed = Vec::new();
        encoder.flush(&mut packed);
        Some(packed)
    }

    fn hand_out(&mut self, bytes: Bytes) -> Option<Result<Frame<Bytes>, Broken>> {
        self.sent += bytes.len();
        if let Ending::Open(account, _) = &mut self.ending {
            account.set_bytes_sent(self.sent);
        }
        (!bytes.is_empty()).then(|| Ok(Frame::data(bytes)))
    }

    /// Begins to record that the body ends with these bytes.
    fn settle(&mut self, last: Bytes) {
        let Ending::Open(mut account, outcome) = std::mem::take(&mut self.ending) else { return };
        self.note_values(&mut account);
        account.set_bytes_sent(self.sent + last.len());
        self.ending = Ending::Settling(Box::pin(account.settle(outcome)), last);
    }

    fn abort(&mut self, broken: Broken) -> Option<Result<Frame<Bytes>, Broken>> {
        if let Ending::Open(mut account, _) = std::mem::take(&mut self.ending) {
            account.set_broken(&broken);
            account.set_bytes_sent(self.sent);
            self.note_values(&mut account);
            account.close(Outcome::Aborted);
        }
        Some(Err(broken))
    }

    /// The next frame; `None` after the last one.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.start.take() {
            Some(start) if !start.is_empty() => return Poll::Ready(self.hand_out(start)),
            _ => {}
        }
        loop {
            if let Ending::Settling(settling, last) = &mut self.ending {
                let (result, last) = (ready!(settling.as_mut().poll(cx)), std::mem::take(last));
                return Poll::Ready(match result {
                    Ok(()) => {
                        self.ending = Ending::Recorded;
                        self.hand_out(last)
                    }
                    Err(account) => {
                        self.close_with(account, Outcome::Aborted);
                        self.abort(Broken::Audit)
                    }
                });
            }
            if !self.rest.follows() {
                return Poll::Ready(None);
            }
            match ready!(self.poll_next(cx)) {
                // The compressor holds back small input.
                Ok(Next::Piece(bytes)) if bytes.is_empty() => {}
                Ok(Next::Piece(bytes)) => return Poll::Ready(self.hand_out(bytes.into())),
                Ok(Next::Last(bytes)) => self.settle(bytes.into()),
                Err(broken) => return Poll::Ready(self.abort(broken)),
            }
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.poll(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.start.is_none() && !self.rest.follows() && !matches!(self.ending, Ending::Settling(..))
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.start, self.rest.follows(), &self.ending) {
            (_, true, _) | (_, _, Ending::Settling(..)) => SizeHint::default(),
            (start, false, _) => {
                let length = start.iter().map(Bytes::len).sum::<usize>();
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
        }
    }
}
