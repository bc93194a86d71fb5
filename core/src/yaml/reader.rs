//! Deserializes typed values from [`Node`]s and records every error at its place.
//!
//! An error is recorded once, by the innermost reader that sees it, and then returned as a marker, up to where reading
//! can go on without the value: a [`super::Recovered`] becomes empty, an unknown key is skipped.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use serde::de::value::{BorrowedStrDeserializer, U64Deserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::MALFORMED;
use super::by_kind::BY_KIND;
use super::node::{Kind, Node};
use super::{Loaded, RECOVERED, SPANNED};
use crate::diagnostic::Diagnostic;

pub(super) fn read<T: DeserializeOwned>(root: &Node) -> Loaded<T> {
    let findings = RefCell::new(Vec::new());
    let value = T::deserialize(Reader { node: root, findings: &findings }).ok();
    Loaded { value, diagnostics: findings.into_inner() }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    node: &'a Node,
    findings: &'a RefCell<Vec<Diagnostic>>,
}

/// An error that is being returned. `recorded`: a finding with its place was reported.
#[derive(Debug)]
struct ReadError {
    message: String,
    recorded: bool,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}

impl serde::de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), recorded: false }
    }
}

impl<'a> Reader<'a> {
    fn at(self, node: &'a Node) -> Self {
        Self { node, ..self }
    }

    fn report(self, span: &Range<usize>, message: String, hint: Option<String>) {
        let finding = Diagnostic { hint, ..Diagnostic::error(MALFORMED, span.clone(), message) };
        self.findings.borrow_mut().push(finding);
    }

    /// Reports an error at this node, unless an inner reader has reported it.
    fn place<T>(self, result: Result<T, ReadError>) -> Result<T, ReadError> {
        result.map_err(|error| {
            if !error.recorded {
                self.report(&self.node.span, error.message.clone(), None);
            }
            ReadError { recorded: true, ..error }
        })
    }

    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Integer(value) => visitor.visit_i64(*value),
            Kind::Float(value) => visitor.visit_f64(*value),
            Kind::Text(text) => visitor.visit_str(text),
            Kind::Sequence(items) => visitor.visit_seq(Items { reader: self, items: items.iter() }),
            Kind::Mapping(entries) => visitor.visit_map(Entries::new(self, entries, None)),
        }
    }

    fn visit_struct<'de, V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match &self.node.kind {
            Kind::Mapping(entries) => visitor.visit_map(Entries::new(self, entries, Some(fields))),
            Kind::Null
            | Kind::Bool(_)
            | Kind::Integer(_)
            | Kind::Float(_)
            | Kind::Text(_)
            | Kind::Sequence(_) => {
                Err(ReadError::custom(format_args!("expected a mapping with {}", list(fields))))
            }
        }
    }

    fn visit_enum<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.kind {
            Kind::Text(name) => visitor.visit_enum(Variant { reader: self, name, content: None }),
            Kind::Mapping(entries) => match entries.as_slice() {
                [(Node { kind: Kind::Text(name), .. }, content)] => {
                    visitor.visit_enum(Variant { reader: self, name, content: Some(content) })
                }
                _ => Err(ReadError::custom("expected exactly one key here: the kind")),
            },
            Kind::Null | Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) | Kind::Sequence(_) => {
                Err(ReadError::custom("expected a name, or a mapping with one key"))
            }
        }
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.place(self.visit(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.node.kind {
            Kind::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        if name == SPANNED {
            return self.place(visitor.visit_map(WithPlace { reader: self, step: 0 }));
        }
        self.place(self.visit_struct(fields, visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        debug_assert!(name == RECOVERED || !name.starts_with('$'), "an unknown reader marker");
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        if name == BY_KIND {
            let name = variant_by_kind(&self.node.kind);
            return self.place(visitor.visit_enum(Variant { reader: self, name, content: Some(self.node) }));
        }
        self.place(self.visit_enum(visitor))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map identifier ignored_any
    }
}

/// The items of a sequence. A list in which a broken item must not lose the others is a `Vec<Recovered<T>>`.
struct Items<'a> {
    reader: Reader<'a>,
    items: std::slice::Iter<'a, Node>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        self.items.next().map(|node| seed.deserialize(self.reader.at(node))).transpose()
    }
}

/// The entries of a mapping; with `fields`, keys that are not among them are reported and left out.
struct Entries<'a> {
    reader: Reader<'a>,
    entries: std::slice::Iter<'a, (Node, Node)>,
    fields: Option<&'static [&'static str]>,
    value: Option<&'a Node>,
}

impl<'a> Entries<'a> {
    fn new(reader: Reader<'a>, entries: &'a [(Node, Node)], fields: Option<&'static [&'static str]>) -> Self {
        Self { reader, entries: entries.iter(), fields, value: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        for (key, value) in self.entries.by_ref() {
            if let Some(fields) = self.fields
                && !is_known(key, fields)
            {
                let hint = format!("known here: {}", list(fields));
                self.reader.report(&key.span, "unknown key".to_owned(), Some(hint));
                continue;
            }
            self.value = Some(value);
            return seed.deserialize(self.reader.at(key)).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let node =
            self.value.take().ok_or_else(|| ReadError::custom("a value was asked for before its key"))?;
        seed.deserialize(self.reader.at(node))
    }
}

/// The variant of [`super::ByKind`] for a node.
fn variant_by_kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text(_) => "Text",
        Kind::Sequence(_) => "List",
        Kind::Null | Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) | Kind::Mapping(_) => "Full",
    }
}

fn is_known(key: &Node, fields: &[&str]) -> bool {
    matches!(&key.kind, Kind::Text(name) if fields.contains(&name.as_str()))
}

/// Gives a [`super::Spanned`] its three fields: start, end, value.
struct WithPlace<'a> {
    reader: Reader<'a>,
    step: u8,
}

impl<'de> MapAccess<'de> for WithPlace<'_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        seed.deserialize(BorrowedStrDeserializer::new("place")).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        self.step += 1;
        let span = &self.reader.node.span;
        let number = |at: usize| -> U64Deserializer<ReadError> {
            u64::try_from(at).unwrap_or(u64::MAX).into_deserializer()
        };
        match self.step {
            1 => seed.deserialize(number(span.start)),
            2 => seed.deserialize(number(span.end)),
            _ => seed.deserialize(self.reader),
        }
    }
}

/// An enum's variant: a plain name, or a mapping with one key.
struct Variant<'a> {
    reader: Reader<'a>,
    name: &'a str,
    content: Option<&'a Node>,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = ReadError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), ReadError> {
        let value = seed.deserialize(self.name.into_deserializer())?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        match self.content {
            None | Some(Node { kind: Kind::Null, .. }) => Ok(()),
            Some(_) => Err(ReadError::custom("this kind takes no value")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, ReadError> {
        let content = self.content.ok_or_else(|| ReadError::custom("this kind needs a value"))?;
        seed.deserialize(self.reader.at(content))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, ReadError> {
        let content = self.content.ok_or_else(|| ReadError::custom("this kind needs a list"))?;
        self.reader.at(content).deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let content = self.content.ok_or_else(|| ReadError::custom("this kind needs a mapping"))?;
        self.reader.at(content).deserialize_struct("", fields, visitor)
    }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
