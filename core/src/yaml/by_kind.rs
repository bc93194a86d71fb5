//! What may be written in several forms.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::Spanned;

/// The reader recognises this name, and chooses the variant by what the node is.
pub(super) const BY_KIND: &str = "$glassine::ByKind";

/// What the author wrote: a text, a list of texts, or the full form.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename = "$glassine::ByKind")]
pub enum ByKind<T> {
    /// One text.
    Text(Spanned<String>),
    /// A list of texts.
    List(Vec<Spanned<String>>),
    /// The full form. It also stands for what is neither, so that the error names what is expected.
    Full(T),
}

/// A list is for whoever reads the value to refuse with better words than a schema has.
impl<T: JsonSchema> JsonSchema for ByKind<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("TextOr{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, generator.subschema_for::<T>()] })
    }
}
