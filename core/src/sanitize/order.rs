//! Learns the order of properties from the earlier objects of a document.
//!
//! A page's messages have nearly the same properties in the same order. So the property after `subject` is most likely
//! the one that came after `subject` in the last message, and the tokenizer only has to check that ([`ExpectedKey`]).
//! What the name means was looked up when it first came.
//!
//! The names of one kind of object form a chain, and each object goes along its chain: a name further down is found by
//! skipping, and a name that is not on the chain is inserted where it came. An order that was not learned, or that has
//! changed, only costs time: every name is compared.

use super::place::Place;
use super::tokenizer::{ExpectedKey, Key};
use crate::rules::automaton::NodeId;

/// The most names that are learned in one document.
const MAX_NAMES: usize = 256;
/// A page of mail has under fifty.
const USUAL_NAMES: usize = 64;
/// How far down the chain a name is looked for.
const MAX_SKIPPED: usize = 16;

/// What the rules say of a property.
#[derive(Clone, Copy)]
pub(super) struct Member {
    pub(super) place: Place,
    /// Its bit among the names that the rules know; zero for other names, which may come twice.
    pub(super) bit: u128,
}

/// The chains.
#[derive(Default)]
pub(super) struct Order {
    names: Vec<Name>,
    /// The first name of each kind of object, by the number of its node.
    first: Vec<Option<NameId>>,
}

/// A name's number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct NameId(u16);

struct Name {
    key: ExpectedKey,
    member: Member,
    /// The name after it on the chain.
    next: Option<NameId>,
}

/// How far along its chain an object is.
#[derive(Clone, Copy, Default)]
pub(super) struct Cursor {
    last: Option<NameId>,
    next: Option<NameId>,
}

impl Order {
    /// The cursor of an object that begins at `node`.
    #[inline]
    pub(super) fn begin(&self, node: NodeId) -> Cursor {
        Cursor { last: None, next: self.first.get(node.index()).copied().flatten() }
    }

    /// The name that comes next if this object is like those before it.
    #[inline]
    pub(super) fn expected(&self, cursor: Cursor) -> Option<&ExpectedKey> {
        self.name(cursor.next?).map(|name| &name.key)
    }

    /// Goes on to the expected name, which has come, and returns what was learned about it.
    #[inline]
    pub(super) fn advance(&self, cursor: &mut Cursor) -> Option<(NameId, &Member)> {
        let at = cursor.next?;
        let name = self.name(at)?;
        *cursor = Cursor { last: Some(at), next: name.next };
        Some((at, &name.member))
    }

    /// A learned name, as it is written.
    #[inline]
    pub(super) fn key(&self, at: NameId) -> Option<&ExpectedKey> {
        self.name(at).map(|name| &name.key)
    }

    /// Records a name that came in an object at `node` and was not expected.
    pub(super) fn learn(&mut self, node: NodeId, cursor: &mut Cursor, key: Key<'_>, member: Member) {
        if let Some(at) = self.further_down(*cursor, key) {
            cursor.next = Some(at);
            self.advance(cursor);
        } else if let Some(expected) = ExpectedKey::of(key).filter(|_| self.names.len() < MAX_NAMES) {
            self.insert(node, cursor, Name { key: expected, member, next: cursor.next });
        }
    }

    #[inline]
    fn name(&self, at: NameId) -> Option<&Name> {
        self.names.get(usize::from(at.0))
    }

    fn further_down(&self, cursor: Cursor, key: Key<'_>) -> Option<NameId> {
        let next = |at: &NameId| self.name(*at)?.next;
        let has_key = |at: &NameId| self.name(*at).is_some_and(|name| name.key.is(key));
        std::iter::successors(cursor.next, next).take(MAX_SKIPPED).find(has_key)
    }

    fn insert(&mut self, node: NodeId, cursor: &mut Cursor, name: Name) {
        let Ok(at) = u16::try_from(self.names.len()).map(NameId) else { return };
        if self.names.is_empty() {
            self.names.reserve(USUAL_NAMES);
        }
        self.names.push(name);
        match cursor.last.and_then(|last| self.names.get_mut(usize::from(last.0))) {
            Some(before) => before.next = Some(at),
            None => self.set_first(node, at),
        }
        cursor.last = Some(at);
    }

    fn set_first(&mut self, node: NodeId, at: NameId) {
        if self.first.len() <= node.index() {
            self.first.resize(node.index() + 1, None);
        }
        if let Some(first) = self.first.get_mut(node.index()) {
            *first = Some(at);
        }
    }
}
