//! A property's type, from the forms in which it leaves and from what Graph's schema says.

use std::collections::BTreeSet;

use super::super::form::{Form, Kind};
use super::super::value::{Known, Value};
use super::is_identifier;
use crate::catalogue::Edm;
use crate::graph::Version;

/// The type of a single value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Single {
    /// `Edm.String` and the like.
    Primitive(String),
    /// An enum of Graph's, by its name without the namespace.
    Enum(&'static str),
    /// An object of this type of Graph's.
    Object(&'static str),
    /// Length and number of words.
    Digest,
    /// Two forms that no type of OData has both of.
    Untyped,
}

/// A property of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) of: Single,
    pub(super) is_collection: bool,
    /// The forms in which it leaves, in plain words.
    pub(super) says: BTreeSet<String>,
    /// The texts of which the value is one; `None` if there can be others.
    pub(super) allowed: Option<BTreeSet<String>>,
    /// The expression that the value matches; `None` if it can be another.
    pub(super) pattern: Option<String>,
}

impl Property {
    /// The property at a place.
    pub(super) fn of(value: &Value) -> Self {
        let is_collection = is_collection(value);
        let at = if is_collection { value.elements.as_deref().unwrap_or(value) } else { value };
        let forms = &at.forms;
        let words = forms.iter().map(words).collect::<Option<Vec<_>>>();
        Self {
            of: single(at, value.graph),
            is_collection,
            says: forms.iter().filter_map(|form| form.says.as_deref().map(str::to_owned)).collect(),
            allowed: words.filter(|all| !all.is_empty()).map(|all| all.concat().into_iter().collect()),
            pattern: match forms.as_slice() {
                [Form { kind: Kind::Matches(pattern), says: _ }] => Some(pattern.clone()),
                _ => None,
            },
        }
    }

    /// A property whose value is an object, or a collection of objects.
    pub(super) fn object(of: &'static str, is_collection: bool) -> Self {
        Self { of: Single::Object(of), is_collection, says: BTreeSet::new(), allowed: None, pattern: None }
    }

    /// Makes it one for what either of the two can be.
    pub(super) fn merge(&mut self, other: Self) {
        if (&self.of, self.is_collection) != (&other.of, other.is_collection) {
            (self.of, self.is_collection) = (Single::Untyped, false);
        }
        self.says.extend(other.says);
        self.allowed = match (self.allowed.take(), other.allowed) {
            (Some(own), Some(other)) => Some(own.into_iter().chain(other).collect()),
            _ => None,
        };
        self.pattern = self.pattern.take().filter(|pattern| Some(pattern) == other.pattern.as_ref());
    }
}

/// Whether an array leaves. Graph's schema decides where the rules let out both.
fn is_collection(value: &Value) -> bool {
    match value.graph {
        Some(graph) => graph.is_collection,
        None => value.elements.is_some() && value.forms.is_empty() && value.object.is_none(),
    }
}

fn single(value: &Value, graph: Option<Known>) -> Single {
    let object = graph.and_then(Known::object);
    match (object, value.object.is_some() || value.again.is_some(), value.forms.as_slice()) {
        (Some(name), true, _) => Single::Object(name),
        (None, true, _) => Single::Untyped,
        // An array of which no element leaves.
        (Some(name), false, []) => Single::Object(name),
        (_, false, []) => primitive("String"),
        (_, false, [first, others @ ..]) => {
            let of = of_form(first, graph);
            if others.iter().all(|other| of_form(other, graph) == of) { of } else { Single::Untyped }
        }
    }
}

/// A token, a link and a part of a text are texts, whatever the value is in Graph. What is kept has Graph's type.
fn of_form(form: &Form, graph: Option<Known>) -> Single {
    let edm = graph.map(|graph| graph.edm);
    match (&form.kind, edm) {
        (Kind::Boolean, _) => primitive("Boolean"),
        (Kind::Number, Some(Edm::Number(name))) => primitive(name),
        (Kind::Number, _) => primitive("Double"),
        (Kind::Time, Some(edm @ (Edm::Date | Edm::DateTimeOffset | Edm::TimeOfDay))) => of_schema(edm),
        (Kind::OneOf(words), Some(Edm::Enum(name))) if words.iter().all(|word| is_identifier(word)) => {
            Single::Enum(name)
        }
        (Kind::OneOf(_), Some(edm @ (Edm::Duration | Edm::Guid))) => of_schema(edm),
        (Kind::Written, Some(edm)) => of_schema(edm),
        (Kind::Written, None) => Single::Untyped,
        (Kind::Digest, _) => Single::Digest,
        (Kind::Time | Kind::OneOf(_) | Kind::Matches(_) | Kind::Text | Kind::Link, _) => primitive("String"),
    }
}

fn of_schema(edm: Edm) -> Single {
    match edm {
        Edm::Enum(name) => Single::Enum(name),
        Edm::Number(name) => primitive(name),
        Edm::Complex(_) | Edm::Navigation(_) | Edm::Untyped => Single::Untyped,
        Edm::Binary
        | Edm::Boolean
        | Edm::Date
        | Edm::DateTimeOffset
        | Edm::Duration
        | Edm::Guid
        | Edm::Stream
        | Edm::String
        | Edm::TimeOfDay => Single::Primitive(edm.to_string()),
    }
}

fn primitive(name: &str) -> Single {
    Single::Primitive(format!("Edm.{name}"))
}

fn words(form: &Form) -> Option<Vec<String>> {
    match &form.kind {
        Kind::OneOf(words) => Some(words.clone()),
        _ => None,
    }
}

/// The members of an enum at a place, if it is one: those that can leave.
pub(super) fn members(value: &Value, version: Version) -> Option<(&'static str, BTreeSet<String>)> {
    let at = value.elements.as_deref().unwrap_or(value);
    let Single::Enum(name) = Property::of(value).of else { return None };
    let all = || crate::catalogue::members(version, name).map(str::to_owned).collect();
    let of = |form: &Form| words(form).unwrap_or_else(all);
    Some((name, at.forms.iter().flat_map(of).collect()))
}
