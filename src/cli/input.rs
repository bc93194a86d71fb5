//! The files that commands read.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::Error;
use glassine_core::pseudonym::KeyRing;
use glassine_core::rules::{self, Plan};

/// The most bytes of a rules or key file. The shipped rules have 11 KiB: what is a hundred times as long is another file.
const MAX_FILE: u64 = 1 << 20;

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub(super) struct InputError {
    file: PathBuf,
    problem: Problem,
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("there is no such file")]
    Missing,
    #[error("this is a directory; name a file in it")]
    Directory,
    #[error("this program may not read the file; check its owner and mode")]
    Denied,
    #[error("the file has more than {MAX_FILE} bytes; is it the right one?")]
    TooLarge,
    #[error("the file is not UTF-8 text: byte {0} starts no character")]
    NotUtf8(usize),
    #[error("the file cannot be read: {0}")]
    Other(io::Error),
}

/// The plan of a rules file.
///
/// # Errors
///
/// [`Error::Rules`] with everything that is wrong with it; its warnings are for `check`.
pub(super) fn rules(file: &Path) -> Result<Plan, Error> {
    compile(file, &text(file)?)
}

/// The plan of the text of a rules file.
///
/// # Errors
///
/// As [`rules()`].
pub(super) fn compile(file: &Path, text: &str) -> Result<Plan, Error> {
    let compiled = rules::compile(&file.display().to_string(), text);
    compiled.plan.ok_or_else(|| Error::Rules { file: file.to_owned(), report: compiled.report.render() })
}

/// The key ring of a key file.
///
/// # Errors
///
/// [`Error::Keys`] with the line and never the text.
pub(super) fn keys(file: &Path) -> Result<KeyRing, Error> {
    KeyRing::parse(&text(file)?).map_err(|error| Error::Keys { file: file.to_owned(), error })
}

/// The text of a file; wiped on drop, as it may hold keys.
///
/// # Errors
///
/// [`InputError`] with the file's name.
pub(super) fn text(file: &Path) -> Result<Zeroizing<String>, InputError> {
    read(file).map_err(|problem| InputError { file: file.to_owned(), problem })
}

fn read(path: &Path) -> Result<Zeroizing<String>, Problem> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(Problem::Directory);
    }
    // Room for the whole file, so that reading leaves no copies of a key behind.
    let room = usize::try_from(metadata.len().min(MAX_FILE)).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room.saturating_add(1)));
    let length = file.take(MAX_FILE.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(length).is_ok_and(|length| length <= MAX_FILE) {
        utf8(std::mem::take(&mut *bytes))
    } else {
        Err(Problem::TooLarge)
    }
}

fn utf8(bytes: Vec<u8>) -> Result<Zeroizing<String>, Problem> {
    String::from_utf8(bytes).map(Zeroizing::new).map_err(|error| {
        let position = error.utf8_error().valid_up_to();
        drop(Zeroizing::new(error.into_bytes()));
        Problem::NotUtf8(position)
    })
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::IsADirectory => Self::Directory,
            io::ErrorKind::PermissionDenied => Self::Denied,
            _ => Self::Other(error),
        }
    }
}
