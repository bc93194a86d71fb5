//! Which connections there are, who uses them, who waits. Does no I/O and never blocks, so one lock holds it together.

use std::cmp::Reverse;
use std::collections::VecDeque;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Lease;
use super::http1::Http1;
use super::http2::Http2;
use super::limits::PoolLimits;
use crate::metrics::{Closed, Open};
use crate::upstream::error::{Phase, UpstreamError};

/// Numbers connections in the order in which opening them began.
pub(super) type Id = u64;

/// Which connections a request may use. The default is any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::upstream) struct Want {
    /// Opening it began no earlier than that of this one. Zero: at any time. Over HTTP/1.1, any other value means: a
    /// connection that no request has used.
    pub(super) since: Id,
    /// Not this one.
    pub(super) except: Option<Id>,
}

/// An open connection.
struct Connection {
    id: Id,
    link: Link,
    /// How many requests use it.
    users: usize,
    /// Whether a request has used it.
    used: bool,
    /// When it was last used, or opened.
    idle_since: Instant,
    /// Whether it takes no more requests: the server said so, or it is dead.
    ending: bool,
    counted: Open,
}

/// A connection's protocol, with the means to send requests.
pub(super) enum Link {
    /// `None` while a request uses it.
    Http1(Option<Http1>),
    Http2(Http2),
}

/// The means to send one request, and what the pool knows of the connection.
pub(super) struct Taken {
    pub(super) id: Id,
    pub(super) link: TakenLink,
    /// Whether a request used the connection before.
    pub(super) used: bool,
    /// Since when it was idle.
    pub(super) idle_since: Instant,
}

pub(super) enum TakenLink {
    Http1(Http1),
    Http2(Http2),
}

/// How an HTTP/1.1 connection comes back from a request.
pub(super) enum Returned {
    Idle(Http1),
    Closing(Closed),
}

/// What a waiting request gets.
pub(super) type Turn = Result<Lease, UpstreamError>;

struct Waiter {
    want: Want,
    turn: oneshot::Sender<Turn>,
}

/// What to do after the lock is released.
#[derive(Default)]
#[must_use]
pub(super) struct Next {
    /// Turns of waiting requests.
    pub(super) turns: Vec<(oneshot::Sender<Turn>, Result<Taken, UpstreamError>)>,
    /// Connections to open.
    pub(super) open: Vec<Id>,
}

/// The connections of one pool.
pub(super) struct State {
    limits: PoolLimits,
    next_id: Id,
    connections: Vec<Connection>,
    /// In the order of their arrival.
    waiting: VecDeque<Waiter>,
    /// How many connections are being opened.
    opening: usize,
    /// How many requests at a time the next connection will probably take. Before the first one, any number: it may well be
    /// HTTP/2.
    expected: usize,
    /// Open nothing before this moment.
    rest_until: Option<Instant>,
}

impl State {
    pub(super) fn new(limits: PoolLimits) -> Self {
        Self {
            limits,
            // So that `since: 0` means any.
            next_id: 1,
            connections: Vec::new(),
            waiting: VecDeque::new(),
            opening: 0,
            expected: usize::MAX,
            rest_until: None,
        }
    }

    /// A connection for a request, at once or when it is the request's turn.
    pub(super) fn take_or_wait(&mut self, want: Want) -> (Result<Taken, oneshot::Receiver<Turn>>, Next) {
        if self.waiting.is_empty()
            && let Some(taken) = self.take(want)
        {
            return (Ok(taken), Next::default());
        }
        let (turn, wait) = oneshot::channel();
        self.waiting.push_back(Waiter { want, turn });
        (Err(wait), self.proceed())
    }

    /// Only connections whose opening begins from now on.
    pub(super) fn fresh(&self) -> Want {
        Want { since: self.next_id, except: None }
    }

    /// Whether a connection that is about to be opened is still needed. If not, it must not be opened.
    pub(super) fn still_needed(&mut self) -> bool {
        self.waiting.retain(|waiter| !waiter.turn.is_closed());
        let needed = self.needed() >= self.opening;
        self.opening -= usize::from(!needed);
        needed
    }

    /// A connection was opened.
    pub(super) fn opened(&mut self, id: Id, link: Link, mut counted: Open) -> Next {
        self.opening = self.opening.saturating_sub(1);
        self.expected = match &link {
            Link::Http1(_) => 1,
            Link::Http2(link) => Some(link.capacity()).filter(|it| *it > 0).unwrap_or(self.expected),
        };
        counted.idle();
        let idle_since = Instant::now();
        self.connections.push(Connection {
            id,
            link,
            users: 0,
            used: false,
            idle_since,
            ending: false,
            counted,
        });
        self.proceed()
    }

    /// A connection could not be opened. As many requests fail as it would have served, unless another one will serve them.
    pub(super) fn not_opened(&mut self, error: &UpstreamError) -> Next {
        self.opening = self.opening.saturating_sub(1);
        if self.connections.iter().any(Connection::is_shared) {
            self.rest_until = Some(Instant::now() + self.limits.rest);
        }
        let served = self.opening.saturating_mul(self.expected);
        let mut failing = self.waiting.len().saturating_sub(served).min(self.expected);
        let mut turns = Vec::new();
        for waiter in std::mem::take(&mut self.waiting) {
            let served_later = self.connections.iter().any(|one| one.is_shared() && one.suits(waiter.want));
            if failing == 0 || served_later {
                self.waiting.push_back(waiter);
            } else {
                failing -= 1;
                turns.push((waiter.turn, Err(error.clone())));
            }
        }
        let mut next = self.proceed();
        next.turns.append(&mut turns);
        next
    }

    /// A request does not use the connection any more.
    pub(super) fn released(&mut self, id: Id, returned: Returned) -> Next {
        let full = self.waiting.is_empty() && self.idle_http1() >= self.limits.idle_connections;
        let Some(at) = self.position(id) else { return Next::default() };
        let Some(connection) = self.connections.get_mut(at) else { return Next::default() };
        connection.users = connection.users.saturating_sub(1);
        connection.idle_since = Instant::now();
        if connection.users == 0 {
            connection.counted.idle();
        }
        if let Link::Http1(place) = &mut connection.link {
            match returned {
                Returned::Idle(link) if !full => *place = Some(link),
                Returned::Idle(_) => self.remove(at, Closed::Idle),
                Returned::Closing(reason) => self.remove(at, reason),
            }
        }
        self.proceed()
    }

    /// The connection has ended.
    pub(super) fn ended(&mut self, id: Id, reason: Closed) -> Next {
        if let Some(at) = self.position(id) {
            self.remove(at, reason);
        }
        self.proceed()
    }

    /// The server changed how many streams a connection may have.
    pub(super) fn limit_changed(&mut self) -> Next {
        self.proceed()
    }

    /// The connection takes no more requests, because of this error. Its requests may use connections since the returned id.
    pub(super) fn retire(&mut self, id: Id, error: &UpstreamError) -> Id {
        if let Some(connection) = self.connections.iter_mut().find(|one| one.id == id) {
            connection.ending = true;
        }
        // A server that says that it ends a connection does not make others suspect.
        if !error.is_unprocessed() {
            self.suspect();
        }
        self.next_id
    }

    /// A connection that had been used was found dead without warning, so others may be dead too. Closes idle HTTP/1.1
    /// connections, and lets HTTP/2 connections prove that they live.
    pub(super) fn suspect(&mut self) {
        for connection in &self.connections {
            if let Link::Http2(link) = &connection.link {
                link.doubt();
            }
        }
        while let Some(at) = self.connections.iter().position(|one| matches!(one.link, Link::Http1(Some(_))))
        {
            self.remove(at, Closed::Suspect);
        }
    }

    /// Closes the connection if it will have been idle for too long at the next check.
    pub(super) fn expire(&mut self, id: Id) -> Next {
        let most = self.limits.idle.saturating_sub(self.limits.idle_check());
        let old = |one: &Connection| one.users == 0 && one.idle_since.elapsed() >= most;
        match self.connections.iter().position(|one| one.id == id && old(one)) {
            Some(at) => self.remove(at, Closed::Idle),
            None => return Next::default(),
        }
        self.proceed()
    }

    /// Whether a request uses the connection.
    pub(super) fn is_used(&self, id: Id) -> bool {
        self.connections.iter().any(|one| one.id == id && one.users > 0)
    }

    /// Why a request still waits.
    pub(super) fn why_waiting(&self) -> UpstreamError {
        let shut = self.connections.iter().filter(|one| one.is_shut()).count();
        match shut > 0 && shut == self.connections.len() {
            true => UpstreamError::NoStreams,
            false => UpstreamError::Timeout(Phase::Queue),
        }
    }

    /// Gives free connections to waiting requests, and decides how many connections have to be opened.
    fn proceed(&mut self) -> Next {
        let mut next = Next::default();
        if self.waiting.is_empty() {
            return next;
        }
        let mut none_for_any = false;
        for waiter in std::mem::take(&mut self.waiting) {
            if waiter.turn.is_closed() {
                continue;
            }
            let any = waiter.want == Want::default();
            match if any && none_for_any { None } else { self.take(waiter.want) } {
                Some(taken) => next.turns.push((waiter.turn, Ok(taken))),
                None => {
                    none_for_any |= any;
                    self.waiting.push_back(waiter);
                }
            }
        }
        for _ in 0..self.missing() {
            next.open.push(self.next_id);
            self.next_id += 1;
            self.opening += 1;
        }
        next
    }

    /// How many more connections the waiting requests need.
    fn missing(&self) -> usize {
        let shut = self.connections.iter().filter(|one| one.is_shut()).count();
        let resting = self.rest_until.is_some_and(|end| Instant::now() < end);
        if resting || shut >= self.limits.shut_connections {
            return 0;
        }
        let needed = self.needed().saturating_sub(self.opening);
        needed.min(self.limits.connections.saturating_sub(self.connections.len() + self.opening))
    }

    /// How many connections the waiting requests need.
    fn needed(&self) -> usize {
        self.waiting.len().div_ceil(self.expected.max(1))
    }

    /// The HTTP/1.1 connection that was used last: it is the least likely to be dead. Otherwise the oldest HTTP/2 connection
    /// with a free stream, so that younger ones become idle when they are not needed any more.
    fn take(&mut self, want: Want) -> Option<Taken> {
        loop {
            let free = self.connections.iter_mut().filter(|one| one.is_free() && one.suits(want));
            let taken = free.max_by_key(|one| (one.last_used(), Reverse(one.id)))?.take();
            // `None`: the connection turned out to be ending.
            if taken.is_some() {
                return taken;
            }
        }
    }

    fn idle_http1(&self) -> usize {
        self.connections.iter().filter(|one| matches!(one.link, Link::Http1(Some(_)))).count()
    }

    fn position(&self, id: Id) -> Option<usize> {
        self.connections.iter().position(|one| one.id == id)
    }

    fn remove(&mut self, at: usize, reason: Closed) {
        let Connection { link, counted, .. } = self.connections.remove(at);
        counted.close(reason);
        drop(link);
    }
}

impl Connection {
    /// Whether a request with this wish may use it.
    fn suits(&self, want: Want) -> bool {
        match &self.link {
            Link::Http1(_) => want.since == 0 || !self.used,
            Link::Http2(_) => self.id >= want.since && want.except != Some(self.id),
        }
    }

    fn is_free(&self) -> bool {
        match &self.link {
            Link::Http1(link) => link.as_ref().is_some_and(Http1::is_open),
            Link::Http2(link) => !self.ending && self.users < link.capacity(),
        }
    }

    /// Whether several requests use it at a time.
    fn is_shared(&self) -> bool {
        matches!(self.link, Link::Http2(_)) && !self.ending
    }

    /// Whether the server allows no request on it.
    fn is_shut(&self) -> bool {
        matches!(&self.link, Link::Http2(link) if !self.ending && link.capacity() == 0)
    }

    /// `None` over HTTP/2.
    fn last_used(&self) -> Option<Instant> {
        matches!(self.link, Link::Http1(_)).then_some(self.idle_since)
    }

    fn take(&mut self) -> Option<Taken> {
        let link = match &mut self.link {
            Link::Http1(place) => TakenLink::Http1(place.take()?),
            Link::Http2(link) => match link.another() {
                Some(link) => TakenLink::Http2(link),
                None => {
                    self.ending = true;
                    return None;
                }
            },
        };
        let (used, idle_since) = (self.used, self.idle_since);
        self.users += 1;
        self.used = true;
        self.counted.busy();
        Some(Taken { id: self.id, link, used, idle_since })
    }
}
