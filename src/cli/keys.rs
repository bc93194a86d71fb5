//! `glassine keys`: key files.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::error::{Error, NewKeysAdvice};
use super::{ExitStatus, Streams, input};
use glassine_core::pseudonym::KeyRing;

/// The id of a new file's only key: the first base64url character.
const FIRST_ID: char = 'A';

/// Only its owner may read and write a key file.
const MODE: u32 = 0o600;

/// Make and inspect key files. Pseudonyms are made with their keys.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a key file with one fresh key.
    New {
        /// Write this file, readable by its owner only, instead of standard output. Never overwrites a file.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Add a fresh key to those of a file. New tokens are made with the fresh key; old `p~` tokens and links still
    /// open.
    Rotate {
        /// The present key file, which is not changed.
        file: PathBuf,
        /// Write this file, as with `new`.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// List the keys of a file: id, time of creation and fingerprint, the newest first.
    Fingerprint {
        /// A key file.
        file: PathBuf,
    },
}

pub(super) fn run(command: &Command, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    match command {
        Command::New { out } => put(&new_keys()?, out.as_deref(), streams)?,
        Command::Rotate { file, out } => put(&rotated(file)?, out.as_deref(), streams)?,
        Command::Fingerprint { file } => streams.print(fingerprints(&input::keys(file)?).as_bytes())?,
    }
    Ok(ExitStatus::Yes)
}

/// Writes the keys to a new file, or to standard output.
fn put(keys: &str, out: Option<&Path>, streams: &mut Streams<'_>) -> Result<(), Error> {
    let Some(file) = out else { return streams.print(keys.as_bytes()) };
    create(file, keys.as_bytes())?;
    streams.print(format!("{}: written\n", file.display()).as_bytes())
}

fn new_keys() -> Result<Zeroizing<String>, Error> {
    Ok(KeyRing::render_new(&*master()?, FIRST_ID, &now()))
}

fn rotated(file: &Path) -> Result<Zeroizing<String>, Error> {
    let full = || Error::NewKeys { file: file.to_owned(), advice: NewKeysAdvice::Full };
    input::keys(file)?.render_rotated(&*master()?, &now()).ok_or_else(full)
}

fn master() -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut master = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *master).map_err(Error::Randomness)?;
    Ok(master)
}

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Creates the complete file, or leaves none behind.
fn create(path: &Path, contents: &[u8]) -> Result<(), Error> {
    let failed = |advice| Error::NewKeys { file: path.to_owned(), advice };
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(MODE).open(path).map_err(|error| {
            failed(match error.kind() {
                io::ErrorKind::AlreadyExists => NewKeysAdvice::Exists,
                _ => NewKeysAdvice::Other(error),
            })
        })?;
    file.write_all(contents).and_then(|()| file.sync_all()).map_err(|error| {
        // Report the first error; a second one while removing the file would hide it.
        fs::remove_file(path).ok();
        failed(NewKeysAdvice::Other(error))
    })
}

fn fingerprints(ring: &KeyRing) -> String {
    let line = |key: glassine_core::pseudonym::Fingerprint| {
        format!("{} {} {}\n", key.id, key.created, key.fingerprint)
    };
    ring.fingerprint().into_iter().map(line).collect()
}
