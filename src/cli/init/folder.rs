//! Writes all files of a folder or none: into a draft beside it, which gets the folder's name at the end.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown,
};
use std::path::{Path, PathBuf};

use crate::file_system::folder_of;
use glassine_core::hex;

/// Why a folder cannot be made.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum InitError {
    /// Keys are never overwritten.
    #[error("{}: this exists and was not changed; name another folder, or move this one away", folder.display())]
    Exists {
        /// The folder.
        folder: PathBuf,
    },
    /// `.`, `..` or `/`.
    #[error("{}: this names no folder that could be made; name one, as in ./glassine", folder.display())]
    NoName {
        /// What should be the folder.
        folder: PathBuf,
    },
    /// Standard input ended before the question was answered.
    #[error("standard input has ended, and nobody has answered; give `{option}`")]
    NoAnswer {
        /// The option that answers the question.
        option: &'static str,
    },
    /// Something cannot be written.
    #[error("{}: this cannot be written: {source}; nothing was made", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("the certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The operating system gives no randomness.
    #[error("the operating system gives no random numbers: {0}")]
    Randomness(#[from] getrandom::Error),
}

/// Refuses a folder that exists, unless it is empty. Asked before the questions; [`Draft::publish`] cannot replace files either.
pub(super) fn check_free(folder: &Path) -> Result<(), InitError> {
    let name = || folder.to_owned();
    if folder.file_name().is_none() {
        return Err(InitError::NoName { folder: name() });
    }
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(false) | Err(_) => Err(InitError::Exists { folder: name() }),
    }
}

/// A folder that does not have its name yet. Removed when dropped before [`Self::publish`].
pub(super) struct Draft {
    target: PathBuf,
    path: PathBuf,
    /// The account and the group of every file, if this program may give files away.
    shared: Option<(u32, u32)>,
    is_published: bool,
}

impl Draft {
    /// Begins a folder. Its files belong to whom the folder around it belongs to, and `group` may read them. Only root, or
    /// a member of the group, can see to that; otherwise only this account can read them.
    pub(super) fn begin(target: &Path, group: u32) -> Result<Self, InitError> {
        let around = folder_of(target);
        let mut random = [0; 8];
        getrandom::fill(&mut random)?;
        let path = around.join(format!(".glassine-init-{}", hex::lower(&random)));
        let owner = fs::metadata(around).map_err(failed(around))?.uid();
        DirBuilder::new().mode(0o700).create(&path).map_err(failed(&path))?;
        let mut draft = Self { target: target.to_owned(), path, shared: None, is_published: false };
        draft.shared = chown(&draft.path, Some(owner), Some(group)).is_ok().then_some((owner, group));
        draft.protect(&draft.path, Kind::Folder)?;
        Ok(draft)
    }

    /// Whether the group can read the files.
    pub(super) fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    pub(super) fn folder(&self, name: &str, kind: Kind) -> Result<(), InitError> {
        let path = self.path.join(name);
        DirBuilder::new().mode(0o700).create(&path).map_err(failed(&path))?;
        self.protect(&path, kind)
    }

    pub(super) fn file(&self, name: &str, text: &[u8]) -> Result<(), InitError> {
        let path = self.path.join(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let mut file: File = file.map_err(failed(&path))?;
        file.write_all(text).and_then(|()| file.sync_all()).map_err(failed(&path))?;
        self.protect(&path, Kind::File)
    }

    /// Gives a file its owner and mode. The mode comes second: the system takes the group's bit away when the owner changes.
    fn protect(&self, path: &Path, kind: Kind) -> Result<(), InitError> {
        if let Some((owner, group)) = self.shared {
            chown(path, Some(owner), Some(group)).map_err(failed(path))?;
        }
        let mode = Permissions::from_mode(kind.mode(self.is_shared()));
        fs::set_permissions(path, mode).map_err(failed(path))
    }

    /// Gives the folder its name. The system refuses this if there are files under the name meanwhile.
    pub(super) fn publish(mut self) -> Result<(), InitError> {
        fs::rename(&self.path, &self.target).map_err(|source| match source.kind() {
            io::ErrorKind::DirectoryNotEmpty
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::NotADirectory => InitError::Exists { folder: self.target.clone() },
            _ => InitError::Write { path: self.target.clone(), source },
        })?;
        self.is_published = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_published {
            // The error that led here is reported; a second one would hide it.
            fs::remove_dir_all(&self.path).ok();
        }
    }
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// A folder in which the proxy writes.
    Data,
}

impl Kind {
    /// The group's bit of a shared folder (`2000`) gives new files the same group: what an editor writes stays readable.
    fn mode(self, is_shared: bool) -> u32 {
        match (self, is_shared) {
            (Self::File, true) => 0o640,
            (Self::File, false) => 0o600,
            (Self::Folder, true) => 0o2750,
            (Self::Data, true) => 0o2770,
            (Self::Folder | Self::Data, false) => 0o700,
        }
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> InitError {
    let path = path.to_owned();
    move |source| InitError::Write { path, source }
}
