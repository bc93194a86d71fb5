//! One item of a `$select` list.

use std::fmt;

use super::option_error::OptionError;
use super::property_path::PropertyPath;
use super::segment::is_identifier;

/// A property, perhaps with the derived type that has it in front: `microsoft.graph.eventMessage/meetingMessageType` (OData 4.01
/// Part 2, 5.1.4).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Selection {
    /// The type's name with its namespace, as received.
    pub cast: Option<String>,
    /// The property.
    pub path: PropertyPath,
}

impl Selection {
    /// Parses a path with or without a type in front.
    ///
    /// # Errors
    /// As [`PropertyPath::parse`]; positions count from the start of `text`.
    pub(super) fn parse(text: &str) -> Result<Self, OptionError> {
        let Some((cast, rest)) = text.split_once('/').filter(|(first, _)| is_type_name(first)) else {
            return Ok(Self { cast: None, path: PropertyPath::parse(text)? });
        };
        let start = cast.len().saturating_add(1);
        let moved =
            |error: OptionError| OptionError::new(error.kind(), start.saturating_add(error.position()));
        Ok(Self { cast: Some(cast.to_owned()), path: PropertyPath::parse(rest).map_err(moved)? })
    }
}

/// Whether a text is the name of a type with its namespace.
fn is_type_name(text: &str) -> bool {
    text.contains('.') && text.split('.').all(is_identifier)
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cast) = &self.cast {
            write!(f, "{cast}/")?;
        }
        self.path.fmt(f)
    }
}
