//! Where audit lines go: a file or standard output, one whole line per write.
//!
//! When [`AuditLog::write`] returns, the operating system has the record, so a crash of this program loses nothing. A
//! crash of the machine can lose the last seconds: a synchronous disk write per request would cost more than the
//! request.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::chain::{MAX_LINE_BYTES, Position};
use super::event::Event;
use super::record::Record;

/// How much of a log's end is read to continue its chain: some records and, after a crash, the torn line.
const TAIL_BYTES: usize = 4 * MAX_LINE_BYTES;

/// Only the proxy's account may read and write the log.
#[cfg(unix)]
const FILE_MODE: u32 = 0o600;

/// An audit log that is open for writing. Shared by reference between all requests.
pub struct AuditLog {
    state: Mutex<LogFile>,
    failing: AtomicBool,
}

struct LogFile {
    target: Target,
    sink: Box<dyn Write + Send>,
    position: Position,
}

/// Where the lines go. Only a file can be opened again after a failed write.
enum Target {
    File(PathBuf),
    Stream,
}

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
    /// The marker after a torn line could not be built.
    #[error("{}: the audit log cannot be continued", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
}

/// Why a record was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The line could not be written.
    #[error("the audit log cannot be written")]
    Io(#[source] io::Error),
    /// An earlier write failed, and the log cannot be opened again.
    #[error("the audit log cannot be continued")]
    Reopen(#[source] OpenError),
    /// The record could not be encoded.
    #[error("the audit record cannot be encoded")]
    Encode(#[source] serde_json::Error),
    /// The line would be longer than those that [`super::verify`] reads. Only very long names in the files make one.
    #[error("the audit record has more than {} bytes: shorten the names in the files", MAX_LINE_BYTES)]
    TooLong,
}

impl AuditLog {
    /// Opens or creates a log file (mode 0600) and continues its chain.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let (file, position) = open_file(path)?;
        Ok(Self::new(Target::File(path.to_owned()), Box::new(file), position))
    }

    /// Writes to standard output, with a chain that starts now.
    pub fn stdout() -> Self {
        Self::to_stream(Box::new(io::stdout()))
    }

    /// Writes to `sink`, with a chain that starts now.
    pub fn to_stream(sink: Box<dyn Write + Send>) -> Self {
        Self::new(Target::Stream, sink, Position::genesis())
    }

    fn new(target: Target, sink: Box<dyn Write + Send>, position: Position) -> Self {
        let state = LogFile { target, sink, position };
        Self { state: Mutex::new(state), failing: AtomicBool::new(false) }
    }

    /// Writes the record of a request as one line. After a failure, each call first opens the log again, so the log
    /// recovers by itself when the disk has room again.
    pub fn write(&self, record: &Record) -> Result<(), WriteError> {
        self.append(std::slice::from_ref(record))
    }

    /// Writes an event of the service, in one line or several with nothing between them.
    pub fn write_event(&self, event: Event<'_>) -> Result<(), WriteError> {
        self.append(&event.lines())
    }

    fn append(&self, lines: &[impl Serialize]) -> Result<(), WriteError> {
        // A poisoned lock is safe to use: the position only changes after a whole line was written.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = state.append(lines, self.failing.load(Ordering::Acquire));
        self.failing.store(result.is_err(), Ordering::Release);
        result
    }

    /// Whether the last write failed. The proxy then refuses requests (503) rather than serve them unaudited.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }
}

impl LogFile {
    fn append(&mut self, lines: &[impl Serialize], failed_before: bool) -> Result<(), WriteError> {
        if failed_before {
            self.reopen().map_err(WriteError::Reopen)?;
        }
        lines.iter().try_for_each(|line| self.write(line))
    }

    fn write(&mut self, content: &impl Serialize) -> Result<(), WriteError> {
        let (mut line, next) = self.position.link(content).map_err(WriteError::Encode)?;
        line.push(b'\n');
        if line.len() > MAX_LINE_BYTES {
            return Err(WriteError::TooLong);
        }
        self.sink.write_all(&line).map_err(WriteError::Io)?;
        self.sink.flush().map_err(WriteError::Io)?;
        self.position = next;
        Ok(())
    }

    /// Opens the file again; `open_file` repairs the part of a line that the failed write may have left. A stream
    /// cannot be repaired: its next line repeats the sequence number, and `verify` reports a torn line without a
    /// marker.
    fn reopen(&mut self) -> Result<(), OpenError> {
        if let Target::File(path) = &self.target {
            // Close the file first, to release its lock. Nothing is lost in this sink: the next write opens the log
            // first.
            self.sink = Box::new(io::sink());
            let (file, position) = open_file(path)?;
            self.sink = Box::new(file);
            self.position = position;
        }
        Ok(())
    }
}

fn open_file(path: &Path) -> Result<(File, Position), OpenError> {
    let failed = |source| OpenError::Io { path: path.to_owned(), source };
    let mut file = append_options().open(path).map_err(failed)?;
    // On a file system without locks the log is used unlocked.
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(OpenError::Locked { path: path.to_owned() });
    }
    let (tail, from_start) = read_tail(&mut file).map_err(failed)?;
    let not_a_log = || OpenError::NotAnAuditLog { path: path.to_owned() };
    let ending = Ending::of(&tail, from_start).ok_or_else(not_a_log)?;
    let (repair, position) =
        ending.repair().map_err(|source| OpenError::Encode { path: path.to_owned(), source })?;
    file.write_all(&repair).map_err(failed)?;
    Ok((file, position))
}

/// What to do about a log that cannot be opened, as a full sentence.
fn advice(path: &Path, error: &io::Error) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (folder, who) = (folder.display(), account());
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
        return format!("uid {}", std::os::unix::fs::MetadataExt::uid(&own));
    }
    "this program's account".to_owned()
}

fn append_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, FILE_MODE);
    options
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

/// How a log ends: the position after its last whole line, and the bytes that follow.
struct Ending<'a> {
    position: Position,
    torn: &'a [u8],
    /// Whether the last byte is a newline.
    closed: bool,
    /// Whether the last line lacks only its newline.
    lacks_newline: bool,
}

impl<'a> Ending<'a> {
    /// `None` if this is not how an audit log ends.
    fn of(tail: &'a [u8], from_start: bool) -> Option<Self> {
        let closed = tail.is_empty() || tail.ends_with(b"\n");
        let body = tail.strip_suffix(b"\n").unwrap_or(tail);
        let mut line_end = body.len();
        loop {
            let before = body.get(..line_end)?;
            let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let torn = body.get(line_end..).unwrap_or_default();
            if let Some(position) = Position::after(before.get(line_start..)?) {
                let lacks_newline = torn.is_empty() && !closed;
                let torn = torn.strip_prefix(b"\n").unwrap_or(torn);
                return Self::bounded(position, torn, closed, lacks_newline);
            }
            if line_start == 0 {
                return from_start.then(|| Self::bounded(Position::genesis(), body, closed, false)).flatten();
            }
            line_end = line_start - 1;
        }
    }

    fn bounded(position: Position, torn: &'a [u8], closed: bool, lacks_newline: bool) -> Option<Self> {
        (torn.len() < MAX_LINE_BYTES).then_some(Self { position, torn, closed, lacks_newline })
    }

    /// The bytes to append so that the log is whole again (usually none), and the position after them.
    fn repair(self) -> Result<(Vec<u8>, Position), serde_json::Error> {
        let newline = if self.closed { Vec::new() } else { b"\n".to_vec() };
        if self.torn.is_empty() || self.lacks_newline {
            return Ok((newline, self.position));
        }
        let (marker, next) = self.position.link_torn(self.torn)?;
        Ok(([newline, marker, b"\n".to_vec()].concat(), next))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde::Serialize;

    use super::*;
    use crate::audit::{Guard, Outcome};

    #[derive(Serialize)]
    struct Empty {}

    fn line() -> Vec<u8> {
        Position::genesis().link(&Empty {}).unwrap().0
    }

    fn repair(tail: &[u8]) -> Option<Vec<u8>> {
        Ending::of(tail, true).map(|ending| ending.repair().unwrap().0)
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
        assert!(crate::audit::verify([tail, fixed.into_bytes()].concat().as_slice()).is_ok());
    }

    /// Fault: a crash happens while a cut line is marked. Outcome: the next start marks it, and the log verifies.
    #[test]
    fn a_crash_while_marking_is_marked_too() {
        let tail = [&line()[..], b"\n{\"seq\":1,\n{\"seq\":1,\"prev\":\"ab"].concat();
        let fixed = repair(&tail).unwrap();
        let summary = crate::audit::verify([tail, fixed].concat().as_slice()).unwrap();
        assert_eq!((summary.lines, summary.torn), (2, 1));
    }

    #[test]
    fn a_file_of_something_else_is_left_alone() {
        let other = b"127.0.0.1 - - [GET /]\n".repeat(2_000);
        assert!(repair(&other).is_none());
        assert!(Ending::of(b"127.0.0.1 - -\n", false).is_none());
    }

    /// A disk that fills up in the middle of a line.
    struct HalfFull(PathBuf);

    impl Write for HalfFull {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            let half = buf.len() / 2;
            OpenOptions::new().append(true).open(&self.0)?.write_all(&buf[..half])?;
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_failed_in_the_middle_of_a_line_recovers_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.jsonl");
        std::fs::write(&path, [&line()[..], b"\n"].concat()).unwrap();
        let position = Position::after(&line()).unwrap();
        let sink = Box::new(HalfFull(path.clone()));
        let log = Arc::new(AuditLog::new(Target::File(path.clone()), sink, position));
        let end_one = || Guard::begin(Arc::clone(&log), "id".to_owned(), "GET").finish(Outcome::Complete);

        end_one();
        assert!(log.is_failing());
        end_one();
        assert!(!log.is_failing());
        let summary = crate::audit::verify(std::fs::read(&path).unwrap().as_slice()).unwrap();
        assert_eq!((summary.lines, summary.torn), (3, 1));
    }
}
