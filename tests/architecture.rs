//! The architecture, kept by reading the sources: what the pure modules may not know, who may not know whom, what
//! cannot be printed, and what may be logged.
//!
//! | file | what |
//! |---|---|
//! | `sources` | the project's files, and their code without tests, comments and texts |
//! | `rules` | the rules, each a function from a file to its violations |

mod rules;
mod sources;

use sources::{Source, project_files, rust_sources};

/// Every violation of one rule in the crate.
fn violations(rule: fn(&Source) -> Vec<String>) -> Vec<String> {
    let sources = rust_sources();
    assert!(sources.len() > 100, "the scanner does not find the sources");
    sources.iter().flat_map(rule).collect()
}

#[test]
fn pure_modules_know_no_network_no_files_no_clock_and_no_chance() {
    assert_eq!(violations(rules::impure_names), Vec::<String>::new());
}

#[test]
fn what_decides_knows_nothing_of_http_and_the_two_sides_meet_in_one_place() {
    assert_eq!(violations(rules::foreign_modules), Vec::<String>::new());
}

#[test]
fn what_comes_from_upstream_cannot_be_printed_copied_or_declared_clean_elsewhere() {
    assert_eq!(violations(rules::open_doors), Vec::<String>::new());
    let guard = rust_sources().into_iter().find(|source| source.path == "sanitize/guard.rs").unwrap();
    assert!(guard.code.contains("pub struct Raw<T>(T);") && guard.code.contains("pub(super) fn assertion"));
}

#[test]
fn only_listed_fields_are_logged_and_nothing_is_printed() {
    assert_eq!(violations(rules::unlisted_fields), Vec::<String>::new());
    assert_eq!(violations(rules::texts_with_holes), Vec::<String>::new());
    assert_eq!(violations(rules::prints), Vec::<String>::new());
}

#[test]
fn the_repository_names_no_machine_and_no_registry() {
    let files = project_files();
    assert!(files.iter().any(|(path, _)| path == "Cargo.toml") && files.len() > 100);
    let found: Vec<_> = files.iter().flat_map(|(path, text)| rules::machine_names(path, text)).collect();
    assert_eq!(found, Vec::<String>::new());
}
