//! The request target: every documented spelling of a Graph path folded into one form.
//!
//! Graph reads one resource under many spellings: a key as a segment or in parentheses, names in any letter case, any
//! character percent-encoded, `delta` with and without parentheses or namespace, options with and without `$`. A proxy
//! that compares text lets some of them through. So the parser takes a target apart in the order in which a server
//! does, each step once, and refuses what a second reader could read differently:
//!
//! 1. length, and no byte that a URI cannot hold (RFC 3986 section 2);
//! 2. the query is cut off at the first `?`, and the path is split at each raw `/`, before anything is decoded,
//!    so that `%2F` is data and never a separator;
//! 3. the first segment is exactly `v1.0` or `beta`;
//! 4. each segment is percent-decoded once and checked: UTF-8, no controls, no `%` left, no dot segment;
//! 5. each decoded segment is one of the [`Segment`] forms, and nothing else has parentheses or a leading `$`;
//! 6. the query is split at `&`, and names and values are decoded once (`+` is a space) and names folded.
//!
//! Whether a [`Segment::Plain`] is a name or a key depends on its place, which only an endpoint's template knows. For
//! that reason letter case is kept: names are compared without case, keys with it.

use super::segment;
use super::target_error::TargetErrorKind as Kind;
use super::{encode, query};

pub use super::option_name::OptionName;
pub use super::query::QueryOption;
pub use super::segment::Segment;
pub use super::target_error::{TargetError, TargetErrorKind};

/// Longest request target, in bytes: room for a sealed link with a token of 16 KiB in any unreserved characters. Requests
/// without such a link need less than the 8,000 bytes that every server should support (RFC 9110 section 4.1).
pub const MAX_TARGET: usize = 24 * 1024;

/// Most path segments after the version. Child folders nest without bound in Graph; thirty-two segments reach
/// twelve folders down.
pub const MAX_SEGMENTS: usize = 32;

/// Most query options. Graph has thirteen system options, and no endpoint takes more than a few of its own.
pub const MAX_OPTIONS: usize = 16;

/// A parsed request target, in one spelling.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// The API version, the first path segment.
    pub version: Version,
    /// The path after the version.
    pub segments: Vec<Segment>,
    /// The query options in the order received, each name at most once.
    pub options: Vec<QueryOption>,
}

/// The two versions of Microsoft Graph.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Version {
    /// `beta`.
    Beta,
    /// `v1.0`.
    V1,
}

impl Target {
    /// Parses an origin-form target (RFC 9112 section 3.2.1), path and query exactly as received.
    ///
    /// # Errors
    /// [`TargetError`] for everything that is malformed, has two readings, or is too long.
    pub fn parse(raw: &str) -> Result<Self, TargetError> {
        check_raw(raw)?;
        let (path, query) = raw.split_once('?').map_or((raw, None), |(path, query)| (path, Some(query)));
        let (version, segments) = parse_path(path)?;
        let options = match query {
            Some(query) => query::parse(query, path.len().saturating_add(1))?,
            None => Vec::new(),
        };
        Ok(Self { version, segments, options })
    }

    /// The value of an option, if it was given.
    pub fn option(&self, name: &OptionName) -> Option<&str> {
        let found = self.options.iter().find(|option| option.name == *name);
        found.map(|option| option.value.as_str())
    }

    /// The canonical origin-form text; [`Target::parse`] reads it back to an equal target.
    pub fn canonical(&self) -> String {
        let pairs: Vec<_> =
            self.options.iter().map(|option| (option.name.as_str(), option.value.as_str())).collect();
        encode::rebuild(self.version, &self.segments, &pairs)
    }
}

impl Version {
    /// The path segment.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Beta => "beta",
            Self::V1 => "v1.0",
        }
    }

    /// The version that a path segment names, letter for letter.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Beta, Self::V1].into_iter().find(|version| version.as_str() == text)
    }
}

fn check_raw(raw: &str) -> Result<(), TargetError> {
    if raw.len() > MAX_TARGET {
        return Err(TargetError::new(Kind::TooLong, MAX_TARGET));
    }
    // The loop does not stop early, so that the compiler can check many bytes at once.
    if raw.bytes().fold(true, |fine, byte| fine & is_allowed(byte)) {
        return Ok(());
    }
    let wrong = raw.bytes().enumerate().find(|(_, byte)| !is_allowed(*byte));
    wrong.map_or(Ok(()), |(position, byte)| {
        let kind = if byte == b'#' { Kind::Fragment } else { Kind::InvalidRawByte };
        Err(TargetError::new(kind, position))
    })
}

const fn is_allowed(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~') && !matches!(byte, b'#' | b'\\')
}

fn parse_path(path: &str) -> Result<(Version, Vec<Segment>), TargetError> {
    let inner = path.strip_prefix('/').ok_or(TargetError::new(Kind::NotOriginForm, 0))?;
    let mut position = 1;
    let mut pieces = inner.strip_suffix('/').unwrap_or(inner).split('/');
    let first = pieces.next().unwrap_or_default();
    let version = parse_version(first, position)?;
    position = position.saturating_add(first.len()).saturating_add(1);
    let mut segments = Vec::new();
    for piece in pieces {
        segment::parse_into(piece, position, &mut segments)?;
        if segments.len() > MAX_SEGMENTS {
            return Err(TargetError::new(Kind::TooManySegments, position));
        }
        position = position.saturating_add(piece.len()).saturating_add(1);
    }
    Ok((version, segments))
}

fn parse_version(text: &str, position: usize) -> Result<Version, TargetError> {
    if text.is_empty() {
        return Err(TargetError::new(Kind::EmptySegment, position));
    }
    Version::parse(text).ok_or(TargetError::new(Kind::UnknownVersion, position))
}

#[cfg(test)]
mod tests;
