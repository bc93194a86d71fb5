//! The statement says all that decides what leaves, and `diff` finds what a change widens.

mod mutations;

use std::path::Path;
use std::sync::Arc;
use std::{env, fs};

use glassine_core::pseudonym::OwnDomain;
use glassine_core::rules::compile;
use glassine_core::rules::plan::Plan;
use glassine_core::statement::diff::{Difference, Side, Verdict, compare};
use glassine_core::statement::{Setting, Statement};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::Value;

use crate::support::glassine::{METADATA_ONLY, OUTLOOK_MAIL};
use crate::support::sanitizing::{pseudonyms, sanitize, with_body};
use crate::two_engines::documents::{document, page};
use crate::two_engines::{is_part, rules};

fn own<const N: usize>(domains: [&str; N]) -> [OwnDomain; N] {
    domains.map(|domain| OwnDomain::parse(domain).unwrap())
}

fn setting(domains: &[OwnDomain]) -> Setting<'_> {
    Setting {
        consumer: "acme-analytics",
        pseudonym_domain: "acme-analytics",
        tenant_domains: domains,
        graph: "https://graph.microsoft.com",
        forwards: false,
    }
}

/// The words of a statement are part of its version: reviewers signed them.
#[test]
fn the_statements_of_the_shipped_files_are_as_committed() {
    let domains = own(["contoso.com"]);
    for (name, rules) in [("outlook-mail-metadata-only", METADATA_ONLY), ("outlook-mail", OUTLOOK_MAIL)] {
        let statement = Statement::of_consumer(&setting(&domains), &compile(name, rules).plan.unwrap());
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/statement/{name}.expected"));
        if env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&file, statement.text()).unwrap();
        }
        assert_eq!(statement.text(), fs::read_to_string(&file).unwrap_or_default(), "{name}");
        assert!(statement.text().is_ascii() && statement.text().ends_with('\n'));
    }
}

#[test]
fn all_that_the_configuration_decides_is_in_the_statement() {
    let plan = compile("rules.yaml", METADATA_ONLY).plan.unwrap();
    let (none, domains) = ([], own(["contoso.com", "fabrikam.example"]));
    let below = own(["*.contoso.com", "fabrikam.example"]);
    let base = setting(&domains);
    let others = [
        Setting { consumer: "other", ..base.clone() },
        Setting { pseudonym_domain: "other", ..base.clone() },
        Setting { tenant_domains: &none, ..base.clone() },
        Setting { tenant_domains: &domains[..1], ..base.clone() },
        Setting { tenant_domains: &below, ..base.clone() },
        Setting { graph: "https://graph.microsoft.us", ..base.clone() },
        Setting { forwards: true, ..base.clone() },
    ];
    let statement = Statement::of_consumer(&base, &plan);
    for other in others {
        let other = Statement::of_consumer(&other, &plan);
        assert_ne!(other.text(), statement.text());
        assert_ne!(other.fingerprint(), statement.fingerprint());
    }
    let turned = [domains[1].clone(), domains[0].clone()];
    assert_eq!(Statement::of_consumer(&Setting { tenant_domains: &turned, ..base }, &plan), statement);
}

/// A text of the author's cannot look like a line of the statement.
#[test]
fn no_text_makes_a_line() {
    let forged = METADATA_ONLY.replace("title: Outlook Mail - Meta Data Only", "title: \"x y: 'z' é\"");
    let plan = Plan { purpose: "a\nendpoint \"forged\"".to_owned(), ..compile("r", &forged).plan.unwrap() };
    let statement = Statement::of_rules(&plan);
    assert!(statement.text().contains("title \"x y: 'z' \\u00e9\""), "{}", statement.text());
    assert!(!statement.text().lines().any(|line| line.contains("forged") && !line.contains("purpose")));
}

/// The response had the value in the place of the first element, where another rule decides.
#[test]
fn an_element_behind_the_first_one_has_a_witness() {
    let rules = |rest: &str| {
        let shape = format!("  user:\n    redact: ['$.businessPhones[0]']\n{rest}");
        Arc::new(compile("rules.yaml", &METADATA_ONLY.replacen("  user:\n", &shape, 1)).plan.unwrap())
    };
    let widened = rules("    digest: [{ path: '$.businessPhones[1:]', reviewed: true }]\n");
    let found = compare_plans(&rules(""), &widened);
    let mut witnesses = found.iter().filter_map(|difference| difference.witness.as_ref());
    let is_behind = |graph: &str| graph.contains("\"businessPhones\":[null,");
    assert!(witnesses.any(|it| is_behind(&it.graph) && it.new.contains("length")), "{found:?}");
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Off) as _),
        cases: 600,
        max_global_rejects: 100_000,
        ..ProptestConfig::default()
    }
}

/// What leaves of a document by the only endpoint; `None` if it is refused.
fn leaves(plan: &Plan, document: &Value) -> Option<Value> {
    let context = with_body(Arc::clone(plan.endpoints[0].response.body()));
    let (left, _) = sanitize(&context, &document.to_string()).ok()?;
    Some(serde_json::from_str(&left).unwrap())
}

fn compare_plans(old: &Arc<Plan>, new: &Arc<Plan>) -> Vec<Difference> {
    let side = |plan: &Arc<Plan>| Side { plan: Arc::clone(plan), keys: Arc::new(pseudonyms()) };
    compare(&side(old), &side(new))
}

/// Whether whoever knows `whole` knows `part`: truncated times follow from times, digests and depths from texts.
fn follows(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::String(part), Value::String(whole)) if whole.starts_with("2024-02-29T13:47") => {
            part == whole || part.starts_with("2024-02-29T")
        }
        (Value::Object(part), Value::String(_)) => {
            part.keys().all(|name| ["length", "words"].contains(&name.as_str()))
        }
        (Value::Number(_), Value::String(_)) => true,
        (part, whole) => part == whole,
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rules_with_one_statement_let_out_the_same(
        (one, other) in rules::pair(),
        documents in prop::collection::vec(prop_oneof![4 => document(), 2 => page()], 4),
    ) {
        let (one, other) = (compile("one", &one).plan, compile("other", &other).plan);
        prop_assume!(one.is_some() && other.is_some());
        let (one, other) = (one.unwrap(), other.unwrap());
        if documents.iter().any(|document| leaves(&one, document) != leaves(&other, document)) {
            prop_assert_ne!(Statement::of_rules(&one), Statement::of_rules(&other));
        }
    }

    /// Looks for a document of which more leaves, where `diff` says that no more can.
    #[test]
    fn what_lets_more_out_is_called_wider(
        (old, new) in rules::pair(),
        documents in prop::collection::vec(prop_oneof![4 => document(), 2 => page()], 4),
    ) {
        let plans = (compile("old", &old).plan, compile("new", &new).plan);
        prop_assume!(plans.0.is_some() && plans.1.is_some());
        let (before, after) = (Arc::new(plans.0.unwrap()), Arc::new(plans.1.unwrap()));
        let differences = compare_plans(&before, &after);
        let is_wider = differences.iter().any(|it| it.verdict == Verdict::Wider);
        for document in documents {
            let (Some(left), Some(leaves_now)) = (leaves(&before, &document), leaves(&after, &document)) else {
                continue;
            };
            let what = format!("{old}\n{new}\n{document}\n{left}\n{leaves_now}");
            prop_assert!(is_wider || is_part(&leaves_now, &left, &follows), "{what}");
        }
        let same = Statement::of_rules(&before).text() == Statement::of_rules(&after).text();
        prop_assert!(same || !differences.is_empty() || same_texts(&before, &after), "{old}\n{new}");
    }

    /// What is wider has a witness, and the witness shows it.
    #[test]
    fn a_witness_is_what_it_says((old, new) in rules::pair()) {
        let plans = (compile("old", &old).plan, compile("new", &new).plan);
        prop_assume!(plans.0.is_some() && plans.1.is_some());
        let (before, after) = (Arc::new(plans.0.unwrap()), Arc::new(plans.1.unwrap()));
        for difference in compare_plans(&before, &after) {
            let Some(witness) = difference.witness else { continue };
            prop_assert_eq!(difference.verdict, Verdict::Wider);
            let document: Value = serde_json::from_str(&witness.graph).unwrap();
            prop_assert_eq!(leaves(&after, &document).unwrap().to_string(), witness.new.clone());
            prop_assert_ne!(witness.old.as_ref(), Some(&witness.new));
        }
    }
}

/// Names that rules mention and that no rule lets out may differ without a difference in what leaves: a document that has
/// one of them twice is refused.
fn same_texts(one: &Plan, other: &Plan) -> bool {
    let without_dropped = |plan: &Plan| {
        let text = Statement::of_rules(plan).text().to_owned();
        text.lines().filter(|line| !line.ends_with(": dropped")).map(str::to_owned).collect::<Vec<_>>()
    };
    without_dropped(one) == without_dropped(other)
}
