//! The query: options split at `&`, decoded once, each name at most once. Nothing between two `&`, or at an end, is
//! nothing: `?&$top=1&` has one option.

use super::decode;
use super::option_name::OptionName;
use super::target::MAX_OPTIONS;
use super::target_error::{TargetError, TargetErrorKind as Kind};

/// One query option.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QueryOption {
    /// The name, folded.
    pub name: OptionName,
    /// The value, decoded once; it holds no control characters.
    pub value: String,
}

/// Parses the query, which begins after its `?` at byte `offset` of the target.
pub(super) fn parse(query: &str, offset: usize) -> Result<Vec<QueryOption>, TargetError> {
    let mut options: Vec<QueryOption> = Vec::new();
    let mut position = offset;
    for pair in query.split('&') {
        if !pair.is_empty() {
            let option = parse_pair(pair, position)?;
            check_one_more(&options, &option).map_err(|kind| TargetError::new(kind, position))?;
            options.push(option);
        }
        position = position.saturating_add(pair.len()).saturating_add(1);
    }
    Ok(options)
}

fn check_one_more(options: &[QueryOption], option: &QueryOption) -> Result<(), Kind> {
    if options.iter().any(|earlier| earlier.name.collides_with(&option.name)) {
        return Err(Kind::DuplicateOption);
    }
    if options.len() >= MAX_OPTIONS { Err(Kind::TooManyOptions) } else { Ok(()) }
}

fn parse_pair(pair: &str, position: usize) -> Result<QueryOption, TargetError> {
    let fail = |kind| TargetError::new(kind, position);
    let (name, value) = pair.split_once('=').ok_or(fail(Kind::OptionWithoutValue))?;
    let name = parse_name(name, position)?;
    let value = decode::form(value, position.saturating_add(pair.len()).saturating_sub(value.len()))?;
    // Graph's own tokens may hold anything. This proxy interprets every other value, so each must have one reading.
    if !name.is_opaque() && decode::holds_escape(&value) {
        return Err(fail(Kind::DoubleEncoding));
    }
    Ok(QueryOption { name, value })
}

fn parse_name(raw: &str, position: usize) -> Result<OptionName, TargetError> {
    let name = decode::form(raw, position)?;
    if name.contains('%') {
        return Err(TargetError::new(Kind::DoubleEncoding, position));
    }
    OptionName::parse(&name).ok_or(TargetError::new(Kind::OptionName, position))
}
