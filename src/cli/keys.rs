//! `glassine keys`: key files.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use zeroize::Zeroizing;

use super::error::{Error, NewKeysAdvice};
use super::{ExitStatus, Streams, input};
use glassine_core::pseudonym::{KeyRing, Retired, RingError};

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
    /// Add a fresh key behind the first one: it opens tokens and links, and makes none. The first step of a rotation across
    /// replicas.
    Stage(Change),
    /// Put the staged key first: it makes tokens from now on. The second step, once every replica has the key.
    Promote {
        #[command(flatten)]
        change: Change,
        /// Put this key first instead of the staged one, for example to go back.
        #[arg(long, value_name = "KEY")]
        id: Option<char>,
    },
    /// Drop the keys that stopped making tokens long ago. What they made opens no more. The last step.
    ///
    /// Never drops the first key or a staged one. Exit code 1 if there is no such key; then nothing is written.
    Retire {
        #[command(flatten)]
        change: Change,
        /// How long ago: `90d`, `6w`, `36h`.
        #[arg(long, value_name = "DURATION", value_parser = age)]
        older_than: SignedDuration,
    },
    /// Stage a fresh key and promote it at once, for a single replica. New tokens are made with the fresh key; old `p~`
    /// tokens and links still open.
    Rotate(Change),
    /// List the keys of a file in their order: id, time of creation, fingerprint, and what each does (first, staged,
    /// superseded).
    Fingerprint {
        /// A key file.
        file: PathBuf,
    },
}

/// From a file to another one.
#[derive(Debug, clap::Args)]
pub(super) struct Change {
    /// The present key file, which is not changed.
    file: PathBuf,
    /// Write this file, as with `new`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(command: &Command, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    match command {
        Command::New { out } => put(&new_keys()?, out.as_deref(), streams)?,
        Command::Stage(change) => {
            change.write(change.read()?.staged(&*master()?, Timestamp::now()), streams)?
        }
        Command::Promote { change, id } => {
            change.write(change.read()?.promoted(*id, Timestamp::now()), streams)?;
        }
        Command::Retire { change, older_than } => return retire(change, *older_than, streams),
        Command::Rotate(change) => {
            change.write(change.read()?.rotated(&*master()?, Timestamp::now()), streams)?;
        }
        Command::Fingerprint { file } => streams.print(fingerprints(&input::keys(file)?).as_bytes())?,
    }
    Ok(ExitStatus::Yes)
}

impl Change {
    fn read(&self) -> Result<KeyRing, Error> {
        input::keys(&self.file)
    }

    fn write(&self, ring: Result<KeyRing, RingError>, streams: &mut Streams<'_>) -> Result<(), Error> {
        let ring = ring.map_err(|error| Error::Ring { file: self.file.clone(), error })?;
        put(&ring.render(), self.out.as_deref(), streams)
    }
}

/// The remarks go to standard error, because the keys may go to standard output.
fn retire(change: &Change, age: SignedDuration, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let before = Timestamp::now().checked_sub(age).unwrap_or(Timestamp::MIN);
    let (ring, retired) = change.read()?.retired(before);
    if retired.is_empty() {
        streams.remark(&format!(
            "{}: no key was superseded before {}; nothing is written\n",
            change.file.display(),
            in_words(before)
        ))?;
        return Ok(ExitStatus::No);
    }
    change.write(Ok(ring), streams)?;
    streams.remark(&retired.iter().map(farewell).collect::<String>())?;
    Ok(ExitStatus::Yes)
}

/// What a key's end means to a consumer.
fn farewell(key: &Retired) -> String {
    let Retired { id, superseded } = key;
    let superseded = in_words(*superseded);
    format!(
        "key {id}: dropped, superseded {superseded}; `p~` tokens that it made will receive 404, and its links 410 or 404\n"
    )
}

/// How long ago something was. A month or a year has no fixed length.
fn age(text: &str) -> Result<SignedDuration, NoAge> {
    let span: Span = text.parse().map_err(|_| NoAge)?;
    let age = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| NoAge)?;
    if age.is_positive() { Ok(age) } else { Err(NoAge) }
}

/// Not a length of time that is always the same.
#[derive(Debug, thiserror::Error)]
#[error("write weeks, days or hours, as in 6w, 90d or 36h")]
struct NoAge;

/// Writes the keys to a new file, or to standard output.
fn put(keys: &str, out: Option<&Path>, streams: &mut Streams<'_>) -> Result<(), Error> {
    let Some(file) = out else { return streams.print(keys.as_bytes()) };
    create(file, keys.as_bytes())?;
    streams.print(format!("{}: written\n", file.display()).as_bytes())
}

/// The text of a key file with one fresh key.
pub(super) fn new_keys() -> Result<Zeroizing<String>, Error> {
    Ok(KeyRing::render_new(&*master()?, FIRST_ID, &in_words(Timestamp::now())))
}

fn master() -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut master = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *master).map_err(Error::Randomness)?;
    Ok(master)
}

/// Whole seconds (RFC 3339).
fn in_words(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
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
        format!("{} {} {} {}\n", key.id, key.created, key.fingerprint, key.standing)
    };
    ring.fingerprint().into_iter().map(line).collect()
}
