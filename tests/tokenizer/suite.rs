//! JSONTestSuite (github.com/nst/JSONTestSuite), and the table of `docs/JSON.md` held against it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Verdict, actson_events, actson_is_comparable, read, rebuilt, serde_verdict, without_raw};
use crate::support::data;

const DECISIONS: &str = include_str!("../../docs/JSON.md");

/// The documents by name: of the suite's own folder, or of the fixture, which has them in one file.
fn documents() -> BTreeMap<String, Vec<u8>> {
    let folder = data::vectors().join("json-test-suite");
    let packed = folder.with_extension("json");
    let documents = if packed.exists() { unpacked(&packed) } else { read_all(&folder) };
    assert!(documents.len() > 300, "{} documents", documents.len());
    documents
}

/// Each character stands for the byte of its number.
fn unpacked(file: &Path) -> BTreeMap<String, Vec<u8>> {
    let texts: BTreeMap<String, String> = serde_json::from_str(&data::text(file)).unwrap();
    let bytes = |text: String| text.chars().map(|c| u8::try_from(c).unwrap()).collect();
    texts.into_iter().map(|(name, text)| (name, bytes(text))).collect()
}

fn read_all(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let paths = files.filter(|path| path.extension().is_some_and(|e| e == "json"));
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    paths.map(|path| (name(&path), fs::read(&path).unwrap())).collect()
}

/// The rows of the table: the document, and whether we accept it.
fn decisions() -> BTreeMap<String, bool> {
    let rows = DECISIONS.lines().filter_map(|line| line.strip_prefix("| `i_"));
    rows.map(|row| {
        let mut cells = row.split('|').map(|cell| cell.trim().trim_matches('`'));
        let name = format!("i_{}", cells.next().unwrap());
        let accepted = match cells.next() {
            Some("accepted") => true,
            Some("refused") => false,
            other => panic!("{name}: {other:?} is no decision"),
        };
        (name, accepted)
    })
    .collect()
}

#[test]
fn follows_the_suite() {
    let documents = documents();
    let decisions = decisions();
    for kind in ["y_", "n_", "i_"] {
        assert!(documents.keys().any(|name| name.starts_with(kind)), "no {kind} document");
    }
    for (name, document) in &documents {
        let expected = match name.get(..2) {
            Some("y_") => true,
            Some("n_") => false,
            _ => *decisions.get(name).unwrap_or_else(|| panic!("docs/JSON.md has no row for {name}")),
        };
        let (_, outcome) = read(document, 1);
        assert_eq!(outcome.is_ok(), expected, "{name}: {outcome:?}");
    }
}

#[test]
fn has_a_row_for_each_open_document_and_no_other() {
    let documents = documents();
    let open: Vec<&String> = documents.keys().filter(|name| name.starts_with("i_")).collect();
    assert_eq!(decisions().keys().collect::<Vec<_>>(), open);
}

/// Other parsers read the same from what the tokenizer accepts.
#[test]
fn tells_what_others_read() {
    let documents = documents();
    for (name, document) in &documents {
        let (events, outcome) = read(document, 2);
        if actson_is_comparable(document, &outcome) && !name.starts_with("i_structure_500") {
            let ours = outcome.is_ok().then(|| without_raw(events.clone()));
            assert_eq!(actson_events(document), ours, "{name}");
        }
        if let (Ok(()), Verdict::Value(value)) = (outcome, serde_verdict(document)) {
            assert_eq!(rebuilt(&events), value, "{name}");
        }
    }
}
