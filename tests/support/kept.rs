//! An HTTP/1.1 upstream whose connections a middlebox can kill unseen: the client learns of it only when it writes, if ever.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use glassine_core::graph::Origin;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;

/// What becomes of a request on a dead connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Death {
    /// The connection ends without a response.
    Fin,
    /// The connection is reset.
    Rst,
    /// Nothing happens at all.
    Swallow,
    /// The server says that it gave up waiting, and closes the connection.
    TimedOut,
}

/// A running server; it stops with the test's runtime.
pub(crate) struct Kept {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// How many requests have to be there at the same time before the first ones get their responses.
    gathering: Barrier,
    death: Death,
    delay: Duration,
    /// Connections of earlier eras are dead.
    era: AtomicUsize,
    slow: AtomicBool,
    connections: AtomicUsize,
    /// Requests that came in on dead connections.
    lost: AtomicUsize,
    /// Connections that the client closed.
    closed: AtomicUsize,
}

impl Kept {
    /// A server that responds when this many requests wait at the same time, so that the client keeps as many connections.
    pub(crate) async fn gathering(connections: usize, death: Death) -> Self {
        Self::start(connections, death, Duration::ZERO).await
    }

    /// The same, with responses that are delayed by `delay` from [`Self::slow_down`] on.
    pub(crate) async fn start(connections: usize, death: Death, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            gathering: Barrier::new(connections),
            death,
            delay,
            era: AtomicUsize::new(0),
            slow: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
            closed: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&serving).serve(stream));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin::parse(&format!("http://{}", self.address)).unwrap()
    }

    /// Kills all connections that are open now.
    pub(crate) fn kill(&self) {
        self.shared.era.fetch_add(1, Ordering::SeqCst);
    }

    /// From now on, every response is late.
    pub(crate) fn slow_down(&self) {
        self.shared.slow.store(true, Ordering::SeqCst);
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn lost(&self) -> usize {
        self.shared.lost.load(Ordering::SeqCst)
    }

    pub(crate) fn closed(&self) -> usize {
        self.shared.closed.load(Ordering::SeqCst)
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        stream.set_nodelay(true).unwrap();
        self.connections.fetch_add(1, Ordering::SeqCst);
        let era = self.era.load(Ordering::SeqCst);
        while request(&mut stream).await.is_some() {
            if era < self.era.load(Ordering::SeqCst) {
                self.lost.fetch_add(1, Ordering::SeqCst);
                return self.die(stream).await;
            }
            if self.slow.load(Ordering::SeqCst) {
                tokio::time::sleep(self.delay).await;
            } else if era == 0 {
                self.gathering.wait().await;
            }
            let body = r#"{"value":[]}"#;
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            if stream.write_all((head + body).as_bytes()).await.is_err() {
                break;
            }
        }
        self.closed.fetch_add(1, Ordering::SeqCst);
    }

    async fn die(&self, mut stream: TcpStream) {
        match self.death {
            Death::Fin => {}
            Death::Rst => stream.set_zero_linger().unwrap(),
            Death::Swallow => while stream.read(&mut [0; 1024]).await.is_ok_and(|n| n > 0) {},
            Death::TimedOut => {
                let gone = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                stream.write_all(gone).await.unwrap();
            }
        }
    }
}

/// Reads the head of a request. `None`: the client has closed the connection.
async fn request(stream: &mut TcpStream) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(())
}
