//! Converts the configuration's URLs to the HTTP library's type.

use http::Uri;
use http::uri::PathAndQuery;

use super::error::UpstreamError;
use glassine_core::graph::Origin;

/// The absolute URI of `target`, a path with an optional query (origin-form, RFC 9112 section 3.2.1). Refuses a target
/// that cannot be sent byte for byte: the `http` crate would silently drop a fragment.
pub(super) fn uri(origin: &Origin, target: &str) -> Result<Uri, UpstreamError> {
    let path = PathAndQuery::try_from(target).map_err(|_| UpstreamError::Target)?;
    if !target.starts_with('/') || path.as_str() != target {
        return Err(UpstreamError::Target);
    }
    let authority = origin.as_str().split_once("://").map_or("", |(_, authority)| authority);
    Uri::builder()
        .scheme(origin.scheme().as_str())
        .authority(authority)
        .path_and_query(path)
        .build()
        .map_err(|_| UpstreamError::Target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_goes_out_unchanged_or_not_at_all() {
        let graph = Origin::parse("https://graph.microsoft.com").unwrap();
        for good in ["/v1.0/users?$top=5", "//evil.example/x", "/a%2Fb?c=%23", "/v1.0/users('a')"] {
            assert_eq!(uri(&graph, good).unwrap().to_string(), format!("https://graph.microsoft.com{good}"));
        }
        for bad in
            ["", "v1.0/users", "*", "?a", "/a#b", "/a b", "/a\r\nb", "/\u{e9}\u{7f}", "https://evil.example/"]
        {
            assert_eq!(uri(&graph, bad), Err(UpstreamError::Target), "{bad:?}");
        }
    }

    /// The `http` crate must accept every origin that the configuration accepts.
    #[test]
    fn the_library_accepts_every_origin() {
        let long = format!("https://{}.example:65535", ["a"; 80].join("_."));
        for text in [
            "https://my_graph.example",
            "http://[::1]:8080",
            "http://127.0.0.1",
            "https://xn--e1a.example",
            &long,
        ] {
            let origin = Origin::parse(text).unwrap();
            assert_eq!(uri(&origin, "/").unwrap().to_string(), format!("{text}/"));
        }
    }
}
