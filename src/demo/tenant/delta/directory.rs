//! Change tracking in the directory. Entra promises little about its order, and this tenant takes every liberty that its
//! documents or reports name:
//!
//! - Pages have at most 200 objects, often fewer (<https://github.com/microsoftgraph/microsoft-graph-explorer-v4/issues/1157>),
//!   and one of the first round is empty ("even if the current response contains an empty result").
//! - An object comes several times in one round: as a replay, because it changed twice, or in parts: a user's properties
//!   (<https://github.com/microsoftgraph/microsoft-graph-explorer-v4/issues/3584>), a large group's members ("you may receive a
//!   response again containing the same group object … now contains a different list of users").
//! - `@removed` is in the first round, too. Its reason is `changed` while the object can be restored, then `deleted`.
//! - A property that was never set is not in the response. Under `return=minimal`, only changed ones are.
//! - A token that cannot be used is 400 `syncStateNotFound`. A reset is 410 with a `Location` that begins anew.
//!
//! Sources besides: <https://learn.microsoft.com/graph/delta-query-overview>, <https://learn.microsoft.com/graph/delta-query-groups>,
//! <https://learn.microsoft.com/graph/api/user-delta>, and on expired tokens
//! <https://devblogs.microsoft.com/microsoft365dev/duration-of-change-tracking-tokens-for-identity-and-education-resources/>.

use serde_json::{Value, json};

use super::state::{DeltaState, Store};
use crate::demo::tenant::directory::Kind;
use crate::demo::tenant::fault::Fault;
use crate::demo::tenant::filter::Filter;
use crate::demo::tenant::groups::{Group, GroupKind};
use crate::demo::tenant::odata::Options;
use crate::demo::tenant::page_token::Named;
use crate::demo::tenant::paging::Page;
use crate::demo::tenant::people::{User, number};
use crate::demo::tenant::rng::Rng;
use crate::demo::tenant::route::Request;

/// The most objects that a delta can be limited to.
const MAX_TRACKED_IDS: usize = 50;
/// The most objects on a page.
const MAX_PAGE: usize = 200;
/// How many objects later an object comes again.
const AGAIN_AFTER: usize = 25;
/// One in so many objects comes again as a whole.
const REPLAYED: usize = 60;
/// One in so many users comes in two parts.
const USERS_IN_PARTS: usize = 40;
/// A group with more members comes in two parts.
const MEMBERS_AT_ONCE: usize = 50;
/// After so many objects, the first round has an empty page.
const EMPTY_PAGE_AFTER: usize = 110;

/// Users or groups that can be tracked.
pub(in crate::demo::tenant) struct TrackedObjects<'a, T> {
    /// The identity of the collection. A token of another collection does not open here.
    pub(in crate::demo::tenant) scope: &'static str,
    pub(in crate::demo::tenant) context: String,
    /// The link up to the query.
    pub(in crate::demo::tenant) link: String,
    pub(in crate::demo::tenant) items: &'a [T],
}

/// An object of the directory, as deltas treat it.
pub(in crate::demo::tenant) trait Tracks {
    /// As tokens name it.
    fn named(&self) -> Named<'_>;
    /// Whether the first round shows it in two parts.
    fn comes_in_parts(&self) -> bool;
    /// Whether it can be restored after it was deleted (<https://learn.microsoft.com/graph/api/resources/directory>).
    fn can_be_restored(&self) -> bool;
}

/// How much of an object one showing has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo::tenant) enum Part {
    Whole,
    /// All of it, or only what changed if the client prefers that.
    Changed,
    First,
    Rest,
}

/// What a page shows.
enum Shown<'a, T> {
    Object(Part, &'a T),
    Removed { id: String, reason: &'static str },
    EmptyPage,
}

/// What a request for changes asks, and where its round is.
pub(in crate::demo::tenant) struct Round {
    state: DeltaState,
    ids: TrackedIds,
    /// Seals the tokens of this round's links.
    scope: String,
}

/// The only objects that are tracked. `None`: all.
struct TrackedIds(Option<Vec<String>>);

impl Round {
    /// What this request asks of `tracked`.
    pub(in crate::demo::tenant) fn of(
        request: &Request<'_>,
        name: &str,
        kind: &Kind,
    ) -> Result<Round, Fault> {
        refuse_after_a_reset(request, name)?;
        let check = |options: &Options| {
            kind.shape.selected(options, request.version.is_beta())?;
            TrackedIds::parse(options.value("filter"), kind.resource).map(|_| ())
        };
        let scope = scope_after(name, request.tenant.resets());
        let state = DeltaState::of(request, &scope, Store::Directory, check).map_err(expired)?;
        let ids = TrackedIds::parse(state.filter(), kind.resource)?;
        Ok(Round { state, ids, scope })
    }

    pub(in crate::demo::tenant) fn has(&self, id: &str) -> bool {
        self.ids.0.as_ref().is_none_or(|ids| ids.iter().any(|it| it == id))
    }

    pub(in crate::demo::tenant) fn number(&self) -> usize {
        self.state.round()
    }

    /// The selected properties, `id` always among them.
    pub(in crate::demo::tenant) fn selected(&self) -> Option<Vec<String>> {
        self.state.select().map(|names| [names, vec!["id".to_owned()]].concat())
    }
}

/// The directory's words for a token that cannot be used.
fn expired(fault: Fault) -> Fault {
    if fault == Fault::SyncState { Fault::SyncStateExpired } else { fault }
}

/// The identity of a collection after so many resets.
fn scope_after(name: &str, resets: usize) -> String {
    format!("{name} {resets}")
}

/// A token from before a reset begins anew: "410 (gone) and a Location header containing a request URL with an empty
/// $deltatoken".
fn refuse_after_a_reset(request: &Request<'_>, name: &str) -> Result<(), Fault> {
    let seed = request.tenant.directory.seed;
    let token = request.options.value("skiptoken").or_else(|| request.options.value("deltatoken"));
    let opens = |token: &str| {
        (0..request.tenant.resets()).any(|it| DeltaState::open(seed, &scope_after(name, it), token).is_some())
    };
    match token.is_some_and(opens) {
        true => {
            Err(Fault::Reset { location: format!("{}?$deltatoken=", request.link(&format!("{name}/delta"))) })
        }
        false => Ok(()),
    }
}

impl TrackedIds {
    /// `$filter` can say `id eq '…' or id eq '…'`, and nothing else
    /// (<https://learn.microsoft.com/graph/api/group-delta#odata-query-parameters>).
    fn parse(filter: Option<&str>, resource: &'static str) -> Result<TrackedIds, Fault> {
        let parsed = Filter::parse(filter)?;
        if parsed.is_empty() {
            return Ok(TrackedIds(None));
        }
        let first = parsed.paths().first().map(|path| (*path).to_owned()).unwrap_or_default();
        let ids = parsed.ids().filter(|ids| ids.len() <= MAX_TRACKED_IDS);
        let ids = ids.ok_or(Fault::FilterProperty { name: first, resource })?;
        Ok(TrackedIds(Some(ids.into_iter().map(str::to_owned).collect())))
    }
}

impl<T: Tracks> TrackedObjects<'_, T> {
    /// The page at the position of the round.
    pub(in crate::demo::tenant) fn page(
        &self,
        request: &Request<'_>,
        round: &Round,
        render: impl Fn(&T, Part) -> Value,
    ) -> Page {
        let (seed, state) = (request.tenant.directory.seed, &round.state);
        let shown = if state.round() == 0 { self.first(seed, round) } else { self.changes(seed, round) };
        let size = self.size(request, state.start);
        let is_empty = matches!(shown.get(state.start), Some(Shown::EmptyPage));
        let rest = shown.iter().skip(state.start).take(size);
        let on_page: Vec<&Shown<'_, T>> = rest.take_while(|it| !matches!(it, Shown::EmptyPage)).collect();
        let next = state.start.saturating_add(if is_empty { 1 } else { on_page.len() });
        let last = on_page.iter().rev().find_map(|it| it.named());
        let link = |kind: &str, number, start| {
            let token = state.moved_to(number, start, last).seal(seed, &round.scope);
            format!("{}?${kind}={}", self.link, request.tenant.lengthened(token))
        };
        let mut page = Page { context: self.context.clone(), ..Page::default() };
        match next < shown.len() {
            true => page.next_link = Some(link("skiptoken", state.round(), next)),
            false => page.delta_link = Some(link("deltatoken", state.round().saturating_add(1), 0)),
        }
        let is_minimal = request.headers.minimal;
        page.value = on_page.into_iter().filter_map(|it| it.to_json(&render, is_minimal)).collect();
        page
    }

    /// Everything, some of it twice.
    fn first(&self, seed: u64, round: &Round) -> Vec<Shown<'_, T>> {
        let mut shown = Vec::new();
        for place in 0..self.items.len().saturating_add(AGAIN_AFTER) {
            if let Some(object) = self.items.get(place) {
                let part = if object.comes_in_parts() { Part::First } else { Part::Whole };
                shown.push(Shown::Object(part, object));
            }
            shown.extend(place.checked_sub(AGAIN_AFTER).and_then(|before| self.again(before)));
            if place == EMPTY_PAGE_AFTER {
                shown.push(Shown::EmptyPage);
            }
        }
        if round.ids.0.is_none() {
            let id = Rng::of(seed, "deleted before", &[number(self.items.len())]).guid();
            shown.insert(shown.len() / 2, Shown::Removed { id, reason: "changed" });
        }
        shown
    }

    /// The object at this place, if it comes again.
    fn again(&self, place: usize) -> Option<Shown<'_, T>> {
        let object = self.items.get(place)?;
        let part = if object.comes_in_parts() { Part::Rest } else { Part::Whole };
        (part == Part::Rest || place % REPLAYED == REPLAYED / 2).then_some(Shown::Object(part, object))
    }

    /// One object that changed twice, one that is new, one that was deleted, and the one that was deleted a round before and
    /// cannot be restored any more.
    fn changes(&self, seed: u64, round: &Round) -> Vec<Shown<'_, T>> {
        let removed = |object: &T, reason| Shown::Removed { id: object.named().id.to_owned(), reason };
        let [changed, created, deleted] = self.touched(seed, round.number());
        let before = round.number().checked_sub(1).filter(|number| *number > 0);
        let [.., gone] = before.map_or([None; 3], |number| self.touched(seed, number));
        let shown = [
            changed.map(|it| Shown::Object(Part::Changed, it)),
            created.map(|it| Shown::Object(Part::Whole, it)),
            changed.map(|it| Shown::Object(Part::Changed, it)),
            deleted.map(|it| removed(it, if it.can_be_restored() { "changed" } else { "deleted" })),
            gone.filter(|it| it.can_be_restored()).map(|it| removed(it, "deleted")),
        ];
        shown.into_iter().flatten().collect()
    }

    /// What changed in this round: one object in every three, so that what was removed never comes back.
    fn touched(&self, seed: u64, round: usize) -> [Option<&T>; 3] {
        let mut rng = Rng::of(seed, self.scope, &[number(round)]);
        let start = 3 * rng.below((self.items.len() / 3).max(1));
        [0, 1, 2].map(|place| self.items.get(start.saturating_add(place)))
    }

    /// The size of the page that begins here: what the client prefers or less.
    fn size(&self, request: &Request<'_>, start: usize) -> usize {
        let most = request.headers.page_size.unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
        let mut rng = Rng::of(request.tenant.directory.seed, self.scope, &[number(start)]);
        most.saturating_sub(rng.below(most / 4 + 1))
    }
}

impl<T: Tracks> Shown<'_, T> {
    fn named(&self) -> Option<Named<'_>> {
        match self {
            Shown::Object(_, object) => Some(object.named()),
            Shown::Removed { .. } | Shown::EmptyPage => None,
        }
    }

    fn to_json(&self, render: impl Fn(&T, Part) -> Value, is_minimal: bool) -> Option<Value> {
        match self {
            Shown::Object(part, object) => {
                let object = without_unset(render(object, *part));
                Some(if is_minimal && *part == Part::Changed { only_changed(object) } else { object })
            }
            Shown::Removed { id, reason } => Some(json!({ "id": id, "@removed": { "reason": reason } })),
            Shown::EmptyPage => None,
        }
    }
}

impl Part {
    /// The part of an object's properties. `id` and annotations are in both parts.
    pub(in crate::demo::tenant) fn of_properties(self, object: Value) -> Value {
        let Value::Object(members) = object else { return object };
        let properties = members.into_iter().enumerate();
        let kept = properties.filter(|(place, (name, _))| {
            is_always_there(name) || self.is_whole() || (place % 2 == 0) == (self == Part::First)
        });
        Value::Object(kept.map(|(_, member)| member).collect())
    }

    /// The part of a list.
    pub(in crate::demo::tenant) fn of_list<T>(self, mut list: Vec<T>) -> Vec<T> {
        if self.is_whole() {
            return list;
        }
        let rest = list.split_off(list.len() / 2);
        if self == Part::First { list } else { rest }
    }

    fn is_whole(self) -> bool {
        matches!(self, Part::Whole | Part::Changed)
    }
}

fn is_always_there(name: &str) -> bool {
    name == "id" || name.contains('@')
}

/// "If the property has never been set before, it isn't included in the response at all."
fn without_unset(mut object: Value) -> Value {
    if let Value::Object(members) = &mut object {
        members.retain(|_, value| !value.is_null());
    }
    object
}

/// What `return=minimal` leaves: the properties that changed, here the first half of them.
fn only_changed(object: Value) -> Value {
    let Value::Object(members) = object else { return object };
    let changed = members.keys().filter(|name| !is_always_there(name)).count().div_ceil(2);
    let mut seen = 0;
    let kept = members.into_iter().filter(|(name, _)| {
        seen += usize::from(!is_always_there(name));
        is_always_there(name) || seen <= changed
    });
    Value::Object(kept.collect())
}

impl Tracks for &User {
    fn named(&self) -> Named<'_> {
        User::named(self)
    }

    fn comes_in_parts(&self) -> bool {
        self.index % USERS_IN_PARTS == USERS_IN_PARTS / 2
    }

    fn can_be_restored(&self) -> bool {
        true
    }
}

impl Tracks for &Group {
    fn named(&self) -> Named<'_> {
        Group::named(self)
    }

    fn comes_in_parts(&self) -> bool {
        self.members.len() > MEMBERS_AT_ONCE
    }

    fn can_be_restored(&self) -> bool {
        self.kind() == GroupKind::Unified
    }
}
