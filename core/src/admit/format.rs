//! `$format`: responses are JSON, so asking for JSON changes nothing. Such an option needs no rule and never reaches Graph.

use crate::graph::{OptionName, QueryOption};
use crate::rules::plan::{Endpoint, Response};

/// What a refusal says that the option accepts.
pub(super) const ACCEPTED: &str = "Responses are JSON: it accepts json and application/json.";

/// Whether the option asks for what the endpoint responds anyway.
pub(super) fn is_redundant(option: &QueryOption, endpoint: &Endpoint) -> bool {
    let is_document = matches!(endpoint.response, Response::Json(_));
    option.name == OptionName::Format && is_document && is_json(&option.value)
}

/// `json` or the media type, with the parameters that leave JSON what it is (OData JSON Format 4.01, section 3). Letter
/// case does not count.
fn is_json(format: &str) -> bool {
    let format = format.to_ascii_lowercase();
    let mut parts = format.split(';').map(str::trim);
    matches!(parts.next(), Some("json" | "application/json")) && parts.all(is_harmless)
}

/// Numbers as strings (`IEEE754Compatible=true`) would be another document.
fn is_harmless(parameter: &str) -> bool {
    matches!(
        parameter.split_once('='),
        Some(
            ("odata.metadata" | "metadata", "minimal" | "none" | "full")
                | ("odata.streaming" | "streaming", "true" | "false")
                | ("ieee754compatible", "false")
                | ("charset", "utf-8" | "\"utf-8\"")
        )
    )
}
