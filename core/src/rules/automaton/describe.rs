//! Describes, as data, what an automaton does: every place where a value leaves, where a container is written or where
//! a rule drops a name, with the lines of the file that decide it. Reviews, pages and fingerprints are made from this
//! description, so they cannot differ from what the sanitizer does.
//!
//! The description is complete: two automata that treat any document differently have different descriptions. So it
//! also lists containers that are written although nothing inside leaves, and the names and array elements that a rule
//! drops.

use std::fmt;
use std::ops::Range;

use super::{Automaton, Leaf, Node, NodeId};

/// The most places of one response. The shipped rules have under a hundred for each endpoint. Shapes that refer to each
/// other in circles can have more than a reviewer can read.
pub(super) const MAX_PLACES: usize = 8192;

/// What happens at one place, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Where.
    pub at: Location,
    /// What happens.
    pub effect: Effect,
    /// The lines of the file that decide it, in bytes of the file. Empty for containers and for what this program adds.
    pub lines: Vec<Range<usize>>,
}

/// What happens at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A string, number, boolean or null leaves, in this form.
    Leaves(Leaf),
    /// An object is written; it may be empty.
    Object,
    /// An array is written; it may be empty.
    Array,
    /// The rules name this place, and what is here is dropped. A document that has the property twice is refused.
    Dropped,
    /// From here on, the same happens as at that place: shapes refer to each other in a circle.
    Repeats(Location),
}

/// A place in a document, from its root on. [`fmt::Display`] writes it as JSONPath: `$.value[*].from`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location(pub Vec<Step>);

/// One step into a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The property of this name.
    Name(Box<str>),
    /// Each property that no rule names here.
    OtherNames,
    /// The element at this index.
    Index(u32),
    /// Each element that has no [`Step::Index`].
    OtherElements,
}

/// The lines of the file that decide about a node.
#[derive(Debug, Default)]
pub(super) struct Origins {
    /// The lines that decide the leaf.
    pub(super) leaf: Vec<Range<usize>>,
    /// The dropped children: names that a rule mentions, and array elements in front of one that a rule mentions.
    pub(super) dropped: Vec<DroppedChild>,
}

/// A child that the rules know and drop.
#[derive(Debug)]
pub(super) struct DroppedChild {
    pub(super) step: Step,
    pub(super) lines: Vec<Range<usize>>,
}

impl Automaton {
    /// Everything that this automaton does, ordered by place. Nothing is cut off: an automaton with more than
    /// [`MAX_PLACES`] places does not compile.
    pub fn describe(&self) -> Vec<Described> {
        let mut describer = Describer { automaton: self, open: Vec::new(), found: Vec::new() };
        describer.node(self.root(), &Location::default());
        // The sort is stable: at one place, the leaf stays before the containers.
        describer.found.sort_by(|one, other| one.at.cmp(&other.at));
        describer.found
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.describe().len() > MAX_PLACES
    }
}

struct Describer<'a> {
    automaton: &'a Automaton,
    /// The nodes on the way here, each with its place.
    open: Vec<(NodeId, Location)>,
    found: Vec<Described>,
}

impl Describer<'_> {
    fn node(&mut self, id: NodeId, at: &Location) {
        if self.found.len() > MAX_PLACES {
            return;
        }
        if let Some((_, outer)) = self.open.iter().find(|(own, _)| *own == id) {
            let effect = Effect::Repeats(outer.clone());
            return self.add(at.clone(), effect, Vec::new());
        }
        let automaton = self.automaton;
        let node = automaton.node(id);
        let origins = automaton.origins.get(id.index());
        self.effects(node, origins, at);
        self.open.push((id, at.clone()));
        for dropped in origins.iter().flat_map(|origins| &origins.dropped) {
            self.add(at.child(dropped.step.clone()), Effect::Dropped, dropped.lines.clone());
        }
        for (child, step) in node.children() {
            self.node(child, &at.child(step));
        }
        self.open.pop();
    }

    fn effects(&mut self, node: &Node, origins: Option<&Origins>, at: &Location) {
        if node.leaf != Leaf::Drop {
            let lines = origins.map(|origins| origins.leaf.clone()).unwrap_or_default();
            self.add(at.clone(), Effect::Leaves(node.leaf.clone()), lines);
        }
        if node.object.is_some() {
            self.add(at.clone(), Effect::Object, Vec::new());
        }
        if node.array.is_some() {
            self.add(at.clone(), Effect::Array, Vec::new());
        }
    }

    fn add(&mut self, at: Location, effect: Effect, lines: Vec<Range<usize>>) {
        self.found.push(Described { at, effect, lines });
    }
}

impl Node {
    fn children(&self) -> Vec<(NodeId, Step)> {
        let object = self.object.iter().flat_map(|object| {
            let known = object.members.iter();
            let known = known.filter_map(|member| Some((member.node?, Step::Name(member.name.clone()))));
            known.chain(object.other.map(|other| (other, Step::OtherNames)))
        });
        let array = self.array.iter().flat_map(|array| {
            let first = (0..).zip(&array.first);
            let first = first.filter_map(|(at, node)| Some(((*node)?, Step::Index(at))));
            first.chain(array.rest.map(|rest| (rest, Step::OtherElements)))
        });
        object.chain(array).collect()
    }
}

impl Location {
    /// The place one step further.
    #[must_use]
    pub fn child(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The names on the way, without array steps: `from`, `emailAddress`, `address`. `*` stands for other names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(Step::name)
    }
}

impl Step {
    /// The name of the property, `*` for other names; `None` for an element.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::OtherNames => Some("*"),
            Self::Index(_) | Self::OtherElements => None,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        self.0.iter().try_for_each(|step| step.fmt(f))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) if is_shorthand(name) => write!(f, ".{name}"),
            Self::Name(name) => write!(f, "['{}']", name.chars().map(escaped).collect::<String>()),
            Self::OtherNames => f.write_str(".*"),
            Self::Index(at) => write!(f, "[{at}]"),
            Self::OtherElements => f.write_str("[*]"),
        }
    }
}

/// Whether the name can follow a dot in JSONPath (RFC 9535 2.5.1.1). Of the letters that the RFC allows, only ASCII
/// counts.
fn is_shorthand(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A character of a quoted name (RFC 9535 2.3.1.1).
fn escaped(character: char) -> String {
    match character {
        '\'' | '\\' => format!("\\{character}"),
        control if control.is_control() => format!("\\u{:04x}", u32::from(control)),
        plain => plain.to_string(),
    }
}

impl fmt::Display for Effect {
    /// As the rules call it: `keep`, `pseudonymize as email`, `dropped`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaves(leaf) => leaf.fmt(f),
            Self::Object => f.write_str("object"),
            Self::Array => f.write_str("array"),
            Self::Dropped => f.write_str("dropped"),
            Self::Repeats(outer) => write!(f, "the same as {outer}"),
        }
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop => f.write_str("drop"),
            Self::Keep(kept) => kept.fmt(f),
            Self::Transform(transform) => transform.fmt(f),
        }
    }
}
