//! docs/RULES.md says what the program does: its example, its table of treatments and its table of codes are tried.

use std::collections::BTreeSet;
use std::sync::Arc;

use glassine::config;
use glassine_core::rules::{codes, compile};
use glassine_core::yaml;
use serde_json::Value;

use super::blocks;
use crate::support::sanitizing::{context, plan, sanitize, with_body};

const PAGE: &str = include_str!("../../docs/RULES.md");

/// The rows of the first table below `heading`, header and ruler left out, each cell without its backticks.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE.split_once(&format!("# {heading}\n")).expect(heading);
    let lines =
        section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    lines.skip(2).map(|row| row.trim_matches('|').split(" | ").map(cell).collect()).collect()
}

fn cell(cell: &str) -> &str {
    cell.trim_matches([' ', '|', '`'])
}

#[test]
fn the_worked_example_is_what_happens() {
    let rules = blocks(PAGE, "yaml")[0];
    assert!(compile("example.yaml", rules).report.diagnostics.is_empty());
    let plan = plan(rules);
    let context = with_body(Arc::clone(plan.endpoints[0].response.body()));
    let [given, expected] = blocks(PAGE, "json")[..] else { panic!("two documents") };
    let left: Value = serde_json::from_str(&sanitize(&context, given).unwrap().0).unwrap();
    assert_eq!(left, serde_json::from_str::<Value>(expected).unwrap());
}

#[test]
fn the_example_of_headers_lets_out_what_the_page_says() {
    let shape = blocks(PAGE, "yaml")[1].replace('\n', "\n    ");
    let context =
        context(&format!("  s:\n    {}", shape.replace("$.internetMessageHeaders", "$.a")), "{ entity: s }");
    let headers =
        [("IN-REPLY-TO", "<a@b>"), ("Precedence", "list"), ("List-Id", "<x>"), ("Subject", "The merger")];
    let headers = headers.map(|(name, value)| serde_json::json!({ "name": name, "value": value }));
    let left: Value = serde_json::from_str(
        &sanitize(&context, &serde_json::json!({ "a": headers }).to_string()).unwrap().0,
    )
    .unwrap();
    let [reply, list] = &left["a"].as_array().unwrap()[..] else { panic!("{left}") };
    assert!(reply["name"] == "In-Reply-To" && reply["value"].as_str().unwrap().starts_with("t~"), "{left}");
    assert_eq!(*list, serde_json::json!({ "name": "list", "value": "true" }));
}

#[test]
fn the_example_of_a_derived_type_compiles_for_messages() {
    let messages = blocks(PAGE, "yaml")[0].replacen(
        "    keep: { times: [$.receivedDateTime], booleans: [$.isRead] }\n",
        "",
        1,
    );
    let keep = blocks(PAGE, "yaml")[2].trim_end().replace('\n', "\n    ");
    let rules = messages.replacen("  message:\n", &format!("  message:\n    {keep}\n"), 1);
    let rules = rules.replacen("      $filter: { receivedDateTime: [ge, lt] }\n", "", 1);
    let compiled = compile("example.yaml", &rules);
    assert!(compiled.report.diagnostics.is_empty(), "{}", compiled.report.render());
    let plan = compiled.plan.unwrap();
    let body = plan.endpoints[0].response.body();
    assert!(body.select.as_ref().unwrap().contains(&"meetingMessageType".to_owned()));
    let written = body.casts.written(glassine_core::graph::Version::V1, "meetingMessageType");
    assert_eq!(written, "microsoft.graph.eventMessage/meetingMessageType");
}

#[test]
fn each_treatment_makes_what_the_page_says() {
    let rows = table("Treatments by example");
    assert!(rows.len() > 20);
    for row in rows {
        let context = context(&format!("  s: {{ {} }}", row[0]), "{ entity: s }");
        let left = sanitize(&context, &format!("{{\"a\":{}}}", row[1])).unwrap().0;
        let expected = match row.get(2) {
            Some(value) if !value.is_empty() => format!("{{\"a\":{value}}}"),
            _ => "{}".to_owned(),
        };
        assert_eq!(left, expected, "{row:?}");
    }
}

#[test]
fn the_table_of_codes_is_the_registry() {
    let written: Vec<_> = table("Diagnostics").iter().map(|row| row[0]).collect();
    let all = yaml::codes::ALL.iter().chain(codes::ALL).chain(config::codes::ALL);
    let known: BTreeSet<_> = all.map(|code| code.as_str()).collect();
    assert!(written.iter().eq(&known), "{written:?} {known:?}");
}
