//! Properties of derived types. Graph takes them in `$select` with the type in front only: of messages,
//! `microsoft.graph.eventMessage/meetingMessageType` and not `meetingMessageType`. Their values come under the plain name.
//!
//! The directory is the exception: `$select=mail` is taken of members, which are `directoryObject`s ("List group members").

use super::known::Types;
use crate::catalogue::{Type, declaring};
use crate::graph::Version;

/// The type of directory objects, of which plain names are taken.
const DIRECTORY: &str = "directoryObject";

/// How properties of derived types are written in `$select`.
#[derive(Debug, Default)]
pub struct Casts(Vec<Cast>);

#[derive(Debug)]
struct Cast {
    version: Version,
    property: String,
    /// For each type that has the property, the type, a slash and the property; joined by commas.
    written: String,
}

impl Casts {
    /// Of these properties of objects of these types.
    pub(super) fn of(types: &Types, properties: Option<&[String]>) -> Self {
        let properties = properties.unwrap_or_default();
        let of_type = |(version, of)| properties.iter().filter_map(move |name| cast(version, of, name));
        Self(types.iter().flat_map(of_type).collect())
    }

    /// The property as `$select` names it in this version.
    pub fn written<'a>(&'a self, version: Version, property: &'a str) -> &'a str {
        let mut all = self.0.iter();
        let found = all.find(|cast| cast.version == version && cast.property == property);
        found.map_or(property, |cast| &cast.written)
    }

    /// The properties that need a type in front, in some version.
    pub(super) fn properties(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|cast| cast.property.as_str())
    }
}

fn cast(version: Version, of: &'static Type, property: &str) -> Option<Cast> {
    if of.is_a(DIRECTORY) {
        return None;
    }
    let written: Vec<_> = declaring(version, of, property)?
        .map(|of| format!("microsoft.graph.{}/{property}", of.name))
        .collect();
    let written = Some(written.join(",")).filter(|written| !written.is_empty())?;
    Some(Cast { version, property: property.to_owned(), written })
}
