//! What every operation can get: errors and headers. And what is not an endpoint of the rules: batches and descriptions.

use serde_json::{Map, Value as Json, json};

use super::super::model::{Gives, Operation};
use super::parameters;
use crate::graph::Version;
use crate::graph::batch::MAX_ITEMS;

/// The statuses that an operation can get instead of its response, each with what it means. A consumer does the same
/// about every 5xx.
const ERRORS: [(&str, &str); 8] = [
    ("400", "The request is malformed, or the rules do not open what it asks for. Or Graph says so."),
    ("401", "The access token is missing or not known."),
    ("403", "The rules do not open the request, or Graph does not let the proxy read this."),
    ("404", "There is no such object, or a token in the request is not one of this consumer's."),
    ("410", "The link, or what it stands for, is no longer there: start again from the first page."),
    ("429", "The consumer is over its limits, or Graph's. Wait for the time in Retry-After."),
    (
        "5XX",
        "Graph, or something that the proxy needs, does not work. Try again; wait for the time in Retry-After if there is one.",
    ),
    ("default", "Another error: the message says which."),
];

/// Components are called by words, because a name that is a number is an element of an array for some programs.
fn component(status: &str) -> String {
    if status == "default" { "error".to_owned() } else { format!("error-{status}") }
}

/// The errors of an operation, by status. Only what follows links gets 410.
pub(super) fn of_operation(operation: &Operation<'_>) -> Map<String, Json> {
    let is_page = matches!(operation.gives, Gives::Page { .. });
    references(|status| is_page || status != "410")
}

fn references(is_possible: impl Fn(&str) -> bool) -> Map<String, Json> {
    let possible = ERRORS.iter().filter(|(status, _)| is_possible(status));
    let reference = |status: &str| json!({ "$ref": format!("#/components/responses/{}", component(status)) });
    possible.map(|(status, _)| ((*status).to_owned(), reference(status))).collect()
}

/// The errors, for reference.
pub(super) fn errors() -> Map<String, Json> {
    let error = json!({ "$ref": "#/components/schemas/Error" });
    let one = |(status, says): &(&str, &str)| {
        let mut response = described(says, "application/json", &error);
        if matches!(*status, "429" | "5XX")
            && let Some(headers) = response.pointer_mut("/headers").and_then(Json::as_object_mut)
        {
            headers.insert("Retry-After".to_owned(), header("Retry-After"));
        }
        (component(status), response)
    };
    ERRORS.iter().map(one).collect()
}

/// A response, with the headers that every response has.
pub(super) fn described(says: &str, media_type: &str, schema: &Json) -> Json {
    let headers = ["client-request-id", "glassine-keys", "glassine-rules", "request-id"];
    let headers: Map<_, _> = headers.into_iter().map(|name| (name.to_owned(), header(name))).collect();
    json!({ "description": says, "headers": headers, "content": { media_type: { "schema": schema } } })
}

fn header(name: &str) -> Json {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// The headers, for reference.
pub(super) fn headers() -> Json {
    let text = |says: &str| json!({ "description": says, "schema": { "type": "string" } });
    json!({
        "request-id": text("The id of the request in the proxy's log and audit log."),
        "client-request-id": text("The id that the consumer gave to the request, or request-id again."),
        "glassine-keys": text("The id of the key that the tokens of the response are made with."),
        "glassine-rules": text("16 digits that change with the rules and with the configuration around them."),
        "Retry-After": text("Seconds to wait, or a date."),
    })
}

/// The schemas that do not come from shapes.
pub(super) fn schemas() -> [(&'static str, Json); 4] {
    [
        ("Error", error()),
        ("Batch", batch_request()),
        ("BatchResponse", batch_response()),
        ("Id", parameters::id()),
    ]
}

/// [`crate::graph::ErrorBody`].
fn error() -> Json {
    let text = json!({ "type": "string" });
    let inner = json!({
        "type": "object",
        "properties": { "date": text, "request-id": text, "client-request-id": text },
    });
    json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": { "code": text, "message": text, "innerError": inner },
        } },
    })
}

fn batch_request() -> Json {
    let item = json!({
        "type": "object",
        "required": ["id", "method", "url"],
        "properties": {
            "id": { "type": "string" },
            "method": { "enum": ["GET", "HEAD"] },
            "url": { "type": "string", "description": "The path and query below the version: /users?$top=5." },
            "headers": { "type": "object", "additionalProperties": { "type": "string" } },
            "dependsOn": { "type": "array", "items": { "type": "string" } },
        },
    });
    let items = json!({ "type": "array", "minItems": 1, "maxItems": MAX_ITEMS, "items": item });
    json!({ "type": "object", "required": ["requests"], "properties": { "requests": items } })
}

fn batch_response() -> Json {
    let item = json!({
        "type": "object",
        "required": ["id", "status"],
        "properties": {
            "id": { "type": "string" },
            "status": { "type": "integer" },
            "headers": { "type": "object", "additionalProperties": { "type": "string" } },
            "body": { "description": "As of the single request. A body that is not JSON is text in base64." },
        },
    });
    json!({
        "type": "object",
        "required": ["responses"],
        "properties": { "responses": { "type": "array", "items": item } },
    })
}

/// The path of batches.
pub(super) fn batch(version: Version) -> Json {
    let says = "Several requests in one. Each is decided on its own.";
    let mut responses = references(|status| !matches!(status, "404" | "410"));
    let schema = json!({ "$ref": "#/components/schemas/BatchResponse" });
    responses.insert("200".to_owned(), described("The responses.", "application/json", &schema));
    let body = json!({ "$ref": "#/components/schemas/Batch" });
    json!({ "post": {
        "operationId": format!("$batch.{}", version.as_str()),
        "tags": ["Batches"],
        "summary": says,
        "requestBody": { "required": true, "content": { "application/json": { "schema": body } } },
        "responses": responses,
    } })
}

/// The path of the description for OData clients.
pub(super) fn metadata(version: Version) -> Json {
    let id = format!("$metadata.{}", version.as_str());
    description(&id, "This description for OData clients.", "application/xml", &json!({ "type": "string" }))
}

/// The path of this description.
pub(super) fn openapi() -> Json {
    description("openapi", "This description.", "application/json", &json!({ "type": "object" }))
}

fn description(id: &str, says: &str, media_type: &str, schema: &Json) -> Json {
    let mut responses = references(|status| !matches!(status, "404" | "410"));
    responses.insert("200".to_owned(), described(says, media_type, schema));
    json!({ "get": {
        "operationId": id,
        "tags": ["Descriptions"],
        "summary": says,
        "responses": responses,
    } })
}
