//! The lines of a file, and what in them is easily out of sight.

use super::codes::LAYOUT;
use crate::diagnostic::Diagnostic;

/// What a screen or a printed review shows without scrolling.
const MAX_WIDTH: usize = 160;
/// Enough to align the entries of a list. More push what follows out of sight.
const MAX_SPACES: usize = 40;
/// Enough between two sections. More look like the end of the file.
const MAX_BLANK_LINES: usize = 5;

/// A line without its end.
pub(super) struct Line<'s> {
    /// Where it begins in the file, in bytes.
    pub(super) start: usize,
    pub(super) text: &'s str,
}

/// The lines. A line ends with a line feed, or with carriage return and line feed, as editors on Windows write it.
pub(super) fn lines(source: &str) -> impl Iterator<Item = Line<'_>> {
    let mut next = 0;
    source.split_inclusive('\n').map(move |whole| {
        let start = next;
        next += whole.len();
        Line { start, text: without_end(whole) }
    })
}

fn without_end(whole: &str) -> &str {
    match whole.strip_suffix('\n') {
        Some(text) => text.strip_suffix('\r').unwrap_or(text),
        None => whole,
    }
}

/// Finds what stands far to the right or far below.
pub(super) fn check(source: &str) -> Vec<Diagnostic> {
    let (mut found, mut blank) = (Vec::new(), 0);
    for line in lines(source) {
        found.extend(too_long(&line));
        found.extend(gap(&line));
        blank = if line.text.trim_matches(' ').is_empty() { blank + 1 } else { 0 };
        found.extend((blank == MAX_BLANK_LINES + 1).then(|| many_blank(&line)));
    }
    found
}

fn too_long(line: &Line<'_>) -> Option<Diagnostic> {
    let (at, _) = line.text.char_indices().nth(MAX_WIDTH)?;
    let message = format!("a line has {MAX_WIDTH} characters at most, and this one goes on");
    let rest = line.start + at..line.start + line.text.len();
    Some(
        Diagnostic::error(LAYOUT, rest, message)
            .hint("a reader may not see what stands here: break the line"),
    )
}

fn gap(line: &Line<'_>) -> Option<Diagnostic> {
    let start = line.start + line.text.find(&" ".repeat(MAX_SPACES + 1))?;
    let message = format!("there are more than {MAX_SPACES} spaces in a row");
    let hint = "a reader may not see what follows them: write fewer";
    Some(Diagnostic::error(LAYOUT, start..start + MAX_SPACES + 1, message).hint(hint))
}

fn many_blank(line: &Line<'_>) -> Diagnostic {
    let message = format!("there are more than {MAX_BLANK_LINES} blank lines in a row");
    let hint = "a reader may take them for the end of the file: remove some";
    Diagnostic::error(LAYOUT, line.start..line.start + line.text.len(), message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(source: &str) -> Vec<usize> {
        check(source).into_iter().map(|found| found.span.unwrap().start).collect()
    }

    #[test]
    fn a_line_ends_in_one_of_two_ways() {
        let ends: Vec<_> = lines("a\nb\r\nc\rd\r").map(|line| (line.start, line.text)).collect();
        assert_eq!(ends, [(0, "a"), (2, "b"), (5, "c\rd\r")]);
    }

    #[test]
    fn what_is_far_to_the_right_or_far_below_is_found() {
        let wide = format!("a\n{}", "ü".repeat(160));
        assert_eq!(places(&wide), [0; 0]);
        assert_eq!(places(&format!("{wide}x\n")), [322]);
        assert_eq!(places(&format!("[a,{}b]", " ".repeat(40))), [0; 0]);
        assert_eq!(places(&format!("[a,{}b]", " ".repeat(41))), [3]);
        assert_eq!(places(&format!("a\n{}b", "\r\n".repeat(5))), [0; 0]);
        assert_eq!(places(&format!("a\n{}b", " \n".repeat(6))), [12]);
    }
}
