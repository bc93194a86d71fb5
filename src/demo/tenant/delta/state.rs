//! The token of a link: the state of change tracking, and the options of the first request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::demo::tenant::fault::Fault;
use crate::demo::tenant::long_tokens::shortened;
use crate::demo::tenant::odata::Options;
use crate::demo::tenant::page_token::Named;
use crate::demo::tenant::rng::Rng;
use crate::demo::tenant::route::Request;

/// Who keeps a collection. The two track changes differently.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::demo::tenant) enum Store {
    /// Entra: `$deltatoken=latest` starts now, and `$top` is ignored.
    Directory,
    /// Exchange: `latest` is a token like another, and none that Exchange made. Reports of 2020 to 2022 say that it was ignored
    /// and that everything came (microsoft-graph-docs#9569 and #18889, msgraph-sdk-dotnet#1281). Here it is refused: whoever
    /// relies on either finds out.
    Outlook,
}

/// The content of a token.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::demo::tenant) struct DeltaState {
    pub(super) round: usize,
    pub(super) start: usize,
    /// The last object before this position.
    last: Option<String>,
    asked: Asked,
}

/// The options of the first request.
#[derive(Clone, Debug, Default, PartialEq)]
struct Asked {
    select: Option<String>,
    filter: Option<String>,
    change_type: Option<String>,
    top: Option<String>,
}

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::demo::tenant) enum Change {
    Created,
    Updated,
    Deleted,
}

impl DeltaState {
    /// The state in the request's token. Without one: a new state with the request's options, which `check` may refuse.
    /// The options beside a token are ignored, as Graph does. An empty token is none: a reset leads to it.
    pub(in crate::demo::tenant) fn of(
        request: &Request<'_>,
        scope: &str,
        store: Store,
        check: impl Fn(&Options) -> Result<(), Fault>,
    ) -> Result<DeltaState, Fault> {
        let options = &request.options;
        let is_latest = |token: &&str| token.eq_ignore_ascii_case("latest");
        let latest = options.value("deltatoken").filter(is_latest).filter(|_| store == Store::Directory);
        let token = options.value("skiptoken").or_else(|| options.value("deltatoken"));
        if let (Some(token), None) = (token.filter(|token| !token.is_empty()), latest) {
            let seed = request.tenant.directory.seed;
            return DeltaState::open(seed, scope, shortened(token)).ok_or(Fault::SyncState);
        }
        check(options)?;
        // Behind the last item of the first round, there are only later changes.
        let start = if latest.is_some() { usize::MAX } else { 0 };
        Ok(DeltaState { start, asked: Asked::of(options), ..DeltaState::default() })
    }

    /// The round: 0 lists everything.
    pub(in crate::demo::tenant) fn round(&self) -> usize {
        self.round
    }

    pub(in crate::demo::tenant) fn select(&self) -> Option<Vec<String>> {
        let names = self.asked.select.as_ref()?.split(',').map(|name| name.trim().to_owned());
        Some(names.collect())
    }

    pub(in crate::demo::tenant) fn filter(&self) -> Option<&str> {
        self.asked.filter.as_deref()
    }

    /// `$top`, as written.
    pub(in crate::demo::tenant) fn top(&self) -> Option<&str> {
        self.asked.top.as_deref()
    }

    /// The only changes that were asked for. `None`: all.
    pub(in crate::demo::tenant) fn change_type(&self) -> Result<Option<Change>, Fault> {
        self.asked.change_type.as_deref().map(Change::parse).transpose()
    }

    /// The same request at another position, after `last`.
    pub(super) fn moved_to(&self, round: usize, start: usize, last: Option<Named<'_>>) -> DeltaState {
        let last = last.map(|last| last.to_string()).or_else(|| self.last.clone());
        DeltaState { round, start, last, ..self.clone() }
    }

    pub(super) fn seal(&self, seed: u64, scope: &str) -> String {
        let Asked { select, filter, change_type, top } = &self.asked;
        let option = |value: &Option<String>| value.as_ref().map_or("-".to_owned(), |it| format!("+{it}"));
        let texts = [&self.last, select, filter, change_type, top].map(option).join("\n");
        let text = format!("{scope}\n{}\n{}\n{texts}", self.round, self.start);
        URL_SAFE_NO_PAD.encode([checksum(seed, &text).as_slice(), text.as_bytes()].concat())
    }

    pub(super) fn open(seed: u64, scope: &str, token: &str) -> Option<DeltaState> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (sum, text) = bytes.split_first_chunk::<8>()?;
        let text = std::str::from_utf8(text).ok().filter(|text| checksum(seed, text) == *sum)?;
        let mut lines = text.strip_prefix(scope)?.strip_prefix('\n')?.split('\n');
        let (round, start) = (lines.next()?.parse().ok()?, lines.next()?.parse().ok()?);
        let mut option = || Some(lines.next()?.strip_prefix('+').map(str::to_owned));
        let last = option()?;
        let asked = Asked { select: option()?, filter: option()?, change_type: option()?, top: option()? };
        Some(DeltaState { round, start, last, asked })
    }
}

impl Asked {
    /// On one line each: line feeds separate them in a token.
    fn of(options: &Options) -> Asked {
        let option = |name| options.value(name).map(|value| value.replace('\n', " "));
        Asked {
            select: option("select"),
            filter: option("filter"),
            change_type: option("changetype"),
            top: option("top"),
        }
    }
}

impl Change {
    fn parse(word: &str) -> Result<Change, Fault> {
        match word.to_ascii_lowercase().as_str() {
            "created" => Ok(Change::Created),
            "updated" => Ok(Change::Updated),
            "deleted" => Ok(Change::Deleted),
            _ => Err(Fault::OptionValue { option: "changeType", value: word.to_owned() }),
        }
    }
}

fn checksum(seed: u64, text: &str) -> [u8; 8] {
    Rng::of(seed, text, &[]).bytes()
}

#[cfg(test)]
mod tests {
    use super::{Asked, DeltaState};

    #[test]
    fn tokens_open_for_their_own_collection_and_tenant() {
        let asked = Asked { select: Some("id,mail".into()), top: Some("5".into()), ..Asked::default() };
        let state = DeltaState { round: 2, start: 5, last: Some("User_1:a@b.example".into()), asked };
        let token = state.seal(1, "users");
        assert_eq!(DeltaState::open(1, "users", &token), Some(state));
        assert_eq!(DeltaState::open(1, "groups", &token), None);
        assert_eq!(DeltaState::open(2, "users", &token), None);
        assert_eq!(DeltaState::open(1, "users", "forged"), None);
    }
}
