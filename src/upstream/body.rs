//! The body of a response, bounded in size and time.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

use super::error::{Phase, UpstreamError};
use super::pool::{Health, Slot};
use super::timeouts::Timeouts;

/// How many bytes of one HTTP/2 response may be on their way or unread. This bounds what the proxy holds for a slow
/// consumer.
pub(super) const STREAM_WINDOW: u32 = 256 * 1024;

/// The same for all responses of one connection together: enough for 64 full streams.
pub(super) const CONNECTION_WINDOW: u32 = 64 * STREAM_WINDOW;

/// The bytes of a response as the connection brings them.
pub(super) enum Source {
    Http1(Incoming),
    Http2(Http2Body),
}

/// The body of one HTTP/2 stream.
pub(super) struct Http2Body {
    stream: h2::RecvStream,
    /// By `Content-Length`. h2 checks that the body has it.
    length: Option<u64>,
    link: Arc<Health>,
    /// Until the body has been read.
    slot: Option<Slot>,
}

impl Source {
    /// The next bytes. Trailers are dropped.
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, UpstreamError>>> {
        let body = match self {
            Self::Http1(body) => body,
            Self::Http2(body) => return body.poll_data(cx),
        };
        loop {
            match ready!(Pin::new(&mut *body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(UpstreamError::from(&error)))),
                None => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Http1(body) => body.is_end_stream(),
            Self::Http2(body) => body.stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Http1(body) => body.size_hint(),
            Self::Http2(body) => body.length.map(SizeHint::with_exact).unwrap_or_default(),
        }
    }
}

impl Http2Body {
    pub(super) fn new(stream: h2::RecvStream, length: Option<u64>, link: Arc<Health>, slot: Slot) -> Self {
        Self { length, link, slot: Some(slot).filter(|_| !stream.is_end_stream()), stream }
    }

    /// Any reset is an error, also one without an error code: the server ends a whole body with END_STREAM.
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, UpstreamError>>> {
        let Some(data) = ready!(self.stream.poll_data(cx)) else {
            self.slot = None;
            return Poll::Ready(None);
        };
        Poll::Ready(Some(data.map_err(|error| self.link.explain(&error)).inspect(|data| self.count(data))))
    }

    /// Lets the server send as much again.
    fn count(&mut self, data: &Bytes) {
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.length = self.length.map(|left| left.saturating_sub(length));
        // An error means that the stream has ended.
        self.stream.flow_control().release_capacity(data.len()).ok();
    }
}

pin_project! {
    /// The bytes of a response as sent, possibly compressed.
    ///
    /// The idle limit measures the server's silence only: its clock runs while a reader waits. The total limit runs
    /// from the head of the response, and so also ends slow readers. Trailers are dropped: Graph sends none, and they
    /// would bypass the checks of the head. After an error, the body ends.
    pub struct UpstreamBody {
        inner: Source,
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
    pub(super) fn new(inner: Source, timeouts: &Timeouts, max_bytes: u64) -> Result<Self, UpstreamError> {
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
        let data = ready!(self.as_mut().poll_in_time(cx));
        Poll::Ready(data.map(|data| self.count(data?)))
    }

    /// The next bytes, or the time limit that passed first.
    fn poll_in_time(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, UpstreamError>>> {
        let mut this = self.project();
        if this.total.poll(cx).is_ready() {
            return Poll::Ready(Some(Err(UpstreamError::Timeout(Phase::Total))));
        }
        if let Poll::Ready(data) = this.inner.poll_data(cx) {
            this.idle.set(None);
            return Poll::Ready(data);
        }
        if this.idle.is_none() {
            this.idle.set(Some(sleep(*this.idle_limit)));
        }
        this.idle
            .as_pin_mut()
            .map_or(Poll::Pending, |idle| idle.poll(cx))
            .map(|()| Some(Err(UpstreamError::Timeout(Phase::Idle))))
    }

    fn count(self: Pin<&mut Self>, data: Bytes) -> Result<Bytes, UpstreamError> {
        let this = self.project();
        let too_large = UpstreamError::BodyTooLarge { limit: *this.max_bytes };
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        *this.remaining = this.remaining.checked_sub(length).ok_or(too_large)?;
        Ok(data)
    }
}

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
