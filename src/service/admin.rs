//! The admin listener and the listener for probes. They are open before the files of the proxy are read and until the last
//! response has ended, so that a probe always learns how things are.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{StartError, bind, read_config};
use crate::config::{self, Config};
use crate::metrics::Metrics;
use crate::server::admin::{Admin, Probes};
use crate::server::{Door, Readiness, ServerLimits, Shutdown, ShutdownTrigger, TlsState, serve};

/// How long the admin listener waits for its last responses, which take milliseconds. It comes after the drain of the public
/// one, so it is short.
const DRAIN: Duration = Duration::from_secs(1);

/// The most open connections of the listener for probes. A kubelet and some load balancers need a connection each for some
/// milliseconds; anybody may reach this listener, and idle connections make room.
const PROBE_CONNECTIONS: usize = 64;

/// What the admin listener shows.
#[derive(Clone, Default)]
pub struct Desk {
    pub(super) metrics: Arc<Metrics>,
    pub(super) readiness: Readiness,
    /// The certificate, if the admin listener uses TLS.
    pub(super) tls: Option<Arc<TlsState>>,
}

/// The running listeners for health and metrics. Dropping them stops them.
pub struct OpenDesk {
    trigger: ShutdownTrigger,
    shutdown: Shutdown,
    serving: JoinSet<()>,
}

impl Desk {
    /// Opens the listeners for health and metrics that the configuration names, before anything else of it is used. If an
    /// address cannot be listened on, the result is inside: mistakes in files are more worth knowing.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub async fn early(file: &Path) -> Result<(Self, Result<Option<OpenDesk>, StartError>), StartError> {
        let file = file.to_owned();
        let (config, tls) = blocking(move || read(&file)).await?;
        let desk = Self { tls, ..Self::default() };
        let open = match config.admin() {
            Some(admin) => desk.bind(admin, &config).await.map(Some),
            None => Ok(None),
        };
        Ok((desk, open))
    }

    async fn bind(&self, admin: &config::Admin, config: &Config) -> Result<OpenDesk, StartError> {
        let listener = bind(admin.listen).await?;
        let probes = match admin.probes {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let mut open = OpenDesk::new();
        self.serve_admin(listener, config, &mut open);
        if let Some(probes) = probes {
            self.serve_probes(probes, &mut open);
        }
        Ok(open)
    }

    /// Serves the admin listener on this socket.
    pub(super) fn open(&self, listener: TcpListener, config: &Config) -> OpenDesk {
        let mut open = OpenDesk::new();
        self.serve_admin(listener, config, &mut open);
        open
    }

    fn serve_admin(&self, listener: TcpListener, config: &Config, open: &mut OpenDesk) {
        let tokens = config.admin().map_or(&[][..], |admin| &admin.tokens);
        let admin = Admin::new(Arc::clone(&self.metrics), self.readiness.clone(), tokens);
        let handler = move |request, _peer| std::future::ready(admin.respond(&request));
        let limits = ServerLimits { drain: DRAIN, ..limits(config.limits()) };
        let (door, shutdown) = (Arc::new(Door::admin(Arc::clone(&self.metrics))), open.shutdown.clone());
        open.serving.spawn(serve(listener, self.tls.clone(), limits, door, handler, shutdown));
    }

    /// Plain HTTP: a probe has no way to trust a certificate, and what it reads is no secret.
    fn serve_probes(&self, listener: TcpListener, open: &mut OpenDesk) {
        let probes = Probes::new(self.readiness.clone());
        let handler = move |request, _peer| std::future::ready(probes.respond(&request));
        let limits = ServerLimits {
            drain: DRAIN,
            connections: PROBE_CONNECTIONS,
            connections_per_address: PROBE_CONNECTIONS,
            ..ServerLimits::default()
        };
        let (door, shutdown) = (Arc::new(Door::admin(Arc::clone(&self.metrics))), open.shutdown.clone());
        open.serving.spawn(serve(listener, None, limits, door, handler, shutdown));
    }
}

/// What the admin listener needs of the files.
fn read(file: &Path) -> Result<(Config, Option<Arc<TlsState>>), StartError> {
    let (.., config) = read_config(file)?;
    let tls = config.tls().filter(|_| config.admin().is_some_and(|admin| admin.tls));
    let tls = tls.map(|files| TlsState::load(&files.without_client_certificates())).transpose()?;
    Ok((config, tls.map(Arc::new)))
}

/// Runs a part of the start that reads files, so that signals and probes are noticed meanwhile.
pub(super) async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StartError> + Send + 'static,
) -> Result<T, StartError> {
    tokio::task::spawn_blocking(read).await.map_err(|_| StartError::Interrupted)?
}

impl OpenDesk {
    fn new() -> Self {
        let (trigger, shutdown) = Shutdown::channel();
        Self { trigger, shutdown, serving: JoinSet::new() }
    }

    /// Stops, and waits for the end.
    pub async fn close(mut self) {
        self.trigger.trigger();
        // A task fails only if it panics, which is logged.
        while self.serving.join_next().await.is_some() {}
    }
}

/// The limits of a listener.
pub(super) fn limits(limits: config::ListenerLimits) -> ServerLimits {
    let count = |number: std::num::NonZeroU32| usize::try_from(number.get()).unwrap_or(usize::MAX);
    ServerLimits {
        connections: count(limits.connections),
        connections_per_address: count(limits.connections_per_address),
        drain: limits.drain,
        ..ServerLimits::default()
    }
}
