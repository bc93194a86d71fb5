//! One consumer's rules and keys, with one request that they admit.

use std::sync::Arc;

use glassine_core::admit::{Admitted, Policy, Request, admit};
use glassine_core::graph::Origin;
use glassine_core::pseudonym::{AddressPolicy, Class, KeyRing, Outcome, OwnDomain, Pseudonyms};
use glassine_core::rules::compile;
use glassine_core::rules::plan::{Body, LinkKind};
use glassine_core::sanitize::{Context, Links as _, Raw, Sanitizer};

use super::pages;

/// About the size of the chunks that arrive from a socket.
pub(crate) const CHUNK: usize = 16 * 1024;

const RULES: &str = include_str!("../../rules/outlook-mail-metadata-only.yaml");

const PUBLIC_URL: &str = "https://graph-proxy.contoso.example";

const MASTER: [u8; 32] = *b"benchmark key; do not use it! 01";

pub(crate) struct Connector {
    policy: Policy,
    pseudonyms: Arc<Pseudonyms>,
    target: String,
    admitted: Admitted,
}

impl Connector {
    /// With the shipped rules.
    pub(crate) fn new() -> Self {
        Self::with_rules(RULES)
    }

    /// `rules` must open the messages of a mailbox under the same path as the shipped rules.
    pub(crate) fn with_rules(rules: &str) -> Self {
        let keys = KeyRing::parse(&KeyRing::render_new(&MASTER, 'B', "2026-01-01T00:00:00Z")).unwrap();
        let own = OwnDomain::parse(pages::DOMAIN).into_iter().collect();
        let addresses = AddressPolicy { own, ..AddressPolicy::default() };
        let pseudonyms = Arc::new(keys.pseudonyms("benchmark", &addresses));
        let policy = Policy::new(
            Arc::new(compile("rules.yaml", rules).plan.unwrap()),
            Arc::<Pseudonyms>::clone(&pseudonyms),
            Origin::parse(pages::GRAPH).unwrap(),
            PUBLIC_URL.into(),
        );
        let mut token = Vec::new();
        assert_eq!(pseudonyms.reversible(Class::Id, pages::MAILBOX, &mut token), Outcome::Written);
        let target = format!("/v1.0/users/{}/messages", String::from_utf8(token).unwrap());
        let admitted = admitted(&target, &policy);
        Self { policy, pseudonyms, target, admitted }
    }

    /// Admits a request for a list of messages with these options.
    pub(crate) fn admit(&self, query: &str) -> Admitted {
        admitted(&format!("{}{query}", self.target), &self.policy)
    }

    /// Follows a link of a response.
    pub(crate) fn follow(&self, link: &str) -> Admitted {
        admitted(link.strip_prefix(PUBLIC_URL).unwrap(), &self.policy)
    }

    pub(crate) fn pseudonyms(&self) -> &Pseudonyms {
        &self.pseudonyms
    }

    /// The properties that the proxy requests from Graph.
    pub(crate) fn selected(&self) -> String {
        self.body().select.as_ref().unwrap().join(",")
    }

    /// The consumer's link in place of Graph's.
    pub(crate) fn next_link(&self, link: &str) -> String {
        self.admitted.links(&self.policy).rewrite(link, LinkKind::Next).unwrap()
    }

    pub(crate) fn sanitizer(&self) -> Sanitizer {
        Sanitizer::new(Context {
            body: Arc::clone(self.body()),
            pseudonyms: Arc::clone(&self.pseudonyms),
            links: Arc::new(self.admitted.links(&self.policy)),
        })
    }

    /// Sanitizes chunk by chunk, and takes the clean bytes as the proxy does.
    pub(crate) fn stream(&self, page: &[u8], mut piece: impl FnMut(Vec<u8>)) {
        let mut sanitizer = self.sanitizer();
        for chunk in page.chunks(CHUNK) {
            sanitizer.feed(Raw::new(chunk)).unwrap();
            piece(sanitizer.take().into_inner());
        }
        sanitizer.finish().unwrap();
        piece(sanitizer.take().into_inner());
    }

    pub(crate) fn sanitize(&self, page: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.stream(page, |piece| out.extend(piece));
        out
    }

    fn body(&self) -> &Arc<Body> {
        self.admitted.endpoint.response.body()
    }
}

fn admitted(target: &str, policy: &Policy) -> Admitted {
    admit(&Request { method: "GET", target, prefer: None, eventual: false }, policy).unwrap()
}
