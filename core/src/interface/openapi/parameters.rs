//! What a request can have: parameters in its path, query options and headers.

use serde_json::{Value as Json, json};

use super::super::form::REVERSIBLE;
use super::super::model::{Gives, Operation};
use super::super::value::Object;
use super::operation::open_params;
use crate::graph::{Direction, OptionName};
use crate::rules::comparable::with_ways;
use crate::rules::plan::{Comparison, Expand, IntegerRange, Param, QueryPolicy, ValuePolicy};

/// All parameters of an operation, with these values in its path in place of parameters.
pub(super) fn of(operation: &Operation<'_>, values: &[(&str, &str)]) -> Vec<Json> {
    let params = open_params(operation, values).filter_map(|name| operation.endpoint.param(name));
    let path = params.map(|param| in_path(&param.name, &in_words(param)));
    let options = options(operation).into_iter().chain(links(operation));
    path.chain(options).chain(headers(operation)).collect()
}

/// Parameters that many operations have, for reference.
pub(super) fn shared() -> Json {
    let guid = json!({ "type": "string", "format": "uuid" });
    json!({
        "client-request-id": in_header("client-request-id", CLIENT_REQUEST_ID, &guid),
        "skiptoken": in_query("$skiptoken", "Of @odata.nextLink: follow the link unchanged.", &text()),
        "deltatoken": in_query("$deltatoken", DELTA_TOKEN, &text()),
    })
}

const CLIENT_REQUEST_ID: &str =
    "A GUID of the consumer's for this request. It comes back in the response, and does not go to Graph.";

const DELTA_TOKEN: &str = "Of @odata.deltaLink: follow the link unchanged, for the changes since.";

fn reference(name: &str) -> Json {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

/// An id as this consumer received it.
pub(super) fn id() -> Json {
    json!({ "type": "string", "pattern": format!("^{REVERSIBLE}$"), "description": "An id as this consumer received it." })
}

fn in_path(name: &str, schema: &Json) -> Json {
    json!({ "name": name, "in": "path", "required": true, "schema": schema })
}

/// What a parameter of the path takes.
fn in_words(Param { name: _, one_of, token, raw, pattern }: &Param) -> Json {
    let words = (!one_of.is_empty()).then(|| json!({ "type": "string", "enum": one_of }));
    let token = token.map(|_| json!({ "$ref": "#/components/schemas/Id" }));
    let raw = raw.then(|| json!({ "type": "string", "minLength": 1, "description": "Any id or address." }));
    let pattern = pattern.as_ref().map(|pattern| matching(pattern.as_str()));
    let mut ways: Vec<_> = words.into_iter().chain(token).chain(raw).chain(pattern).collect();
    match ways.len() {
        1 => ways.pop().unwrap_or_default(),
        _ => json!({ "anyOf": ways }),
    }
}

/// A text that the rules' expression matches. It is in words: JSON Schema has another syntax of expressions than the rules.
fn matching(pattern: &str) -> Json {
    json!({ "type": "string", "description": format!("A text that matches {pattern}.") })
}

fn in_query(name: &str, description: &str, schema: &Json) -> Json {
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}

/// A list with commas, as OData writes it.
fn listed(name: &str, description: &str, item: &Json) -> Json {
    let schema = json!({ "type": "array", "items": item, "minItems": 1 });
    let mut parameter = in_query(name, description, &schema);
    if let Some(parameter) = parameter.as_object_mut() {
        parameter.extend([("style".to_owned(), "form".into()), ("explode".to_owned(), false.into())]);
    }
    parameter
}

fn options(operation: &Operation<'_>) -> Vec<Json> {
    let QueryPolicy { select, filter, order_by, expand, values } = &operation.endpoint.query;
    let object = operation.shape().and_then(|shape| shape.value.object.as_ref());
    let mut options = Vec::new();
    options.extend(select.then(|| listed("$select", SELECT, &names(object))));
    options.extend(values.iter().map(value));
    options.extend((!filter.is_empty()).then(|| in_query("$filter", &comparisons(filter), &text())));
    options.extend((!order_by.is_empty()).then(|| listed("$orderby", "Sorts.", &orders(order_by))));
    options.extend((!expand.is_empty()).then(|| in_query("$expand", &expansions(expand), &text())));
    options
}

const SELECT: &str = "Fewer properties. Names of properties that do not leave are ignored.";

fn text() -> Json {
    json!({ "type": "string" })
}

/// The names that `$select` can have.
fn names(object: Option<&Object>) -> Json {
    match object.filter(|object| !object.is_open) {
        Some(object) => {
            let names: Vec<_> = object.properties().map(|(name, _)| name).collect();
            if names.is_empty() { text() } else { json!({ "type": "string", "enum": names }) }
        }
        None => text(),
    }
}

fn value((name, policy): &(OptionName, ValuePolicy)) -> Json {
    let says = match name {
        OptionName::Top => "The most objects on a page.",
        OptionName::Skip => "How many objects to leave out at the start.",
        OptionName::Count => "Whether the page tells how many objects there are.",
        _ => "As Graph documents it.",
    };
    let schema = match policy {
        ValuePolicy::Boolean => json!({ "type": "boolean" }),
        ValuePolicy::Integer(IntegerRange { min, max }) => {
            json!({ "type": "integer", "minimum": min, "maximum": max })
        }
        ValuePolicy::OneOf(texts) => json!({ "type": "string", "enum": texts }),
        ValuePolicy::Pattern(pattern) => matching(pattern.as_str()),
    };
    in_query(name.as_str(), says, &schema)
}

/// `Compares receivedDateTime (ge, gt, le, lt), joined by and, or, not.`
pub(in super::super) fn comparisons(filter: &[Comparison]) -> String {
    let all = with_ways(filter.iter().map(|it| (it.path(), it.operators())));
    format!("Compares {all}, joined by and, or, not.")
}

/// `receivedDateTime`, which is ascending, and with a direction.
fn orders(order_by: &[(String, Vec<Direction>)]) -> Json {
    let all = order_by.iter().flat_map(|(name, directions)| {
        let alone = directions.contains(&Direction::Ascending).then(|| name.clone());
        let written = directions.iter().map(move |direction| format!("{name} {}", direction.as_str()));
        alone.into_iter().chain(written)
    });
    json!({ "type": "string", "enum": all.collect::<Vec<_>>() })
}

/// `Includes members ($select, $top 1 to 20).`
fn expansions(expand: &[Expand]) -> String {
    let one = |Expand { property, select: _, casts: _, query }: &Expand| {
        let select = query.select.then(|| "$select".to_owned());
        let values = query.values.iter().map(|(name, policy)| match policy {
            ValuePolicy::Integer(IntegerRange { min, max }) => format!("{} {min} to {max}", name.as_str()),
            ValuePolicy::Boolean | ValuePolicy::OneOf(_) | ValuePolicy::Pattern(_) => {
                name.as_str().to_owned()
            }
        });
        let inside: Vec<_> = select.into_iter().chain(values).collect();
        if inside.is_empty() { property.clone() } else { format!("{property} ({})", inside.join(", ")) }
    };
    format!("Includes {}.", expand.iter().map(one).collect::<Vec<_>>().join("; "))
}

/// The options that a page's links carry.
fn links(operation: &Operation<'_>) -> Vec<Json> {
    let next = matches!(operation.gives, Gives::Page { .. }).then(|| reference("skiptoken"));
    let changes = operation.gives_changes().then(|| reference("deltatoken"));
    next.into_iter().chain(changes).collect()
}

fn headers(operation: &Operation<'_>) -> Vec<Json> {
    let endpoint = operation.endpoint;
    let pages = endpoint.max_page_size.map(|IntegerRange { min, max }| {
        format!("odata.maxpagesize=N, for pages of N objects; N is moved into {min} to {max}")
    });
    let minimal = endpoint.return_minimal.then(|| "return=minimal, for changed properties only".to_owned());
    let preferences: Vec<_> = pages.into_iter().chain(minimal).collect();
    let prefer = (!preferences.is_empty()).then(|| {
        let says = format!("Preferences (RFC 7240): {}. Others are ignored.", preferences.join("; "));
        in_header("Prefer", &says, &text())
    });
    let level = endpoint.directory.then(|| {
        in_header(
            "ConsistencyLevel",
            "For advanced queries of the directory.",
            &json!({ "enum": ["eventual"] }),
        )
    });
    prefer.into_iter().chain(level).chain([reference("client-request-id")]).collect()
}

fn in_header(name: &str, description: &str, schema: &Json) -> Json {
    json!({ "name": name, "in": "header", "description": description, "schema": schema })
}
