//! The `consumers` section: who may ask, and what they get.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::ops::Range;

use ipnet::IpNet;

use super::FileRef;
use super::check::{Context, optional};
use super::raw::{self, Text};
use crate::rules::codes::{CONFIG_CONSUMER, CONFIG_UNSUPPORTED, CONFIG_VALUE};
use crate::rules::yaml::Spanned;

/// Requests in flight: what an SDK with a pool of workers uses, well under Graph's own throttling.
pub(super) const DEFAULT_CONCURRENT: NonZeroU32 = NonZeroU32::new(64).unwrap();

/// What Graph grants one application over a dozen mailboxes, at 10,000 requests in 10 minutes for each
/// (<https://learn.microsoft.com/graph/throttling-limits>).
pub(super) const DEFAULT_REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(200).unwrap();

/// Above this the limit limits nothing.
const MAX_LIMIT: u64 = 100_000;

/// Names stand in every log line and metric.
const MAX_NAME: usize = 64;

/// The SHA-256 of nothing: what `sha256sum` prints for an unset variable.
const EMPTY_SHA256: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// One consumer.
#[derive(Clone, Debug)]
pub struct Consumer {
    name: String,
    rules: FileRef,
    /// Invariant: not empty.
    bearer: Vec<BearerHash>,
    pseudonym_domain: String,
    /// Empty: from everywhere.
    allow_from: Vec<IpNet>,
    limits: ConsumerLimits,
}

impl Consumer {
    /// The name: lower-case letters, digits and hyphens.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rules file that this consumer gets answers by.
    pub fn rules(&self) -> &FileRef {
        &self.rules
    }

    /// The hashes of this consumer's bearer tokens; never empty.
    pub fn bearer(&self) -> &[BearerHash] {
        &self.bearer
    }

    /// What separates this consumer's pseudonyms from others'; the name unless two share one on purpose.
    pub fn pseudonym_domain(&self) -> &str {
        &self.pseudonym_domain
    }

    /// Whether this consumer may come from `address`. An IPv4-mapped IPv6 address is taken as the IPv4 address.
    pub fn may_come_from(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allow_from.is_empty() || self.allow_from.iter().any(|net| net.contains(&address))
    }

    /// How much this consumer may ask at once.
    pub fn limits(&self) -> ConsumerLimits {
        self.limits
    }
}

/// The SHA-256 of a bearer token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BearerHash([u8; 32]);

impl BearerHash {
    /// The bytes, to be compared in constant time.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        let pairs = text.as_bytes().chunks_exact(2);
        if text.len() != 64 {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(pairs) {
            let digits = std::str::from_utf8(pair).ok()?;
            let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
            *byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
        }
        Some(Self(hash))
    }
}

impl fmt::Debug for BearerHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerHash(…)")
    }
}

/// How much a consumer may ask at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumerLimits {
    /// Requests in flight, up to the end of their answers.
    pub concurrent: NonZeroU32,
    /// Requests per second.
    pub requests_per_second: NonZeroU32,
}

/// Checks all consumers, and that they can be told apart.
pub(super) fn check_consumers(
    consumers: Spanned<Vec<raw::Consumer>>,
    context: &mut Context<'_>,
) -> Option<Vec<Consumer>> {
    if consumers.value.is_empty() {
        return context.refuse(
            CONFIG_VALUE,
            &consumers.span,
            "there is no consumer",
            "name at least one; without one nothing could be asked",
        );
    }
    let mut seen = Seen::default();
    let checked: Vec<_> =
        consumers.value.into_iter().map(|consumer| check_consumer(consumer, &mut seen, context)).collect();
    checked.into_iter().collect()
}

/// What earlier consumers have taken.
#[derive(Default)]
struct Seen {
    names: HashSet<String>,
    hashes: HashSet<BearerHash>,
}

fn check_consumer(consumer: raw::Consumer, seen: &mut Seen, context: &mut Context<'_>) -> Option<Consumer> {
    let name = check_unique_name(&consumer.name, seen, context);
    let rules = context.file(&consumer.rules);
    let bearer = consumer.credential.0.and_then(|it| check_credential(&it, seen, context));
    let domain = optional(consumer.pseudonym_domain.as_ref(), |text| check_name(text, context));
    let allow_from = optional(consumer.allow_from.and_then(|it| it.0), |it| check_networks(&it, context));
    let limits = check_limits(consumer.limits.and_then(|it| it.0).as_ref(), context);
    let name = name?;
    Some(Consumer {
        pseudonym_domain: domain?.unwrap_or_else(|| name.clone()),
        name,
        rules: rules?,
        bearer: bearer?,
        allow_from: allow_from?.unwrap_or_default(),
        limits: limits?,
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
        "give each its own: logs and pseudonyms go by it",
    )
}

fn check_name(text: &Text, context: &mut Context<'_>) -> Option<String> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let name = &text.value;
    if !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(fits) {
        return Some(name.clone());
    }
    context.refuse(
        CONFIG_VALUE,
        &text.span,
        "this is not a name",
        "use up to 64 lower-case letters, digits and hyphens",
    )
}

fn check_credential(
    credential: &Spanned<raw::ConsumerCredential>,
    seen: &mut Seen,
    context: &mut Context<'_>,
) -> Option<Vec<BearerHash>> {
    let written = &credential.value;
    let mtls = written.mtls.as_ref().map(|it| &it.span);
    if let Some(span) = mtls.or(written.jwt.as_ref().map(|it| &it.span)) {
        return context.refuse(
            CONFIG_UNSUPPORTED,
            span,
            "this kind of credential is not in this version",
            "use `bearer_sha256`, with `tls.client_ca_file` if client certificates are to be required as well",
        );
    }
    let hashes = written.bearer_sha256.as_ref().filter(|it| !it.value.is_empty());
    let Some(hashes) = hashes else {
        return context.refuse(
            CONFIG_VALUE,
            &credential.span,
            "this consumer has no credential",
            "write `bearer_sha256` with the hash that `glassine token new` prints",
        );
    };
    let checked: Vec<_> = hashes.value.iter().map(|text| check_hash(text, seen, context)).collect();
    checked.into_iter().collect()
}

fn check_hash(text: &Text, seen: &mut Seen, context: &mut Context<'_>) -> Option<BearerHash> {
    let Some(hash) = BearerHash::parse(&text.value) else {
        return context.refuse(
            CONFIG_VALUE,
            &text.span,
            "this is not a SHA-256 hash",
            "write 64 hexadecimal digits, as `glassine token new` prints them; never the token itself",
        );
    };
    if hash.0 == EMPTY_SHA256 {
        return context.refuse(
            CONFIG_VALUE,
            &text.span,
            "this is the hash of nothing",
            "hash the token, without a newline",
        );
    }
    if !seen.hashes.insert(hash) {
        return context.refuse(
            CONFIG_CONSUMER,
            &text.span,
            "this token hash is listed twice",
            "give each consumer its own token: it is how they are told apart",
        );
    }
    Some(hash)
}

fn check_networks(networks: &Spanned<Vec<Text>>, context: &mut Context<'_>) -> Option<Vec<IpNet>> {
    if networks.value.is_empty() {
        return context.refuse(
            CONFIG_VALUE,
            &networks.span,
            "this list lets nobody in",
            "name a network, or leave `allow_from` out to allow every address",
        );
    }
    let checked: Vec<_> = networks.value.iter().map(|text| check_network(text, context)).collect();
    checked.into_iter().collect()
}

fn check_network(text: &Text, context: &mut Context<'_>) -> Option<IpNet> {
    let address = text.value.parse::<IpAddr>().ok().map(IpNet::from);
    let Some(network) = address.or_else(|| text.value.parse().ok()) else {
        return refuse_network(&text.span, "this is neither an IP address nor a network", context);
    };
    if network.addr() != network.network() {
        return refuse_network(&text.span, "this network has address bits behind its prefix", context);
    }
    Some(network)
}

fn refuse_network<T>(span: &Range<usize>, message: &str, context: &mut Context<'_>) -> Option<T> {
    let hint = "write it as in 203.0.113.0/24, 2001:db8::/32 or 203.0.113.7";
    context.refuse(CONFIG_VALUE, span, message, hint)
}

fn check_limits(limits: Option<&raw::ConsumerLimits>, context: &mut Context<'_>) -> Option<ConsumerLimits> {
    let concurrent = limits.and_then(|it| it.concurrent.as_ref());
    let concurrent = context.count(concurrent, MAX_LIMIT, DEFAULT_CONCURRENT);
    let rate = limits.and_then(|it| it.requests_per_second.as_ref());
    let rate = context.count(rate, MAX_LIMIT, DEFAULT_REQUESTS_PER_SECOND);
    Some(ConsumerLimits { concurrent: concurrent?, requests_per_second: rate? })
}
