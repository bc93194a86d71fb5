//! The accept loop of both listeners.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use super::connection::{ConnectionError, Shared, serve_connection};
use super::door::{Door, Visitor};
use super::handler::Handler;
use super::limits::ServerLimits;
use super::roster::{NoSeat, Roster};
use super::shutdown::Shutdown;
use super::tls::TlsState;
use crate::metrics::connections::Closed;
use glassine_core::diagnostic::Causes;

/// The pause after a failed accept. Without free file descriptors, the next one would fail at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts and serves connections until `shutdown`, then drains: accepts who is in the kernel's backlog, closes the
/// listener, lets responses that have begun finish for up to `limits.drain`, and cuts the remaining connections.
///
/// With `tls` the listener only takes TLS (HTTP/2 and HTTP/1.1 by ALPN), without it only plain HTTP/1.1.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<TlsState>>,
    limits: ServerLimits,
    door: Arc<Door>,
    handler: impl Handler,
    mut shutdown: Shutdown,
) {
    let roster = Roster::new(Arc::clone(&door), &limits);
    let shared = Arc::new(Shared { handler, limits, tls });
    let mut reception = Reception {
        door,
        roster: Arc::clone(&roster),
        shared,
        shutdown: shutdown.clone(),
        connections: JoinSet::new(),
    };
    let mut waiting: Option<Waiting> = None;
    loop {
        tokio::select! {
            // Check for a stop before accepting another connection.
            biased;
            () = shutdown.requested() => break,
            Some(ended) = reception.connections.join_next() => report(ended),
            () = roster.changed(waiting.as_ref().and_then(|it| it.until)), if waiting.is_some() => {
                waiting = waiting.and_then(|it| reception.receive(it.newcomer));
            }
            accepted = listener.accept(), if waiting.is_none() => match accepted {
                Ok(newcomer) => waiting = reception.receive(newcomer),
                Err(error) => {
                    tracing::warn!(error = %Causes(&error), "a connection cannot be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    let newcomers = waiting.map(|it| it.newcomer).into_iter().chain(backlog(listener));
    newcomers.take(limits.connections).for_each(|newcomer| drop(reception.receive(newcomer)));
    drain(reception.connections, limits.drain).await;
}

type Newcomer = (TcpStream, SocketAddr);

/// A newcomer for whom there is no room yet.
struct Waiting {
    newcomer: Newcomer,
    /// When there will be room at the latest, if that is known.
    until: Option<Instant>,
}

/// Receives newcomers, and has the connections of those who were let in.
struct Reception<H> {
    door: Arc<Door>,
    roster: Arc<Roster>,
    shared: Arc<Shared<H>>,
    shutdown: Shutdown,
    connections: JoinSet<Result<(), ConnectionError>>,
}

impl<H: Handler> Reception<H> {
    /// Serves, closes, or returns a newcomer who has to wait for room.
    fn receive(&mut self, newcomer: Newcomer) -> Option<Waiting> {
        let origin = match self.door.visitor(newcomer.1.ip()) {
            Visitor::Client(origin) => Some(origin),
            Visitor::Trusted => None,
            Visitor::Unwelcome => {
                self.door.closed(Closed::Address);
                tracing::info!("a connection was closed: no consumer may connect from its address");
                return None;
            }
        };
        match self.roster.admit(origin) {
            Ok(seat) => {
                let ((stream, address), shutdown) = (newcomer, self.shutdown.clone());
                self.connections.spawn(serve_connection(
                    stream,
                    address,
                    seat,
                    Arc::clone(&self.shared),
                    shutdown,
                ));
                None
            }
            Err(NoSeat::Share) => {
                self.door.closed(Closed::Share);
                tracing::info!("a connection was closed: its address has too many, and all are busy");
                None
            }
            Err(NoSeat::Full(until)) => Some(Waiting { newcomer, until }),
        }
    }
}

/// The connections that the kernel has accepted. The listener is closed after the last one. Asks the system directly:
/// the runtime may not know of the newest ones yet.
fn backlog(listener: TcpListener) -> impl Iterator<Item = Newcomer> {
    let listener = listener.into_std().ok();
    std::iter::from_fn(move || accept_now(listener.as_ref()?).ok())
}

/// [`io::ErrorKind::WouldBlock`] if nobody waits.
fn accept_now(listener: &std::net::TcpListener) -> io::Result<Newcomer> {
    let (stream, address) = listener.accept()?;
    stream.set_nonblocking(true)?;
    Ok((TcpStream::from_std(stream)?, address))
}

async fn drain(mut connections: JoinSet<Result<(), ConnectionError>>, limit: Duration) {
    let ended = timeout(limit, async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    });
    if ended.await.is_err() {
        tracing::warn!(connections = connections.len(), "the drain took too long; what is left is cut");
        connections.shutdown().await;
    }
}

/// Failures of single connections are mostly the peer's, so they are logged for debugging only. A panic is a defect of
/// this program.
fn report(ended: Result<Result<(), ConnectionError>, JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(error = %Causes(&error), "a connection ended early"),
        Err(error) if error.is_panic() => tracing::error!("serving a connection panicked"),
        Err(_) => {}
    }
}
