//! Links that were sealed before `packing`. Consumers keep delta links: Graph's own tokens of the directory are good for
//! seven days ("Use delta query to track changes"), those of mail for longer. So these links open for as long as a consumer may
//! have one. None is made any more.
//!
//! They were sealed for the purpose `link`, so neither form opens as the other. What they are bound to is in the sealed
//! text.

use std::borrow::Cow;

use serde::Deserialize;

use super::super::route::Route;
use super::{LinkKind, Policy, letter};

/// The purpose that all links were sealed for.
const PURPOSE: &str = "link";

/// What a sealed link held.
#[derive(Deserialize)]
struct Content<'a> {
    /// `n` for a `nextLink`, `d` for a `deltaLink`.
    k: char,
    /// The endpoint's part of the rules.
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

/// Graph's link as a target, if the link is authentic and of this request.
pub(super) fn open(policy: &Policy, route: &Route, kind: LinkKind, sealed: &str) -> Option<String> {
    let plain = policy.keys.unseal_link(PURPOSE, sealed)?;
    let Content { k, r, e, p, t } = serde_json::from_slice(&plain).ok()?;
    let is_of_this_request = k == letter(kind)
        && r == policy.binding(&route.endpoint)
        && e == route.endpoint.name
        && p == route.path;
    is_of_this_request.then(|| t.into_owned())
}
