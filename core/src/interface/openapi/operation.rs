//! An operation: what its request can have, and what its response is.

use serde_json::{Value as Json, json};

use super::super::model::{Gives, Operation};
use super::{parameters, responses, schema};
use crate::rules::template::Part;

/// The operation, with these values in its path in place of parameters.
pub(super) fn get(operation: &Operation<'_>, values: &[(&str, &str)]) -> Json {
    let mut responses = responses::of_operation(operation);
    responses.insert("200".to_owned(), success(operation));
    json!({
        "operationId": id(operation, values),
        "tags": [operation.title()],
        "summary": summary(operation),
        "parameters": parameters::of(operation, values),
        "responses": responses,
    })
}

/// Unlike that of any other operation: no two endpoints have one name.
fn id(operation: &Operation<'_>, values: &[(&str, &str)]) -> String {
    let values = values.iter().map(|(_, value)| format!("-{value}"));
    format!("{}{}.{}", operation.endpoint.name, values.collect::<String>(), operation.version.as_str())
}

fn summary(operation: &Operation<'_>) -> String {
    let title = operation.title();
    match &operation.gives {
        Gives::Count => format!("How many there are: {title}"),
        Gives::Page { .. } if operation.gives_changes() => format!("Changes: {title}"),
        Gives::Page { .. } => format!("A page: {title}"),
        Gives::One(_) => format!("One object: {title}"),
    }
}

fn success(operation: &Operation<'_>) -> Json {
    let (media_type, schema) = match &operation.gives {
        Gives::Count => ("text/plain", json!({ "type": "string", "pattern": "^[0-9]{1,19}$" })),
        Gives::One(of) => ("application/json", schema::reference(of)),
        Gives::Page { of, around } => ("application/json", schema::of_page(around, of)),
    };
    responses::described(&summary(operation), media_type, &schema)
}

/// The parameters of the path that are left.
pub(super) fn open_params<'o>(
    operation: &'o Operation<'_>,
    values: &'o [(&'o str, &'o str)],
) -> impl Iterator<Item = &'o str> {
    let names = operation.endpoint.template.parts.iter().filter_map(|part| match part {
        Part::Param(name) => Some(name.as_str()),
        Part::Name(_) | Part::Function(_) | Part::Cast(_) | Part::Count => None,
    });
    names.filter(|name| values.iter().all(|(known, _)| known != name))
}
