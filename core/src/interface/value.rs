//! What can be at a place of a response: a tree with a place for each that [`Automaton::describe`] tells, with what the catalogue
//! knows of it.
//!
//! [`Automaton::describe`]: crate::rules::automaton::Automaton::describe

use std::collections::BTreeMap;

use super::form::{self, Form};
use crate::catalogue::Edm;
use crate::graph::Version;
use crate::pseudonym::DomainMode;
use crate::rules::automaton::{Described, Effect, Leaf, Location, Step};
use crate::rules::known::{Types, VALUE};
use crate::rules::plan::{Headers, Transform};

/// What can be at one place. An array, for example, can leave in one form at one endpoint only, so all fields are of one place of
/// one endpoint's response.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Value {
    /// The forms of a single value. Elements of one array can differ.
    pub(super) forms: Vec<Form>,
    pub(super) object: Option<Object>,
    /// The elements of an array.
    pub(super) elements: Option<Box<Value>>,
    /// The same as at this place, seen from the object: shapes refer to each other in a circle.
    pub(super) again: Option<Location>,
    /// What Graph's schema says; `None` if the catalogue does not know.
    pub(super) graph: Option<Known>,
}

/// What can be in an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Object {
    /// The properties that can leave, by name.
    pub(super) members: BTreeMap<String, Value>,
    /// Whether properties leave that no rule names.
    pub(super) is_open: bool,
}

/// What Graph's schema says of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The type of the value, or of each value.
    pub(super) edm: Edm,
    pub(super) is_collection: bool,
}

/// What is known of the objects at an endpoint's path.
pub(super) struct Lens {
    pub(super) version: Version,
    pub(super) types: Types,
    pub(super) domains: DomainMode,
}

/// What the catalogue says of a place.
enum Sight {
    Known(Known),
    Unknown,
    /// Only the other version has the property, so Graph never sends it in this one.
    Absent,
}

impl Value {
    /// The tree of these places.
    pub(super) fn of(places: impl Iterator<Item = Described>, lens: &Lens) -> Self {
        let mut root = Self::default();
        for Described { at, effect, lines: _ } in places {
            let graph = match lens.sight(&at) {
                Sight::Known(known) => Some(known),
                Sight::Unknown => None,
                Sight::Absent => continue,
            };
            if effect != Effect::Dropped
                && let Some(place) = root.place(&at.0)
            {
                place.graph = graph;
                place.add(effect, lens.domains);
            }
        }
        root
    }

    /// What is left of an object whose property is alone in its response, under `value`.
    pub(super) fn alone(self, property: &str) -> Self {
        let mut members = self.object.map(|object| object.members).unwrap_or_default();
        let value = members.remove(property).map(|value| (VALUE.to_owned(), value));
        let object = Object { members: value.into_iter().collect(), is_open: false };
        Self { object: Some(object), ..Self::default() }
    }

    /// The place at the end of these steps; `None` where properties leave that no rule names.
    fn place(&mut self, steps: &[Step]) -> Option<&mut Self> {
        let Some((step, rest)) = steps.split_first() else { return Some(self) };
        let next = match step {
            Step::Name(name) => {
                let object = self.object.get_or_insert_default();
                object.members.entry(name.to_string()).or_default()
            }
            Step::Index(_) | Step::OtherElements => &mut **self.elements.get_or_insert_default(),
            Step::OtherNames => {
                self.object.get_or_insert_default().is_open = true;
                return None;
            }
        };
        next.place(rest)
    }

    fn add(&mut self, effect: Effect, domains: DomainMode) {
        match effect {
            Effect::Leaves(Leaf::Transform(Transform::Headers(headers))) => self.list(&headers, domains),
            Effect::Leaves(leaf) => {
                let form = Form::of(&leaf, domains).filter(|form| !self.forms.contains(form));
                self.forms.extend(form);
            }
            Effect::Object => {
                self.object.get_or_insert_default();
            }
            Effect::Array => {
                self.elements.get_or_insert_default();
            }
            Effect::Repeats(outer) => self.again = Some(outer),
            Effect::Dropped => {}
        }
    }

    /// A list of headers: objects with a name and a value, which are texts for Graph, too.
    fn list(&mut self, headers: &Headers, domains: DomainMode) {
        let text = Known { edm: Edm::String, is_collection: false };
        let part = |(name, form): (&str, Form)| {
            (name.to_owned(), Self { forms: vec![form], graph: Some(text), ..Self::default() })
        };
        let members = form::header(headers, domains).map(part).into();
        let object = Some(Object { members, is_open: false });
        self.elements = Some(Box::new(Self { object, graph: self.graph, ..Self::default() }));
    }

    /// The object at this place, or in the array there.
    pub(super) fn inner(&self) -> Option<&Object> {
        self.object.as_ref().or_else(|| self.elements.as_ref()?.inner())
    }
}

impl Object {
    /// The properties. Annotations, such as `@odata.type`, are none.
    pub(super) fn properties(&self) -> impl Iterator<Item = (&str, &Value)> {
        let members = self.members.iter().filter(|(name, _)| !name.contains('@'));
        members.map(|(name, value)| (name.as_str(), value))
    }
}

impl Known {
    /// The type of the objects in it, or that it leads to.
    pub(super) fn object(self) -> Option<&'static str> {
        match self.edm {
            Edm::Complex(name) | Edm::Navigation(name) => Some(name),
            _ => None,
        }
    }
}

impl Lens {
    fn sight(&self, at: &Location) -> Sight {
        // A path that only the other version has says nothing of this one.
        if !self.types.iter().any(|(version, _)| version == self.version) {
            return Sight::Unknown;
        }
        let found = self.types.properties(at);
        match found.iter().find(|(version, _)| *version == self.version) {
            Some((_, property)) => {
                Sight::Known(Known { edm: property.edm, is_collection: property.is_collection })
            }
            None if found.is_empty() => Sight::Unknown,
            None => Sight::Absent,
        }
    }
}
