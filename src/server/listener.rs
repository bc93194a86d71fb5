//! The one accept loop, for both listeners.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use super::connection::{ConnectionError, Shared, serve_connection};
use super::handler::Handler;
use super::limits::ServerLimits;
use super::shutdown::Shutdown;
use super::tls::TlsState;
use glassine_core::diagnostic::Causes;

/// How long accepting pauses after it failed: without file descriptors it fails again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts and serves connections until asked to stop, then drains: the listener closes, responses that have begun may
/// end for up to `limits.drain`, and what is left is cut.
///
/// With `tls` only TLS is spoken (HTTP/2 and HTTP/1.1 by ALPN), without it only HTTP/1.1.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<TlsState>>,
    limits: ServerLimits,
    handler: impl Handler,
    mut shutdown: Shutdown,
) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let shared = Arc::new(Shared { handler, limits, tls });
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // A stop comes before one more connection.
            biased;
            () = shutdown.requested() => break,
            Some(ended) = connections.join_next() => report(ended),
            (slot, accepted) = accept(&listener, &slots) => match accepted {
                Ok((stream, address)) => {
                    let serving = serve_connection(stream, address, Arc::clone(&shared), shutdown.clone());
                    connections.spawn(async move {
                        let _slot = slot;
                        serving.await
                    });
                }
                Err(error) => {
                    tracing::warn!(error = %Causes(&error), "a connection cannot be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    drain(connections, limits.drain).await;
}

/// A connection and its slot. Without a free slot nothing is accepted: the rest waits in the kernel's backlog.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, io::Result<(tokio::net::TcpStream, std::net::SocketAddr)>) {
    // The semaphore is never closed, so there is always a slot.
    let slot = Arc::clone(slots).acquire_owned().await.ok();
    (slot, listener.accept().await)
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

/// Failures of single connections are the peer's business, and only worth a line when debugging. A panic is ours.
fn report(ended: Result<Result<(), ConnectionError>, JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(error = %Causes(&error), "a connection ended early"),
        Err(error) if error.is_panic() => tracing::error!("serving a connection panicked"),
        Err(_) => {}
    }
}
