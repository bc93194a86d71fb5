//! Follows a document through the plan's automaton and writes what may leave.
//!
//! # What is remembered
//!
//! For each open container that is being written: its node, the known names it has had (as bits), how many elements,
//! and whether a comma is due. For a container that is dropped: only how deep it is. For the value that comes next:
//! its node, and the key that has to be written before it *if* it turns out to leave. A key is therefore never written
//! on its own: a transform that does not understand its value drops the whole member.
//!
//! Kept strings and numbers are copied as written, in the pieces that the tokenizer hands over. Only strings that a
//! transform has to see are collected, up to [`MAX_CAPTURE`].

use super::order::{Cursor, Member, Order};
use super::tokenizer::{ExpectedKey, Handler, Key, Literal};
use super::transform::{self, Outcome};
use super::{Clean, Context, Violation};
use crate::rules::automaton::{Leaf, NodeId};
use crate::rules::plan::Transform;

/// The longest string, in bytes, that a transform is given. A longer one is dropped and counted: addresses and ids are
/// under 2 KiB, sealed links under 16 KiB, and a stream's memory must stay small.
const MAX_CAPTURE: usize = 64 * 1024;

/// The member that an error answer of Graph has in the place of everything else.
const ERROR: &str = "error";

/// What was done to a document's values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Left as they are.
    pub kept: u64,
    /// Left as something else.
    pub transformed: u64,
    /// A transform did not understand them; dropped.
    pub not_understood: u64,
    /// Longer than a transform is given; dropped.
    pub too_long: u64,
}

/// The sanitizer's half that knows the plan.
pub(super) struct Matcher {
    context: Context,
    frames: Vec<Frame>,
    /// Open containers inside one that is dropped.
    skipped: u32,
    /// The member that comes next, if the innermost container is an object.
    member: Member,
    /// Its key as written, for a name that the rules do not know.
    member_raw: String,
    order: Order,
    text: Text,
    captured: String,
    out: Vec<u8>,
    page_seen: bool,
    counters: Counters,
}

/// A container that is being written.
struct Frame {
    node: NodeId,
    cursor: Cursor,
    /// Known names that came, by their number.
    seen: u128,
    /// Elements that came.
    elements: u64,
    is_array: bool,
    has_children: bool,
}

/// What happens to the string that is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Drop,
    Copy,
    Capture(NodeId),
    TooLong(NodeId),
}

impl Matcher {
    pub(super) fn new(context: Context) -> Self {
        Self {
            context,
            frames: Vec::new(),
            skipped: 0,
            member: Member::default(),
            member_raw: String::new(),
            order: Order::default(),
            text: Text::Drop,
            captured: String::new(),
            out: Vec::new(),
            page_seen: false,
            counters: Counters::default(),
        }
    }

    /// What follows is likely to be as long, so there is room for it.
    pub(super) fn take(&mut self) -> Clean<Vec<u8>> {
        let room = Vec::with_capacity(self.out.len());
        Clean::assertion(std::mem::replace(&mut self.out, room))
    }

    pub(super) fn pending(&self) -> usize {
        self.out.len()
    }

    pub(super) fn counters(&self) -> Counters {
        self.counters
    }

    /// A page must have had its array.
    pub(super) fn check_complete(&self) -> Result<(), Violation> {
        if self.context.body.automaton.page().is_some() && !self.page_seen {
            return Err(Violation::NotAPage);
        }
        Ok(())
    }

    /// Where the value that begins now stands; `None` if nothing of it can leave.
    fn next(&mut self) -> Option<NodeId> {
        if self.skipped > 0 {
            return None;
        }
        let Some(frame) = self.frames.last_mut() else {
            return Some(self.context.body.automaton.root());
        };
        if !frame.is_array {
            return self.member.node;
        }
        let index = frame.elements;
        frame.elements += 1;
        self.context.body.automaton.node(frame.node).array.as_ref()?.element(index)
    }

    /// Writes what comes before a value: a comma if one is due, and the member's key. Says whether one was due.
    fn open_value(&mut self) -> bool {
        let Some(frame) = self.frames.last_mut() else {
            return false;
        };
        let had_children = std::mem::replace(&mut frame.has_children, true);
        if had_children {
            self.out.push(b',');
        }
        if frame.is_array {
            return had_children;
        }
        let object = self.context.body.automaton.node(frame.node).object.as_ref();
        match self.member.known.and_then(|at| object?.members().get(at)) {
            Some(member) => self.out.extend_from_slice(&member.written),
            None => {
                self.out.push(b'"');
                self.out.extend_from_slice(self.member_raw.as_bytes());
                self.out.extend_from_slice(b"\":");
            }
        }
        had_children
    }

    /// Takes back what [`Self::open_value`] and what came after it have written since `mark`.
    fn take_back(&mut self, mark: usize, had_children: bool) {
        self.out.truncate(mark);
        if let Some(frame) = self.frames.last_mut() {
            frame.has_children = had_children;
        }
    }

    fn open_container(&mut self, node: NodeId, is_array: bool, bracket: u8) {
        self.open_value();
        self.out.push(bracket);
        let cursor = self.order.begin(node);
        self.frames.push(Frame { node, cursor, seen: 0, elements: 0, is_array, has_children: false });
    }

    fn close_container(&mut self, bracket: u8) {
        if self.skipped > 0 {
            self.skipped -= 1;
        } else {
            self.frames.pop();
            self.out.push(bracket);
        }
    }

    /// A leaf that is not a string: kept as written, or nothing, since transforms speak about strings.
    fn plain(&mut self, text: &str, node: Option<NodeId>) -> Result<(), Violation> {
        let Some(node) = node else { return Ok(()) };
        match &self.context.body.automaton.node(node).leaf {
            Leaf::Drop => Ok(()),
            Leaf::Keep => {
                self.counters.kept += 1;
                self.write(text);
                Ok(())
            }
            Leaf::Transform(_) => self.not_understood(node),
        }
    }

    /// A container that is not written.
    fn skip(&mut self, node: Option<NodeId>) -> Result<(), Violation> {
        self.skipped += 1;
        node.map_or(Ok(()), |node| self.not_understood(node))
    }

    /// A value of a type that the transform here, if there is one, does not speak about.
    fn not_understood(&mut self, node: NodeId) -> Result<(), Violation> {
        match &self.context.body.automaton.node(node).leaf {
            Leaf::Transform(Transform::Link(_)) => return Err(Violation::Link),
            Leaf::Transform(_) => self.counters.not_understood += 1,
            Leaf::Keep | Leaf::Drop => {}
        }
        Ok(())
    }

    fn write(&mut self, text: &str) {
        self.open_value();
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A string that a transform has to see, whole.
    fn transform(&mut self, node: NodeId, text: &str) -> Result<(), Violation> {
        let mark = self.out.len();
        let had_children = self.open_value();
        let Leaf::Transform(transform) = &self.context.body.automaton.node(node).leaf else {
            self.take_back(mark, had_children);
            return Ok(());
        };
        match transform::apply(transform, text, &self.context, &mut self.out) {
            Outcome::Written => self.counters.transformed += 1,
            Outcome::NotUnderstood => {
                self.take_back(mark, had_children);
                return self.not_understood(node);
            }
        }
        Ok(())
    }

    /// A captured string has ended.
    fn transform_captured(&mut self, node: NodeId) -> Result<(), Violation> {
        let captured = std::mem::take(&mut self.captured);
        let outcome = self.transform(node, &captured);
        self.captured = captured;
        outcome
    }

    /// A string was too long to be captured.
    fn too_long(&mut self, node: NodeId) -> Result<(), Violation> {
        self.counters.too_long += 1;
        match &self.context.body.automaton.node(node).leaf {
            Leaf::Transform(Transform::Link(_)) => Err(Violation::Link),
            Leaf::Transform(_) | Leaf::Keep | Leaf::Drop => Ok(()),
        }
    }

    fn capture(&mut self, node: NodeId, part: &str) {
        if self.captured.len() + part.len() > MAX_CAPTURE {
            self.text = Text::TooLong(node);
        } else {
            self.captured.push_str(part);
        }
    }
}

impl Handler for Matcher {
    type Violation = Violation;

    fn begin_object(&mut self) -> Result<(), Violation> {
        let is_root = self.frames.is_empty() && self.skipped == 0;
        let next = self.next();
        match next.filter(|node| is_root || self.context.body.automaton.node(*node).object.is_some()) {
            Some(node) => self.open_container(node, false, b'{'),
            None => return self.skip(next),
        }
        Ok(())
    }

    fn end_object(&mut self) -> Result<(), Violation> {
        self.close_container(b'}');
        Ok(())
    }

    fn begin_array(&mut self) -> Result<(), Violation> {
        if self.frames.is_empty() && self.skipped == 0 {
            return Err(Violation::NotAnObject);
        }
        let next = self.next();
        match next.filter(|node| self.context.body.automaton.node(*node).array.is_some()) {
            Some(node) => {
                self.page_seen |= self.context.body.automaton.page() == Some(node);
                self.open_container(node, true, b'[');
            }
            None => return self.skip(next),
        }
        Ok(())
    }

    fn end_array(&mut self) -> Result<(), Violation> {
        self.close_container(b']');
        Ok(())
    }

    fn expected_key(&self) -> Option<&ExpectedKey> {
        // The outermost object is the only one of its kind.
        let frame = self.frames.get(1..)?.last()?;
        if self.skipped > 0 { None } else { self.order.expected(&frame.cursor) }
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Violation> {
        if self.skipped > 0 {
            return Ok(());
        }
        let Some(frame) = self.frames.last_mut() else {
            return Ok(());
        };
        let expected = if key.is_expected() { self.order.advance(&mut frame.cursor) } else { None };
        let member = match expected {
            Some(member) => member,
            None => self.unexpected(key)?,
        };
        self.enter(member, key)
    }

    fn begin_string(&mut self) -> Result<(), Violation> {
        self.require_object()?;
        self.text = Text::Drop;
        let Some(node) = self.next() else { return Ok(()) };
        match &self.context.body.automaton.node(node).leaf {
            Leaf::Drop => {}
            Leaf::Keep => {
                self.text = Text::Copy;
                self.counters.kept += 1;
                self.write("\"");
            }
            Leaf::Transform(_) => {
                self.text = Text::Capture(node);
                self.captured.clear();
            }
        }
        Ok(())
    }

    fn rest_of_string(&mut self, text: &str) -> Result<(), Violation> {
        match std::mem::replace(&mut self.text, Text::Drop) {
            Text::Drop => Ok(()),
            Text::Copy => {
                self.out.reserve(text.len() + 1);
                self.out.extend_from_slice(text.as_bytes());
                self.out.push(b'"');
                Ok(())
            }
            Text::Capture(node) if text.len() <= MAX_CAPTURE => self.transform(node, text),
            Text::Capture(node) | Text::TooLong(node) => self.too_long(node),
        }
    }

    fn listens(&self) -> bool {
        matches!(self.text, Text::Copy | Text::Capture(_))
    }

    fn string_run(&mut self, run: &str) -> Result<(), Violation> {
        match self.text {
            Text::Drop | Text::TooLong(_) => {}
            Text::Copy => self.out.extend_from_slice(run.as_bytes()),
            Text::Capture(node) => self.capture(node, run),
        }
        Ok(())
    }

    fn string_escape(&mut self, raw: &str, decoded: char) -> Result<(), Violation> {
        match self.text {
            Text::Drop | Text::TooLong(_) => {}
            Text::Copy => self.out.extend_from_slice(raw.as_bytes()),
            Text::Capture(node) => self.capture(node, decoded.encode_utf8(&mut [0; 4])),
        }
        Ok(())
    }

    fn end_string(&mut self) -> Result<(), Violation> {
        match std::mem::replace(&mut self.text, Text::Drop) {
            Text::Drop => Ok(()),
            Text::Copy => {
                self.out.push(b'"');
                Ok(())
            }
            Text::Capture(node) => self.transform_captured(node),
            Text::TooLong(node) => self.too_long(node),
        }
    }

    fn number(&mut self, text: &str) -> Result<(), Violation> {
        self.require_object()?;
        let node = self.next();
        self.plain(text, node)
    }

    fn literal(&mut self, literal: Literal) -> Result<(), Violation> {
        self.require_object()?;
        let node = self.next();
        let leaf = node.map(|node| &self.context.body.automaton.node(node).leaf);
        // Nothing to hide in a null, and a consumer tells "none" from "not told" by it.
        if literal == Literal::Null && matches!(leaf, Some(Leaf::Transform(_))) {
            self.write("null");
            Ok(())
        } else {
            self.plain(literal.as_str(), node)
        }
    }
}

impl Matcher {
    /// What the rules say of a property, which is looked up.
    fn unexpected(&mut self, key: Key<'_>) -> Result<Member, Violation> {
        let is_root = self.frames.len() == 1;
        let Some(frame) = self.frames.last_mut() else {
            return Ok(Member::default());
        };
        let Some(object) = &self.context.body.automaton.node(frame.node).object else {
            return Ok(Member::default());
        };
        let name = key.unescaped();
        let member = match object.member(&name) {
            Some((at, member)) => Member { node: member.node, known: Some(at) },
            None if is_root && name == ERROR => return Err(Violation::AnError),
            None => Member { node: object.other(), known: None },
        };
        if !is_root {
            self.order.learn(&mut frame.cursor, key, member);
        }
        Ok(member)
    }

    /// Goes to a member, whose value comes next.
    #[inline]
    fn enter(&mut self, member: Member, key: Key<'_>) -> Result<(), Violation> {
        self.member = member;
        match (member.known, self.frames.last_mut()) {
            (Some(at), Some(frame)) => {
                let bit = 1 << at;
                if frame.seen & bit != 0 {
                    return Err(Violation::DuplicateProperty);
                }
                frame.seen |= bit;
            }
            _ if member.node.is_some() => {
                self.member_raw.clear();
                self.member_raw.push_str(key.raw());
            }
            _ => {}
        }
        Ok(())
    }

    /// A leaf at the top is not a document that Graph answers with.
    fn require_object(&self) -> Result<(), Violation> {
        if self.frames.is_empty() && self.skipped == 0 { Err(Violation::NotAnObject) } else { Ok(()) }
    }
}
