//! The `consumers` section: which consumers there are, and what each may read.

mod credential;
mod network;

use std::collections::HashSet;
use std::net::IpAddr;
use std::num::NonZeroU32;

pub(super) use credential::check_hashes;
pub use credential::{BearerHash, ConsumerCredential, JwksLocation, JwtCredential};
use credential::{KnownCredentials, check_credential};
pub use network::Networks;
pub(super) use network::{check_allowed, check_trusted};

use super::approvals::{ApprovedBy, check_approved_by};
use super::check::{Context, optional};
use super::raw::{self, Text};
use super::upstream::check_own_application;
use super::url::check_base;
use super::{FileRef, UpstreamCredential};
use crate::config::codes::{CONFIG_CONSUMER, CONFIG_VALUE};
use glassine_core::graph::BaseUrl;
use glassine_core::yaml::Spanned;

/// Concurrent requests: enough for an SDK with a pool of workers, and well under Graph's throttling limits.
pub(super) const DEFAULT_CONCURRENT: NonZeroU32 = NonZeroU32::new(64).unwrap();

/// Graph's limit for one application and a dozen mailboxes: 10,000 requests in 10 minutes for each mailbox
/// (<https://learn.microsoft.com/graph/throttling-limits>).
pub(super) const DEFAULT_REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(200).unwrap();

/// A higher limit would have no effect.
const MAX_LIMIT: u64 = 100_000;

/// The longest name, in bytes. Names are in log lines and audit records.
const MAX_NAME: usize = 64;

/// The longest title, in characters: a line of a page.
const MAX_TITLE: usize = 100;

/// One consumer.
#[derive(Clone, Debug)]
pub struct Consumer {
    name: String,
    title: String,
    rules: FileRef,
    approved_by: ApprovedBy,
    credential: ConsumerCredential,
    pseudonym_domain: String,
    /// Empty: all addresses are allowed.
    allow_from: Networks,
    limits: ConsumerLimits,
    return_url: Option<BaseUrl>,
    application: Option<UpstreamCredential>,
}

impl Consumer {
    /// The name: lower-case letters, digits and hyphens.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name for people, on the connection pages and in reviews. The default is the name.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The rules file of this consumer.
    pub fn rules(&self) -> &FileRef {
        &self.rules
    }

    /// The signatures under this consumer's statement.
    pub fn approved_by(&self) -> &ApprovedBy {
        &self.approved_by
    }

    /// What the proxy recognizes this consumer by.
    pub fn credential(&self) -> &ConsumerCredential {
        &self.credential
    }

    /// Consumers with different pseudonym domains get different pseudonyms. The default is the consumer's name.
    pub fn pseudonym_domain(&self) -> &str {
        &self.pseudonym_domain
    }

    /// The addresses from which this consumer may send requests; empty: all.
    pub(super) fn allow_from(&self) -> &Networks {
        &self.allow_from
    }

    /// Whether this consumer may send requests from `address`. An IPv4-mapped IPv6 address counts as the IPv4 address.
    pub fn may_come_from(&self, address: IpAddr) -> bool {
        self.allow_from.is_empty() || self.allow_from.contain(address)
    }

    /// How many requests this consumer may have open, and send per second.
    pub fn limits(&self) -> ConsumerLimits {
        self.limits
    }

    /// Where the connection pages send the browser in the end, with the result.
    pub fn return_url(&self) -> Option<&BaseUrl> {
        self.return_url.as_ref()
    }

    /// This consumer's own app registration. `None`: that of `upstream`.
    pub fn application(&self) -> Option<&UpstreamCredential> {
        self.application.as_ref()
    }
}

/// How many requests a consumer may have open, and send per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumerLimits {
    /// Concurrent requests. A request counts until its response ends.
    pub concurrent: NonZeroU32,
    /// Requests per second.
    pub requests_per_second: NonZeroU32,
}

/// What the check of consumers needs to know of other sections.
#[derive(Clone, Copy)]
pub(super) struct Around {
    /// Whether client certificates can be verified.
    pub(super) has_client_ca: bool,
    /// Whether there is an `approvals` section.
    pub(super) wants_approvals: bool,
}

/// Checks all consumers, and that they can be distinguished.
pub(super) fn check_consumers(
    consumers: Spanned<Vec<raw::Consumer>>,
    around: Around,
    context: &mut Context<'_>,
) -> Option<Vec<Consumer>> {
    if consumers.value.is_empty() {
        return context.refuse(
            CONFIG_VALUE,
            &consumers.span,
            "there is no consumer",
            "name at least one; without a consumer, all requests are refused",
        );
    }
    let mut seen = Seen { names: HashSet::new(), credentials: KnownCredentials::new(around.has_client_ca) };
    let check = |consumer| check_consumer(consumer, around.wants_approvals, &mut seen, context);
    let checked: Vec<_> = consumers.value.into_iter().map(check).collect();
    checked.into_iter().collect()
}

/// The names and credentials of the consumers before this one.
struct Seen {
    names: HashSet<String>,
    credentials: KnownCredentials,
}

fn check_consumer(
    consumer: raw::Consumer,
    wants_approvals: bool,
    seen: &mut Seen,
    context: &mut Context<'_>,
) -> Option<Consumer> {
    let name = check_unique_name(&consumer.name, seen, context);
    let title = optional(consumer.title.as_ref(), |text| check_title(text, context));
    let rules = context.file(&consumer.rules);
    let approved_by = check_approved_by(consumer.approved_by, &consumer.name, wants_approvals, context);
    let credential =
        consumer.credential.0.and_then(|it| check_credential(&it, &mut seen.credentials, context));
    let domain = optional(consumer.pseudonym_domain.as_ref(), |text| check_name(text, context));
    let allow_from = optional(consumer.allow_from.and_then(|it| it.0), |it| check_allowed(&it, context));
    let limits = check_limits(consumer.limits.and_then(|it| it.0).as_ref(), context);
    let return_url = optional(consumer.return_url.as_ref(), |text| check_base(text, context));
    let application =
        optional(consumer.application.and_then(|it| it.0), |it| check_own_application(&it, context));
    let name = name?;
    Some(Consumer {
        pseudonym_domain: domain?.unwrap_or_else(|| name.clone()),
        title: title?.unwrap_or_else(|| name.clone()),
        name,
        rules: rules?,
        approved_by: approved_by?,
        credential: credential?,
        allow_from: allow_from?.unwrap_or_default(),
        limits: limits?,
        return_url: return_url?,
        application: application?,
    })
}

fn check_unique_name(text: &Text, seen: &mut Seen, context: &mut Context<'_>) -> Option<String> {
    let name = check_name(text, context)?;
    if seen.names.insert(name.clone()) {
        return Some(name);
    }
    context.refuse(
        CONFIG_CONSUMER,
        &text.span,
        "two consumers have this name",
        "give each a different name: logs and pseudonyms depend on it",
    )
}

/// Whether a consumer or a pseudonym domain can be called so.
pub(crate) fn is_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.len() <= MAX_NAME && text.bytes().all(fits)
}

fn check_name(text: &Text, context: &mut Context<'_>) -> Option<String> {
    if is_name(&text.value) {
        return Some(text.value.clone());
    }
    context.refuse(
        CONFIG_VALUE,
        &text.span,
        "this is not a name",
        "use up to 64 lower-case letters, digits and hyphens",
    )
}

fn check_title(text: &Text, context: &mut Context<'_>) -> Option<String> {
    let title = text.value.trim();
    let is_line = !title.is_empty() && !title.contains(char::is_control);
    if is_line && title.chars().count() <= MAX_TITLE {
        return Some(title.to_owned());
    }
    context.refuse(
        CONFIG_VALUE,
        &text.span,
        "this is not a title",
        &format!("write one line of up to {MAX_TITLE} characters that says who gets the data"),
    )
}

fn check_limits(limits: Option<&raw::ConsumerLimits>, context: &mut Context<'_>) -> Option<ConsumerLimits> {
    let concurrent = limits.and_then(|it| it.concurrent.as_ref());
    let concurrent = context.count(concurrent, MAX_LIMIT, DEFAULT_CONCURRENT);
    let rate = limits.and_then(|it| it.requests_per_second.as_ref());
    let rate = context.count(rate, MAX_LIMIT, DEFAULT_REQUESTS_PER_SECOND);
    Some(ConsumerLimits { concurrent: concurrent?, requests_per_second: rate? })
}
