//! The `prefer` of an endpoint as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::IntegerRange;
use crate::yaml::Spanned;

/// The preferences of a request.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Prefer {
    /// `odata.maxpagesize`.
    #[serde(rename = "odata.maxpagesize")]
    pub max_page_size: Option<Spanned<IntegerRange>>,
    /// `IdType`: for mail, `ImmutableId` is sent unless this says `default`.
    #[serde(rename = "IdType")]
    pub id_type: Option<IdType>,
    /// `return`: `minimal`, for changes of users and groups.
    #[serde(rename = "return")]
    pub returned: Option<Spanned<Returned>>,
}

/// What a page of changes holds of an object.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Returned {
    /// The properties that changed.
    Minimal,
}

/// The form of Outlook ids.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum IdType {
    /// Ids that survive a move between folders.
    ImmutableId,
    /// Graph's default ids.
    #[serde(rename = "default")]
    Default,
}
