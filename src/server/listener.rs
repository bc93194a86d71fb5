//! The accept loop of both listeners.

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

/// The pause after a failed accept. Without free file descriptors, the next one would fail at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts and serves connections until `shutdown`, then drains: closes the listener, lets responses that have begun
/// finish for up to `limits.drain`, and cuts the remaining connections.
///
/// With `tls` the listener only takes TLS (HTTP/2 and HTTP/1.1 by ALPN), without it only plain HTTP/1.1.
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
            // Check for a stop before accepting another connection.
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

/// Waits for a free slot, then accepts a connection. Further connections wait in the kernel's backlog.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, io::Result<(tokio::net::TcpStream, std::net::SocketAddr)>) {
    // The semaphore is never closed, so the slot is never `None`.
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
