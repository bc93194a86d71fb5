//! What the catalogue knows of an endpoint: the objects at its path, and the permissions that open it.

use super::automaton::{Described, Effect, Location, Step as Place};
use super::plan::{Body, Endpoint, Param, Permission};
use super::template::{Part, Template};
use crate::catalogue::permissions::{least_for, least_giving, opens_path};
use crate::catalogue::{
    Accept, Property, Resource, Step, Type, Walk, accepts, below_version, resolve, type_named, walk,
};
use crate::graph::Version;

impl Endpoint {
    /// The path without the API version, as the catalogue reads it.
    pub fn path(&self) -> String {
        path(&self.template)
    }

    /// The path to the object: if the response is one of its properties, the path without the property.
    fn path_of_object(&self) -> String {
        path_of_object(&self.template, self.response.body().property.is_some())
    }

    /// The API versions under which the endpoint can be requested.
    pub fn versions(&self) -> Vec<Version> {
        versions(&self.template, &self.params)
    }

    /// Whether Graph lists changes from now on, without what there is (`$deltatoken=latest`): of directory objects only.
    pub fn tracks_from_now(&self) -> bool {
        self.directory && self.template.is_delta()
    }

    /// The objects at the path, under the first version that has it; `None` if the catalogue does not know the path.
    pub fn resource(&self) -> Option<(Version, Resource)> {
        let path = self.path_of_object();
        self.versions().into_iter().find_map(|version| Some((version, resolve(version, &path)?)))
    }

    /// The types of the objects at the path.
    pub fn types(&self) -> Types {
        Types::at(&self.template, &self.params, self.response.body().property.is_some())
    }

    /// What happens inside the object at the path, or inside each object of the page. The places start at the object. (No place
    /// inside it repeats the page around it: that would be a page in a page.)
    pub fn inside(&self) -> impl Iterator<Item = Described> {
        self.response.body().inside()
    }

    /// What happens on the page around the objects.
    pub fn around(&self) -> impl Iterator<Item = Described> {
        let body = self.response.body();
        body.automaton.describe().into_iter().filter(|place| body.seen_from_object(&place.at).is_none())
    }

    /// Whether Graph accepts this at the path; `false` if the catalogue does not know the path.
    pub(super) fn accepts(&self, what: Accept) -> bool {
        let path = self.path();
        self.versions().into_iter().any(|version| accepts(version, &path, what) == Some(true))
    }

    /// The least permission that opens the endpoint and gives what leaves by it; `None` if the catalogue does not know.
    pub fn least_permission(&self) -> Option<&'static str> {
        let path = self.path();
        match self.resource() {
            Some((_, resource)) => least_giving(&path, resource.of, &self.leaving()),
            None => least_for(&path)?.first().copied(),
        }
    }

    /// The properties of the object of which something leaves. Annotations are none.
    pub(super) fn leaving(&self) -> Vec<&str> {
        let body = self.response.body();
        let members = body.automaton.node(body.object()).object.iter().flat_map(|object| object.members());
        let leaving = members.filter(|member| member.node.is_some() && !member.name.contains('@'));
        leaving.map(|member| body.property.as_deref().unwrap_or(&member.name)).collect()
    }
}

impl Body {
    /// What happens inside the object, see [`Endpoint::inside`].
    pub(super) fn inside(&self) -> impl Iterator<Item = Described> {
        self.automaton.describe().into_iter().filter_map(|place| {
            let effect = match place.effect {
                Effect::Repeats(outer) => Effect::Repeats(self.seen_from_object(&outer)?),
                other => other,
            };
            Some(Described { at: self.seen_from_object(&place.at)?, effect, lines: place.lines })
        })
    }

    /// A place of the response, seen from the object; `None` if it is on the page around the objects.
    fn seen_from_object(&self, at: &Location) -> Option<Location> {
        let is_page = self.automaton.page().is_some();
        match (at.0.as_slice(), &self.property) {
            ([Place::Name(value), inside @ ..], Some(property)) if &**value == VALUE => {
                let property = Place::Name(property.as_str().into());
                Some(Location(std::iter::once(property).chain(inside.iter().cloned()).collect()))
            }
            (steps, _) if !is_page => Some(Location(steps.to_vec())),
            ([Place::Name(value), Place::OtherElements, inside @ ..], _) if &**value == VALUE => {
                Some(Location(inside.to_vec()))
            }
            _ => None,
        }
    }

    /// The place in the response, for one seen from the object.
    pub(crate) fn seen_from_root(&self, at: &Location) -> Location {
        let value = Place::Name(VALUE.into());
        let (around, inside) = match (&self.property, self.automaton.page()) {
            (Some(_), _) => (vec![value], at.0.get(1..).unwrap_or_default()),
            (None, Some(_)) => (vec![value, Place::OtherElements], at.0.as_slice()),
            (None, None) => (Vec::new(), at.0.as_slice()),
        };
        Location(around.into_iter().chain(inside.iter().cloned()).collect())
    }
}

/// What OData calls the objects of a page, and the value of a property that is alone in its response (OData JSON Format 4.01,
/// "Collection of Entities" and "Individual Property or Operation Response").
pub(crate) const VALUE: &str = "value";

fn path(template: &Template) -> String {
    below_version(&template.to_string()).to_owned()
}

fn path_of_object(template: &Template, is_property: bool) -> String {
    let path = path(template);
    let parent = path.rsplit_once('/').filter(|_| is_property);
    parent.map(|(parent, _)| parent.to_owned()).unwrap_or(path)
}

fn versions(template: &Template, params: &[Param]) -> Vec<Version> {
    let takes = |version: &Version| match &template.version {
        Part::Param(name) => {
            let param = params.iter().find(|param| param.name == *name);
            param.is_none_or(|param| param.takes_version(*version))
        }
        written => written.to_string() == version.as_str(),
    };
    [Version::V1, Version::Beta].into_iter().filter(takes).collect()
}

/// The types of objects, one for each API version that has the path to them.
#[derive(Clone, Debug, Default)]
pub struct Types(Vec<(Version, &'static Type)>);

impl Types {
    /// The types of the objects at the path of a template with these parameters. `is_property`: the path goes on to one of their
    /// properties.
    pub(super) fn at(template: &Template, params: &[Param], is_property: bool) -> Self {
        let path = path_of_object(template, is_property);
        let versions = versions(template, params).into_iter();
        Self(versions.filter_map(|version| Some((version, resolve(version, &path)?.of))).collect())
    }

    /// The types of the objects that a property of these objects holds or leads to.
    pub(super) fn inside(&self, property: &str) -> Self {
        let inner = |(version, of)| match walk(version, of, &[Step::Name(property)]) {
            Walk::Found { property, .. } => Some((version, type_named(version, property.object()?)?)),
            _ => None,
        };
        Self(self.iter().filter_map(inner).collect())
    }

    /// Each version with its type.
    pub fn iter(&self) -> impl Iterator<Item = (Version, &'static Type)> {
        self.0.iter().copied()
    }

    /// What is at a place inside the object, in each version that has it.
    pub fn properties(&self, at: &Location) -> Vec<(Version, &'static Property)> {
        let Some(steps) = steps(at) else { return Vec::new() };
        let found = self.iter().filter_map(|(version, of)| match walk(version, of, &steps) {
            Walk::Found { property, .. } => Some((version, property)),
            _ => None,
        });
        found.collect()
    }
}

/// The place as the catalogue follows it; `None` if it stands for properties that no rule names.
fn steps(at: &Location) -> Option<Vec<Step<'_>>> {
    at.0.iter().map(step).collect()
}

fn step(place: &Place) -> Option<Step<'_>> {
    match place {
        Place::Name(name) => Some(Step::Name(name)),
        Place::Index(_) | Place::OtherElements => Some(Step::Elements),
        Place::OtherNames => None,
    }
}

impl Param {
    fn takes_version(&self, version: Version) -> bool {
        self.takes_raw() || self.one_of.iter().any(|name| name.eq_ignore_ascii_case(version.as_str()))
    }
}

impl Permission {
    /// Whether the permission, or one of its alternatives, opens the endpoint; `None` if the catalogue does not know the path.
    pub fn opens(&self, endpoint: &Endpoint) -> Option<bool> {
        any_opens(self.any_of.iter().map(String::as_str), endpoint)
    }
}

/// Whether one of the permissions opens the endpoint; `None` if the catalogue does not know the path.
pub fn any_opens<'a>(permissions: impl IntoIterator<Item = &'a str>, endpoint: &Endpoint) -> Option<bool> {
    let path = endpoint.path();
    least_for(&path)?;
    Some(permissions.into_iter().any(|name| opens_path(name, &path) == Some(true)))
}
