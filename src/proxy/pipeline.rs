//! The one body adapter, where `upstream` and `sanitize` meet: decode → sanitize, frame by frame.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context as Poller, Poll, ready};

use bytes::Bytes;
use http_body::Body;

use super::raw_response::{MAX_WHOLE, RawBody};
use crate::codec::{GzipDecodeError, GzipDecoder, GzipEncodeError};
use crate::upstream::{UpstreamBody, UpstreamError};
use glassine_core::sanitize::{Clean, Context, Counters, Failure, Raw, Sanitizer, Violation};

/// Clean bytes are handed on in pieces of about this size: large enough to be worth a system call, small enough to
/// keep a stream's memory small.
const PIECE: usize = 32 * 1024;

/// What can go wrong with a body after its head was fine. None holds a byte of it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Broken {
    /// The connection, a timeout, a bound.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The content coding.
    #[error(transparent)]
    Inflate(#[from] GzipDecodeError),
    /// A batch that stopped before it was whole.
    #[error("the batch was interrupted")]
    Interrupted,
    /// Compressing the response.
    #[error(transparent)]
    Deflate(#[from] GzipEncodeError),
    /// The document.
    #[error(transparent)]
    Document(#[from] Failure),
    /// A short body that is not short.
    #[error("a response that has to be short is longer than {MAX_WHOLE} bytes")]
    TooLong,
}

impl From<Violation> for Broken {
    fn from(violation: Violation) -> Self {
        Self::Document(violation.into())
    }
}

/// Graph's body on its way out.
pub(super) struct Pipeline {
    body: Pin<Box<UpstreamBody>>,
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

    /// So much of the beginning, or all that there is.
    pub(super) async fn start(&mut self, least: usize) -> Result<Clean<Vec<u8>>, Broken> {
        poll_fn(|cx| self.poll_clean(least, cx)).await.transpose().map(Option::unwrap_or_default)
    }

    /// The next clean piece; `None` after the last one, and only if the document was whole.
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
