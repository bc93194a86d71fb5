//! A path of property names, `from/emailAddress/address`.

use std::fmt;

use super::option_error::{OptionError, OptionErrorKind};
use super::segment::is_identifier;

/// Property names from the entity downwards, at least one, each an OData identifier; spelled as received.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PropertyPath(Vec<String>);

impl PropertyPath {
    /// Parses names joined by `/`.
    ///
    /// # Errors
    /// [`OptionErrorKind::Wildcard`] for `*`, else [`OptionErrorKind::Expected`] for anything but identifiers.
    pub fn parse(text: &str) -> Result<Self, OptionError> {
        let mut position: usize = 0;
        let mut names = Vec::new();
        for name in text.split('/') {
            check_name(name).map_err(|kind| OptionError::new(kind, position))?;
            names.push(name.to_owned());
            position = position.saturating_add(name.len()).saturating_add(1);
        }
        Ok(Self(names))
    }

    pub(super) const fn from_names(names: Vec<String>) -> Self {
        Self(names)
    }

    /// The names, outermost first.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// Whether both name the same property: Graph compares names without letter case.
    pub fn eq_ignore_ascii_case(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.starts_with_ignore_ascii_case(other)
    }

    /// Whether `prefix` is this path or leads to it.
    pub(crate) fn starts_with_ignore_ascii_case(&self, prefix: &Self) -> bool {
        prefix.0.len() <= self.0.len()
            && self.0.iter().zip(&prefix.0).all(|(name, other)| name.eq_ignore_ascii_case(other))
    }
}

impl fmt::Display for PropertyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

fn check_name(name: &str) -> Result<(), OptionErrorKind> {
    match name {
        "*" => Err(OptionErrorKind::Wildcard),
        _ if is_identifier(name) => Ok(()),
        _ => Err(OptionErrorKind::Expected("a property name")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_identifiers_joined_by_slashes() {
        let path = PropertyPath::parse("from/emailAddress/address").unwrap();
        assert_eq!(path.segments(), ["from", "emailAddress", "address"]);
        assert_eq!(path.to_string(), "from/emailAddress/address");
        for bad in ["", "/a", "a/", "a//b", "a b", "a(b)", "$count", "@odata.type", "a.b", "1a", "é"] {
            let error = PropertyPath::parse(bad).unwrap_err();
            assert_eq!(error.kind(), OptionErrorKind::Expected("a property name"), "{bad}");
        }
        let wildcard = PropertyPath::parse("a/*").unwrap_err();
        assert_eq!((wildcard.kind(), wildcard.position()), (OptionErrorKind::Wildcard, 2));
    }

    #[test]
    fn names_compare_without_case() {
        let path = |text| PropertyPath::parse(text).unwrap();
        assert!(path("From/EmailAddress").eq_ignore_ascii_case(&path("from/emailaddress")));
        assert!(!path("from").eq_ignore_ascii_case(&path("from/emailAddress")));
        assert!(path("FROM/emailAddress").starts_with_ignore_ascii_case(&path("from")));
        assert!(!path("from").starts_with_ignore_ascii_case(&path("from/emailAddress")));
    }
}
