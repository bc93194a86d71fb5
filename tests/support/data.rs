//! Where tests find data from elsewhere: in the folders that the environment names, or in the fixtures that are trimmed
//! copies of them. No test is skipped for lack of data.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The folder of Graph's schemas, cases and samples.
pub(crate) fn graph() -> PathBuf {
    named_or_fixture(std::env::var_os("GRAPH_DATA"), "graph")
}

/// The folder of the JSON, JSONPath and Wycheproof suites.
pub(crate) fn vectors() -> PathBuf {
    named_or_fixture(std::env::var_os("TEST_VECTORS"), "vectors")
}

/// A fixture, whatever the environment says.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The text of a file that has to be there.
pub(crate) fn text(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

pub(crate) fn json(file: &Path) -> serde_json::Value {
    serde_json::from_str(&text(file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn named_or_fixture(named: Option<OsString>, name: &str) -> PathBuf {
    named.filter(|folder| !folder.is_empty()).map_or_else(|| fixture(name), PathBuf::from)
}

#[test]
fn fixtures_stand_in_for_folders_that_are_not_named() {
    for name in ["graph", "vectors"] {
        for unset in [None, Some(OsString::new())] {
            assert_eq!(named_or_fixture(unset, name), fixture(name));
        }
        assert!(std::fs::read_dir(fixture(name)).unwrap().count() >= 5, "{name}");
        assert_eq!(named_or_fixture(Some("/elsewhere".into()), name), Path::new("/elsewhere"));
    }
}

/// If the folder that the environment names is missing, that is a mistake, and the fixtures must not hide it.
#[test]
#[should_panic(expected = "/no/such/folder/path-cases.json")]
fn a_folder_that_is_named_and_missing_fails_the_test() {
    text(&named_or_fixture(Some("/no/such/folder".into()), "graph").join("path-cases.json"));
}
