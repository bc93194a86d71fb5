//! A body that holds its request's pass until it has been read.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::Pass;
use crate::metrics::Counted;
use crate::upstream::{UpstreamBody, UpstreamError};

pin_project! {
    /// The bytes of a response as sent. Its request is at Graph until the last byte has been read, or the body failed or was
    /// dropped: Exchange counts it until then.
    pub struct GatedBody {
        #[pin]
        body: UpstreamBody,
        held: Option<(Pass, Counted)>,
    }
}

impl GatedBody {
    /// The body of a request that passed with `pass`.
    pub(crate) fn new(body: UpstreamBody, pass: Pass, at_graph: Counted) -> Self {
        Self { body, held: Some((pass, at_graph)) }
    }
}

impl Body for GatedBody {
    type Data = Bytes;
    type Error = UpstreamError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) || this.body.is_end_stream() {
            this.held.take();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
