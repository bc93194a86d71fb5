//! Closed lists: well-known folders, error codes, time zones.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::accepts::folders;
use super::lines::records;

static ERRORS: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| records(include_str!("../../data/errors.txt")).collect());

/// The names that stand for a mail folder's id in a path, in lower case.
pub fn well_known_folders() -> &'static [&'static str] {
    folders()
}

/// The code as this program spells it, if it is one that Graph or what is behind it is known to send.
pub fn known_error_code(code: &str) -> Option<&'static str> {
    ERRORS.get(code).copied()
}

/// The names that Outlook could write for a time zone: Windows and IANA names, spelled as they are there.
pub fn time_zones() -> impl Iterator<Item = &'static str> {
    records(include_str!("../../data/zones.txt"))
}
