//! The configuration file: read ([`raw`]), then checked ([`Config`]).
//!
//! The check opens no file and reads no environment variable. It returns the named files and variables as [`FileRef`]
//! and [`Source`], and [`files`] reads them later. One pass finds all mistakes of a file.

mod admin;
mod approvals;
mod audit;
mod check;
pub mod codes;
mod connect;
mod consumer;
mod denial;
mod deployment;
pub mod files;
mod own_domain;
mod raw;
mod subject_name;
mod upstream;
mod url;

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use admin::Admin;
pub use approvals::{Approvals, ApprovedBy};
pub use connect::Connect;
pub(crate) use consumer::is_name;
pub use consumer::{
    BearerHash, Consumer, ConsumerCredential, ConsumerLimits, JwksLocation, JwtCredential, Networks,
};
pub use own_domain::{NotOwn, own_domain};
pub use subject_name::SubjectName;
pub(crate) use upstream::{CLIENT_ID_HINT, TENANT_HINT, client_id, cloud_names, tenant};
pub use upstream::{Proof, Upstream, UpstreamCredential};

use crate::audit::{Rotate, SyncMode};
use glassine_core::diagnostic::{Diagnostic, Report};
use glassine_core::graph::{BaseUrl, Url};
use glassine_core::pseudonym::OwnDomain;
use glassine_core::statement::Setting;

/// The most open connections. A consumer needs a few dozen; for more, idle ones make room. At about 100 KiB each, they
/// need at most about 100 MiB.
pub(crate) const DEFAULT_CONNECTIONS: NonZeroU32 = NonZeroU32::new(1024).unwrap();

/// How long the drain waits for responses that have begun. Together with [`DEFAULT_LAME_DUCK`] five seconds less than the
/// 30 s after which Kubernetes kills by default, so that the last records are written.
pub(crate) const DEFAULT_DRAIN: Duration = Duration::from_secs(20);

/// How long a proxy that was asked to stop goes on serving, so that load balancers notice that it is no longer ready. The
/// endpoints of a Kubernetes service change within a second or two on a busy cluster; probes every five seconds notice too.
/// Only if there is an admin listener, which says so; else nobody would notice.
const DEFAULT_LAME_DUCK: Duration = Duration::from_secs(5);

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    listen: SocketAddr,
    public_url: BaseUrl,
    tls: Option<TlsFiles>,
    admin: Option<Admin>,
    limits: ListenerLimits,
    upstream: Upstream,
    keys: Source,
    tenant_domains: Vec<OwnDomain>,
    trusted_proxies: Networks,
    /// Invariant: not empty; names, bearer hashes and certificate names are unique.
    consumers: Vec<Consumer>,
    audit: Audit,
    approvals: Option<Approvals>,
    connect: Option<Connect>,
    warnings: Vec<Diagnostic>,
    traces: Option<Url>,
}

impl Config {
    /// Checks a file's text. Messages name the file by `file_name`, and relative paths in the file start in its
    /// directory. Fails with all mistakes of the file.
    pub fn load(file_name: &str, text: &str) -> Result<Self, Report> {
        let directory = Path::new(file_name).parent().unwrap_or(Path::new(""));
        check::load(directory, text).map_err(|found| Report::new(file_name, text, found))
    }

    /// What the author of this configuration probably does not mean.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The address for consumers. Invariant: a loopback address if there is no [`Self::tls`].
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// The URL under which consumers reach this proxy. Links in responses begin with it.
    pub fn public_url(&self) -> &BaseUrl {
        &self.public_url
    }

    /// The files for TLS. `None` is allowed on loopback only.
    pub fn tls(&self) -> Option<&TlsFiles> {
        self.tls.as_ref()
    }

    /// The listeners for health and metrics, if they are configured.
    pub fn admin(&self) -> Option<&Admin> {
        self.admin.as_ref()
    }

    /// The limits of the listeners.
    pub fn limits(&self) -> ListenerLimits {
        self.limits
    }

    /// The addresses from which somebody may connect, trusted proxies aside: those of all consumers and of the connection
    /// pages. `None`: all addresses, because a consumer or the pages may be reached from all.
    pub fn connecting(&self) -> Option<Networks> {
        let consumers = self.consumers.iter().map(Consumer::allow_from);
        let pages = self.connect.iter().map(Connect::allow_from);
        consumers
            .chain(pages)
            .try_fold(Networks::default(), |all, these| (!these.is_empty()).then(|| all.union(these)))
    }

    /// Graph, Entra, and how to authenticate to them.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// The source of the key ring.
    pub fn keys(&self) -> &Source {
        &self.keys
    }

    /// The tenant's own domains.
    pub fn tenant_domains(&self) -> &[OwnDomain] {
        &self.tenant_domains
    }

    /// The proxies whose `X-Forwarded-For` is read.
    pub fn trusted_proxies(&self) -> &Networks {
        &self.trusted_proxies
    }

    /// All consumers.
    pub fn consumers(&self) -> &[Consumer] {
        &self.consumers
    }

    /// The credentials for Graph: that of `upstream`, and those of consumers with their own app registrations.
    pub(crate) fn credentials(&self) -> impl Iterator<Item = &UpstreamCredential> {
        let own = self.consumers.iter().filter_map(Consumer::application);
        std::iter::once(self.upstream.credential()).chain(own)
    }

    /// What this configuration decides about a consumer's privacy, for its statement.
    pub fn setting<'c>(&'c self, consumer: &'c Consumer) -> Setting<'c> {
        Setting {
            consumer: consumer.name(),
            pseudonym_domain: consumer.pseudonym_domain(),
            tenant_domains: &self.tenant_domains,
            graph: self.upstream.graph().as_str(),
            forwards: matches!(
                consumer.application().unwrap_or(self.upstream.credential()),
                UpstreamCredential::Forward { .. }
            ),
        }
    }

    /// What has to be signed before a consumer is served. `None`: nothing.
    pub fn approvals(&self) -> Option<&Approvals> {
        self.approvals.as_ref()
    }

    /// The settings of the connection pages, if they are configured.
    pub fn connect(&self) -> Option<&Connect> {
        self.connect.as_ref()
    }

    /// The collector of traces (OTLP/HTTP, JSON), if there is one.
    pub fn traces(&self) -> Option<&Url> {
        self.traces.as_ref()
    }

    /// Where audit records go.
    pub fn audit(&self) -> &AuditSink {
        &self.audit.sink
    }

    /// When audit records go to the disk.
    pub fn audit_sync(&self) -> SyncMode {
        self.audit.sync
    }

    /// When the audit log's file is rotated; `None` if this program does not do it.
    pub fn audit_rotate(&self) -> Option<Rotate> {
        self.audit.rotate
    }
}

/// A file that the configuration names, and the place where it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRef {
    path: PathBuf,
    span: Range<usize>,
}

impl FileRef {
    /// The path. A relative one begins with the configuration file's directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The place in the configuration that names this file.
    pub(crate) fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// An error at the place that names this file: it cannot be used.
    pub fn unusable(&self, why: &dyn fmt::Display) -> Diagnostic {
        Diagnostic::error(codes::CONFIG_FILE, self.span.clone(), why.to_string())
    }
}

/// Where a secret comes from. The secret itself is never in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(FileRef),
    /// An environment variable.
    Environment {
        /// Its name.
        name: String,
        /// The place in the configuration that names it.
        span: Range<usize>,
    },
}

impl Source {
    /// An error at the place that names this source: it cannot be used.
    pub fn unusable(&self, why: &dyn fmt::Display) -> Diagnostic {
        Diagnostic::error(codes::CONFIG_FILE, self.span().clone(), why.to_string())
    }

    /// The file, if it is one.
    pub(crate) fn file(&self) -> Option<&FileRef> {
        match self {
            Self::File(file) => Some(file),
            Self::Environment { .. } => None,
        }
    }

    /// The place in the configuration that names this source.
    pub(crate) fn span(&self) -> &Range<usize> {
        match self {
            Self::File(file) => file.span(),
            Self::Environment { span, .. } => span,
        }
    }
}

/// The files of a TLS listener (PEM).
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate chain, the listener's own certificate first.
    pub certificate: FileRef,
    /// The private key of the first certificate.
    pub private_key: FileRef,
    /// The authorities of client certificates. Without them, clients are not asked for a certificate.
    pub client_ca: Option<FileRef>,
    /// Whether a connection needs a client certificate, if there are authorities.
    pub client_certificates: ClientCertificates,
}

impl TlsFiles {
    /// The same without client certificates. Those belong to consumers, who have no business at the admin listener.
    pub(crate) fn without_client_certificates(&self) -> Self {
        Self { client_ca: None, ..self.clone() }
    }
}

/// Whether a connection needs a client certificate. A certificate that a client sends is always verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificates {
    /// TLS refuses clients without a certificate.
    Required,
    /// Consumers with other credentials need no certificate.
    Optional,
}

/// The limits of the listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerLimits {
    /// How many connections may be open at once.
    pub connections: NonZeroU32,
    /// How many of them one address may hold.
    pub connections_per_address: NonZeroU32,
    /// How long the proxy goes on serving after it was asked to stop.
    pub lame_duck: Duration,
    /// How long the drain waits for responses that have begun.
    pub drain: Duration,
}

/// How audit records are kept.
#[derive(Clone, Debug)]
struct Audit {
    sink: AuditSink,
    sync: SyncMode,
    rotate: Option<Rotate>,
}

/// Where audit records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditSink {
    /// Appended to a file.
    File(FileRef),
    /// Written to standard output.
    Stdout,
}
