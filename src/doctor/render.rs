//! The findings as text: a line for each check, and below a warning or failure what to do.

use std::fmt::Write as _;

use super::findings::{Entry, Findings, Outcome, Summary};

/// The widest column of names. A longer name shifts only its own message.
const WIDEST_NAME: usize = 30;

impl Findings {
    /// The text, with a summary at its end.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        let same =
            |one: &Entry, other: &Entry| one.section == other.section && one.consumer == other.consumer;
        for group in self.checks.chunk_by(same) {
            render_group(group, &mut text);
        }
        text + &self.summary.render()
    }
}

fn render_group(group: &[Entry], text: &mut String) {
    let Some(first) = group.first() else { return };
    text.push_str(first.section.title());
    if let Some(consumer) = &first.consumer {
        text.push_str(" of ");
        text.push_str(consumer);
    }
    text.push('\n');
    let names = group.iter().map(|entry| entry.finding.check.chars().count());
    let width = names.filter(|name| *name <= WIDEST_NAME).max().unwrap_or_default();
    group.iter().for_each(|entry| render_entry(entry, width, text));
    text.push('\n');
}

fn render_entry(entry: &Entry, width: usize, text: &mut String) {
    let finding = &entry.finding;
    let outcome = match finding.outcome {
        Outcome::Ok => "ok",
        Outcome::Warn => "warn",
        Outcome::Fail => "FAIL",
        Outcome::Skip => "skip",
    };
    // Writing to a String cannot fail.
    let _infallible = writeln!(text, "  {outcome:<4}  {:<width$}  {}", finding.check, finding.message);
    let arrows = std::iter::once('→').chain(std::iter::repeat(' '));
    for (arrow, line) in arrows.zip(finding.advice.iter().flat_map(|advice| advice.lines())) {
        let _infallible = writeln!(text, "        {arrow} {line}");
    }
}

impl Summary {
    fn render(self) -> String {
        let Self { ok, warn, fail, skip } = self;
        let verdict = match (fail, warn) {
            (0, 0) => "nothing to do",
            (0, _) => "ready; see the warnings",
            _ => "not ready: do what FAIL lines say and run the doctor again",
        };
        format!("{ok} ok, {warn} warn, {fail} fail, {skip} skip: {verdict}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::findings::{Finding, Section};

    #[test]
    fn checks_are_aligned_in_columns_under_their_sections() {
        let mut findings = Findings::default();
        findings.add(Section::Clock, None, [Finding::ok("Graph", "no difference")]);
        let denied = Finding::fail("list-users", "403", "grant it\nand wait");
        findings.add(Section::Endpoints, Some("acme"), [denied, Finding::skip("get-user", "no user")]);
        let expected = "clock\n  ok    Graph  no difference\n\n\
                        endpoints of acme\n  FAIL  list-users  403\n        → grant it\n          and wait\n  \
                        skip  get-user    no user\n\n\
                        1 ok, 0 warn, 1 fail, 1 skip: not ready: do what FAIL lines say and run the doctor again\n";
        assert_eq!(findings.render(), expected);
        assert!(!findings.are_good());
    }

    #[test]
    fn a_warning_is_not_a_failure() {
        let mut findings = Findings::default();
        findings.add(Section::Clock, None, [Finding::warn("Graph", "two minutes", "set it")]);
        assert!(findings.are_good());
        assert!(findings.render().ends_with("0 ok, 1 warn, 0 fail, 0 skip: ready; see the warnings\n"));
    }
}
