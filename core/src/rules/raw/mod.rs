//! A rules file as written: serde structs with places. Nothing is checked yet.
//!
//! The JSON Schema of the format is generated from these types ([`json_schema()`]), so that editors complete what this
//! program accepts. [`super::check`] decides what the parts mean.

mod headers;
mod keep;
mod permission;
mod prefer;
mod query;

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::pseudonym::{DomainMode, PlusTags};
use crate::yaml::{ByKind, Recovered, Spanned};

pub use headers::Headers;
pub use keep::{Keep, OneOf, Paths, Selections};
pub use permission::Permission;
pub use prefer::{IdType, Prefer, Returned};
pub use query::{Comparator, Expand, Filter, OrderBy, Query, ValuePolicy};

/// A rules file: one connector.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The format's version: 1.
    pub version: Spanned<u32>,
    /// The connector's name: lower-case letters, digits and hyphens.
    pub connector: Spanned<String>,
    /// The connector's name for people.
    pub title: String,
    /// What the data is for, in one or two sentences.
    pub purpose: String,
    /// The least Microsoft Graph application permissions that open the endpoints.
    pub permissions: Vec<Recovered<Permission>>,
    /// How e-mail addresses are canonicalised and how much of their domain leaves.
    #[serde(default)]
    pub addresses: Addresses,
    /// What leaves, per kind of object.
    pub shapes: Entries<Shape>,
    /// Which requests may pass; every other is refused.
    pub endpoints: Vec<Recovered<Endpoint>>,
}

/// How e-mail addresses are treated.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Addresses {
    /// How much of an address's domain leaves.
    pub domains: Option<Spanned<DomainMode>>,
    /// Whether `alice+tag@` is `alice@`.
    pub plus_tags: PlusTags,
}

/// What leaves of one kind of object. What no line names is dropped.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Shape {
    /// Values that leave as they are, by what they may be. A value that is something else is dropped.
    #[schemars(with = "Keep")]
    pub keep: Recovered<Spanned<ByKind<Keep>>>,
    /// Values and subtrees that never leave, whatever other lines name them.
    pub redact: Vec<Spanned<String>>,
    /// Values that leave as keyed tokens.
    pub pseudonymize: Vec<Recovered<Pseudonymize>>,
    /// Values of which only named capture groups leave.
    #[serde(rename = "match")]
    pub matches: Vec<Recovered<Match>>,
    /// Addresses of which only the domain leaves.
    pub domain: Selections,
    /// Texts of which only the length and the word count leave.
    pub digest: Selections,
    /// Times that leave at a coarser grain.
    pub truncate_time: Vec<Recovered<TruncateTime>>,
    /// IP addresses that leave as keyed tokens.
    pub hash_ip: Vec<Spanned<String>>,
    /// Lists of names and values, as the headers of a message, of which a few leave.
    pub headers: Vec<Recovered<Spanned<Headers>>>,
    /// Conversation indexes of which only the number of replies leaves.
    pub reply_depth: Vec<Spanned<String>>,
    /// Graph links that leave as sealed links to this proxy.
    pub link: Vec<Spanned<String>>,
    /// Objects inside this one that have their own shape.
    pub nested: Vec<Recovered<Nested>>,
    /// `keep` turns the shape into a blocklist: what no line names leaves too.
    pub unlisted: Option<Spanned<Unlisted>>,
}

/// What happens to properties that no line names.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    /// Dropped. The default.
    Drop,
    /// Kept.
    Keep,
}

/// A value that leaves as a keyed token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pseudonymize {
    /// One RFC 9535 path.
    pub path: Option<Spanned<String>>,
    /// Several RFC 9535 paths.
    #[serde(default)]
    pub paths: Vec<Spanned<String>>,
    /// How the value is read.
    #[serde(rename = "as")]
    pub kind: Spanned<PseudonymKind>,
    /// Whether a later request may use the token in place of the value. For ids only.
    #[serde(default)]
    pub reversible: bool,
}

/// How a value is read before it becomes a token.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum PseudonymKind {
    /// An e-mail address.
    Email,
    /// A header-style list of e-mail addresses.
    EmailList,
    /// An opaque id, compared exactly as written.
    Id,
    /// A conversationId: one token per thread, whatever the mailbox.
    Thread,
    /// An internetMessageId, compared exactly as written.
    MessageId,
    /// Any text, compared exactly as written.
    Text,
}

/// A value of which only named capture groups leave.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// One RFC 9535 path.
    pub path: Option<Spanned<String>>,
    /// Several RFC 9535 paths.
    #[serde(default)]
    pub paths: Vec<Spanned<String>>,
    /// The regular expression, which must match the whole value.
    pub regex: Spanned<String>,
    /// The group that leaves unchanged. The expression must bound it to a few fixed texts.
    pub keep: Option<Spanned<String>>,
    /// The group that leaves as a keyed token.
    pub pseudonymize: Option<GroupPseudonym>,
    /// Whether a reviewer has agreed that this leaves, though it can identify people or hold what they write.
    #[serde(default)]
    pub reviewed: bool,
}

/// A capture group that leaves as a keyed token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupPseudonym {
    /// The group's name.
    pub group: Spanned<String>,
    /// How its text is read.
    #[serde(rename = "as")]
    pub kind: Spanned<PseudonymKind>,
}

/// A time that leaves at a coarser grain.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TruncateTime {
    /// One RFC 9535 path.
    pub path: Option<Spanned<String>>,
    /// Several RFC 9535 paths.
    #[serde(default)]
    pub paths: Vec<Spanned<String>>,
    /// The grain.
    pub to: TimeUnit,
    /// Whether a reviewer has agreed that this leaves, though it can identify people or hold what they write.
    #[serde(default)]
    pub reviewed: bool,
}

/// The grain of a truncated time.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// To the minute.
    Minute,
    /// To the hour.
    Hour,
    /// To the day, in UTC.
    Day,
}

/// Objects that have their own shape.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nested {
    /// One RFC 9535 path.
    pub path: Option<Spanned<String>>,
    /// Several RFC 9535 paths.
    #[serde(default)]
    pub paths: Vec<Spanned<String>>,
    /// The shape's name.
    pub shape: Spanned<String>,
}

/// One kind of request that may pass.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The name that logs, audit records and refusals use.
    pub name: Spanned<String>,
    /// The path template of the GET (and HEAD) request, as in `/{api}/users/{user}/messages`.
    pub get: Spanned<String>,
    /// What each `{name}` of the template accepts.
    #[serde(default)]
    pub params: Entries<Param>,
    /// The query options that are accepted; every other is refused.
    #[serde(default)]
    pub query: Query,
    /// The `Prefer` request header's preferences (RFC 7240) that are accepted.
    #[serde(default)]
    pub prefer: Prefer,
    /// The kind of response.
    pub response: Spanned<Response>,
}

/// What a path parameter accepts. A value passes if any of these accepts it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Param {
    /// These names, in any letter case.
    pub one_of: Vec<Spanned<String>>,
    /// A token that this proxy issued to this consumer.
    pub token: Option<TokenClass>,
    /// Any raw Graph id or address. The consumer can then test who is behind a token.
    pub raw: Option<Spanned<bool>>,
    /// Raw values that this regular expression matches completely.
    pub pattern: Option<Spanned<String>>,
}

/// The class of a token in a request.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum TokenClass {
    /// A reversible id.
    Id,
}

/// A range of integers, both ends included.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegerRange {
    /// The smallest accepted value.
    pub min: u32,
    /// The largest accepted value.
    pub max: u32,
}

/// The kind of response.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// A page of objects of this shape, with `@odata.nextLink`.
    Collection(Spanned<String>),
    /// A page of changes to objects of this shape, with `@odata.nextLink`, `@odata.deltaLink` and `@removed`.
    Delta(Spanned<String>),
    /// One object of this shape.
    Entity(Spanned<String>),
    /// One property of an object of this shape, the last name of the path.
    Property(Spanned<String>),
    /// The number of objects of this shape, as text.
    Count(Spanned<String>),
}

/// A mapping whose keys are the author's names, in the order of the file.
#[derive(Debug)]
pub struct Entries<T>(pub Vec<(Spanned<String>, Recovered<T>)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(std::marker::PhantomData))
    }
}

struct EntriesVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping from names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}ByName", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}

/// The JSON Schema of a rules file, as committed in `rules/schema.json`.
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(File);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
