//! docs/RELIABILITY.md: its table of faults is what the tests say that they show, and its table of bounds is what the
//! sources say. `UPDATE_EXPECTED=1` writes both anew; read the difference before it is committed.
//!
//! | file | what |
//! |---|---|
//! | `faults` | reads `/// Fault: …. Outcome: ….` above tests, and refuses it above anything else |
//! | `bounds` | reads the constants that bound what the running service does |

mod bounds;
mod faults;

use std::path::{Path, PathBuf};
use std::{env, fs};

/// The issue that asked for the table asked for as many.
const LEAST_FAULTS: usize = 120;

#[test]
fn the_table_of_faults_is_what_tests_show() {
    let faults = faults::of_project().unwrap_or_else(|mistakes| panic!("{}", mistakes.join("\n")));
    assert!(faults.len() >= LEAST_FAULTS, "{}", faults.len());
    assert_section("faults", &faults::table(&faults));
}

#[test]
fn the_table_of_bounds_is_what_the_sources_say() {
    let bounds = bounds::of_project().unwrap_or_else(|mistakes| panic!("{}", mistakes.join("\n")));
    assert!(bounds.len() > 60, "{}", bounds.len());
    assert_section("bounds", &bounds::table(&bounds));
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/RELIABILITY.md")
}

/// What the page has between the two marks of a section, and around them.
fn split<'a>(page: &'a str, section: &str) -> [&'a str; 3] {
    let (begin, end) = (format!("<!-- {section}: begin -->\n"), format!("<!-- {section}: end -->"));
    let at = page.find(&begin).unwrap_or_else(|| panic!("no {begin}")) + begin.len();
    let length = page[at..].find(&end).unwrap_or_else(|| panic!("no {end}"));
    [&page[..at], &page[at..at + length], &page[at + length..]]
}

fn assert_section(section: &str, expected: &str) {
    let text = fs::read_to_string(page()).unwrap();
    let [before, written, after] = split(&text, section);
    if env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(page(), [before, expected, after].concat()).unwrap();
        return;
    }
    for (line, now) in written.lines().zip(expected.lines()) {
        assert_eq!(line, now, "docs/RELIABILITY.md, {section}: run with UPDATE_EXPECTED=1");
    }
    assert_eq!(written.lines().count(), expected.lines().count(), "{section}: run with UPDATE_EXPECTED=1");
}
