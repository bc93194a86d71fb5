//! What may be asked of each collection.

use std::collections::BTreeMap;

use super::super::model::{Interface, Operation};
use crate::catalogue::{Resource, Shape};
use crate::graph::Version;
use crate::rules::plan::QueryPolicy;
use crate::rules::template::Part;

/// What may be asked of the collection at a path of names.
#[derive(Default)]
pub(super) struct Access<'i> {
    /// Lists it.
    list: Option<&'i Operation<'i>>,
    /// Whether single objects can be addressed.
    pub(super) by_key: bool,
    /// Whether `/$count` is open.
    has_count: bool,
}

/// All collections on the way to something that may be asked, by path: `users/mailFolders/messages`.
pub(super) fn of<'i>(interface: &'i Interface<'i>, version: Version) -> BTreeMap<String, Access<'i>> {
    let mut all: BTreeMap<String, Access<'i>> = BTreeMap::new();
    for operation in interface.of_version(version).filter(|operation| operation.resource.is_some()) {
        add(operation, &mut all);
    }
    all
}

fn add<'i>(operation: &'i Operation<'i>, all: &mut BTreeMap<String, Access<'i>>) {
    let way = operation.way();
    let mut path: Vec<&str> = Vec::new();
    let mut before: Option<Shape> = None;
    for (at, (part, resource)) in way.iter().enumerate() {
        let is_last = at + 1 == way.len();
        let is_key = before == Some(Shape::Many) && resource.shape == Shape::One;
        if let Some(name) = name(part, resource).filter(|_| !is_key) {
            path.push(name);
        }
        let is_call = matches!(part, Part::Function(_));
        before = Some(resource.shape);
        if resource.shape == Shape::One && !is_key {
            continue;
        }
        let access = all.entry(path.join("/")).or_default();
        match resource.shape {
            Shape::One => access.by_key |= is_last,
            Shape::Count => access.has_count |= is_last,
            Shape::Many if is_last && !is_call => access.list = Some(operation),
            Shape::Many => {}
        }
    }
}

/// The name of a step in the paths of annotations.
fn name<'a>(part: &'a Part, resource: &Resource) -> Option<&'a str> {
    match part {
        Part::Name(name) => match resource.via {
            Some((_, property)) => Some(property.name),
            None => Some(name),
        },
        Part::Cast(name) => Some(name),
        Part::Function(_) | Part::Count | Part::Param(_) => None,
    }
}

impl<'i> Access<'i> {
    /// Whether the collection can be read.
    pub(super) fn is_listed(&self) -> bool {
        self.list.is_some()
    }

    /// The options that a list accepts.
    pub(super) fn policy(&self) -> Option<&'i QueryPolicy> {
        self.list.map(|list| &list.endpoint.query)
    }

    /// The properties of the list's objects that can leave.
    pub(super) fn properties(&self) -> impl Iterator<Item = &'i str> {
        let object = self.list.and_then(Operation::shape).and_then(|shape| shape.value.object.as_ref());
        object.into_iter().flat_map(|object| object.properties()).map(|(name, _)| name)
    }

    /// Whether the consumer can learn how many objects there are.
    pub(super) fn is_countable(&self) -> bool {
        let counts = |policy: &QueryPolicy| policy.value(&crate::graph::OptionName::Count).is_some();
        self.has_count || self.policy().is_some_and(counts)
    }
}
