//! The preferences (RFC 7240) of `Prefer` and `Preference-Applied` that the proxy knows.

use std::fmt;
use std::num::NonZeroU32;

use thiserror::Error;

/// The longest header value that the proxy reads, in bytes. A legitimate value names four preferences at most.
pub(crate) const MAX_PREFER: usize = 1024;

/// A preference whose meaning the proxy knows. Requests, requests to Graph and `Preference-Applied` all use this list.
///
/// A preference contains no text from the sender. So writing a parsed preference again cannot carry data.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Preference {
    /// `IdType="ImmutableId"`: ids that stay the same when an item moves.
    ImmutableId,
    /// `odata.maxpagesize=N`, also spelled `maxpagesize=N` (OData 4.01): the most objects in a page.
    MaxPageSize(NonZeroU32),
    /// `return=minimal`: on delta queries, changed properties only.
    ReturnMinimal,
    /// `odata.track-changes`: the last page has a delta link.
    TrackChanges,
}

/// Why a `Prefer` header was refused.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum PreferError {
    /// The header violates the grammar of RFC 7240.
    #[error("the Prefer header is malformed")]
    Malformed,
    /// More than [`MAX_PREFER`] bytes.
    #[error("the Prefer header is too long")]
    TooLong,
    /// A known preference has an invalid value.
    #[error("a preference in the Prefer header has a value that it cannot have")]
    Value,
}

/// Reads the known preferences of a `Prefer` or `Preference-Applied` value and ignores all others, as RFC 7240 section
/// 2 says. The caller joins several header lines with commas. If a name occurs twice, the first preference counts.
///
/// # Errors
/// [`PreferError`] for bad syntax and for a known preference with a malformed value.
pub fn parse(header: &str) -> Result<Vec<Preference>, PreferError> {
    if header.len() > MAX_PREFER {
        return Err(PreferError::TooLong);
    }
    let mut seen: Vec<String> = Vec::new();
    let mut preferences = Vec::new();
    for element in split_unquoted(header, ',')? {
        if element.is_empty() {
            continue;
        }
        let (name, value) = parse_element(element)?;
        if !seen.contains(&name) {
            preferences.extend(preference(&name, value.as_deref())?);
            seen.push(name);
        }
    }
    Ok(preferences)
}

/// The spelling that Graph's documentation uses.
impl fmt::Display for Preference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ImmutableId => f.write_str("IdType=\"ImmutableId\""),
            Self::MaxPageSize(size) => write!(f, "odata.maxpagesize={size}"),
            Self::ReturnMinimal => f.write_str("return=minimal"),
            Self::TrackChanges => f.write_str("odata.track-changes"),
        }
    }
}

impl PreferError {
    /// A stable name, for responses, logs and metrics.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "preferMalformed",
            Self::TooLong => "preferTooLong",
            Self::Value => "preferValue",
        }
    }
}

/// `None` for an unknown preference, and for a known one with an unknown value.
fn preference(name: &str, value: Option<&str>) -> Result<Option<Preference>, PreferError> {
    let has = |expected| value.is_some_and(|value| value.eq_ignore_ascii_case(expected));
    Ok(match name {
        "idtype" if has("ImmutableId") => Some(Preference::ImmutableId),
        "maxpagesize" => Some(Preference::MaxPageSize(page_size(value)?)),
        "odata.track-changes" if value.is_none() => Some(Preference::TrackChanges),
        "return" if has("minimal") => Some(Preference::ReturnMinimal),
        _ => None,
    })
}

/// A positive integer (OData 4.01 protocol, section 8.2.8.5).
fn page_size(value: Option<&str>) -> Result<NonZeroU32, PreferError> {
    let digits = value.filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or(PreferError::Value)
}

/// A preference's name in lower case, and its value. An empty value counts as no value (RFC 7240 section 2).
fn parse_element(element: &str) -> Result<(String, Option<String>), PreferError> {
    let mut parts = split_unquoted(element, ';')?.into_iter();
    let (name, value) = name_and_value(parts.next().unwrap_or_default())?;
    for parameter in parts.filter(|parameter| !parameter.is_empty()) {
        name_and_value(parameter)?;
    }
    let name = name.to_ascii_lowercase();
    let name = if name == "odata.maxpagesize" { "maxpagesize".to_owned() } else { name };
    Ok((name, value.filter(|value| !value.is_empty())))
}

fn name_and_value(text: &str) -> Result<(&str, Option<String>), PreferError> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (trim(name), Some(word(trim(value))?)),
        None => (text, None),
    };
    if is_token(name) { Ok((name, value)) } else { Err(PreferError::Malformed) }
}

/// A token or a quoted string (RFC 9110 section 5.6).
fn word(text: &str) -> Result<String, PreferError> {
    if is_token(text) {
        return Ok(text.to_owned());
    }
    let quoted =
        text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or(PreferError::Malformed)?;
    let mut unescaped = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        let character = match character {
            '\\' => characters.next().ok_or(PreferError::Malformed)?,
            '"' => return Err(PreferError::Malformed),
            _ => character,
        };
        if character.is_control() {
            return Err(PreferError::Malformed);
        }
        unescaped.push(character);
    }
    Ok(unescaped)
}

/// Splits at a separator outside quoted strings and trims the parts.
fn split_unquoted(text: &str, separator: char) -> Result<Vec<&str>, PreferError> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    let is_separator = |character| {
        let was_escaped = std::mem::replace(&mut is_escaped, false);
        match character {
            _ if was_escaped => {}
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => {}
        }
        character == separator && !is_quoted
    };
    let parts = text.split(is_separator).map(trim).collect();
    if is_quoted { Err(PreferError::Malformed) } else { Ok(parts) }
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages_of(size: u32) -> Preference {
        Preference::MaxPageSize(NonZeroU32::new(size).unwrap())
    }

    #[test]
    fn known_preferences_are_read() {
        let header =
            r#"odata.maxpagesize=50, IdType="ImmutableId" ; a=b, return=minimal, odata.track-changes"#;
        let expected =
            [pages_of(50), Preference::ImmutableId, Preference::ReturnMinimal, Preference::TrackChanges];
        assert_eq!(parse(header).unwrap(), expected);
    }

    #[test]
    fn every_preference_is_read_in_each_spelling_and_written_in_one() {
        for (spellings, written) in [
            (
                ["IdType=\"ImmutableId\"", "IdType=ImmutableId", "idtype=immutableid"].as_slice(),
                "IdType=\"ImmutableId\"",
            ),
            (&["odata.maxpagesize=50", "maxpagesize=50", "odata.maxpagesize=\"50\""], "odata.maxpagesize=50"),
            (&["return=minimal", "return=\"minimal\"", "Return=Minimal"], "return=minimal"),
            (&["odata.track-changes", "OData.Track-Changes"], "odata.track-changes"),
        ] {
            for spelling in spellings {
                let read: Vec<_> = parse(spelling).unwrap().iter().map(Preference::to_string).collect();
                assert_eq!(read, [written], "{spelling}");
            }
        }
    }

    #[test]
    fn others_are_ignored_and_so_are_repeats() {
        for header in [
            "respond-async, Foo=\"a,\\\"b\"; c, foo=2",
            "outlook.timezone=\"W. Europe Standard Time\"",
            "IdType=RestId, return=representation, odata.track-changes=yes",
            "IdType=RestId, IdType=ImmutableId",
            "",
            ",, ,",
        ] {
            assert_eq!(parse(header).unwrap(), [], "{header}");
        }
        assert_eq!(parse("maxpagesize=1, odata.maxpagesize=2").unwrap(), [pages_of(1)]);
    }

    #[test]
    fn bad_values_and_bad_syntax_are_refused() {
        for header in [
            "odata.maxpagesize",
            "odata.maxpagesize=\"\"",
            "maxpagesize=-1",
            "maxpagesize=+1",
            "maxpagesize=0",
            "maxpagesize=1e3",
            "maxpagesize=4294967296",
        ] {
            assert_eq!(parse(header), Err(PreferError::Value), "{header}");
        }
        for header in
            ["a=", "a=\"b", "a=\"b\"c", "=b", "a b", "a=b c", "a;=", "a=\"\u{1}\"", "a=\"\\\"", ";a"]
        {
            assert_eq!(parse(header), Err(PreferError::Malformed), "{header}");
        }
        assert_eq!(parse(&"a".repeat(MAX_PREFER)).unwrap(), []);
        assert_eq!(parse(&"a".repeat(MAX_PREFER + 1)), Err(PreferError::TooLong));
    }
}
