//! The cases beside the rules (rules/cases/README.md): admitted, sanitized whole, byte by byte and in random pieces, and
//! compared with what a person expects.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use glassine_core::admit::{Admitted, Policy, Request, admit};
use glassine_core::graph::{Origin, Target};
use glassine_core::pseudonym::{Class, Outcome};
use glassine_core::sanitize::Context;
use serde_json::Value;

use crate::support::sanitizing::{cut, plan, pseudonyms, sanitize, sanitize_chunks};

const CONNECTORS: &[&str] = &["outlook-mail", "outlook-mail-metadata-only"];
const GRAPH: &str = "https://graph.microsoft.com";
const PROXY: &str = "https://proxy.example";
/// Replaces the sealed part of links in the expected responses.
const SEALED: &str = "<sealed>";

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

fn admitted(policy: &Policy, target: &str) -> Admitted {
    let request = Request { method: "GET", target, prefer: None, eventual: false };
    admit(&request, policy).unwrap_or_else(|refusal| panic!("{target}: {refusal}"))
}

fn request(policy: &Policy, case: &Path) -> Admitted {
    let text = read(&case.join("request.txt"));
    admitted(policy, text.trim_end().strip_prefix("GET ").unwrap())
}

/// Follows the response's links and writes [`SEALED`] in their place.
fn follow_links(policy: &Policy, input: &Value, response: &mut Value) {
    for name in ["@odata.nextLink", "@odata.deltaLink"] {
        let Some(link) = response.get(name).map(|link| link.as_str().unwrap().to_owned()) else {
            assert_eq!(input.get(name), None, "{name} is lost");
            continue;
        };
        let followed = admitted(policy, link.strip_prefix(PROXY).unwrap()).upstream;
        let given = input[name].as_str().unwrap().strip_prefix(GRAPH).unwrap();
        assert_eq!(followed, Target::parse(given).unwrap().canonical());
        let (path, _) = link.split_once("token=").unwrap();
        response[name] = format!("{path}token={SEALED}").into();
    }
}

fn check(policy: &Policy, case: &Path) {
    let admitted = request(policy, case);
    let context = Context {
        body: Arc::clone(admitted.endpoint.response.body()),
        pseudonyms: Arc::new(pseudonyms()),
        links: Arc::new(admitted.links(policy)),
    };
    let input = read(&case.join("input.json"));
    let (whole, counters) = sanitize(&context, &input).unwrap();
    for lengths in [&[3, 1, 4, 1, 5, 9, 2, 6][..], &[64, 7], &[1000]] {
        let pieces = sanitize_chunks(&context, cut(input.as_bytes(), lengths)).unwrap();
        assert_eq!(pieces, (whole.clone(), counters), "{}: {lengths:?}", case.display());
    }
    let mut response = serde_json::from_str(&whole).unwrap();
    follow_links(policy, &serde_json::from_str(&input).unwrap(), &mut response);
    let expected: Value = serde_json::from_str(&read(&case.join("expected.json"))).unwrap();
    assert_eq!(response, expected, "{}:\n{response:#}", case.display());
}

#[test]
fn each_case_comes_out_as_expected() {
    for connector in CONNECTORS {
        let policy = policy(connector);
        cases(connector).iter().for_each(|case| check(&policy, case));
    }
}

#[test]
fn every_endpoint_has_a_case_of_its_name() {
    for connector in CONNECTORS {
        let policy = policy(connector);
        let endpoints: BTreeSet<_> =
            policy.plan.endpoints.iter().map(|endpoint| endpoint.name.clone()).collect();
        let shown: BTreeSet<_> =
            cases(connector).iter().map(|case| request(&policy, case).endpoint.name.clone()).collect();
        assert_eq!(shown, endpoints, "{connector}");
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
