//! Whether a connection is idle, busy, or stalled by the peer.
//!
//! [`super::stall`] detects a socket that takes no bytes. An HTTP/2 peer can also stall a single stream by not opening
//! its window, while the socket works and the peer acknowledges pings. hyper then stops polling that stream's body. So
//! each body is wrapped and notes when it was last polled, and the connection checks these notes from time to time.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::roster::Seat;

/// The notes of one connection, and its seat in the listener's roster, which follows them.
#[derive(Clone)]
pub(super) struct Activity(Arc<Connection>);

struct Connection {
    notes: Mutex<Notes>,
    seat: Seat,
    /// The next response is to be the last.
    is_ending: AtomicBool,
}

struct Notes {
    next: u64,
    /// The requests in progress, each with the time since which its response has waited for the peer, if it does.
    requests: BTreeMap<u64, Option<Instant>>,
    idle_since: Instant,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Requests are in progress.
    Busy,
    /// No request has been in progress for as long as the idle limit.
    Idle,
    /// The peer has taken nothing of a response for as long as the stall limit.
    Stalled,
}

impl Activity {
    pub(super) fn new(seat: Seat) -> Self {
        let notes = Notes { next: 0, requests: BTreeMap::new(), idle_since: seat.since() };
        Self(Arc::new(Connection { notes: Mutex::new(notes), seat, is_ending: AtomicBool::new(false) }))
    }

    pub(super) fn seat(&self) -> &Seat {
        &self.0.seat
    }

    /// Notes a new request. It is in progress until the returned value is dropped.
    pub(super) fn begin(&self) -> InProgress {
        let mut notes = self.notes();
        let id = notes.next;
        notes.next += 1;
        notes.requests.insert(id, None);
        if notes.requests.len() == 1 {
            self.0.seat.busy();
        }
        InProgress { activity: self.clone(), id }
    }

    /// Whether a request has come.
    pub(super) fn has_begun(&self) -> bool {
        self.notes().next > 0
    }

    /// Whether no request is in progress.
    pub(super) fn is_idle(&self) -> bool {
        self.notes().requests.is_empty()
    }

    /// Whether the next response is to be the last.
    pub(super) fn is_ending(&self) -> bool {
        self.0.is_ending.load(Ordering::Acquire)
    }

    /// From now on, each response is to be the last. Wakes the connection's task, and starts to measure its idle time anew.
    pub(super) fn end_soon(&self) {
        self.0.is_ending.store(true, Ordering::Release);
        self.restart_idle_time();
        self.0.seat.wake();
    }

    /// Measures the idle time from now on.
    pub(super) fn restart_idle_time(&self) {
        self.notes().idle_since = Instant::now();
    }

    /// What the connection is doing at `now`.
    pub(super) fn state(&self, now: Instant, idle: Duration, stall: Duration) -> Status {
        let notes = self.notes();
        if notes.requests.is_empty() {
            let is_idle = now.duration_since(notes.idle_since) >= idle;
            return if is_idle { Status::Idle } else { Status::Busy };
        }
        let waits_too_long =
            |since: &Option<Instant>| since.is_some_and(|at| now.duration_since(at) >= stall);
        match notes.requests.values().any(waits_too_long) {
            true => Status::Stalled,
            false => Status::Busy,
        }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        // A poisoned lock is safe to use: the notes are consistent after each statement.
        self.0.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request in progress.
pub(super) struct InProgress {
    activity: Activity,
    id: u64,
}

impl InProgress {
    /// The body gave hyper a frame. hyper polls again only after the peer has taken it.
    fn waits_for_peer(&self) {
        self.activity.notes().requests.insert(self.id, Some(Instant::now()));
    }

    /// hyper polled the body again, so the peer has taken the last frame. Now it waits for Graph.
    fn waits_for_us(&self) {
        self.activity.notes().requests.insert(self.id, None);
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let mut notes = self.activity.notes();
        notes.requests.remove(&self.id);
        notes.idle_since = Instant::now();
        if notes.requests.is_empty() {
            self.activity.0.seat.idle();
        }
    }
}

pin_project! {
    /// A response's body that notes when it is polled. Its request is in progress until the body is dropped.
    pub(super) struct NotedBody<B> {
        #[pin]
        body: Option<B>,
        progress: InProgress,
    }
}

impl<B> NotedBody<B> {
    pub(super) fn new(body: B, progress: InProgress) -> Self {
        // With a window of 0 bytes, the peer stalls before hyper polls the body for the first time.
        progress.waits_for_peer();
        Self { body: Some(body), progress }
    }

    /// No body.
    pub(super) fn none(progress: InProgress) -> Self {
        progress.waits_for_peer();
        Self { body: None, progress }
    }
}

impl<B: Body<Data = Bytes>> Body for NotedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let polled = this.body.as_pin_mut().map_or(Poll::Ready(None), |body| body.poll_frame(cx));
        match &polled {
            Poll::Pending => this.progress.waits_for_us(),
            Poll::Ready(_) => this.progress.waits_for_peer(),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full};

    const IDLE: Duration = Duration::from_secs(60);
    const STALL: Duration = Duration::from_secs(10);

    /// The status if nothing happens for the duration `more`.
    fn state_after(activity: &Activity, more: Duration) -> Status {
        activity.state(Instant::now() + more, IDLE, STALL)
    }

    #[tokio::test]
    async fn a_connection_is_idle_only_without_requests() {
        let activity = Activity::new(Seat::alone());
        let request = activity.begin();
        assert_eq!(state_after(&activity, IDLE * 2), Status::Busy);
        drop(request);
        assert_eq!(state_after(&activity, IDLE / 2), Status::Busy);
        assert_eq!(state_after(&activity, IDLE), Status::Idle);
    }

    #[tokio::test]
    async fn a_body_that_is_not_polled_again_is_stalled() {
        let activity = Activity::new(Seat::alone());
        let mut body = NotedBody::new(Full::new(Bytes::from_static(b"page")), activity.begin());
        body.frame().await.unwrap().unwrap();
        assert_eq!(state_after(&activity, STALL / 2), Status::Busy);
        assert_eq!(state_after(&activity, STALL), Status::Stalled);
        drop(body);
        assert_eq!(state_after(&activity, STALL), Status::Busy);
    }

    #[tokio::test]
    async fn a_body_that_is_never_polled_is_stalled() {
        let activity = Activity::new(Seat::alone());
        let _body = NotedBody::new(Full::new(Bytes::new()), activity.begin());
        assert_eq!(state_after(&activity, STALL), Status::Stalled);
    }

    struct Never;

    impl Body for Never {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }

    /// Fault: Graph takes longer than the time limit for stalled clients. Outcome: the client's connection stays open.
    #[tokio::test]
    async fn waiting_for_graph_does_not_count_as_a_stall_of_the_peer() {
        let activity = Activity::new(Seat::alone());
        let mut body = NotedBody::new(Never, activity.begin());
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(Pin::new(&mut body).poll_frame(&mut context).is_pending());
        assert_eq!(state_after(&activity, STALL * 3), Status::Busy);
    }
}
