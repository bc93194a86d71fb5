//! The admin listener. It is open before the files of the proxy are read and until the last response has ended, so that a
//! probe always learns how things are.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{StartError, bind, read_config};
use crate::config::{self, Config};
use crate::metrics::Metrics;
use crate::server::admin::Admin;
use crate::server::{Door, Readiness, ServerLimits, Shutdown, ShutdownTrigger, TlsState, serve};

/// How long the admin listener waits for its last responses, which take milliseconds. It comes after the drain of the public
/// one, so it is short.
const DRAIN: Duration = Duration::from_secs(1);

/// What the admin listener shows.
#[derive(Clone, Default)]
pub struct Desk {
    pub(super) metrics: Arc<Metrics>,
    pub(super) readiness: Readiness,
    /// The certificate, if one was read before the other files.
    pub(super) tls: Option<Arc<TlsState>>,
}

/// A running admin listener. Dropping it stops it.
pub struct OpenDesk {
    trigger: ShutdownTrigger,
    serving: JoinHandle<()>,
}

impl Desk {
    /// Opens the admin listener that the configuration names, before anything else of it is used. If the address cannot be
    /// listened on, the result is inside: mistakes in files are more worth knowing.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub async fn early(file: &Path) -> Result<(Self, Result<Option<OpenDesk>, StartError>), StartError> {
        let file = file.to_owned();
        let (config, tls) = blocking(move || read(&file)).await?;
        let desk = Self { tls, ..Self::default() };
        let open = match config.admin() {
            Some(admin) => bind(admin.listen).await.map(|listener| Some(desk.open(listener, &config))),
            None => Ok(None),
        };
        Ok((desk, open))
    }

    /// Serves on this socket.
    pub(super) fn open(&self, listener: TcpListener, config: &Config) -> OpenDesk {
        let admin = Admin::new(Arc::clone(&self.metrics), self.readiness.clone());
        let tls = self.tls.clone().filter(|_| config.admin().is_some_and(|admin| admin.tls));
        let handler = move |request, _peer| {
            let response = admin.respond(&request);
            async move { response }
        };
        let door = Arc::new(Door::admin(Arc::clone(&self.metrics)));
        let (trigger, shutdown) = Shutdown::channel();
        let limits = ServerLimits { drain: DRAIN, ..limits(config.limits()) };
        let serving = serve(listener, tls, limits, door, handler, shutdown);
        OpenDesk { trigger, serving: tokio::spawn(serving) }
    }
}

/// What the admin listener needs of the files.
fn read(file: &Path) -> Result<(Config, Option<Arc<TlsState>>), StartError> {
    let (.., config) = read_config(file)?;
    let tls = config.tls().filter(|_| config.admin().is_some()).map(TlsState::load).transpose()?;
    Ok((config, tls.map(Arc::new)))
}

/// Runs a part of the start that reads files, so that signals and probes are noticed meanwhile.
pub(super) async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StartError> + Send + 'static,
) -> Result<T, StartError> {
    tokio::task::spawn_blocking(read).await.map_err(|_| StartError::Interrupted)?
}

impl OpenDesk {
    /// Stops, and waits for the end.
    pub async fn close(self) {
        self.trigger.trigger();
        // The task fails only if it panics, which is logged.
        drop(self.serving.await);
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
