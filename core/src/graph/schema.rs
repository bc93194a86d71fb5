//! The part of Graph's schema that requests depend on: v1.0 refuses a `$select` of a property that only beta has, and some
//! properties come only to those who select them.

use super::Version;

/// Properties of the mail and directory types that only beta has, in its schema of 2026.
const BETA_ONLY: &[&str] = &[
    "cloudRealtimeCommunicationInfo",
    "flag",
    "gender",
    "isFavorite",
    "mentionsPreview",
    "unsubscribeData",
    "unsubscribeEnabled",
    "userPurposeV2",
    "wellKnownName",
];

/// Whether `$select` may name this property of an object under the path segment `resource` (the last name in the
/// path) in this version.
pub(crate) fn can_select(version: Version, resource: &str, property: &str) -> bool {
    version == Version::Beta || v1_has(resource, property) || !BETA_ONLY.contains(&property)
}

/// v1.0 has `flag` on messages, though not on contacts, and `isFavorite` on groups.
fn v1_has(resource: &str, property: &str) -> bool {
    matches!((resource, property), ("messages", "flag") | ("groups", "isFavorite"))
}

/// Whether a request without `$select` asks for this property of an object under the path segment `resource`. Graph sends the
/// headers of a message only to those who select them. They are often longer than the rest of it without its body.
pub(crate) fn is_usual(resource: &str, property: &str) -> bool {
    (resource, property) != ("messages", "internetMessageHeaders")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beta_properties_are_not_asked_of_v1() {
        assert!(!can_select(Version::V1, "mailFolders", "wellKnownName"));
        assert!(can_select(Version::Beta, "mailFolders", "wellKnownName"));
        assert!(can_select(Version::V1, "mailFolders", "isHidden"));
        assert!(can_select(Version::V1, "messages", "flag"));
    }
}
