//! The interface as OpenAPI 3.1 (<https://spec.openapis.org/oas/v3.1.1>): a path for each endpoint and API version.
//!
//! | file | what |
//! |---|---|
//! | `paths` | which path stands for which operation |
//! | `operation` | an operation: parameters and responses |
//! | `parameters` | what a request can have |
//! | `responses` | errors, headers, and the batch |
//! | `schema` | what leaves, as JSON Schema |
//! | `text` | JSON with short lines |

mod operation;
mod parameters;
mod paths;
mod responses;
mod schema;
mod text;

use serde_json::{Map, Value as Json, json};

use super::About;
use super::model::Interface;

/// The document as JSON, ending with a line feed.
pub(super) fn write(interface: &Interface<'_>, about: About<'_>) -> String {
    let mut document = json!({
        "openapi": "3.1.1",
        "info": { "title": interface.title, "version": about.revision, "description": DESCRIPTION },
        "security": [{ "bearer": [] }],
        "paths": paths::all(interface),
        "components": components(interface),
    });
    if let (Some(url), Some(document)) = (about.url, document.as_object_mut()) {
        document.insert("servers".to_owned(), json!([{ "url": url.as_str() }]));
    }
    text::of(&document)
}

const DESCRIPTION: &str = "What this consumer may ask of Microsoft Graph through Glassine, and what leaves. A property that is not \
     here stays inside. HEAD is allowed where GET is. Each property can be missing: Graph does not send every property of every \
     object, and a value that is not of the described form is dropped.";

const BEARER: &str = "The token that the operator gave to this consumer. A consumer that is known by its client certificate may send \
     any token.";

fn components(interface: &Interface<'_>) -> Json {
    let shapes = interface.shapes.iter().map(|shape| (shape.name.clone(), schema::of_shape(shape)));
    let mut schemas: Map<String, Json> = shapes.collect();
    // No type of Graph has a capital letter in front.
    schemas.extend(responses::schemas().into_iter().map(|(name, schema)| (name.to_owned(), schema)));
    json!({
        "schemas": schemas,
        "responses": responses::errors(),
        "headers": responses::headers(),
        "parameters": parameters::shared(),
        "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "description": BEARER } },
    })
}
