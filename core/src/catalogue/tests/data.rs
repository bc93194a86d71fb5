//! The data files: each line is read, and what it names exists.

use std::collections::BTreeSet;

use super::super::domains::domains;
use super::super::types::{Schema, schema};
use super::super::words::words;
use super::*;

const TYPES: &str = include_str!("../../../data/types.txt");
const VERSIONS: [Version; 2] = [Version::V1, Version::Beta];

/// The lines of a file that are no comments.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

#[test]
fn every_line_of_types_is_read() {
    let schema = Schema::read(TYPES);
    let starting = |start: &str| lines(TYPES).filter(|line| line.starts_with(start)).count();
    assert_eq!(schema.roots.len(), starting("root "));
    assert_eq!(schema.functions.len(), starting("fn "));
    assert_eq!(schema.types.len(), starting("type "));
    let properties: usize = schema.types.values().map(|of| of.properties.len()).sum();
    assert_eq!(properties, starting(" "));
    let kinds = ["root ", "fn ", "type ", "enum ", " "];
    assert!(lines(TYPES).all(|line| kinds.iter().any(|kind| line.starts_with(kind))));
    assert!(properties > 2500 && schema.types.len() > 500);
}

#[test]
fn what_types_name_exists() {
    let schema = schema();
    for of in schema.types.values() {
        assert!(of.base.is_none_or(|base| schema.types.contains_key(base)), "{}", of.name);
        for property in &of.properties {
            let place = format!("{}.{}", of.name, property.name);
            match property.edm {
                Edm::Complex(name) => assert!(schema.types.contains_key(name), "{place}"),
                Edm::Enum(name) => {
                    let count = VERSIONS.iter().map(|version| members(*version, name).count()).max();
                    assert!(count > Some(0), "{place}");
                }
                _ => {}
            }
            assert_eq!(
                property.class == Class::Navigation,
                matches!(property.edm, Edm::Navigation(_)),
                "{place}"
            );
            let is_object = matches!(property.edm, Edm::Complex(_));
            assert!(property.class != Class::Parts || is_object, "{place}");
        }
    }
    assert!(schema.roots.iter().all(|root| schema.types.contains_key(root.of)));
    assert!(schema.functions.iter().all(|function| schema.types.contains_key(function.returns)));
}

#[test]
fn no_type_is_its_own_base() {
    assert!(schema().types.values().all(|of| of.lineage().take(20).count() < 20));
}

#[test]
fn the_lists_are_sets_of_plain_names() {
    for text in [include_str!("../../../data/errors.txt"), include_str!("../../../data/zones.txt")] {
        let all: Vec<_> = lines(text).collect();
        let unique: BTreeSet<_> = all.iter().collect();
        assert_eq!(all.len(), unique.len());
        assert!(all.iter().all(|name| !name.is_empty() && name.trim() == *name && name.is_ascii()));
    }
    let is_identifier =
        |code: &str| code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    assert!(lines(include_str!("../../../data/errors.txt")).all(is_identifier));
}

#[test]
fn every_line_of_the_other_files_is_read() {
    let words_text = include_str!("../../../data/words.txt");
    let withheld: usize = words().withheld.values().map(Vec::len).sum();
    assert_eq!(words().titles.len() + withheld, lines(words_text).count());
    let paths = include_str!("../../../data/paths.txt");
    let is_known = |line: &str| {
        let kinds = ["delta ", "folder ", "id-type ", "mailbox ", "no-select ", "untracked "];
        kinds.iter().any(|kind| line.starts_with(kind))
    };
    assert!(lines(paths).all(is_known));
    for line in lines(paths) {
        let (kind, rest) = line.split_once(' ').unwrap();
        let name = if kind == "delta" { rest.split(' ').next().unwrap() } else { rest };
        let of = type_named(Version::V1, name).is_some();
        let is_name = matches!(kind, "folder" | "mailbox");
        assert!(is_name || of || permissions::canonical(name) == name, "{line}");
        if kind == "delta" {
            let words: Vec<_> = rest.split(' ').skip(1).collect();
            let is_read = matches!(words.as_slice(), [] | ["top"] | ["filter" | "order", _, _, ..]);
            let has = |property: &str| {
                type_named(Version::V1, name).unwrap().visible(Version::V1).any(|it| it.name == property)
            };
            assert!(is_read && words.get(1).is_none_or(|property| has(property)), "{line}");
        }
    }
}

#[test]
fn what_words_name_exists() {
    let name = |key: &&'static str| key.split_once('.').map_or(*key, |(of, _)| of);
    for key in words().titles.keys().chain(words().withheld.keys()) {
        let of = type_named(Version::V1, key).or_else(|| type_named(Version::V1, name(key))).unwrap();
        let navigation = key.strip_prefix(of.name).unwrap().strip_prefix('.');
        assert!(navigation.is_none_or(|it| property(Version::V1, of, it).is_some()), "{key}");
    }
    for (key, entries) in &words().withheld {
        let of = type_named(Version::V1, key)
            .or_else(|| {
                type_named(
                    Version::V1,
                    property(Version::V1, type_named(Version::V1, name(key))?, key.split_once('.')?.1)?
                        .object()?,
                )
            })
            .unwrap();
        for (path, _) in entries {
            assert!(exists(of, path), "{key} {path}");
        }
    }
}

#[test]
fn domains_are_canonical_and_each_is_read() {
    let text = include_str!("../../../data/domains.txt");
    let count = |kind: &str, skipped| {
        let lines = lines(text).filter_map(|line| line.strip_prefix(kind));
        lines.map(|rest| rest.split(' ').count() - skipped).sum::<usize>()
    };
    assert!(lines(text).all(|line| line.starts_with("provider ") || line.starts_with("suffix ")));
    assert_eq!(domains().providers.len(), count("provider ", 0), "none comes twice");
    assert_eq!(domains().suffixes.len(), count("suffix ", 1), "none comes twice");
    let is_plain = |name: &str| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        !name.is_empty() && name.bytes().all(fits)
    };
    assert!(domains().providers.iter().all(|name| is_plain(name) && name.contains('.')));
    let (labels, tops) = domains().suffixes.iter().copied().unzip::<_, _, Vec<_>, Vec<_>>();
    assert!(labels.into_iter().all(|label| is_plain(label) && !label.contains('.')));
    assert!(tops.into_iter().all(|top| is_plain(top) && top.len() == 2));
}

#[test]
fn a_domain_that_strangers_share_is_known() {
    for (domain, expected) in [
        ("gmail.com", Some(Shared::Provider)),
        ("outlook.com", Some(Shared::Provider)),
        ("onmicrosoft.com", Some(Shared::Provider)),
        ("co.uk", Some(Shared::Suffix)),
        ("com.au", Some(Shared::Suffix)),
        ("com", Some(Shared::Suffix)),
        ("contoso.com", None),
        ("contoso.co.uk", None),
        ("contoso.onmicrosoft.com", None),
        ("gmail.contoso.com", None),
        ("co.contoso", None),
    ] {
        assert_eq!(shared(domain), expected, "{domain}");
    }
}

/// Whether the path, without `[*]`, leads somewhere.
fn exists(of: &'static Type, path: &str) -> bool {
    let mut steps = Vec::new();
    for name in path.split('.') {
        if matches!(
            walk(Version::V1, of, &[&steps[..], &[Step::Name(name)]].concat()),
            Walk::NeedsElements { .. }
        ) {
            steps.push(Step::Elements);
        }
        steps.push(Step::Name(name));
    }
    matches!(walk(Version::V1, of, &steps), Walk::Found { .. })
}
