//! What people call types and properties.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::lines::{first, records};
use super::resource::Resource;
use super::types::{Class, Type};
use crate::graph::Version;

/// Something personal, or content, in an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// Its path in the object: `from.emailAddress.name`.
    pub path: &'static str,
    /// What people call it: "names of senders".
    pub words: Cow<'static, str>,
}

#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) titles: BTreeMap<&'static str, &'static str>,
    pub(super) withheld: BTreeMap<&'static str, Vec<(&'static str, &'static str)>>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut words = Words::default();
    for (kind, rest) in records(include_str!("../../data/words.txt")).map(first) {
        let (name, rest) = first(rest);
        match kind {
            "title" => {
                words.titles.insert(name, rest);
            }
            "withheld" => words.withheld.entry(name).or_default().push(first(rest)),
            _ => {}
        }
    }
    words
});

pub(super) fn words() -> &'static Words {
    &WORDS
}

/// What people call the objects, in the plural: "Messages"; the type's name in words if nobody has named it.
pub fn title(resource: &Resource) -> Cow<'static, str> {
    let named = by_names(resource).find_map(|name| words().titles.get(name.as_ref()));
    named.map_or_else(|| Cow::Owned(spaced(resource.of.name, true)), |title| Cow::Borrowed(*title))
}

/// What is personal or content in the objects, for a promise that it never leaves. What nobody has named comes from the classes.
pub fn withheld(version: Version, resource: &Resource) -> Vec<Withheld> {
    let named = by_names(resource).find_map(|name| words().withheld.get(name.as_ref()));
    match named {
        Some(entries) => {
            entries.iter().map(|(path, words)| Withheld { path, words: Cow::Borrowed(words) }).collect()
        }
        None => by_class(version, resource.of),
    }
}

/// The keys under which the words of a resource may be, the most special first: `group.members`, `user`, `directoryObject`.
fn by_names(resource: &Resource) -> impl Iterator<Item = Cow<'static, str>> + use<> {
    let via = resource.via.map(|(of, property)| Cow::Owned(format!("{}.{}", of.name, property.name)));
    via.into_iter().chain(resource.of.lineage().map(|of| Cow::Borrowed(of.name)))
}

fn by_class(version: Version, of: &'static Type) -> Vec<Withheld> {
    let is_personal = |class| matches!(class, Class::Content | Class::DirectIdentifier | Class::Secret);
    let own = of.lineage().flat_map(|of| &of.properties);
    own.filter(|property| property.is_in(version) && is_personal(property.class))
        .map(|property| Withheld { path: property.name, words: Cow::Owned(spaced(property.name, false)) })
        .collect()
}

/// `personalNotes` as "personal notes".
fn spaced(name: &str, capital: bool) -> String {
    let mut text = String::new();
    for letter in name.rsplit('.').next().unwrap_or(name).chars() {
        match (text.is_empty(), letter.is_ascii_uppercase()) {
            (true, _) if capital => text.push(letter.to_ascii_uppercase()),
            (false, true) => text.extend([' ', letter.to_ascii_lowercase()]),
            _ => text.push(letter),
        }
    }
    text
}
