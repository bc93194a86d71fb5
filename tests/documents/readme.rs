//! The pair of messages in README.md, and the configuration in docs/OPERATIONS.md.

use std::sync::Arc;

use glassine::config::{AuditSink, Config, UpstreamCredential};
use glassine_core::admit::{Policy, Request, admit};
use glassine_core::graph::Origin;
use glassine_core::pseudonym::{AddressPolicy, Class, KeyRing, Outcome, OwnDomain, Pseudonyms};
use glassine_core::rules::compile;
use glassine_core::sanitize::{Context, Raw, sanitize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{blocks, document};
use crate::support::glassine::METADATA_ONLY;

const CONFIG: &str = include_str!("../../deploy/config.yaml");

#[test]
fn the_configuration_is_the_one_that_ships() {
    assert!(
        blocks(document("docs/OPERATIONS.md"), "yaml").contains(&CONFIG),
        "docs/OPERATIONS.md shows another configuration than deploy/config.yaml"
    );
}

#[test]
fn the_configuration_is_accepted() {
    let config = Config::load("config.yaml", CONFIG).unwrap_or_else(|report| panic!("{}", report.render()));
    assert!(config.tls().is_some());
    assert!(matches!(config.upstream().credential(), UpstreamCredential::Application { .. }));
    assert!(matches!(config.audit(), AuditSink::File(_)));
    assert_eq!(config.consumers()[0].name(), "acme-analytics");
}

/// The example's keys are made from a public text.
fn pseudonyms() -> Arc<Pseudonyms> {
    let master: [u8; 32] = Sha256::digest(b"the keys of README.md").into();
    let keys = KeyRing::parse(&KeyRing::render_new(&master, 'A', "2026-01-01T00:00:00Z")).unwrap();
    let own = vec![OwnDomain::parse("contoso.com").unwrap()];
    let addresses = AddressPolicy { own, ..AddressPolicy::default() };
    Arc::new(keys.pseudonyms("acme-analytics", &addresses))
}

#[test]
fn before_becomes_after() {
    let [before, after, ..] = blocks(document("README.md"), "json")[..] else {
        panic!("README.md shows no pair")
    };
    let pseudonyms = pseudonyms();
    let policy = Policy::new(
        Arc::new(compile("rules.yaml", METADATA_ONLY).plan.unwrap()),
        Arc::<Pseudonyms>::clone(&pseudonyms),
        Origin::parse("https://graph.microsoft.com").unwrap(),
        "https://graph-proxy.contoso.example".into(),
    );
    let token = |raw| {
        let mut token = Vec::new();
        assert_eq!(pseudonyms.reversible(Class::Id, raw, &mut token), Outcome::Written);
        String::from_utf8(token).unwrap()
    };
    let target = format!("/v1.0/users/{}/messages/{}", token("a user"), token("a message"));
    let admitted =
        admit(&Request { method: "GET", target: &target, prefer: None, eventual: false }, &policy).unwrap();
    let context = Context {
        body: Arc::clone(admitted.endpoint.response.body()),
        links: Arc::new(admitted.links(&policy)),
        pseudonyms,
    };
    let (clean, _) = sanitize(context, Raw::new(before.as_bytes())).unwrap();
    let json = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap();
    assert_eq!(json(clean.get()), json(after.as_bytes()));
}
