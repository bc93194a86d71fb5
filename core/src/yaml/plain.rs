//! The spelling of files that people sign: each value is written as it is read. Names and values are ASCII without
//! escapes, each on one line. Only text for people may have other letters and several lines.

use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle};

use super::characters::is_hidden;
use super::codes::{ESCAPE, LETTER, PLAIN};
use super::node::place_of;
use crate::diagnostic::{Code, Diagnostic};

/// Where a file has text for people.
#[derive(Clone, Copy, Debug)]
pub struct Prose {
    /// The keys that lead to it, with `*` for any key and any item of a list.
    pub path: &'static [&'static str],
    /// Whether it may go on over several lines.
    pub several_lines: bool,
}

/// Finds names and values that are not written plainly.
pub(super) fn check(source: &str, prose: &[Prose]) -> Result<Vec<Diagnostic>, ScanError> {
    let mut walk = Walk { source, prose, open: Vec::new(), found: Vec::new() };
    for event in Parser::new_from_str(source) {
        let (event, span) = event?;
        walk.event(&event, &span);
    }
    Ok(walk.found)
}

struct Walk<'s> {
    source: &'s str,
    prose: &'s [Prose],
    /// The collections around this place, outermost first.
    open: Vec<Collection>,
    found: Vec<Diagnostic>,
}

struct Collection {
    /// Where it is in the collection; `None` in front of a mapping's key.
    step: Option<String>,
    is_mapping: bool,
    /// Where it begins, if it is in brackets or braces.
    bracket: Option<Span>,
}

/// The step to any item of a list.
const ITEM: &str = "*";

impl Walk<'_> {
    fn event(&mut self, event: &Event<'_>, span: &Span) {
        match event {
            Event::Scalar(text, style, ..) => {
                self.scalar(*style, place_of(span));
                self.node(text);
            }
            Event::Alias(_) => self.node(""),
            Event::SequenceStart(style, ..) => self.start(*style, false, span),
            Event::MappingStart(style, ..) => self.start(*style, true, span),
            Event::SequenceEnd | Event::MappingEnd => {
                self.end(span);
                self.node("");
            }
            _ => {}
        }
    }

    /// A node is complete: a key, the value of one, or an item.
    fn node(&mut self, text: &str) {
        if let Some(around) = self.open.last_mut().filter(|around| around.is_mapping) {
            around.step = if around.step.is_none() { Some(text.to_owned()) } else { None };
        }
    }

    fn start(&mut self, style: StructureStyle, is_mapping: bool, span: &Span) {
        let step = (!is_mapping).then(|| ITEM.to_owned());
        let bracket = (style == StructureStyle::Flow).then_some(*span);
        self.open.push(Collection { step, is_mapping, bracket });
    }

    fn end(&mut self, span: &Span) {
        let Some(bracket) = self.open.pop().and_then(|ended| ended.bracket) else { return };
        let is_outermost = self.open.iter().all(|around| around.bracket.is_none());
        if is_outermost && bracket.start.line() != span.start.line() {
            let message = "brackets and braces close on the line that opens them";
            let hint = "inside them indentation has no meaning: write one entry a line, with `-` or `key:`";
            self.error(PLAIN, place_of(&bracket), message, hint);
        }
    }

    fn scalar(&mut self, style: ScalarStyle, place: Range<usize>) {
        let written = self.source.get(place.clone()).unwrap_or_default();
        if let Some(at) = written.find('\\').filter(|_| style == ScalarStyle::DoubleQuoted) {
            let hint = "write the character itself; in single quotes a backslash is a backslash";
            let escape = place.start + at..place.start + at + 2;
            self.error(ESCAPE, escape, "an escape stands for another character", hint);
        }
        let prose = self.prose.iter().find(|prose| self.is_at(prose.path));
        if prose.is_none() {
            self.names(written, style, &place);
        }
        if prose.is_some_and(|prose| prose.several_lines) {
            self.lines(written, style, place.start);
        } else {
            self.one_line(written, style, &place);
        }
    }

    /// Whether these keys lead to the value that is read.
    fn is_at(&self, path: &[&str]) -> bool {
        let is_on = |(here, step): (&Collection, &&str)| {
            here.step.as_deref().is_some_and(|own| *step == ITEM || *step == own)
        };
        path.len() == self.open.len() && self.open.iter().zip(path).all(is_on)
    }

    /// Text may go on over several lines, which must not look like rules.
    fn lines(&mut self, written: &str, style: ScalarStyle, start: usize) {
        // The first line of other styles stands behind its key.
        let mut is_own_line = is_block(style);
        let mut next = start;
        for line in written.split_inclusive('\n') {
            let text = line.trim();
            if is_own_line && is_like_a_rule(text) {
                let at = next + line.find(text).unwrap_or_default();
                let hint = "it is text and has no effect: begin the line with another word";
                self.error(PLAIN, at..at + text.len(), "this line of text looks like a rule", hint);
            }
            is_own_line = true;
            next += line.len();
        }
    }

    fn one_line(&mut self, written: &str, style: ScalarStyle, place: &Range<usize>) {
        if is_block(style) || written.contains('\n') {
            let first = written.lines().next().unwrap_or_default().len();
            let hint = format!("only {} may have several lines", self.texts(|text| text.several_lines));
            self.error(PLAIN, place.start..place.start + first, "a value stands on one line", &hint);
        }
    }

    fn names(&mut self, written: &str, style: ScalarStyle, place: &Range<usize>) {
        if let Some(at) = written.find('#').filter(|_| style == ScalarStyle::Plain) {
            let hint = "put a space before the `#`, or the value in quotes";
            let sign = place.start + at..place.start + at + 1;
            self.error(PLAIN, sign, "this `#` is part of the value and begins no comment", hint);
        }
        let mut letters = written.char_indices();
        if let Some((at, letter)) = letters.find(|(_, letter)| !letter.is_ascii() && !is_hidden(*letter)) {
            let at = place.start + at..place.start + at + letter.len_utf8();
            let message = format!("the character U+{:04X} can look like another one", u32::from(letter));
            let hint = format!(
                "names and values are ASCII; other letters are for comments, {}",
                self.texts(|_| true)
            );
            self.error(LETTER, at, message, &hint);
        }
    }

    /// The keys of these texts, for a message.
    fn texts(&self, are_these: fn(&Prose) -> bool) -> String {
        let keys = self.prose.iter().filter(|text| are_these(text)).filter_map(|text| text.path.last());
        keys.map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
    }

    fn error(&mut self, code: Code, place: Range<usize>, message: impl Into<String>, hint: &str) {
        self.found.push(Diagnostic::error(code, place, message).hint(hint));
    }
}

/// `|` and `>`.
fn is_block(style: ScalarStyle) -> bool {
    matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
}

/// Whether a line begins as an entry, a key or a comment does.
fn is_like_a_rule(line: &str) -> bool {
    let is_entry = line == "-" || line.starts_with("- ") || line.starts_with('#');
    let is_key = line.split_once(':').is_some_and(|(key, rest)| {
        key.starts_with(|first: char| first.is_ascii_lowercase() || matches!(first, '$' | '"' | '\''))
            && !key.contains(' ')
            && (rest.is_empty() || rest.starts_with(' '))
    });
    is_entry || is_key
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROSE: &[Prose] = &[
        Prose { path: &["title"], several_lines: false },
        Prose { path: &["list", "*", "why"], several_lines: true },
    ];

    /// The codes, each with the text that it is about.
    fn found(source: &str) -> Vec<(&'static str, &str)> {
        let found = check(source, PROSE).unwrap();
        found.into_iter().map(|it| (it.code.as_str(), source.get(it.span.unwrap()).unwrap())).collect()
    }

    #[test]
    fn values_are_ascii_without_escapes_on_one_line() {
        assert_eq!(found(r#"a: "s\u0075b""#), [("G0009", r"\u")]);
        assert_eq!(found(r#""\x61": b"#), [("G0009", r"\x")]);
        assert_eq!(found("a: [$.bоdy]"), [("G0008", "о")]);
        assert_eq!(found("kеep: b"), [("G0008", "е")]);
        assert_eq!(found("a: b\u{a0}# c"), [("G0010", "#"), ("G0008", "\u{a0}")]);
        for several in ["a: >-\n  b\n  c\n", "a: |\n  b\n", "a: b\n  c\n", "a: 'b\n  c'\n", "a: \"b\n  c\"\n"]
        {
            assert_eq!(found(several).len(), 1, "{several}");
            assert_eq!(found(several)[0].0, "G0010", "{several}");
        }
        assert_eq!(found("a: b#c"), [("G0010", "#")]);
    }

    #[test]
    fn plain_values_pass() {
        for source in [
            "a: '\\d+ # x'\n",
            "a: \"$['b']\"\n'c': 'it''s' # ü\n",
            "a: (?<x>\\d+)\n",
            "a: [b, { c: d }] # [\ne:\n  - f\n",
            "a: &b [c]\nd: *b\ne: f\n",
            "title: Größe\nlist:\n  - { why: \"Für alle\", name: b }\n  - why: >-\n      Für\n      alle, nun\n",
        ] {
            assert_eq!(found(source), [], "{source}");
        }
    }

    #[test]
    fn brackets_close_on_their_line() {
        assert_eq!(found("a: [b,\n  { c: d,\n  e: f }]\n"), [("G0010", "[")]);
        assert_eq!(found("a: [{ b: c },\n  [d]]\n"), [("G0010", "[")]);
    }

    #[test]
    fn prose_is_where_it_is_said_to_be() {
        assert_eq!(found("title:\n  title: ü\n"), [("G0008", "ü")]);
        assert_eq!(found("list:\n  why: ü\n"), [("G0008", "ü")]);
        assert_eq!(found("list:\n  - name: ü\n    why: ü\n"), [("G0008", "ü")]);
        assert_eq!(found("title: x\nname: ü\n"), [("G0008", "ü")]);
        assert_eq!(found("tütle: x\n"), [("G0008", "ü")]);
        assert_eq!(found(r#"title: "a\u202eb""#), [("G0009", r"\u")]);
    }

    #[test]
    fn prose_that_looks_like_rules_is_found() {
        let source = "list:\n- why: |\n    Text.\n    redact:\n      - $.subject\n    # no\n    Note: fine\n    when: no\n    and so on: fine\n";
        let lines: Vec<_> = found(source).into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, ["redact:", "- $.subject", "# no", "when: no"]);
        assert_eq!(found("list:\n- why: >-\n    redact: [$.subject]\n"), [("G0010", "redact: [$.subject]")]);
        assert_eq!(found("list:\n- why: \"Text.\n    - $.subject\"\n"), [("G0010", "- $.subject\"")]);
        assert_eq!(found("title: |\n  Text.\n")[0].0, "G0010");
    }
}
