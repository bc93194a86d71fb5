//! The subset construction: compiles checked shapes to an [`Automaton`].

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::Range;

use super::describe::{self, DroppedChild, Origins};
use super::{Array, Automaton, Leaf, MAX_NAMES, Member, Node, NodeId, Object};
use crate::rules::checked::{Rule, Shape, ShapeId};
use crate::rules::path::{Path, Selector, Step};
use crate::rules::plan::{HEADER_NAME, HEADER_VALUE, Kept, Transform, Treatment};

/// Rules of a few hundred lines compile to a few dozen nodes.
const MAX_NODES: usize = 4096;

/// Why shapes do not compile.
#[derive(Debug)]
pub(in crate::rules) enum CompileError {
    /// These two rules give one leaf different transforms, or keep it as different kinds.
    Conflict(Range<usize>, Range<usize>),
    /// More than [`MAX_NODES`] nodes, [`describe::MAX_PLACES`] places or [`MAX_NAMES`] names in one object.
    TooLarge,
}

/// Compiles the shape `root`, looking others up in `shapes`.
pub(in crate::rules) fn build(shapes: &[Shape], root: ShapeId) -> Result<Automaton, CompileError> {
    let mut builder =
        Builder { shapes, ids: HashMap::new(), queue: VecDeque::new(), automaton: Automaton::default() };
    builder.id(builder.start(root));
    while let Some(positions) = builder.queue.pop_front() {
        let node = builder.node(&positions)?;
        let origins = builder.origins(&positions, &node);
        builder.automaton.nodes.push(node);
        builder.automaton.origins.push(origins);
        if builder.automaton.nodes.len() + builder.queue.len() > MAX_NODES {
            return Err(CompileError::TooLarge);
        }
    }
    if builder.automaton.is_too_large() { Err(CompileError::TooLarge) } else { Ok(builder.automaton) }
}

/// Compiles a page: its `value` array is required.
pub(in crate::rules) fn build_page(shapes: &[Shape], root: ShapeId) -> Result<Automaton, CompileError> {
    let mut automaton = build(shapes, root)?;
    automaton.page =
        automaton.node(automaton.root()).object.as_ref().and_then(|object| object.member("value")?.1.node);
    Ok(automaton)
}

/// How far along one rule the document node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Position {
    /// `step` steps of a shape's rule have been taken.
    Rule { shape: ShapeId, rule: usize, step: usize },
    /// `step` steps of the path to a nested shape have been taken.
    Nested { shape: ShapeId, nested: usize, step: usize },
    /// Anywhere inside this shape, which has `unlisted: keep`.
    Unlisted { shape: ShapeId },
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

impl Position {
    fn is_unlisted(&self) -> bool {
        matches!(self, Self::Unlisted { .. })
    }
}

struct Builder<'a> {
    shapes: &'a [Shape],
    ids: HashMap<Positions, NodeId>,
    /// Sets that have a number and no node yet, in the order of their numbers.
    queue: VecDeque<Positions>,
    automaton: Automaton,
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
        rules
            .chain(nested)
            .chain(shape.unlisted_keep.as_ref().map(|_| Position::Unlisted { shape: id }))
            .collect()
    }

    fn node(&mut self, positions: &Positions) -> Result<Node, CompileError> {
        let treatments: Vec<_> = positions.iter().filter_map(|position| self.treatment(*position)).collect();
        if treatments.iter().any(|(treatment, _)| **treatment == Treatment::Redact) {
            return Ok(Node::default());
        }
        let leaf = leaf(&treatments, positions.iter().any(Position::is_unlisted))?;
        if let Leaf::Transform(Transform::Headers(_)) = leaf {
            self.alone(positions, &treatments)?;
            return Ok(Node { leaf, object: None, array: None });
        }
        Ok(Node { leaf, object: self.object(positions)?, array: self.array(positions) })
    }

    /// A list of headers leaves by its own line alone: what other lines say about its inside would be in doubt.
    fn alone(
        &self,
        positions: &Positions,
        treatments: &[(&Treatment, Range<usize>)],
    ) -> Result<(), CompileError> {
        let own =
            treatments.iter().find(|(treatment, _)| is_headers(treatment)).map(|(_, span)| span.clone());
        let goes_on = |at: &&Position| !self.only_redacts(**at) && self.step(**at).is_some();
        let other = positions.iter().find(goes_on).and_then(|at| self.span(*at));
        match (own, other.or_else(|| self.redaction_in(positions))) {
            (Some(own), Some(other)) => Err(CompileError::Conflict(own, other)),
            _ => Ok(()),
        }
    }

    /// A line that redacts something in the elements of a list of headers.
    fn redaction_in(&self, positions: &Positions) -> Option<Range<usize>> {
        let edges = (0..self.indexes(positions)).map(Edge::Index).chain([Edge::OtherIndex]);
        let elements = edges.map(|edge| self.advance(positions, edge));
        let parts = |element: Positions| {
            [HEADER_NAME, HEADER_VALUE].map(|name| self.advance(&element, Edge::Name(name)))
        };
        let mut inside = elements.flat_map(|element| [vec![element.clone()], parts(element).into()].concat());
        let redacts =
            |at: &Position| self.treatment(*at).filter(|(treatment, _)| **treatment == Treatment::Redact);
        inside.find_map(|positions| positions.iter().find_map(redacts).map(|(_, span)| span))
    }

    /// Where the file has the line of a position.
    fn span(&self, position: Position) -> Option<Range<usize>> {
        match position {
            Position::Nested { shape, nested, .. } => {
                Some(self.shapes.get(shape.0)?.nested.get(nested)?.span.clone())
            }
            Position::Rule { .. } | Position::Unlisted { .. } => Some(self.rule(position)?.span.clone()),
        }
    }

    fn object(&mut self, positions: &Positions) -> Result<Option<Object>, CompileError> {
        let names = self.names(positions);
        let other = self.child(positions, Edge::OtherName);
        let mut writes = positions.iter().any(Position::is_unlisted);
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
        let unlisted = positions.iter().any(Position::is_unlisted);
        (unlisted || edges.any(|edge| self.goes_through(positions, edge))).then_some(Array { first, rest })
    }

    /// The lines of the file that decide what happens at the node.
    fn origins(&self, positions: &Positions, node: &Node) -> Origins {
        let leaf = positions.iter().filter_map(|position| self.line(*position)).collect();
        let members = node.object.iter().flat_map(Object::members).filter(|member| member.node.is_none());
        let names = members.map(|member| {
            self.dropped(positions, Edge::Name(&member.name), describe::Step::Name(member.name.clone()))
        });
        let elements = node.array.iter().flat_map(|array| (0..).zip(&array.first));
        let indexes = elements
            .filter(|(_, element)| element.is_none())
            .map(|(at, _)| self.dropped(positions, Edge::Index(at), describe::Step::Index(at)));
        Origins { leaf, dropped: names.chain(indexes).collect() }
    }

    fn dropped(&self, positions: &Positions, edge: Edge<'_>, step: describe::Step) -> DroppedChild {
        let next = self.advance(positions, edge);
        let rules = next.iter().filter(|position| self.only_redacts(**position));
        DroppedChild {
            step,
            lines: rules.filter_map(|position| self.rule(*position)).map(|rule| rule.span.clone()).collect(),
        }
    }

    /// The line that decides a leaf, if one ends here.
    fn line(&self, position: Position) -> Option<Range<usize>> {
        match position {
            Position::Unlisted { shape } => self.shapes.get(shape.0)?.unlisted_keep.clone(),
            Position::Rule { .. } => self.treatment(position).map(|(_, span)| span),
            Position::Nested { .. } => None,
        }
    }

    /// Where `edge` leads, if anything can leave there.
    fn child(&mut self, positions: &Positions, edge: Edge<'_>) -> Option<NodeId> {
        let next = self.advance(positions, edge);
        self.lives(&next).then(|| self.id(next))
    }

    /// Whether a rule that writes selects this child, even if a redaction then empties it.
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
                    if position.is_unlisted() {
                        next.insert(*position);
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
            next.retain(|position| !position.is_unlisted());
        }
        for shape in entered {
            next.extend(self.start(shape));
        }
        next
    }

    /// Takes one step. The end of a nested path is the start of its shape.
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
            Position::Unlisted { .. } => {}
        }
    }

    fn path(&self, position: Position) -> Option<&'a Path> {
        match position {
            Position::Rule { shape, rule, .. } => Some(&self.shapes.get(shape.0)?.rules.get(rule)?.path),
            Position::Nested { shape, nested, .. } => {
                Some(&self.shapes.get(shape.0)?.nested.get(nested)?.path)
            }
            Position::Unlisted { .. } => None,
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
        let rule = self.rule(position)?;
        self.step(position).is_none().then(|| (&rule.treatment, rule.span.clone()))
    }

    fn only_redacts(&self, position: Position) -> bool {
        self.rule(position).is_some_and(|rule| rule.treatment == Treatment::Redact)
    }

    fn rule(&self, position: Position) -> Option<&'a Rule> {
        let Position::Rule { shape, rule, .. } = position else {
            return None;
        };
        self.shapes.get(shape.0)?.rules.get(rule)
    }

    /// Whether anything can leave: some rule or shape here is more than a redaction, and no redaction ends here.
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

    /// How many elements, from the first on, the rules can treat differently.
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

fn is_headers(treatment: &Treatment) -> bool {
    matches!(treatment, Treatment::Transform(Transform::Headers(_)))
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
            // This index is beyond the largest number in any selector here, so only an open slice selects it.
            (Self::Slice { end, .. }, Edge::OtherIndex) => end.is_none(),
            _ => false,
        }
    }
}

/// The strictest of the treatments that the rules give to a leaf. Two different transforms are a conflict, and so are two
/// kinds of `keep`. `unlisted: keep` is about what no rule names.
fn leaf(treatments: &[(&Treatment, Range<usize>)], unlisted: bool) -> Result<Leaf, CompileError> {
    let transform = only(treatments.iter().filter_map(|(treatment, span)| match treatment {
        Treatment::Transform(transform) => Some((transform, span)),
        Treatment::Keep(_) | Treatment::Redact => None,
    }))?;
    let kept = only(treatments.iter().filter_map(|(treatment, span)| match treatment {
        Treatment::Keep(kept) => Some((kept, span)),
        Treatment::Transform(_) | Treatment::Redact => None,
    }));
    Ok(match transform {
        Some(transform) => Leaf::Transform(transform.clone()),
        None => match kept? {
            Some(kept) => Leaf::Keep(kept.clone()),
            None if unlisted => Leaf::Keep(Kept::Text),
            None => Leaf::Drop,
        },
    })
}

/// The one thing that all of the rules say, if any says something.
fn only<'a, T: PartialEq>(
    mut said: impl Iterator<Item = (&'a T, &'a Range<usize>)>,
) -> Result<Option<&'a T>, CompileError> {
    let Some((first, span)) = said.next() else { return Ok(None) };
    match said.find(|(other, _)| *other != first) {
        Some((_, other)) => Err(CompileError::Conflict(span.clone(), other.clone())),
        None => Ok(Some(first)),
    }
}

/// A property name as JSON, with its colon.
fn written(name: &str) -> Box<[u8]> {
    let mut text = serde_json::Value::from(name).to_string();
    text.push(':');
    text.into_bytes().into_boxed_slice()
}
