//! One consumer's rules and keys, with one request that they admit.

use std::sync::Arc;

use glassine::admit::{Admitted, Policy, Request, admit};
use glassine::graph::Origin;
use glassine::pseudonym::{AddressPolicy, Class, KeyRing, Outcome, Pseudonyms};
use glassine::rules::compile;
use glassine::rules::plan::{Body, LinkKind};
use glassine::sanitize::{Context, Links as _, Raw, Sanitizer};

use crate::pages;

/// About what a body comes in from a socket.
pub(crate) const CHUNK: usize = 16 * 1024;

const RULES: &str = include_str!("../../rules/outlook-mail-metadata-only.yaml");

const MASTER: [u8; 32] = *b"benchmark key; do not use it! 01";

pub(crate) struct Connector {
    policy: Policy,
    pseudonyms: Arc<Pseudonyms>,
    admitted: Admitted,
}

impl Connector {
    pub(crate) fn new() -> Self {
        let keys = KeyRing::parse(&KeyRing::render_new(&MASTER, 'B', "2026-01-01T00:00:00Z")).unwrap();
        let addresses = AddressPolicy { listed: vec![pages::DOMAIN.to_owned()], ..AddressPolicy::default() };
        let pseudonyms = Arc::new(keys.pseudonyms("benchmark", &addresses));
        let policy = Policy {
            plan: Arc::new(compile("outlook-mail-metadata-only.yaml", RULES).plan.unwrap()),
            keys: Arc::<Pseudonyms>::clone(&pseudonyms),
            graph: Origin::parse(pages::GRAPH).unwrap(),
            public_url: "https://graph-proxy.contoso.example".into(),
        };
        let mut token = Vec::new();
        assert_eq!(pseudonyms.reversible(Class::Id, pages::MAILBOX, &mut token), Outcome::Written);
        let target = format!("/v1.0/users/{}/messages", String::from_utf8(token).unwrap());
        let admitted =
            admit(&Request { method: "GET", target: &target, prefer: None, eventual: false }, &policy)
                .unwrap();
        Self { policy, pseudonyms, admitted }
    }

    pub(crate) fn pseudonyms(&self) -> &Pseudonyms {
        &self.pseudonyms
    }

    /// The properties that the proxy asks Graph for.
    pub(crate) fn selected(&self) -> String {
        self.body().select.as_ref().unwrap().join(",")
    }

    /// The consumer's link in place of Graph's.
    pub(crate) fn next_link(&self, link: &str) -> String {
        self.admitted.links(&self.policy).rewrite(link, LinkKind::Next).unwrap()
    }

    pub(crate) fn sanitize(&self, page: &[u8]) -> Vec<u8> {
        let mut sanitizer = Sanitizer::new(Context {
            body: Arc::clone(self.body()),
            pseudonyms: Arc::clone(&self.pseudonyms),
            links: Arc::new(self.admitted.links(&self.policy)),
        });
        let mut out = Vec::new();
        for chunk in page.chunks(CHUNK) {
            sanitizer.feed(Raw::new(chunk)).unwrap();
            out.extend(sanitizer.take().into_inner());
        }
        sanitizer.finish().unwrap();
        out.extend(sanitizer.take().into_inner());
        out
    }

    fn body(&self) -> &Arc<Body> {
        self.admitted.endpoint.response.body()
    }
}
