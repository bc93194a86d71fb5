//! JSONTestSuite (github.com/nst/JSONTestSuite), and the table of `docs/JSON.md` held against it.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use super::{Verdict, actson_events, actson_is_comparable, read, rebuilt, serde_verdict, without_raw};

const DECISIONS: &str = include_str!("../../docs/JSON.md");

/// The documents by name, or `None`, said aloud, where the vectors are not at hand.
fn documents() -> Option<BTreeMap<String, Vec<u8>>> {
    let Some(vectors) = env::var_os("TEST_VECTORS") else {
        println!("skipped: TEST_VECTORS is not set");
        return None;
    };
    let folder = Path::new(&vectors).join("json-test-suite");
    let files = fs::read_dir(&folder).expect("TEST_VECTORS has a folder json-test-suite");
    let paths =
        files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "json"));
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    Some(paths.map(|path| (name(&path), fs::read(&path).unwrap())).collect())
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
    let Some(documents) = documents() else { return };
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
    let Some(documents) = documents() else { return };
    let open: Vec<&String> = documents.keys().filter(|name| name.starts_with("i_")).collect();
    assert_eq!(decisions().keys().collect::<Vec<_>>(), open);
}

/// What we accept, the others read the same.
#[test]
fn tells_what_others_read() {
    let Some(documents) = documents() else { return };
    for (name, document) in &documents {
        let (events, outcome) = read(document, 2);
        if outcome.is_ok() {
            assert_eq!(actson_events(document), Some(without_raw(events.clone())), "{name}");
        } else if actson_is_comparable(document, &outcome) && !name.starts_with("i_structure_500") {
            assert_eq!(actson_events(document), None, "{name}");
        }
        if let (Ok(()), Verdict::Value(value)) = (outcome, serde_verdict(document)) {
            assert_eq!(rebuilt(&events), value, "{name}");
        }
    }
}
