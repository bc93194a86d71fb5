//! The dashboard, the alerts and their runbook name only metrics, labels, log lines and codes that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{read, ready};
use crate::architecture::rust_sources;
use crate::service::PAGE;
use crate::support::glassine::Setup;
use crate::support::upstream::{FakeUpstream, Script};

const ALERTS: &str = include_str!("../../deploy/alerts.yaml");
const DASHBOARD: &str = include_str!("../../deploy/grafana.json");
const OPERATIONS: &str = include_str!("../../docs/OPERATIONS.md");

/// Metrics that are there only with approvals, or with TLS, or with tokens that can be read or whose end is known. Their own
/// tests see them.
const ELSEWHERE: [(&str, &[&str]); 4] = [
    ("glassine_approvals_end_timestamp_seconds", &["consumer"]),
    ("glassine_certificate_expiry_timestamp_seconds", &["role", "consumer"]),
    ("glassine_graph_token_expiry_timestamp_seconds", &["consumer"]),
    ("glassine_graph_token_permission", &["consumer", "permission"]),
];

/// The labels that Prometheus itself adds.
const ADDED: [&str; 2] = ["instance", "job"];

/// The names of a running proxy's metrics, and each with each of its labels.
async fn known() -> BTreeSet<String> {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let proxy = Setup::scripted(&graph).start().await;
    ready(&proxy).await;
    let text = proxy.admin_get("/metrics").await.text();
    let mut known: BTreeSet<_> = read(&text).keys().flat_map(|series| names_and_labels(series)).collect();
    for (name, labels) in ELSEWHERE {
        known.insert(name.to_owned());
        known.extend(labels.iter().map(|label| format!("{name} {label}")));
    }
    known
}

/// `name{a="1",b="2"}` as `name`, `name a`, `name b`.
fn names_and_labels(series: &str) -> Vec<String> {
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let labels = labels.split("\",").filter_map(|label| label.split_once("=\"")).map(|(label, _)| label);
    std::iter::once(name.to_owned()).chain(labels.map(|label| format!("{name} {label}"))).collect()
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// What a query names: each metric, and each with the labels in its braces.
fn named(query: &str) -> Vec<String> {
    let starts = query.match_indices("glassine_").map(|(at, _)| at);
    starts
        .flat_map(|at| {
            let rest = &query[at..];
            let name: String = rest.chars().take_while(|c| is_word(*c)).collect();
            let braces = rest[name.len()..].strip_prefix('{').and_then(|rest| rest.split('}').next());
            let labels = braces.unwrap_or_default().split(',').filter_map(|label| {
                let label: String = label.trim().chars().take_while(|c| is_word(*c)).collect();
                (!label.is_empty() && !ADDED.contains(&label.as_str())).then(|| format!("{name} {label}"))
            });
            std::iter::once(name.clone()).chain(labels.collect::<Vec<_>>()).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn a_query_is_read_with_its_labels() {
    let query = "sum by (a) (rate(glassine_a_total{instance=~\"$i\",kind=~\"x|y\"}[5m])) / glassine_b";
    assert_eq!(named(query), ["glassine_a_total", "glassine_a_total kind", "glassine_b"]);
    let series = "glassine_a_bucket{le=\"0.5\",endpoint=\"a,b\"}";
    assert_eq!(
        names_and_labels(series),
        ["glassine_a_bucket", "glassine_a_bucket le", "glassine_a_bucket endpoint"]
    );
}

#[tokio::test]
async fn every_query_of_the_dashboard_and_of_the_alerts_names_what_exists() {
    let known = known().await;
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row");
    let mut queries = Vec::new();
    for panel in panels {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{panel}");
        queries.extend(targets.iter().map(|target| target["expr"].as_str().unwrap()));
    }
    assert!(queries.len() > 30 && queries.iter().all(|query| !named(query).is_empty()), "{queries:?}");
    for query in queries.into_iter().chain([ALERTS]) {
        for name in named(query) {
            assert!(known.contains(&name), "{name} does not exist: {query}");
        }
    }
    // What is measured is shown.
    let shown: BTreeSet<_> = named(DASHBOARD).into_iter().collect();
    let unseen: Vec<_> = known
        .iter()
        .filter(|name| {
            !name.contains(' ')
                && !shown.contains(*name)
                && !name.ends_with("_sum")
                && !name.ends_with("_count")
        })
        .collect();
    assert_eq!(unseen, ["glassine_graph_token_age_seconds", "glassine_key_info"], "nothing shows them");
}

#[tokio::test]
async fn the_table_of_metrics_is_complete() {
    let table = OPERATIONS.split("| metric | what it counts |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows: BTreeSet<_> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let plain = |name: &str| {
        let ends = ["_bucket", "_sum", "_count"];
        let histogram =
            ends.iter().find_map(|end| name.strip_suffix(end)).filter(|it| it.ends_with("_seconds"));
        histogram.unwrap_or(name).to_owned()
    };
    let known: BTreeSet<_> =
        known().await.iter().filter(|name| !name.contains(' ')).map(|name| plain(name)).collect();
    let rows: BTreeSet<_> = rows.into_iter().map(str::to_owned).collect();
    assert_eq!(rows, known);
}

/// The sections of the runbook, by alert.
fn sections() -> Vec<(&'static str, &'static str)> {
    let runbook = OPERATIONS.split("\n## Alerts\n").nth(1).unwrap().split("\n## ").next().unwrap();
    runbook.split("\n### ").skip(1).map(|section| section.split_once('\n').unwrap()).collect()
}

/// The text of a line of a section, from its name to the next one.
fn line<'a>(section: &'a str, name: &str) -> &'a str {
    let (_, rest) =
        section.split_once(&format!("- **{name}:**")).unwrap_or_else(|| panic!("{name}: {section}"));
    rest.split("\n- **").next().unwrap()
}

/// What stands in backticks, with its lines joined.
fn code(text: &str) -> Vec<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn each_alert_has_its_section_and_each_section_its_alert() {
    let alerts: Vec<_> = ALERTS.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let titles: Vec<_> = sections().into_iter().map(|(title, _)| title).collect();
    assert!(alerts.len() > 20);
    assert_eq!(alerts, titles);
    for alert in alerts {
        let runbook = format!("runbook: docs/OPERATIONS.md#{}", alert.to_lowercase());
        assert!(ALERTS.contains(&runbook), "{runbook}");
        let cases = include_str!("alerts.yaml").matches(&format!("alertname: {alert}\n")).count();
        assert_eq!(cases, 2, "{alert}: one case in which it fires, one in which it does not");
    }
}

/// The program's own texts, in one line each. Rust's line ends in texts are a backslash and spaces.
fn own_texts() -> String {
    let sources = rust_sources();
    let text: String = sources.iter().flat_map(|source| [source.text.as_str(), "\n"]).collect();
    text.replace("\\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_runbook_names_metrics_log_lines_and_codes_that_exist() {
    let (known, texts) = (known().await, own_texts());
    let dashboard_and_rules = |name: &str| name.starts_with("glassine_");
    for (title, section) in sections() {
        for code in code(line(section, "Metrics")) {
            let names: Vec<_> = if dashboard_and_rules(&code) { named(&code) } else { Vec::new() };
            let is_known = names.iter().all(|name| {
                let histogram = format!("{name}_bucket");
                known.contains(name) || known.contains(&histogram) || name.len() <= "glassine_".len()
            });
            assert!(is_known, "{title}: {code}");
        }
        for code in code(line(section, "Log")).iter().filter(|code| code.contains(' ')) {
            assert!(texts.contains(&format!("\"{code}\"")), "{title}: no line of the log says {code:?}");
        }
        for code in code(line(section, "Audit log")) {
            let is_there = texts.contains(&format!("\"{code}\"")) || texts.contains(&format!(" {code}: "));
            assert!(is_there, "{title}: no record has {code:?}");
        }
        assert!(line(section, "Do").split_whitespace().count() > 1, "{title}");
    }
}

#[test]
fn the_scripts_of_this_folder_are_run_in_ci() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ci = fs::read_to_string(root.join(".ci/run")).unwrap();
    assert!(ci.contains("tests/metrics/run"));
    let script = fs::read_to_string(root.join("tests/metrics/run")).unwrap();
    for command in ["promtool check metrics", "promtool check rules", "promtool test rules"] {
        assert!(script.contains(command), "{command}");
    }
}
