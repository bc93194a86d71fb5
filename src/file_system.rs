//! What the system says of files, for modules that otherwise have nothing in common.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What shows that a file was changed or replaced. Whoever writes a file can set its modification time, and the new
/// content can be as long as the old. The system sets the time of the change (`ctime`), and a file that takes another's
/// place has its own number.
#[derive(PartialEq, Eq)]
pub(crate) struct Look {
    device: u64,
    inode: u64,
    changed: (i64, i64),
    modified: (i64, i64),
    length: u64,
}

impl Look {
    /// `None` if there is no file that can be looked at.
    pub(crate) fn at(file: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(file).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            length: metadata.len(),
        })
    }
}

/// The folder that a file is in. That of a bare name is the working directory.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_in_the_working_directory() {
        for (file, folder) in
            [("a.jsonl", "."), ("./a.jsonl", "."), ("logs/a.jsonl", "logs"), ("/a.jsonl", "/")]
        {
            assert_eq!(folder_of(Path::new(file)), Path::new(folder), "{file}");
        }
    }
}
