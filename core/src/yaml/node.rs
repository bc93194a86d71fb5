//! The YAML document as a tree of nodes with places.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::Budget;
use serde_saphyr::granit_parser::{self, ScanError};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{DefaultMessageFormatter, MessageFormatter};

use super::MALFORMED;
use crate::diagnostic::Diagnostic;

/// A rules file of a few hundred lines has a few thousand nodes; an alias bomb has more.
const MAX_NODES: usize = 50_000;
/// Nesting of a rules file is under ten.
const MAX_DEPTH: usize = 32;

/// A node and its place in the file.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
}

/// What a node is, by YAML's core schema.
#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    Sequence(Vec<Node>),
    /// In the order of the file. Duplicate keys were refused.
    Mapping(Vec<(Node, Node)>),
}

/// Parses one document under a budget. Merge keys are refused, so that a reviewer sees every value where it applies.
pub(super) fn parse(source: &str) -> Result<Node, Box<Diagnostic>> {
    let mut budget = Budget::default();
    budget.max_nodes = MAX_NODES;
    budget.max_depth = MAX_DEPTH;
    budget.max_documents = 1;
    let mut options = serde_saphyr::Options::default();
    options.budget = Some(budget);
    options.merge_keys = MergeKeyPolicy::Error;
    options.duplicate_keys = DuplicateKeyPolicy::Error;
    options.strict_booleans = true;
    serde_saphyr::from_str_with_options(source, options).map_err(|error| Box::new(diagnostic(&error, source)))
}

fn diagnostic(error: &serde_saphyr::Error, source: &str) -> Diagnostic {
    let span = error.location().map_or(0..0, |location| place(location, source));
    match error.without_snippet() {
        serde_saphyr::Error::DuplicateMappingKey { .. } => {
            Diagnostic::error(MALFORMED, span, "this key comes twice in one mapping")
                .hint("join the two, or remove one")
        }
        other => Diagnostic::error(MALFORMED, span, DefaultMessageFormatter.format_message(other))
            .hint("put quotes around values that have `*`, `[`, `{`, `:` or quotes in them, as in '$.toRecipients[*]'"),
    }
}

/// Errors of the scanner have only a line and a column, both counted from 1.
fn place(location: serde_saphyr::Location, source: &str) -> Range<usize> {
    if location.span().byte_offset().is_some() {
        return bytes(location.span());
    }
    let number = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).saturating_sub(1);
    let (line, column) = (number(location.line()), number(location.column()));
    let start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = source.get(start..).unwrap_or_default();
    let offset: usize = rest.chars().take(column).map(char::len_utf8).sum();
    start + offset..start + offset
}

/// The place of a token or an event.
pub(super) fn place_of(span: &granit_parser::Span) -> Range<usize> {
    span.byte_range().unwrap_or_default()
}

/// The finding about a file whose tokens or events cannot be read.
pub(super) fn unreadable(error: &ScanError) -> Diagnostic {
    let at = error.marker().byte_offset().unwrap_or_default();
    Diagnostic::error(MALFORMED, at..at, format!("this is not YAML: {}", error.info()))
}

fn bytes(span: serde_saphyr::Span) -> Range<usize> {
    let place = |at: Option<u64>| at.and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
    let start = place(span.byte_offset());
    start..start.saturating_add(place(span.byte_len()))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_saphyr::Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Self { span: bytes(spanned.referenced.span()), kind: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Kind, D::Error> {
        Kind::deserialize(inner)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Integer(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Kind, E> {
        i64::try_from(value).map(Kind::Integer).map_err(|_| E::custom("the number is too large"))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Kind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Kind::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Kind::Mapping(entries))
    }
}
