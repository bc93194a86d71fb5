//! Follows a document through the plan's automaton and writes what may leave.
//!
//! # What is remembered
//!
//! For each open container that is being written: its node, the known names that came (as bits), the number of
//! elements, and whether a comma is due. For a container that is dropped: only its depth. For the next value: what
//! happens to it by its type, and its key. The key is written only once the value is known to leave: a transform that
//! does not understand its value drops the whole member.
//!
//! A string that has to be seen whole is collected, up to [`MAX_CAPTURE`]: one that leaves only if it is a time or a word
//! of a list, one that a transform is for, and a part of a header that leaves. Text that leaves as written is copied in the pieces that the tokenizer
//! hands over.

mod headers;
mod whole;

use super::order::{Cursor, Member, NameId, Order};
use super::place::{Effect, Passage, Place};
use super::tokenizer::{ExpectedKey, Handler, Key, Literal};
use super::{Clean, Context, Violation};
use crate::pseudonym::Reserved;
use crate::rules::automaton::{Leaf, NodeId, Object};
use crate::rules::plan::Transform;
use headers::List;

/// The longest string, in bytes, that is seen whole. A longer one is dropped and counted: addresses and ids are under
/// 2 KiB, links under 25 KiB, and a stream's memory must stay small.
const MAX_CAPTURE: usize = 64 * 1024;

/// The longest number that leaves. Edm.Decimal has 29 digits, Edm.Double 24 characters. More digits could spell a text.
const MAX_NUMBER: usize = 32;

/// About half of a page without bodies is kept, and a sixth to a quarter of a page with bodies.
const LIKELY_PART: usize = 3;

/// The member that Graph's error responses have in place of everything else.
const ERROR: &str = "error";

/// What was done to a document's values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Left unchanged.
    pub kept: u64,
    /// Left in another form.
    pub transformed: u64,
    /// Dropped: not of the kind that their line of the rules is for, or not a text at all (a lone surrogate).
    pub not_understood: u64,
    /// Dropped: longer than any value of that kind.
    pub too_long: u64,
    /// Dropped: no line of the rules is for them.
    pub unlisted: Unlisted,
}

/// Values that no line of the rules is for, by their shape. What is inside a dropped object or array is not counted: it
/// went with it, and the scan through it stays as fast as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unlisted {
    /// Objects, each with all that is in it.
    pub objects: u64,
    /// Arrays, each with all that is in it.
    pub arrays: u64,
    /// Strings.
    pub strings: u64,
    /// Numbers, booleans and nulls.
    pub scalars: u64,
}

/// The sanitizer's half that knows the plan.
pub(super) struct Matcher {
    context: Context,
    /// The innermost container that is being written.
    frame: Frame,
    /// The containers around it. Empty outside the document.
    around: Vec<Frame>,
    /// How many open containers are dropped.
    skipped: u32,
    /// What happens to the next member's value, if the innermost container is an object. Invariant: every key sets it,
    /// so that no value gets the decision about another.
    member: Place,
    /// That member's key, if it was learned.
    learned: Option<NameId>,
    /// That member's key as it will be written, if it was not learned.
    key: Vec<u8>,
    order: Order,
    text: Text,
    captured: String,
    list: List,
    out: Vec<u8>,
    /// Places in `out` whose tokens are not made yet.
    reserved: Reserved,
    page_seen: bool,
    counters: Counters,
}

/// A container that is being written.
struct Frame {
    node: NodeId,
    cursor: Cursor,
    /// The known names that came, as bits.
    seen: u128,
    /// How many elements came.
    elements: u64,
    is_array: bool,
    has_children: bool,
}

/// What happens to the string that is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Drop,
    Copy,
    Capture(Passage),
    TooLong(Passage),
    /// It has a lone surrogate: no text, so nothing that is made of texts or compared with them.
    Surrogate(Passage),
}

impl Matcher {
    pub(super) fn new(context: Context) -> Self {
        let automaton = &context.body.automaton;
        Self {
            frame: Frame::new(automaton.root(), Cursor::default(), false),
            around: Vec::new(),
            skipped: 0,
            member: Place::document(automaton),
            learned: None,
            key: Vec::new(),
            order: Order::default(),
            text: Text::Drop,
            captured: String::new(),
            list: List::default(),
            out: Vec::new(),
            reserved: Reserved::default(),
            page_seen: false,
            counters: Counters::default(),
            context,
        }
    }

    /// Hands over the output. The next part is likely to be as long, so the new buffer has room for it.
    pub(super) fn take(&mut self) -> Clean<Vec<u8>> {
        self.context.pseudonyms.fill(&mut self.reserved, &mut self.out);
        let room = Vec::with_capacity(self.out.len());
        Clean::assertion(std::mem::replace(&mut self.out, room))
    }

    /// Makes room for what is likely to leave of `length` bytes.
    pub(super) fn make_room(&mut self, length: usize) {
        self.out.reserve(length / LIKELY_PART);
    }

    pub(super) fn pending(&self) -> usize {
        self.out.len()
    }

    pub(super) fn counters(&self) -> Counters {
        self.counters
    }

    /// Checks that a page had its `value` array.
    pub(super) fn check_complete(&self) -> Result<(), Violation> {
        if self.context.body.automaton.page().is_some() && !self.page_seen {
            return Err(Violation::NotAPage);
        }
        Ok(())
    }

    /// What happens to the value that begins now.
    #[inline]
    fn place(&mut self) -> Place {
        if self.skipped > 0 {
            Place::DROPPED
        } else if self.frame.is_array {
            self.element()
        } else {
            self.member
        }
    }

    fn element(&mut self) -> Place {
        let index = self.frame.elements;
        self.frame.elements += 1;
        let automaton = &self.context.body.automaton;
        let array = automaton.node(self.frame.node).array.as_ref();
        Place::of(array.and_then(|array| array.element(index)), automaton)
    }

    /// Writes what comes before a value: a comma if one is due, and the member's key. Returns whether a comma was due.
    #[inline]
    fn open_value(&mut self) -> bool {
        let had_children = std::mem::replace(&mut self.frame.has_children, true);
        if had_children {
            self.out.push(b',');
        }
        if !self.frame.is_array {
            match self.learned.and_then(|at| self.order.key(at)) {
                Some(key) => key.write(&mut self.out),
                None => self.out.extend_from_slice(&self.key),
            }
        }
        had_children
    }

    /// Removes everything that was written since `mark`, from [`Self::open_value`] on.
    fn take_back(&mut self, mark: usize, had_children: bool) {
        self.out.truncate(mark);
        self.frame.has_children = had_children;
    }

    fn open_container(&mut self, node: NodeId, is_array: bool, bracket: u8) {
        self.open_value();
        self.out.push(bracket);
        let frame = Frame::new(node, self.order.begin(node), is_array);
        self.around.push(std::mem::replace(&mut self.frame, frame));
    }

    fn close_container(&mut self, bracket: u8) {
        if self.skipped > 0 {
            self.skipped -= 1;
            if self.list.is_open() {
                self.closed_in_list();
            }
        } else if let Some(around) = self.around.pop() {
            self.frame = around;
            self.out.push(bracket);
        }
    }

    /// A number, a boolean or a null, which leaves as written if `leaves`.
    fn plain(&mut self, text: &str, leaves: bool, place: Place) -> Result<(), Violation> {
        match place.leaf {
            Effect::Drop => {
                self.counters.unlisted.scalars += self.if_outermost();
                Ok(())
            }
            _ if leaves => {
                self.counters.kept += 1;
                self.write(text);
                Ok(())
            }
            leaf => self.not_understood(leaf),
        }
    }

    /// One if what is dropped now is not inside something that is dropped or that is read as a list, otherwise zero.
    #[inline]
    fn if_outermost(&self) -> u64 {
        u64::from(self.skipped == 0)
    }

    /// A container that is not written.
    fn skip(&mut self, place: Place) -> Result<(), Violation> {
        self.skipped += 1;
        if self.list.is_open() {
            self.opened_in_list();
        }
        if place.leaf == Effect::Drop { Ok(()) } else { self.not_understood(place.leaf) }
    }

    /// A value of another kind than the one that leaves here.
    fn not_understood(&mut self, leaf: Effect) -> Result<(), Violation> {
        self.counters.not_understood += 1;
        self.require_no_link(leaf)
    }

    /// A string that is too long to be what leaves here.
    fn too_long(&mut self, passage: Passage) -> Result<(), Violation> {
        self.counters.too_long += 1;
        self.list.without_value();
        self.require_no_link(Effect::String(passage)).map_err(|_| Violation::LinkTooLong)
    }

    /// A string with a lone surrogate.
    fn no_text(&mut self, passage: Passage) -> Result<(), Violation> {
        match passage {
            Passage::Header(part) => self.list.no_text(part),
            Passage::Time | Passage::Word(_) | Passage::Transform(_) => {
                return self.not_understood(Effect::String(passage));
            }
        }
        Ok(())
    }

    /// Refuses to drop a value in place of a link: the consumer's list would silently end there.
    fn require_no_link(&self, leaf: Effect) -> Result<(), Violation> {
        let Effect::String(Passage::Transform(node)) = leaf else { return Ok(()) };
        match &self.context.body.automaton.node(node).leaf {
            Leaf::Transform(Transform::Link(_)) => Err(Violation::Link),
            Leaf::Transform(_) | Leaf::Keep(_) | Leaf::Drop => Ok(()),
        }
    }

    fn write(&mut self, text: &str) {
        self.open_value();
        self.out.extend_from_slice(text.as_bytes());
    }
}

impl Frame {
    fn new(node: NodeId, cursor: Cursor, is_array: bool) -> Self {
        Self { node, cursor, seen: 0, elements: 0, is_array, has_children: false }
    }

    /// Records a name by its bit. A known name must not come twice.
    #[inline]
    fn note(&mut self, bit: u128) -> Result<(), Violation> {
        if self.seen & bit != 0 {
            return Err(Violation::DuplicateProperty);
        }
        self.seen |= bit;
        Ok(())
    }
}

impl Handler for Matcher {
    type Violation = Violation;

    fn begin_object(&mut self) -> Result<(), Violation> {
        let place = self.place();
        match place.object {
            Some(node) => self.open_container(node, false, b'{'),
            None => {
                if place.leaf == Effect::Drop {
                    self.counters.unlisted.objects += self.if_outermost();
                }
                return self.skip(place);
            }
        }
        Ok(())
    }

    fn end_object(&mut self) -> Result<(), Violation> {
        self.close_container(b'}');
        Ok(())
    }

    fn begin_array(&mut self) -> Result<(), Violation> {
        self.require_object()?;
        let place = self.place();
        match place.array {
            Some(node) => {
                self.page_seen |= self.context.body.automaton.page() == Some(node);
                self.open_container(node, true, b'[');
            }
            None => match place.leaf {
                Effect::Headers(node) => self.open_list(node),
                Effect::Drop => {
                    self.counters.unlisted.arrays += self.if_outermost();
                    return self.skip(place);
                }
                _ => return self.skip(place),
            },
        }
        Ok(())
    }

    fn end_array(&mut self) -> Result<(), Violation> {
        self.close_container(b']');
        Ok(())
    }

    #[inline]
    fn expected_key(&self) -> Option<&ExpectedKey> {
        if self.skipped > 0 { None } else { self.order.expected(self.frame.cursor) }
    }

    #[inline]
    fn expected_key_came(&mut self) -> Result<(), Violation> {
        self.member = Place::DROPPED;
        let Some((name, member)) = self.order.advance(&mut self.frame.cursor) else { return Ok(()) };
        self.member = member.place;
        self.learned = Some(name);
        self.frame.note(member.bit)
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Violation> {
        match self.skipped {
            0 => self.unexpected(key),
            _ if self.list.is_open() => self.key_in_list(key.unescaped().as_deref()),
            _ => Ok(()),
        }
    }

    #[inline]
    fn begin_string(&mut self) -> Result<(), Violation> {
        self.require_object()?;
        self.text = match self.place().leaf {
            Effect::Drop if self.list.is_open() => self.string_in_list(),
            Effect::Drop => {
                self.counters.unlisted.strings += self.if_outermost();
                Text::Drop
            }
            Effect::String(passage) => Text::Capture(passage),
            Effect::Text => {
                self.counters.kept += 1;
                self.open_value();
                self.out.push(b'"');
                Text::Copy
            }
            leaf @ (Effect::Boolean | Effect::Number | Effect::Headers(_)) => {
                self.text = Text::Drop;
                return self.not_understood(leaf);
            }
        };
        Ok(())
    }

    #[inline]
    fn rest_of_string(&mut self, text: &str) -> Result<(), Violation> {
        match std::mem::replace(&mut self.text, Text::Drop) {
            Text::Drop => Ok(()),
            Text::Copy => {
                self.out.reserve(text.len() + 1);
                self.out.extend_from_slice(text.as_bytes());
                self.out.push(b'"');
                Ok(())
            }
            Text::Capture(passage) if text.len() <= MAX_CAPTURE => self.whole(passage, text),
            Text::Capture(passage) | Text::TooLong(passage) => self.too_long(passage),
            Text::Surrogate(passage) => self.no_text(passage),
        }
    }

    fn listens(&self) -> bool {
        matches!(self.text, Text::Copy | Text::Capture(_))
    }

    fn string_run(&mut self, run: &str) -> Result<(), Violation> {
        match self.text {
            Text::Drop | Text::TooLong(_) | Text::Surrogate(_) => {}
            Text::Copy => self.out.extend_from_slice(run.as_bytes()),
            Text::Capture(passage) => self.capture(passage, run),
        }
        Ok(())
    }

    fn string_escape(&mut self, raw: &str, decoded: char) -> Result<(), Violation> {
        match self.text {
            Text::Drop | Text::TooLong(_) | Text::Surrogate(_) => {}
            Text::Copy => self.out.extend_from_slice(raw.as_bytes()),
            Text::Capture(passage) => self.capture(passage, decoded.encode_utf8(&mut [0; 4])),
        }
        Ok(())
    }

    /// A part of a kept text may have left already, so the text can neither be dropped nor end here.
    fn lone_surrogate(&mut self, _raw: &str) -> Result<(), Violation> {
        match self.text {
            Text::Drop | Text::TooLong(_) | Text::Surrogate(_) => {}
            Text::Copy => return Err(Violation::LoneSurrogate),
            Text::Capture(passage) => {
                self.captured.clear();
                self.text = Text::Surrogate(passage);
            }
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
            Text::Capture(passage) => self.captured(passage),
            Text::TooLong(passage) => self.too_long(passage),
            Text::Surrogate(passage) => self.no_text(passage),
        }
    }

    fn number(&mut self, text: &str) -> Result<(), Violation> {
        self.require_object()?;
        let place = self.place();
        let leaves = match place.leaf {
            Effect::Text => true,
            Effect::Number => text.len() <= MAX_NUMBER,
            Effect::Drop | Effect::Boolean | Effect::String(_) | Effect::Headers(_) => false,
        };
        self.plain(text, leaves, place)
    }

    fn literal(&mut self, literal: Literal) -> Result<(), Violation> {
        self.require_object()?;
        let place = self.place();
        let leaves = match place.leaf {
            // A null hides nothing, and it tells the consumer "no value" apart from "not shown".
            Effect::String(Passage::Transform(_)) if literal == Literal::Null => {
                self.write("null");
                return Ok(());
            }
            Effect::Text | Effect::Boolean => true,
            // No list is null in Graph, and descriptions for clients say so.
            Effect::Headers(_) => false,
            Effect::Drop | Effect::Number | Effect::String(_) => literal == Literal::Null,
        };
        self.plain(literal.as_str(), leaves, place)
    }
}

impl Matcher {
    /// Looks up a property that was not expected.
    fn unexpected(&mut self, key: Key<'_>) -> Result<(), Violation> {
        let is_root = self.around.len() == 1;
        let automaton = &self.context.body.automaton;
        let object = automaton.node(self.frame.node).object.as_ref();
        let name = key.unescaped();
        let known = object.zip(name.as_deref()).and_then(|(object, name)| object.member(name));
        if known.is_none() && is_root && name.as_deref() == Some(ERROR) {
            return Err(Violation::AnError);
        }
        let other = object.and_then(Object::other);
        let place = Place::of(known.map_or(other, |(_, member)| member.node), automaton);
        if name.is_none() && place.leaves() {
            return Err(Violation::LoneSurrogate);
        }
        let bit = known.map_or(0, |(at, _)| 1 << at);
        self.key.clear();
        match known {
            Some((_, member)) => self.key.extend_from_slice(&member.written),
            None => write_key(key, &mut self.key),
        }
        if !is_root {
            self.order.learn(self.frame.node, &mut self.frame.cursor, key, Member { place, bit });
        }
        self.learned = None;
        self.member = place;
        self.frame.note(bit)
    }

    /// Graph's documents are objects: a leaf or an array at the top is refused.
    #[inline]
    fn require_object(&self) -> Result<(), Violation> {
        if self.around.is_empty() { Err(Violation::NotAnObject) } else { Ok(()) }
    }
}

/// A key as it was written, with its quotes and the colon.
fn write_key(key: Key<'_>, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(key.raw().as_bytes());
    out.extend_from_slice(b"\":");
}
