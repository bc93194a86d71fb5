//! Where a path leads: `/users/{user}/mailFolders/{folder}/messages` to messages.

use super::lists::well_known_folders;
use super::types::{Property, Type, schema, type_named};
use crate::graph::{DELTA, Version};

/// The namespace in front of a type's name in a cast.
pub(super) const NAMESPACE: &str = "microsoft.graph.";

/// What a path leads to.
#[derive(Clone, Copy, Debug)]
pub struct Resource {
    /// The entity set or singleton that the path starts at, as `users`.
    pub root: &'static str,
    /// The type of the object, or of each object.
    pub of: &'static Type,
    /// How many.
    pub shape: Shape,
    /// Whether the path ends in the delta function.
    pub is_delta: bool,
    /// The last navigation or property on the way, with the type that has it.
    pub via: Option<(&'static Type, &'static Property)>,
}

/// How many objects a response has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One.
    One,
    /// A page of them.
    Many,
    /// None, but their number.
    Count,
}

/// What the path leads to; `None` if the catalogue does not know the path, or if there is no object at its end.
///
/// The path is a template without the API version: `/users/{user}/messages`, with a name in braces for each key.
pub(crate) fn resolve(version: Version, path: &str) -> Option<Resource> {
    let mut segments = path.strip_prefix('/')?.split('/');
    let name = segments.next()?;
    let mut roots = schema().roots.iter();
    let root = roots.find(|root| root.is_in(version) && root.name.eq_ignore_ascii_case(name))?;
    let shape = if root.is_collection { Shape::Many } else { Shape::One };
    let of = type_named(version, root.of)?;
    let start = Resource { root: root.name, of, shape, is_delta: false, via: None };
    segments.try_fold(start, |resource, segment| resource.step(version, segment))
}

/// Whether a word is a name in Graph's paths: of an entity set, a property, a function or a well-known folder.
pub(crate) fn is_path_word(word: &str) -> bool {
    let is_it = |name: &str| name.eq_ignore_ascii_case(word);
    let schema = schema();
    let mut properties = schema.types.values().flat_map(|of| &of.properties);
    schema.roots.iter().any(|root| is_it(root.name))
        || schema.functions.iter().any(|function| is_it(function.name))
        || well_known_folders().iter().any(|folder| is_it(folder))
        || properties.any(|property| is_it(property.name))
}

/// A template without its first segment, which is the API version.
pub(crate) fn below_version(template: &str) -> &str {
    let start = template.strip_prefix('/').and_then(|rest| rest.find('/'));
    start.and_then(|at| template.get(at + 1..)).unwrap_or_default()
}

impl Resource {
    fn step(self, version: Version, segment: &str) -> Option<Self> {
        let segment = segment.trim_end_matches("()");
        if let Some(name) = segment.strip_prefix(NAMESPACE) {
            let of = type_named(version, name).filter(|of| of.is_a(self.of.name))?;
            return Some(Self { of, ..self });
        }
        match self.shape {
            Shape::One => self.property(version, segment).or_else(|| self.function(version, segment)),
            Shape::Many if segment == "$count" => Some(Self { shape: Shape::Count, ..self }),
            Shape::Many if segment == DELTA => Some(Self { is_delta: true, ..self }),
            Shape::Many if self.is_key(segment) => Some(Self { shape: Shape::One, ..self }),
            Shape::Many => self.function(version, segment),
            Shape::Count => None,
        }
    }

    fn property(self, version: Version, name: &str) -> Option<Self> {
        let mut all = self.of.visible(version);
        let property = all.find(|property| property.name.eq_ignore_ascii_case(name))?;
        let of = type_named(version, property.object()?)?;
        let shape = if property.is_collection { Shape::Many } else { Shape::One };
        Some(Self { of, shape, via: Some((self.of, property)), ..self })
    }

    fn function(self, version: Version, name: &str) -> Option<Self> {
        let is_many = self.shape == Shape::Many;
        let function = schema().functions.iter().find(|function| {
            let (of, of_many) = function.bound_to;
            of_many == is_many && function.name.eq_ignore_ascii_case(name) && self.of.is_a(of)
        })?;
        let of = type_named(version, function.returns)?;
        Some(Self { of, shape: Shape::Many, is_delta: function.name == DELTA, via: None, ..self })
    }

    fn is_key(self, segment: &str) -> bool {
        let is_folder = || well_known_folders().iter().any(|name| name.eq_ignore_ascii_case(segment));
        (segment.starts_with('{') && segment.ends_with('}')) || (self.of.is_a("mailFolder") && is_folder())
    }
}
