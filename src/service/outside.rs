//! What `check --config` looks at besides the content of files: whether certificates are valid at this moment and belong to
//! their place, and whether the program could write where it has to.
//!
//! A start or a reload does not ask this: what runs goes on running when a certificate ends.

use std::fs::{self, OpenOptions};
use std::io;

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;

use crate::config::{AuditSink, Config, FileRef, Proof, TlsFiles, UpstreamCredential, codes};
use crate::file_system::folder_of;
use crate::server::certificate::{Validity, is_for};
use crate::server::{TlsState, read_certificates};
use glassine_core::diagnostic::{Causes, Diagnostic};

const RENEW: &str = "renew the certificate and replace the file; a running proxy takes it without a restart";

pub(super) fn findings(config: &Config, now: Timestamp) -> Vec<Diagnostic> {
    let mut found = config.tls().map(|files| listener(files, config, now)).unwrap_or_default();
    found.extend(config.upstream().ca().map(|file| authorities(file, now)).unwrap_or_default());
    let own = config.consumers().iter().filter_map(|consumer| consumer.application());
    let credentials = std::iter::once(config.upstream().credential()).chain(own);
    found.extend(credentials.filter_map(certificate_of).flat_map(|file| chain(file, now)));
    if let AuditSink::File(file) = config.audit() {
        found.extend(writable(file, "the audit log"));
    }
    found.extend(config.connect().and_then(|connect| writable(connect.file(), "the file of connections")));
    found
}

fn listener(files: &TlsFiles, config: &Config, now: Timestamp) -> Vec<Diagnostic> {
    if let Err(error) = TlsState::load(files) {
        return vec![files.certificate.unusable(&Causes(&error))];
    }
    let mut found = chain(&files.certificate, now);
    found.extend(name(&files.certificate, config));
    found.extend(files.client_ca.as_ref().map(|file| authorities(file, now)).unwrap_or_default());
    found
}

/// The certificates of a chain are needed all together. A file that cannot be read is reported elsewhere.
fn chain(file: &FileRef, now: Timestamp) -> Vec<Diagnostic> {
    let certificates = read_certificates(file.path()).unwrap_or_default();
    invalid(&certificates, now)
        .map(|why| file.unusable(&format!("{}: {why}", file.path().display())).hint(RENEW))
        .into_iter()
        .collect()
}

/// Of several authorities, one that has ended may only be left over.
fn authorities(file: &FileRef, now: Timestamp) -> Vec<Diagnostic> {
    let certificates = read_certificates(file.path()).unwrap_or_default();
    let ended: Vec<_> =
        certificates.iter().filter_map(|one| invalid(std::slice::from_ref(one), now)).collect();
    let path = file.path().display();
    let hint = "remove it from the file, and add the authority that took its place";
    match ended.first() {
        None => Vec::new(),
        Some(why) if ended.len() == certificates.len() => {
            vec![file.unusable(&format!("{path}: {why}")).hint(hint)]
        }
        Some(why) => {
            let message = format!("{path}: of {} certificates, {}: {why}", certificates.len(), ended.len());
            vec![Diagnostic::warning(codes::CONFIG_CERTIFICATE, file.span().clone(), message).hint(hint)]
        }
    }
}

/// Why certificates cannot be used at this moment.
fn invalid(certificates: &[CertificateDer<'_>], now: Timestamp) -> Option<String> {
    let day =
        |seconds| Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string());
    match Validity::of(certificates, now.as_second()) {
        Validity::Malformed => Some("a certificate in it is malformed".to_owned()),
        Validity::From(begins) => {
            Some(format!("the certificate is not valid before {}; is the clock right?", day(begins)))
        }
        Validity::Until(ends) if ends < now.as_second() => {
            Some(format!("the certificate ended on {}", day(ends)))
        }
        Validity::Until(_) => None,
    }
}

/// Something in front of the proxy may have the certificate of the public name, so another name is a warning.
fn name(file: &FileRef, config: &Config) -> Option<Diagnostic> {
    let host = config.public_url().origin().host();
    let certificates = read_certificates(file.path()).unwrap_or_default();
    let message =
        format!("{}: the certificate does not name {host}, the host of `public_url`", file.path().display());
    let hint = format!("use a certificate with the subjectAltName {host}, or correct `public_url`");
    (!is_for(&certificates, host.without_brackets()))
        .then(|| Diagnostic::warning(codes::CONFIG_CERTIFICATE, file.span().clone(), message).hint(hint))
}

/// Whether a file could be written. Changes nothing and creates nothing, so a folder whose owner is another account passes.
fn writable(file: &FileRef, what: &str) -> Option<Diagnostic> {
    let path = file.path();
    let folder = folder_of(path);
    let refuse = |why: &str| {
        let message = format!("{}: {what} cannot be written: {why}", path.display());
        let hint = format!("create {}, writable by the account that the proxy runs as", folder.display());
        Some(Diagnostic::error(codes::CONFIG_FILE, file.span().clone(), message).hint(hint))
    };
    match fs::metadata(folder) {
        Err(error) => return refuse(&format!("its folder: {error}")),
        Ok(folder) if !folder.is_dir() => return refuse("what should be its folder is a file"),
        Ok(folder) if folder.permissions().readonly() && !path.exists() => {
            return refuse("nobody may write in its folder");
        }
        Ok(_) => {}
    }
    match OpenOptions::new().append(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => refuse(&error.to_string()),
        Ok(_) | Err(_) => None,
    }
}

/// The file of the certificate that an application authenticates with.
pub(super) fn certificate_of(credential: &UpstreamCredential) -> Option<&FileRef> {
    match credential {
        UpstreamCredential::Application { proof: Proof::Certificate { certificate, .. }, .. } => {
            Some(certificate)
        }
        UpstreamCredential::Application { .. }
        | UpstreamCredential::AccessToken(_)
        | UpstreamCredential::Forward { .. }
        | UpstreamCredential::ManagedIdentity { .. } => None,
    }
}
