//! What leaves, as JSON Schema (2020-12, the dialect of OpenAPI 3.1).

use serde_json::{Map, Value as Json, json};

use super::super::form::{Form, Kind};
use super::super::model::Shape;
use super::super::value::{Known, Object, Value};
use crate::catalogue::Edm;

/// The schema of the objects of a shape.
pub(super) fn of_shape(shape: &Shape) -> Json {
    let mut schema = of_value(&shape.value, shape);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("title".to_owned(), shape.title.clone().into());
    }
    schema
}

/// A reference to the schema of a shape.
pub(super) fn reference(shape: &Shape) -> Json {
    json!({ "$ref": format!("#/components/schemas/{}", shape.name) })
}

/// A page of objects of this shape.
pub(super) fn of_page(around: &Value, of: &Shape) -> Json {
    let mut page = of_value(around, of);
    if let Some(value) = page.pointer_mut("/properties/value") {
        *value = json!({ "type": "array", "items": reference(of) });
    }
    if let Some(page) = page.as_object_mut() {
        page.insert("required".to_owned(), json!(["value"]));
    }
    page
}

/// The schema of what can be at a place of objects of this shape.
fn of_value(value: &Value, shape: &Shape) -> Json {
    let forms = value.forms.iter().map(|form| of_form(form, value.graph));
    let object = value.object.iter().map(|object| of_object(object, shape));
    let array = value.elements.iter().map(|elements| of_array(elements, shape));
    let again = value.again.iter().map(|outer| match outer.0.as_slice() {
        [] => reference(shape),
        _ => json!({ "description": format!("The same as at {outer}.") }),
    });
    let mut ways: Vec<_> = forms.chain(object).chain(array).chain(again).collect();
    match ways.len() {
        1 => ways.pop().unwrap_or_default(),
        _ => json!({ "anyOf": ways }),
    }
}

fn of_object(object: &Object, shape: &Shape) -> Json {
    let members = object.members.iter().map(|(name, value)| (name.clone(), of_value(value, shape)));
    let mut schema = json!({ "type": "object", "additionalProperties": object.is_open });
    if !object.members.is_empty() {
        add(&mut schema, "properties", members.collect::<Map<_, _>>());
    }
    schema
}

/// An array of which no element leaves is written empty.
fn of_array(elements: &Value, shape: &Shape) -> Json {
    if *elements == Value::default() {
        return json!({ "type": "array", "maxItems": 0 });
    }
    json!({ "type": "array", "items": of_value(elements, shape) })
}

/// The schema of a single value. A null leaves in place of every value: it says that there is none.
fn of_form(Form { kind, says }: &Form, graph: Option<Known>) -> Json {
    let edm = graph.map(|graph| graph.edm);
    let mut schema = match kind {
        Kind::Boolean => or_null("boolean"),
        Kind::Number => number(edm),
        Kind::Time => time(edm),
        Kind::OneOf(words) => one_of(words),
        Kind::Matches(pattern) => matching(pattern),
        Kind::Text => or_null("string"),
        Kind::Written => written(edm),
        Kind::Digest => digest(),
        Kind::Link => with(or_null("string"), "format", "uri"),
    };
    if let Some(says) = says {
        add(&mut schema, "description", says.clone());
    }
    schema
}

fn or_null(name: &str) -> Json {
    json!({ "type": [name, "null"] })
}

fn add(schema: &mut Json, name: &str, value: impl Into<Json>) {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert(name.to_owned(), value.into());
    }
}

fn with(mut schema: Json, name: &str, value: impl Into<Json>) -> Json {
    add(&mut schema, name, value);
    schema
}

fn matching(pattern: &str) -> Json {
    with(or_null("string"), "pattern", format!("^{pattern}$"))
}

fn one_of(words: &[String]) -> Json {
    let words = words.iter().map(|word| word.as_str().into()).chain([Json::Null]);
    with(or_null("string"), "enum", words.collect::<Vec<_>>())
}

/// The formats are those of OpenAPI's registry.
fn number(edm: Option<Edm>) -> Json {
    match edm {
        Some(Edm::Number(name @ ("Int16" | "Int32" | "Int64"))) => {
            with(or_null("integer"), "format", name.to_ascii_lowercase())
        }
        Some(Edm::Number("Single")) => with(or_null("number"), "format", "float"),
        Some(Edm::Number("Double")) => with(or_null("number"), "format", "double"),
        _ => or_null("number"),
    }
}

/// `Edm.TimeOfDay` has no offset, so it is not JSON Schema's `time`.
fn time(edm: Option<Edm>) -> Json {
    match edm {
        Some(Edm::DateTimeOffset) => with(or_null("string"), "format", "date-time"),
        Some(Edm::Date) => with(or_null("string"), "format", "date"),
        Some(Edm::TimeOfDay) => matching(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,12})?"),
        _ => or_null("string"),
    }
}

/// What Graph's schema says. The rules would let out another string, number or boolean too.
fn written(edm: Option<Edm>) -> Json {
    match edm {
        Some(Edm::Boolean) => or_null("boolean"),
        Some(Edm::Number(_)) => number(edm),
        Some(Edm::Date | Edm::DateTimeOffset | Edm::TimeOfDay) => time(edm),
        Some(Edm::Untyped) | None => json!({ "type": ["string", "number", "boolean", "null"] }),
        Some(_) => or_null("string"),
    }
}

fn digest() -> Json {
    let count = json!({ "type": "integer", "minimum": 0 });
    json!({
        "type": ["object", "null"],
        "properties": { "length": count, "words": count },
        "required": ["length", "words"],
        "additionalProperties": false,
    })
}
