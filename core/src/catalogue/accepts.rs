//! Which paths accept what, and which are of a mailbox.

use std::sync::LazyLock;

use super::lines::{first, records};
use super::permissions::canonical;
use super::resource::{NAMESPACE, Resource, Shape, resolve};
use crate::graph::Version;

/// What a request can carry that not every path accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// `ConsistencyLevel: eventual`, for advanced queries of the directory.
    ConsistencyLevel,
    /// `Prefer: IdType="ImmutableId"`, for Outlook's items.
    IdType,
    /// The query option `$select`.
    Select,
}

#[derive(Debug, Default)]
struct Lists {
    folders: Vec<&'static str>,
    id_type: Vec<&'static str>,
    mailbox: Vec<&'static str>,
    no_select: Vec<&'static str>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let mut lists = Lists::default();
    for (kind, name) in records(include_str!("../../data/paths.txt")).map(first) {
        match kind {
            "folder" => lists.folders.push(name),
            "id-type" => lists.id_type.push(name),
            "mailbox" => lists.mailbox.push(name),
            "no-select" => lists.no_select.push(name),
            _ => {}
        }
    }
    lists
});

pub(super) fn folders() -> &'static [&'static str] {
    &LISTS.folders
}

/// Whether a GET of the path accepts this; `None` if the catalogue does not know the path. See [`resolve`] for its form.
pub fn accepts(version: Version, path: &str, what: Accept) -> Option<bool> {
    let resource = resolve(version, path)?;
    let is_one_of = |names: &[&str]| names.iter().any(|name| resource.of.is_a(name));
    Some(match what {
        Accept::ConsistencyLevel => is_directory(&resource) && !resource.is_delta,
        Accept::IdType => is_in_mailbox(&resource) && is_one_of(&LISTS.id_type),
        Accept::Select if resource.shape == Shape::Count => false,
        Accept::Select => {
            !is_one_of(&LISTS.no_select) && !LISTS.no_select.contains(&canonical(path).as_str())
        }
    })
}

/// Whether the directory itself has the objects: users, groups, and what hangs on them there.
pub(crate) fn is_directory(resource: &Resource) -> bool {
    resource.of.is_a("directoryObject")
}

/// A group's calendar and conversations are in no user's mailbox.
fn is_in_mailbox(resource: &Resource) -> bool {
    ["me", "users"].contains(&resource.root)
}

/// Whether Exchange serves the path, from the mailbox of one user or group. For its form see [`resolve`].
pub(crate) fn is_of_mailbox(path: &str) -> bool {
    let path = canonical(path);
    let mut segments = path.split('/').skip(1);
    let is_owner = matches!((segments.next(), segments.next()), (Some("users" | "groups"), Some(_)));
    let mut behind = segments.filter(|segment| !segment.starts_with(NAMESPACE));
    is_owner
        && behind
            .next()
            .is_some_and(|name| LISTS.mailbox.iter().any(|known| known.eq_ignore_ascii_case(name)))
}
