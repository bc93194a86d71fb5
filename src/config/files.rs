//! Reads the files that the configuration names: rules, keys, secrets.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::Utf8Error;

use zeroize::Zeroizing;

use super::Source;
use super::denial::Denial;
use crate::upstream::MAX_SECRET;
pub(crate) use glassine_core::graph::without_byte_order_mark;

/// The most bytes of a rules file, a configuration, or a PEM file. A rules file of a few hundred lines has about 20
/// KiB, a certificate bundle about 250 KiB.
pub(crate) const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// The most bytes of a key ring or a secret. Access tokens have less than 4 KiB, key rings less than 8 KiB.
pub(crate) const MAX_SECRET_BYTES: u64 = MAX_SECRET as u64;

/// The byte order mark, with which some editors begin a file.
const MARK: char = '\u{feff}';

/// Why a file, or something else that a configuration names, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file does not exist.
    #[error("{}: there is no such file", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The system does not let this program read the file.
    #[error("{}: {denial}", path.display())]
    Denied {
        /// The file.
        path: PathBuf,
        /// Who may not read it.
        denial: Denial,
    },
    /// The file cannot be opened or read for another reason.
    #[error("{}: the file cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is longer than any file of its kind.
    #[error("{}: the file has more than {limit} bytes; is it the right one?", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The file is not UTF-8 text.
    #[error("{}: the file is not UTF-8 text: byte {at} is not valid", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The position of the first invalid byte, from 0.
        at: usize,
    },
    /// The file is UTF-16 text, as some editors and shells write it.
    #[error("{}: the file is UTF-16 text; save it as UTF-8", path.display())]
    Utf16 {
        /// The file.
        path: PathBuf,
    },
    /// The path leads to a directory.
    #[error("{}: this is a directory; name a file in it", path.display())]
    Directory {
        /// The path.
        path: PathBuf,
    },
    /// The file is a device or a pipe, which cannot be read again at a reload.
    #[error("{}: this is not a regular file", path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// The file or variable is empty.
    #[error("{name} is empty")]
    Empty {
        /// The file or variable.
        name: String,
    },
    /// All accounts of this machine can write the secret's file.
    #[error(
        "{}: every account can write the file: `chmod o-w` it, and make a new secret if others use this machine",
        path.display()
    )]
    WorldWritable {
        /// The file.
        path: PathBuf,
    },
    /// The environment variable is not set, or not UTF-8 text.
    #[error("the environment variable {name} is not set to text")]
    Environment {
        /// Its name.
        name: String,
    },
}

/// Reads a text file, such as a rules file.
pub(crate) fn read_text(path: &Path) -> Result<String, FileError> {
    let (bytes, _) = read(path, MAX_FILE_BYTES, Kind::Regular)?;
    text(path, &bytes).map(str::to_owned)
}

/// Reads a file that may contain keys. The buffer is wiped when dropped.
pub(crate) fn read_bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    read(path, MAX_FILE_BYTES, Kind::Regular).map(|(bytes, _)| bytes)
}

/// Reads a text of at most `limit` bytes once, from a file or a pipe. The buffers are wiped when dropped.
pub(crate) fn read_once(path: &Path, limit: u64) -> Result<Zeroizing<String>, FileError> {
    let (bytes, _) = read(path, limit, Kind::Any)?;
    text(path, &bytes).map(|text| Zeroizing::new(text.to_owned()))
}

/// Reads a secret, and trims white space and a byte order mark around it. The buffers are wiped when dropped.
///
/// If every account can read the file, this is only logged, because container platforms mount secrets like that.
pub fn read_secret(source: &Source) -> Result<Zeroizing<String>, FileError> {
    let (name, text) = match source {
        Source::File(file) => (file.path().display().to_string(), read_secret_file(file.path())?),
        Source::Environment { name, .. } => {
            let missing = |_| FileError::Environment { name: name.clone() };
            (name.clone(), std::env::var(name).map(Zeroizing::new).map_err(missing)?)
        }
    };
    match text.trim_start_matches(MARK).trim() {
        "" => Err(FileError::Empty { name }),
        secret => Ok(Zeroizing::new(secret.to_owned())),
    }
}

fn read_secret_file(path: &Path) -> Result<Zeroizing<String>, FileError> {
    let (bytes, metadata) = read(path, MAX_SECRET_BYTES, Kind::Regular)?;
    check_mode(path, &metadata)?;
    text(path, &bytes).map(|text| Zeroizing::new(text.to_owned()))
}

fn text<'b>(path: &Path, bytes: &'b [u8]) -> Result<&'b str, FileError> {
    let not_text = |error: Utf8Error| FileError::NotText { path: path.to_owned(), at: error.valid_up_to() };
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err(FileError::Utf16 { path: path.to_owned() }),
        _ => std::str::from_utf8(bytes).map_err(not_text),
    }
}

fn check_mode(path: &Path, metadata: &Metadata) -> Result<(), FileError> {
    match Exposure::of(metadata) {
        Exposure::Writable => return Err(FileError::WorldWritable { path: path.to_owned() }),
        Exposure::Readable => {
            tracing::warn!(file = %path.display(), "every account of this machine can read a secret; `chmod o-r` it (Kubernetes: `defaultMode: 0440`)");
        }
        Exposure::Private => {}
    }
    Ok(())
}

/// What every account of this machine may do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Nothing.
    Private,
    /// Read it.
    Readable,
    /// Change it.
    Writable,
}

impl Exposure {
    /// The exposure of a file, or of the file that it links to.
    ///
    /// # Errors
    ///
    /// [`FileError`] if the file does not exist, or this program may not read its metadata.
    pub(crate) fn of_file(path: &Path) -> Result<Self, FileError> {
        let metadata = std::fs::metadata(path);
        let metadata = metadata.map_err(|source| FileError::of(path, source))?;
        Ok(Self::of(&metadata))
    }

    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::PermissionsExt;
        const OTHERS_READ: u32 = 0o004;
        const OTHERS_WRITE: u32 = 0o002;
        match metadata.permissions().mode() {
            mode if mode & OTHERS_WRITE != 0 => Self::Writable,
            mode if mode & OTHERS_READ != 0 => Self::Readable,
            _ => Self::Private,
        }
    }

    #[cfg(not(unix))]
    fn of(_metadata: &Metadata) -> Self {
        Self::Private
    }
}

/// Which kinds of files are accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Regular files only, which can be read again.
    Regular,
    /// Pipes and devices as well.
    Any,
}

fn read(path: &Path, limit: u64, kind: Kind) -> Result<(Zeroizing<Vec<u8>>, Metadata), FileError> {
    let failed = |source| FileError::of(path, source);
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(FileError::Directory { path: path.to_owned() });
    }
    if kind == Kind::Regular && !metadata.is_file() {
        return Err(FileError::NotAFile { path: path.to_owned() });
    }
    let too_long = || FileError::TooLong { path: path.to_owned(), limit };
    let length = usize::try_from(metadata.len().min(limit)).map_err(|_| too_long())?;
    // The buffer has its full size at once: growing would leave unwiped copies in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.saturating_add(1)));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= limit => Ok((bytes, metadata)),
        Ok(_) | Err(_) => Err(too_long()),
    }
}

impl FileError {
    fn of(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::PermissionDenied => Self::Denied { denial: Denial::of(&path), path },
            _ => Self::Read { path, source },
        }
    }
}
