//! Notices a key file that has nothing in common with the one of before. Its keys make other pseudonyms, and nothing else is
//! wrong with them.
//!
//! When a start or a reload is recorded, its keys are noted in a file beside the audit log. Each replica has an audit log of its
//! own, so none takes another's keys for those of before. If the audit log is no file, the process remembers what itself has
//! served, and a start compares nothing.

use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::events::key;
use crate::audit::Key;
use crate::config::{AuditSink, Source, codes};
use crate::file_system::replace;
use glassine_core::diagnostic::Diagnostic;
use glassine_core::pseudonym::Fingerprint;

/// For how long `doctor` says that all keys were replaced: over a long weekend.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(7 * 24);

const HINT: &str = "if this was not meant, put the right key file back: docs/OPERATIONS.md, \"The keys are others than before\"";

/// The keys that ran last, and the file that has them.
#[derive(Clone, Debug, Default)]
pub(super) struct LastKeys {
    file: Option<PathBuf>,
    noted: Option<Noted>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Noted {
    /// The key ring, the first key first.
    keys: Vec<Key>,
    /// Absent if the keys of before are there again, or were never replaced all at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaced: Option<Replaced>,
}

/// All keys were replaced at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Replaced {
    /// In seconds since 1970.
    at: i64,
    /// Those of before.
    keys: Vec<Key>,
}

impl LastKeys {
    /// Reads what is noted beside the audit log. Without a note, nothing is known.
    pub(super) fn beside(audit: &AuditSink) -> Self {
        let AuditSink::File(log) = audit else { return Self::default() };
        let file = place(log.path());
        let noted = file.as_deref().and_then(|file| {
            read(file).unwrap_or_else(|error| {
                tracing::warn!(file = %file.display(), %error, "which keys ran before is not known: the note cannot be read");
                None
            })
        });
        Self { file, noted }
    }

    /// A warning if none of these keys ran before.
    pub(super) fn finding(&self, source: &Source, keys: &[Fingerprint]) -> Option<Diagnostic> {
        let noted = self.noted.as_ref()?;
        let keys: Vec<_> = keys.iter().map(key).collect();
        let message = format!(
            "none of the keys is one of before, which had {}: tokens that were delivered do not open any more, and new ones do \
             not match them",
            named(&noted.keys)
        );
        (!overlap(&noted.keys, &keys)).then(|| warning(source, message))
    }

    /// A warning if all keys were replaced lately.
    pub(super) fn reminder(&self, source: &Source, now: Timestamp) -> Option<Diagnostic> {
        let replaced = self.noted.as_ref()?.replaced.as_ref()?;
        let at = Timestamp::from_second(replaced.at).ok()?;
        let before = named(&replaced.keys);
        let message = format!(
            "all keys were replaced at {at}; before, there was {before}: tokens of before do not open"
        );
        (now.duration_since(at) < REMEMBERED).then(|| warning(source, message))
    }

    /// Notes the keys that serve from now on.
    pub(super) fn note(&mut self, keys: Vec<Key>, now: Timestamp) {
        let noted = Noted::after(self.noted.take(), keys, now);
        if let Some(file) = &self.file
            && !read(file).is_ok_and(|there| there.as_ref() == Some(&noted))
            && let Err(error) = write(file, &noted)
        {
            tracing::warn!(file = %file.display(), %error, "the keys cannot be noted: the next start does not notice other ones");
        }
        self.noted = Some(noted);
    }

    /// When all keys were replaced at once, in seconds since 1970.
    pub(super) fn replaced_at(&self) -> Option<i64> {
        Some(self.noted.as_ref()?.replaced.as_ref()?.at)
    }
}

impl Noted {
    fn after(before: Option<Self>, keys: Vec<Key>, now: Timestamp) -> Self {
        let replaced = before.and_then(|Self { keys: earlier, replaced }| {
            let replaced = match overlap(&earlier, &keys) {
                true => replaced,
                false if replaced.as_ref().is_some_and(|it| overlap(&it.keys, &keys)) => None,
                false => Some(Replaced { at: now.as_second(), keys: earlier }),
            };
            replaced.filter(|it| !overlap(&it.keys, &keys))
        });
        Self { keys, replaced }
    }
}

/// The place of the note: no name that the audit log's own old files have, nor a pattern for log files. `None` if the log is no
/// regular file.
fn place(log: &Path) -> Option<PathBuf> {
    let is_other = std::fs::metadata(log).is_ok_and(|log| !log.is_file());
    let name = log.file_name()?.to_string_lossy();
    (!is_other).then(|| log.with_file_name(format!("last-keys.{name}.json")))
}

fn read(file: &Path) -> io::Result<Option<Noted>> {
    match std::fs::read(file) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write(file: &Path, noted: &Noted) -> io::Result<()> {
    replace(file, &serde_json::to_vec(noted)?)
}

/// The same id can be that of another key.
fn overlap(some: &[Key], others: &[Key]) -> bool {
    some.iter().any(|key| others.contains(key))
}

fn named(keys: &[Key]) -> String {
    let first = keys.first().map(|key| format!("key {} with the fingerprint {}", key.id, key.fingerprint));
    first.unwrap_or_else(|| "none".to_owned())
}

fn warning(source: &Source, message: String) -> Diagnostic {
    Diagnostic::warning(codes::CONFIG_KEYS, source.span().clone(), message).hint(HINT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(fingerprints: &[&str]) -> Vec<Key> {
        fingerprints.iter().map(|it| Key { id: 'A', fingerprint: (*it).to_owned() }).collect()
    }

    fn replaced_after(rings: &[&[&str]]) -> Option<i64> {
        let mut last = LastKeys::default();
        for (at, ring) in (0..).zip(rings) {
            last.note(keys(ring), Timestamp::from_second(at).unwrap());
        }
        last.replaced_at()
    }

    #[test]
    fn only_keys_that_have_nothing_in_common_count_as_replaced() {
        assert_eq!(replaced_after(&[&["1"]]), None, "the first start");
        assert_eq!(replaced_after(&[&["1"], &["2", "1"], &["2"]]), None, "a rotation");
        assert_eq!(replaced_after(&[&["1"], &["2"]]), Some(1));
        assert_eq!(replaced_after(&[&["1"], &["2"], &["3", "2"]]), Some(1), "what follows does not hide it");
        assert_eq!(replaced_after(&[&["1"], &["2"], &["3"]]), Some(2));
        assert_eq!(replaced_after(&[&["1"], &["2"], &["1"]]), None, "the right ones are back");
        assert_eq!(replaced_after(&[&["1"], &["2"], &["2", "1"]]), None, "and so are they here");
    }

    #[test]
    fn the_note_is_beside_the_log_and_is_not_taken_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("audit.jsonl");
        let file = place(&log).unwrap();
        assert_eq!(file, folder.path().join("last-keys.audit.jsonl.json"));
        assert_eq!(place(Path::new("/dev/null")), None);
        let noted = Noted::after(None, keys(&["1"]), Timestamp::UNIX_EPOCH);
        assert_eq!(read(&file).unwrap(), None);
        write(&file, &noted).unwrap();
        assert_eq!(read(&file).unwrap(), Some(noted));
        std::fs::write(&file, "something else").unwrap();
        assert!(read(&file).is_err());
    }

    /// Keys are noted on each start, on a disk that may be worn: what is there already is not written again.
    #[test]
    fn the_same_keys_are_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("note.json");
        let mut last = LastKeys { file: Some(file.clone()), noted: None };
        let mut noted_at = || {
            last.note(keys(&["1"]), Timestamp::now());
            crate::file_system::Look::at(&file)
        };
        let first = noted_at();
        assert!(first.is_some() && first == noted_at());
    }
}
