//! The compiled form of a rules file: the proxy runs it, and reviews describe it.
//!
//! A [`Plan`] is immutable and complete: `admit` asks it which requests may pass, `sanitize` follows its
//! [`Automaton`]s, and nothing looks at YAML or JSONPath again.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use regex::Regex;

use super::automaton::Automaton;
use super::template::Template;
use crate::graph::{Direction, OptionName};
use crate::pseudonym::{Class, DomainMode, PlusTags};

pub use super::casts::Casts;
pub use super::headers::{FLAG, HEADER_NAME, HEADER_VALUE, Header, Headers};
pub use super::keep::{Kept, Word, Words};
pub use super::raw::{Comparator, IdType, IntegerRange, PseudonymKind, TimeUnit};
pub use super::transform::{Disclosure, KeptGroup, LinkKind, Match, Transform};

/// One connector, ready to run.
#[derive(Debug)]
pub struct Plan {
    /// The connector's name.
    pub connector: String,
    /// The connector's name for people.
    pub title: String,
    /// What the data is for.
    pub purpose: String,
    /// The permissions that open the endpoints.
    pub permissions: Vec<Permission>,
    /// How much of an address's domain leaves.
    pub domains: DomainMode,
    /// Whether plus tags are part of an address.
    pub plus_tags: PlusTags,
    /// The requests that may pass, as the file names them. No two endpoints match the same request.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// The `/$count`s that come with collections that may be counted.
    pub counts: Vec<Arc<Endpoint>>,
}

impl Plan {
    /// Every endpoint: what the file names, and the counts that come with it.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.endpoints.iter().chain(&self.counts)
    }

    /// The `/$count` that comes with this collection, if one does.
    pub fn count_of(&self, collection: &Endpoint) -> Option<&Endpoint> {
        let mut counts = self.counts.iter().map(Arc::as_ref);
        counts.find(|count| count.name.strip_suffix(Self::COUNT) == Some(&collection.name))
    }

    /// What follows the name of a collection's endpoint in the name of its count.
    pub(super) const COUNT: &str = "-count";
}

/// A permission that the endpoints need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The names of which one is enough, least first.
    pub any_of: Vec<String>,
    /// What it is for, in the words of the rules' author.
    pub why: Option<String>,
}

/// One kind of request that may pass.
#[derive(Debug)]
pub struct Endpoint {
    /// The name that logs, audit records and refusals use.
    pub name: String,
    /// The paths that it matches.
    pub template: Template,
    /// What each parameter of the template accepts, in the order of the template.
    pub params: Vec<Param>,
    /// Which query options it accepts.
    pub query: QueryPolicy,
    /// The smallest and the largest `odata.maxpagesize` preference that is passed on.
    pub max_page_size: Option<IntegerRange>,
    /// Whether `Prefer: IdType="ImmutableId"` is sent.
    pub immutable_ids: bool,
    /// Whether `Prefer: return=minimal` is passed on.
    pub return_minimal: bool,
    /// Whether the endpoint serves users or groups of the directory. Graph counts and compares these only with
    /// `ConsistencyLevel: eventual`.
    pub directory: bool,
    /// Whether Exchange serves the endpoint, from the mailbox of one user or group. It counts requests by mailbox.
    pub mailbox: bool,
    /// What the response is.
    pub response: Response,
    /// Where the author wrote it. It has no effect on requests.
    pub places: Places,
}

/// Where the author wrote an endpoint, in bytes of the file.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The endpoint's path.
    pub endpoint: Range<usize>,
    /// The name of each parameter in `params`.
    pub params: Vec<(String, Range<usize>)>,
    /// The name of each option in `query`.
    pub query: Vec<(String, Range<usize>)>,
}

impl Places {
    /// Where the author wrote the option; the endpoint's place if they did not.
    pub(super) fn option(&self, name: &str) -> Range<usize> {
        let place = self.query.iter().find(|(own, _)| own == name).map(|(_, place)| place);
        place.unwrap_or(&self.endpoint).clone()
    }
}

/// What a path parameter accepts.
#[derive(Clone, Debug, Default)]
pub struct Param {
    /// The name in the template.
    pub name: String,
    /// These names, in any letter case.
    pub one_of: Vec<String>,
    /// A reversible token of this class, issued to this consumer.
    pub token: Option<Class>,
    /// Anything.
    pub raw: bool,
    /// Anything that this expression, anchored at both ends, matches.
    pub pattern: Option<Regex>,
}

/// Which query options are accepted, and with which values.
#[derive(Debug, Default)]
pub struct QueryPolicy {
    /// Whether the consumer may narrow `$select`.
    pub select: bool,
    /// `$filter`: what may be compared.
    pub filter: Vec<Comparison>,
    /// `$orderby`: kept properties and their directions.
    pub order_by: Vec<(String, Vec<Direction>)>,
    /// `$expand`: what may be expanded.
    pub expand: Vec<Expand>,
    /// Options that take one value: `$top`, `$skip`, `$count`, then those without a `$`.
    pub values: Vec<(OptionName, ValuePolicy)>,
}

impl QueryPolicy {
    /// The rules' spelling of an option that takes one value, and what the value may be.
    pub fn value(&self, name: &OptionName) -> Option<(&OptionName, &ValuePolicy)> {
        self.values.iter().find(|(own, _)| own == name).map(|(own, policy)| (own, policy))
    }
}

/// A property that `$filter` may compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The names on the way to it, joined by slashes: `flag/flagStatus`.
    pub property: String,
    /// How many of the names lead to the collection whose elements are compared, with `any`; `None` if there is none.
    pub collection: Option<usize>,
    /// How it may be compared.
    pub operators: Vec<Comparator>,
}

impl Comparison {
    /// The property, with `any` behind a collection: `groupTypes/any`.
    pub fn path(&self) -> String {
        let mut names: Vec<_> = self.property.split('/').collect();
        if let Some(at) = self.collection.filter(|at| *at <= names.len()) {
            names.insert(at, "any");
        }
        names.join("/")
    }

    /// The operators by name.
    pub fn operators(&self) -> String {
        self.operators.iter().map(|by| by.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// What the value of an option may be.
#[derive(Debug)]
pub enum ValuePolicy {
    /// `true` or `false`.
    Boolean,
    /// An integer in this range.
    Integer(IntegerRange),
    /// One of these texts.
    OneOf(Vec<String>),
    /// A text that this expression, anchored at both ends, matches.
    Pattern(Regex),
}

/// A navigation property that may be expanded, one level deep.
#[derive(Debug)]
pub struct Expand {
    /// The navigation property.
    pub property: String,
    /// The properties of the expanded objects that can leave; `None` if the shape also keeps properties that it does
    /// not list.
    pub select: Option<Vec<String>>,
    /// How those of derived types are selected.
    pub casts: Casts,
    /// The options inside the parentheses: `$select` and `$top` at most.
    pub query: QueryPolicy,
}

/// The kind of a response, and what leaves of it.
#[derive(Debug)]
pub enum Response {
    /// A JSON document.
    Json(Arc<Body>),
    /// A number as text (`/$count`). The body says which properties of the counted objects a filter may compare.
    Count(Arc<Body>),
}

impl Response {
    /// The shape behind the response.
    pub fn body(&self) -> &Arc<Body> {
        match self {
            Self::Json(body) | Self::Count(body) => body,
        }
    }
}

/// A JSON response.
#[derive(Debug)]
pub struct Body {
    /// What leaves.
    pub automaton: Automaton,
    /// The top-level properties of the object (of each element, for a page) that can leave: the upstream `$select`.
    /// `None` if the shape also keeps properties that it does not list.
    pub select: Option<Vec<String>>,
    /// How those of derived types are selected.
    pub casts: Casts,
    /// Whether the response is a page of changes.
    pub delta: bool,
    /// The property that the response is, in place of the object that has it. Its value is under `value`.
    pub property: Option<String>,
}

/// What happens to a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It leaves as it is, if it is of this kind.
    Keep(Kept),
    /// It never leaves.
    Redact,
    /// A value made from it leaves.
    Transform(Transform),
}

impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep(kept) => kept.fmt(f),
            Self::Redact => f.write_str("redact"),
            Self::Transform(transform) => transform.fmt(f),
        }
    }
}
