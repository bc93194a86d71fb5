//! An upstream that speaks HTTP/2 over TLS, for what HTTP/1.1 cannot show: streams, resets, no reason phrase.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use glassine_core::graph::Origin;
use http::Response;
use http_body::{Body, Frame};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::server::TlsStream;

use super::upstream::Identity;

/// A running server; it stops with the test's runtime.
pub(crate) struct Http2Server {
    address: SocketAddr,
    ca: CertificateDer<'static>,
    connections: Arc<AtomicUsize>,
}

/// The response to every request: some frames of body, then the end or a stream reset.
#[derive(Clone)]
pub(crate) struct Frames {
    pub(crate) data: Vec<&'static str>,
    pub(crate) reset: bool,
}

impl Http2Server {
    /// A server that responds to every request with these frames.
    pub(crate) async fn always(frames: Frames) -> Self {
        Self::start(move |_, stream| respond(stream, frames.clone())).await
    }

    /// A server that runs `serve` for each connection, with its number from 0.
    pub(crate) async fn start<S>(
        serve: impl Fn(usize, TlsStream<TcpStream>) -> S + Send + Sync + 'static,
    ) -> Self
    where
        S: Future<Output = Option<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let identity = Identity::new(&["127.0.0.1"]);
        let ca = identity.certificate.clone();
        let acceptor = identity.acceptor(&[b"h2"]);
        let (connections, serve) = (Arc::<AtomicUsize>::default(), Arc::new(serve));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, serve) = (acceptor.clone(), Arc::clone(&serve));
                let number = count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move { serve(number, acceptor.accept(stream).await.ok()?).await });
            }
        });
        Self { address, ca, connections }
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin::parse(&format!("https://{}", self.address)).unwrap()
    }

    pub(crate) fn ca(&self) -> Vec<CertificateDer<'static>> {
        vec![self.ca.clone()]
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn respond(stream: TlsStream<TcpStream>, frames: Frames) -> Option<()> {
    let response =
        service_fn(move |_| std::future::ready(Ok::<_, Infallible>(Response::new(frames.clone()))));
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    // An error: the client disconnects when its test is over.
    server.serve_connection(TokioIo::new(stream), response).await.ok()
}

impl Body for Frames {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(match self.data.is_empty() {
            false => Some(Ok(Frame::data(Bytes::from_static(self.data.remove(0).as_bytes())))),
            true => self.reset.then(|| Err(io::Error::other("reset"))),
        })
    }
}
