//! Which path stands for which operation.

use serde_json::{Map, Value as Json, json};

use super::super::model::{Interface, Operation};
use super::{operation, responses};
use crate::graph::Version;
use crate::rules::plan::Param;
use crate::rules::template::Part;

/// All paths.
pub(super) fn all(interface: &Interface<'_>) -> Map<String, Json> {
    let mut paths = Map::new();
    for version in [Version::V1, Version::Beta].into_iter().filter(|version| interface.has(*version)) {
        for place in places(interface, version) {
            let get = operation::get(place.operation, &place.values);
            paths.insert(place.path(), json!({ "get": get }));
        }
        paths.insert(format!("/{}/$batch", version.as_str()), responses::batch(version));
        paths.insert(format!("/{}/$metadata", version.as_str()), responses::metadata(version));
    }
    paths.insert("/openapi.json".to_owned(), responses::openapi());
    paths
}

/// An operation at a path.
struct Place<'o, 'p> {
    operation: &'o Operation<'p>,
    /// Names that stand in the path in place of a parameter.
    values: Vec<(&'o str, &'o str)>,
}

/// OpenAPI cannot have two operations whose paths differ in the names of parameters only. If endpoints do, those that take
/// listed names there have a path for each name. The rules' compiler makes sure that at most one takes anything else.
fn places<'o, 'p>(interface: &'o Interface<'p>, version: Version) -> Vec<Place<'o, 'p>> {
    let operations: Vec<_> = interface.of_version(version).collect();
    let forms: Vec<_> = operations.iter().map(|operation| form(operation)).collect();
    let mut places = Vec::new();
    for (operation, form) in operations.into_iter().zip(&forms) {
        let is_shared = forms.iter().filter(|other| *other == form).count() > 1;
        let whole = vec![Vec::new()];
        let values =
            if is_shared { operation.endpoint.params.iter().fold(whole, with_each_name) } else { whole };
        places.extend(values.into_iter().map(|values| Place { operation, values }));
    }
    places
}

/// The path without the names of its parameters.
fn form(operation: &Operation<'_>) -> String {
    let part = |part: &Part| match part {
        Part::Param(_) => "/{}".to_owned(),
        other => format!("/{other}").to_ascii_lowercase(),
    };
    operation.endpoint.template.parts.iter().map(part).collect()
}

/// The values with each name that the parameter lists, if it takes nothing else.
fn with_each_name<'o>(all: Vec<Vec<(&'o str, &'o str)>>, param: &'o Param) -> Vec<Vec<(&'o str, &'o str)>> {
    if param.takes_raw() || param.token.is_some() {
        return all;
    }
    let with = |values: &Vec<(&'o str, &'o str)>, name: &'o String| {
        values.iter().copied().chain([(param.name.as_str(), name.as_str())]).collect()
    };
    all.iter().flat_map(|values| param.one_of.iter().map(move |name| with(values, name))).collect()
}

impl Place<'_, '_> {
    fn path(&self) -> String {
        let value = |name: &str| self.values.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
        let part = |part: &Part| match part {
            Part::Param(name) => value(name).map_or_else(|| format!("/{part}"), |value| format!("/{value}")),
            other => format!("/{other}"),
        };
        let parts = self.operation.endpoint.template.parts.iter().map(part);
        format!("/{}{}", self.operation.version.as_str(), parts.collect::<String>())
    }
}
