//! What the writer writes to: a file or a stream, and the chain of its lines.
//!
//! [`Output::append`] writes a group of lines with one call. When it returns `Ok`, all are in the log; otherwise
//! [`Failed`] says how many are. What a failed write left of a line is taken back, or a marker follows it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

use super::chain::{CONTINUED, Position, encode};
use super::file::{End, Ending, Fate, LogFile, OpenError, position_at_end, write_all};
use super::log::{Clock, SyncMode, WriteError};
use super::mac::MacKey;
use super::rotation::{self, Rotate};
use glassine_core::diagnostic::Causes;

/// How often the path is looked at: a file that was moved or deleted gets no record for longer than this.
const LOOK: Duration = Duration::from_millis(100);

/// The time between two tries to rotate. Meanwhile the file grows on.
const ROTATE_AGAIN: Duration = Duration::from_secs(60);

/// How often data is synchronized with `sync: interval`.
pub(super) const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Where lines go, with everything that decides how.
pub(super) struct Output {
    sink: Sink,
    /// After the last whole line.
    position: Position,
    /// What failed writes left after the last whole line and could not be taken back.
    unrepaired: Vec<u8>,
    /// Whether the next line is the first one of a file that continues a chain.
    begins_file: bool,
    key: Option<MacKey>,
    sync: SyncMode,
    rotate: Option<Rotate>,
    clock: Clock,
    /// When the path was last looked at; `None` after a look that found it moved, until the log goes on elsewhere.
    looked: Option<Instant>,
    /// When a rotation that failed may be tried again.
    rotate_from: Option<Instant>,
    /// When lines were last synchronized.
    synced: Instant,
    /// Whether lines were written since.
    is_dirty: bool,
    /// How many files were begun.
    pub(super) rotations: u64,
}

enum Sink {
    File(LogFile),
    Stream(Box<dyn Write + Send>),
}

/// A group that is not whole in the log.
pub(super) struct Failed {
    /// How many of its lines are in the log all the same.
    pub(super) written: usize,
    pub(super) error: WriteError,
}

impl From<WriteError> for Failed {
    fn from(error: WriteError) -> Self {
        Self { written: 0, error }
    }
}

/// Linked lines.
struct Group {
    bytes: Vec<u8>,
    end: Position,
    /// How many lines this program added to those of the caller, in front of them.
    added: u64,
}

#[derive(Serialize)]
struct Continued {
    time: String,
    event: &'static str,
}

/// What an output needs besides its place.
pub(super) struct Settings {
    pub(super) key: Option<MacKey>,
    pub(super) sync: SyncMode,
    pub(super) rotate: Option<Rotate>,
    pub(super) clock: Clock,
}

impl Output {
    pub(super) fn file(path: PathBuf, settings: Settings) -> Result<Self, OpenError> {
        let (file, end) = LogFile::open(&path, settings.key.as_ref())?;
        // After a crash between two files, or if an operator moved this one away, the newest old file has the chain's end.
        let is_empty = end.position.is_none();
        let before = is_empty.then(|| newest(&path, settings.key.as_ref())).flatten();
        let begins_file = before.is_some();
        let position = end.position.or(before).unwrap_or_else(Position::genesis);
        let mut output = Self { begins_file, ..Self::new(Sink::File(file), position, settings) };
        if let Sink::File(file) = &mut output.sink {
            file.append(&end.repair).map_err(|(_, source)| OpenError::Io { path, source })?;
        }
        Ok(output)
    }

    pub(super) fn stream(sink: Box<dyn Write + Send>, settings: Settings) -> Self {
        Self::new(Sink::Stream(sink), Position::genesis(), settings)
    }

    fn new(sink: Sink, position: Position, settings: Settings) -> Self {
        let Settings { key, sync, rotate, clock } = settings;
        let now = Instant::now();
        Self {
            sink,
            position,
            unrepaired: Vec::new(),
            begins_file: false,
            key,
            sync,
            rotate,
            clock,
            looked: Some(now),
            rotate_from: None,
            synced: now,
            is_dirty: false,
            rotations: 0,
        }
    }

    /// Seals all later lines with this key.
    pub(super) fn set_key(&mut self, key: Option<MacKey>) {
        self.key = key;
    }

    /// Appends lines, given as JSON objects without their links.
    pub(super) fn append(&mut self, contents: &[&[u8]]) -> Result<(), Failed> {
        self.look(false)?;
        self.rotate_if_due();
        loop {
            let group = self.link(contents);
            if let Err((written, error)) = self.write(&group.bytes) {
                return Err(self.undo(&group, written, error));
            }
            // A file that is deleted or cut just now has none of the group: it is written again. Each turn of this loop is
            // the deed of somebody else, so it ends.
            if self.has(&group)? {
                return self.settle(group);
            }
        }
    }

    /// Looks at once whether the file was moved, as a hangup asks.
    pub(super) fn reopen(&mut self) -> Result<(), WriteError> {
        self.look(true)
    }

    /// What an idle log needs: to follow its file. Cheap enough to do often.
    pub(super) fn look_after(&mut self) -> Result<(), WriteError> {
        self.look(false)
    }

    /// Synchronizes what was written since the last time, if it is time.
    pub(super) fn sync_if_due(&mut self) -> Result<(), WriteError> {
        let is_due = self.sync == SyncMode::Interval && self.is_dirty && self.synced.elapsed() >= SYNC_EVERY;
        if is_due { self.sync() } else { Ok(()) }
    }

    /// Whether lines wait for the next synchronization.
    pub(super) fn is_unsynced(&self) -> bool {
        self.sync == SyncMode::Interval && self.is_dirty
    }

    /// Synchronizes what was written, unless the operating system decides when.
    pub(super) fn sync(&mut self) -> Result<(), WriteError> {
        if self.sync == SyncMode::None || !self.is_dirty {
            return Ok(());
        }
        if let Sink::File(file) = &self.sink {
            file.sync().map_err(WriteError::Sync)?;
        }
        (self.synced, self.is_dirty) = (Instant::now(), false);
        Ok(())
    }

    fn link(&self, contents: &[&[u8]]) -> Group {
        let ending = Ending::of(&self.unrepaired, Some(self.position.clone()));
        let repaired = ending.map(|ending| ending.repair(self.key.as_ref()));
        let (mut bytes, mut end) = repaired.unwrap_or_else(|| (Vec::new(), self.position.clone()));
        let first = self.begins_file.then(|| self.first_line());
        let added = u64::from(end != self.position) + u64::from(first.is_some());
        for content in first.as_deref().into_iter().chain(contents.iter().copied()) {
            let (line, next) = end.link(content, self.key.as_ref());
            bytes.extend_from_slice(&line);
            bytes.push(b'\n');
            end = next;
        }
        Group { bytes, end, added }
    }

    /// Its `seq` and `prev` are those after the last line of the file before.
    fn first_line(&self) -> Vec<u8> {
        let time = format!("{:.3}", self.clock.now());
        // There are only texts, so this cannot fail.
        encode(&Continued { time, event: CONTINUED }).unwrap_or_else(|_| b"{}".to_vec())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        match &mut self.sink {
            Sink::File(file) => file.append(bytes),
            Sink::Stream(sink) => {
                write_all(sink.as_mut(), bytes)?;
                // A stream that cannot be flushed may have lost all of it, or nothing.
                sink.flush().map_err(|error| (bytes.len(), error))
            }
        }
    }

    /// Whether the file has the group that was just written. If not, the output is ready to write it again.
    fn has(&mut self, group: &Group) -> Result<bool, WriteError> {
        let Sink::File(file) = &mut self.sink else { return Ok(true) };
        match file.fate().map_err(WriteError::Io)? {
            Fate::Same => Ok(true),
            // It was cut before the write: the group stands where the file begins now.
            Fate::Cut if file.ends_with(&group.bytes).map_err(WriteError::Io)? => {
                file.accept_cut().map_err(WriteError::Io)?;
                Ok(true)
            }
            Fate::Cut | Fate::Gone => {
                self.follow()?;
                Ok(false)
            }
        }
    }

    fn settle(&mut self, group: Group) -> Result<(), Failed> {
        self.is_dirty = true;
        if self.sync == SyncMode::Each
            && let Err(error) = self.sync()
        {
            // The lines are in the file. Whether they are on the disk, nobody knows.
            return Err(self.unsynced(&group, error));
        }
        self.position = group.end;
        self.unrepaired.clear();
        self.begins_file = false;
        Ok(())
    }

    /// Takes the group back. If this is not possible, its lines count as written.
    fn unsynced(&mut self, group: &Group, error: WriteError) -> Failed {
        if let Sink::File(file) = &mut self.sink
            && file.drop_end(group.bytes.len())
        {
            return error.into();
        }
        let written = group.end.seq.saturating_sub(self.position.seq).saturating_sub(group.added);
        self.position = group.end.clone();
        self.unrepaired.clear();
        self.begins_file = false;
        Failed { written: usize::try_from(written).unwrap_or(usize::MAX), error }
    }

    /// Takes back what a failed write left, or notes it for a marker.
    fn undo(&mut self, group: &Group, written: usize, error: io::Error) -> Failed {
        let error = WriteError::Io(error);
        if let Sink::File(file) = &mut self.sink {
            if file.take_back() {
                return error.into();
            }
            file.keep(written);
        }
        let before = self.position.seq;
        self.unrepaired.extend_from_slice(group.bytes.get(..written).unwrap_or(&group.bytes));
        let left = std::mem::take(&mut self.unrepaired);
        if let Some(ending) = Ending::of(&left, Some(self.position.clone())) {
            let newline: &[u8] = if ending.closed && !ending.torn.is_empty() { b"\n" } else { b"" };
            self.unrepaired = [ending.unclosed, ending.torn, newline].concat();
            self.position = ending.position;
        }
        let lines = self.position.seq.saturating_sub(before);
        self.begins_file &= lines == 0;
        Failed { written: usize::try_from(lines.saturating_sub(group.added)).unwrap_or(usize::MAX), error }
    }

    /// Follows the file if it was cut, moved or deleted.
    fn look(&mut self, at_once: bool) -> Result<(), WriteError> {
        let Sink::File(file) = &self.sink else { return Ok(()) };
        let mut fate = file.fate().map_err(WriteError::Io)?;
        if at_once || self.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            self.looked = Some(Instant::now());
            if file.has_moved().map_err(WriteError::Io)? {
                fate = Fate::Gone;
            }
        }
        if fate == Fate::Same { Ok(()) } else { self.follow().inspect_err(|_| self.looked = None) }
    }

    /// Goes on in the file that has the path now. Its first line continues the chain.
    fn follow(&mut self) -> Result<(), WriteError> {
        let Sink::File(file) = &mut self.sink else { return Ok(()) };
        if file.fate().map_err(WriteError::Io)? == Fate::Cut && !file.has_moved().map_err(WriteError::Io)? {
            if file.accept_cut().map_err(WriteError::Io)? {
                file.append(b"\n").map_err(|(_, error)| WriteError::Io(error))?;
            }
            self.unrepaired.clear();
            self.begins_file = true;
            return Ok(());
        }
        let path = file.path().to_owned();
        let (file, end) = LogFile::open(&path, self.key.as_ref()).map_err(WriteError::Reopen)?;
        self.adopt(file, end)
    }

    /// Goes on in this file.
    fn adopt(&mut self, mut file: LogFile, end: End) -> Result<(), WriteError> {
        file.append(&end.repair).map_err(|(_, error)| WriteError::Io(error))?;
        // A file that has lines has a chain of its own, which goes on: two chains in one file would break it.
        if let Some(position) = end.position {
            self.position = position;
        }
        if self.sync != SyncMode::None {
            file.sync_name();
        }
        self.sink = Sink::File(file);
        self.unrepaired.clear();
        self.begins_file = true;
        self.rotations += 1;
        tracing::info!("the audit log goes on in a new file");
        Ok(())
    }

    fn rotate_if_due(&mut self) {
        let (Some(rotate), Sink::File(file)) = (self.rotate, &self.sink) else { return };
        let now = self.clock.now();
        if self.rotate_from.is_some_and(|from| Instant::now() < from)
            || !rotate.is_due(file.length(), file.modified().ok(), now)
        {
            return;
        }
        match self.rotate(rotate, now) {
            Ok(()) => self.rotate_from = None,
            Err(error) => {
                self.rotate_from = Some(Instant::now() + ROTATE_AGAIN);
                tracing::error!(error = %Causes(&error), "the audit log cannot be rotated; its file grows on");
            }
        }
    }

    fn rotate(&mut self, rotate: Rotate, now: Timestamp) -> Result<(), WriteError> {
        self.sync()?;
        let Sink::File(file) = &self.sink else { return Ok(()) };
        let path = file.path().to_owned();
        let last = self.position.seq.saturating_sub(1);
        let aside = rotation::set_aside(&path, last, now).map_err(WriteError::Io)?;
        let (file, end) = match LogFile::open(&path, self.key.as_ref()) {
            Ok(opened) => opened,
            Err(error) => {
                // The open file goes on under its old name. If this fails too, the next look finds it moved.
                std::fs::rename(&aside, &path).map_err(WriteError::Io)?;
                return Err(WriteError::Reopen(error));
            }
        };
        self.adopt(file, end)?;
        rotation::prune(&path, rotate.keep).map_err(WriteError::Io)
    }
}

/// The position after the newest file that was set aside.
fn newest(path: &std::path::Path, key: Option<&MacKey>) -> Option<Position> {
    position_at_end(rotation::old_files(path).ok()?.last()?, key)
}
