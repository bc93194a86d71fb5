//! What serves the requests of a listener.

use std::error::Error;
use std::future::Future;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;

use super::connection::Peer;

/// An extension of a response: whoever sent the request was identified. A connection that never had it is closed by
/// a 401, and is the first to make room for others.
#[derive(Clone, Copy, Debug)]
pub struct Identified;

/// A function from a request and its peer to a response. All such functions implement this trait; implement it for
/// nothing else.
pub trait Handler: Send + Sync + 'static {
    /// The body of the responses.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;
    /// The work on one request.
    type Future: Future<Output = Response<Self::Body>> + Send + 'static;

    /// Begins to respond to a request.
    fn respond(&self, request: Request<Incoming>, peer: Peer) -> Self::Future;
}

impl<H, F, B> Handler for H
where
    H: Fn(Request<Incoming>, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    type Body = B;
    type Future = F;

    fn respond(&self, request: Request<Incoming>, peer: Peer) -> F {
        self(request, peer)
    }
}
