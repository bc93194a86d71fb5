//! Microsoft Graph's request language: targets, OData options, links and the error shape.
//!
//! This module reads and writes the language and knows nothing of rules. It parses every input into types, and one
//! encoder writes every output anew from those types, so a received text is never passed on. A text with two readings
//! is refused.
//!
//! | module | what it holds |
//! |---|---|
//! | [`target`] | the request target: [`Target::parse`] folds every spelling into one |
//! | [`target_error`] | why a target was refused |
//! | [`encode`] | the only encoder: a parsed target back to text |
//! | [`option`] | the values of `$select`, `$orderby`, `$top`, `$count`, `$expand` and `$filter` |
//! | [`option_error`] | why an option's value was refused |
//! | [`filter`], [`literal`], [`property_path`] | what `$filter` says, as a tree that writes itself canonically |
//! | `efficiency` | filters and orders that Exchange refuses together |
//! | [`batch`] | JSON batches: the envelope of several requests |
//! | [`url`] | absolute URLs: one parser, strict |
//! | [`link`] | absolute links of Graph, accepted on one exact origin only |
//! | [`prefer`] | the preferences of `Prefer` and `Preference-Applied` (RFC 7240) |
//! | `mailbox` | whose mailbox a request is for |
//! | `time` | dates and times, as Graph writes them |
//! | [`schema`] | which properties only beta has, and which come only to those who select them |
//! | [`error_body`] | Graph's JSON error shape |
//! | `byte_order_mark` | what may be before a JSON text of Microsoft |

pub mod batch;
mod byte_order_mark;
pub mod decode;
mod efficiency;
pub mod encode;
pub mod error_body;
pub mod filter;
mod filter_parser;
mod lexer;
pub mod link;
pub mod literal;
mod mailbox;
pub mod option;
pub mod option_error;
mod option_name;
pub mod prefer;
pub mod property_path;
mod query;
pub mod schema;
mod segment;
mod selection;
pub mod target;
pub mod target_error;
mod time;
pub mod url;

pub use byte_order_mark::without_byte_order_mark;
pub use efficiency::{INEFFICIENT_FILTER, is_inefficient};
pub use error_body::{ErrorBody, is_plain_identifier};
pub use filter::{Filter, Function, Operator};
pub use link::{LinkError, relative_target};
pub use literal::{Literal, is_guid};
pub use mailbox::Mailbox;
pub use option::{Direction, Expansion};
pub use option_error::{OptionError, OptionErrorKind};
pub use option_name::OptionName;
pub use prefer::{PreferError, Preference};
pub use property_path::PropertyPath;
pub use query::QueryOption;
pub(crate) use segment::DELTA;
#[cfg(test)]
pub(crate) use segment::FUNCTIONS;
pub use segment::{Segment, function};
pub use selection::Selection;
pub use target::{Target, Version};
pub use target_error::{TargetError, TargetErrorKind};
pub(crate) use time::is_time;
pub use url::{BaseUrl, Host, Origin, Scheme, Url, UrlError};
