//! Who is asking: one consumer, known by exactly one of a bearer token, a signed token, or a client certificate.
//!
//! Every request comes through here, so what is the same for many is done once: a certificate is read when its connection
//! begins, and a signed token is remembered by its SHA-256 for as long as it and its issuer's keys last.
//! The verification that is remembered depends on nothing but the token's bytes, the keys and the clock, so the memory
//! says what verification would say again.
//!
//! A request that two consumers could have made is nobody's: a certificate of one with a token of another, a certificate with
//! two consumers' names, a token that satisfies two. A certificate's consumer may send a token that is nobody's: SDKs cannot
//! do without one.

use std::sync::Arc;

use jiff::Timestamp;

use super::consumer::{Consumer, KnownBy, TokenDigest};
use super::problem::{Problem, Unknown};
use super::remembered::Remembered;
use crate::jwt::{JwtError, Token, Verifier};
use crate::server::Peer;

/// Everybody who may ask, and the signed tokens that were seen lately.
pub(super) struct Consumers {
    /// Invariant: not empty.
    all: Vec<Arc<Consumer>>,
    remembered: Remembered,
}

impl Consumers {
    pub(super) fn new(all: Vec<Arc<Consumer>>) -> Self {
        Self { all, remembered: Remembered::default() }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Consumer>> {
        self.all.iter()
    }

    /// The consumer that is known by what the request shows.
    pub(super) async fn identify(&self, token: Option<&str>, peer: &Peer) -> Result<&Arc<Consumer>, Problem> {
        let now = Timestamp::now().as_second();
        let by_certificate = self.by_certificate(peer, now)?;
        let by_token = match token {
            Some(token) => self.by_token(token, now).await,
            None => Err(Unknown::NoCredential.into()),
        };
        match (by_certificate, by_token) {
            (None, by_token) => by_token,
            (Some(one), Ok(other)) if !Arc::ptr_eq(one, other) => Err(Unknown::Ambiguous.into()),
            (Some(one), _) => Ok(one),
        }
    }

    fn by_certificate(&self, peer: &Peer, now: i64) -> Result<Option<&Arc<Consumer>>, Problem> {
        let Some(client) = &peer.client else { return Ok(None) };
        let names = client.names_at(now);
        let is_of = |consumer: &&Arc<Consumer>| match consumer.known_by() {
            KnownBy::Certificate(known) => known.iter().any(|name| names.contains(name)),
            KnownBy::Bearer(_) | KnownBy::Jwt(_) => false,
        };
        let mut owners = self.all.iter().filter(is_of);
        match (owners.next(), owners.next()) {
            (owner, None) => Ok(owner),
            (_, Some(_)) => Err(Unknown::Ambiguous.into()),
        }
    }

    async fn by_token(&self, token: &str, now: i64) -> Result<&Arc<Consumer>, Problem> {
        let digest = TokenDigest::of(token);
        let verifiers =
            || self.all.iter().enumerate().filter_map(|(at, it)| Some((at, it.known_by().verifier()?)));
        match self.by_bearer(&digest) {
            Some(consumer) => Ok(consumer),
            None if verifiers().next().is_none() => Err(Unknown::Token.into()),
            None => self.by_signature(token, &digest, verifiers(), now).await,
        }
    }

    /// All consumers' hashes are compared, so that the time says nothing about which one it was.
    fn by_bearer(&self, digest: &TokenDigest) -> Option<&Arc<Consumer>> {
        let mut found = None;
        for consumer in &self.all {
            if consumer.known_by().has(digest) {
                found = Some(consumer);
            }
        }
        found
    }

    async fn by_signature<'a>(
        &'a self,
        token: &str,
        digest: &TokenDigest,
        verifiers: impl Iterator<Item = (usize, &'a Verifier)>,
        now: i64,
    ) -> Result<&'a Arc<Consumer>, Problem> {
        let consumer = |at: usize| self.all.get(at).ok_or_else(|| Problem::from(Unknown::Token));
        let is_current = |at: usize, keys: &_| {
            let source = self.all.get(at).and_then(|it| it.known_by().verifier()).map(Verifier::keys);
            source.and_then(|source| source.current()).is_some_and(|current| Arc::ptr_eq(&current, keys))
        };
        if let Some(at) = self.remembered.get(digest, now, is_current) {
            return consumer(at);
        }
        let parsed = Token::parse(token).map_err(|error| match error {
            JwtError::Form => Unknown::Token,
            error => Unknown::Jwt(error),
        })?;
        let (at, verifier) = the_one(&parsed, verifiers, now)?;
        let verified = verifier.verify(parsed, now).await.map_err(|error| match error {
            JwtError::NoKeys => Problem::ConsumerKeys,
            error => Unknown::Jwt(error).into(),
        })?;
        self.remembered.put(digest, at, verified.claims.usable_until(), verified.keys);
        consumer(at)
    }
}

/// The one verifier that the token claims to be for; else the reason that came furthest, for the log.
fn the_one<'a>(
    token: &Token<'_>,
    verifiers: impl Iterator<Item = (usize, &'a Verifier)>,
    now: i64,
) -> Result<(usize, &'a Verifier), Unknown> {
    let (mut found, mut furthest) = (None, JwtError::Algorithm);
    for (at, verifier) in verifiers {
        match verifier.check_claims(token, now) {
            Ok(()) if found.is_some() => return Err(Unknown::Ambiguous),
            Ok(()) => found = Some((at, verifier)),
            Err(error) => furthest = furthest.max(error),
        }
    }
    found.ok_or(Unknown::Jwt(furthest))
}
