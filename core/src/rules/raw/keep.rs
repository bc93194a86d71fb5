//! `keep`: values that leave as they are, by what they may be.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::yaml::{ByKind, Recovered, Spanned};

/// Values that leave as they are, by what they may be.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Keep {
    /// Dates and times: `2026-11-26T08:30:00Z`, with or without fraction and offset; `2026-11-26`; `08:30:00`.
    pub times: Selections,
    /// `true` and `false`.
    pub booleans: Selections,
    /// Numbers of at most 32 characters.
    pub numbers: Selections,
    /// Fixed texts.
    pub one_of: Vec<Recovered<OneOf>>,
    /// Names of time zones, as Windows and the IANA database have them.
    pub time_zones: Selections,
    /// Anything, as written: also what a person wrote.
    pub text: Selections,
}

/// Paths, each alone or in a mapping that says more about it.
pub type Selections = Vec<Recovered<Spanned<ByKind<Paths>>>>;

/// Paths, and whether a reviewer has looked at them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paths {
    /// One RFC 9535 path.
    pub path: Option<Spanned<String>>,
    /// Several RFC 9535 paths.
    #[serde(default)]
    pub paths: Vec<Spanned<String>>,
    /// Whether a reviewer has agreed that this leaves, though it can identify people or hold what they write.
    #[serde(default)]
    pub reviewed: bool,
}

/// A value that leaves if it is one of a few fixed texts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneOf {
    /// One RFC 9535 path.
    pub path: Option<Spanned<String>>,
    /// Several RFC 9535 paths.
    #[serde(default)]
    pub paths: Vec<Spanned<String>>,
    /// The texts, compared exactly.
    pub values: Spanned<Vec<Spanned<String>>>,
    /// Whether a reviewer has agreed that this leaves, though it can identify people or hold what they write.
    #[serde(default)]
    pub reviewed: bool,
}
