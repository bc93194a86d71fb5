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
use tokio_rustls::TlsAcceptor;

use super::upstream::Identity;

/// A running server; it stops with the test's runtime.
pub(crate) struct Http2Upstream {
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

impl Http2Upstream {
    pub(crate) async fn always(frames: Frames) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let identity = Identity::new(&["127.0.0.1"]);
        let ca = identity.certificate.clone();
        let acceptor = identity.acceptor(&[b"h2"]);
        let connections = Arc::<AtomicUsize>::default();
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(acceptor.clone(), stream, frames.clone()));
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

async fn serve(acceptor: TlsAcceptor, stream: TcpStream, frames: Frames) {
    let stream = TokioIo::new(acceptor.accept(stream).await.unwrap());
    let response =
        service_fn(move |_| std::future::ready(Ok::<_, Infallible>(Response::new(frames.clone()))));
    // The client disconnects when its test is over.
    drop(
        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(stream, response)
            .await,
    );
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
