//! Opens connections: DNS, TCP, a tunnel if a proxy is configured, and TLS. One time limit covers all steps. The error
//! names the step that failed or took too long.

use std::cell::Cell;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use tokio::net::TcpStream;
use tower_service::Service;

use super::error::{Phase, UpstreamError, find, io_kind};
use super::network::Network;
use super::token::IdentityError;
use glassine_core::graph::Origin;

/// The connector of the pooled client: TLS over a [`Route`] to the server.
pub(super) type Connector = Limited<Step<HttpsConnector<Route>>>;

/// TCP, after DNS.
type Tcp = Step<HttpConnector<Step<GaiResolver>>>;

/// Directly to the server, or through a proxy.
#[derive(Clone)]
pub(super) enum Route {
    Direct(Tcp),
    Tunnel(Box<Step<Tunnel<Tcp>>>),
}

/// Why no client could be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConnectorError {
    /// The TLS library refused its settings.
    #[error("TLS cannot be set up: {0}")]
    Config(#[source] rustls::Error),
    /// One of the extra roots cannot be a trust anchor.
    #[error("extra root certificate number {number} cannot be used: {source}")]
    ExtraRoot {
        /// Its position in the list, from 1.
        number: usize,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// The machine's identity service cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Neither the platform nor the configuration has a root certificate.
    #[error("no root certificate: install the platform's CA bundle or name a CA file")]
    NoRoots,
    /// The tenant is part of the token endpoint's path, and must not change the rest of it.
    #[error("the tenant is neither an id nor a domain")]
    Tenant,
}

tokio::task_local! {
    /// The current step of the connection that this task opens.
    static STEP: Cell<Phase>;
}

/// Builds the connector for one origin. TLS offers HTTP/2 and HTTP/1.1 (ALPN, RFC 7301).
pub(super) fn connector(origin: &Origin, network: &Network) -> Result<Connector, ConnectorError> {
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls(origin, &network.extra_roots)?);
    let builder = if origin.is_https() { builder.https_only() } else { builder.https_or_http() };
    let https = builder.enable_all_versions().wrap_connector(route(origin, network));
    Ok(Limited { inner: Step { inner: https, phase: Phase::Tls }, limit: network.timeouts.connect })
}

fn route(origin: &Origin, network: &Network) -> Route {
    let Some(found) = network.proxies.before(origin) else {
        return Route::Direct(tcp());
    };
    let mut tunnel = Tunnel::new(found.proxy, tcp());
    if let Some(authorization) = found.authorization {
        tunnel = tunnel.with_auth(authorization);
    }
    Route::Tunnel(Box::new(Step { inner: tunnel, phase: Phase::Proxy }))
}

fn tcp() -> Tcp {
    let resolver = Step { inner: GaiResolver::new(), phase: Phase::Resolve };
    let mut http = HttpConnector::new_with_resolver(resolver);
    http.enforce_http(false);
    http.set_nodelay(true);
    Step { inner: http, phase: Phase::Connect }
}

fn tls(origin: &Origin, extra: &[CertificateDer<'static>]) -> Result<ClientConfig, ConnectorError> {
    let roots = if origin.is_https() { roots(extra)? } else { RootCertStore::empty() };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions.map_err(ConnectorError::Config)?.with_root_certificates(roots).with_no_client_auth())
}

/// The platform's roots and the extra ones. An unreadable root of the platform is skipped: bundles contain odd old
/// certificates, and a missing root is safe, because it only fails handshakes. An extra root is configured, so it must
/// work.
fn roots(extra: &[CertificateDer<'static>]) -> Result<RootCertStore, ConnectorError> {
    let mut store = RootCertStore::empty();
    let (_, skipped) = store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    tracing::debug!(used = store.len(), skipped, "platform root certificates");
    for (certificate, number) in extra.iter().zip(1..) {
        store.add(certificate.clone()).map_err(|source| ConnectorError::ExtraRoot { number, source })?;
    }
    if store.is_empty() { Err(ConnectorError::NoRoots) } else { Ok(store) }
}

/// Opens a connection within one time limit for all steps.
#[derive(Clone)]
pub(super) struct Limited<S> {
    inner: S,
    limit: Duration,
}

impl<S, R> Service<R> for Limited<S>
where
    S: Service<R, Error = UpstreamError, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = UpstreamError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, UpstreamError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), UpstreamError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let (limit, work) = (self.limit, self.inner.call(request));
        Box::pin(STEP.scope(Cell::new(Phase::Connect), async move {
            match tokio::time::timeout(limit, work).await {
                Ok(done) => done,
                Err(_) => Err(UpstreamError::Timeout(STEP.with(Cell::get))),
            }
        }))
    }
}

/// A step of opening a connection. `inner` runs the earlier steps. An error of this step names its phase.
#[derive(Clone)]
pub(super) struct Step<S> {
    inner: S,
    phase: Phase,
}

impl<S, R> Service<R> for Step<S>
where
    S: Service<R, Error: Into<Box<dyn Error + Send + Sync>>, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = UpstreamError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, UpstreamError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), UpstreamError>> {
        let phase = self.phase;
        self.inner.poll_ready(cx).map_err(|error| failure(phase, error.into().as_ref()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        let (phase, work) = (self.phase, self.inner.call(request));
        Box::pin(async move {
            let outer = enter(phase);
            let done = work.await;
            enter(outer);
            done.map_err(|error| failure(phase, error.into().as_ref()))
        })
    }
}

/// Sets the current step, and returns the one before.
fn enter(phase: Phase) -> Phase {
    STEP.try_with(|step| step.replace(phase)).unwrap_or(phase)
}

impl Service<Uri> for Route {
    type Response = TokioIo<TcpStream>;
    type Error = UpstreamError;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<TcpStream>, UpstreamError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), UpstreamError>> {
        match self {
            Self::Direct(tcp) => tcp.poll_ready(cx),
            Self::Tunnel(tunnel) => tunnel.poll_ready(cx),
        }
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        match self {
            Self::Direct(tcp) => tcp.call(server),
            Self::Tunnel(tunnel) => tunnel.call(server),
        }
    }
}

/// The error of the step that failed: an inner step's, if there is one, otherwise this step's.
fn failure(phase: Phase, error: &(dyn Error + 'static)) -> UpstreamError {
    if let Some(inner) = find::<UpstreamError>(error) {
        return inner.clone();
    }
    match phase {
        Phase::Proxy => UpstreamError::Proxy,
        Phase::Resolve => UpstreamError::Resolve,
        Phase::Tls => UpstreamError::Tls(find::<rustls::Error>(error).cloned()),
        Phase::Connect | Phase::Head | Phase::Idle | Phase::Total => {
            UpstreamError::Connect(io_kind(error).unwrap_or(std::io::ErrorKind::Other))
        }
    }
}
