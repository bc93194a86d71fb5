//! The file of an audit log: opened by one process, continued where it ends, and followed when it is moved or deleted.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::chain::{MAX_LINE_BYTES, Position};
use super::mac::MacKey;
use crate::file_system::folder_of;

/// How much of a log's end is read to continue its chain: some records and, after a crash, the torn line.
const TAIL_BYTES: usize = 4 * MAX_LINE_BYTES;

/// Only the proxy's account may read and write the log.
const FILE_MODE: u32 = 0o600;

/// Why an audit log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be opened, created or read.
    #[error("{}: the audit log cannot be opened for appending: {source}{}", path.display(), advice(path, source))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// This program did not write the end of the file.
    #[error("{}: the file does not end like an audit log: name a new file, or move this one away", path.display())]
    NotAnAuditLog {
        /// The file.
        path: PathBuf,
    },
    /// Another process has the file open: two writers would continue the chain from the same line.
    #[error("{}: another process writes to this audit log: give each its own", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The thread that writes the log cannot be started.
    #[error("the thread that writes the audit log cannot be started: {0}")]
    Thread(#[source] io::Error),
}

/// A log's file, open and locked.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// How long the file is: all of it was written before, or by this process.
    length: u64,
}

/// What happened to a log's file since it was last written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing: it is where it was, and as long as it was.
    Same,
    /// It was cut: `copytruncate` of a log rotation, or somebody who wants to hide something.
    Cut,
    /// It was moved, replaced or deleted: another file, or none, has its name.
    Gone,
}

/// Where a file that was opened ends.
pub(super) struct End {
    /// `None` if the file is empty.
    pub(super) position: Option<Position>,
    /// The bytes that make its end whole.
    pub(super) repair: Vec<u8>,
}

impl LogFile {
    /// Opens or creates the file (mode 0600), and finds its end.
    pub(super) fn open(path: &Path, key: Option<&MacKey>) -> Result<(Self, End), OpenError> {
        let failed = |source| OpenError::Io { path: path.to_owned(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(FILE_MODE)
            .open(path)
            .map_err(failed)?;
        // On a file system without locks the log is used unlocked.
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(OpenError::Locked { path: path.to_owned() });
        }
        let (tail, from_start) = read_tail(&mut file).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let own = Self { path: path.to_owned(), file, length };
        if tail.is_empty() {
            return Ok((own, End { position: None, repair: Vec::new() }));
        }
        let base = from_start.then(Position::genesis);
        let ending = Ending::of(&tail, base).filter(Ending::is_bounded);
        let ending = ending.ok_or_else(|| OpenError::NotAnAuditLog { path: path.to_owned() })?;
        let (repair, position) = ending.repair(key);
        Ok((own, End { position: Some(position), repair }))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// When the file was last written.
    pub(super) fn modified(&self) -> io::Result<std::time::SystemTime> {
        self.file.metadata()?.modified()
    }

    /// Appends all bytes with as few calls as the system allows, usually one. With an error comes how many were written.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        write_all(&mut self.file, bytes)?;
        self.length = self.length.saturating_add(len(bytes));
        Ok(())
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Lets the name of a new file survive a power cut. Some file systems cannot do this, and need not.
    pub(super) fn sync_name(&self) {
        if let Ok(folder) = File::open(folder_of(&self.path)) {
            drop(folder.sync_all());
        }
    }

    /// Takes back what a failed write left at the end. False if the system does not allow this, as on a file that can
    /// only be appended to (`chattr +a`).
    pub(super) fn take_back(&self) -> bool {
        match self.file.metadata() {
            // Somebody cut the file. To set its length would fill it up with zeros.
            Ok(now) if now.len() < self.length => true,
            _ => self.file.set_len(self.length).is_ok(),
        }
    }

    /// Takes back this many bytes, which were written last. False if the system does not allow this.
    pub(super) fn drop_end(&mut self, bytes: usize) -> bool {
        let whole = self.length;
        self.length = whole.saturating_sub(u64::try_from(bytes).unwrap_or(u64::MAX));
        let dropped = self.take_back();
        if !dropped {
            self.length = whole;
        }
        dropped
    }

    /// Counts bytes that a failed write left and that stay.
    pub(super) fn keep(&mut self, bytes: usize) {
        self.length = self.length.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// What happened to the open file. Asks nothing about its path.
    pub(super) fn fate(&self) -> io::Result<Fate> {
        let now = self.file.metadata()?;
        Ok(if now.nlink() == 0 {
            Fate::Gone
        } else if now.len() < self.length {
            Fate::Cut
        } else {
            Fate::Same
        })
    }

    /// Whether the path no longer leads to the open file.
    pub(super) fn has_moved(&self) -> io::Result<bool> {
        let own = self.file.metadata()?;
        match std::fs::metadata(&self.path) {
            Ok(there) => Ok(!is_one(&own, &there)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Whether the file ends with these bytes, which were written last.
    pub(super) fn ends_with(&self, bytes: &[u8]) -> io::Result<bool> {
        let length = self.file.metadata()?.len();
        let Some(start) = length.checked_sub(len(bytes)) else { return Ok(false) };
        let mut there = vec![0; bytes.len()];
        self.file.read_exact_at(&mut there, start)?;
        Ok(there == bytes)
    }

    /// Takes the file as it is now: somebody cut it. Returns whether its last line has lost its newline.
    pub(super) fn accept_cut(&mut self) -> io::Result<bool> {
        self.length = self.file.metadata()?.len();
        let Some(last) = self.length.checked_sub(1) else { return Ok(false) };
        let mut there = [0];
        self.file.read_exact_at(&mut there, last)?;
        Ok(there != *b"\n")
    }
}

fn is_one(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Like [`Write::write_all`], and says how many bytes were written before an error.
pub(super) fn write_all(sink: &mut dyn Write, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let written = bytes.len() - rest.len();
        match sink.write(rest) {
            Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}

/// What to do about a log that cannot be opened, as a full sentence.
fn advice(path: &Path, error: &io::Error) -> String {
    let (folder, who) = (folder_of(path).display(), account());
    match error.kind() {
        io::ErrorKind::NotFound => format!(". Create {folder}, writable by {who}."),
        io::ErrorKind::PermissionDenied => {
            format!(". Let {who} write to {} and to {folder}.", path.display())
        }
        io::ErrorKind::ReadOnlyFilesystem => format!(". Mount {folder} writable by {who}."),
        io::ErrorKind::IsADirectory => ". Name a file in it.".to_owned(),
        _ => String::new(),
    }
}

/// The account that this program runs as, for messages.
fn account() -> String {
    #[cfg(target_os = "linux")]
    if let Ok(own) = std::fs::metadata("/proc/self") {
        return format!("uid {}", own.uid());
    }
    "this program's account".to_owned()
}

/// The last [`TAIL_BYTES`] of a file, and whether this is the whole file.
fn read_tail(file: &mut File) -> io::Result<(Vec<u8>, bool)> {
    let bound = u64::try_from(TAIL_BYTES).unwrap_or(u64::MAX);
    let start = file.metadata()?.len().saturating_sub(bound);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(bound).read_to_end(&mut tail)?;
    Ok((tail, start == 0))
}

/// The position after the last whole line of another file of the same log; `None` if it does not end like one.
pub(super) fn position_at_end(path: &Path, key: Option<&MacKey>) -> Option<Position> {
    let (tail, from_start) = read_tail(&mut File::open(path).ok()?).ok()?;
    let ending = Ending::of(&tail, from_start.then(Position::genesis)).filter(Ending::is_bounded)?;
    // Nothing is repaired in a file that is no longer written: its torn line stays without a marker.
    ending.is_whole().then(|| ending.repair(key).1)
}

/// How a log ends: the position after its last whole line, and the bytes that follow.
pub(super) struct Ending<'a> {
    pub(super) position: Position,
    /// An unfinished line.
    pub(super) torn: &'a [u8],
    /// Whether the last byte is a newline.
    pub(super) closed: bool,
    /// The last line, if it lacks only its newline.
    pub(super) unclosed: &'a [u8],
}

impl<'a> Ending<'a> {
    /// `base` is the position before the tail, if it is known. `None` if this is not how an audit log ends.
    pub(super) fn of(tail: &'a [u8], base: Option<Position>) -> Option<Self> {
        let closed = tail.is_empty() || tail.ends_with(b"\n");
        let body = tail.strip_suffix(b"\n").unwrap_or(tail);
        let mut line_end = body.len();
        loop {
            let before = body.get(..line_end)?;
            let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let torn = body.get(line_end..).unwrap_or_default();
            let line = before.get(line_start..)?;
            if let Some(position) = Position::after(line) {
                let unclosed = if torn.is_empty() && !closed { line } else { &[] };
                let torn = torn.strip_prefix(b"\n").unwrap_or(torn);
                return Some(Self { position, torn, closed, unclosed });
            }
            if line_start == 0 {
                return base.map(|position| Self { position, torn: body, closed, unclosed: &[] });
            }
            line_end = line_start - 1;
        }
    }

    /// Whether the torn bytes are no more than a line can have.
    fn is_bounded(&self) -> bool {
        self.torn.len() < MAX_LINE_BYTES
    }

    fn is_whole(&self) -> bool {
        self.torn.is_empty() && self.closed
    }

    /// The bytes to append so that the log is whole again (usually none), and the position after them.
    pub(super) fn repair(self, key: Option<&MacKey>) -> (Vec<u8>, Position) {
        let newline = if self.closed { Vec::new() } else { b"\n".to_vec() };
        if self.torn.is_empty() {
            return (newline, self.position);
        }
        let (marker, next) = self.position.link_torn(self.torn, key);
        ([newline, marker, b"\n".to_vec()].concat(), next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::verify;

    fn line() -> Vec<u8> {
        Position::genesis().link(b"{}", None).0
    }

    fn repair(tail: &[u8]) -> Option<Vec<u8>> {
        let ending = Ending::of(tail, Some(Position::genesis())).filter(Ending::is_bounded);
        ending.map(|ending| ending.repair(None).0)
    }

    #[test]
    fn a_whole_ending_needs_no_repair() {
        assert_eq!(repair(b""), Some(vec![]));
        assert_eq!(repair(&[&line()[..], b"\n"].concat()), Some(vec![]));
        assert_eq!(repair(&line()), Some(b"\n".to_vec()));
    }

    #[test]
    fn a_torn_ending_is_closed_and_marked() {
        let tail = [&line()[..], b"\n{\"seq\":1,"].concat();
        let fixed = String::from_utf8(repair(&tail).unwrap()).unwrap();
        assert!(fixed.starts_with("\n{\"seq\":1,"), "{fixed}");
        assert!(fixed.contains("torn_line"));
        assert!(verify([tail, fixed.into_bytes()].concat().as_slice()).is_ok());
    }

    /// Fault: a crash happens while a cut line is marked. Outcome: the next start marks it, and the log verifies.
    #[test]
    fn a_crash_while_marking_is_marked_too() {
        let tail = [&line()[..], b"\n{\"seq\":1,\n{\"seq\":1,\"prev\":\"ab"].concat();
        let fixed = repair(&tail).unwrap();
        let summary = verify([tail, fixed].concat().as_slice()).unwrap();
        assert_eq!((summary.lines, summary.torn), (2, 1));
    }

    #[test]
    fn a_file_of_something_else_is_left_alone() {
        let other = b"127.0.0.1 - - [GET /]\n".repeat(2_000);
        assert!(repair(&other).is_none());
        assert!(Ending::of(b"127.0.0.1 - -\n", None).is_none());
    }
}
