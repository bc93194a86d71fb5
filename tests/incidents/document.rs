//! What docs/OPERATIONS.md shows of incidents: for each a table of what log, `/readyz?verbose`, metrics and `doctor` say.

use std::collections::BTreeMap;

const DOCUMENT: &str = include_str!("../../docs/OPERATIONS.md");

/// The places in which an operator looks.
pub(super) const PLACES: [&str; 4] = ["log", "`/readyz?verbose`", "metrics", "`doctor`"];

/// One incident: the lines that each place shows. `…` stands for any text.
pub(super) struct Incident {
    shown: BTreeMap<&'static str, Vec<&'static str>>,
}

/// The text of the section, without its heading.
fn section() -> &'static str {
    let (_, rest) = DOCUMENT.split_once("\n## Incidents by symptom\n").unwrap();
    rest.split("\n## ").next().unwrap()
}

pub(super) fn headings() -> Vec<&'static str> {
    section().lines().filter_map(|line| line.strip_prefix("### ")).collect()
}

impl Incident {
    /// The incident under this heading. Each place has at least one line, in backticks.
    pub(super) fn read(heading: &str) -> Self {
        let (_, rest) =
            section().split_once(&format!("### {heading}\n")).unwrap_or_else(|| panic!("{heading}"));
        let own = rest.split("\n### ").next().unwrap();
        let lines = |place: &'static str| {
            let row = own.lines().find_map(|line| line.strip_prefix(&format!("| {place} | ")));
            let row = row.unwrap_or_else(|| panic!("{heading}: nothing about {place}"));
            let shown: Vec<_> = row.split('`').skip(1).step_by(2).collect();
            assert!(!shown.is_empty(), "{heading}: {place} shows nothing");
            (place, shown)
        };
        Self { shown: PLACES.into_iter().map(lines).collect() }
    }

    /// The lines that `text` does not have.
    pub(super) fn missing_in(&self, place: &str, text: &str) -> Vec<&'static str> {
        self.shown[place].iter().copied().filter(|shown| !has(text, shown)).collect()
    }
}

/// Whether a line of the text has these pieces in their order. Blanks of any number are one.
fn has(text: &str, shown: &str) -> bool {
    let one_blank = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().map(one_blank).any(|line| {
        let mut rest = line.as_str();
        shown.split('…').map(str::trim).all(|piece| match rest.split_once(piece) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    })
}

#[test]
fn pieces_are_found_in_their_order_in_one_line() {
    assert!(has("a\n  x   y 1 z\n", "x y … z") && has("x", "x") && has("x y", "x…y"));
    for (text, shown) in [("x\ny", "x…y"), ("y x", "x…y"), ("x", "y"), ("x y", "xy")] {
        assert!(!has(text, shown), "{shown}");
    }
}
