//! An entry of `permissions` as written: a name, alternatives, or either with what it is for.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::rules::yaml::Spanned;

/// One permission, or alternatives, and what for.
#[derive(Clone, Debug)]
pub struct Permission {
    /// The names that would do, least first.
    pub any_of: Vec<Spanned<String>>,
    /// What the permission is for.
    pub why: Option<String>,
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Spanned::<Written>::deserialize(deserializer)?;
        let Spanned { value, span } = written;
        Ok(match value {
            Written::Names(names) => Self { any_of: names.spanned(span), why: None },
            Written::Explained(Explained { name, why }) => {
                Self { any_of: name.value.spanned(name.span), why: Some(why) }
            }
        })
    }
}

enum Written {
    Names(Names),
    Explained(Explained),
}

enum Names {
    One(String),
    Many(Vec<Spanned<String>>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Explained {
    name: Spanned<Names>,
    why: String,
}

impl Names {
    fn spanned(self, span: std::ops::Range<usize>) -> Vec<Spanned<String>> {
        match self {
            Self::One(value) => vec![Spanned { value, span }],
            Self::Many(names) => names,
        }
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WrittenVisitor)
    }
}

struct WrittenVisitor;

impl<'de> Visitor<'de> for WrittenVisitor {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a permission's name, a list of alternatives, least first, or `name` and `why`")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Written, E> {
        NamesVisitor.visit_str(name).map(Written::Names)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Written, A::Error> {
        NamesVisitor.visit_seq(seq).map(Written::Names)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
        Explained::deserialize(MapAccessDeserializer::new(map)).map(Written::Explained)
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a permission's name, or a list of alternatives, least first")
    }

    fn visit_str<E>(self, name: &str) -> Result<Names, E> {
        Ok(Names::One(name.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = seq.next_element()? {
            names.push(name);
        }
        Ok(Names::Many(names))
    }
}

impl JsonSchema for Permission {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Permission".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = json_schema!({ "type": "string" });
        let many = json_schema!({ "type": "array", "items": { "type": "string" }, "minItems": 1 });
        json_schema!({
            "description": "A permission's name, or a list of alternatives, least first; or either with what it is for.",
            "anyOf": [one, many, {
                "type": "object",
                "properties": {
                    "name": {
                        "description": "The name, or a list of alternatives, least first.",
                        "anyOf": [one, many]
                    },
                    "why": { "description": "What it is for: shown to who grants it.", "type": "string" }
                },
                "required": ["name", "why"],
                "additionalProperties": false
            }]
        })
    }
}
