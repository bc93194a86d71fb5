//! Shapes compiled to a deterministic automaton over property names and array positions.
//!
//! # How it works
//!
//! A position says how many steps of one rule's path have been taken. At each place of a document, the rules together
//! have reached a *set* of positions. The compiler builds one [`Node`] for each reachable set (the classical subset
//! construction), and the matcher keeps one node number for each open container. It never walks a tree of rules and
//! never tries one rule after the other: a property costs one look-up of its name.
//!
//! The end of a `nested` path is the start of its shape. Shapes may refer to each other in a circle: there are finitely
//! many sets, so the construction ends. An `unlisted: keep` around a nested shape does not reach into it.
//!
//! Everything that the rules say about a node is decided here, once: the treatment of its leaf (`redact` wins over
//! transforms, transforms win over `keep`, and two different transforms, or two kinds of `keep`, are an error in the file), whether an object or
//! an array is written, and which children have a node. Where nothing can leave there is no node: the parent has
//! `None`, and the matcher skips the whole subtree.

mod build;
mod describe;
mod locate;

use super::names::Names;
use super::plan::{Kept, Transform};
use describe::Origins;

pub(super) use build::{CompileError, build, build_page};
pub use describe::{Described, Effect, Location, Step};

/// The matcher keeps the names it has seen in one object as bits of a `u128`.
pub(crate) const MAX_NAMES: usize = 128;

/// What leaves of a document.
#[derive(Debug, Default)]
pub struct Automaton {
    nodes: Vec<Node>,
    /// The node of a page's `value` array. A page must have that array.
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
    /// It leaves as it is, if it is of this kind.
    Keep(Kept),
    /// A value made from it leaves.
    Transform(Transform),
}

/// The members of an object.
#[derive(Debug)]
pub struct Object {
    /// The names that the rules know here, ordered by name. A document in which one of them comes twice is refused.
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
    /// The name as JSON: quoted, escaped, with its colon.
    pub written: Box<[u8]>,
    /// Where the name leads; `None`: its value is dropped.
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

    /// The node of this number. Numbers come from this automaton, so the empty node is never reached.
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
    /// How many elements, from the first on, can be treated differently from those after them.
    pub(crate) fn distinct(&self) -> usize {
        self.first.len()
    }

    /// Where each element leads, if all lead to the same.
    pub(crate) fn each(&self) -> Option<NodeId> {
        self.rest.filter(|_| self.first.is_empty())
    }

    /// Where the element at `index` leads.
    pub fn element(&self, index: u64) -> Option<NodeId> {
        usize::try_from(index).ok().and_then(|at| self.first.get(at)).copied().unwrap_or(self.rest)
    }
}

#[cfg(test)]
mod tests;
