//! One consumer at run time: its credentials, rules, keys and limits.

use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::descriptions::Descriptions;
use super::limits::Limits;
use super::problem::Problem;
use crate::approvals::Approval;
use crate::config::{self, BearerHash, SubjectName};
use crate::jwt::Verifier;
use crate::upstream::{AccessToken, Gate, TokenSource};
use glassine_core::admit::{Admitted, Keys, Policy};
use glassine_core::pseudonym::{AddressPolicy, KeyRing, Pseudonyms};
use glassine_core::rules::plan::Body;
use glassine_core::sanitize::Context;
use glassine_core::statement::Statement;

/// A consumer: how it is recognized, what it may request, and what it gets.
pub(crate) struct Consumer {
    name: Arc<str>,
    checked: config::Consumer,
    known_by: KnownBy,
    decided: Decided,
    keys: Rotation,
    limits: Arc<Limits>,
    /// The fingerprint of its statement as records and headers have it.
    short: Arc<str>,
    application: Application,
    /// `None`: the configuration demands no approvals.
    approval: Option<Approval>,
}

/// What the rules decide for a consumer, and their text.
pub(super) struct Decided {
    pub(super) policy: Policy,
    pub(super) statement: Statement,
    pub(super) descriptions: Descriptions,
    /// The text of the rules file.
    pub(super) rules: String,
}

/// The pseudonyms of a consumer under each key of the ring. What follows a link is made with the key of the link, so that
/// a walk, and the rounds of changes after it, have one token for each object to their end.
pub(super) struct Rotation {
    pub(super) newest: Arc<Pseudonyms>,
    pub(super) older: Vec<Arc<Pseudonyms>>,
}

impl Rotation {
    pub(super) fn new(ring: &KeyRing, domain: &str, addresses: &AddressPolicy) -> Self {
        let older = ring.older_ids().filter_map(|id| ring.led_by(id));
        Self {
            newest: Arc::new(ring.pseudonyms(domain, addresses)),
            older: older.map(|ring| Arc::new(ring.pseudonyms(domain, addresses))).collect(),
        }
    }

    fn under(&self, key: Option<char>) -> &Arc<Pseudonyms> {
        let named = self.older.iter().find(|pseudonyms| Some(pseudonyms.key()) == key);
        named.unwrap_or(&self.newest)
    }
}

/// A consumer in one request.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) consumer: Arc<Consumer>,
    /// Its own token for Graph, if the configuration says that consumers send one.
    pub(super) graph_token: Option<Arc<AccessToken>>,
}

/// The application that calls Graph for a consumer. Consumers can share one.
#[derive(Clone)]
pub(super) struct Application {
    /// `None`: the consumer sends its own token with each request.
    pub(super) tokens: Option<Arc<TokenSource>>,
    /// What its requests pass.
    pub(super) gate: Arc<Gate>,
}

/// What a consumer is recognized by.
pub(super) enum KnownBy {
    Bearer(Vec<BearerHash>),
    Certificate(Vec<SubjectName>),
    Jwt(Verifier),
}

impl Consumer {
    pub(super) fn new(
        checked: config::Consumer,
        known_by: KnownBy,
        decided: Decided,
        keys: Rotation,
        application: Application,
        approval: Option<Approval>,
    ) -> Self {
        let limits = Arc::new(Limits::new(checked.limits()));
        let (name, short) = (checked.name().into(), decided.statement.fingerprint().short().into());
        Self { name, checked, known_by, decided, keys, limits, short, application, approval }
    }

    /// Takes over the counters of this consumer before a reload, if its limits are unchanged. Otherwise a reload would
    /// reset them.
    pub(super) fn continuing(self, earlier: Option<&Self>) -> Self {
        let same = earlier.filter(|it| it.name == self.name && it.checked.limits() == self.checked.limits());
        let limits = same.map_or_else(|| Arc::clone(&self.limits), |it| Arc::clone(&it.limits));
        Self { limits, ..self }
    }

    /// The tokens of the application that calls Graph for this consumer; `None` if the consumer sends its own token.
    pub(crate) fn tokens(&self) -> Option<&Arc<TokenSource>> {
        self.application.tokens.as_ref()
    }

    /// What its requests to Graph pass.
    pub(super) fn gate(&self) -> &Arc<Gate> {
        &self.application.gate
    }

    /// Who has approved what this consumer gets; `None` if the configuration demands no approvals.
    pub(crate) fn approval(&self) -> Option<&Approval> {
        self.approval.as_ref()
    }

    /// The rules file's text.
    pub(crate) fn rules(&self) -> &str {
        &self.decided.rules
    }

    /// All that this consumer may ask and gets.
    pub(crate) fn statement(&self) -> &Statement {
        &self.decided.statement
    }

    /// The same for programs.
    pub(super) fn descriptions(&self) -> &Descriptions {
        &self.decided.descriptions
    }

    /// The statement's fingerprint as records and headers have it.
    pub(crate) fn short_fingerprint(&self) -> &Arc<str> {
        &self.short
    }

    /// What makes new tokens.
    pub(crate) fn pseudonyms(&self) -> &Arc<Pseudonyms> {
        &self.keys.newest
    }

    /// The id of the key that the response to `admitted` is made with.
    pub(super) fn key(&self, admitted: &Admitted) -> char {
        self.keys.under(admitted.key).key()
    }

    pub(crate) fn checked(&self) -> &config::Consumer {
        &self.checked
    }

    pub(crate) fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.decided.policy
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Refuses a request from an address that is not the consumer's.
    pub(super) fn check_address(&self, address: IpAddr) -> Result<(), Problem> {
        if self.checked.may_come_from(address) { Ok(()) } else { Err(Problem::Address) }
    }

    pub(super) fn known_by(&self) -> &KnownBy {
        &self.known_by
    }

    /// What the sanitizer needs for the response to `admitted`.
    pub(super) fn context(&self, body: &Arc<Body>, admitted: &Admitted) -> Context {
        let pseudonyms = Arc::clone(self.keys.under(admitted.key));
        let policy = self.decided.policy.with_keys(Arc::clone(&pseudonyms) as Arc<dyn Keys>);
        let links = Arc::new(admitted.links(&policy));
        Context { body: Arc::clone(body), pseudonyms, links }
    }
}

impl KnownBy {
    /// Whether the digest belongs to one of these tokens. Compares all of them, in constant time.
    pub(super) fn has(&self, digest: &TokenDigest) -> bool {
        let known = match self {
            Self::Bearer(known) => known.as_slice(),
            Self::Certificate(_) | Self::Jwt(_) => &[],
        };
        BearerHash::list_has(known, &digest.0)
    }

    /// Whether a certificate has one of these names. Names are not secret, so the time of the comparison may vary.
    pub(super) fn has_name_among(&self, names: &[SubjectName]) -> bool {
        match self {
            Self::Certificate(known) => known.iter().any(|name| names.contains(name)),
            Self::Bearer(_) | Self::Jwt(_) => false,
        }
    }

    pub(super) fn verifier(&self) -> Option<&Verifier> {
        match self {
            Self::Jwt(verifier) => Some(verifier),
            Self::Bearer(_) | Self::Certificate(_) => None,
        }
    }
}

/// The SHA-256 of a bearer token. The configuration contains only this digest.
pub(super) struct TokenDigest([u8; 32]);

impl TokenDigest {
    pub(super) fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
