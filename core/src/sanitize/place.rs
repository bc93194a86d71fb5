//! What the rules say about a place in a document.

use crate::rules::automaton::{Automaton, Leaf, NodeId};
use crate::rules::plan::{Kept, Transform};

/// What happens to a value at one place, by its type. It is small, and looked up once for many values.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// What happens to a string, number, boolean or null.
    pub(super) leaf: Effect,
    /// The node of an object; `None`: it is dropped whole.
    pub(super) object: Option<NodeId>,
    /// The node of an array; `None`: it is dropped whole.
    pub(super) array: Option<NodeId>,
}

/// What happens to a leaf. A null leaves unless it is dropped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Drop,
    /// It leaves as written.
    Text,
    /// `true` and `false` leave.
    Boolean,
    /// A number leaves.
    Number,
    /// A string leaves if it passes, or in another form. Nothing else does.
    String(Passage),
    /// An array leaves as this node's list of headers. Nothing else does.
    Headers(NodeId),
}

/// How a string leaves that has to be seen whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// As it is, if it is a time.
    Time,
    /// As it is, if it is one of the words of this node's leaf.
    Word(NodeId),
    /// In another form: the transform of this node's leaf.
    Transform(NodeId),
    /// As a part of the header that is being read.
    Header(Part),
}

/// The parts of a header.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Name,
    Value,
}

impl Place {
    /// A place where nothing leaves.
    pub(super) const DROPPED: Self = Self { leaf: Effect::Drop, object: None, array: None };

    /// Whether a value of any type leaves here.
    pub(super) fn leaves(self) -> bool {
        self.leaf != Effect::Drop || self.object.is_some() || self.array.is_some()
    }

    /// The place of `node`. Without a node, nothing leaves.
    pub(super) fn of(node: Option<NodeId>, automaton: &Automaton) -> Self {
        node.map_or(Self::DROPPED, |id| {
            let node = automaton.node(id);
            let leaf = match &node.leaf {
                Leaf::Drop => Effect::Drop,
                Leaf::Keep(Kept::Text) => Effect::Text,
                Leaf::Keep(Kept::Boolean) => Effect::Boolean,
                Leaf::Keep(Kept::Number) => Effect::Number,
                Leaf::Keep(Kept::Time) => Effect::String(Passage::Time),
                Leaf::Keep(Kept::OneOf(_) | Kept::TimeZone(_)) => Effect::String(Passage::Word(id)),
                Leaf::Transform(Transform::Headers(_)) => Effect::Headers(id),
                Leaf::Transform(_) => Effect::String(Passage::Transform(id)),
            };
            Self { leaf, object: node.object.as_ref().map(|_| id), array: node.array.as_ref().map(|_| id) }
        })
    }

    /// The place of the document itself: an object is always written, anything else never.
    pub(super) fn document(automaton: &Automaton) -> Self {
        Self { object: Some(automaton.root()), ..Self::DROPPED }
    }
}
