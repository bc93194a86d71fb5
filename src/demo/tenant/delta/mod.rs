//! Change tracking: a first round that lists everything, then a few changes each time a delta link is followed.
//!
//! As in Graph, the token contains the state and the options of the first request, so the link alone determines the
//! response. The tenant never changes: round `n` of a collection always has the same changes. [`directory`] has users and
//! groups, which Entra tracks in its own way.

mod directory;
mod state;

use serde_json::{Value, json};

use super::fault::Fault;
use super::filter::Filter;
use super::odata::Options;
use super::paging::{Page, Window};
use super::people::number;
use super::rng::Rng;
use super::route::Request;

pub(super) use self::directory::{Part, Round, TrackedObjects};
pub(super) use self::state::{Change, DeltaState, Store};

/// What happens in each round after the first.
const CHANGES: [Change; 3] = [Change::Updated, Change::Created, Change::Deleted];

/// A collection of a mailbox that can be tracked.
pub(super) struct Tracked<'a, T> {
    /// The identity of the collection. A token of another collection does not open here.
    pub(super) scope: String,
    pub(super) context: String,
    /// The link up to the query.
    pub(super) link: String,
    pub(super) page_size: usize,
    pub(super) items: &'a [T],
}

impl<T> Tracked<'_, T> {
    /// The page at the position of the state. `removed` gives the id of a removed item.
    pub(super) fn page(
        &self,
        request: &Request<'_>,
        state: &DeltaState,
        render: impl Fn(&T) -> Value,
        removed: impl Fn(&T) -> String,
    ) -> Result<Page, Fault> {
        let seed = request.tenant.directory.seed;
        let only = state.change_type()?;
        let is_first_round = state.round() == 0;
        let window = Window { start: state.start, size: self.page_size };
        let shown: Vec<(Change, &T)> = if is_first_round {
            window.of(self.items).map(|item| (Change::Created, item)).collect()
        } else {
            self.touched(seed, state.round())
        };
        let link = |kind: &str, round, start| {
            let token = state.moved_to(round, start, None).seal(seed, &self.scope);
            format!("{}?${kind}={}", self.link, request.tenant.lengthened(token))
        };
        let mut page = Page { context: self.context.clone(), ..Page::default() };
        match window.next(self.items.len()).filter(|_| is_first_round) {
            Some(start) => page.next_link = Some(link("skiptoken", 0, start)),
            None => page.delta_link = Some(link("deltatoken", state.round().saturating_add(1), 0)),
        }
        let object = |(change, item): (Change, &T)| match change {
            Change::Created | Change::Updated => render(item),
            Change::Deleted => removal(&removed(item), state.round()),
        };
        let shown = shown.into_iter().filter(|(change, _)| only.is_none_or(|only| only == *change));
        page.value = shown.map(object).collect();
        Ok(page)
    }

    /// What changed in this round: one object in every three of a collection, so what was removed never comes back.
    fn touched(&self, seed: u64, round: usize) -> Vec<(Change, &T)> {
        let mut rng = Rng::of(seed, &self.scope, &[number(round)]);
        let threes = (self.items.len() / CHANGES.len()).max(1);
        let items = self.items.iter().skip(CHANGES.len() * rng.below(threes));
        CHANGES.into_iter().zip(items).collect()
    }
}

fn removal(id: &str, round: usize) -> Value {
    let reason = if round % 2 == 1 { "deleted" } else { "changed" };
    json!({ "id": id, "@removed": { "reason": reason } })
}

/// Refuses what a delta of messages cannot be asked
/// (<https://learn.microsoft.com/graph/api/message-delta#odata-query-parameters>).
pub(super) fn check_messages(options: &Options) -> Result<(), Fault> {
    if options.value("search").is_some() {
        return Err(Fault::TrackedOption { resource: "Messages", options: "$search" });
    }
    let filter = options.value("filter");
    if filter.is_some() && !Filter::parse(filter)?.is_received_since() {
        return Err(Fault::TrackedValue { option: "filter", only: "receivedDateTime ge value" });
    }
    let words = |order: &str| order.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    match options.value("orderby").map(words) {
        Some(words) if words != ["receiveddatetime", "desc"] => {
            Err(Fault::TrackedValue { option: "orderby", only: "receivedDateTime desc" })
        }
        _ => Ok(()),
    }
}

/// Refuses what a delta of folders or contacts cannot be asked.
pub(super) fn check_others(options: &Options, resource: &'static str) -> Result<(), Fault> {
    let refused = ["orderby", "filter", "expand", "search", "top"];
    match refused.iter().any(|name| options.value(name).is_some()) {
        true => Err(Fault::TrackedOption { resource, options: "$orderby, $filter, $expand, $search, $top" }),
        false => Ok(()),
    }
}
