//! The connections to one server.
//!
//! A connection can be dead without anybody knowing: a load balancer or a firewall forgets it while it is idle, a server
//! restarts, a network changes. No request may fail because of that, and none may wait for long. So this pool keeps four
//! rules.
//!
//! **A request that lost its connection is sent once more, on a connection that cannot have the same fault.** Over HTTP/1.1
//! that is one that no request has used. Over HTTP/2 it is one that was opened after the first one was found dead, so that
//! all requests of the dead one share it; or, if the server only refused the stream, any other one. Who sends decides whether
//! a request may be repeated at all ([`transport`](super::transport)).
//!
//! **One dead connection makes the others suspect.** Idle HTTP/1.1 connections are closed, since nothing can show that they
//! live. HTTP/2 connections get a ping.
//!
//! **Silence is no proof of life.** While requests wait on an HTTP/2 connection that is silent, pings tell whether the server
//! is there; a connection that was silent before a request gets its ping together with the request. HTTP/1.1 has no pings:
//! the kernel gives a connection up whose bytes are not acknowledged, and a request that gets no response on a connection
//! that had been idle is sent on a new connection too.
//!
//! **There are as many connections as waiting requests need.** The server says how many streams an HTTP/2 connection may
//! have, and may change that at any time; HTTP/1.1 is the case of one. A request that finds no free stream waits in a queue,
//! and [`State::proceed`](state::State) opens connections for the queue, up to a bound. Until the first connection shows
//! which protocol the server speaks, one connection is opened for all.
//!
//! ```text
//!  acquire ─▶ State ── free ──────────────▶ Lease ─ exchange ─▶ response, which holds the Slot
//!               │  ▲                          ▲                       │
//!               │  └──── opened, released ────┼───────────────────────┘
//!               └─ none free: wait ───────────┘
//! ```
//!
//! | file | what |
//! |---|---|
//! | `state` | which connections there are, who uses them, who waits |
//! | `http1`, `http2` | one connection: the task that drives it, and how a request uses it |
//! | `limits` | all times and bounds |
//!
//! The lock is held for the length of [`State`]'s methods only, never across an `.await`. No value is dropped under it that
//! would take it again: turns are handed out after it is released.

mod http1;
mod http2;
mod limits;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use bytes::Bytes;
use http::{Request, Response, Uri};
use hyper_util::client::legacy::connect::Connection as _;
use tokio::time::{Duration, Instant, timeout_at};

pub(super) use self::http1::MAX_HEADERS;
pub(super) use self::http2::Health;
pub use self::limits::PoolLimits;
pub(super) use self::state::Want;
use self::state::{Id, Link, Next, Returned, State, Taken, TakenLink};
use super::body::Source;
use super::connector::{Connector, ConnectorError, Opened, connector};
use super::error::{Phase, UpstreamError};
use super::network::Network;
use super::uri::uri;
use crate::metrics::{Closed, Protocol, UpstreamConnections};
use glassine_core::graph::Origin;

/// The connections to one server. They close when it is dropped and their responses have been read.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    connector: Connector,
    server: Uri,
    limits: PoolLimits,
    /// The time limit for opening a connection.
    connect: Duration,
    counts: UpstreamConnections,
    state: Mutex<State>,
}

/// A connection that was just opened. HTTP/2 is driven already, because the server's settings had to arrive.
enum Started {
    Http1(http1::Http1, Box<http1::Driver>),
    Http2(http2::Http2),
}

/// Why a request got no response.
pub(super) struct Failure {
    pub(super) error: UpstreamError,
    /// Which connections are better, if the connection was at fault.
    pub(super) again: Option<Want>,
}

impl From<UpstreamError> for Failure {
    fn from(error: UpstreamError) -> Self {
        Self { error, again: None }
    }
}

impl Pool {
    pub(super) fn new(origin: &Origin, network: &Network) -> Result<Self, ConnectorError> {
        let shared = Shared {
            connector: connector(origin, network)?,
            server: uri(origin, "/").map_err(|_| ConnectorError::Origin)?,
            limits: network.pool,
            connect: network.timeouts.connect,
            counts: network.connections.clone(),
            state: Mutex::new(State::new(network.pool)),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// A connection for one request. Opens one, or waits for one, if none is free.
    pub(super) async fn acquire(&self, want: Want, deadline: Instant) -> Result<Lease, UpstreamError> {
        let (taken, next) = self.shared.state().take_or_wait(want);
        self.shared.proceed(next);
        match taken {
            Ok(taken) => Ok(self.shared.lease(taken)),
            Err(turn) => match timeout_at(deadline, turn).await {
                Ok(turn) => turn.unwrap_or(Err(UpstreamError::Timeout(Phase::Queue))),
                Err(_) => Err(self.shared.state().why_waiting()),
            },
        }
    }

    /// Only connections that are opened from now on.
    pub(super) fn fresh(&self) -> Want {
        self.shared.state().fresh()
    }

    /// An idle connection was found dead.
    pub(super) fn suspect(&self) {
        self.shared.state().suspect();
    }
}

impl Shared {
    /// A poisoned lock is safe to use: the state is consistent after each statement.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what follows from a change of the state, after the lock is released.
    fn proceed(self: &Arc<Self>, next: Next) {
        for (turn, taken) in next.turns {
            // If nobody waits for it any more, the lease goes back to the pool at once.
            drop(turn.send(taken.map(|taken| self.lease(taken))));
        }
        for id in next.open {
            tokio::spawn(Arc::clone(self).open(id));
        }
    }

    fn lease(self: &Arc<Self>, taken: Taken) -> Lease {
        let Taken { id, link, used, idle_since } = taken;
        let slot = Slot { pool: Arc::downgrade(self), id, returned: Returned::Closing(Closed::Abandoned) };
        Lease { link: Some((link, slot)), used, idle: idle_since.elapsed(), quiet: self.limits.quiet }
    }

    /// Opens a connection in a task of its own: it goes on if the request that needed it is given up.
    async fn open(self: Arc<Self>, id: Id) {
        // A response that was just read to its end gives its connection back meanwhile.
        tokio::task::yield_now().await;
        if !self.state().still_needed() {
            return;
        }
        match self.connect(id).await {
            Ok(started) => self.opened(id, started),
            Err(error) => {
                self.counts.failed();
                let next = self.state().not_opened(&error);
                self.proceed(next);
            }
        }
    }

    /// A connection that ends takes itself out of the pool, so it has to be in before it can end.
    fn opened(self: &Arc<Self>, id: Id, started: Started) {
        let pool = Arc::downgrade(self);
        match started {
            Started::Http1(link, driver) => {
                self.insert(id, Link::Http1(Some(link)), Protocol::Http1);
                tokio::spawn(driver.run(id, pool, self.limits));
            }
            Started::Http2(link) => {
                self.insert(id, Link::Http2(link.clone()), Protocol::Http2);
                if let Some(end) = link.end() {
                    self.ended(id, closed_by(&end));
                }
            }
        }
    }

    fn insert(self: &Arc<Self>, id: Id, link: Link, protocol: Protocol) {
        let next = self.state().opened(id, link, self.counts.open(protocol));
        self.proceed(next);
    }

    async fn connect(self: &Arc<Self>, id: Id) -> Result<Started, UpstreamError> {
        let deadline = Instant::now() + self.connect;
        let opened = self.connector.open(self.server.clone()).await?;
        if !opened.stream.connected().is_negotiated_h2() {
            let (link, driver) = http1::start(opened).await?;
            return Ok(Started::Http1(link, Box::new(driver)));
        }
        let Opened { stream, certificate_requested } = opened;
        let (link, driver, settled) = http2::start(stream, self.limits).await?;
        tokio::spawn(driver.run(id, Arc::downgrade(self)));
        match timeout_at(deadline, settled).await {
            Ok(Ok(())) => Ok(Started::Http2(link)),
            // The server ends connections on which it misses a certificate before it says anything.
            Ok(Err(_)) if certificate_requested => Err(UpstreamError::ClientCertificate),
            Ok(Err(_)) => Err(link.end().unwrap_or(UpstreamError::Truncated)),
            Err(_) => Err(UpstreamError::Timeout(Phase::Settings)),
        }
    }

    fn released(self: &Arc<Self>, id: Id, returned: Returned) {
        let next = self.state().released(id, returned);
        self.proceed(next);
    }

    fn ended(self: &Arc<Self>, id: Id, reason: Closed) {
        let next = self.state().ended(id, reason);
        self.proceed(next);
    }

    fn expire(self: &Arc<Self>, id: Id) {
        let next = self.state().expire(id);
        self.proceed(next);
    }

    fn limit_changed(self: &Arc<Self>) {
        let next = self.state().limit_changed();
        self.proceed(next);
    }

    fn is_used(&self, id: Id) -> bool {
        self.state().is_used(id)
    }
}

/// The right to send one request on a connection.
pub(super) struct Lease {
    /// `None` when the request is sent.
    link: Option<(TakenLink, Slot)>,
    used: bool,
    idle: Duration,
    quiet: Duration,
}

impl Lease {
    /// Whether the connection may be dead and HTTP has no means to tell.
    pub(super) fn is_doubtful(&self) -> bool {
        let http1 = matches!(self.link, Some((TakenLink::Http1(_), _)));
        http1 && self.used && self.idle >= self.quiet
    }

    /// Sends a request, and waits for the head of the response.
    pub(super) async fn exchange(mut self, request: Request<Bytes>) -> Result<Response<Source>, Failure> {
        match self.link.take() {
            Some((TakenLink::Http1(link), slot)) => link.exchange(request, self.used, slot).await,
            Some((TakenLink::Http2(link), slot)) => link.exchange(request, self.used, self.quiet, slot).await,
            // Only this method takes the link.
            None => Err(UpstreamError::Reset.into()),
        }
    }
}

impl Drop for Lease {
    /// A connection that was not used goes back.
    fn drop(&mut self) {
        if let Some((TakenLink::Http1(link), mut slot)) = self.link.take() {
            slot.returned = Returned::Idle(link);
        }
    }
}

/// A request's place on a connection. When it is dropped, the place is free.
pub(super) struct Slot {
    pool: Weak<Shared>,
    id: Id,
    /// How the connection comes back. Ignored over HTTP/2.
    returned: Returned,
}

impl Slot {
    /// The failure of a request over HTTP/1.1.
    fn failure(&self, error: UpstreamError, used: bool) -> Failure {
        let again = self.pool.upgrade().filter(|_| error.is_lost_connection()).map(|pool| {
            let mut state = pool.state();
            if used {
                state.suspect();
            }
            state.fresh()
        });
        Failure { error, again }
    }

    /// The failure of a request over HTTP/2. `heirs` is the connection's, for all of its requests.
    fn retire(&self, error: UpstreamError, heirs: &OnceLock<Id>) -> Failure {
        let again = self.pool.upgrade().filter(|_| error.is_lost_connection()).map(|pool| match error {
            UpstreamError::StreamRefused => Want { since: 0, except: Some(self.id) },
            _ => Want { since: *heirs.get_or_init(|| pool.state().retire(self.id, &error)), except: None },
        });
        Failure { error, again }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            let returned = std::mem::replace(&mut self.returned, Returned::Closing(Closed::Abandoned));
            pool.released(self.id, returned);
        }
    }
}

/// What the metrics say of a connection that ended this way.
fn closed_by(end: &UpstreamError) -> Closed {
    match end {
        UpstreamError::Unresponsive => Closed::Silent,
        UpstreamError::GoingAway(_) | UpstreamError::Truncated => Closed::Server,
        UpstreamError::Lost(_) | UpstreamError::Reset | UpstreamError::Tls(_) => Closed::Lost,
        _ => Closed::Protocol,
    }
}
