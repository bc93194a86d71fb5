//! The ids of a batch's requests.

use serde::{Deserialize, Serialize};

/// An id, as the consumer wrote it. The documentation has strings; many scripts write integers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum ItemId {
    /// An integer.
    Integer(i64),
    /// A string.
    Text(String),
}

impl ItemId {
    /// What is compared. Letter case does not count (Graph), and an integer is its digits: a client that reads `1` and
    /// `"1"` into one table would lose a response.
    pub(super) fn folded(&self) -> String {
        match self {
            Self::Integer(number) => number.to_string(),
            Self::Text(text) => text.to_ascii_lowercase(),
        }
    }

    /// The id as JSON, of the type that the consumer used.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Integer(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }
}
