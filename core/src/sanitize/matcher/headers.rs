//! A list of headers: an array of objects, each with a name and a value, in either order. What leaves of a header is written
//! when its object ends. One name and one value are held, so a list of any length costs the same memory.
//!
//! For the matcher, the list is a container that is dropped. How many such containers are open says where a value stands.

use std::sync::Arc;

use super::super::header;
use super::super::place::{Part, Passage};
use super::super::transform::Outcome;
use super::{Matcher, Text, Violation};
use crate::rules::automaton::{Leaf, NodeId};
use crate::rules::plan::{FLAG, HEADER_NAME, HEADER_VALUE, Headers, PseudonymKind, Transform};

/// So many skipped containers are open inside the list, and inside one of its elements.
const LIST: u32 = 1;
const ELEMENT: u32 = 2;

/// What of a list of headers has been read.
#[derive(Default)]
pub(super) struct List {
    /// What leaves of it; `None`: no list is open.
    headers: Option<Arc<Headers>>,
    /// Whether something of the list has been written.
    has_children: bool,
    /// The flags that have been written, as bits.
    flags: u32,
    header: Header,
}

/// What of one header has been read.
#[derive(Default)]
struct Header {
    /// Which part the next value is.
    next: Option<Part>,
    has_name: bool,
    has_value: bool,
    name: Name,
    value: Option<String>,
}

/// Whose header it is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Name {
    /// The name has not come.
    #[default]
    Unknown,
    /// The rules do not name it.
    Other,
    /// The header of this number in the rules.
    Known(usize),
}

impl List {
    /// Whether a list is open.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.headers.is_some()
    }

    /// A part of the header that is being read is no text. No rule names such a header. A value is missing when the
    /// header ends, and counted then.
    pub(super) fn no_text(&mut self, part: Part) {
        if part == Part::Name {
            self.header.name = Name::Other;
        }
    }

    /// The value of the header that is being read is dropped and counted already.
    pub(super) fn without_value(&mut self) {
        self.header.has_value = false;
    }
}

impl Header {
    /// Takes note of a member's name.
    fn member(&mut self, name: Option<&str>) -> Result<(), Violation> {
        let (part, seen) = match name {
            Some(HEADER_NAME) => (Part::Name, &mut self.has_name),
            Some(HEADER_VALUE) => (Part::Value, &mut self.has_value),
            _ => {
                self.next = None;
                return Ok(());
            }
        };
        self.next = Some(part);
        if std::mem::replace(seen, true) { Err(Violation::DuplicateProperty) } else { Ok(()) }
    }
}

impl Matcher {
    /// An array where a list of headers leaves.
    pub(super) fn open_list(&mut self, node: NodeId) {
        if let Leaf::Transform(Transform::Headers(headers)) = &self.context.body.automaton.node(node).leaf {
            self.list = List { headers: Some(Arc::clone(headers)), ..List::default() };
        }
        self.open_value();
        self.out.push(b'[');
        self.skipped = LIST;
    }

    /// A container inside the list has begun.
    pub(super) fn opened_in_list(&mut self) {
        if self.skipped == ELEMENT {
            self.list.header = Header::default();
        }
    }

    /// A container inside the list, or the list, has ended.
    pub(super) fn closed_in_list(&mut self) {
        if self.skipped == LIST {
            self.end_header();
        } else if self.skipped < LIST {
            self.list.headers = None;
            self.out.push(b']');
        }
    }

    /// A member of a container inside the list.
    pub(super) fn key_in_list(&mut self, name: Option<&str>) -> Result<(), Violation> {
        if self.skipped == ELEMENT { self.list.header.member(name) } else { Ok(()) }
    }

    /// What happens to a string inside the list. A value is not held if its name has come and no rule names it.
    pub(super) fn string_in_list(&self) -> Text {
        let header = &self.list.header;
        match header.next.filter(|_| self.skipped == ELEMENT) {
            None => Text::Drop,
            Some(Part::Value) if header.name == Name::Other => Text::Drop,
            Some(part) => Text::Capture(Passage::Header(part)),
        }
    }

    /// A name or a value that is there as a whole.
    pub(super) fn part_of_header(&mut self, part: Part, text: &str) {
        let List { headers, header, .. } = &mut self.list;
        match part {
            Part::Name => {
                let known = headers.as_ref().and_then(|headers| headers.find(text));
                header.name = known.map_or(Name::Other, Name::Known);
            }
            Part::Value => header.value = Some(text.to_owned()),
        }
    }

    /// Writes what leaves of the header that has ended.
    fn end_header(&mut self) {
        let header = std::mem::take(&mut self.list.header);
        let (Some(headers), Name::Known(at)) = (self.list.headers.clone(), header.name) else { return };
        let (Some(known), Some(value)) = (headers.get(at), header.value) else {
            self.counters.not_understood += u64::from(header.has_value);
            return;
        };
        if let Some(kind) = known.token {
            self.write_token(&known.name, kind, &value);
        }
        if header::sets(&known.name, &value) {
            headers.flags(known).for_each(|(bit, flag)| self.write_flag(bit, flag));
        }
    }

    fn write_token(&mut self, name: &str, kind: PseudonymKind, value: &str) {
        let mark = self.out.len();
        let had_children = self.open_pair(name);
        match header::token(kind, value, &self.context.pseudonyms, &mut self.out) {
            Outcome::Written => {
                self.out.push(b'}');
                self.counters.transformed += 1;
            }
            Outcome::NotUnderstood => {
                self.out.truncate(mark);
                self.list.has_children = had_children;
                self.counters.not_understood += 1;
            }
        }
    }

    /// Writes a flag, once.
    fn write_flag(&mut self, bit: u32, flag: &str) {
        if self.list.flags & bit == 0 {
            self.list.flags |= bit;
            self.open_pair(flag);
            for part in ["\"", FLAG, "\"}"] {
                self.out.extend_from_slice(part.as_bytes());
            }
            self.counters.transformed += 1;
        }
    }

    /// Writes the start of an element, up to its value. Returns whether the list had elements before it.
    fn open_pair(&mut self, name: &str) -> bool {
        let had_children = std::mem::replace(&mut self.list.has_children, true);
        if had_children {
            self.out.push(b',');
        }
        // No letter of a name has to be escaped: the rules check that.
        for part in ["{\"", HEADER_NAME, "\":\"", name, "\",\"", HEADER_VALUE, "\":"] {
            self.out.extend_from_slice(part.as_bytes());
        }
        had_children
    }
}
