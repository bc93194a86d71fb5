//! The body of a response, bounded in size and time.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

use super::error::{Phase, UpstreamError};
use super::timeouts::Timeouts;

pin_project! {
    /// The bytes of a response as sent, possibly compressed.
    ///
    /// The idle limit measures the server's silence only: its clock runs while a reader waits. The total limit runs
    /// from the head of the response, and so also ends slow readers. Trailers are dropped: Graph sends none, and they
    /// would bypass the checks of the head. After an error, the body ends.
    pub struct UpstreamBody {
        inner: Incoming,
        #[pin]
        idle: Option<Sleep>,
        idle_limit: Duration,
        #[pin]
        total: Sleep,
        // Invariant: max_bytes minus the bytes that were read.
        remaining: u64,
        max_bytes: u64,
        failed: bool,
    }
}

impl UpstreamBody {
    /// Wraps a body whose head has just arrived.
    ///
    /// # Errors
    /// [`UpstreamError::BodyTooLarge`] if the declared length is over `max_bytes`.
    pub(super) fn new(inner: Incoming, timeouts: &Timeouts, max_bytes: u64) -> Result<Self, UpstreamError> {
        if inner.size_hint().lower() > max_bytes {
            return Err(UpstreamError::BodyTooLarge { limit: max_bytes });
        }
        Ok(Self {
            inner,
            idle: None,
            idle_limit: timeouts.idle,
            total: sleep(timeouts.total),
            remaining: max_bytes,
            max_bytes,
            failed: false,
        })
    }

    fn poll_data(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, UpstreamError>>> {
        loop {
            let frame = match ready!(self.as_mut().poll_in_time(cx)?) {
                Some(frame) => frame.map_err(|error| UpstreamError::from(&error))?,
                None => return Poll::Ready(None),
            };
            if let Ok(data) = frame.into_data() {
                return Poll::Ready(Some(self.count(data)));
            }
        }
    }

    /// The next frame, or the time limit that passed first.
    fn poll_in_time(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<NextFrame, UpstreamError>> {
        let mut this = self.project();
        if this.total.poll(cx).is_ready() {
            return Poll::Ready(Err(UpstreamError::Timeout(Phase::Total)));
        }
        if let Poll::Ready(frame) = Pin::new(this.inner).poll_frame(cx) {
            this.idle.set(None);
            return Poll::Ready(Ok(frame));
        }
        if this.idle.is_none() {
            this.idle.set(Some(sleep(*this.idle_limit)));
        }
        this.idle
            .as_pin_mut()
            .map_or(Poll::Pending, |idle| idle.poll(cx))
            .map(|()| Err(UpstreamError::Timeout(Phase::Idle)))
    }

    fn count(self: Pin<&mut Self>, data: Bytes) -> Result<Bytes, UpstreamError> {
        let this = self.project();
        let too_large = UpstreamError::BodyTooLarge { limit: *this.max_bytes };
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        *this.remaining = this.remaining.checked_sub(length).ok_or(too_large)?;
        Ok(data)
    }
}

/// What hyper returns for one poll.
type NextFrame = Option<Result<Frame<Bytes>, hyper::Error>>;

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = UpstreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        if self.failed {
            return Poll::Ready(None);
        }
        let data = ready!(self.as_mut().poll_data(cx));
        *self.project().failed = matches!(data, Some(Err(_)));
        Poll::Ready(data.map(|data| data.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.failed || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
