//! Which types, properties and functions there are.

use std::collections::{BTreeMap, BTreeSet};

use super::super::form::Kind;
use super::super::model::{Interface, Operation};
use super::super::value::{Object, Value};
use super::property::{Property, Single, members};
use super::{NAMESPACE, is_identifier};
use crate::catalogue::{Edm, Resource, Shape, Type, type_named};
use crate::graph::Version;
use crate::rules::template::Part;

/// The property that is the key of every entity in Graph.
pub(super) const KEY: &str = "id";

/// The schema of an API version.
pub(super) struct Schema {
    version: Version,
    pub(super) types: BTreeMap<&'static str, Structured>,
    /// The members that can leave of enums.
    pub(super) enums: BTreeMap<&'static str, BTreeSet<String>>,
    pub(super) functions: BTreeSet<Function>,
    /// Entity sets and singletons, by name: the type, and whether it is a set.
    pub(super) roots: BTreeMap<&'static str, (&'static str, bool)>,
}

/// An entity type or a complex type.
pub(super) struct Structured {
    of: &'static Type,
    pub(super) is_entity: bool,
    pub(super) is_open: bool,
    pub(super) base: Option<&'static str>,
    pub(super) properties: BTreeMap<String, Property>,
    /// Navigation properties, each with its target as a property's type.
    pub(super) navigations: BTreeMap<String, Property>,
}

/// A function that is bound to objects of a type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) bound_to: (&'static str, bool),
    pub(super) returns: (&'static str, bool),
}

impl Schema {
    pub(super) fn of(interface: &Interface<'_>, version: Version) -> Self {
        let mut schema = Self {
            version,
            types: BTreeMap::new(),
            enums: BTreeMap::new(),
            functions: BTreeSet::new(),
            roots: BTreeMap::new(),
        };
        let operations = || interface.of_version(version).filter_map(|it| Some((it, it.resource.as_ref()?)));
        // All types first: where a property is declared depends on which there are.
        for (operation, resource) in operations() {
            schema.add_way(operation);
            if let Some(object) = operation.shape().and_then(|shape| shape.value.object.as_ref()) {
                schema.add_types(resource.of, object);
            }
        }
        for (operation, resource) in operations() {
            schema.add_steps(operation);
            if let Some(object) = operation.shape().and_then(|shape| shape.value.object.as_ref()) {
                schema.add_object(resource.of, object);
            }
        }
        schema.derive();
        schema
    }

    fn add_type(&mut self, of: &'static Type, is_entity: bool) {
        let empty = || Structured {
            of,
            is_entity,
            is_open: false,
            base: None,
            properties: BTreeMap::new(),
            navigations: BTreeMap::new(),
        };
        self.types.entry(of.name).or_insert_with(empty);
    }

    /// The types on the way to an operation's objects.
    fn add_way(&mut self, operation: &Operation<'_>) {
        let way = operation.way();
        if let Some((_, first)) = way.first() {
            self.roots.insert(first.root, (first.of.name, first.shape != Shape::One));
        }
        for (_, resource) in way {
            let is_complex =
                matches!(resource.via, Some((_, property)) if matches!(property.edm, Edm::Complex(_)));
            self.add_type(resource.of, !is_complex);
        }
    }

    /// The types of the objects in an object, and those that it can be instead (`@odata.type`).
    fn add_types(&mut self, of: &'static Type, object: &Object) {
        let is_entity = self.types.get(of.name).is_none_or(|known| known.is_entity);
        self.add_type(of, is_entity);
        for derived in derived(of, object, self.version) {
            self.add_type(derived, is_entity);
        }
        for (_, value) in object.properties() {
            let Some((of, is_entity)) = self.target(value) else { continue };
            self.add_type(of, is_entity);
            if let Some(inner) = value.inner() {
                self.add_types(of, inner);
            }
        }
    }

    /// The type of the objects at a place, and whether they are entities.
    fn target(&self, value: &Value) -> Option<(&'static Type, bool)> {
        let graph = value.graph?;
        let of = type_named(self.version, graph.object()?)?;
        Some((of, matches!(graph.edm, Edm::Navigation(_))))
    }

    /// The properties and functions on the way to an operation's objects.
    fn add_steps(&mut self, operation: &Operation<'_>) {
        let mut before: Option<Resource> = None;
        for (part, resource) in operation.way() {
            match (&before, part) {
                (Some(before), Part::Function(call)) => self.add_function(call, before, &resource),
                (Some(before), Part::Name(_)) if before.shape == Shape::One => {
                    self.add_step(before.of, &resource)
                }
                _ => {}
            }
            before = Some(resource);
        }
    }

    fn add_function(&mut self, call: &str, before: &Resource, resource: &Resource) {
        self.functions.insert(Function {
            name: call.trim_end_matches("()").to_owned(),
            bound_to: (before.of.name, before.shape != Shape::One),
            returns: (resource.of.name, resource.shape != Shape::One),
        });
    }

    fn add_step(&mut self, owner: &'static Type, resource: &Resource) {
        let Some((_, property)) = resource.via else { return };
        let is_navigation = matches!(property.edm, Edm::Navigation(_));
        let target = Property::object(resource.of.name, property.is_collection);
        self.declare(owner, property.name, is_navigation, target);
    }

    /// The properties of an object.
    fn add_object(&mut self, of: &'static Type, object: &Object) {
        if let Some(own) = self.types.get_mut(of.name) {
            own.is_open |= object.is_open;
        }
        for (name, value) in object.properties().filter(|(name, _)| is_identifier(name)) {
            let is_navigation = matches!(value.graph, Some(graph) if matches!(graph.edm, Edm::Navigation(_)));
            if let Some((name, words)) = members(value, self.version) {
                self.enums.entry(name).or_default().extend(words);
            }
            self.declare(of, name, is_navigation, self.known(Property::of(value)));
            if let (Some((of, _)), Some(inner)) = (self.target(value), value.inner()) {
                self.add_object(of, inner);
            }
        }
    }

    /// The property, untyped if the catalogue does not have the type of its objects.
    fn known(&self, property: Property) -> Property {
        match property.of {
            Single::Object(name) if type_named(self.version, name).is_none() => {
                Property { of: Single::Untyped, is_collection: false, ..property }
            }
            _ => property,
        }
    }

    /// Declares a property of objects of the type. If only derived types have it, and some of them are in the schema, it
    /// is theirs: `mail` of a group's members is the users' and groups', not the devices'.
    fn declare(&mut self, of: &'static Type, name: &str, is_navigation: bool, property: Property) {
        let version = self.version;
        let derives = |own: &Structured| own.of.is_a(of.name) && own.of.declares(version, name);
        let is_derived = !of.declares(version, name) && self.types.values().any(derives);
        let has = |own: &Structured| if is_derived { derives(own) } else { own.of.name == of.name };
        for own in self.types.values_mut().filter(|own| has(own)) {
            own.declare(name, is_navigation, property.clone());
        }
    }

    /// Finds base types, and removes what a type has from its base types.
    fn derive(&mut self) {
        let all: Vec<_> = self.types.values().map(|own| own.of).collect();
        for own in self.types.values_mut() {
            let above = all.iter().filter(|other| other.name != own.of.name && own.of.is_a(other.name));
            // The nearest is the one that all others above are above of.
            let nearest = above.clone().find(|it| above.clone().all(|other| it.is_a(other.name)));
            own.base = nearest.map(|base| base.name);
        }
        let names: Vec<_> = self.types.keys().copied().collect();
        for name in names {
            self.lift(name);
        }
    }

    /// Moves properties of a type that a base type has too up to that one.
    fn lift(&mut self, name: &'static str) {
        let bases = self.bases(name);
        let Some(mut own) = self.types.remove(name) else { return };
        for base in bases {
            let Some(base) = self.types.get_mut(base) else { continue };
            own.properties.retain(|name, property| !base.absorb(name, property, false));
            own.navigations.retain(|name, property| !base.absorb(name, property, true));
        }
        self.types.insert(name, own);
    }

    /// The base types of a type, the nearest first.
    pub(super) fn bases(&self, name: &'static str) -> Vec<&'static str> {
        let base = |name: &&'static str| self.types.get(name).and_then(|own| own.base);
        std::iter::successors(base(&name), base).collect()
    }

    /// Whether the type, and none of its base types, has the key.
    pub(super) fn has_key(&self, name: &'static str) -> bool {
        let has = |name: &&'static str| {
            self.types.get(name).is_some_and(|own| own.is_entity && own.properties.contains_key(KEY))
        };
        has(&name) && !self.bases(name).iter().any(has)
    }

    /// Whether the document needs what only OData 4.01 has.
    pub(super) fn is_untyped(&self) -> bool {
        let mut properties = self.types.values().flat_map(|own| own.properties.values());
        properties.any(|property| property.of == Single::Untyped)
    }

    /// Whether a digest leaves.
    pub(super) fn has_digest(&self) -> bool {
        let mut properties = self.types.values().flat_map(|own| own.properties.values());
        properties.any(|property| property.of == Single::Digest)
    }

    /// The members of an enum that can leave, in Graph's order.
    pub(super) fn members_of(&self, name: &'static str) -> Vec<&str> {
        let Some(words) = self.enums.get(name) else { return Vec::new() };
        let known: Vec<_> = crate::catalogue::members(self.version, name).collect();
        let listed = known.iter().copied().filter(|word| words.contains(*word));
        listed.chain(words.iter().map(String::as_str).filter(|word| !known.contains(word))).collect()
    }
}

impl Structured {
    fn declare(&mut self, name: &str, is_navigation: bool, property: Property) {
        let all = if is_navigation { &mut self.navigations } else { &mut self.properties };
        match all.get_mut(name) {
            Some(known) => known.merge(property),
            None => {
                all.insert(name.to_owned(), property);
            }
        }
    }

    /// Takes a property of a derived type over, if this type has one of that name.
    fn absorb(&mut self, name: &str, property: &Property, is_navigation: bool) -> bool {
        let all = if is_navigation { &mut self.navigations } else { &mut self.properties };
        let known = all.get_mut(name);
        let is_known = known.is_some();
        known.into_iter().for_each(|known| known.merge(property.clone()));
        is_known
    }
}

/// The types that the rules let an object say that it is of.
fn derived(of: &'static Type, object: &Object, version: Version) -> impl Iterator<Item = &'static Type> {
    let forms = object.members.get("@odata.type").into_iter().flat_map(|value| &value.forms);
    let words = forms.filter_map(|form| match &form.kind {
        Kind::OneOf(words) => Some(words),
        _ => None,
    });
    let names =
        words.flatten().filter_map(|word| word.strip_prefix('#')?.strip_prefix(NAMESPACE)?.strip_prefix('.'));
    names.filter_map(move |name| type_named(version, name).filter(|it| it.is_a(of.name)))
}
