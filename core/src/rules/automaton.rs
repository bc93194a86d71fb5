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

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Range;

use super::checked::{Shape, ShapeId};
use super::names::Names;
use super::path::{Path, Selector, Step};
use super::plan::{Transform, Treatment};

/// Rules of a few hundred lines compile to a few dozen nodes.
const MAX_NODES: usize = 4096;
/// The most places that something can leave at. Shapes that refer to each other in circles have more than a reviewer
/// can read; the shipped rules have under fifty for each endpoint.
const MAX_PLACES: usize = 4096;
/// The matcher keeps the names it has seen in one object as bits of a `u128`.
pub const MAX_NAMES: usize = 128;

/// What leaves of a document.
#[derive(Debug, Default)]
pub struct Automaton {
    nodes: Vec<Node>,
    /// The node of the `value` array of a page, which a page must have.
    page: Option<NodeId>,
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

/// Why shapes do not compile.
#[derive(Debug)]
pub(super) enum CompileError {
    /// These two rules give one leaf different transforms.
    Conflict(Range<usize>, Range<usize>),
    /// More than [`MAX_NODES`] nodes, [`MAX_PLACES`] places or [`MAX_NAMES`] names in one object.
    TooLarge,
}

/// Compiles the shape `root`, looking others up in `shapes`.
pub(super) fn build(shapes: &[Shape], root: ShapeId) -> Result<Automaton, CompileError> {
    let mut builder = Builder { shapes, ids: HashMap::new(), queue: VecDeque::new(), nodes: Vec::new() };
    builder.id(builder.start(root));
    while let Some(positions) = builder.queue.pop_front() {
        let node = builder.node(&positions)?;
        builder.nodes.push(node);
        if builder.nodes.len() + builder.queue.len() > MAX_NODES {
            return Err(CompileError::TooLarge);
        }
    }
    let automaton = Automaton { nodes: builder.nodes, page: None };
    if automaton.describe().len() > MAX_PLACES { Err(CompileError::TooLarge) } else { Ok(automaton) }
}

/// Compiles a page: its `value` array is required.
pub(super) fn build_page(shapes: &[Shape], root: ShapeId) -> Result<Automaton, CompileError> {
    let mut automaton = build(shapes, root)?;
    automaton.page =
        automaton.node(automaton.root()).object.as_ref().and_then(|object| object.member("value")?.1.node);
    Ok(automaton)
}

/// How far along one rule the document node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Position {
    /// So many steps of a shape's rule.
    Rule { shape: ShapeId, rule: usize, step: usize },
    /// So many steps of the path to a nested shape.
    Nested { shape: ShapeId, nested: usize, step: usize },
    /// Anywhere inside a shape with `unlisted: keep`.
    Unlisted,
}

type Positions = BTreeSet<Position>;

/// A child of a container.
#[derive(Clone, Copy)]
enum Edge<'a> {
    Name(&'a str),
    OtherName,
    Index(u32),
    OtherIndex,
}

struct Builder<'a> {
    shapes: &'a [Shape],
    ids: HashMap<Positions, NodeId>,
    /// Sets that have a number and no node yet, in the order of their numbers.
    queue: VecDeque<Positions>,
    nodes: Vec<Node>,
}

impl<'a> Builder<'a> {
    fn id(&mut self, positions: Positions) -> NodeId {
        if let Some(id) = self.ids.get(&positions) {
            return *id;
        }
        let id = NodeId(u32::try_from(self.ids.len()).unwrap_or(u32::MAX));
        self.queue.push_back(positions.clone());
        self.ids.insert(positions, id);
        id
    }

    fn start(&self, id: ShapeId) -> Positions {
        let Some(shape) = self.shapes.get(id.0) else {
            return Positions::new();
        };
        let rules = (0..shape.rules.len()).map(|rule| Position::Rule { shape: id, rule, step: 0 });
        let nested = (0..shape.nested.len()).map(|nested| Position::Nested { shape: id, nested, step: 0 });
        rules.chain(nested).chain(shape.unlisted_keep.then_some(Position::Unlisted)).collect()
    }

    fn node(&mut self, positions: &Positions) -> Result<Node, CompileError> {
        let treatments: Vec<_> = positions.iter().filter_map(|position| self.treatment(*position)).collect();
        if treatments.iter().any(|(treatment, _)| **treatment == Treatment::Redact) {
            return Ok(Node::default());
        }
        let leaf = leaf(&treatments, positions.contains(&Position::Unlisted))?;
        Ok(Node { leaf, object: self.object(positions)?, array: self.array(positions) })
    }

    fn object(&mut self, positions: &Positions) -> Result<Option<Object>, CompileError> {
        let names = self.names(positions);
        let other = self.child(positions, Edge::OtherName);
        let mut writes = positions.contains(&Position::Unlisted);
        let mut members = Vec::new();
        for name in names {
            let node = self.child(positions, Edge::Name(&name));
            writes |= self.goes_through(positions, Edge::Name(&name));
            members.push(Member { written: written(&name), name: name.into(), node });
        }
        if members.len() > MAX_NAMES {
            return Err(CompileError::TooLarge);
        }
        Ok(writes.then(|| Object::new(members, other)))
    }

    fn array(&mut self, positions: &Positions) -> Option<Array> {
        let first: Vec<_> =
            (0..self.indexes(positions)).map(|at| self.child(positions, Edge::Index(at))).collect();
        let rest = self.child(positions, Edge::OtherIndex);
        let mut edges = (0..self.indexes(positions)).map(Edge::Index).chain([Edge::OtherIndex]);
        let unlisted = positions.contains(&Position::Unlisted);
        (unlisted || edges.any(|edge| self.goes_through(positions, edge))).then_some(Array { first, rest })
    }

    /// Where `edge` leads, if anything can leave there.
    fn child(&mut self, positions: &Positions, edge: Edge<'_>) -> Option<NodeId> {
        let next = self.advance(positions, edge);
        self.lives(&next).then(|| self.id(next))
    }

    /// Whether a rule that writes continues here, even if a redaction then empties it.
    fn goes_through(&self, positions: &Positions, edge: Edge<'_>) -> bool {
        positions.iter().any(|position| {
            !self.only_redacts(*position) && self.step(*position).is_some_and(|step| step.selects(edge))
        })
    }

    fn advance(&self, positions: &Positions, edge: Edge<'_>) -> Positions {
        let mut next = Positions::new();
        let mut entered = Vec::new();
        for position in positions {
            match self.step(*position) {
                None => {
                    if *position == Position::Unlisted {
                        next.insert(Position::Unlisted);
                    }
                }
                Some(step) => {
                    if step.descend {
                        next.insert(*position);
                    }
                    if step.selects(edge) {
                        self.take(*position, &mut next, &mut entered);
                    }
                }
            }
        }
        if !entered.is_empty() {
            next.remove(&Position::Unlisted);
        }
        for shape in entered {
            next.extend(self.start(shape));
        }
        next
    }

    /// One step further; the end of a nested path is the start of its shape.
    fn take(&self, position: Position, next: &mut Positions, entered: &mut Vec<ShapeId>) {
        match position {
            Position::Rule { shape, rule, step } => {
                next.insert(Position::Rule { shape, rule, step: step + 1 });
            }
            Position::Nested { shape, nested, step } => {
                let taken = Position::Nested { shape, nested, step: step + 1 };
                match (self.step(taken), self.shapes.get(shape.0).and_then(|shape| shape.nested.get(nested)))
                {
                    (None, Some(nested)) => entered.push(nested.shape),
                    _ => {
                        next.insert(taken);
                    }
                }
            }
            Position::Unlisted => {}
        }
    }

    fn path(&self, position: Position) -> Option<&'a Path> {
        match position {
            Position::Rule { shape, rule, .. } => Some(&self.shapes.get(shape.0)?.rules.get(rule)?.path),
            Position::Nested { shape, nested, .. } => {
                Some(&self.shapes.get(shape.0)?.nested.get(nested)?.path)
            }
            Position::Unlisted => None,
        }
    }

    /// The step to be taken next; `None` at the end of a rule.
    fn step(&self, position: Position) -> Option<&'a Step> {
        let (Position::Rule { step, .. } | Position::Nested { step, .. }) = position else {
            return None;
        };
        self.path(position)?.steps.get(step)
    }

    /// The treatment of a rule whose path ends here.
    fn treatment(&self, position: Position) -> Option<(&'a Treatment, Range<usize>)> {
        let Position::Rule { shape, rule, .. } = position else {
            return None;
        };
        let rule = self.shapes.get(shape.0)?.rules.get(rule)?;
        self.step(position).is_none().then(|| (&rule.treatment, rule.span.clone()))
    }

    fn only_redacts(&self, position: Position) -> bool {
        let Position::Rule { shape, rule, .. } = position else {
            return false;
        };
        let rule = self.shapes.get(shape.0).and_then(|shape| shape.rules.get(rule));
        rule.is_some_and(|rule| rule.treatment == Treatment::Redact)
    }

    /// Whether anything can leave: something other than redactions is there, and no redaction ends here.
    fn lives(&self, positions: &Positions) -> bool {
        let redacted = |position: &Position| {
            self.treatment(*position).is_some_and(|(treatment, _)| *treatment == Treatment::Redact)
        };
        positions.iter().any(|position| !self.only_redacts(*position)) && !positions.iter().any(redacted)
    }

    /// The names that any rule asks for next, in order.
    fn names(&self, positions: &Positions) -> BTreeSet<String> {
        self.selectors(positions)
            .filter_map(|selector| match selector {
                Selector::Name(name) => Some(name.clone()),
                Selector::Elements | Selector::Everything | Selector::Slice { .. } => None,
            })
            .collect()
    }

    /// How many elements have to be told apart.
    fn indexes(&self, positions: &Positions) -> u32 {
        self.selectors(positions)
            .map(|selector| match selector {
                Selector::Slice { start, end } => end.unwrap_or(*start),
                Selector::Name(_) | Selector::Elements | Selector::Everything => 0,
            })
            .max()
            .unwrap_or(0)
    }

    fn selectors(&self, positions: &Positions) -> impl Iterator<Item = &'a Selector> {
        positions.iter().filter_map(|position| self.step(*position)).flat_map(|step| &step.selectors)
    }
}

impl Step {
    fn selects(&self, edge: Edge<'_>) -> bool {
        self.selectors.iter().any(|selector| selector.selects(edge))
    }
}

impl Selector {
    fn selects(&self, edge: Edge<'_>) -> bool {
        match (self, edge) {
            (Self::Name(own), Edge::Name(name)) => own == name,
            (Self::Everything, _) | (Self::Elements, Edge::Index(_) | Edge::OtherIndex) => true,
            (Self::Slice { start, end }, Edge::Index(at)) => *start <= at && end.is_none_or(|end| at < end),
            // The elements told apart reach up to the largest number in any selector here.
            (Self::Slice { end, .. }, Edge::OtherIndex) => end.is_none(),
            _ => false,
        }
    }
}

/// The strictest of what the rules say about a leaf.
fn leaf(treatments: &[(&Treatment, Range<usize>)], unlisted: bool) -> Result<Leaf, CompileError> {
    let mut transforms = treatments.iter().filter_map(|(treatment, span)| match treatment {
        Treatment::Transform(transform) => Some((transform, span)),
        Treatment::Keep | Treatment::Redact => None,
    });
    if let Some((first, span)) = transforms.next() {
        return match transforms.find(|(other, _)| *other != first) {
            Some((_, other)) => Err(CompileError::Conflict(span.clone(), other.clone())),
            None => Ok(Leaf::Transform(first.clone())),
        };
    }
    let keep = unlisted || treatments.iter().any(|(treatment, _)| **treatment == Treatment::Keep);
    Ok(if keep { Leaf::Keep } else { Leaf::Drop })
}

/// A property name as it is written in the response, with its colon.
fn written(name: &str) -> Box<[u8]> {
    let mut text = serde_json::Value::from(name).to_string();
    text.push(':');
    text.into_bytes().into_boxed_slice()
}

impl Automaton {
    /// One line per place that something can leave at, for descriptions and fingerprints: path, treatment. Complete:
    /// what has more than [`MAX_PLACES`] of them does not compile.
    pub fn describe(&self) -> Vec<(String, String)> {
        let mut lines = BTreeMap::new();
        self.describe_node(self.root(), "$", &mut Vec::new(), &mut lines);
        lines.into_iter().collect()
    }

    fn describe_node(
        &self,
        id: NodeId,
        path: &str,
        open: &mut Vec<(NodeId, String)>,
        lines: &mut BTreeMap<String, String>,
    ) {
        if lines.len() > MAX_PLACES {
            return;
        }
        if let Some((_, outer)) = open.iter().find(|(own, _)| *own == id) {
            lines.insert(path.to_owned(), format!("the same as {outer}"));
            return;
        }
        let node = self.node(id);
        match &node.leaf {
            Leaf::Drop => {}
            Leaf::Keep => drop(lines.insert(path.to_owned(), "keep".to_owned())),
            Leaf::Transform(transform) => drop(lines.insert(path.to_owned(), transform.to_string())),
        }
        open.push((id, path.to_owned()));
        for (child, path) in node.children(path) {
            self.describe_node(child, &path, open, lines);
        }
        open.pop();
    }
}

impl Node {
    fn children(&self, path: &str) -> Vec<(NodeId, String)> {
        let object = self.object.iter().flat_map(|object| {
            let known = object
                .members
                .iter()
                .filter_map(|member| Some((member.node?, member_path(path, &member.name))));
            known.chain(object.other.map(|other| (other, format!("{path}.*"))))
        });
        let array = self.array.iter().flat_map(|array| {
            let first = array.first.iter().enumerate();
            let first = first.filter_map(|(at, node)| Some(((*node)?, format!("{path}[{at}]"))));
            first.chain(array.rest.map(|rest| (rest, format!("{path}[*]"))))
        });
        object.chain(array).collect()
    }
}

fn member_path(path: &str, name: &str) -> String {
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        format!("{path}.{name}")
    } else {
        format!("{path}['{}']", name.replace('\\', r"\\").replace('\'', r"\'"))
    }
}
