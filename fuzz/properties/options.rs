//! The parsed value of a query option, written again, parses to the same. Errors point inside the value.
//!
//! The proxy parses a value, checks it, and writes it again for Graph. Graph must read what the proxy checked.

use std::fmt::{Debug, Display};

use glassine_core::graph::option::{self, MAX_VALUE};
use glassine_core::graph::{
    Direction, Expansion, OptionError, OptionErrorKind, PropertyPath, QueryOption, Selection,
};

use super::text;

/// See the module. The input is the value of each option in turn.
pub fn options(data: &[u8]) {
    let Some(value) = text(data) else { return };
    round_trip(value, option::select, |items| joined(items, Selection::to_string));
    round_trip(value, option::order_by, |items| joined(items, order));
    round_trip(value, option::integer, u32::to_string);
    round_trip(value, option::boolean, bool::to_string);
    round_trip(value, option::filter, ToString::to_string);
    round_trip(value, option::expand, |items| joined(items, expansion));
    round_trip(value, option::nested, |options| options.iter().map(nested).collect::<Vec<_>>().join(";"));
    only_odata_has_white_space(value);
    for expanded in option::expand(value).unwrap_or_default() {
        expanded.options.iter().for_each(|options| options_parse_or_not(options));
    }
}

fn round_trip<T: PartialEq + Debug>(
    value: &str,
    parse: impl Fn(&str) -> Result<T, OptionError>,
    write: impl Fn(&T) -> String,
) {
    let parsed = match parse(value) {
        Ok(parsed) => parsed,
        Err(error) => return lies_inside(value, error),
    };
    assert!(value.len() <= MAX_VALUE, "a value of {} bytes", value.len());
    let written = write(&parsed);
    match parse(&written) {
        Ok(again) => {
            assert_eq!(again, parsed, "{written}");
            assert_eq!(write(&again), written);
        }
        // The written text has no abbreviations, so it may be longer than the limit.
        Err(error) => assert_eq!(error.kind(), OptionErrorKind::TooLong, "{written}: {error}"),
    }
}

/// Graph may read other spaces, such as a no-break space, as separators or as parts of a name. Such a value is refused.
fn only_odata_has_white_space(value: &str) {
    for doubtful in [format!("{value}\u{a0}"), format!("\u{a0}{value}")] {
        assert!(option::select(&doubtful).is_err(), "{doubtful:?}");
        assert!(option::order_by(&doubtful).is_err(), "{doubtful:?}");
        assert!(option::expand(&doubtful).is_err(), "{doubtful:?}");
    }
}

fn options_parse_or_not(options: &str) {
    if let Err(error) = option::nested(options) {
        lies_inside(options, error);
    }
}

fn lies_inside(value: &str, error: OptionError) {
    assert!(error.position() <= value.len(), "{error}");
}

fn joined<T, S: Display>(items: &[T], write: impl Fn(&T) -> S) -> String {
    items.iter().map(|item| write(item).to_string()).collect::<Vec<_>>().join(",")
}

fn order((path, direction): &(PropertyPath, Direction)) -> String {
    format!("{path} {}", direction.as_str())
}

fn expansion(item: &Expansion) -> String {
    match &item.options {
        Some(options) => format!("{}({options})", item.path),
        None => item.path.clone(),
    }
}

fn nested(option: &QueryOption) -> String {
    format!("{}={}", option.name.as_str(), option.value)
}
