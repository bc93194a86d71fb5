//! The URL of a request in a batch.

use super::super::encode;
use super::super::link::relative_target;
use super::super::url::BaseUrl;
use super::{BatchError, Version};

/// The origin-form target, with the batch's version in front. It is parsed later, like the target of any request.
///
/// Accepts `users` and `/users`, the same after the batch's own version, and the latter on this proxy's own URL
/// (`msgraph-core` for Python writes it so). Never `//host` or another host.
pub(super) fn target(version: Version, own: &BaseUrl, url: &str) -> Result<String, BatchError> {
    // A request line cannot have a space or a letter beyond ASCII, a JSON string can. Both have one reading.
    let url = encode::raw_characters(url);
    let is_absolute = has_colon(&url);
    let relative = if is_absolute { beneath(own, &url)? } else { &url };
    let path = relative.strip_prefix('/').unwrap_or(relative);
    let path = match leading_version(path) {
        Some((named, _)) if named != version => return Err(BatchError::Version),
        Some((_, rest)) => rest,
        None if is_absolute => return Err(BatchError::Url),
        None => path,
    };
    if path.starts_with('/') || has_colon(path) {
        return Err(BatchError::Url);
    }
    Ok(format!("/{}/{path}", version.as_str()))
}

/// Whether the first segment has a colon, as in a URL with a scheme (RFC 3986 section 4.2).
fn has_colon(url: &str) -> bool {
    url.split(['/', '?']).next().is_some_and(|first| first.contains(':'))
}

/// The part of an absolute URL after this proxy's own URL.
fn beneath<'u>(own: &BaseUrl, url: &'u str) -> Result<&'u str, BatchError> {
    let target = relative_target(url, own.origin()).map_err(|_| BatchError::Url)?;
    let rest = target.strip_prefix(own.path()).filter(|rest| rest.starts_with('/'));
    rest.ok_or(BatchError::Url)
}

/// The version in front of a path, and what follows it. No resource of Graph has the name of a version.
fn leading_version(path: &str) -> Option<(Version, &str)> {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    Some((Version::parse(first)?, rest))
}
