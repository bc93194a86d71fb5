//! Request headers that both listeners read.

use http::{HeaderMap, HeaderName};

/// The value of a header; `None` unless the header comes exactly once.
pub(crate) fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// The `Bearer` credential (RFC 6750, 2.1) in the header of this name; `None` without one, or if the header comes more
/// than once.
pub(crate) fn bearer<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let (scheme, token) = single(headers, name)?.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty()).then_some(token)
}
