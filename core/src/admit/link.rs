//! Sealed links. A `nextLink` or `deltaLink` of Graph holds ids and addresses, and a manipulated one could request
//! anything from Graph. So the consumer gets a link to this proxy with one opaque, authenticated option. The option
//! holds Graph's link, the endpoint, the path that the link was issued for and the rules' fingerprint, sealed with the
//! consumer's keys. Nothing is stored: any replica with the keys can open it.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::route::Route;
use super::{Policy, Refusal, option_name, query};
use crate::graph::target::MAX_TARGET;
use crate::graph::{OptionName, Target, relative_target};
use crate::rules::plan::{Endpoint, LinkKind, Param};
use crate::sanitize::Links;

/// What a sealed link holds. The field names are short because the link's length counts against [`MAX_TARGET`].
#[derive(Serialize, Deserialize)]
struct Content<'a> {
    /// `n` for a `nextLink`, `d` for a `deltaLink`.
    k: char,
    /// What the link is bound to: the endpoint's part of the rules.
    #[serde(borrow)]
    r: Cow<'a, str>,
    /// The endpoint's name.
    #[serde(borrow)]
    e: Cow<'a, str>,
    /// The path that the link was issued for.
    #[serde(borrow)]
    p: Cow<'a, str>,
    /// Graph's link: the origin-form target.
    #[serde(borrow)]
    t: Cow<'a, str>,
}

/// Rewrites the links of one response.
pub struct SealedLinks {
    policy: Policy,
    endpoint: Arc<Endpoint>,
    path: String,
}

impl SealedLinks {
    pub(super) fn new(policy: Policy, endpoint: Arc<Endpoint>, path: String) -> Self {
        Self { policy, endpoint, path }
    }
}

impl Links for SealedLinks {
    /// Seals a link only if it could be followed. To let it out and refuse it later would lose the rest of a list.
    fn rewrite(&self, link: &str, kind: LinkKind) -> Option<String> {
        let target = relative_target(link, &self.policy.graph).ok()?;
        check(target, &self.endpoint).ok()?;
        let content = Content {
            k: letter(kind),
            r: self.policy.binding(&self.endpoint).into(),
            e: self.endpoint.name.as_str().into(),
            p: self.path.as_str().into(),
            t: target.into(),
        };
        let sealed = self.policy.keys.seal_link(&serde_json::to_vec(&content).ok()?);
        let link = format!("{}?{}={sealed}", self.path, option_name(kind));
        (link.len() <= MAX_TARGET).then(|| format!("{}{link}", self.policy.public_url))
    }
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
/// its target is admitted again.
pub(super) fn open(policy: &Policy, route: &Route, kind: LinkKind, sealed: &str) -> Result<String, Refusal> {
    let plain = policy.keys.unseal_link(sealed).ok_or(Refusal::Link)?;
    let content: Content<'_> = serde_json::from_slice(&plain).map_err(|_| Refusal::Link)?;
    let is_of_this_request =
        content.k == letter(kind) && content.e == route.endpoint.name && content.p == route.path;
    if is_of_this_request && content.r == policy.binding(&route.endpoint) {
        Ok(check(&content.t, &route.endpoint)?.canonical())
    } else {
        Err(Refusal::Link)
    }
}

/// Graph's link as a target, if a request to this endpoint could have led to it.
fn check(target: &str, endpoint: &Endpoint) -> Result<Target, Refusal> {
    let target = Target::parse(target).map_err(|_| Refusal::Link)?;
    let values = endpoint.template.matches(&target).ok_or(Refusal::Link)?;
    if !endpoint.params.iter().zip(values).all(|(param, value)| can_stand(param, value)) {
        return Err(Refusal::Link);
    }
    query::readmit(&target, endpoint)?;
    Ok(target)
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
