//! When a log's file is full, it gets a name of its own, and a new file continues its chain.
//!
//! The name is `audit.jsonl.000000104857-20261126`: the `seq` of the file's last line, and the day (UTC) of the rotation. So
//! names sort in the order of the chain, and `audit.jsonl.* audit.jsonl` names all files in their order.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::file_system::folder_of;

/// Digits of a `seq` in a name, so that names sort as numbers do. A million requests a day fill them in 2,700 years.
const SEQ_DIGITS: usize = 12;

/// When the file is rotated, and how many old files are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotate {
    /// The size from which on a file is full, in bytes.
    pub bytes: u64,
    /// How many old files stay. Older ones are deleted.
    pub keep: usize,
    /// Whether a file also ends with its day (UTC).
    pub daily: bool,
}

impl Rotate {
    /// Whether a file of this length, last written at this time, gets no further line.
    pub(super) fn is_due(&self, length: u64, written: Option<SystemTime>, now: Timestamp) -> bool {
        let of_another_day = || {
            let written = written.and_then(|written| Timestamp::try_from(written).ok());
            self.daily && written.is_some_and(|written| day(written) != day(now))
        };
        length > 0 && (length >= self.bytes || of_another_day())
    }
}

/// Gives the file its own name, and returns it.
pub(super) fn set_aside(path: &Path, last_seq: u64, now: Timestamp) -> io::Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{last_seq:0SEQ_DIGITS$}-{}", day(now).strftime("%Y%m%d")));
    let aside = PathBuf::from(name);
    std::fs::rename(path, &aside)?;
    Ok(aside)
}

/// Deletes the oldest files, so that `keep` stay.
pub(super) fn prune(path: &Path, keep: usize) -> io::Result<()> {
    let old = old_files(path)?;
    let surplus = old.len().saturating_sub(keep);
    old.iter().take(surplus).try_for_each(std::fs::remove_file)
}

/// The files of this log that were set aside, the oldest first.
pub(super) fn old_files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = folder_of(path);
    let own = path.file_name().unwrap_or_default();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        if let Some(seq) = seq_in(own, &name) {
            found.push((seq, folder.join(name)));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// The `seq` in the name of a file that was set aside.
fn seq_in(own: &OsStr, name: &OsStr) -> Option<u64> {
    let rest = name.to_str()?.strip_prefix(own.to_str()?)?.strip_prefix('.')?;
    let (seq, date) = rest.split_once('-')?;
    let is_number =
        |text: &str, digits: usize| text.len() >= digits && text.bytes().all(|b| b.is_ascii_digit());
    (is_number(seq, SEQ_DIGITS) && is_number(date, 8) && date.len() == 8).then(|| seq.parse().ok())?
}

fn day(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_in_the_order_of_the_chain_and_nothing_else_is_one() {
        let own = OsStr::new("audit.jsonl");
        let seq = |name: &str| seq_in(own, OsStr::new(name));
        assert_eq!(seq("audit.jsonl.000000000041-20261126"), Some(41));
        assert_eq!(seq("audit.jsonl.1234567890123-20261126"), Some(1_234_567_890_123));
        for other in [
            "audit.jsonl",
            "audit.jsonl.1",
            "audit.jsonl.000000000041-2026112",
            "audit.jsonl.000000000041",
            "other.jsonl.000000000041-20261126",
            "audit.jsonl.000000000041-20261126.gz",
        ] {
            assert_eq!(seq(other), None, "{other}");
        }
    }

    #[test]
    fn a_file_is_full_by_size_or_with_its_day() {
        let rotate = Rotate { bytes: 100, keep: 1, daily: true };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (evening, night) = (at("2026-11-26T23:59:59.9Z"), at("2026-11-27T00:00:00Z"));
        let due = |length, now| rotate.is_due(length, Some(evening.into()), now);
        assert_eq!(
            [due(99, evening), due(100, evening), due(1, night), due(0, night)],
            [false, true, true, false]
        );
        assert!(!Rotate { daily: false, ..rotate }.is_due(1, Some(evening.into()), night));
    }
}
