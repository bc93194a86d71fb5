//! Rules about the sources that neither the compiler nor clippy checks: which module may use which, and what may be
//! logged.
//!
//! | file | what |
//! |---|---|
//! | `sources` | the project's files, and their code without tests, comments and texts |
//! | `rules` | the rules, each a function from a file to its violations |

mod rules;
mod sources;

pub(crate) use sources::{Source, project_files, rust_sources};

/// Every violation of one rule in both packages.
fn violations(rule: fn(&Source) -> Vec<String>) -> Vec<String> {
    let sources = rust_sources();
    assert!(sources.len() > 100, "the scanner does not find the sources");
    sources.iter().flat_map(rule).collect()
}

#[test]
fn each_module_uses_only_those_that_it_may() {
    assert_eq!(violations(rules::foreign_modules), Vec::<String>::new());
}

#[test]
fn only_listed_fields_are_logged_and_nothing_is_printed() {
    assert_eq!(violations(rules::unlisted_fields), Vec::<String>::new());
    assert_eq!(violations(rules::texts_with_holes), Vec::<String>::new());
    assert_eq!(violations(rules::prints), Vec::<String>::new());
}

#[test]
fn every_text_in_a_page_is_escaped() {
    assert_eq!(violations(rules::unescaped_markup), Vec::<String>::new());
}

#[test]
fn the_repository_names_no_machine_and_no_registry() {
    let files = project_files();
    assert!(files.iter().any(|(path, _)| path == "Cargo.toml") && files.len() > 100);
    let found: Vec<_> = files.iter().flat_map(|(path, text)| rules::machine_names(path, text)).collect();
    assert_eq!(found, Vec::<String>::new());
}

/// A file that no module names is not compiled, and its tests do not run: so went the tests of the running service for a
/// while.
#[test]
fn every_file_of_tests_is_a_module() {
    let named: Vec<_> = include_str!("../tests.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    let files = project_files().into_iter().filter_map(|(path, _)| {
        let inside = path.strip_prefix("tests/")?.strip_suffix(".rs")?;
        let module = inside.strip_suffix("/mod").unwrap_or(inside);
        (!module.contains('/') && module != "tests").then(|| module.to_owned())
    });
    let forgotten: Vec<_> = files.filter(|module| !named.contains(&module.as_str())).collect();
    assert_eq!(forgotten, Vec::<String>::new());
}

#[test]
fn the_reviewers_book_says_how_long_each_module_is() {
    let sources = rust_sources();
    let lines = |module: &str| {
        let own = sources.iter().filter(|source| source.module() == format!("core::{module}"));
        own.map(|source| source.text.lines().count()).sum::<usize>()
    };
    let book = include_str!("../../core/src/lib.rs");
    let rows = book.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("//! | ")?.split(" | ").collect();
        let module = cells.get(1)?.strip_prefix("[`")?.strip_suffix("`]")?;
        Some((module, cells.last()?.trim_end_matches(" |").replace(',', "").parse::<usize>().ok()?))
    });
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows.len(), book.matches("\npub mod ").count(), "each module has a row");
    for (module, told) in rows {
        let counted = lines(module);
        assert!(
            counted.abs_diff(told) * 10 <= counted.max(100),
            "{module}: {counted} lines, the book says {told}"
        );
    }
}
