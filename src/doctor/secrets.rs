//! The key ring, and whether other accounts can read or write the files with secrets.

use std::path::Path;

use super::findings::Finding;
use crate::config::files::{Exposure, FileError, read_secret};
use crate::config::{Config, Source, UpstreamCredential};
use glassine_core::diagnostic::Causes;
use glassine_core::pseudonym::{KeyFileError, KeyRing};

const NEW_KEYS: &str = "restore the key file from a backup, or make one with `glassine keys new --out FILE`: \
     new keys make new pseudonyms";
const NEW_SECRET: &str =
    "write the secret into the file, or set the variable, where the proxy's account can read it";

pub(super) fn check(config: &Config) -> Vec<Finding> {
    let mut found = vec![ring(config.keys())];
    found.extend(source("key file", config.keys()));
    found.extend(upstream("", config.upstream().credential()));
    for consumer in config.consumers() {
        let of = format!(" of {}", consumer.name());
        found.extend(consumer.application().and_then(|credential| upstream(&of, credential)));
    }
    found.extend(config.tls().map(|tls| mode("TLS private key", tls.private_key.path())));
    found
}

/// The place of a secret, for people.
pub(super) fn place(source: &Source) -> String {
    match source {
        Source::File(file) => file.path().display().to_string(),
        Source::Environment { name, .. } => format!("the environment variable {name}"),
    }
}

/// Why the key ring cannot be read.
#[derive(Debug, thiserror::Error)]
enum NoKeys {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Form(#[from] KeyFileError),
}

fn ring(source: &Source) -> Finding {
    let check = "key ring";
    match read_ring(source) {
        Ok(ring) => {
            let keys = ring.fingerprint();
            let newest = keys.first().map(|key| format!("{} {} {}", key.id, key.created, key.fingerprint));
            let message = format!("keys {}, the newest {}", keys.len(), newest.unwrap_or_default());
            Finding::ok(check, message)
        }
        // The next finding, on the file's mode, is the failure.
        Err(NoKeys::File(FileError::WorldWritable { .. })) => {
            Finding::skip(check, "not read: every account can write the file")
        }
        Err(error) => Finding::fail(check, Causes(&error).to_string(), NEW_KEYS),
    }
}

fn read_ring(source: &Source) -> Result<KeyRing, NoKeys> {
    Ok(KeyRing::parse(&read_secret(source)?)?)
}

fn upstream(of: &str, credential: &UpstreamCredential) -> Option<Finding> {
    let (name, secret) = credential.secret()?;
    source(&format!("{name}{of}"), &secret)
}

fn source(check: &str, source: &Source) -> Option<Finding> {
    match source {
        Source::File(file) => Some(mode(check, file.path())),
        Source::Environment { name, .. } => Some(match read_secret(source) {
            Ok(_) => Finding::ok(check, format!("in the environment variable {name}")),
            Err(error) => Finding::fail(check, Causes(&error).to_string(), NEW_SECRET),
        }),
    }
}

fn mode(check: &str, path: &Path) -> Finding {
    let file = path.display();
    match Exposure::of_file(path) {
        Ok(Exposure::Private) => Finding::ok(check, format!("{file}: closed to other accounts")),
        Ok(Exposure::Readable) => Finding::warn(
            check,
            format!("{file}: every account of this machine can read it"),
            format!("chmod o-r '{file}'"),
        ),
        Ok(Exposure::Writable) => Finding::fail(
            check,
            format!("{file}: every account of this machine can change it"),
            format!("chmod o-rwx '{file}'\nand replace the secret if others use this machine"),
        ),
        Err(error) => Finding::fail(check, Causes(&error).to_string(), NEW_SECRET),
    }
}
