//! Where in a document a value stands, as the rules see it.

use crate::rules::automaton::{Automaton, Leaf, NodeId};

/// What happens to a value at one place, by its type. It is small, and looked up once for many values.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// What happens to a string, number, boolean or null.
    pub(super) leaf: Effect,
    /// The node of an object; none if it is dropped whole.
    pub(super) object: Option<NodeId>,
    /// The node of an array; none if it is dropped whole.
    pub(super) array: Option<NodeId>,
}

/// What happens to a leaf.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Drop,
    Keep,
    /// As the leaf of this node says.
    Transform(NodeId),
}

impl Place {
    /// Where nothing leaves.
    pub(super) const DROPPED: Self = Self { leaf: Effect::Drop, object: None, array: None };

    /// The place that `node` is. Nothing leaves where there is none.
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

    /// Where the document itself stands: an object, and nothing else, is always written.
    pub(super) fn document(automaton: &Automaton) -> Self {
        Self { object: Some(automaton.root()), ..Self::DROPPED }
    }
}
