//! What each shipped rules file lets out, place by place, as a committed file: a change of the rules or the compiler
//! shows in the difference. `UPDATE_EXPECTED=1` writes the files anew; read the difference before it is committed.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use glassine_core::rules::{Plan, compile};
use glassine_core::statement::Statement;

use crate::support::glassine::{METADATA_ONLY, OUTLOOK_MAIL};

#[test]
fn each_shipped_file_lets_out_what_is_committed() {
    for (name, rules) in [("outlook-mail-metadata-only", METADATA_ONLY), ("outlook-mail", OUTLOOK_MAIL)] {
        let described = describe(&compile(name, rules).plan.unwrap(), rules);
        assert!(described.contains("messages") && described.lines().count() > 100, "{name}");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/descriptions/{name}.expected"));
        if env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&file, &described).unwrap();
        }
        let committed = fs::read_to_string(&file).unwrap_or_default();
        for (now, before) in described.lines().zip(committed.lines()) {
            assert_eq!(now, before, "{name}");
        }
        assert_eq!(described.lines().count(), committed.lines().count(), "{name}");
    }
}

/// Each endpoint, and below it each place with what happens there and the line that decides it.
fn describe(plan: &Plan, source: &str) -> String {
    let mut text = format!("fingerprint {}\n", Statement::of_rules(plan).fingerprint());
    for endpoint in &plan.endpoints {
        writeln!(text, "\n{} {}", endpoint.name, endpoint.template).unwrap();
        for place in endpoint.response.body().automaton.describe() {
            let lines: Vec<_> = place.lines.iter().map(|span| line(source, span.start).to_string()).collect();
            writeln!(text, "  {}: {} [{}]", place.at, place.effect, lines.join(", ")).unwrap();
        }
    }
    text
}

fn line(source: &str, at: usize) -> usize {
    source[..at].matches('\n').count() + 1
}
