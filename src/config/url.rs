//! The URLs of the configuration: parsed once, here, and told apart by what can follow the host.

use super::check::Context;
use super::raw::Text;
use crate::config::codes::{CONFIG_PLAINTEXT, CONFIG_VALUE};
use glassine_core::graph::{BaseUrl, Origin, Url, UrlError};

/// `public_url` and `return_url`, which may have a path prefix.
pub(super) fn check_base(text: &Text, context: &mut Context<'_>) -> Option<BaseUrl> {
    accepted(BaseUrl::parse(&text.value), "https://graph-proxy.contoso.example", text, context)
}

/// `upstream.graph` and `upstream.authority`, which have none.
pub(super) fn check_origin(text: &Text, context: &mut Context<'_>) -> Option<Origin> {
    accepted(Origin::parse(&text.value), "https://graph.microsoft.com", text, context)
}

/// `jwks_url`, which has a path and perhaps a query.
pub(super) fn check_document(text: &Text, context: &mut Context<'_>) -> Option<Url> {
    let example = "https://login.microsoftonline.com/TENANT/discovery/v2.0/keys";
    accepted(Url::parse(&text.value), example, text, context)
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
        UrlError::InvalidCharacter => "a host name of other letters has a form that begins with `xn--`; ",
        UrlError::Path => "versions belong to the rules; ",
        _ => "",
    };
    format!("{how}write it as in {example}")
}
