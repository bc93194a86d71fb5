//! The least that a reverse proxy in hyper does: every request goes on to one origin, and the response comes back as it is.
//! What Glassine costs above this is its own doing; what this costs is hyper's.
//!
//! `forward LISTEN ORIGIN`, both as `127.0.0.1:PORT`.

use std::error::Error;
use std::io;

use http::header::{CONNECTION, HOST, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), Some(origin)) = (arguments.next(), arguments.next()) else {
        return Err(io::Error::other("usage: forward LISTEN ORIGIN").into());
    };
    let origin = Origin::new(&origin)?;
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let origin = origin.clone();
        let service = service_fn(move |request| {
            let origin = origin.clone();
            async move { origin.forward(request).await }
        });
        // A client that leaves ends its own connection and nothing else.
        drop(tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service)));
    }
}

#[derive(Clone)]
struct Origin {
    client: Client<HttpConnector, Incoming>,
    authority: Authority,
    host: HeaderValue,
}

impl Origin {
    fn new(address: &str) -> Result<Self, Failure> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, authority: address.parse()?, host: address.parse()? })
    }

    async fn forward(&self, mut request: Request<Incoming>) -> Result<Response<Incoming>, Failure> {
        let target = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(target.unwrap_or(PathAndQuery::from_static("/")))
            .build()?;
        request.headers_mut().insert(HOST, self.host.clone());
        request.headers_mut().remove(CONNECTION);
        let mut response = self.client.request(request).await?;
        response.headers_mut().remove(CONNECTION);
        Ok(response)
    }
}
