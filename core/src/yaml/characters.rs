//! Characters that do not show, or that change how others show. Nothing in a file may hold them, comments included: a
//! reader would see other text than the program reads ("Trojan Source", CVE-2021-42574).

use icu_properties::props::{BidiControl, DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};

use super::codes::CHARACTER;
use super::lines::lines;
use crate::diagnostic::Diagnostic;

const REMOVE: &str = "a reader sees other text than the program reads: remove the character";

/// The first such character of each line.
pub(super) fn check(source: &str) -> impl Iterator<Item = Diagnostic> {
    lines(source).filter_map(|line| {
        line.text.char_indices().find_map(|(at, character)| finding(line.start + at, character))
    })
}

/// Whether a syntax error is about such a character. Then its line has a finding that explains it better.
pub(super) fn is_about(error: &Diagnostic, source: &str) -> bool {
    let at = error.span.as_ref().map_or(0, |span| span.start);
    let character =
        lines(source).find_map(|line| line.text.get(at.checked_sub(line.start)?..)?.chars().next());
    character.is_some_and(|character| finding(at, character).is_some())
}

fn finding(at: usize, character: char) -> Option<Diagnostic> {
    // At the start of a file, a byte-order mark says that the file is UTF-8. Editors on Windows write it.
    if (at, character) == (0, '\u{feff}') {
        return None;
    }
    let (does, hint) = problem(character)?;
    let message = format!("the character U+{:04X} {does}", u32::from(character));
    Some(Diagnostic::error(CHARACTER, at..at + character.len_utf8(), message).hint(hint))
}

/// What the character does that deceives, and what to do about it.
fn problem(character: char) -> Option<(&'static str, &'static str)> {
    match character {
        ' '..='~' => None,
        '\t' => Some(("is a tab, which has another width in each editor", "write spaces")),
        '\r' => Some((
            "ends the line, and most editors do not show that",
            "end lines with a line feed, or with carriage return and line feed",
        )),
        '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
            Some(("ends the line in some programs and not in others", REMOVE))
        }
        _ if CodePointSetData::new::<BidiControl>().contains(character) => {
            Some(("changes the order in which text is shown", REMOVE))
        }
        _ if is_hidden(character) => Some(("does not show, or not on every computer", REMOVE)),
        _ => None,
    }
}

/// Whether the character is a control or format character, is invisible, or is not a character for everyone (private use,
/// not assigned).
pub(super) fn is_hidden(character: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    GeneralCategoryGroup::Other.contains(category)
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the findings are.
    fn places(source: &str) -> Vec<usize> {
        check(source).map(|found| found.span.unwrap().start).collect()
    }

    #[test]
    fn what_does_not_show_is_found_everywhere() {
        let controls =
            ['\0', '\u{7}', '\u{8}', '\t', '\u{b}', '\u{c}', '\r', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}'];
        let order = ['\u{61c}', '\u{200e}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}'];
        let lines = ['\u{2028}', '\u{2029}'];
        let invisible = [
            '\u{ad}',
            '\u{34f}',
            '\u{115f}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{2060}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{fff9}',
            '\u{e0041}',
            '\u{e0100}',
        ];
        let not_everywhere = ['\u{e000}', '\u{fffe}', '\u{378}', '\u{10ffff}'];
        for character in [&controls[..], &order, &lines, &invisible, &not_everywhere].concat() {
            assert_eq!(places(&format!("# ä{character}b")), [4], "{character:?}");
            assert_eq!(places(&format!("a: b\nc: 'd{character}'\ne: f")), [10], "{character:?}");
        }
    }

    #[test]
    fn what_shows_passes() {
        let source = "\u{feff}# Größe, № 1 → ∑, 数据, Данные, ملخص, שלום, e\u{301}, \u{a0}, 😀\r\nname: x\n";
        assert_eq!(places(source), [0; 0]);
    }

    #[test]
    fn each_line_has_one_finding_and_a_lone_carriage_return_is_one() {
        assert_eq!(places("a\u{200b}\u{200b}\n\nb\rc\r\nd\r"), [1, 10, 15]);
    }
}
