//! The cases beside the rules (rules/cases/README.md): `glassine test` compares them with what a person expects. Here they
//! are also sanitized byte by byte and in pieces.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use glassine_core::admit::{Admitted, Policy, Request, admit};
use glassine_core::graph::Origin;
use glassine_core::pseudonym::{Class, Outcome};
use glassine_core::sanitize::Context;
use serde_json::json;

use crate::cli::glassine;
use crate::support::sanitizing::{cut, plan, pseudonyms, sanitize, sanitize_chunks};

const CONNECTORS: &[&str] = &["outlook-mail", "outlook-mail-metadata-only"];
const GRAPH: &str = "https://graph.microsoft.com";
const PROXY: &str = "https://proxy.example";

fn rules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn policy(connector: &str) -> Policy {
    Policy::new(
        Arc::new(plan(&read(&rules().join(connector).with_extension("yaml")))),
        Arc::new(pseudonyms()),
        Origin::parse(GRAPH).unwrap(),
        PROXY.into(),
    )
}

fn cases(connector: &str) -> Vec<PathBuf> {
    let folders = fs::read_dir(rules().join("cases").join(connector)).unwrap();
    folders.map(|entry| entry.unwrap().path()).collect()
}

fn request(policy: &Policy, case: &Path) -> Admitted {
    let text = read(&case.join("request.txt"));
    let target = text.trim_end().strip_prefix("GET ").unwrap();
    let request = Request { method: "GET", target, prefer: None, eventual: false };
    admit(&request, policy).unwrap_or_else(|refusal| panic!("{target}: {refusal}"))
}

/// Each case comes out as a person expects, each endpoint has one, and each leaf of the rules is shown.
#[test]
fn glassine_test_passes_on_the_shipped_cases() {
    let folder = rules().join("cases");
    let results = glassine(&["test", "--require-all", "--format", "json", folder.to_str().unwrap()]).json();
    let connectors = results["connectors"].as_array().unwrap();
    assert_eq!(connectors.len(), CONNECTORS.len());
    for connector in connectors {
        let cases = connector["cases"].as_array().unwrap();
        let failed: Vec<_> = cases.iter().filter(|case| case["passed"] != true).collect();
        assert!(failed.is_empty(), "{failed:#?}");
        assert_eq!((&connector["unrequested"], &connector["missing"]), (&json!([]), &json!([])));
        assert!(cases.iter().any(|case| case["case"].as_str().unwrap().contains("/refused-")));
    }
}

/// The sanitizer gives the same wherever the pieces of a case's document end.
#[test]
fn the_documents_of_the_cases_can_come_in_pieces() {
    for connector in CONNECTORS {
        let policy = policy(connector);
        for case in cases(connector).iter().filter(|case| case.join("input.json").exists()) {
            let admitted = request(&policy, case);
            let context = Context {
                body: Arc::clone(admitted.endpoint.response.body()),
                pseudonyms: Arc::new(pseudonyms()),
                links: Arc::new(admitted.links(&policy)),
            };
            let input = read(&case.join("input.json"));
            let whole = sanitize(&context, &input).unwrap();
            for lengths in [&[3, 1, 4, 1, 5, 9, 2, 6][..], &[64, 7], &[1000]] {
                let pieces = sanitize_chunks(&context, cut(input.as_bytes(), lengths)).unwrap();
                assert_eq!(pieces, whole, "{}: {lengths:?}", case.display());
            }
        }
    }
}

#[test]
fn the_table_of_tokens_is_what_the_code_makes() {
    let readme = read(&rules().join("cases/README.md"));
    let (_, table) = readme.split_once("\n## Tokens\n").unwrap();
    let rows: Vec<Vec<_>> = table
        .lines()
        .filter(|line| line.contains("~"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect();
    assert!(rows.len() > 30);
    let keys = pseudonyms();
    for row in rows {
        let (mut out, value) = (Vec::new(), serde_json::from_str::<String>(row[1]).unwrap());
        let outcome = match row[0] {
            "email" => keys.email(&value, &mut out),
            "thread" => keys.thread(&value, &mut out),
            "message_id" => keys.message_id(&value, &mut out),
            "id, reversible" => keys.reversible(Class::Id, &value, &mut out),
            other => panic!("no operation {other}"),
        };
        assert_eq!(
            (outcome, String::from_utf8(out).unwrap().as_str()),
            (Outcome::Written, row[3]),
            "{row:?}"
        );
    }
}
