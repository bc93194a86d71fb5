//! Reading what the configuration names: rules, keys, secrets.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::Source;

/// A rules file of a few hundred lines is some 20 KiB; a certificate bundle some 250 KiB.
pub const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Access tokens are under 4 KiB, key rings under 8 KiB.
pub const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Why something that the configuration names cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be opened or read.
    #[error("{path:?} cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is longer than anything of its kind.
    #[error("{path:?} is longer than {limit} bytes")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The file is not UTF-8 text.
    #[error("{path:?} is not UTF-8 text")]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// The file is a directory, a device or a pipe.
    #[error("{path:?} is not a regular file")]
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
        "{path:?} can be written by every account: `chmod o-w` it, and make the secret anew if others use this machine"
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
    let (bytes, _) = read(path, MAX_FILE_BYTES)?;
    let not_text = || FileError::NotText { path: path.to_owned() };
    std::str::from_utf8(&bytes).map(str::to_owned).map_err(|_| not_text())
}

/// Reads a secret, without the white space around it; the buffers are wiped when dropped.
///
/// A file that every account can read works, because container platforms mount secrets so, but is warned about.
pub fn read_secret(source: &Source) -> Result<Zeroizing<String>, FileError> {
    let (name, text) = match source {
        Source::File(file) => (format!("{:?}", file.path()), read_secret_file(file.path())?),
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
    let (bytes, metadata) = read(path, MAX_SECRET_BYTES)?;
    check_mode(path, &metadata)?;
    let not_text = || FileError::NotText { path: path.to_owned() };
    let text = std::str::from_utf8(&bytes).map_err(|_| not_text())?;
    Ok(Zeroizing::new(text.to_owned()))
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
    /// [`FileError::Read`].
    pub fn of_file(path: &Path) -> Result<Self, FileError> {
        let metadata = std::fs::metadata(path);
        let metadata = metadata.map_err(|source| FileError::Read { path: path.to_owned(), source })?;
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

fn read(path: &Path, limit: u64) -> Result<(Zeroizing<Vec<u8>>, Metadata), FileError> {
    let failed = |source| FileError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
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
