//! What `check --config` looks at besides the content of files: whether certificates are valid at this moment and belong to
//! their place, who can read secrets, whether the program could write where it has to, and the clock.
//!
//! A start or a reload does not ask this: what runs goes on running when a certificate ends.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::certificates::{invalid, soon};
use crate::config::files::{Exposure, read_secret};
use crate::config::{AuditSink, Config, FileRef, Source, TlsFiles, codes};
use crate::file_system::folder_of;
use crate::server::certificate::is_for;
use crate::server::{TlsState, read_certificates};
use glassine_core::diagnostic::{Causes, Diagnostic};
use glassine_core::pseudonym::{Fingerprint, KeyRing};

const RENEW: &str = "renew the certificate and replace the file; a running proxy takes it without a restart";

/// By how much clocks may differ, as for Entra and verifiers of signed tokens.
const TOLERATED: SignedDuration = SignedDuration::from_mins(5);

pub(super) fn findings(config: &Config, now: Timestamp) -> Vec<Diagnostic> {
    let mut found = config.tls().map(|files| listener(files, config, now)).unwrap_or_default();
    found.extend(config.upstream().ca().map(|file| authorities(file, now)).unwrap_or_default());
    let certificates = config.credentials().filter_map(|credential| credential.certificate());
    found.extend(certificates.flat_map(|file| chain(file, now)));
    found.extend(places(config, now));
    found.extend(exposed(config));
    found
}

/// What is not about certificates or modes, which `doctor` looks at by itself.
pub(crate) fn places(config: &Config, now: Timestamp) -> Vec<Diagnostic> {
    let audit = match config.audit() {
        AuditSink::File(file) => writable(file, "the audit log", config.audit_rotate().is_some()),
        AuditSink::Stdout => None,
    };
    // The state of connections is written anew each time.
    let connections =
        config.connect().and_then(|connect| writable(connect.file(), "the file of connections", true));
    audit.into_iter().chain(connections).chain(from_the_future(config.keys(), now)).collect()
}

/// The files with secrets that every account of the machine can read. Those that it can write are errors already.
fn exposed(config: &Config) -> Vec<Diagnostic> {
    let credentials = config.credentials().filter_map(|credential| Some(credential.secret()?.1));
    let key = config.tls().map(|tls| Source::File(tls.private_key.clone()));
    let all = std::iter::once(config.keys().clone()).chain(credentials).chain(key);
    let files = all.filter_map(|source| source.file().cloned());
    let readable =
        files.filter(|file| Exposure::of_file(file.path()).is_ok_and(|it| it == Exposure::Readable));
    readable
        .map(|file| {
            let path = file.path().display();
            let message = format!("{path}: every account of this machine can read this secret");
            let hint = format!("chmod o-r '{path}'");
            Diagnostic::warning(codes::CONFIG_EXPOSED, file.span().clone(), message).hint(hint)
        })
        .collect()
}

/// The keys of a file that can be read. What is wrong with another one is said elsewhere.
pub(super) fn ring(keys: &Source) -> Option<Vec<Fingerprint>> {
    Some(KeyRing::parse(&read_secret(keys).ok()?).ok()?.fingerprint())
}

/// A clock that is behind: the key ring has a key that was made later than now.
fn from_the_future(keys: &Source, now: Timestamp) -> Option<Diagnostic> {
    let created =
        ring(keys)?.into_iter().filter_map(|key| Some((key.id, key.created.parse::<Timestamp>().ok()?)));
    let (id, latest) = created.max_by_key(|(_, created)| *created)?;
    let tolerated = now.checked_add(TOLERATED).unwrap_or(now);
    let message = format!("key {id} was made at {latest}, and the clock of this machine says {now}");
    let hint = "set the clock and keep it set: `timedatectl set-ntp true`; in a container, on its host";
    (latest > tolerated)
        .then(|| Diagnostic::warning(codes::CONFIG_CLOCK, keys.span().clone(), message).hint(hint))
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
    let path = file.path().display();
    let ended = invalid(&certificates, now).map(|why| file.unusable(&format!("{path}: {why}")));
    let found = ended.or_else(|| soon(&certificates, now).map(|why| ending(file, &why)));
    found.map(|found| found.hint(RENEW)).into_iter().collect()
}

fn ending(file: &FileRef, why: &str) -> Diagnostic {
    let message = format!("{}: {why}", file.path().display());
    Diagnostic::warning(codes::CONFIG_CERTIFICATE, file.span().clone(), message)
}

/// Of several authorities, one that has ended may only be left over.
fn authorities(file: &FileRef, now: Timestamp) -> Vec<Diagnostic> {
    let certificates = read_certificates(file.path()).unwrap_or_default();
    let ended: Vec<_> =
        certificates.iter().filter_map(|one| invalid(std::slice::from_ref(one), now)).collect();
    let path = file.path().display();
    let hint = "remove it from the file, and add the authority that took its place";
    match ended.first() {
        None => soon(&certificates, now).map(|why| ending(file, &why).hint(hint)).into_iter().collect(),
        Some(why) if ended.len() == certificates.len() => {
            vec![file.unusable(&format!("{path}: {why}")).hint(hint)]
        }
        Some(why) => {
            let message = format!("{path}: of {} certificates, {}: {why}", certificates.len(), ended.len());
            vec![Diagnostic::warning(codes::CONFIG_CERTIFICATE, file.span().clone(), message).hint(hint)]
        }
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

/// Whether a file could be written. Changes nothing and leaves nothing behind. With `is_replaced`, files beside it are written too.
fn writable(file: &FileRef, what: &str, is_replaced: bool) -> Option<Diagnostic> {
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
        Ok(_) => {}
    }
    let opened = OpenOptions::new().append(true).open(path);
    let is_new = opened.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    match opened {
        Err(error) if !is_new => refuse(&error.to_string()),
        Ok(_) | Err(_) if is_new || is_replaced => create_beside(path)
            .err()
            .and_then(|error| refuse(&format!("no file can be made in its folder: {error}"))),
        Ok(_) | Err(_) => None,
    }
}

/// Makes a file in the same folder and removes it: modes alone do not say whether the account may, or the disk takes it.
fn create_beside(path: &Path) -> io::Result<()> {
    let probe = folder_of(path).join(format!(".glassine-check-{}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&probe)?;
    fs::remove_file(&probe)
}
