//! Sealed links. A `nextLink` or `deltaLink` of Graph holds ids and addresses, and a manipulated one could request
//! anything from Graph. So the consumer gets a link to this proxy with one opaque, authenticated option. Nothing is
//! stored: any replica with the keys can open it.
//!
//! What is *sealed* is Graph's link without what the consumer's next request says again: the host, and the path, unless
//! Graph spells it in a way of its own. What the link is *bound* to is not sealed, but authenticated with it: the kind of
//! the link, the endpoint, the fingerprint of the endpoint's rules and the path with the consumer's tokens. The keys bind
//! the pseudonym domain. So a link opens only for the consumer that it was made for, and only in a request of the same
//! kind, on the same path, under the same rules. The options of the first request are in Graph's link, and are admitted
//! again.
//!
//! # How long a link is
//!
//! `packing` makes the text shorter, then `pseudonym::padding` hides its length, then base64url makes four characters of
//! three octets. A token of Graph in base64url comes out about as long as it was. The link with the largest token that a
//! link holds must pass each server on its way back:
//!
//! | bytes | of what, by default | token in base64url, in characters |
//! |---:|---|---:|
//! | 2,048 | the query: IIS (`maxQueryString`) | 1,300 |
//! | 8,190 | the request line: Apache (`LimitRequestLine`), nginx (`large_client_header_buffers`) and Kestrel (`MaxRequestLineSize`) with 8,192 | 7,200 |
//! | 15,360 | the whole head, roughly: HAProxy (`tune.bufsize`, `tune.maxrewrite`) | 10,600 beside 3 KiB of fields |
//! | 16,384 | the whole head: HTTP.sys and IIS (`MaxRequestBytes`), Node's server (`--max-http-header-size`) | 11,900 beside 3 KiB of fields |
//! | 24,576 | the target: this proxy ([`MAX_TARGET`]) | 16,384, also in other unreserved characters |
//! | 65,519 | the URL: a client in .NET (`System.Uri`); in Rust (`http`) 65,534 | |
//!
//! The test `tokens_and_the_links_that_hold_them` has the numbers of the last column. Graph itself stands behind HTTP.sys, so a
//! link that Graph can read again has 16 KiB at most (microsoft-graph-explorer-v4#3184 has one that was longer).
//! Behind a proxy with a smaller limit a consumer gets 414 of that proxy: docs/OPERATIONS.md says what to set.

mod first_form;
mod packing;

use std::sync::Arc;

use serde_json::json;

use super::route::Route;
use super::{Policy, Refusal, option_name, query};
use crate::graph::target::MAX_TARGET;
use crate::graph::{OptionName, Target, TargetError, relative_target};
use crate::rules::plan::{Endpoint, LinkKind, Param};
use crate::sanitize::{LinkRefusal, Links};

/// Rewrites the links of one response.
pub struct SealedLinks {
    policy: Policy,
    endpoint: Arc<Endpoint>,
    /// The path that the consumer used.
    path: String,
    /// The path that Graph is asked for by it.
    graph_path: String,
}

impl SealedLinks {
    pub(super) fn new(policy: Policy, endpoint: Arc<Endpoint>, path: String, graph_path: String) -> Self {
        Self { policy, endpoint, path, graph_path }
    }

    /// The text that is sealed for a target: the query, if the path is known.
    fn content<'t>(&self, target: &'t str) -> &'t str {
        target.strip_prefix(&self.graph_path).filter(|rest| rest.starts_with('?')).unwrap_or(target)
    }
}

impl Links for SealedLinks {
    /// Seals a link only if it could be followed. To let it out and refuse it later would lose the rest of a list.
    fn rewrite(&self, link: &str, kind: LinkKind) -> Result<String, LinkRefusal> {
        let target =
            relative_target(link, &self.policy.graph).map_err(|error| refusal(error.is_too_long()))?;
        let target = check(target, &self.endpoint).map_err(|error| refusal(error.is_too_long()))?.canonical();
        let purpose = purpose(&self.policy, &self.endpoint, &self.path, kind);
        let sealed = self.policy.keys.seal_link(&purpose, &packing::pack(self.content(&target)));
        let link = format!("{}?{}={sealed}", self.path, option_name(kind));
        if target.len().max(link.len()) > MAX_TARGET {
            return Err(LinkRefusal::TooLong);
        }
        Ok(format!("{}{link}", self.policy.public_url))
    }
}

fn refusal(is_too_long: bool) -> LinkRefusal {
    if is_too_long { LinkRefusal::TooLong } else { LinkRefusal::Elsewhere }
}

/// What a link is bound to, as the purpose that it is sealed for. Different lists have different texts.
fn purpose(policy: &Policy, endpoint: &Endpoint, path: &str, kind: LinkKind) -> String {
    json!(["link", letter(kind), policy.binding(endpoint), endpoint.name, path]).to_string()
}

/// The sealed link in a request, if there is one. Other options may stand beside it: many clients send the options of their
/// first request with each page. The link alone says what is asked.
pub(super) fn sealed(target: &Target) -> Result<Option<(LinkKind, &str)>, Refusal> {
    let next = target.option(&OptionName::SkipToken).map(|sealed| (LinkKind::Next, sealed));
    let delta = target.option(&OptionName::DeltaToken).map(|sealed| (LinkKind::Delta, sealed));
    if next.is_some() && delta.is_some() {
        return Err(Refusal::TwoLinks);
    }
    Ok(next.or(delta).filter(|(kind, text)| !is_latest(*kind, text)))
}

/// The option for changes from now on, if the request asks for them (Microsoft Graph, "Use delta query to track changes").
/// It is not sealed: it says nothing of any object.
pub(super) fn from_now(target: &Target, endpoint: &Endpoint) -> Result<Option<(String, String)>, Refusal> {
    if target.option(&OptionName::DeltaToken).is_none() {
        return Ok(None);
    }
    if !endpoint.tracks_from_now() {
        return Err(Refusal::Latest { endpoint: endpoint.name.clone() });
    }
    Ok(Some((option_name(LinkKind::Delta).to_owned(), LATEST.to_owned())))
}

/// In place of a delta token: no object, and a token for what changes from now on.
const LATEST: &str = "latest";

fn is_latest(kind: LinkKind, text: &str) -> bool {
    kind == LinkKind::Delta && text.eq_ignore_ascii_case(LATEST)
}

/// Whether the request follows a page link or a delta link.
pub fn is_link(target: &Target) -> bool {
    !matches!(sealed(target), Ok(None))
}

/// The target for Graph in a sealed link. The link must be authentic and issued for this path under these rules, and
/// its target is admitted again. `graph_path` is the path that Graph is asked for by the request's own.
pub(super) fn open(
    policy: &Policy,
    route: &Route,
    graph_path: &str,
    kind: LinkKind,
    sealed: &str,
) -> Result<String, Refusal> {
    let purpose = purpose(policy, &route.endpoint, &route.path, kind);
    let target = match policy.keys.unseal_link(&purpose, sealed) {
        Some(packed) => target(&packed, graph_path),
        None => first_form::open(policy, route, kind, sealed),
    };
    Ok(check(&target.ok_or(Refusal::Link)?, &route.endpoint)?.canonical())
}

/// Graph's link as a target, from what was sealed.
fn target(packed: &[u8], graph_path: &str) -> Option<String> {
    let content = packing::unpack(packed)?;
    Some(if content.starts_with('?') { [graph_path, &content].concat() } else { content })
}

/// Graph's link as a target, if a request to this endpoint could have led to it.
fn check(target: &str, endpoint: &Endpoint) -> Result<Target, Refusal> {
    let target = Target::parse(target).map_err(of_link)?;
    let values = endpoint.template.matches(&target).ok_or(Refusal::Link)?;
    if !endpoint.params.iter().zip(values).all(|(param, value)| can_stand(param, value)) {
        return Err(Refusal::Link);
    }
    query::readmit(&target, endpoint)?;
    Ok(target)
}

/// Only the length of a link's target is news for somebody: the rest says that the link is none.
fn of_link(error: TargetError) -> Refusal {
    if error.is_too_long() { error.into() } else { Refusal::Link }
}

/// Where the consumer has a token, Graph's link has an id. A parameter of names alone, such as the version, has one of
/// its names there.
fn can_stand(param: &Param, value: &str) -> bool {
    param.takes_raw()
        || param.token.is_some()
        || param.one_of.iter().any(|name| name.eq_ignore_ascii_case(value))
}

fn letter(kind: LinkKind) -> char {
    match kind {
        LinkKind::Next => 'n',
        LinkKind::Delta => 'd',
    }
}
