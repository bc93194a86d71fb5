//! In which order properties come, learned from the objects that came before.
//!
//! A page's messages have the same properties in the same order, with one more here and one less there. So the property
//! behind `subject` is the one that came behind `subject` in the last message, and the tokenizer need only see whether it
//! is ([`ExpectedKey`]). What the name means was looked up when it came first.
//!
//! The names that objects of one kind had form a chain. An object goes along its chain: a name that is further down is
//! found by going there, and a name that is not on it is put in where it came. An order that is not learned, or no longer
//! true, costs time and changes nothing else: names are compared, not believed.

use super::tokenizer::{ExpectedKey, Key};
use crate::rules::automaton::NodeId;

/// The most names that are learned in one document. A page of mail has under fifty.
const MAX_NAMES: usize = 256;
/// How far down the chain a name is looked for.
const MAX_SKIPPED: usize = 16;

/// What the rules say of a property.
#[derive(Clone, Copy, Default)]
pub(super) struct Member {
    /// Where it leads; `None`: it is dropped.
    pub(super) node: Option<NodeId>,
    /// Its number among the names that the rules know.
    pub(super) known: Option<usize>,
}

/// The chains.
#[derive(Default)]
pub(super) struct Order {
    names: Vec<Name>,
    /// Where the chain of a kind of object begins. There are few kinds.
    first: Vec<(NodeId, usize)>,
}

struct Name {
    key: ExpectedKey,
    member: Member,
    /// The name behind it on the chain.
    next: Option<usize>,
}

/// How far along its chain an object is.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    node: NodeId,
    last: Option<usize>,
    next: Option<usize>,
}

impl Order {
    /// The cursor of an object that begins.
    pub(super) fn begin(&self, node: NodeId) -> Cursor {
        let next = self.first.iter().find(|(of, _)| *of == node).map(|(_, at)| *at);
        Cursor { node, last: None, next }
    }

    /// The name that comes next if this object is like those before it.
    #[inline]
    pub(super) fn expected(&self, cursor: &Cursor) -> Option<&ExpectedKey> {
        self.names.get(cursor.next?).map(|name| &name.key)
    }

    /// What was learned of the expected name, which has come.
    #[inline]
    pub(super) fn advance(&self, cursor: &mut Cursor) -> Option<Member> {
        let name = self.names.get(cursor.next?)?;
        cursor.last = cursor.next;
        cursor.next = name.next;
        Some(name.member)
    }

    /// Takes note of a name that came and was not expected.
    pub(super) fn learn(&mut self, cursor: &mut Cursor, key: Key<'_>, member: Member) {
        if let Some(at) = self.further_down(cursor, key) {
            cursor.next = Some(at);
            self.advance(cursor);
        } else if let Some(expected) = ExpectedKey::of(key).filter(|_| self.names.len() < MAX_NAMES) {
            self.put_in(cursor, Name { key: expected, member, next: cursor.next });
        }
    }

    fn further_down(&self, cursor: &Cursor, key: Key<'_>) -> Option<usize> {
        let behind = |at: &usize| self.names.get(*at)?.next;
        let is_it = |at: &usize| self.names.get(*at).is_some_and(|name| name.key.is(key));
        std::iter::successors(cursor.next, behind).take(MAX_SKIPPED).find(is_it)
    }

    fn put_in(&mut self, cursor: &mut Cursor, name: Name) {
        let at = self.names.len();
        self.names.push(name);
        match cursor.last.and_then(|last| self.names.get_mut(last)) {
            Some(before) => before.next = Some(at),
            None => self.set_first(cursor.node, at),
        }
        cursor.last = Some(at);
    }

    fn set_first(&mut self, node: NodeId, at: usize) {
        match self.first.iter_mut().find(|(of, _)| *of == node) {
            Some((_, first)) => *first = at,
            None => self.first.push((node, at)),
        }
    }
}
