//! `headers`: lists of names and values, as the headers of a message.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Entries, PseudonymKind};
use crate::yaml::Spanned;

/// A list of names and values, of which a few leave: as tokens, or as the name of a flag.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Headers {
    /// One RFC 9535 path.
    pub path: Option<Spanned<String>>,
    /// Several RFC 9535 paths.
    #[serde(default)]
    pub paths: Vec<Spanned<String>>,
    /// Headers whose values leave as keyed tokens, and how each value is read.
    #[serde(default)]
    pub tokens: Entries<PseudonymKind>,
    /// Flags, each with the headers that set it. Nothing of their values leaves.
    #[serde(default)]
    pub flags: Entries<Vec<Spanned<String>>>,
}
