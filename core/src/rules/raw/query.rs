//! The `query` of an endpoint as written.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, Expected, MapAccess, SeqAccess, Unexpected, Visitor};

use super::{Entries, IntegerRange};
use crate::graph::{Direction, Operator};
use crate::yaml::{Recovered, Spanned};

/// The accepted query options, in the order of the file.
#[derive(Debug, Default)]
pub struct Query {
    /// Every option's name.
    pub names: Vec<Spanned<String>>,
    /// `$filter`.
    pub filter: Option<Filter>,
    /// `$orderby`.
    pub order_by: Option<OrderBy>,
    /// `$expand`: navigation property → what leaves of it.
    pub expand: Option<Entries<Expand>>,
    /// Every other option.
    pub values: Vec<(Spanned<String>, Recovered<Spanned<ValuePolicy>>)>,
}

/// `$filter`: which comparisons are accepted.
#[derive(Debug)]
pub enum Filter {
    /// Every comparison that follows from what leaves.
    Kept,
    /// Property → operators.
    Listed(Entries<Vec<Recovered<Spanned<Comparator>>>>),
}

/// `$orderby`: by what a list may be sorted.
#[derive(Debug)]
pub enum OrderBy {
    /// Every property whose order follows from what leaves.
    Kept,
    /// Properties, each with its directions.
    Listed(Vec<(Spanned<String>, Vec<Direction>)>),
}

/// A navigation property that may be expanded, one level deep.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expand {
    /// The shape of the object, or of each object, that it leads to.
    pub shape: Spanned<String>,
    /// `$select` inside it: `kept`.
    pub select: Option<Spanned<ValuePolicy>>,
    /// `$top` inside it.
    pub top: Option<Spanned<ValuePolicy>>,
}

/// A comparison of OData's `$filter` (OData 4.01 part 2, 5.1.1.1).
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Comparator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal.
    Le,
    /// Equal to one of a list.
    In,
    /// Equal to `null` or not: whether there is a value.
    Present,
}

impl Comparator {
    /// Whether it compares by order, and not only for equality.
    pub fn is_by_order(self) -> bool {
        !matches!(self, Self::Eq | Self::Ne | Self::In | Self::Present)
    }

    /// What a rule calls this operator; `None` if no rule can open it.
    pub fn of(operator: Operator) -> Option<Self> {
        match operator {
            Operator::Eq => Some(Self::Eq),
            Operator::Ge => Some(Self::Ge),
            Operator::Gt => Some(Self::Gt),
            Operator::Has => None,
            Operator::Le => Some(Self::Le),
            Operator::Lt => Some(Self::Lt),
            Operator::Ne => Some(Self::Ne),
        }
    }

    /// The name in the rules, which is OData's keyword if it has one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::In => "in",
            Self::Present => "present",
        }
    }
}

/// What the value of a query option may be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValuePolicy {
    /// What can leave, and what follows from it. For `$select`, `$filter` and `$orderby`.
    Kept,
    /// `true` or `false`.
    Boolean,
    /// An integer in this range.
    Integer(IntegerRange),
    /// One of these texts.
    OneOf(Vec<Spanned<String>>),
    /// A text that this regular expression matches completely.
    Pattern(Spanned<String>),
}

/// The order of an `$orderby` item as written.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum WrittenDirection {
    /// Ascending.
    Asc,
    /// Descending.
    Desc,
}

impl From<WrittenDirection> for Direction {
    fn from(written: WrittenDirection) -> Self {
        match written {
            WrittenDirection::Asc => Self::Ascending,
            WrittenDirection::Desc => Self::Descending,
        }
    }
}

impl<'de> Deserialize<'de> for Query {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(QueryVisitor)
    }
}

struct QueryVisitor;

impl<'de> Visitor<'de> for QueryVisitor {
    type Value = Query;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping from query options to what they accept")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Query, A::Error> {
        let mut query = Query::default();
        while let Some(name) = map.next_key::<Spanned<String>>()? {
            query.names.push(name.clone());
            match name.value.as_str() {
                "$filter" => query.filter = map.next_value::<Recovered<_>>()?.0,
                "$orderby" => query.order_by = map.next_value::<Recovered<_>>()?.0,
                "$expand" => query.expand = map.next_value::<Recovered<_>>()?.0,
                _ => query.values.push((name, map.next_value()?)),
            }
        }
        Ok(query)
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FilterVisitor)
    }
}

struct FilterVisitor;

impl<'de> Visitor<'de> for FilterVisitor {
    type Value = Filter;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`kept`, or a mapping from properties to operators")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Filter, E> {
        kept(text, &self).map(|()| Filter::Kept)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Filter, A::Error> {
        Entries::deserialize(MapAccessDeserializer::new(map)).map(Filter::Listed)
    }
}

/// The one word that an option's policy may be.
fn kept<E: Error>(text: &str, expected: &dyn Expected) -> Result<(), E> {
    if text == "kept" { Ok(()) } else { Err(E::invalid_value(Unexpected::Str(text), expected)) }
}

impl<'de> Deserialize<'de> for OrderBy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OrderByVisitor)
    }
}

struct OrderByVisitor;

impl<'de> Visitor<'de> for OrderByVisitor {
    type Value = OrderBy;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`kept`, a list of properties, or a mapping from properties to `[asc, desc]`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<OrderBy, E> {
        kept(text, &self).map(|()| OrderBy::Kept)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OrderBy, A::Error> {
        let mut listed = Vec::new();
        while let Some(property) = seq.next_element()? {
            listed.push((property, vec![Direction::Ascending, Direction::Descending]));
        }
        Ok(OrderBy::Listed(listed))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OrderBy, A::Error> {
        let mut listed = Vec::new();
        while let Some((property, directions)) = map.next_entry::<_, Vec<WrittenDirection>>()? {
            listed.push((property, directions.into_iter().map(Direction::from).collect()));
        }
        Ok(OrderBy::Listed(listed))
    }
}

impl JsonSchema for Query {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Query".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The accepted query options; every other is refused.",
            "type": "object",
            "properties": {
                "$filter": { "anyOf": [
                    { "const": "kept" },
                    generator.subschema_for::<Entries<Vec<Comparator>>>(),
                ] },
                "$orderby": { "anyOf": [
                    { "const": "kept" },
                    { "type": "array", "items": { "type": "string" } },
                    generator.subschema_for::<Entries<Vec<WrittenDirection>>>(),
                ] },
                "$expand": generator.subschema_for::<Entries<Expand>>(),
                "$select": { "const": "kept" },
                "$count": { "const": "boolean" },
            },
            "additionalProperties": generator.subschema_for::<ValuePolicy>(),
        })
    }
}
