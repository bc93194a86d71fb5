//! A minimal reverse proxy in hyper: forwards every request to one origin, and the response unchanged. What Glassine
//! costs above this is its own work.
//!
//! `forward 127.0.0.1:PORT http://ORIGIN`, or, with TLS and HTTP/2 on both sides,
//! `forward 127.0.0.1:PORT https://ORIGIN CERTIFICATE KEY CA`.

use std::error::Error;
use std::io;
use std::sync::Arc;

use http::header::{CONNECTION, HOST};
use http::uri::PathAndQuery;
use http::{Request, Response, Uri, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        [listen, origin] => forward(listen, Origin::new(origin, trust([])?)?, None).await,
        [listen, origin, certificate, key, ca] => {
            let trusted = trust([CertificateDer::from_pem_file(ca)?])?;
            forward(listen, Origin::new(origin, trusted)?, Some(identity(certificate, key)?)).await
        }
        _ => Err(io::Error::other("usage: forward LISTEN ORIGIN [CERTIFICATE KEY CA]").into()),
    }
}

async fn forward(listen: &str, origin: Origin, tls: Option<TlsAcceptor>) -> Result<(), Failure> {
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (origin, tls) = (origin.clone(), tls.clone());
        // A client that closes its connection is not an error.
        drop(tokio::spawn(async move {
            match tls {
                Some(tls) => serve(tls.accept(stream).await?, origin).await,
                None => serve(stream, origin).await,
            }
        }));
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    origin: Origin,
) -> Result<(), Failure> {
    let service = service_fn(move |request| {
        let origin = origin.clone();
        async move { origin.forward(request).await }
    });
    Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await
}

fn trust(authorities: impl IntoIterator<Item = CertificateDer<'static>>) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    authorities.into_iter().try_for_each(|authority| roots.add(authority))?;
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

fn identity(certificate: &str, key: &str) -> Result<TlsAcceptor, Failure> {
    let (chain, key) =
        (vec![CertificateDer::from_pem_file(certificate)?], PrivateKeyDer::from_pem_file(key)?);
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".into(), b"http/1.1".into()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[derive(Clone)]
struct Origin {
    client: Client<HttpsConnector<HttpConnector>, Incoming>,
    base: Uri,
}

impl Origin {
    fn new(base: &str, tls: ClientConfig) -> Result<Self, Failure> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector), base: base.parse()? })
    }

    async fn forward(&self, mut request: Request<Incoming>) -> io::Result<Response<Incoming>> {
        let mut target = self.base.clone().into_parts();
        target.path_and_query =
            Some(request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/")));
        *request.uri_mut() = Uri::from_parts(target).map_err(io::Error::other)?;
        // The client takes the host from the URI, and the version from the connection.
        request.headers_mut().remove(HOST);
        *request.version_mut() = Version::HTTP_11;
        request.headers_mut().remove(CONNECTION);
        let mut response = self.client.request(request).await.map_err(io::Error::other)?;
        response.headers_mut().remove(CONNECTION);
        Ok(response)
    }
}
