//! Decides whether a request may pass. The result is an [`Admitted`], which says what to request from Graph and what
//! may leave of the response, or a [`Refusal`] with its reason. Nothing of the inbound target is ever forwarded: the
//! upstream request is built anew.
//!
//! | file | what |
//! |---|---|
//! | `refusal` | every reason for a refusal, its status and its text |
//! | `route` | which endpoint matches, and what its path parameters stand for |
//! | `query` | query options against the endpoint's policy |
//! | `comparison` | `$filter` among them |
//! | `format` | `$format` among them |
//! | `link` | sealed `nextLink`s and `deltaLink`s, both ways |

mod comparison;
mod format;
mod link;
mod query;
mod refusal;
pub mod route;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use zeroize::Zeroizing;

pub use link::{SealedLinks, is_link};
pub use query::unselected;
pub use refusal::Refusal;

use crate::graph::{Mailbox, OptionName, Origin, Preference, Segment, Target, Version, prefer};
use crate::pseudonym::{Class, Pseudonyms};
use crate::rules::Plan;
use crate::rules::plan::{Endpoint, LinkKind};
use crate::statement::binding;

/// The parts of a request's head that decide whether it may pass. Everything else (`X-Forwarded-*`, `X-HTTP-Method`,
/// cookies) is ignored.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, as received.
    pub method: &'a str,
    /// The origin-form target, as received.
    pub target: &'a str,
    /// The `Prefer` header; several lines are joined by commas.
    pub prefer: Option<&'a str>,
    /// Whether `ConsistencyLevel: eventual` was sent.
    pub eventual: bool,
}

/// What decides about one consumer's requests.
#[derive(Clone)]
pub struct Policy {
    /// The consumer's rules.
    pub plan: Arc<Plan>,
    /// Opens the consumer's tokens.
    pub keys: Arc<dyn Keys>,
    /// Where Graph is; links that lead elsewhere are not followed.
    pub graph: Origin,
    /// Where consumers find this proxy: scheme, host and path prefix, without a slash at the end.
    pub public_url: Arc<str>,
    /// What the sealed links of each endpoint are bound to, by its name.
    bindings: Arc<BTreeMap<String, String>>,
}

impl Policy {
    /// The policy of a consumer with these rules and keys.
    pub fn new(plan: Arc<Plan>, keys: Arc<dyn Keys>, graph: Origin, public_url: Arc<str>) -> Self {
        let bound = |endpoint: &Arc<Endpoint>| (endpoint.name.clone(), binding(&plan, endpoint).to_string());
        let bindings = Arc::new(plan.endpoints.iter().map(bound).collect());
        Self { plan, keys, graph, public_url, bindings }
    }

    /// The same policy with other keys.
    #[must_use]
    pub fn with_keys(&self, keys: Arc<dyn Keys>) -> Self {
        Self { keys, ..self.clone() }
    }

    fn binding(&self, endpoint: &Endpoint) -> &str {
        self.bindings.get(&endpoint.name).map_or("", String::as_str)
    }
}

/// Opens tokens, and seals and opens links, with one consumer's keys.
pub trait Keys: Send + Sync {
    /// The original of a reversible token of this consumer; `None` for everything else.
    fn open(&self, class: Class, token: &str) -> Option<Zeroizing<String>>;
    /// Seals a link for this consumer and this purpose.
    fn seal_link(&self, purpose: &str, link: &[u8]) -> String;
    /// What was sealed for this consumer and this purpose; `None` for everything else.
    fn unseal_link(&self, purpose: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>>;
}

/// A request that may pass.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// The endpoint that the request matches.
    pub endpoint: Arc<Endpoint>,
    /// The target for Graph: canonical, in origin-form.
    pub upstream: String,
    /// The preferences (RFC 7240) of the request to Graph.
    pub prefer: Vec<Preference>,
    /// Whether the request to Graph has `ConsistencyLevel: eventual`.
    pub eventual: bool,
    /// The path that the consumer used, in its canonical form: `nextLink`s lead back to it.
    pub path: String,
    /// The path for Graph of a request with this path. A followed link can spell it in another way.
    graph_path: String,
    /// The id of the key that sealed the link that the request follows. The response is made with it: the objects of one
    /// walk have tokens of one key.
    pub key: Option<char>,
    /// Whose mailbox is read; `None` if the request is for something else, such as the directory.
    pub mailbox: Option<Mailbox>,
}

impl Admitted {
    /// How links in the response are rewritten.
    pub fn links(&self, policy: &Policy) -> SealedLinks {
        SealedLinks::new(
            policy.clone(),
            Arc::clone(&self.endpoint),
            self.path.clone(),
            self.graph_path.clone(),
        )
    }
}

/// The version of a batch, if this is the head of one: `POST /{version}/$batch`. Each request in it is admitted alone.
pub fn batch(request: &Request<'_>) -> Option<Version> {
    if request.method != "POST" {
        return None;
    }
    let target = Target::parse(request.target).ok()?;
    let is_batch = matches!(target.segments.as_slice(), [Segment::Dollar(name)] if name == "$batch");
    (is_batch && target.options.is_empty()).then_some(target.version)
}

/// Decides about a request.
///
/// # Errors
///
/// [`Refusal`]; it repeats nothing of the request that could be data.
pub fn admit(request: &Request<'_>, policy: &Policy) -> Result<Admitted, Refusal> {
    if !matches!(request.method, "GET" | "HEAD") {
        return Err(Refusal::Method);
    }
    let target = Target::parse(request.target)?;
    let route = route::find(&policy.plan, &target, &*policy.keys)?;
    let sealed = link::sealed(&target)?;
    let key = sealed.and_then(|(_, sealed)| sealed.chars().next());
    let (upstream, graph_path) = match sealed {
        Some((kind, sealed)) => {
            query::beside_link(&target, &route.endpoint, &*policy.keys)?;
            let path = route.upstream(target.version, &[])?;
            (link::open(policy, &route, &path, kind, sealed)?, path)
        }
        None => {
            let mut options = query::admit(&target, &route.endpoint, &*policy.keys)?;
            options.extend(link::from_now(&target, &route.endpoint)?);
            let upstream = route.upstream(target.version, &options)?;
            let path = upstream.split('?').next().unwrap_or_default().to_owned();
            (upstream, path)
        }
    };
    let prefer = preferences(request.prefer, &route.endpoint)?;
    let eventual = route.endpoint.directory && (request.eventual || counts(&upstream));
    let mailbox = if route.endpoint.mailbox { Mailbox::of(&upstream) } else { None };
    let (endpoint, path) = (route.endpoint, route.path);
    Ok(Admitted { endpoint, upstream, prefer, eventual, path, graph_path, key, mailbox })
}

/// Whether the request asks Graph to count. Graph counts directory objects only under `ConsistencyLevel: eventual`, and
/// does not remember it from one page to the next ("Advanced query capabilities on Microsoft Entra ID objects").
fn counts(upstream: &str) -> bool {
    Target::parse(upstream).is_ok_and(|target| {
        let is_count = |segment: &Segment| matches!(segment, Segment::Dollar(name) if name == "$count");
        target.segments.last().is_some_and(is_count) || target.option(&OptionName::Count) == Some("true")
    })
}

/// The preferences that are passed on. Others are dropped, as RFC 7240 allows.
fn preferences(header: Option<&str>, endpoint: &Endpoint) -> Result<Vec<Preference>, Refusal> {
    let asked = prefer::parse(header.unwrap_or_default())?;
    let own = endpoint.immutable_ids.then_some(Preference::ImmutableId);
    Ok(own.into_iter().chain(asked.into_iter().filter_map(|one| opened(one, endpoint))).collect())
}

/// The consumer's preference as far as the rules open it.
fn opened(preference: Preference, endpoint: &Endpoint) -> Option<Preference> {
    match preference {
        // Only the rules decide the form of ids, so that it does not change from one request to the next.
        Preference::ImmutableId | Preference::TrackChanges => None,
        Preference::MaxPageSize(size) => {
            let range = endpoint.max_page_size?;
            NonZeroU32::new(size.get().clamp(range.min, range.max)).map(Preference::MaxPageSize)
        }
        Preference::ReturnMinimal => endpoint.return_minimal.then_some(preference),
    }
}

impl Keys for Pseudonyms {
    fn open(&self, class: Class, token: &str) -> Option<Zeroizing<String>> {
        Self::open(self, class, token)
    }

    fn seal_link(&self, purpose: &str, link: &[u8]) -> String {
        self.seal(purpose, link)
    }

    fn unseal_link(&self, purpose: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        self.unseal(purpose, sealed)
    }
}

/// The query option that carries a sealed link of this kind.
fn option_name(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Next => "$skiptoken",
        LinkKind::Delta => "$deltatoken",
    }
}

#[cfg(test)]
mod tests;
