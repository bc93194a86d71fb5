//! What the catalogue knows of an endpoint: the objects at its path, and the permissions that open it.

use super::plan::{Endpoint, Param, Permission};
use super::template::Part;
use crate::catalogue::permissions::{least_for, least_giving, opens_path};
use crate::catalogue::{Accept, Resource, accepts, below_version, resolve};
use crate::graph::Version;

impl Endpoint {
    /// The path without the API version, as the catalogue reads it.
    pub fn path(&self) -> String {
        below_version(&self.template.to_string()).to_owned()
    }

    /// The API versions under which the endpoint can be requested.
    pub fn versions(&self) -> Vec<Version> {
        let takes = |version: &Version| match &self.template.version {
            Part::Param(name) => self.param(name).is_none_or(|param| param.takes_version(*version)),
            written => written.to_string() == version.as_str(),
        };
        [Version::V1, Version::Beta].into_iter().filter(takes).collect()
    }

    /// The objects at the path, under the first version that has it; `None` if the catalogue does not know the path.
    pub fn resource(&self) -> Option<(Version, Resource)> {
        let path = self.path();
        self.versions().into_iter().find_map(|version| Some((version, resolve(version, &path)?)))
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
        leaving.map(|member| &*member.name).collect()
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
