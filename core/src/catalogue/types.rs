//! Types, properties and enums, per API version.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::Serialize;

use super::lines::{first, records};
use crate::graph::Version;

/// An entity or complex type.
#[derive(Debug)]
pub struct Type {
    /// Its name without `microsoft.graph.`, as `message` or `callRecords.callRecord`.
    pub name: &'static str,
    /// Whether Graph may send properties that no schema names.
    pub is_open: bool,
    pub(super) base: Option<&'static str>,
    pub(super) properties: Vec<Property>,
    versions: Versions,
}

/// A property, or a navigation property, of a type.
#[derive(Debug)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// What its value, or each of its values, is.
    pub edm: Edm,
    /// Whether it is a collection.
    pub is_collection: bool,
    /// What it tells.
    pub class: Class,
    versions: Versions,
}

/// Types of the Entity Data Model (OData CSDL 4.01), as far as Graph has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edm {
    /// Base64 text.
    Binary,
    /// `true` or `false`.
    Boolean,
    /// An object of this type.
    Complex(&'static str),
    /// `YYYY-MM-DD`.
    Date,
    /// `YYYY-MM-DDThh:mm:ssZ`.
    DateTimeOffset,
    /// `PT1H`.
    Duration,
    /// One of this enum's [`members`].
    Enum(&'static str),
    /// A GUID.
    Guid,
    /// Navigation to an entity of this type.
    Navigation(&'static str),
    /// A number of this type: `Int32`.
    Number(&'static str),
    /// Content that is fetched apart.
    Stream,
    /// Text.
    String,
    /// `hh:mm:ss`.
    TimeOfDay,
    /// Anything; the schema does not say.
    Untyped,
}

/// What a property tells of a person or of what people write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// What people write, or what is made of it.
    Content,
    /// Names a person: an address, a name, a telephone number.
    DirectIdentifier,
    /// Leads to a person together with others, or is free text of another kind.
    QuasiIdentifier,
    /// An identifier that is not made for people; many of Graph's hold those of mailboxes and people.
    Id,
    /// A URL; many of Graph's name people or tenants.
    Link,
    /// Opens something.
    Secret,
    /// None of these.
    Metadata,
    /// An object whose own properties say.
    Parts,
    /// Leads to other objects.
    Navigation,
}

/// In which API versions something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Versions {
    Both,
    Only(Version),
}

#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) roots: Vec<Root>,
    pub(super) functions: Vec<Function>,
    pub(super) types: BTreeMap<&'static str, Type>,
    enums: BTreeMap<&'static str, Vec<Member>>,
}

/// An entity set or a singleton.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) name: &'static str,
    pub(super) of: &'static str,
    pub(super) is_collection: bool,
    versions: Versions,
}

/// A function that a path may end in, bound to a type or to a collection of it.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) bound_to: (&'static str, bool),
    pub(super) name: &'static str,
    pub(super) returns: &'static str,
}

#[derive(Debug)]
struct Member {
    name: &'static str,
    versions: Versions,
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::read(include_str!("../../data/types.txt")));

pub(super) fn schema() -> &'static Schema {
    &SCHEMA
}

/// The type of this name, which is written without `microsoft.graph.`.
pub(crate) fn type_named(version: Version, name: &str) -> Option<&'static Type> {
    schema().types.get(name).filter(|found| found.versions.include(version))
}

/// The members of an enum; none if there is no such enum.
pub fn members(version: Version, name: &str) -> impl Iterator<Item = &'static str> {
    let all = schema().enums.get(name).into_iter().flatten();
    all.filter(move |member| member.versions.include(version)).map(|member| member.name)
}

/// The property of this name that objects of the type have: its own, its base types', or those of a type derived from it,
/// which Graph sends in place of it.
pub fn property(version: Version, of: &Type, name: &str) -> Option<&'static Property> {
    of.visible(version).find(|property| property.name == name)
}

/// The derived types that have the property; `None` if the type itself, or one that it derives from, has it.
pub(crate) fn declaring(
    version: Version,
    of: &'static Type,
    property: &str,
) -> Option<impl Iterator<Item = &'static Type>> {
    let has = move |of: &&Type| {
        let mut own = of.properties.iter().filter(|own| own.is_in(version));
        own.any(|own| own.name == property)
    };
    let derived = schema().types.values().filter(move |other| other.name != of.name && other.is_a(of.name));
    (!of.lineage().any(|of| has(&of))).then(|| derived.filter(move |of| has(of)))
}

impl Type {
    /// The properties that objects of the type may have in this version, those of derived types included.
    pub fn visible(&self, version: Version) -> impl Iterator<Item = &'static Property> {
        let derived =
            schema().types.values().filter(|other| other.name != self.name && other.is_a(self.name));
        let types = self.lineage().chain(derived);
        types.flat_map(|of| &of.properties).filter(move |property| property.is_in(version))
    }

    /// Whether the type is `name` or derives from it.
    pub(crate) fn is_a(&self, name: &str) -> bool {
        self.lineage().any(|of| of.name == name)
    }

    /// Whether the type or one of its base types has the property. Types derived from it do not count.
    pub(crate) fn declares(&self, version: Version, name: &str) -> bool {
        let mut properties = self.lineage().flat_map(|of| &of.properties);
        properties.any(|property| property.is_in(version) && property.name == name)
    }

    /// The type, its base type, and so on.
    pub(super) fn lineage(&self) -> impl Iterator<Item = &'static Type> + use<> {
        let of = |name: &str| schema().types.get(name);
        std::iter::successors(of(self.name), move |it| it.base.and_then(of))
    }
}

impl Property {
    /// Whether the version has it.
    pub fn is_in(&self, version: Version) -> bool {
        self.versions.include(version)
    }

    /// The type of the objects in it, or that it leads to.
    pub fn object(&self) -> Option<&'static str> {
        match self.edm {
            Edm::Complex(name) | Edm::Navigation(name) => Some(name),
            _ => None,
        }
    }
}

impl Root {
    pub(super) fn is_in(&self, version: Version) -> bool {
        self.versions.include(version)
    }
}

impl Versions {
    fn include(self, version: Version) -> bool {
        self == Self::Both || self == Self::Only(version)
    }

    fn read(flags: &str) -> Self {
        match (flags.contains('1'), flags.contains('b')) {
            (true, false) => Self::Only(Version::V1),
            (false, true) => Self::Only(Version::Beta),
            _ => Self::Both,
        }
    }
}

impl Schema {
    pub(super) fn read(text: &'static str) -> Self {
        let mut schema = Self::default();
        let mut last = None;
        for line in records(text) {
            if let Some(property) = line.strip_prefix(' ') {
                let of: Option<&mut Type> = last.and_then(|name| schema.types.get_mut(name));
                if let (Some(of), Some(property)) = (of, Property::read(property)) {
                    of.properties.push(property);
                }
            } else if let Some(name) = schema.read_record(line) {
                last = Some(name);
            }
        }
        schema
    }

    /// Reads what is not a property; the name if it is a type.
    fn read_record(&mut self, line: &'static str) -> Option<&'static str> {
        let (kind, rest) = first(line);
        let (name, rest) = first(rest);
        match kind {
            "root" => {
                let (of, flags) = first(rest);
                let (of, is_collection) = counted(of);
                self.roots.push(Root { name, of, is_collection, versions: Versions::read(flags) });
            }
            "fn" => {
                let (function, returns) = first(rest);
                let bound_to = counted(name);
                self.functions.push(Function { bound_to, name: function, returns: counted(returns).0 });
            }
            "enum" => {
                self.enums.insert(name, rest.split(' ').map(Member::read).collect());
            }
            "type" => {
                self.types.insert(name, Type::read(name, rest));
                return Some(name);
            }
            _ => {}
        }
        None
    }
}

impl Type {
    fn read(name: &'static str, rest: &'static str) -> Self {
        let (base, flags) = first(rest);
        Self {
            name,
            is_open: flags.contains('o'),
            base: Some(base).filter(|base| *base != "-"),
            properties: Vec::new(),
            versions: Versions::read(flags),
        }
    }
}

impl Property {
    pub(super) fn read(line: &'static str) -> Option<Self> {
        let (name, rest) = first(line);
        let (edm, rest) = first(rest);
        let (class, flags) = first(rest);
        let class = Class::read(class)?;
        let (edm, is_collection) = counted(edm);
        let edm = if class == Class::Navigation { Edm::Navigation(edm) } else { Edm::read(edm)? };
        Some(Self { name, edm, is_collection, class, versions: Versions::read(flags) })
    }
}

impl Member {
    fn read(word: &'static str) -> Self {
        let (name, flags) = word.split_once('/').unwrap_or((word, ""));
        Self { name, versions: Versions::read(flags) }
    }
}

/// `message[]` is a collection of messages.
fn counted(of: &'static str) -> (&'static str, bool) {
    of.strip_suffix("[]").map_or((of, false), |of| (of, true))
}

impl Edm {
    fn read(name: &'static str) -> Option<Self> {
        Some(match name {
            "?" => Self::Untyped,
            "Binary" => Self::Binary,
            "Boolean" => Self::Boolean,
            "Date" => Self::Date,
            "DateTimeOffset" => Self::DateTimeOffset,
            "Decimal" | "Double" | "Int16" | "Int32" | "Int64" | "Single" => Self::Number(name),
            "Duration" => Self::Duration,
            "Guid" => Self::Guid,
            "Stream" => Self::Stream,
            "String" => Self::String,
            "TimeOfDay" => Self::TimeOfDay,
            _ if name.starts_with('=') => Self::Enum(name.trim_start_matches('=')),
            _ if name.starts_with(|first: char| first.is_ascii_lowercase()) => Self::Complex(name),
            _ => return None,
        })
    }
}

impl fmt::Display for Edm {
    /// As CSDL calls it: `Edm.Boolean`, `microsoft.graph.importance`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complex(name) | Self::Enum(name) | Self::Navigation(name) => {
                write!(f, "microsoft.graph.{name}")
            }
            Self::Number(_) => f.write_str("a number"),
            Self::Untyped => f.write_str("of any type"),
            primitive => write!(f, "Edm.{primitive:?}"),
        }
    }
}

impl Class {
    /// The values of this class, in plain words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Content => "what people write",
            Self::DirectIdentifier => "names, addresses and numbers of people",
            Self::QuasiIdentifier => "what leads to a person together with other data",
            Self::Id => "ids",
            Self::Link => "links",
            Self::Secret => "secrets",
            Self::Metadata => "metadata",
            Self::Parts => "objects",
            Self::Navigation => "related objects",
        }
    }

    fn read(letter: &str) -> Option<Self> {
        Some(match letter {
            "." => Self::Parts,
            ">" => Self::Navigation,
            "c" => Self::Content,
            "d" => Self::DirectIdentifier,
            "i" => Self::Id,
            "l" => Self::Link,
            "m" => Self::Metadata,
            "q" => Self::QuasiIdentifier,
            "s" => Self::Secret,
            _ => return None,
        })
    }
}
