//! How a connection is driven to its end.
//!
//! A connection ends in two steps, so that a request that is on its way is answered. First each response says that it is
//! the last (`Connection: close`; over HTTP/2 a GOAWAY says so at once), while the connection lives on. When no request
//! has come for [`ServerLimits::last_request`], the connection is closed. hyper's graceful shutdown alone closes an idle
//! HTTP/1 connection at once, with the request that a client has just sent unread.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use hyper::Error as HyperError;
use hyper_util::server::graceful::GracefulConnection;
use tokio::time::{Instant, Interval, interval_at, sleep_until};

use super::activity::{Activity, Status};
use super::connection::ConnectionError;
use super::limits::ServerLimits;
use super::shutdown::Shutdown;
use crate::metrics::connections::Closed;

/// The protocol that a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// How far the end of a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// It is served.
    Open,
    /// Each response is the last.
    Ending,
    /// HTTP/2: the client knows, by a GOAWAY.
    Announced,
    /// hyper closes it as soon as no request is in progress.
    Closing,
}

/// What a connection's task wakes up for.
enum Event {
    /// The service or the connection's own responses ask for its end.
    End,
    /// It has to make room, unless a request has come.
    MakeRoom,
    /// The first request has not come in time.
    Silent,
    /// Time to look at its activity.
    Look,
}

/// A connection and everything that decides about its end.
pub(super) struct Driven<'a, C> {
    /// Boxed: the future would otherwise hold this large connection several times.
    connection: Pin<Box<C>>,
    protocol: Protocol,
    activity: &'a Activity,
    limits: &'a ServerLimits,
    stage: Stage,
}

type Ended = Result<(), ConnectionError>;

impl<'a, C: GracefulConnection<Error = HyperError>> Driven<'a, C> {
    pub(super) fn new(
        connection: C,
        protocol: Protocol,
        activity: &'a Activity,
        limits: &'a ServerLimits,
    ) -> Self {
        Self { connection: Box::pin(connection), protocol, activity, limits, stage: Stage::Open }
    }

    /// Runs the connection to its end.
    pub(super) async fn run(mut self, shutdown: Shutdown) -> Ended {
        let mut looks = looks(self.limits.idle, self.limits.write_stall);
        let mut stop = Stop::new(shutdown, self.protocol);
        let first_head = self.activity.seat().since() + self.limits.first_head;
        loop {
            let may_be_silent = self.activity.seat().is_trusted() || self.activity.has_begun();
            let event = tokio::select! {
                ended = self.connection.as_mut() => return ended.map_err(ConnectionError::Http),
                () = stop.requested(), if self.stage == Stage::Open => Event::End,
                () = self.activity.seat().woken() => self.woken(),
                () = sleep_until(first_head), if !may_be_silent => Event::Silent,
                _ = looks.tick() => Event::Look,
            };
            let before = self.stage;
            if let Some(ended) = self.react(event).await {
                return ended;
            }
            if before == Stage::Open && self.stage != Stage::Open {
                looks = self::looks(self.limits.last_request, self.limits.write_stall);
            }
        }
    }

    fn woken(&self) -> Event {
        if self.activity.seat().is_displaced() { Event::MakeRoom } else { Event::End }
    }

    /// `Some` if the connection has ended.
    async fn react(&mut self, event: Event) -> Option<Ended> {
        match event {
            Event::End => self.end_soon(),
            Event::MakeRoom => match self.read_once_more().await {
                Some(ended) => return Some(ended),
                None if self.activity.is_idle() => return Some(Ok(())),
                None => self.end_soon(),
            },
            Event::Silent if self.activity.has_begun() => {}
            Event::Silent => {
                self.activity.seat().door().closed(Closed::Silent);
                return Some(Err(ConnectionError::Silent));
            }
            Event::Look => return self.look().await,
        }
        None
    }

    async fn look(&mut self) -> Option<Ended> {
        let idle = if self.stage == Stage::Open { self.limits.idle } else { self.limits.last_request };
        match (self.activity.state(Instant::now(), idle, self.limits.write_stall), self.stage) {
            (Status::Stalled, _) => return Some(Err(ConnectionError::Stalled)),
            (Status::Idle, Stage::Open) => self.end_soon(),
            (Status::Idle, Stage::Closing) => return Some(Ok(())),
            (Status::Idle, Stage::Ending | Stage::Announced) => match self.read_once_more().await {
                Some(ended) => return Some(ended),
                None if self.activity.is_idle() => self.close(),
                None => {}
            },
            (Status::Busy, _) => self.announce(),
        }
        None
    }

    fn end_soon(&mut self) {
        if self.stage == Stage::Open {
            self.stage = Stage::Ending;
            self.activity.end_soon();
            self.announce();
        }
    }

    /// Over HTTP/2, tells the client. Not before its first request: a GOAWAY that comes before would make a client come
    /// back on connection after connection and get nothing served.
    fn announce(&mut self) {
        let can = self.protocol == Protocol::Http2 && self.activity.has_begun();
        if can && self.stage == Stage::Ending {
            self.stage = Stage::Announced;
            self.connection.as_mut().graceful_shutdown();
        }
    }

    /// Closes the connection: flushes it, and ends TLS with an alert. The peer has as long again to let that happen.
    fn close(&mut self) {
        self.stage = Stage::Closing;
        self.activity.restart_idle_time();
        self.connection.as_mut().graceful_shutdown();
    }

    /// Lets hyper read once more: a request that has arrived meanwhile is in progress then. `Some` if the connection has
    /// ended.
    async fn read_once_more(&mut self) -> Option<Ended> {
        let connection = &mut self.connection;
        match poll_fn(|cx| Poll::Ready(connection.as_mut().poll(cx))).await {
            Poll::Ready(ended) => Some(ended.map_err(ConnectionError::Http)),
            Poll::Pending => None,
        }
    }
}

/// The step of a stop that ends a connection.
struct Stop {
    shutdown: Shutdown,
    /// A GOAWAY tells an idle HTTP/2 client at once to leave. Over HTTP/1 only a response can tell it, and so it is on an
    /// HTTP/2 connection that was opened while clients leave.
    on_leaving: bool,
}

impl Stop {
    fn new(shutdown: Shutdown, protocol: Protocol) -> Self {
        Self { on_leaving: protocol == Protocol::Http2 && !shutdown.is_leaving(), shutdown }
    }

    async fn requested(&mut self) {
        if self.on_leaving {
            self.shutdown.leaving().await;
        } else {
            self.shutdown.requested().await;
        }
    }
}

/// When to check the activity: often enough that a limit is exceeded by at most a quarter.
fn looks(idle: Duration, stall: Duration) -> Interval {
    /// An interval of zero panics.
    const SHORTEST: Duration = Duration::from_millis(1);
    let period = (idle.min(stall) / 4).max(SHORTEST);
    interval_at(Instant::now() + period, period)
}
