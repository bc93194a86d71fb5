//! Parses the configuration's URLs. Their types differ in what may follow the host.

use super::check::Context;
use super::raw::Text;
use crate::config::codes::{CONFIG_PLAINTEXT, CONFIG_VALUE};
use glassine_core::graph::{BaseUrl, Origin, Url, UrlError};

/// Parses `public_url` or `return_url`, which may have a path prefix.
pub(super) fn check_base(text: &Text, context: &mut Context<'_>) -> Option<BaseUrl> {
    accepted(BaseUrl::parse(&text.value), "https://graph-proxy.contoso.example", text, context)
}

/// Parses `upstream.graph` or `upstream.authority`, which have no path.
pub(super) fn check_origin(text: &Text, context: &mut Context<'_>) -> Option<Origin> {
    accepted(Origin::parse(&text.value), "https://graph.microsoft.com", text, context)
}

/// Parses `jwks_url`, which has a path and may have a query.
pub(super) fn check_document(text: &Text, context: &mut Context<'_>) -> Option<Url> {
    let example = "https://login.microsoftonline.com/TENANT/discovery/v2.0/keys";
    accepted(Url::parse(&text.value), example, text, context)
}

/// Parses `traces.url`, a collector's URL for traces.
pub(super) fn check_collector(text: &Text, context: &mut Context<'_>) -> Option<Url> {
    accepted(Url::parse(&text.value), "http://127.0.0.1:4318/v1/traces", text, context)
}

fn accepted<T>(
    parsed: Result<T, UrlError>,
    example: &str,
    text: &Text,
    context: &mut Context<'_>,
) -> Option<T> {
    match parsed {
        Ok(url) => Some(url),
        Err(UrlError::Plaintext) => {
            context.refuse(CONFIG_PLAINTEXT, &text.span, &UrlError::Plaintext.to_string(), "use https")
        }
        Err(error) => {
            let hint = hint(error, example);
            context.refuse(CONFIG_VALUE, &text.span, &error.to_string(), &hint)
        }
    }
}

fn hint(error: UrlError, example: &str) -> String {
    let how = match error {
        UrlError::Host => {
            "a name has letters, digits, `-`, `_` and single dots, an IPv6 address has brackets; "
        }
        UrlError::InvalidCharacter => "write an internationalized host name in its `xn--` form; ",
        UrlError::Path => "versions belong to the rules; ",
        _ => "",
    };
    format!("{how}write it as in {example}")
}
