//! Reading what the configuration names: rules, keys, secrets.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::Utf8Error;

use zeroize::Zeroizing;

use super::Source;
use crate::upstream::MAX_SECRET;

/// The most bytes of a rules file, a configuration, or a PEM file, whoever reads it. A rules file of a few hundred lines is some
/// 20 KiB; a certificate bundle some 250 KiB.
pub const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// The most bytes of a key ring, and of a secret that is only used later, with the limit that it has then. Access tokens are under
/// 4 KiB, key rings under 8 KiB.
pub const MAX_SECRET_BYTES: u64 = MAX_SECRET as u64;

/// Why a file, or something else that a configuration names, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is nothing at the path.
    #[error("{}: there is no such file", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The system does not let this program read the file.
    #[error("{}: this program may not read the file; check its owner and mode", path.display())]
    Denied {
        /// The file.
        path: PathBuf,
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
    /// The file is longer than anything of its kind.
    #[error("{}: the file has more than {limit} bytes; is it the right one?", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The file is not UTF-8 text.
    #[error("{}: the file is not UTF-8 text: byte {at} starts no character", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The first byte that fits nowhere, counted from 0.
        at: usize,
    },
    /// The path leads to a directory.
    #[error("{}: this is a directory; name a file in it", path.display())]
    Directory {
        /// The path.
        path: PathBuf,
    },
    /// The file is a device or a pipe, which could not be read again.
    #[error("{}: this is not a regular file", path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// The file or variable holds nothing.
    #[error("{name} is empty")]
    Empty {
        /// The file or variable.
        name: String,
    },
    /// Every account of this machine could replace the secret.
    #[error(
        "{}: the file can be written by every account: `chmod o-w` it, and make the secret anew if others use this machine",
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
pub fn read_text(path: &Path) -> Result<String, FileError> {
    let (bytes, _) = read(path, MAX_FILE_BYTES, Kind::Regular)?;
    text(path, &bytes).map(str::to_owned)
}

/// Reads a file that may hold keys; the buffer is wiped when dropped.
pub fn read_bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    read(path, MAX_FILE_BYTES, Kind::Regular).map(|(bytes, _)| bytes)
}

/// Reads a text of at most `limit` bytes that nobody reads again, from a file or a pipe; the buffers are wiped when dropped.
pub fn read_once(path: &Path, limit: u64) -> Result<Zeroizing<String>, FileError> {
    let (bytes, _) = read(path, limit, Kind::Any)?;
    text(path, &bytes).map(|text| Zeroizing::new(text.to_owned()))
}

/// Reads a secret, without the white space around it; the buffers are wiped when dropped.
///
/// A file that every account can read works, because container platforms mount secrets so, but is warned about.
pub fn read_secret(source: &Source) -> Result<Zeroizing<String>, FileError> {
    let (name, text) = match source {
        Source::File(file) => (file.path().display().to_string(), read_secret_file(file.path())?),
        Source::Environment { name, .. } => {
            let missing = |_| FileError::Environment { name: name.clone() };
            (name.clone(), std::env::var(name).map(Zeroizing::new).map_err(missing)?)
        }
    };
    match text.trim() {
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
    std::str::from_utf8(bytes).map_err(not_text)
}

fn check_mode(path: &Path, metadata: &Metadata) -> Result<(), FileError> {
    match Exposure::of(metadata) {
        Exposure::Writable => return Err(FileError::WorldWritable { path: path.to_owned() }),
        Exposure::Readable => {
            tracing::warn!(file = %path.display(), "a secret can be read by every account of this machine");
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
    /// That of a file, or of what it links to.
    ///
    /// # Errors
    ///
    /// [`FileError`] where there is no such file, or it may not be looked at.
    pub fn of_file(path: &Path) -> Result<Self, FileError> {
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

/// Which files can be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Those that can be read again.
    Regular,
    /// Pipes and devices too.
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
    // Room for the whole file at once: a buffer that grows leaves unwiped copies behind.
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
            io::ErrorKind::PermissionDenied => Self::Denied { path },
            _ => Self::Read { path, source },
        }
    }
}
