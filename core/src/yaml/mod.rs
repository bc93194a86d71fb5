//! YAML loading that keeps places and reports every mistake in one pass.
//!
//! serde stops at the first error, which is right for a wire format and wrong for a file that a person edits. So a file
//! is read twice: `serde-saphyr` turns the text into a tree of [`node::Node`]s with spans, under a budget; [`reader`]
//! then deserializes typed structs from that tree and *records* what it can step over (an unknown key, a broken list
//! item, anything inside a [`Recovered`]) instead of failing. Only this module and the key file's reader use
//! `serde-saphyr`.
//!
//! A file must also read as it looks, or a person approves something else than the program does.
//!
//! | file | what it finds | where |
//! |---|---|---|
//! | `characters` | characters that do not show | in every file |
//! | `structure` | tags, directives, explicit keys, anchors that deceive | in every file |
//! | `lines` | what is out of sight | in files that people sign ([`load_plain`]) |
//! | `plain` | letters that look like others, escapes, values over several lines | in files that people sign |

mod by_kind;
mod characters;
pub mod codes;
mod lines;
mod look_alike;
mod node;
mod plain;
mod reader;
mod structure;
mod texts;

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_saphyr::granit_parser::ScanError;

pub use by_kind::ByKind;
pub use codes::MALFORMED;
pub use look_alike::look_alike;
pub use plain::Prose;
pub use texts::Texts;

use crate::diagnostic::Diagnostic;

/// The result of reading a file: the value if it could be built at all, and every finding.
#[derive(Debug)]
pub struct Loaded<T> {
    /// Present unless the file is not YAML, or the outermost structure is unusable. May be present beside errors.
    pub value: Option<T>,
    /// What is wrong, each with its place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads one YAML document into `T`, recording unknown keys, broken list items and broken [`Recovered`] parts.
pub fn load<T: for<'de> Deserialize<'de>>(source: &str) -> Loaded<T> {
    read(source, structure::check(source))
}

/// Reads a file that people sign, as [`load`] does. Outside comments and `prose`, such a file holds only ASCII that is
/// written as it is read.
pub fn load_plain<T: for<'de> Deserialize<'de>>(source: &str, prose: &[Prose]) -> Loaded<T> {
    let found = structure::check(source).and_then(|found| Ok([found, plain::check(source, prose)?].concat()));
    let mut loaded = read::<T>(source, found);
    loaded.diagnostics.extend(lines::check(source));
    loaded
}

/// `spelling`: what the tokens and events of the file showed, or why there are none.
fn read<T: for<'de> Deserialize<'de>>(
    source: &str,
    spelling: Result<Vec<Diagnostic>, ScanError>,
) -> Loaded<T> {
    let mut loaded = match (node::parse(source), spelling) {
        (Ok(root), Ok(found)) => reader::read(&root).and(found),
        (Ok(_), Err(error)) => Loaded::nothing(node::unreadable(&error)),
        (Err(error), spelling) if characters::is_about(&error, source) => {
            Loaded { value: None, diagnostics: spelling.unwrap_or_default() }
        }
        (Err(error), spelling) => Loaded::nothing(*error).and(spelling.unwrap_or_default()),
    };
    loaded.diagnostics.extend(characters::check(source));
    loaded
}

impl<T> Loaded<T> {
    fn nothing(error: Diagnostic) -> Self {
        Self { value: None, diagnostics: vec![error] }
    }

    fn and(mut self, found: Vec<Diagnostic>) -> Self {
        self.diagnostics.extend(found);
        self
    }
}

/// A value with its place in the file.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Byte range in the source.
    pub span: Range<usize>,
}

impl<T> Spanned<T> {
    /// Another value at the same place.
    pub fn with<U>(&self, value: U) -> Spanned<U> {
        Spanned { value, span: self.span.clone() }
    }
}

/// A part of a file. Its errors are recorded, and the rest of the file is still read.
#[derive(Clone, Debug)]
pub struct Recovered<T>(pub Option<T>);

impl<T> Default for Recovered<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// serde has no notion of places; the reader recognises these names, as `serde-saphyr` does with its own.
const SPANNED: &str = "$glassine::Spanned";
const SPANNED_FIELDS: &[&str] = &["start", "end", "value"];
const RECOVERED: &str = "$glassine::Recovered";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct(SPANNED, SPANNED_FIELDS, SpannedVisitor(PhantomData))
    }
}

struct SpannedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SpannedVisitor<T> {
    type Value = Spanned<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its place")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Spanned<T>, A::Error> {
        let missing = || serde::de::Error::custom("only this program's own reader gives places");
        let (_, start) = map.next_entry::<&str, u64>()?.ok_or_else(missing)?;
        let (_, end) = map.next_entry::<&str, u64>()?.ok_or_else(missing)?;
        let (_, value) = map.next_entry::<&str, T>()?.ok_or_else(missing)?;
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        Ok(Spanned { value, span: place(start)..place(end) })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Recovered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(RECOVERED, RecoveredVisitor(PhantomData))
    }
}

struct RecoveredVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for RecoveredVisitor<T> {
    type Value = Recovered<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Recovered<T>, D::Error> {
        // The reader has already recorded the error with its place.
        Ok(Recovered(T::deserialize(inner).ok()))
    }
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }

    fn inline_schema() -> bool {
        T::inline_schema()
    }
}

impl<T: JsonSchema> JsonSchema for Recovered<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }

    fn inline_schema() -> bool {
        T::inline_schema()
    }
}

#[cfg(test)]
mod tests;
