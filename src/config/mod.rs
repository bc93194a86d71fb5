//! The configuration file: as written ([`raw`]) → as checked ([`Config`]).
//!
//! Checking is pure: no file is opened and no environment is read; what a file names is kept as a [`FileRef`] or a
//! [`Source`], and [`files`] reads it later. All mistakes of a file are found in one pass.

mod check;
pub mod codes;
mod connect;
mod consumer;
pub mod files;
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

pub use connect::Connect;
pub use consumer::{
    BearerHash, Consumer, ConsumerCredential, ConsumerLimits, JwksLocation, JwtCredential, Networks,
};
pub use subject_name::SubjectName;
pub use upstream::{Proof, Upstream, UpstreamCredential};

use glassine_core::diagnostic::{Diagnostic, Report};
use glassine_core::graph::BaseUrl;

/// Connections that are open at once. A consumer needs a few dozen; more wait in the kernel's backlog. At about
/// 100 KiB each this bounds their memory to some 100 MiB.
pub const DEFAULT_CONNECTIONS: NonZeroU32 = NonZeroU32::new(1024).unwrap();

/// How long a stop waits for responses that have begun: under the 30 s that Kubernetes gives by default.
pub const DEFAULT_DRAIN: Duration = Duration::from_secs(25);

/// A configuration that was checked.
#[derive(Debug)]
pub struct Config {
    listen: SocketAddr,
    public_url: BaseUrl,
    tls: Option<TlsFiles>,
    admin: Option<Admin>,
    connections: NonZeroU32,
    drain: Duration,
    upstream: Upstream,
    keys: Source,
    tenant_domains: Vec<String>,
    trusted_proxies: Networks,
    /// Invariant: not empty; names, bearer hashes and certificate names are unique.
    consumers: Vec<Consumer>,
    audit: AuditSink,
    connect: Option<Connect>,
}

impl Config {
    /// Checks a file's text. `file_name` is how messages name the file, and its directory is what relative paths in
    /// the file are relative to. Fails with every mistake of the file.
    pub fn load(file_name: &str, text: &str) -> Result<Self, Report> {
        let directory = Path::new(file_name).parent().unwrap_or(Path::new(""));
        check::load(directory, text).map_err(|found| Report::new(file_name, text, found))
    }

    /// Where consumers connect. Invariant: without [`Self::tls`] a loopback address.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// The URL under which consumers reach this proxy; links are rewritten to it.
    pub fn public_url(&self) -> &BaseUrl {
        &self.public_url
    }

    /// The files for TLS; `None` on loopback only.
    pub fn tls(&self) -> Option<&TlsFiles> {
        self.tls.as_ref()
    }

    /// The admin listener, if one is wanted.
    pub fn admin(&self) -> Option<Admin> {
        self.admin
    }

    /// How many connections may be open at once.
    pub fn connections(&self) -> NonZeroU32 {
        self.connections
    }

    /// How long a stop waits for responses that have begun.
    pub fn drain(&self) -> Duration {
        self.drain
    }

    /// Graph, Entra, and how to authenticate to them.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Where the key ring comes from.
    pub fn keys(&self) -> &Source {
        &self.keys
    }

    /// The tenant's own domains: ASCII, lower-case.
    pub fn tenant_domains(&self) -> &[String] {
        &self.tenant_domains
    }

    /// Whose `X-Forwarded-For` is believed.
    pub fn trusted_proxies(&self) -> &Networks {
        &self.trusted_proxies
    }

    /// Who may ask, and what they get.
    pub fn consumers(&self) -> &[Consumer] {
        &self.consumers
    }

    /// The connection pages, if they are wanted.
    pub fn connect(&self) -> Option<&Connect> {
        self.connect.as_ref()
    }

    /// Where audit records go.
    pub fn audit(&self) -> &AuditSink {
        &self.audit
    }
}

/// A file that the configuration names, and where it does so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRef {
    path: PathBuf,
    span: Range<usize>,
}

impl FileRef {
    /// The path, with the configuration file's directory before it if it was written relative.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The finding that this file cannot be used, at the place that names it.
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
        /// Where the configuration names it.
        span: Range<usize>,
    },
}

impl Source {
    /// The finding that this source cannot be used, at the place that names it.
    pub fn unusable(&self, why: &dyn fmt::Display) -> Diagnostic {
        match self {
            Self::File(file) => file.unusable(why),
            Self::Environment { span, .. } => {
                Diagnostic::error(codes::CONFIG_FILE, span.clone(), why.to_string())
            }
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
    /// The authorities of client certificates; without them none is asked for.
    pub client_ca: Option<FileRef>,
    /// Whether a connection needs a client certificate, if there are authorities.
    pub client_certificates: ClientCertificates,
}

/// Whether a connection needs a client certificate. One that is shown is verified in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificates {
    /// Without one, no connection.
    Required,
    /// Consumers with other credentials do without.
    Optional,
}

/// The listener for health and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Whether it speaks TLS, with the files of [`Config::tls`]: always beyond loopback, never on it.
    pub tls: bool,
}

/// Where audit records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditSink {
    /// Appended to a file.
    File(FileRef),
    /// Written to standard output.
    Stdout,
}
