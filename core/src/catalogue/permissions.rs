//! Application permissions: which open a path, which open more than others, what they are in plain words.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::lines::{first, records};
use super::lists::well_known_folders;
use super::types::Type;

/// What a permission's name has if it opens more than reading.
const WRITING: [&str; 4] = ["ReadWrite", "Send", "Manage", "FullControl"];

/// Permissions whose mailboxes Exchange can decide (RBAC for Applications). A grant made there is in no token.
const MAILBOX: [&str; 4] = ["Calendars.", "Contacts.", "Mail.", "MailboxSettings."];

/// Opens nothing by itself: other permissions then give the members of groups that hide them, too.
const HIDDEN_MEMBERS: &str = "Member.Read.Hidden";

/// Application roles that Microsoft has under two names.
const SAME: [(&str, &str); 2] =
    [("Calendars.ReadBasic", "Calendars.ReadBasic.All"), ("Mail.ReadBasic", "Mail.ReadBasic.All")];

type Names = Vec<&'static str>;

/// The permissions that open a path, the least first.
static PATHS: LazyLock<BTreeMap<&str, Names>> = LazyLock::new(|| {
    let mut paths = BTreeMap::new();
    let mut names = Vec::new();
    for line in records(include_str!("../../data/permissions.txt")) {
        match line.strip_prefix(' ') {
            Some(path) => {
                paths.insert(path, names.clone());
            }
            None => names = line.split(' ').collect(),
        }
    }
    paths
});

/// What is known of one permission.
#[derive(Debug)]
pub(super) struct Rung {
    pub(super) words: &'static str,
    pub(super) broader: Names,
}

static LADDER: LazyLock<BTreeMap<&str, Rung>> = LazyLock::new(|| {
    let direct: BTreeMap<_, _> = records(include_str!("../../data/ladder.txt")).filter_map(rung).collect();
    let rung = |(name, (_, words)): (&&'static str, &(Names, &'static str))| {
        (*name, Rung { words, broader: climb(name, &direct) })
    };
    direct.iter().map(rung).collect()
});

/// What a permission gives of an object.
#[derive(Debug)]
pub(super) enum Limit {
    Only(Names),
    Not(Names),
    /// Not all, and Microsoft has published no list.
    Unpublished,
}

static LIMITS: LazyLock<BTreeMap<(&str, &str), Limit>> =
    LazyLock::new(|| records(include_str!("../../data/limits.txt")).filter_map(limit).collect());

/// The permissions that open GET of the path, the least first; `None` if the catalogue does not know the path.
///
/// The path is a template without the API version, as in [`resolve`](super::resolve).
pub(crate) fn least_for(path: &str) -> Option<&'static [&'static str]> {
    let path = canonical(path);
    let plain = without_casts(&path);
    let found =
        [path.as_str(), &plain, &with_folder_keys(&plain)].into_iter().find_map(|path| PATHS.get(path));
    found.map(Vec::as_slice)
}

/// The least permission that opens the path and gives all these properties of its objects.
pub(crate) fn least_giving(path: &str, of: &Type, properties: &[&str]) -> Option<&'static str> {
    let gives_all = |name: &&str| properties.iter().all(|property| gives(name, of, property) == Some(true));
    least_for(path)?.iter().copied().find(gives_all)
}

/// Whether the permission gives the property of objects of the type, where it opens them. A permission without limits gives
/// all; `None` if it has limits that Microsoft has not published.
pub fn gives(permission: &str, of: &Type, property: &str) -> Option<bool> {
    let limits = of.lineage().filter_map(|of| LIMITS.get(&(same(permission), of.name)));
    let mut gives = limits.map(|limit| match limit {
        Limit::Only(properties) => Some(properties.contains(&property) || property.contains('@')),
        Limit::Not(properties) => Some(!properties.contains(&property)),
        Limit::Unpublished => None,
    });
    gives.try_fold(true, |all, one| Some(all && one?))
}

/// Whether the permission opens GET of the path; `None` if the catalogue does not know the path.
pub(crate) fn opens_path(granted: &str, path: &str) -> Option<bool> {
    let reads = reading(granted);
    Some(least_for(path)?.iter().any(|name| *name == same(granted) || *name == reads))
}

/// Whether who has `granted` may read what `needed` opens. Where the path is known, [`opens_path`] is exact.
pub fn opens(granted: &str, needed: &str) -> bool {
    let above = broader_than(needed);
    [same(granted), &reading(granted)].into_iter().any(|name| name == same(needed) || above.contains(&name))
}

/// The paths that the permission opens by name, in lower case and with `{}` for each key.
pub(crate) fn opened_by(permission: &str) -> impl Iterator<Item = &'static str> {
    PATHS.iter().filter(move |(_, names)| names.contains(&same(permission))).map(|(path, _)| *path)
}

/// The permissions that open all that `permission` opens and more, the nearest first; none if they are not known.
pub(crate) fn broader_than(permission: &str) -> &'static [&'static str] {
    LADDER.get(same(permission)).map_or(&[], |rung| &rung.broader)
}

/// What Microsoft lets an application do with the permission, as in "may …"; `None` if the catalogue does not know.
pub fn plain_words(permission: &str) -> Option<&'static str> {
    LADDER.get(same(permission)).map(|rung| rung.words)
}

/// Whether the catalogue has the permission at all: a name that it does not have may be misspelt.
pub fn is_known(permission: &str) -> bool {
    let is_reading = |name: &str| LADDER.contains_key(same(name)) || opened_by(name).next().is_some();
    is_reading(permission) || is_reading(&reading(permission))
}

/// Whether the permission only adds to what other permissions give of a path.
pub(crate) fn adds_to_others(permission: &str) -> bool {
    permission == HIDDEN_MEMBERS
}

/// Whether the permission can change the tenant, by its name.
pub fn writes(permission: &str) -> bool {
    WRITING.iter().any(|word| permission.contains(word))
}

/// Whether Exchange can grant the permission for some mailboxes only, where a token does not show it.
pub fn is_for_mailboxes(permission: &str) -> bool {
    MAILBOX.iter().any(|prefix| permission.starts_with(prefix))
}

/// The path as `permissions.txt` has it: lower case, `{}` for each key, `/me` as a user, one level of child folders for all.
pub(super) fn canonical(path: &str) -> String {
    let mut segments: Vec<String> = Vec::new();
    for segment in path.split('/').skip(1) {
        let is_key = segment.starts_with('{') && segment.ends_with('}');
        match segments.as_slice() {
            [] if segment.eq_ignore_ascii_case("me") => {
                segments.extend(["users".to_owned(), "{}".to_owned()])
            }
            [.., parent, child] if is_key && parent == "{}" && child == "childfolders" => {
                segments.pop();
            }
            _ if is_key => segments.push("{}".to_owned()),
            _ => segments.push(segment.trim_end_matches("()").to_ascii_lowercase()),
        }
    }
    segments.iter().flat_map(|segment| ["/", segment]).collect()
}

fn without_casts(path: &str) -> String {
    let kept = path.split('/').skip(1).filter(|it| !it.starts_with("microsoft.graph.") && *it != "$count");
    kept.flat_map(|segment| ["/", segment]).collect()
}

fn with_folder_keys(path: &str) -> String {
    let is_folder = |segment: &str| well_known_folders().contains(&segment);
    let key = |segment| if is_folder(segment) { "{}" } else { segment };
    path.split('/').skip(1).flat_map(|segment| ["/", key(segment)]).collect()
}

/// The permission that reads what this one reads and writes.
fn reading(permission: &str) -> String {
    permission.replace("ReadWrite", "Read")
}

fn same(permission: &str) -> &str {
    SAME.iter().find(|(other, _)| *other == permission).map_or(permission, |(_, name)| name)
}

/// `NAME < BROADER... | WORDS`
fn rung(line: &'static str) -> Option<(&'static str, (Names, &'static str))> {
    let (names, words) = line.split_once(" | ")?;
    let (name, broader) = names.split_once(" < ").unwrap_or((names, ""));
    Some((name, (broader.split_whitespace().collect(), words)))
}

/// All that is above a rung, the nearest first.
fn climb(name: &str, direct: &BTreeMap<&str, (Names, &str)>) -> Names {
    let mut above: Names = direct.get(name).map(|(broader, _)| broader.clone()).unwrap_or_default();
    let mut at = 0;
    while let Some(next) = above.get(at) {
        let more = direct.get(next).into_iter().flat_map(|(broader, _)| broader);
        let new: Names = more.copied().filter(|name| !above.contains(name)).collect();
        above.extend(new);
        at += 1;
    }
    above
}

/// `only PERMISSION TYPE PROPERTIES`, `not PERMISSION TYPE PROPERTIES` or `unpublished PERMISSION TYPE`
fn limit(line: &'static str) -> Option<((&'static str, &'static str), Limit)> {
    let (kind, rest) = first(line);
    let (permission, rest) = first(rest);
    let (of, properties) = first(rest);
    let properties = properties.split(' ').collect();
    let limit = match kind {
        "only" => Limit::Only(properties),
        "not" => Limit::Not(properties),
        "unpublished" => Limit::Unpublished,
        _ => return None,
    };
    Some(((permission, of), limit))
}
