//! The reviews of the shipped rules, as committed files: a change of the rules, or of the program, shows in the
//! difference. `UPDATE_EXPECTED=1` writes the files anew; read the difference before it is committed.
//!
//! And what a review promises: nothing that leaves is missing.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use glassine_core::rules::automaton::{Effect, Location};
use glassine_core::rules::compile;
use glassine_core::rules::plan::Response;
use glassine_core::statement::review::{Review, Row};

use crate::support::glassine::{METADATA_ONLY, OUTLOOK_MAIL};

/// The calendar's rules have digests, numbers and nested arrays.
const CALENDAR: &str = include_str!("../fixtures/calendar.yaml");

#[test]
fn each_shipped_file_has_the_review_that_is_committed() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    for connector in ["outlook-mail", "outlook-mail-metadata-only"] {
        for format in ["text", "html"] {
            let rules = format!("rules/{connector}.yaml");
            let mut command = Command::new(env!("CARGO_BIN_EXE_glassine"));
            let ran = command
                .current_dir(repository)
                .args(["review", "--format", format, &rules])
                .output()
                .unwrap();
            assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
            let review = String::from_utf8(ran.stdout).unwrap();
            let file = repository.join(format!("tests/reviews/{connector}.{format}.expected"));
            if env::var_os("UPDATE_EXPECTED").is_some() {
                fs::write(&file, &review).unwrap();
            }
            let committed = fs::read_to_string(&file).unwrap_or_default();
            for (now, before) in review.lines().zip(committed.lines()) {
                assert_eq!(now, before, "{connector}, {format}");
            }
            assert_eq!(review.len(), committed.len(), "{connector}, {format}");
        }
    }
}

#[test]
fn nothing_that_leaves_is_missing() {
    let open = METADATA_ONLY.replace("  recipient:\n", "  recipient:\n    unlisted: keep\n");
    // A container of which nothing leaves tells that it is there.
    let emptied = METADATA_ONLY.replacen("  message:\n", "  message:\n    redact: [$.flag.flagStatus]\n", 1);
    assert!(open != METADATA_ONLY && emptied != METADATA_ONLY);
    for rules in [METADATA_ONLY, OUTLOOK_MAIL, CALENDAR, &open, &emptied] {
        let compiled = compile("rules.yaml", rules);
        let plan = compiled.plan.unwrap_or_else(|| panic!("{}", compiled.report.render()));
        let review = Review::of(&plan, &compiled.report, None);
        let shown: BTreeSet<&str> =
            review.objects.iter().flat_map(|object| &object.rows).map(|row| &*row.path).collect();
        let around: BTreeSet<&str> = review.around.iter().map(|row| &*row.path).collect();
        for endpoint in plan.endpoints.iter().filter(|it| matches!(it.response, Response::Json(_))) {
            for place in endpoint.inside() {
                let (path, is_there) =
                    (path(&place.at), format!("{}: {} {}", endpoint.name, place.at, place.effect));
                match place.effect {
                    Effect::Leaves(_) | Effect::Repeats(_) => assert!(is_shown(&path, &shown), "{is_there}"),
                    Effect::Object | Effect::Array => {
                        let holds = |row: &&str| path == "(the object)" || row.starts_with(&path);
                        assert!(shown.iter().any(holds) || is_shown(&path, &shown), "{is_there}");
                    }
                    Effect::Dropped => assert!(!shown.contains(&*path), "{is_there}"),
                }
            }
            for place in endpoint.around().filter(|place| matches!(place.effect, Effect::Leaves(_))) {
                assert!(around.contains(&*path(&place.at)), "{}: {}", endpoint.name, place.at);
            }
        }
    }
}

/// Whether the path has a row, or everything leaves of an object that it is in.
fn is_shown(path: &str, rows: &BTreeSet<&str>) -> bool {
    let is_open = |row: &&str| {
        row.strip_suffix('*').is_some_and(|object| path.starts_with(object.trim_end_matches('.')))
    };
    rows.contains(path) || rows.iter().any(is_open)
}

fn path(at: &Location) -> String {
    let text = at.to_string();
    match text.strip_prefix("$.").or_else(|| text.strip_prefix('$')).unwrap() {
        "" => "(the object)".to_owned(),
        inside => inside.to_owned(),
    }
}

#[test]
fn each_property_has_an_example_that_the_sanitizer_made() {
    for rules in [METADATA_ONLY, OUTLOOK_MAIL, CALENDAR] {
        let compiled = compile("rules.yaml", rules);
        let review = Review::of(&compiled.plan.unwrap(), &compiled.report, None);
        let without = |row: &&Row| row.example.is_none();
        let rows: Vec<_> = review
            .objects
            .iter()
            .flat_map(|object| &object.rows)
            .filter(without)
            .map(|row| &row.path)
            .collect();
        assert_eq!(rows, [""; 0]);
        let examples =
            review.objects.iter().flat_map(|object| &object.rows).filter_map(|row| row.example.as_ref());
        assert!(examples.filter(|it| it.before != it.after).count() > 3);
    }
}

#[test]
fn lines_are_those_of_the_file() {
    let compiled = compile("rules.yaml", METADATA_ONLY);
    let review = Review::of(&compiled.plan.unwrap(), &compiled.report, None);
    let messages = review.objects.iter().find(|object| object.title == "Messages").unwrap();
    for (path, part) in
        [("id", "as: id, reversible: true"), ("isRead", "$.isRead"), ("conversationId", "as: thread")]
    {
        let row = messages.rows.iter().find(|row| row.path == path).unwrap();
        let line = METADATA_ONLY.lines().nth(row.lines[0] - 1).unwrap();
        assert!(line.contains(part), "{path}: {line}");
    }
}
