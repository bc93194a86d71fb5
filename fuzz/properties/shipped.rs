//! The shipped rules files, each with the policy of one consumer.

use std::sync::{Arc, LazyLock};

use glassine_core::admit::{Admitted, Policy, Refusal, Request, admit};
use glassine_core::graph::Origin;
use glassine_core::pseudonym::{Class, Outcome};
use glassine_core::rules::compile;

use crate::support::sanitizing::pseudonyms;

/// The origin of Graph.
pub(super) const GRAPH: &str = "https://graph.microsoft.com";
/// The proxy's public URL.
pub(super) const PROXY: &str = "https://proxy.example/graph";

/// A rules file, and the policy of a consumer with these rules.
pub(super) struct Connector {
    pub(super) source: &'static str,
    pub(super) policy: Policy,
}

/// All shipped rules files.
pub(super) static CONNECTORS: LazyLock<[Connector; 2]> = LazyLock::new(|| {
    [
        include_str!("../../rules/outlook-mail-metadata-only.yaml"),
        include_str!("../../rules/outlook-mail.yaml"),
    ]
    .map(Connector::new)
});

impl Connector {
    fn new(source: &'static str) -> Self {
        let policy = Policy::new(
            Arc::new(compile("rules.yaml", source).plan.expect("the shipped rules compile")),
            Arc::new(pseudonyms()),
            Origin::parse(GRAPH).expect("an origin"),
            PROXY.into(),
        );
        Self { source, policy }
    }

    /// Admits or refuses a GET.
    pub(super) fn get(&self, target: &str) -> Result<Admitted, Refusal> {
        admit(&Request { method: "GET", target, prefer: None, eventual: false }, &self.policy)
    }
}

/// The consumer's token for an id.
pub(super) fn token(id: &str) -> String {
    let mut token = Vec::new();
    assert_eq!(pseudonyms().reversible(Class::Id, id, &mut token), Outcome::Written);
    String::from_utf8(token).expect("a token is text")
}
