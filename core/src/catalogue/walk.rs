//! Where a rule's path leads in an object: `$.toRecipients[*].emailAddress.address` of a message.

use super::nearest::nearest;
use super::types::{Edm, Property, Type, property, type_named};
use crate::graph::Version;

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// To the member of this name.
    Name(&'a str),
    /// To elements of an array, whichever.
    Elements,
}

/// Where a path leads. `at` is the number of the step that goes wrong, from 0.
#[derive(Clone, Copy, Debug)]
pub enum Walk {
    /// To this property: to the array if it is a collection, or to its elements.
    Found {
        /// The property.
        property: &'static Property,
        /// Whether the path leads to the elements of the collection.
        elements: bool,
    },
    /// To an OData annotation, as `@odata.type`.
    Annotation,
    /// To a part of the page around the object; a rule's paths start at the object.
    Envelope,
    /// To something of which the catalogue knows nothing: untyped values, types that it does not have, extension properties.
    Unknown,
    /// Nowhere: there is no such property.
    Missing {
        /// The step.
        at: usize,
        /// The property that was meant, perhaps.
        nearest: Option<&'static str>,
    },
    /// Nowhere in this version: only the other one has the property.
    OtherVersion {
        /// The step.
        at: usize,
    },
    /// Into a collection without `[*]` in front of the step.
    NeedsElements {
        /// The step.
        at: usize,
    },
    /// To the elements of something that is not a collection.
    NotACollection {
        /// The step.
        at: usize,
    },
}

/// Where the walk stands.
enum Place {
    Object(&'static Type),
    Collection(&'static Property),
    Value,
    Beyond,
}

/// Follows the steps from an object of the type.
pub fn walk(version: Version, from: &'static Type, steps: &[Step<'_>]) -> Walk {
    let mut place = Place::Object(from);
    let mut found = Walk::Unknown;
    for (at, step) in steps.iter().enumerate() {
        match take(version, &place, *step, at) {
            Ok(property) => {
                let elements = *step == Step::Elements;
                place = arrive(version, property, elements);
                found = Walk::Found { property, elements };
            }
            Err(end) => return end,
        }
    }
    found
}

/// The property that the step leads to, or into whose elements it leads.
fn take(version: Version, place: &Place, step: Step<'_>, at: usize) -> Result<&'static Property, Walk> {
    match (place, step) {
        (Place::Beyond, _) => Err(Walk::Unknown),
        (_, Step::Name(name)) if name.contains('@') => Err(Walk::Annotation),
        (Place::Object(of), Step::Name(name)) => {
            property(version, of, name).ok_or_else(|| miss(version, of, name, at))
        }
        (Place::Collection(property), Step::Elements) => Ok(property),
        (Place::Collection(_), Step::Name(_)) => Err(Walk::NeedsElements { at }),
        (Place::Value, Step::Name(_)) => Err(Walk::Missing { at, nearest: None }),
        (Place::Object(_) | Place::Value, Step::Elements) => Err(Walk::NotACollection { at }),
    }
}

fn arrive(version: Version, property: &'static Property, elements: bool) -> Place {
    if property.is_collection && !elements {
        return Place::Collection(property);
    }
    match property.object() {
        Some(name) => type_named(version, name).map_or(Place::Beyond, Place::Object),
        None if property.edm == Edm::Untyped => Place::Beyond,
        None => Place::Value,
    }
}

fn miss(version: Version, of: &Type, name: &str, at: usize) -> Walk {
    if at == 0 && name == "value" {
        return Walk::Envelope;
    }
    let other = if version == Version::V1 { Version::Beta } else { Version::V1 };
    if property(other, of, name).is_some() {
        return Walk::OtherVersion { at };
    }
    let mut names = of.visible(version).map(|property| property.name).peekable();
    // Schema extensions have an underscore in their names; those of Graph's own types have none.
    let could_be_there = of.is_open && (name.contains('_') || names.peek().is_none());
    match nearest(name, names) {
        None if could_be_there => Walk::Unknown,
        nearest => Walk::Missing { at, nearest },
    }
}
