//! An entry of `permissions` as written: a name, a list of alternatives, or either with a reason.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::yaml::{Spanned, Texts};

/// One permission, or a list of alternatives, with the reason if there is one.
#[derive(Clone, Debug)]
pub struct Permission {
    /// The names of which one is enough, least first.
    pub any_of: Vec<Spanned<String>>,
    /// What the permission is for.
    pub why: Option<String>,
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Spanned::<Written>::deserialize(deserializer)?;
        let Spanned { value, span } = written;
        Ok(match value {
            Written::One(value) => Self { any_of: vec![Spanned { value, span }], why: None },
            Written::Many(any_of) => Self { any_of, why: None },
            Written::Explained(Explained { name, why }) => Self { any_of: name.0, why: Some(why) },
        })
    }
}

enum Written {
    One(String),
    Many(Vec<Spanned<String>>),
    Explained(Explained),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Explained {
    name: Texts,
    why: String,
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

    fn visit_str<E>(self, name: &str) -> Result<Written, E> {
        Ok(Written::One(name.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Written, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Written::Many)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
        Explained::deserialize(MapAccessDeserializer::new(map)).map(Written::Explained)
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
            "description": "A permission's name, or a list of alternatives, least first; or either with a reason.",
            "anyOf": [one, many, {
                "type": "object",
                "properties": {
                    "name": {
                        "description": "The name, or a list of alternatives, least first.",
                        "anyOf": [one, many]
                    },
                    "why": { "description": "What it is for: shown to the administrator who grants it.", "type": "string" }
                },
                "required": ["name", "why"],
                "additionalProperties": false
            }]
        })
    }
}
