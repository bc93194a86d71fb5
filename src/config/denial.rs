//! Why the system does not let this program read a file, in numbers: in a container, names of users are not those of the host.

use std::fmt;
use std::path::Path;

/// Who may not read a file, and whose the file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Denial {
    reader: Option<u32>,
    /// The owner and the permission bits. Unknown if a folder on the way is closed.
    file: Option<(u32, u32)>,
}

impl Denial {
    #[cfg(unix)]
    pub(super) fn of(path: &Path) -> Self {
        use std::os::unix::fs::MetadataExt;
        let metadata = |path: &Path| std::fs::metadata(path).ok();
        // A process owns its folder in /proc.
        let reader = metadata(Path::new("/proc/self")).map(|process| process.uid());
        Self { reader, file: metadata(path).map(|file| (file.uid(), file.mode() & 0o7777)) }
    }

    #[cfg(not(unix))]
    pub(super) fn of(_path: &Path) -> Self {
        Self::default()
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reader {
            Some(uid) => write!(out, "this program runs as uid {uid} and may not read the file")?,
            None => write!(out, "this program may not read the file")?,
        }
        match self.file {
            Some((owner, mode)) => {
                write!(out, ", which is owned by uid {owner} and has mode {mode:04o}; change either")
            }
            None => write!(out, "; check the owner and mode of the folders above it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::Denial;

    #[test]
    fn the_numbers_are_those_of_the_process_and_of_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o640)).unwrap();
        let own = std::fs::metadata(file.path()).unwrap().uid();
        assert_eq!(Denial::of(file.path()), Denial { reader: Some(own), file: Some((own, 0o640)) });
    }

    #[test]
    fn a_reader_learns_whose_the_file_is() {
        let denial = Denial { reader: Some(65532), file: Some((0, 0o600)) };
        let said = "this program runs as uid 65532 and may not read the file, which is owned by uid 0 and has mode 0600; change either";
        assert_eq!(denial.to_string(), said);
        let closed = Denial { reader: Some(65532), file: None };
        let said = "this program runs as uid 65532 and may not read the file; check the owner and mode of the folders above it";
        assert_eq!(closed.to_string(), said);
    }
}
