//! The only place where Graph's body meets the sanitizer: decode → sanitize, frame by frame.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context as Poller, Poll, ready};

use bytes::Bytes;
use http_body::Body;

use super::raw_response::{MAX_WHOLE, RawBody};
use crate::codec::{GzipDecodeError, GzipDecoder};
use crate::upstream::{GatedBody, UpstreamError};
use glassine_core::sanitize::{Clean, Context, Counters, Failure, Raw, Sanitizer, Violation};

/// Sanitized bytes are sent in pieces of about this size: large enough to be worth a system call, small enough to keep
/// a stream's memory small.
const PIECE: usize = 32 * 1024;

/// Why a body broke after a good head. No variant holds a byte of the body.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Broken {
    /// The connection broke, timed out, or the body was too long.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// Graph's gzip cannot be decoded.
    #[error(transparent)]
    Inflate(#[from] GzipDecodeError),
    /// A batch ended before its document was whole.
    #[error("the batch was interrupted")]
    Interrupted,
    /// The document cannot be sanitized.
    #[error(transparent)]
    Document(#[from] Failure),
    /// The audit log does not take the response's record, so the response must not become whole.
    #[error("the audit log does not take the response's record")]
    Audit,
    /// A body that is read as a whole is longer than its limit.
    #[error("a response that must be short is longer than {MAX_WHOLE} bytes")]
    TooLong,
}

impl From<Violation> for Broken {
    fn from(violation: Violation) -> Self {
        Self::Document(violation.into())
    }
}

/// Decodes and sanitizes Graph's body.
pub(super) struct Pipeline {
    body: Pin<Box<GatedBody>>,
    inflater: Option<GzipDecoder>,
    sanitizer: Sanitizer,
    ended: bool,
    bytes_read: u64,
}

impl Pipeline {
    pub(super) fn new(raw: RawBody, context: Context) -> Self {
        Self {
            body: Box::pin(raw.body),
            inflater: raw.inflater,
            sanitizer: Sanitizer::new(context),
            ended: false,
            bytes_read: 0,
        }
    }

    /// At least `least` bytes of the beginning, or the whole document if it is shorter.
    pub(super) async fn start(&mut self, least: usize) -> Result<Clean<Vec<u8>>, Broken> {
        poll_fn(|cx| self.poll_clean(least, cx)).await.transpose().map(Option::unwrap_or_default)
    }

    /// The next clean piece; `None` after the last one. A document that is not whole ends with an error instead.
    pub(super) fn poll_piece(&mut self, cx: &mut Poller<'_>) -> Poll<Option<Result<Clean<Vec<u8>>, Broken>>> {
        self.poll_clean(PIECE, cx)
    }

    /// Whether the document was read to its end.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    fn poll_clean(
        &mut self,
        least: usize,
        cx: &mut Poller<'_>,
    ) -> Poll<Option<Result<Clean<Vec<u8>>, Broken>>> {
        while !self.ended && self.sanitizer.pending() < least {
            let step = match ready!(self.body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => self.feed(&frame.into_data().unwrap_or_default()),
                Some(Err(error)) => Err(error.into()),
                None => self.finish(),
            };
            if let Err(broken) = step {
                self.ended = true;
                return Poll::Ready(Some(Err(broken)));
            }
        }
        if self.sanitizer.pending() == 0 {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(self.sanitizer.take())))
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    pub(super) fn counters(&self) -> Counters {
        self.sanitizer.counters()
    }

    fn feed(&mut self, data: &Bytes) -> Result<(), Broken> {
        self.bytes_read += u64::try_from(data.len()).unwrap_or(u64::MAX);
        let sanitizer = &mut self.sanitizer;
        match &mut self.inflater {
            None => sanitizer.feed(Raw::new(data))?,
            Some(inflater) => {
                inflater
                    .push(data, &mut |decoded| sanitizer.feed(Raw::new(decoded)).map_err(Broken::from))?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Broken> {
        self.ended = true;
        if let Some(inflater) = self.inflater.take() {
            inflater.finish()?;
        }
        Ok(self.sanitizer.finish()?)
    }
}
