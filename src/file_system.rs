//! What the system says of files, for modules that otherwise have nothing in common.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

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

/// Whether no folder has the file any more: it is reached through a mount only, and another file has its name.
pub(crate) fn is_replaced(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|metadata| metadata.nlink() == 0)
}

/// Where something is mounted, as this process sees it. Empty on systems that do not say it (proc_pid_mountinfo(5) is Linux's).
pub(crate) struct Mounts(BTreeSet<PathBuf>);

impl Mounts {
    pub(crate) fn read() -> Self {
        Self::parse(&std::fs::read("/proc/self/mountinfo").unwrap_or_default())
    }

    /// The fifth field of each line is the place.
    fn parse(text: &[u8]) -> Self {
        let lines = text.split(|byte| *byte == b'\n');
        Self(lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4)).map(unescaped).collect())
    }

    /// Whether the file is mounted alone, instead of the folder that it is in.
    pub(crate) fn are_of(&self, file: &Path) -> bool {
        std::fs::canonicalize(file).is_ok_and(|file| self.0.contains(&file))
    }
}

/// A path in which a blank, a tab, a line feed and a backslash are written as `\040` and so on.
fn unescaped(field: &[u8]) -> PathBuf {
    let (mut path, mut rest) = (Vec::with_capacity(field.len()), field);
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *byte == b'\\').and_then(|it| std::str::from_utf8(it).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(escaped) => {
                path.push(escaped);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                path.push(*byte);
                rest = after;
            }
        }
    }
    OsString::from_vec(path).into()
}

/// Writes a new file, which only this account can read, and renames it over the old one: a reader, even after a crash, sees one
/// of the two whole.
pub(crate) fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = file.with_file_name(name);
    let mut options = OpenOptions::new();
    let mut written = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    written.write_all(content)?;
    written.sync_all()?;
    std::fs::rename(new, file)
}

/// The folder that a file is in. That of a bare name is the working directory.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_mounts_are_read_as_the_kernel_escapes_them() {
        let text = b"22 1 0:20 / / rw - ext4 /dev/vda rw\n\
            107 63 254:0 /a\\040b//deleted /etc/my\\040files/a\\134b rw,relatime - ext4 /dev/vda rw\n\n";
        let Mounts(places) = Mounts::parse(text);
        assert_eq!(places, ["/", "/etc/my files/a\\b"].map(PathBuf::from).into());
        assert!(Mounts::parse(b"").0.is_empty() && Mounts::parse(b"short line").0.is_empty());
        for (field, path) in [(&b"\\04"[..], "\\04"), (b"\\999x", "\\999x"), (b"\\", "\\")] {
            assert_eq!(unescaped(field), Path::new(path));
        }
    }

    #[test]
    fn a_bare_name_is_in_the_working_directory() {
        for (file, folder) in
            [("a.jsonl", "."), ("./a.jsonl", "."), ("logs/a.jsonl", "logs"), ("/a.jsonl", "/")]
        {
            assert_eq!(folder_of(Path::new(file)), Path::new(folder), "{file}");
        }
    }
}
