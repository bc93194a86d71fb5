//! The messages to a rules author. For each `NAME.yaml` there is a `NAME.expected` with the rendered findings.
//! A file whose name begins with a code shows that code and no other, and one whose name begins with `passes` has no
//! finding. `UPDATE_EXPECTED=1` writes the files anew; read the difference before it is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use glassine_core::diagnostic::Report;
use glassine_core::rules::{codes, compile};
use glassine_core::yaml;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics")
}

/// The findings about each file, by the file's name without its ending.
fn reports() -> BTreeMap<String, Report> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let rules = files.filter(|file| file.extension().is_some_and(|ending| ending == "yaml"));
    let report = |file: PathBuf| {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let report = compile(&format!("{name}.yaml"), &fs::read_to_string(file).unwrap()).report;
        (name, report)
    };
    rules.map(report).collect()
}

fn codes_of(report: &Report) -> BTreeSet<&'static str> {
    report.diagnostics.iter().map(|finding| finding.code.as_str()).collect()
}

#[test]
fn findings_read_as_expected() {
    for (name, report) in reports() {
        let (file, rendered) = (folder().join(format!("{name}.expected")), report.render());
        if env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&file, &rendered).unwrap();
        }
        assert_eq!(rendered, fs::read_to_string(&file).unwrap(), "{name}");
    }
}

#[test]
fn each_file_shows_the_code_in_its_name_and_no_other() {
    for (name, report) in reports() {
        if let Some((code, _)) = name.split_once('-').filter(|(code, _)| code.starts_with('G')) {
            assert_eq!(codes_of(&report), BTreeSet::from([code]), "{name}");
            assert_eq!(report.has_errors(), compile("", &report.source).plan.is_none(), "{name}");
        }
    }
}

#[test]
fn what_is_written_plainly_passes_also_with_the_line_ends_of_windows() {
    let passing: Vec<_> = reports().into_iter().filter(|(name, _)| name.starts_with("passes")).collect();
    assert!(passing.len() > 3);
    for (name, report) in passing {
        let windows = format!("\u{feff}{}", report.source.replace('\n', "\r\n"));
        for source in [&report.source, &windows] {
            let compiled = compile(&name, source);
            assert!(compiled.report.diagnostics.is_empty(), "{}", compiled.report.render());
            assert!(compiled.plan.is_some(), "{name}");
        }
    }
}

#[test]
fn every_code_of_the_rules_has_a_file() {
    let shown: BTreeSet<_> = reports().values().flat_map(codes_of).collect();
    let rules = yaml::codes::ALL.iter().chain(codes::ALL);
    assert_eq!(rules.map(|code| code.as_str()).collect::<BTreeSet<_>>(), shown);
}

#[test]
fn every_finding_has_a_place_and_is_as_grave_as_the_page_says() {
    let page = include_str!("../../docs/RULES.md");
    for (name, report) in reports() {
        for finding in &report.diagnostics {
            assert!(finding.span.is_some(), "{name}: {}", finding.message);
            let severity = if finding.is_error() { "error" } else { "warning" };
            assert!(page.contains(&format!("| `{}` | {severity} |", finding.code)), "{name}");
        }
    }
}

#[test]
fn eight_different_mistakes_are_reported_in_one_pass() {
    let report = reports().remove("eight-mistakes").unwrap();
    let found: Vec<_> = report.diagnostics.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(found, ["G0101", "G0001", "G0103", "G0001", "G0113", "G0111", "G0207", "G0206"]);
}
