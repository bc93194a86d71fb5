//! The compiled form of a rules file: what the proxy runs, and what describes itself.
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

pub use super::raw::{Comparator, IdType, IntegerRange, PseudonymKind, TimeUnit};
pub use super::transform::{LinkKind, Match, Transform};

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
    /// What of an address's domain is shown.
    pub domains: DomainMode,
    /// Whether plus tags are part of an address.
    pub plus_tags: PlusTags,
    /// What is answered; no two can match one request.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// Identifies what these rules let out: 16 hexadecimal digits over everything that decides it. Comments, titles
    /// and the order of lines do not count.
    pub fingerprint: String,
}

/// A permission that the endpoints need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The names that would do, least first.
    pub any_of: Vec<String>,
    /// What it is for, in the words of who wrote the rules.
    pub why: Option<String>,
}

/// One request that is answered.
#[derive(Debug)]
pub struct Endpoint {
    /// The name that logs, audit records and refusals use.
    pub name: String,
    /// Which paths it responds.
    pub template: Template,
    /// What each parameter of the template accepts, in the order of the template.
    pub params: Vec<Param>,
    /// Which query options it accepts.
    pub query: QueryPolicy,
    /// The largest `odata.maxpagesize` preference that is passed on, and the least.
    pub max_page_size: Option<IntegerRange>,
    /// Whether `Prefer: IdType="ImmutableId"` is sent.
    pub immutable_ids: bool,
    /// Whether `Prefer: return=minimal` is passed on.
    pub return_minimal: bool,
    /// Whether users or groups of the directory response, which count and compare with `ConsistencyLevel: eventual` only.
    pub directory: bool,
    /// What the response is.
    pub response: Response,
    /// Where an author wrote it. No part of what it means.
    pub places: Places,
}

/// Where an author wrote an endpoint, in bytes of the file.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The endpoint's path.
    pub endpoint: Range<usize>,
    /// The name of each parameter in `params`.
    pub params: Vec<(String, Range<usize>)>,
    /// The name of each option in `query`.
    pub query: Vec<(String, Range<usize>)>,
}

/// What a path parameter accepts.
#[derive(Debug, Default)]
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

/// Which query options are accepted, and with what.
#[derive(Debug, Default)]
pub struct QueryPolicy {
    /// Whether the consumer may narrow `$select`.
    pub select: bool,
    /// `$filter`: kept properties and the operators that may compare them.
    pub filter: Vec<(String, Vec<Comparator>)>,
    /// `$orderby`: kept properties and their directions.
    pub order_by: Vec<(String, Vec<Direction>)>,
    /// `$expand`: what may be expanded.
    pub expand: Vec<Expand>,
    /// Options of one value: `$top`, `$skip`, `$count`, then those without a `$`.
    pub values: Vec<(OptionName, ValuePolicy)>,
}

impl QueryPolicy {
    /// The rules' spelling of an option of one value, and what the value may be.
    pub fn value(&self, name: &OptionName) -> Option<(&OptionName, &ValuePolicy)> {
        self.values.iter().find(|(own, _)| own == name).map(|(own, policy)| (own, policy))
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
    /// The properties of what it leads to that can survive; `None` if that is no list.
    pub select: Option<Vec<String>>,
    /// The options inside the parentheses: `$select` and `$top` at most.
    pub query: QueryPolicy,
}

/// What a response is and what of it leaves.
#[derive(Debug)]
pub enum Response {
    /// A JSON document.
    Json(Arc<Body>),
    /// A number as text (`/$count`); the body says what may be compared to choose what is counted.
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
    /// The top-level properties of the object (of each element, for a page) that can survive: the upstream `$select`.
    /// `None` if the shape keeps what it does not list, so that no list is complete.
    pub select: Option<Vec<String>>,
    /// Whether the response is a page of changes.
    pub delta: bool,
}

/// What happens to a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It leaves as it is.
    Keep,
    /// It never leaves.
    Redact,
    /// Something made from it leaves.
    Transform(Transform),
}

impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep => f.write_str("keep"),
            Self::Redact => f.write_str("redact"),
            Self::Transform(transform) => transform.fmt(f),
        }
    }
}
