//! HTTP/2: many requests at a time on a connection. A task of its own drives each connection, and so sees every frame: it
//! learns the server's limits as they change, and gives up a connection that leaves pings unanswered.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use h2::{Ping, PingPong};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Duration, Instant, interval};

use super::state::Id;
use super::{Failure, PoolLimits, Shared, Slot, closed_by};
use crate::upstream::body::{CONNECTION_WINDOW, Http2Body, STREAM_WINDOW, Source};
use crate::upstream::connector::Stream;
use crate::upstream::error::UpstreamError;

/// The most bytes of a response's head, as HTTP/2 counts it (RFC 9113 section 6.5.2).
const MAX_HEADER_LIST: u32 = 64 * 1024;

/// Stands for the limit of streams before the server has said one. No server can say it: its limits have 32 bits, and no
/// limit is `usize::MAX`.
const UNSETTLED: usize = usize::MAX - 1;

/// Sends requests on one connection.
#[derive(Clone)]
pub(super) struct Http2 {
    sender: SendRequest<Bytes>,
    link: Arc<Health>,
}

/// What is known of a connection.
pub(in crate::upstream) struct Health {
    /// The most streams, by the server and by this proxy.
    capacity: AtomicUsize,
    /// How many milliseconds after `opened` the server last sent a byte.
    heard: AtomicU64,
    opened: Instant,
    /// Asks the driver for a ping.
    doubts: Notify,
    /// Why the connection ended.
    end: OnceLock<UpstreamError>,
    /// Which connections the requests of this one may use after its end.
    heirs: OnceLock<Id>,
}

/// What drives the connection.
pub(super) struct Driver {
    connection: Connection<Watched, Bytes>,
    pings: PingPong,
    /// When a ping was sent that has not been answered yet.
    pinged: Option<Instant>,
    link: Arc<Health>,
    limits: PoolLimits,
    /// Tells that the server's settings have arrived.
    settled: Option<oneshot::Sender<()>>,
    /// Whether the tasks that are ready have had their turn.
    others_went: bool,
}

/// Begins HTTP/2 on an open connection. The connection can be used when the server's settings have arrived, which the receiver
/// tells while the driver runs: before, a request could be one too many.
pub(super) async fn start(
    stream: Stream,
    limits: PoolLimits,
) -> Result<(Http2, Driver, oneshot::Receiver<()>), UpstreamError> {
    let link = Arc::new(Health {
        capacity: AtomicUsize::new(0),
        heard: AtomicU64::new(0),
        opened: Instant::now(),
        doubts: Notify::new(),
        end: OnceLock::new(),
        heirs: OnceLock::new(),
    });
    let watched = Watched { stream: TokioIo::new(stream), link: Arc::clone(&link) };
    let (sender, mut connection) = Builder::new()
        .enable_push(false)
        .initial_max_send_streams(UNSETTLED)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MAX_HEADER_LIST)
        .handshake(watched)
        .await
        .map_err(|error| UpstreamError::from(&error))?;
    let pings = connection.ping_pong().ok_or(UpstreamError::Protocol)?;
    let (settled, wait) = oneshot::channel();
    let driver = Driver {
        connection,
        pings,
        pinged: None,
        link: Arc::clone(&link),
        limits,
        settled: Some(settled),
        others_went: false,
    };
    Ok((Http2 { sender, link }, driver, wait))
}

impl Http2 {
    /// How many requests may use the connection at a time.
    pub(super) fn capacity(&self) -> usize {
        self.link.capacity.load(Ordering::Relaxed)
    }

    /// For another request. `None` if the server is ending the connection.
    pub(super) fn another(&self) -> Option<Self> {
        let mut another = self.clone();
        match another.sender.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(_)) => None,
            Poll::Ready(Ok(())) | Poll::Pending => Some(another),
        }
    }

    /// Lets the server prove that it is there.
    pub(super) fn doubt(&self) {
        self.link.doubts.notify_one();
    }

    /// Why the connection ended, if it has.
    pub(super) fn end(&self) -> Option<UpstreamError> {
        self.link.end.get().cloned()
    }

    /// Sends a request and waits for the head of the response. A connection that was silent gets a ping at the same time, so a
    /// request on a dead one is not lost for long.
    pub(super) async fn exchange(
        mut self,
        request: Request<Bytes>,
        used: bool,
        quiet: Duration,
        slot: Slot,
    ) -> Result<Response<Source>, Failure> {
        if used && self.link.silence() >= quiet {
            self.doubt();
        }
        let response = match self.send(request) {
            Ok(response) => response.await,
            Err(error) => Err(error),
        };
        match response {
            Ok(response) => {
                let length = content_length(response.headers());
                Ok(response.map(|stream| Source::Http2(Http2Body::new(stream, length, self.link, slot))))
            }
            Err(error) => {
                let error = self.link.explain(&error);
                Err(slot.retire(error, &self.link.heirs))
            }
        }
    }

    fn send(&mut self, request: Request<Bytes>) -> Result<h2::client::ResponseFuture, h2::Error> {
        let (mut head, body) = request.into_parts();
        if !body.is_empty() {
            head.headers.insert(CONTENT_LENGTH, body.len().into());
        }
        let (response, mut sending) =
            self.sender.send_request(Request::from_parts(head, ()), body.is_empty())?;
        if !body.is_empty() {
            // Bodies are short, and h2 holds what does not fit into the window yet.
            sending.send_data(body, true)?;
        }
        Ok(response)
    }
}

/// The body's length, if the server says it. h2 has checked that it is a number.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl Health {
    /// How long the server has sent nothing.
    fn silence(&self) -> Duration {
        self.opened.elapsed().saturating_sub(Duration::from_millis(self.heard.load(Ordering::Relaxed)))
    }

    fn hear(&self) {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(now, Ordering::Relaxed);
    }

    /// The error of one stream. Streams that end with their connection do not know why.
    pub(in crate::upstream) fn explain(&self, error: &h2::Error) -> UpstreamError {
        let of_stream = UpstreamError::from(error);
        match &of_stream {
            UpstreamError::Reset | UpstreamError::Truncated => self.end.get().cloned().unwrap_or(of_stream),
            _ => of_stream,
        }
    }
}

impl Driver {
    /// Runs until the connection has ended.
    pub(super) async fn run(mut self, id: Id, pool: Weak<Shared>) {
        let end = self.ended(id, &pool).await;
        let reason = closed_by(&end);
        // Before the streams learn that they ended.
        self.link.end.set(end).ok();
        if let Some(pool) = pool.upgrade() {
            pool.ended(id, reason);
        }
    }

    async fn ended(&mut self, id: Id, pool: &Weak<Shared>) -> UpstreamError {
        let mut idle = interval(self.limits.idle_check());
        let mut check = interval(self.limits.ping_check());
        let link = Arc::clone(&self.link);
        loop {
            tokio::select! {
                end = poll_fn(|cx| self.poll(cx, pool)) => return end,
                () = link.doubts.notified() => self.ping(),
                _ = idle.tick() => if let Some(pool) = pool.upgrade() { pool.expire(id) },
                _ = check.tick() => {
                    if self.is_dead() {
                        return UpstreamError::Unresponsive;
                    }
                    if self.connection_is_waiting(id, pool) && link.silence() >= self.limits.ping_after {
                        self.ping();
                    }
                }
            }
        }
    }

    /// Sends and receives frames. Ready when the connection has ended.
    ///
    /// Tasks that are ready go first, so what they send leaves in one write. tokio would run this one as soon as the first of them
    /// has woken it.
    fn poll(&mut self, cx: &mut Context<'_>, pool: &Weak<Shared>) -> Poll<UpstreamError> {
        self.others_went = !self.others_went;
        if self.others_went {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let ended = Pin::new(&mut self.connection).poll(cx);
        self.learn(pool);
        if self.pinged.is_some() && self.pings.poll_pong(cx).is_ready() {
            self.pinged = None;
        }
        let end = ready!(ended);
        Poll::Ready(end.err().map_or(UpstreamError::Truncated, |error| UpstreamError::from(&error)))
    }

    /// Learns the server's limit of streams.
    fn learn(&mut self, pool: &Weak<Shared>) {
        let allowed = self.connection.max_concurrent_send_streams();
        if allowed == UNSETTLED {
            return;
        }
        let capacity = allowed.min(self.limits.streams);
        let before = self.link.capacity.swap(capacity, Ordering::Relaxed);
        match self.settled.take() {
            // Who waits for the settings may have given up.
            Some(settled) => drop(settled.send(())),
            None if before != capacity => {
                if let Some(pool) = pool.upgrade() {
                    pool.limit_changed();
                }
            }
            None => {}
        }
    }

    fn ping(&mut self) {
        // A ping that is on its way is enough.
        if self.pinged.is_none() && self.pings.send_ping(Ping::opaque()).is_ok() {
            self.pinged = Some(Instant::now());
        }
    }

    /// Whether a ping is unanswered for too long, and nothing else came either: a pong may wait behind much data.
    fn is_dead(&self) -> bool {
        let limit = self.limits.ping_limit;
        self.pinged.is_some_and(|sent| sent.elapsed() >= limit) && self.link.silence() >= limit
    }

    fn connection_is_waiting(&self, id: Id, pool: &Weak<Shared>) -> bool {
        pool.upgrade().is_none_or(|pool| pool.is_used(id))
    }
}

/// A stream that notes when the server sends something.
struct Watched {
    stream: TokioIo<Stream>,
    link: Arc<Health>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.link.hear();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
