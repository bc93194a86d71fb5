//! Opens connections: DNS, TCP, a tunnel if a proxy is configured, and TLS. One time limit covers all steps. The error
//! names the step that failed or took too long.

use std::cell::Cell;
use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use rustls_pki_types::CertificateDer;
use tokio::net::TcpStream;
use tower_service::Service;

use super::error::{Phase, UpstreamError, find, io_kind};
use super::network::Network;
use super::token::IdentityError;
use glassine_core::graph::Origin;

/// How long an idle connection is silent before the kernel asks the peer whether it is still there. Shorter than the idle
/// limit of any load balancer or NAT table that we know, so these see traffic.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// How often the kernel asks again.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// After this many questions without a response, the connection is lost: 30 seconds after its last sign of life. This also
/// ends the wait for a response that HTTP/1.1, which has no pings, could not end.
const KEEPALIVE_PROBES: u32 = 3;

/// How long sent bytes may stay unacknowledged by TCP before the connection is lost (RFC 5482). A server acknowledges a
/// request at once, however long its response takes. A middlebox that forgot the connection acknowledges nothing. Five
/// retransmissions fit in this time.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// Opens connections to one server: TLS over a [`Route`] to the server.
pub(super) struct Connector {
    steps: Step<HttpsConnector<Route>>,
    limit: Duration,
}

/// An open connection.
pub(super) struct Opened {
    pub(super) stream: Stream,
    /// Whether the server requested a client certificate, of which there is none.
    pub(super) certificate_requested: bool,
}

/// The bytes of a connection.
pub(super) type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

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
    /// The HTTP library does not accept the server's origin.
    #[error("the server's address cannot be used")]
    Origin,
    /// The tenant is part of the token endpoint's path, and must not change the rest of it.
    #[error("the tenant is neither an id nor a domain")]
    Tenant,
}

tokio::task_local! {
    /// Of the connection that this task opens.
    static PROGRESS: Progress;
}

/// How far opening a connection got.
#[derive(Clone)]
struct Progress {
    step: Cell<Phase>,
    certificate_requested: Cell<bool>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { step: Cell::new(Phase::Connect), certificate_requested: Cell::new(false) }
    }
}

/// Builds the connector for one origin. TLS offers HTTP/2 and HTTP/1.1 (ALPN, RFC 7301).
pub(super) fn connector(origin: &Origin, network: &Network) -> Result<Connector, ConnectorError> {
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls(origin, &network.extra_roots)?);
    let builder = if origin.is_https() { builder.https_only() } else { builder.https_or_http() };
    let https = builder.enable_all_versions().wrap_connector(route(origin, network));
    Ok(Connector { steps: Step { inner: https, phase: Phase::Tls }, limit: network.timeouts.connect })
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
    http.set_keepalive(Some(KEEPALIVE));
    http.set_keepalive_interval(Some(KEEPALIVE_INTERVAL));
    http.set_keepalive_retries(Some(KEEPALIVE_PROBES));
    #[cfg(target_os = "linux")]
    http.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
    Step { inner: http, phase: Phase::Connect }
}

fn tls(origin: &Origin, extra: &[CertificateDer<'static>]) -> Result<ClientConfig, ConnectorError> {
    let roots = if origin.is_https() { roots(extra)? } else { RootCertStore::empty() };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions
        .map_err(ConnectorError::Config)?
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(NoCertificate)))
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

impl Connector {
    /// Opens a connection to the server. One time limit covers all steps.
    pub(super) async fn open(&self, server: Uri) -> Result<Opened, UpstreamError> {
        PROGRESS.scope(Progress::default(), self.open_in_time(server)).await
    }

    async fn open_in_time(&self, server: Uri) -> Result<Opened, UpstreamError> {
        let mut steps = self.steps.clone();
        let work = async {
            poll_fn(|cx| steps.poll_ready(cx)).await?;
            steps.call(server).await
        };
        let opened = tokio::time::timeout(self.limit, work).await;
        let Progress { step, certificate_requested } = PROGRESS.with(Progress::clone);
        match opened {
            Ok(Ok(stream)) => Ok(Opened { stream, certificate_requested: certificate_requested.get() }),
            Ok(Err(UpstreamError::Tls(_))) if certificate_requested.get() => {
                Err(UpstreamError::ClientCertificate)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(UpstreamError::Timeout(step.get())),
        }
    }
}

/// Has no certificate. Remembers that the server requested one: the failure that follows often names no cause.
#[derive(Debug)]
struct NoCertificate;

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        // Outside of `open` there are no handshakes.
        PROGRESS.try_with(|progress| progress.certificate_requested.set(true)).ok();
        None
    }

    fn has_certs(&self) -> bool {
        false
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
    PROGRESS.try_with(|progress| progress.step.replace(phase)).unwrap_or(phase)
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
        Phase::Connect | Phase::Head | Phase::Idle | Phase::Queue | Phase::Settings | Phase::Total => {
            UpstreamError::Connect(io_kind(error).unwrap_or(std::io::ErrorKind::Other))
        }
    }
}
