//! The values of OData query options: one parser for each option that a rule can allow.
//!
//! Every function takes a value as [`Target::parse`](super::Target::parse) decoded it. Positions in errors count
//! from the value's first byte.

use super::filter_parser;
use super::literal;
use super::option_error::OptionErrorKind as Kind;
use super::option_name::OptionName;
use super::query::QueryOption;

pub use super::filter::Filter;
pub use super::option_error::OptionError;
pub use super::property_path::PropertyPath;
pub use super::selection::Selection;

/// Longest value of one option that is interpreted, in bytes: as long as every server supports a whole target (RFC 9110
/// section 4.1 recommends 8,000). Each parser checks it, whatever limit its caller has.
pub const MAX_VALUE: usize = 8 * 1024;

/// Most items of a `$select`, `$orderby` or `$expand` list. The widest Graph type has about 130 properties.
pub const MAX_ITEMS: usize = 256;

/// Deepest nesting of parentheses, negations and lambdas in a `$filter`; it also bounds the parser's stack.
pub(crate) const MAX_FILTER_DEPTH: usize = 16;

/// Most constants in a `$filter`. Graph itself stops at 15 `or` clauses on directory objects.
pub(crate) const MAX_FILTER_TERMS: usize = 64;

/// Only space and tab are white space in OData. A no-break space makes a name invalid.
const WHITE_SPACE: [char; 2] = [' ', '\t'];

/// The order of one `$orderby` item.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Direction {
    /// `asc`, the default.
    Ascending,
    /// `desc`.
    Descending,
}

impl Direction {
    /// The keyword.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }
}

/// One item of an `$expand` list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expansion {
    /// What is expanded, as written: a navigation property, or a path with casts and `$ref` or `$count`.
    pub path: String,
    /// The nested options, as written between the parentheses.
    pub options: Option<String>,
}

/// Parses `$select`: property paths joined by commas, each perhaps with the type in front that has the property.
///
/// # Errors
/// [`OptionError`] for `*`, nested options, empty items and anything that is not a property path.
pub fn select(value: &str) -> Result<Vec<Selection>, OptionError> {
    let selection = |item: Item<'_>| Selection::parse(item.text).map_err(|error| moved(error, item.start));
    items(value)?.into_iter().map(selection).collect()
}

/// Parses `$orderby`: property paths, each with an optional `asc` or `desc`.
///
/// # Errors
/// [`OptionError`] for functions, other words and anything that is not a property path.
pub fn order_by(value: &str) -> Result<Vec<(PropertyPath, Direction)>, OptionError> {
    items(value)?.into_iter().map(order_item).collect()
}

/// Parses a count such as `$top`: digits only.
///
/// # Errors
/// [`OptionError`] for signs, spaces, other characters and numbers above [`u32::MAX`].
pub fn integer(value: &str) -> Result<u32, OptionError> {
    let is_digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits {
        return Err(OptionError::new(Kind::Expected("a number without sign"), 0));
    }
    value.parse().map_err(|_| OptionError::new(Kind::InvalidLiteral, 0))
}

/// Parses `true` or `false`, in any letter case.
///
/// # Errors
/// [`OptionError`] for everything else.
pub fn boolean(value: &str) -> Result<bool, OptionError> {
    literal::boolean(value).ok_or(OptionError::new(Kind::Expected("'true' or 'false'"), 0))
}

/// Parses `$filter`; [`Filter`] says which part of OData is supported.
///
/// # Errors
/// [`OptionError`] for everything else, and beyond [`MAX_VALUE`], [`MAX_FILTER_DEPTH`] or [`MAX_FILTER_TERMS`].
pub fn filter(value: &str) -> Result<Filter, OptionError> {
    check_length(value)?;
    filter_parser::parse(value)
}

/// Parses `$expand` into its items. Their nested options are not parsed: [`nested`] does that.
///
/// # Errors
/// [`OptionError`] for `*`, unbalanced quotes or parentheses, and empty items.
pub fn expand(value: &str) -> Result<Vec<Expansion>, OptionError> {
    items(value)?.into_iter().map(expansion).collect()
}

/// Parses the options inside the parentheses of an `$expand` item: `name=value` joined by semicolons, each name once.
/// They are parts of a decoded value, so nothing is decoded here.
///
/// # Errors
/// [`OptionError`] for unbalanced quotes or parentheses, malformed names, and names that come twice. The position
/// counts from the opening parenthesis.
pub fn nested(options: &str) -> Result<Vec<QueryOption>, OptionError> {
    let mut parsed: Vec<QueryOption> = Vec::new();
    for item in split(options, ';')? {
        let fail = |what| OptionError::new(Kind::Expected(what), item.start);
        let (name, value) = item.text.split_once('=').ok_or(fail("an option and its value"))?;
        let name = OptionName::parse(name.trim_end_matches(WHITE_SPACE)).ok_or(fail("an option's name"))?;
        if parsed.iter().any(|earlier| earlier.name.collides_with(&name)) {
            return Err(fail("each option once"));
        }
        parsed.push(QueryOption { name, value: value.trim_start_matches(WHITE_SPACE).to_owned() });
    }
    Ok(parsed)
}

/// One item of a list, without the white space around it.
#[derive(Clone, Copy)]
struct Item<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Item<'a> {
    fn new(raw: &'a str, start: usize) -> Self {
        let text = raw.trim_start_matches(WHITE_SPACE);
        let start = start.saturating_add(raw.len().saturating_sub(text.len()));
        Self { text: text.trim_end_matches(WHITE_SPACE), start }
    }
}

fn items(value: &str) -> Result<Vec<Item<'_>>, OptionError> {
    split(value, ',')
}

/// Splits at the separators outside quotes and parentheses.
fn split(value: &str, separator: char) -> Result<Vec<Item<'_>>, OptionError> {
    check_length(value)?;
    let mut items = Vec::new();
    let mut nesting = Nesting::default();
    let mut start: usize = 0;
    let pieces = value.split(|c| nesting.is_outside(c) && c == separator);
    for piece in pieces {
        items.push(Item::new(piece, start));
        start = start.saturating_add(piece.len()).saturating_add(1);
    }
    if items.len() > MAX_ITEMS {
        return Err(OptionError::new(Kind::TooManyItems, 0));
    }
    nesting.check_closed().map_err(|kind| OptionError::new(kind, value.len()))?;
    match items.iter().find(|item| item.text.is_empty()) {
        Some(empty) => Err(OptionError::new(Kind::Expected("a name"), empty.start)),
        None => Ok(items),
    }
}

/// Whether a scan is inside quotes or parentheses. `''` needs no special case: it closes and opens again.
#[derive(Default)]
struct Nesting {
    depth: usize,
    is_quoted: bool,
    is_unbalanced: bool,
}

impl Nesting {
    /// Reads a character and says whether it is outside.
    fn is_outside(&mut self, c: char) -> bool {
        match c {
            '\'' => self.is_quoted = !self.is_quoted,
            _ if self.is_quoted => {}
            '(' => self.depth = self.depth.saturating_add(1),
            ')' => match self.depth.checked_sub(1) {
                Some(depth) => self.depth = depth,
                None => self.is_unbalanced = true,
            },
            _ => {}
        }
        self.depth == 0 && !self.is_quoted
    }

    const fn check_closed(&self) -> Result<(), Kind> {
        if self.is_quoted {
            return Err(Kind::UnterminatedString);
        }
        if self.depth > 0 || self.is_unbalanced {
            Err(Kind::Expected("balanced parentheses"))
        } else {
            Ok(())
        }
    }
}

fn path(text: &str, start: usize) -> Result<PropertyPath, OptionError> {
    PropertyPath::parse(text).map_err(|error| moved(error, start))
}

/// The error in an item that starts here.
fn moved(error: OptionError, start: usize) -> OptionError {
    OptionError::new(error.kind(), start.saturating_add(error.position()))
}

fn order_item(item: Item<'_>) -> Result<(PropertyPath, Direction), OptionError> {
    let (name, keyword) = item.text.split_once(' ').unwrap_or((item.text, "asc"));
    let path = path(name, item.start)?;
    match keyword.trim_start_matches(WHITE_SPACE).to_ascii_lowercase().as_str() {
        "asc" => Ok((path, Direction::Ascending)),
        "desc" => Ok((path, Direction::Descending)),
        _ => {
            let start = item.start.saturating_add(name.len()).saturating_add(1);
            Err(OptionError::new(Kind::Expected("'asc' or 'desc'"), start))
        }
    }
}

fn expansion(item: Item<'_>) -> Result<Expansion, OptionError> {
    let (path, options) = match item.text.split_once('(') {
        Some((path, rest)) => {
            let end = item.start.saturating_add(item.text.len());
            let inner = rest.strip_suffix(')').ok_or(OptionError::new(Kind::Expected("','"), end))?;
            (path, Some(inner.to_owned()))
        }
        None => (item.text, None),
    };
    check_expand_path(path).map_err(|kind| OptionError::new(kind, item.start))?;
    Ok(Expansion { path: path.to_owned(), options })
}

fn check_expand_path(path: &str) -> Result<(), Kind> {
    if path.split('/').any(|part| part == "*") {
        return Err(Kind::Wildcard);
    }
    let is_name = |part: &str| !part.is_empty() && part.bytes().all(is_expand_byte);
    if path.split('/').all(is_name) { Ok(()) } else { Err(Kind::Expected("a navigation property")) }
}

const fn is_expand_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$')
}

const fn check_length(value: &str) -> Result<(), OptionError> {
    if value.len() > MAX_VALUE { Err(OptionError::new(Kind::TooLong, MAX_VALUE)) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
