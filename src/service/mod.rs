//! A running proxy: built from one configuration file, reloaded when its files change, drained when it stops.

mod events;
mod front;
pub mod logs;
mod reload;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use front::Front;
use jiff::Timestamp;
use reload::Seen;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::audit::{AuditLog, Event, OpenError, Options, WriteError};
use crate::config::files::{FileError, read_text};
use crate::config::{AuditSink, Config};
use crate::connect::Site;
use crate::metrics::Metrics;
use crate::proxy::{Consumer, ProxyState};
use crate::server::admin::{Admin, Readiness};
use crate::server::{ServerLimits, Shutdown, TlsError, TlsState, serve};
use glassine_core::diagnostic::{Causes, Report};

/// The longest that a stop waits for the audit log. Together with the drain, a stop stays below the 30 seconds after which
/// Kubernetes kills a program.
const CLOSE_WAIT: Duration = Duration::from_secs(3);

/// A proxy that is built from a configuration but does not listen yet.
pub struct Service {
    file: PathBuf,
    config: Config,
    seen: Seen,
    front: Arc<Front>,
    tls: Option<Arc<TlsState>>,
    audit: Arc<AuditLog>,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    /// When an approval comes near its end, or to it.
    notice: Option<Timestamp>,
    /// Findings that do not stop the service.
    warnings: Vec<Report>,
}

/// The sockets of a service.
pub struct Listeners {
    /// For consumers.
    pub public: TcpListener,
    /// For health and metrics.
    pub admin: Option<TcpListener>,
}

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration file cannot be read.
    #[error(transparent)]
    Config(#[from] FileError),
    /// The configuration, or a file that it names, is wrong.
    #[error("the configuration cannot be used\n\n{}", .0.iter().map(Report::render).collect::<String>())]
    Reports(Vec<Report>),
    /// The audit log cannot be opened.
    #[error(transparent)]
    Audit(#[from] OpenError),
    /// The start or a reload cannot be recorded, so it does not take place.
    #[error("{}; nothing is served that is not recorded: let this program write to its audit log", Causes(.0))]
    Record(#[source] Arc<WriteError>),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}{}", listen_advice(source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Signals cannot be handled.
    #[error("signals cannot be handled: {0}")]
    Signals(#[source] io::Error),
}

fn listen_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; stop the program that has the port, or name another port",
        io::ErrorKind::AddrNotAvailable => "; name an address of this machine, or 0.0.0.0",
        io::ErrorKind::PermissionDenied => "; name a port above 1023",
        _ => "",
    }
}

impl StartError {
    /// Whether the files are at fault, not the machine.
    pub(crate) fn is_input(&self) -> bool {
        !matches!(self, Self::Listen { .. } | Self::Record(_) | Self::Signals(_))
    }
}

impl Service {
    /// Builds a service from the configuration file.
    ///
    /// # Errors
    ///
    /// [`StartError`]. Opening the audit log is the last step; nothing else is opened for writing.
    pub fn build(file: &Path) -> Result<Self, StartError> {
        let mut seen = Seen::default();
        let Loaded { config, state, site, warnings } = load(file, &mut seen, None)?;
        let tls = config.tls().map(TlsState::load).transpose()?.map(Arc::new);
        let audit = Arc::new(open_audit(&config, &state)?);
        let metrics = Arc::new(Metrics::of(&audit));
        let front = Arc::new(Front::new(state, site, Arc::clone(&audit), Arc::clone(&metrics)));
        metrics.reloaded(true);
        metrics.warned(count(&warnings));
        let (readiness, file) = (Readiness::default(), file.to_owned());
        let notice = None;
        let mut service =
            Self { file, config, seen, front, tls, audit, metrics, readiness, notice, warnings };
        service.note_approvals();
        service.readiness.explain(&service.running());
        Ok(service)
    }

    /// Who has approved what runs: a line for each consumer, if the configuration demands approvals.
    fn running(&self) -> String {
        let now = Timestamp::now();
        let line = |consumer: &Arc<Consumer>| {
            let approval = consumer.approval()?;
            let soon = approval.ends_soon(now).map_or("", |_| "; warning: this end is near, or has come");
            Some(format!("{}: {approval}{soon}\n", consumer.name()))
        };
        self.front.state().consumers().filter_map(line).collect()
    }

    /// Notes when the approvals of a new state end.
    fn note_approvals(&mut self) {
        let state = self.front.state();
        self.notice = state.next_notice(Timestamp::now());
        self.metrics.approvals_end(
            state.consumers().filter_map(|it| Some((it.name(), it.approval()?.ends()?.as_second()))),
        );
    }

    /// Warnings about the files, for their reviewer.
    pub fn warnings(&self) -> &[Report] {
        &self.warnings
    }

    /// Opens the sockets that the configuration names.
    ///
    /// # Errors
    ///
    /// [`StartError::Listen`].
    pub async fn listen(&self) -> Result<Listeners, StartError> {
        let admin = match self.config.admin() {
            Some(admin) => Some(bind(admin.listen).await?),
            None => None,
        };
        Ok(Listeners { public: bind(self.config.listen()).await?, admin })
    }

    /// Serves until `stop`, then lets responses that have begun finish. Records start and stop.
    ///
    /// # Errors
    ///
    /// [`StartError::Signals`], [`StartError::Record`].
    pub async fn run(self, listeners: Listeners, stop: impl Future<Output = ()>) -> Result<(), StartError> {
        let (trigger, shutdown) = Shutdown::channel();
        let hangup = signal(SignalKind::hangup()).map_err(StartError::Signals)?;
        self.record_start(&listeners).await?;
        let audit = Arc::clone(&self.audit);
        let readiness = self.readiness.clone();
        let admin = self.admin(listeners.admin, &readiness, shutdown.clone());
        let (front, stopped) = (Arc::clone(&self.front), Arc::clone(&self.front));
        let handler = move |request, peer| {
            let front = Arc::clone(&front);
            async move { front.handle(request, peer).await }
        };
        let public = serve(listeners.public, self.tls.clone(), self.limits(), handler, shutdown.clone());
        warm(self.front.state());
        let reload = tokio::spawn(reload::watch(self, hangup));
        readiness.set(true);
        tracing::info!("ready");
        let stopping = async {
            stop.await;
            tracing::info!("stopping; responses that have begun may end");
            readiness.set(false);
            trigger.trigger();
            stopped.stop_waiting();
        };
        tokio::join!(public, admin, stopping);
        reload.abort();
        // Once the task has ended, no reload can follow the record of the stop.
        drop(reload.await);
        close_audit(&audit).await;
        tracing::info!("stopped");
        Ok(())
    }

    /// Records and logs what serves from now on.
    async fn record_start(&self, listeners: &Listeners) -> Result<(), StartError> {
        let serving = events::serving(&self.front.state(), None, &self.warnings);
        self.audit.write_event(Event::Start(&serving)).await.map_err(StartError::Record)?;
        events::log_start(&serving, listeners);
        Ok(())
    }

    fn limits(&self) -> ServerLimits {
        let connections = usize::try_from(self.config.connections().get()).unwrap_or(usize::MAX);
        ServerLimits { connections, drain: self.config.drain(), ..ServerLimits::default() }
    }

    fn admin(
        &self,
        listener: Option<TcpListener>,
        readiness: &Readiness,
        shutdown: Shutdown,
    ) -> impl Future<Output = ()> + use<> {
        let admin = Admin::new(Arc::clone(&self.metrics), readiness.clone());
        let tls = self.tls.clone().filter(|_| self.config.admin().is_some_and(|admin| admin.tls));
        let handler = move |request, _peer| {
            let response = admin.respond(&request);
            async move { response }
        };
        let limits = self.limits();
        async move {
            if let Some(listener) = listener {
                serve(listener, tls, limits, handler, shutdown).await;
            }
        }
    }
}

/// Reads and checks all files that a service is built from. Opens nothing for writing. Returns the state and warnings.
///
/// # Errors
///
/// [`StartError`].
pub fn check(file: &Path) -> Result<(ProxyState, Vec<Report>), StartError> {
    let Loaded { config, state, warnings, .. } = load(file, &mut Seen::default(), None)?;
    config.tls().map(TlsState::load).transpose()?;
    Ok((state, warnings))
}

fn open_audit(config: &Config, state: &ProxyState) -> Result<AuditLog, OpenError> {
    let options = Options {
        sync: config.audit_sync(),
        rotate: config.audit_rotate(),
        key: state.audit_key().cloned(),
        ..Options::default()
    };
    match config.audit() {
        AuditSink::File(file) => AuditLog::open(file.path(), options),
        AuditSink::Stdout => AuditLog::stdout(options),
    }
}

/// Records the stop, and waits until everything is written, for a limited time.
async fn close_audit(audit: &AuditLog) {
    audit.sum_up();
    if let Err(error) = audit.post_event(Event::Stop) {
        tracing::error!(error = %Causes(&*error), "the stop cannot be recorded");
    }
    let records = audit.close(CLOSE_WAIT).await;
    if records > 0 {
        tracing::error!(records, "audit records are lost: the log could not be written until the end");
    }
}

fn count(warnings: &[Report]) -> usize {
    warnings.iter().map(|report| report.diagnostics.len()).sum()
}

/// Fetches in the background what a new state's first requests need.
fn warm(state: Arc<ProxyState>) {
    drop(tokio::spawn(async move { state.warm().await }));
}

/// Waits for SIGINT or SIGTERM.
///
/// # Errors
///
/// [`StartError::Signals`].
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()>, StartError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// A listening socket.
///
/// # Errors
///
/// [`StartError::Listen`].
pub async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })
}

/// What is built from a configuration.
struct Loaded {
    config: Config,
    state: ProxyState,
    /// The connection pages, if they are configured.
    site: Option<Site>,
    warnings: Vec<Report>,
}

/// The configuration file's name and text, and the checked configuration. Does not read the files that it names.
///
/// # Errors
///
/// [`StartError::Config`] or [`StartError::Reports`].
pub(crate) fn read_config(file: &Path) -> Result<(String, String, Config), StartError> {
    let name = file.display().to_string();
    let text = read_text(file)?;
    let config = Config::load(&name, &text).map_err(|report| StartError::Reports(vec![report]))?;
    Ok((name, text, config))
}

/// Reads and checks the configuration and all files that it names. Notes each file in `seen` before reading it.
/// `earlier` is the state that runs until this one replaces it.
fn load(file: &Path, seen: &mut Seen, earlier: Option<&ProxyState>) -> Result<Loaded, StartError> {
    seen.restart(file);
    let (name, text, config) = read_config(file)?;
    seen.note_named(&config);
    let (state, warnings) = ProxyState::rebuild(&name, &text, &config, earlier)
        .map_err(|error| StartError::Reports(error.reports))?;
    let site = Site::build(&config, &state)
        .map_err(|found| StartError::Reports(vec![Report::new(&name, &text, vec![found])]))?;
    Ok(Loaded { config, state, site, warnings })
}
