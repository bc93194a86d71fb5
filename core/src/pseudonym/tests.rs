//! What tokens are made of does not move with a toolchain or a crate: docs/PSEUDONYMS.md pins it for every character of the
//! Unicode version that it names.

use regex_syntax::hir::{Class, HirKind};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::address::canonical_domain;
use super::fold::{folded, trimmed};

const CONTRACT: &str = include_str!("../../../docs/PSEUDONYMS.md");

/// The characters that Unicode 16.0 assigned, those for private use aside, in order.
fn assigned() -> impl Iterator<Item = char> {
    let class = regex_syntax::parse(r"[\p{Age=16.0}--\p{Co}]").unwrap();
    let HirKind::Class(Class::Unicode(class)) = class.kind() else { panic!("{class:?}") };
    class.ranges().iter().flat_map(|range| range.start()..=range.end()).collect::<Vec<_>>().into_iter()
}

/// SHA-256 over what becomes of each character, each with its length before it.
fn digest(becomes: impl Fn(char) -> String) -> String {
    let mut digest = Sha256::new();
    for text in assigned().map(becomes) {
        digest.update(u64::try_from(text.len()).unwrap().to_be_bytes());
        digest.update(text);
    }
    crate::hex::lower(&digest.finalize())
}

fn published(name: &str) -> &'static str {
    let row = CONTRACT.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).expect(name);
    row.trim_end_matches(" |").rsplit('`').nth(1).unwrap()
}

#[test]
fn no_character_of_the_contracts_unicode_version_moves() {
    let ours = [
        ("fold", digest(|c| folded(c.encode_utf8(&mut [0; 4])))),
        ("compose", digest(|c| ['a', '\u{307}', c, '\u{323}'].into_iter().nfc().collect())),
        ("trim", digest(|c| trimmed(c.encode_utf8(&mut [0; 4])).to_owned())),
        ("to_ascii", digest(|c| canonical_domain(&format!("a{c}b.example")).unwrap_or_default())),
    ];
    let moved: Vec<_> = ours.into_iter().filter(|(name, digest)| digest != published(name)).collect();
    assert!(moved.is_empty(), "tokens of these change, so they need a new version label: {moved:?}");
}

#[test]
fn what_folds_is_at_least_as_new_as_the_contract() {
    let version = (16, 0, 0);
    assert!(char::UNICODE_VERSION >= version && unicode_normalization::UNICODE_VERSION >= version);
    assert!(CONTRACT.contains("Unicode 16.0"));
    assert!(assigned().count() > 150_000 && assigned().any(|c| c == '\u{1c89}'), "of version 16.0");
}
