//! What the rules say about a place in a document.

use crate::rules::automaton::{Automaton, Leaf, NodeId};

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

/// What happens to a leaf.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Drop,
    Keep,
    /// The transform of this node's leaf.
    Transform(NodeId),
}

impl Place {
    /// A place where nothing leaves.
    pub(super) const DROPPED: Self = Self { leaf: Effect::Drop, object: None, array: None };

    /// The place of `node`. Without a node, nothing leaves.
    pub(super) fn of(node: Option<NodeId>, automaton: &Automaton) -> Self {
        node.map_or(Self::DROPPED, |id| {
            let node = automaton.node(id);
            let leaf = match node.leaf {
                Leaf::Drop => Effect::Drop,
                Leaf::Keep => Effect::Keep,
                Leaf::Transform(_) => Effect::Transform(id),
            };
            Self { leaf, object: node.object.as_ref().map(|_| id), array: node.array.as_ref().map(|_| id) }
        })
    }

    /// The place of the document itself: an object is always written, anything else never.
    pub(super) fn document(automaton: &Automaton) -> Self {
        Self { object: Some(automaton.root()), ..Self::DROPPED }
    }
}
