//! When the certificates end that the configuration names, for the metrics.
//!
//! The listeners' certificate changes with a reload. That of an application is read again at each use, so a new file counts
//! without one.

use std::path::Path;

use crate::config::{Config, FileRef};
use crate::file_system::Look;
use crate::metrics::CertificateEnds;
use crate::server::certificate::end;
use crate::server::{TlsState, read_certificates};

/// What the files of the applications' certificates looked like when they were last read.
#[derive(Default, PartialEq)]
pub(super) struct SeenCertificates(Vec<Option<Look>>);

impl SeenCertificates {
    pub(super) fn of(config: &Config) -> Self {
        Self(credentials(config).map(|(_, file)| Look::at(file)).collect())
    }
}

/// When the certificates end.
pub(super) fn ends(config: &Config, tls: Option<&TlsState>) -> CertificateEnds {
    let credentials = credentials(config)
        .filter_map(|(consumer, file)| Some((consumer.into(), end(&read_certificates(file).ok()?)?)));
    CertificateEnds { listener: tls.map(TlsState::end), credentials: credentials.collect() }
}

/// The consumers whose applications authenticate with a certificate, and its file.
fn credentials(config: &Config) -> impl Iterator<Item = (&str, &Path)> {
    let shared = config.upstream().credential();
    config.consumers().iter().filter_map(move |consumer| {
        Some((consumer.name(), consumer.application().unwrap_or(shared).certificate().map(FileRef::path)?))
    })
}
