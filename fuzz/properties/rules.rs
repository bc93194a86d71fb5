//! Any text compiles to a plan or has findings that say why not. Findings point inside the text and can be rendered.
//! Compiling twice gives the same plan, and the plan can be used. A text that compiles shows what it holds.
//!
//! A reviewer signs the rules file. People write it by hand, and its author must learn about every mistake.

use glassine_core::diagnostic::Report;
use glassine_core::rules::{Compiled, Plan, compile};
use glassine_core::statement::Statement;

use super::text;
use crate::support::sanitizing::{sanitize_chunks, with_body};

/// A response with values of every type.
const RESPONSE: &str = r#"{"@odata.context":"c","value":[{"id":"1","from":{"emailAddress":{"address":"a@b.example"}},"n":1.5,
    "receivedDateTime":"2026-01-01T12:34:56Z","list":[null,true,"smtp:a@b.example"],"@removed":{"reason":"deleted"}}]}"#;

/// See the module.
pub fn rules(data: &[u8]) {
    let Some(source) = text(data) else { return };
    let Compiled { plan, report } = compile("rules.yaml", source);
    assert_eq!(plan.is_none(), report.has_errors(), "{}", report.render());
    can_be_shown(&report);
    compiles_alike(source, plan.as_ref(), &report);
    assert!(plan.is_none() || reads_as_it_looks(source), "{source:?}");
    plan.iter().for_each(can_be_used);
}

fn can_be_shown(report: &Report) {
    let text = report.render();
    for finding in &report.diagnostics {
        let span = finding.span.clone().unwrap_or_default();
        assert!(span.start <= span.end && span.end <= report.source.len(), "{span:?} of {finding:?}");
        assert!(text.contains(finding.code.as_str()), "{text}");
    }
    for place in report.located() {
        let json = serde_json::to_value(place).expect("a finding is JSON");
        let lines = report.source.lines().count() + 1;
        assert!(json["line"].as_u64().is_none_or(|line| (1..=lines as u64).contains(&line)), "{json}");
    }
}

/// Whether lines end where they seem to end and no character hides.
fn reads_as_it_looks(source: &str) -> bool {
    let hides = |character: char| {
        (character.is_control() && character != '\n')
            || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(character, '\u{e0000}'..='\u{e01ef}')
    };
    source.replace("\r\n", "\n").lines().all(|line| !line.contains(hides) && line.chars().count() <= 160)
}

fn compiles_alike(source: &str, plan: Option<&Plan>, report: &Report) {
    let fingerprint = |plan: &Plan| *Statement::of_rules(plan).fingerprint();
    let again = compile("rules.yaml", source);
    assert_eq!(again.report.diagnostics, report.diagnostics);
    assert_eq!(again.plan.as_ref().map(fingerprint), plan.map(fingerprint));
}

/// Uses the plan. Only panics count, not the outcome.
fn can_be_used(plan: &Plan) {
    for endpoint in &plan.endpoints {
        let context = with_body(endpoint.response.body().clone());
        if let Ok((text, _)) = sanitize_chunks(&context, RESPONSE.as_bytes().chunks(7)) {
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
        }
    }
}
