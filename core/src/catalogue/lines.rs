//! The form of the data files: one record a line, words between spaces, `#` for comments.

/// The lines with something on them, without the comments.
pub(super) fn records(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The first word, and the rest.
pub(super) fn first(line: &'static str) -> (&'static str, &'static str) {
    line.split_once(' ').unwrap_or((line, ""))
}
