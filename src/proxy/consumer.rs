//! One consumer as it runs.

use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::limits::Limits;
use crate::admit::{Admitted, Policy};
use crate::config;
use crate::pseudonym::Pseudonyms;
use crate::rules::plan::Body;
use crate::sanitize::Context;

/// A consumer: who it is, what it may ask, what it gets.
pub(super) struct Consumer {
    name: Arc<str>,
    checked: config::Consumer,
    policy: Policy,
    pseudonyms: Arc<Pseudonyms>,
    limits: Limits,
}

impl Consumer {
    pub(super) fn new(checked: config::Consumer, policy: Policy, pseudonyms: Arc<Pseudonyms>) -> Self {
        let limits = Limits::new(checked.limits());
        Self { name: checked.name().into(), checked, policy, pseudonyms, limits }
    }

    pub(super) fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn may_come_from(&self, address: IpAddr) -> bool {
        self.checked.may_come_from(address)
    }

    /// Whether the digest is that of one of this consumer's tokens. Compares them all, in constant time.
    pub(super) fn knows(&self, digest: &TokenDigest) -> bool {
        let known = self.checked.bearer().iter();
        known.fold(Choice::from(0), |any, hash| any | hash.as_bytes().ct_eq(&digest.0)).into()
    }

    /// What an answer to `admitted` is sanitized with.
    pub(super) fn context(&self, body: &Arc<Body>, admitted: &Admitted) -> Context {
        Context {
            body: Arc::clone(body),
            pseudonyms: Arc::clone(&self.pseudonyms),
            links: Arc::new(admitted.links(&self.policy)),
        }
    }
}

/// The SHA-256 of a bearer token: what the configuration knows of it.
pub(super) struct TokenDigest([u8; 32]);

impl TokenDigest {
    pub(super) fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }
}
