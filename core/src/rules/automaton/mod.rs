//! Shapes compiled to a deterministic automaton over property names and array positions.
//!
//! # How it works
//!
//! Each rule's path is a line of positions: "so many steps of this rule have been taken". A document node that the
//! matcher stands on corresponds to the *set* of positions that all rules have reached there, so the compiler builds
//! one [`Node`] per reachable set (the classical subset construction) and the matcher holds a single node number per
//! open container. It never walks a tree of rules and never tries one rule after the other; its cost per property is
//! one look-up of the property's name.
//!
//! A `nested` path that ends turns into the start of its shape, also when shapes refer to each other in a circle: the
//! sets are finite, so the construction ends. A nested shape governs its part alone; an `unlisted: keep` around it
//! stops there.
//!
//! Everything the rules can say about a node is decided here, once: which treatment its leaf gets (`redact` before
//! transforms before `keep`; two different transforms are an error that the author is told about), whether an object
//! or an array is written, and which children lead anywhere. A node with nothing to let out does not exist: its parent
//! has `None` there, and the matcher skips the whole subtree.

mod build;
mod describe;

use super::names::Names;
use super::plan::Transform;
use describe::Origins;

pub(super) use build::{CompileError, build, build_page};
pub use describe::{Described, Effect, Location, Step};

/// The matcher keeps the names it has seen in one object as bits of a `u128`.
pub const MAX_NAMES: usize = 128;

/// What leaves of a document.
#[derive(Debug, Default)]
pub struct Automaton {
    nodes: Vec<Node>,
    /// The node of the `value` array of a page, which a page must have.
    page: Option<NodeId>,
    /// Which lines of the file decide what happens at each node. The sanitizer does not read it.
    origins: Vec<Origins>,
}

/// A node's number in its automaton.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeId(u32);

impl NodeId {
    /// The number: under a few thousand.
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// What may leave at one place of the document.
#[derive(Debug, Default)]
pub struct Node {
    /// What happens to a string, number, boolean or null here.
    pub leaf: Leaf,
    /// What happens to an object here; `None`: it is dropped whole.
    pub object: Option<Object>,
    /// What happens to an array here; `None`: it is dropped whole.
    pub array: Option<Array>,
}

/// What happens to a leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Leaf {
    /// It is dropped.
    #[default]
    Drop,
    /// It leaves as it is.
    Keep,
    /// Something made from it leaves.
    Transform(Transform),
}

/// The members of an object.
#[derive(Debug)]
pub struct Object {
    /// The names that the rules know here, ordered by name. A known name that comes twice is refused.
    members: Vec<Member>,
    names: Names,
    /// Where every other name leads.
    other: Option<NodeId>,
}

/// A name that the rules know.
#[derive(Debug)]
pub struct Member {
    /// The name, unescaped.
    pub name: Box<str>,
    /// The name as it is written: quoted, escaped, with its colon.
    pub written: Box<[u8]>,
    /// Where it leads; `None`: what it holds is dropped.
    pub node: Option<NodeId>,
}

/// The elements of an array.
#[derive(Debug)]
pub struct Array {
    /// Where the first elements lead.
    first: Vec<Option<NodeId>>,
    /// Where the elements after them lead.
    rest: Option<NodeId>,
}

impl Automaton {
    /// The node of the whole document.
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// A node. Numbers come from this automaton, so the empty node is never reached.
    pub fn node(&self, id: NodeId) -> &Node {
        static NOTHING: Node = Node { leaf: Leaf::Drop, object: None, array: None };
        self.nodes.get(id.index()).unwrap_or(&NOTHING)
    }

    /// The node of the `value` array that a page must have.
    pub fn page(&self) -> Option<NodeId> {
        self.page
    }

    /// The node that a chain of names leads to.
    pub fn find<'a>(&self, from: NodeId, names: impl IntoIterator<Item = &'a str>) -> Option<&Node> {
        let end = names
            .into_iter()
            .try_fold(from, |at, name| self.node(at).object.as_ref()?.member(name)?.1.node)?;
        Some(self.node(end))
    }

    /// The node of the object that `name` leads to, or of each object in the array there.
    pub fn child(&self, from: NodeId, name: &str) -> Option<NodeId> {
        let at = self.node(from).object.as_ref()?.member(name)?.1.node?;
        let node = self.node(at);
        if node.object.is_some() { Some(at) } else { node.array.as_ref()?.rest }
    }

    /// The node of one element of the page's array.
    pub fn element(&self) -> Option<NodeId> {
        self.node(self.page?).array.as_ref()?.rest
    }
}

impl Object {
    fn new(members: Vec<Member>, other: Option<NodeId>) -> Self {
        let names = Names::new(members.iter().map(|member| &*member.name));
        Self { members, names, other }
    }

    /// The member called `name`, and its number in this object (under [`MAX_NAMES`]).
    pub fn member(&self, name: &str) -> Option<(usize, &Member)> {
        let is_name = |at: usize| self.members.get(at).is_some_and(|member| *member.name == *name);
        let at = self.names.find(name, is_name)?;
        self.members.get(at).map(|member| (at, member))
    }

    /// The members that the rules know.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Where a name that the rules do not know leads.
    pub fn other(&self) -> Option<NodeId> {
        self.other
    }
}

impl Array {
    /// Where the element at `index` leads.
    pub fn element(&self, index: u64) -> Option<NodeId> {
        usize::try_from(index).ok().and_then(|at| self.first.get(at)).copied().unwrap_or(self.rest)
    }
}

#[cfg(test)]
mod tests;
