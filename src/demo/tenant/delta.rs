//! Change tracking: a first round that lists everything, then a few changes each time a delta link is followed.
//!
//! As in Graph, the token contains the state and the options of the first request, so the link alone determines the
//! response. As in Entra, the tokens of the directory also contain the last object before them, and their length varies
//! with its name. The tenant never changes: round `n` of a collection always has the same changes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::fault::Fault;
use super::page_token::Named;
use super::paging::{Page, Sizes, Window};
use super::people::number;
use super::rng::Rng;
use super::route::Request;

/// The number of changed items in each round after the first.
const CHANGED_PER_ROUND: usize = 2;

/// A collection that can be tracked.
pub(super) struct Tracked<'a, T> {
    /// The identity of the collection. A token of another collection does not open here.
    pub(super) scope: String,
    pub(super) context: String,
    /// The link up to the query.
    pub(super) link: String,
    pub(super) sizes: Sizes,
    pub(super) items: &'a [T],
    /// The item as tokens name it. Only the directory's tokens do.
    pub(super) named: fn(&T) -> Option<Named<'_>>,
}

/// The content of a token.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct DeltaState {
    round: usize,
    start: usize,
    /// The last object before this position.
    last: Option<String>,
    select: Option<String>,
    filter: Option<String>,
}

impl DeltaState {
    /// The state in the request's token, or a new one with the request's options.
    pub(super) fn of(request: &Request<'_>, scope: &str) -> Result<DeltaState, Fault> {
        let options = &request.options;
        let seed = request.tenant.directory.seed;
        let token = options.value("skiptoken").or_else(|| options.value("deltatoken"));
        match token {
            // Start behind the last item of the first round: list nothing, only later changes.
            Some("latest") => Ok(DeltaState { start: usize::MAX, ..DeltaState::default() }),
            Some(token) => DeltaState::open(seed, scope, token).ok_or(Fault::SyncState),
            None => Ok(DeltaState {
                select: options.value("select").map(str::to_owned),
                filter: options.value("filter").map(str::to_owned),
                ..DeltaState::default()
            }),
        }
    }

    pub(super) fn select(&self) -> Option<Vec<String>> {
        self.select.as_ref().map(|names| names.split(',').map(|name| name.trim().to_owned()).collect())
    }

    pub(super) fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }

    /// The same request at another position, after `last`.
    fn moved_to(&self, round: usize, start: usize, last: Option<Named<'_>>) -> DeltaState {
        let last = last.map(|last| last.to_string());
        DeltaState { round, start, last, ..self.clone() }
    }

    fn seal(&self, seed: u64, scope: &str) -> String {
        let option = |value: &Option<String>| value.as_ref().map_or("-".to_owned(), |it| format!("+{it}"));
        let [last, select, filter] = [&self.last, &self.select, &self.filter].map(option);
        let text = format!("{scope}\n{}\n{}\n{last}\n{select}\n{filter}", self.round, self.start);
        URL_SAFE_NO_PAD.encode([checksum(seed, &text).as_slice(), text.as_bytes()].concat())
    }

    fn open(seed: u64, scope: &str, token: &str) -> Option<DeltaState> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (sum, text) = bytes.split_first_chunk::<8>()?;
        let text = std::str::from_utf8(text).ok().filter(|text| checksum(seed, text) == *sum)?;
        let mut lines = text.strip_prefix(scope)?.strip_prefix('\n')?.splitn(5, '\n');
        let (round, start) = (lines.next()?.parse().ok()?, lines.next()?.parse().ok()?);
        let mut option = || Some(lines.next()?.strip_prefix('+').map(str::to_owned));
        Some(DeltaState { round, start, last: option()?, select: option()?, filter: option()? })
    }
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
        let window = Window { start: state.start, size: self.sizes.size(request)? };
        let is_first_round = state.round == 0;
        let shown: Vec<&T> =
            if is_first_round { window.of(self.items).collect() } else { self.touched(seed, state.round) };
        let last = shown.last().and_then(|item| (self.named)(item));
        let link = |kind: &str, round, start| {
            format!("{}?${kind}={}", self.link, state.moved_to(round, start, last).seal(seed, &self.scope))
        };
        let mut page = Page { context: self.context.clone(), ..Page::default() };
        match window.next(self.items.len()).filter(|_| is_first_round) {
            Some(start) => page.next_link = Some(link("skiptoken", 0, start)),
            None => page.delta_link = Some(link("deltatoken", state.round.saturating_add(1), 0)),
        }
        page.value = if is_first_round {
            shown.into_iter().map(render).collect()
        } else {
            changes(&shown, state.round, render, removed)
        };
        Ok(page)
    }

    /// What changed in this round.
    fn touched(&self, seed: u64, round: usize) -> Vec<&T> {
        let mut rng = Rng::of(seed, &self.scope, &[number(round)]);
        let place = rng.below(self.items.len());
        self.items.iter().cycle().skip(place).take(self.items.len().min(1 + CHANGED_PER_ROUND)).collect()
    }
}

/// The first of the touched items is gone.
fn changes<T>(
    touched: &[&T],
    round: usize,
    render: impl Fn(&T) -> Value,
    removed: impl Fn(&T) -> String,
) -> Vec<Value> {
    let mut touched = touched.iter().copied();
    let gone = touched.next().map(|item| {
        let reason = if round % 2 == 1 { "deleted" } else { "changed" };
        json!({ "id": removed(item), "@removed": { "reason": reason } })
    });
    touched.map(render).chain(gone).collect()
}

fn checksum(seed: u64, text: &str) -> [u8; 8] {
    Rng::of(seed, text, &[]).bytes()
}

#[cfg(test)]
mod tests {
    use super::DeltaState;

    #[test]
    fn tokens_open_for_their_own_collection_and_tenant() {
        let last = Some("User_1:a@b.example".into());
        let state = DeltaState { round: 2, start: 5, last, select: Some("id,mail".into()), filter: None };
        let token = state.seal(1, "users");
        assert_eq!(DeltaState::open(1, "users", &token), Some(state));
        assert_eq!(DeltaState::open(1, "groups", &token), None);
        assert_eq!(DeltaState::open(2, "users", &token), None);
        assert_eq!(DeltaState::open(1, "users", "forged"), None);
    }
}
