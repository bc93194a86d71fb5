//! A running proxy: built from one configuration file, reloaded when its files change, drained when it stops.
//!
//! | file | what |
//! |---|---|
//! | `signals` | the signals that it reacts to |
//! | `admin` | the admin listener, open from the start to the end |
//! | `front` | what serves the public listener |
//! | `checks` | what has to hold for requests to be served |
//! | `reload` | new files |
//! | `stop` | the end, in steps |
//! | `mounted` | files that are mounted alone into a container |
//! | `outside` | what `check` looks at besides the content of files |
//! | `last_keys` | keys that have nothing in common with those of before |
//! | `events` | what the log and the audit log say about all this |
//! | `certificates` | when certificates end |
//! | `open_files` | whether the system lets the program open enough files |
//! | `logs` | the log |

mod admin;
mod certificates;
mod checks;
mod events;
mod front;
mod last_keys;
pub mod logs;
mod mounted;
mod open_files;
mod outside;
mod reload;
mod signals;
mod stop;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use checks::Facts;
use front::Front;
use jiff::Timestamp;
use last_keys::LastKeys;
use reload::Seen;
use stop::LameDuck;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use admin::{Desk, OpenDesk};
pub use signals::{Signals, Stop};

use crate::audit::{AuditLog, Event, Key, OpenError, Options, WriteError};
use crate::config::files::{FileError, read_text};
use crate::config::{AuditSink, Config};
use crate::connect::Site;
use crate::metrics::Metrics;
use crate::proxy::{Consumer, ProxyState};
use crate::server::{Door, DoorRules, Phase, Readiness, Shutdown, TlsError, TlsState, serve};
use crate::trace::{Exporter, Worker};
use crate::upstream::{ConnectorError, TokenHealth};
use glassine_core::diagnostic::{Causes, Diagnostic, Report};
use glassine_core::pseudonym::Fingerprint;

/// The longest that a stop waits for the audit log. Together with the drain, a stop stays below the 30 seconds after which
/// Kubernetes kills a program.
const CLOSE_WAIT: Duration = Duration::from_secs(3);

/// A proxy that is built from a configuration but does not listen yet.
pub struct Service {
    file: PathBuf,
    config: Config,
    seen: Seen,
    last_keys: LastKeys,
    front: Arc<Front>,
    door: Arc<Door>,
    tls: Option<Arc<TlsState>>,
    /// The same certificate for the admin listener, which asks for none of clients.
    admin_tls: Option<Arc<TlsState>>,
    audit: Arc<AuditLog>,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    facts: Arc<Facts>,
    /// Keep tokens for Graph at hand.
    keepers: JoinSet<()>,
    certificates: certificates::Watch,
    /// The queue of spans, and what sends them.
    traces: Option<(Arc<Exporter>, Worker)>,
    /// When an approval comes near its end, or to it.
    notice: Option<Timestamp>,
    /// Findings that do not stop the service.
    warnings: Vec<Report>,
}

/// The sockets of a service.
pub struct Listeners {
    /// For consumers.
    pub public: TcpListener,
    /// For health and metrics, unless [`Desk::early`] has opened it.
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
    /// The collector of traces cannot be reached by TLS.
    #[error("`traces` cannot be used")]
    Traces(#[source] ConnectorError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}{}", listen_advice(source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Building the service panicked, which is logged.
    #[error("the start was interrupted")]
    Interrupted,
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
        !matches!(self, Self::Listen { .. } | Self::Record(_) | Self::Interrupted | Self::Signals(_))
    }
}

impl Service {
    /// Builds a service from the configuration file.
    ///
    /// # Errors
    ///
    /// [`StartError`]. Opening the audit log is the last step; nothing else is opened for writing.
    pub fn build(file: &Path) -> Result<Self, StartError> {
        Self::build_behind(file, Desk::default())
    }

    /// Builds a service behind an open admin listener. Reads the files in another thread.
    ///
    /// # Errors
    ///
    /// [`StartError`], like [`Self::build`].
    pub async fn start(file: &Path, desk: Desk) -> Result<Self, StartError> {
        let file = file.to_owned();
        admin::blocking(move || Self::build_behind(&file, desk)).await
    }

    fn build_behind(file: &Path, desk: Desk) -> Result<Self, StartError> {
        let Desk { metrics, readiness, tls: admin_tls } = desk;
        let mut seen = Seen::default();
        let Loaded { config, state, site, last_keys, warnings } = load(file, &mut seen, None)?;
        let tls = config.tls().map(TlsState::load).transpose()?.map(Arc::new);
        let audit = Arc::new(open_audit(&config, &state)?);
        metrics.know_audit(&audit);
        let traces = traces(&config, &state, &metrics)?;
        let (exporter, worker) =
            traces.map_or((None, None), |(exporter, worker)| (Some(Arc::new(exporter)), Some(worker)));
        let front =
            Arc::new(Front::new(state, site, Arc::clone(&audit), Arc::clone(&metrics), exporter.clone()));
        let door = Arc::new(Door::public(door_rules(&config), Arc::clone(&metrics)));
        metrics.reloaded(true, Timestamp::now().as_second());
        metrics.warned(count(&warnings));
        let facts = Arc::new(Facts {
            front: Arc::clone(&front),
            audit: Arc::clone(&audit),
            files_are_good: AtomicBool::new(true),
            certificates: ArcSwapOption::empty(),
        });
        let mut service = Self {
            file: file.to_owned(),
            config,
            seen,
            last_keys,
            front,
            door,
            tls,
            admin_tls,
            audit,
            metrics,
            readiness,
            facts,
            keepers: JoinSet::new(),
            certificates: certificates::Watch::default(),
            traces: exporter.zip(worker),
            notice: None,
            warnings,
        };
        service.note_approvals();
        service.note_certificates();
        service.readiness.explain(&service.running());
        Ok(service)
    }

    /// What runs: a line for each consumer with who has approved it, if the configuration demands approvals, and for each
    /// key, so that an operator sees whether all replicas have it.
    fn running(&self) -> String {
        let now = Timestamp::now();
        let line = |consumer: &Arc<Consumer>| {
            let approval = consumer.approval()?;
            let soon = approval.ends_soon(now).map_or("", |_| "; warning: this end is near, or has come");
            Some(format!("{}: {approval}{soon}\n", consumer.name()))
        };
        let state = self.front.state();
        let key = |key: &Fingerprint| {
            format!("key {}: {}, fingerprint {}\n", key.id, key.standing, key.fingerprint)
        };
        state.consumers().filter_map(line).chain(state.keys().iter().map(key)).collect()
    }

    /// Notes when the approvals of a new state end.
    fn note_approvals(&mut self) {
        let state = self.front.state();
        self.notice = state.next_notice(Timestamp::now());
        self.metrics.approvals_end(
            state.consumers().filter_map(|it| Some((it.name(), it.approval()?.ends()?.as_second()))),
        );
    }

    fn note_certificates(&self) {
        self.metrics.certificates_end(certificates::ends(&self.config, self.tls.as_deref()));
    }

    /// Warnings about the files, for their reviewer.
    pub fn warnings(&self) -> &[Report] {
        &self.warnings
    }

    /// Opens the socket for consumers that the configuration names.
    ///
    /// # Errors
    ///
    /// [`StartError::Listen`].
    pub async fn listen(&self) -> Result<TcpListener, StartError> {
        bind(self.config.listen()).await
    }

    /// Serves until a signal says otherwise, then lets responses that have begun finish. Records start and stop.
    ///
    /// # Errors
    ///
    /// [`StartError::Record`].
    pub async fn run(mut self, listeners: Listeners, signals: Signals) -> Result<(), StartError> {
        let Signals { hangup, stops } = signals;
        let keys = self.record_start(&listeners).await?;
        self.note_keys(keys).await;
        let (audit, readiness) = (Arc::clone(&self.audit), self.readiness.clone());
        let desk = Desk {
            metrics: Arc::clone(&self.metrics),
            readiness: readiness.clone(),
            tls: self.admin_tls.clone(),
        };
        let admin = listeners.admin.map(|listener| desk.open(listener, &self.config));
        let (trigger, shutdown) = Shutdown::channel();
        let (front, lame_duck) = (Arc::clone(&self.front), LameDuck::new(&self, stops, trigger));
        let handler = move |request, peer| {
            let front = Arc::clone(&front);
            async move { front.handle(request, peer).await }
        };
        let (limits, door) = (admin::limits(self.config.limits()), Arc::clone(&self.door));
        let public = serve(listeners.public, self.tls.clone(), limits, door, handler, shutdown);
        self.provide();
        let facts = Arc::clone(&self.facts);
        readiness.check_by(move || facts.checks());
        readiness.enter(Phase::Serving);
        let exporter = self.traces.take().map(|(exporter, worker)| {
            drop(tokio::spawn(worker.run()));
            exporter
        });
        let reload = tokio::spawn(reload::watch(self, hangup));
        tokio::join!(public, lame_duck.run());
        reload.abort();
        // Once the task has ended, no reload can follow the record of the stop.
        drop(reload.await);
        close_audit(&audit).await;
        if let Some(exporter) = exporter {
            exporter.flush().await;
        }
        if let Some(admin) = admin {
            admin.close().await;
        }
        tracing::info!("stopped");
        Ok(())
    }

    /// Records and logs what serves from now on. Returns the keys.
    async fn record_start(&self, listeners: &Listeners) -> Result<Vec<Key>, StartError> {
        let serving = events::serving(&self.front.state(), None, &self.warnings);
        self.audit.write_event(Event::Start(&serving)).await.map_err(StartError::Record)?;
        events::log_start(&serving, listeners, self.config.admin());
        open_files::check(self.config.limits().connections.get());
        Ok(serving.keys)
    }

    /// Notes the keys that were recorded, for the next start. The disk may be slow.
    async fn note_keys(&mut self, keys: Vec<Key>) {
        let mut last = std::mem::take(&mut self.last_keys);
        let noted = tokio::task::spawn_blocking(move || {
            last.note(keys, Timestamp::now());
            last
        });
        self.last_keys = noted.await.unwrap_or_default();
        self.metrics.keys_replaced(self.last_keys.replaced_at());
    }

    /// Fetches in the background what the requests of a new state need: keys of issuers, and tokens for Graph. A token that
    /// is in use is replaced, because the new one has the permissions that were granted meanwhile.
    fn provide(&mut self) {
        let state = self.front.state();
        self.keepers = JoinSet::new();
        for tokens in state.token_sources() {
            let tokens = Arc::clone(tokens);
            // Here and not in the task: at a start, a request can be there first, and its token is as new as can be.
            let is_in_use = tokens.health() == TokenHealth::Good;
            self.keepers.spawn(async move {
                if is_in_use {
                    // On an error, the current token stays in use, and its next renewal says why it fails.
                    drop(tokens.renewed().await);
                }
                tokens.keep().await;
            });
        }
        drop(tokio::spawn(async move { state.warm().await }));
    }
}

/// The queue to the collector of traces, if the configuration names one, and what sends.
fn traces(
    config: &Config,
    state: &ProxyState,
    metrics: &Arc<Metrics>,
) -> Result<Option<(Exporter, Worker)>, StartError> {
    let url = config.traces();
    url.map(|url| Exporter::new(url, state.network(), metrics)).transpose().map_err(StartError::Traces)
}

/// Who may connect for consumers.
fn door_rules(config: &Config) -> DoorRules {
    DoorRules { trusted: config.trusted_proxies().clone(), allowed: config.connecting() }
}

/// Reads and checks all files that a service is built from, and what they are at this moment ([`outside`]). Writes nothing.
/// Returns the state and warnings.
///
/// # Errors
///
/// [`StartError`].
pub fn check(file: &Path) -> Result<(Arc<ProxyState>, Vec<Report>), StartError> {
    let (name, text, config) = read_config(file)?;
    let found = Report::new(&name, &text, outside::findings(&config, Timestamp::now()));
    let (state, mut reports) = match load(file, &mut Seen::default(), None) {
        Ok(Loaded { state, warnings, .. }) => (Some(state), warnings),
        Err(StartError::Reports(reports)) => (None, reports),
        Err(error) => return Err(error),
    };
    add(found, &mut reports);
    match state {
        Some(state) if !reports.iter().any(Report::has_errors) => Ok((state, reports)),
        Some(_) | None => Err(StartError::Reports(reports)),
    }
}

/// What else there is to say of the files of a configuration that can be read, for `doctor`: nothing about certificates and modes,
/// which it looks at by itself.
pub(crate) fn places(file: &Path, config: &Config) -> Vec<Diagnostic> {
    let (mut found, now) = (mounted::findings(file, config), Timestamp::now());
    found.extend(outside::places(config, now));
    let (last, source) = (LastKeys::beside(config.audit()), config.keys());
    let others = outside::ring(source).and_then(|keys| last.finding(source, &keys));
    found.extend(others.or_else(|| last.reminder(source, now)));
    found
}

/// Adds the findings of a report to those of the same file.
fn add(found: Report, reports: &mut Vec<Report>) {
    match reports.iter_mut().find(|report| report.file == found.file) {
        Some(report) => report.diagnostics.extend(found.diagnostics),
        None if found.diagnostics.is_empty() => {}
        None => reports.insert(0, found),
    }
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
    state: Arc<ProxyState>,
    /// The connection pages, if they are configured.
    site: Option<Site>,
    /// The keys that ran before these.
    last_keys: LastKeys,
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
/// `earlier` is the state that runs until this one replaces it, and its keys.
fn load(
    file: &Path,
    seen: &mut Seen,
    earlier: Option<(&ProxyState, &LastKeys)>,
) -> Result<Loaded, StartError> {
    seen.restart(file);
    let (name, text, config) = read_config(file)?;
    seen.note_named(&config);
    let last_keys = earlier.map_or_else(|| LastKeys::beside(config.audit()), |(_, last)| last.clone());
    let mut found = mounted::findings(file, &config);
    let (state, mut warnings) = match ProxyState::rebuild(&name, &text, &config, earlier.map(|(it, _)| it)) {
        Ok((state, warnings)) => (Some(Arc::new(state)), warnings),
        Err(error) => (None, error.reports),
    };
    found.extend(state.as_ref().and_then(|state| last_keys.finding(config.keys(), state.keys())));
    add(Report::new(&name, &text, found), &mut warnings);
    let state = match state {
        Some(state) if !warnings.iter().any(Report::has_errors) => state,
        Some(_) | None => return Err(StartError::Reports(warnings)),
    };
    let site = Site::build(&config, &state)
        .map_err(|found| StartError::Reports(vec![Report::new(&name, &text, vec![found])]))?;
    Ok(Loaded { config, state, site, last_keys, warnings })
}
