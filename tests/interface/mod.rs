//! What the descriptions of a consumer's interface promise: nothing hidden is named, nothing that leaves is missing, and
//! the proxy serves to each consumer what `glassine review` writes for its rules.
//!
//! The documents of the shipped rules are committed: a change of the rules, or of the program, shows in the difference.
//! `UPDATE_EXPECTED=1` writes the files anew; read the difference before it is committed.

mod hidden;
mod leaving;
mod served;

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use glassine_core::graph::Version;
use glassine_core::interface::{About, Document};
use glassine_core::rules::{Plan, compile};
use serde_json::Value;

use crate::support::glassine::{METADATA_ONLY, OUTLOOK_MAIL};

const SHIPPED: [(&str, &str); 2] =
    [("outlook-mail", OUTLOOK_MAIL), ("outlook-mail-metadata-only", METADATA_ONLY)];

fn plan(rules: &str) -> Plan {
    let compiled = compile("rules.yaml", rules);
    compiled.plan.unwrap_or_else(|| panic!("{}", compiled.report.render()))
}

fn openapi(plan: &Plan) -> Value {
    serde_json::from_str(Document::openapi(plan, About::default()).text()).unwrap()
}

/// The documents of each version that the rules open.
fn csdl(plan: &Plan) -> Vec<(Version, String)> {
    let versions = [Version::V1, Version::Beta].into_iter();
    versions.filter_map(|version| Some((version, Document::csdl(plan, version)?.text().to_owned()))).collect()
}

#[test]
fn each_shipped_file_has_the_descriptions_that_are_committed() {
    for (connector, rules) in SHIPPED {
        compare(connector, "openapi.json", &["--format", "openapi"]);
        for (version, _) in csdl(&plan(rules)) {
            let name = format!("{}.xml", version.as_str());
            compare(connector, &name, &["--format", "csdl", "--api-version", version.as_str()]);
        }
    }
}

fn compare(connector: &str, name: &str, args: &[&str]) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = format!("rules/{connector}.yaml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_glassine"));
    let ran = command.current_dir(repository).arg("review").args(args).arg(&rules).output().unwrap();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
    let written = String::from_utf8(ran.stdout).unwrap();
    let file = repository.join(format!("tests/interface/{connector}.{name}.expected"));
    if env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&file, &written).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    for (now, before) in written.lines().zip(committed.lines()) {
        assert_eq!(now, before, "{connector}, {name}");
    }
    assert_eq!(written.len(), committed.len(), "{connector}, {name}");
}
