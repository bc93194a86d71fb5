//! Base URLs: what links begin with.

use std::fmt;

use super::{MAX_URL, Origin, Parts, UrlError};

/// An origin and perhaps a path prefix.
///
/// Invariant: no trailing slash; the path is empty, or `/` and segments of unreserved characters (RFC 3986).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct BaseUrl {
    origin: Origin,
    text: String,
}

impl BaseUrl {
    /// Parses `scheme://host[:port][/path]`.
    ///
    /// # Errors
    /// [`UrlError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let Parts { scheme, host, port, target } = Parts::parse(text)?;
        if target.contains('?') {
            return Err(UrlError::Query);
        }
        let (path, origin) = (check_path(target)?, Origin::new(scheme, host, port)?);
        let text = format!("{origin}{path}");
        Ok(Self { origin, text })
    }

    /// The URL as text, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The path prefix: empty, or with a slash before each segment.
    pub fn path(&self) -> &str {
        self.text.strip_prefix(self.origin.as_str()).unwrap_or_default()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The path without its trailing slash. It has no escapes and no dot segments, so that the prefix of a link and that of
/// a request can be compared as text.
fn check_path(path: &str) -> Result<&str, UrlError> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let segment_fits = |segment: &str| {
        !segment.is_empty() && !matches!(segment, "." | "..") && segment.bytes().all(unreserved)
    };
    if path.len() > MAX_URL {
        return Err(UrlError::TooLong);
    }
    let fits = path.split('/').skip(1).all(segment_fits);
    if fits { Ok(path) } else { Err(UrlError::BasePath) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_base_url_has_one_spelling() {
        for (text, written, path) in [
            ("https://Proxy.Contoso.Example/", "https://proxy.contoso.example", ""),
            ("https://proxy.contoso.example:443", "https://proxy.contoso.example", ""),
            ("https://proxy_1.contoso.example/a", "https://proxy_1.contoso.example/a", "/a"),
            ("https://p.example:8443/graph/X~1/", "https://p.example:8443/graph/X~1", "/graph/X~1"),
            ("http://127.0.0.1:80", "http://127.0.0.1", ""),
        ] {
            let url = BaseUrl::parse(text).unwrap();
            assert_eq!((url.as_str(), url.path()), (written, path), "{text}");
        }
    }

    #[test]
    fn what_a_base_url_cannot_have_is_named() {
        for (text, error) in [
            ("https://a.example/#x", UrlError::Fragment),
            ("https://a.example/?x", UrlError::Query),
            ("https://a.example?x", UrlError::Query),
            ("https://a.example/x/../y", UrlError::BasePath),
            ("https://a.example/x%2fy", UrlError::BasePath),
            ("https://a.example//x", UrlError::BasePath),
            ("https://a.example/x//", UrlError::BasePath),
            ("http://a.example/x", UrlError::Plaintext),
            ("/v1.0", UrlError::NotAbsolute),
        ] {
            assert_eq!(BaseUrl::parse(text), Err(error), "{text}");
        }
        let long = format!("https://a.example/{}", "x".repeat(MAX_URL));
        assert_eq!(BaseUrl::parse(&long), Err(UrlError::TooLong));
    }
}
