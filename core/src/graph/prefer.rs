//! The `Prefer` request header (RFC 7240 section 2), as far as Graph's preferences need it.

use thiserror::Error;

/// Longest header value that is read, in bytes. The longest legitimate one names four preferences.
pub const MAX_PREFER: usize = 1024;

/// One preference of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Preference {
    /// `IdType="ImmutableId"`: ids that stay when an item moves.
    ImmutableId,
    /// `odata.maxpagesize=N`, also spelled `maxpagesize=N` (OData 4.01).
    MaxPageSize(u32),
    /// Any other preference, or a known one with another value: its name, lower-case. A server may ignore it.
    Other(String),
    /// `outlook.timezone="..."`, a Windows or IANA time zone name.
    OutlookTimezone(String),
    /// `return=minimal`: on delta queries, changed properties only.
    ReturnMinimal,
    /// `odata.track-changes`.
    TrackChanges,
}

/// Why a `Prefer` header was refused.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum PreferError {
    /// Not the grammar of RFC 7240.
    #[error("the Prefer header is malformed")]
    Malformed,
    /// More than [`MAX_PREFER`] bytes.
    #[error("the Prefer header is too long")]
    TooLong,
    /// A known preference has a value that it cannot have.
    #[error("a preference in the Prefer header has a value that it cannot have")]
    Value,
}

/// Parses a `Prefer` value. Several header lines are read as one, joined by commas. The first of two preferences with
/// one name counts (RFC 7240 section 2).
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
            preferences.push(preference(&name, value)?);
            seen.push(name);
        }
    }
    Ok(preferences)
}

impl PreferError {
    /// A stable name, for responses, logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "preferMalformed",
            Self::TooLong => "preferTooLong",
            Self::Value => "preferValue",
        }
    }
}

fn preference(name: &str, value: Option<String>) -> Result<Preference, PreferError> {
    match (name, value) {
        ("idtype", Some(value)) if value.eq_ignore_ascii_case("ImmutableId") => Ok(Preference::ImmutableId),
        ("maxpagesize", value) => page_size(value),
        ("odata.track-changes", None) => Ok(Preference::TrackChanges),
        ("outlook.timezone", Some(zone)) if is_time_zone(&zone) => Ok(Preference::OutlookTimezone(zone)),
        ("outlook.timezone", _) => Err(PreferError::Value),
        ("return", Some(value)) if value.eq_ignore_ascii_case("minimal") => Ok(Preference::ReturnMinimal),
        _ => Ok(Preference::Other(name.to_owned())),
    }
}

fn page_size(value: Option<String>) -> Result<Preference, PreferError> {
    let digits = value.filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
    let size = digits.and_then(|digits| digits.parse().ok()).ok_or(PreferError::Value)?;
    Ok(Preference::MaxPageSize(size))
}

/// The characters of `(UTC+01:00) Amsterdam` and `America/Argentina/Buenos_Aires`.
fn is_time_zone(zone: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b" +-_/.():,&'".contains(&byte);
    !zone.is_empty() && zone.len() <= 64 && zone.bytes().all(is_allowed)
}

/// A preference's name, lower-case, and its value; an empty value is none (RFC 7240 section 2).
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

    #[test]
    fn known_preferences_are_read() {
        let header = r#"odata.maxpagesize=50, IdType="ImmutableId" ; a=b, return=minimal,outlook.timezone="W. Europe Standard Time", odata.track-changes"#;
        let expected = [
            Preference::MaxPageSize(50),
            Preference::ImmutableId,
            Preference::ReturnMinimal,
            Preference::OutlookTimezone("W. Europe Standard Time".to_owned()),
            Preference::TrackChanges,
        ];
        assert_eq!(parse(header).unwrap(), expected);
    }

    #[test]
    fn others_are_named_and_repeats_ignored() {
        let other = |name: &str| Preference::Other(name.to_owned());
        assert_eq!(
            parse("respond-async, Foo=\"a,\\\"b\"; c, foo=2").unwrap(),
            [other("respond-async"), other("foo")]
        );
        assert_eq!(parse("maxpagesize=1, odata.maxpagesize=2").unwrap(), [Preference::MaxPageSize(1)]);
        assert_eq!(
            parse("IdType=RestId, return=representation").unwrap(),
            [other("idtype"), other("return")]
        );
        assert_eq!(parse("").unwrap(), []);
        assert_eq!(parse(",, ,").unwrap(), []);
    }

    #[test]
    fn bad_values_and_bad_syntax_are_refused() {
        for header in [
            "odata.maxpagesize",
            "odata.maxpagesize=\"\"",
            "maxpagesize=-1",
            "maxpagesize=1e3",
            "maxpagesize=4294967296",
        ] {
            assert_eq!(parse(header), Err(PreferError::Value), "{header}");
        }
        assert_eq!(parse("outlook.timezone=\"a<b\""), Err(PreferError::Value));
        for header in
            ["a=", "a=\"b", "a=\"b\"c", "=b", "a b", "a=b c", "a;=", "a=\"\u{1}\"", "a=\"\\\"", ";a"]
        {
            assert_eq!(parse(header), Err(PreferError::Malformed), "{header}");
        }
        assert_eq!(parse(&"a".repeat(MAX_PREFER)).unwrap().len(), 1);
        assert_eq!(parse(&"a".repeat(MAX_PREFER + 1)), Err(PreferError::TooLong));
    }
}
