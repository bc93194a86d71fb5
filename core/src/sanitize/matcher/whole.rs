//! Strings that have to be seen whole: they leave if they are of their line's kind, or in another form.

use super::super::place::{Effect, Passage};
use super::super::transform::{self, Outcome};
use super::{MAX_CAPTURE, Matcher, Text, Violation};
use crate::graph::is_time;
use crate::rules::automaton::{Leaf, NodeId};
use crate::rules::plan::{Kept, Word};

impl Matcher {
    /// A string that is there as a whole.
    #[inline]
    pub(super) fn whole(&mut self, passage: Passage, text: &str) -> Result<(), Violation> {
        match passage {
            Passage::Time if is_time(text) => {
                self.counters.kept += 1;
                self.open_value();
                // No character of a time has to be escaped.
                self.out.reserve(text.len() + 2);
                self.out.push(b'"');
                self.out.extend_from_slice(text.as_bytes());
                self.out.push(b'"');
                Ok(())
            }
            Passage::Time => self.not_understood(Effect::String(passage)),
            Passage::Word(node) => self.word(node, text),
            Passage::Transform(node) => self.transform(node, text),
            Passage::Header(part) => {
                self.part_of_header(part, text);
                Ok(())
            }
        }
    }

    fn word(&mut self, node: NodeId, text: &str) -> Result<(), Violation> {
        let mark = self.out.len();
        let had_children = self.open_value();
        let Some(word) = found(&self.context.body.automaton.node(node).leaf, text) else {
            self.take_back(mark, had_children);
            return self.not_understood(Effect::String(Passage::Word(node)));
        };
        self.out.extend_from_slice(word.json());
        self.counters.kept += 1;
        Ok(())
    }

    fn transform(&mut self, node: NodeId, text: &str) -> Result<(), Violation> {
        let mark = self.out.len();
        let had_children = self.open_value();
        let Leaf::Transform(transform) = &self.context.body.automaton.node(node).leaf else {
            self.take_back(mark, had_children);
            return Ok(());
        };
        let outcome = transform::apply(transform, text, &self.context, &mut self.out, &mut self.reserved);
        if outcome == Ok(Outcome::Written) {
            self.counters.transformed += 1;
            return Ok(());
        }
        self.take_back(mark, had_children);
        outcome?;
        self.not_understood(Effect::String(Passage::Transform(node)))
    }

    /// A captured string has ended.
    pub(super) fn captured(&mut self, passage: Passage) -> Result<(), Violation> {
        let captured = std::mem::take(&mut self.captured);
        let outcome = self.whole(passage, &captured);
        self.captured = captured;
        self.captured.clear();
        outcome
    }

    pub(super) fn capture(&mut self, passage: Passage, part: &str) {
        if self.captured.len() + part.len() > MAX_CAPTURE {
            self.captured.clear();
            self.text = Text::TooLong(passage);
        } else {
            self.captured.push_str(part);
        }
    }
}

/// The word that a kept string is.
fn found<'a>(leaf: &'a Leaf, text: &str) -> Option<&'a Word> {
    match leaf {
        Leaf::Keep(Kept::OneOf(words)) => words.find(text),
        Leaf::Keep(Kept::TimeZone(words)) => words.find(text),
        Leaf::Keep(_) | Leaf::Transform(_) | Leaf::Drop => None,
    }
}
