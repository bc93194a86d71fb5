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

use super::consumer::{Consumer, TokenDigest};
use super::problem::{Problem, Unknown};
use super::remembered::Remembered;
use crate::jwt::{JwtError, Token, Verifier};
use crate::server::Peer;

/// Everybody who may ask, and the signed tokens that were seen lately.
pub(super) struct Consumers {
    /// Invariant: not empty.
    all: Vec<Arc<Consumer>>,
    remembered: Remembered<Arc<Consumer>>,
}

impl Consumers {
    pub(super) fn new(all: Vec<Arc<Consumer>>) -> Self {
        Self { all, remembered: Remembered::new() }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Consumer>> {
        self.all.iter()
    }

    /// The consumer that is known by what the request shows.
    pub(super) async fn identify(&self, token: Option<&str>, peer: &Peer) -> Result<Arc<Consumer>, Problem> {
        let now = Timestamp::now().as_second();
        let by_certificate = self.by_certificate(peer, now)?;
        let by_token = match token {
            Some(token) => self.by_token(token, now).await,
            None => Err(Unknown::NoCredential.into()),
        };
        match (by_certificate, by_token) {
            (None, by_token) => by_token,
            (Some(one), Ok(other)) if !Arc::ptr_eq(&one, &other) => Err(Unknown::Ambiguous.into()),
            (Some(one), _) => Ok(one),
        }
    }

    fn by_certificate(&self, peer: &Peer, now: i64) -> Result<Option<Arc<Consumer>>, Unknown> {
        let Some(client) = &peer.client else { return Ok(None) };
        let names = client.names_at(now);
        let mut owners = self.all.iter().filter(|consumer| consumer.known_by().has_name_among(names));
        match (owners.next(), owners.next()) {
            (owner, None) => Ok(owner.cloned()),
            (_, Some(_)) => Err(Unknown::Ambiguous),
        }
    }

    async fn by_token(&self, token: &str, now: i64) -> Result<Arc<Consumer>, Problem> {
        let digest = TokenDigest::of(token);
        if let Some(consumer) = self.by_bearer(&digest).or_else(|| self.by_memory(&digest, now)) {
            return Ok(consumer);
        }
        self.by_signature(token, &digest, now).await
    }

    /// All consumers' hashes are compared, so that the time says nothing about which one it was.
    fn by_bearer(&self, digest: &TokenDigest) -> Option<Arc<Consumer>> {
        let mut found = None;
        for consumer in &self.all {
            if consumer.known_by().has(digest) {
                found = Some(consumer);
            }
        }
        found.cloned()
    }

    fn by_memory(&self, digest: &TokenDigest, now: i64) -> Option<Arc<Consumer>> {
        let (consumer, keys) = self.remembered.get(digest, now)?;
        let current = consumer.known_by().verifier()?.keys().current()?;
        Arc::ptr_eq(&current, &keys).then_some(consumer)
    }

    async fn by_signature(
        &self,
        token: &str,
        digest: &TokenDigest,
        now: i64,
    ) -> Result<Arc<Consumer>, Problem> {
        // Where nobody signs tokens, what looks like one is as unknown as any other.
        if self.all.iter().all(|consumer| consumer.known_by().verifier().is_none()) {
            return Err(Unknown::Token.into());
        }
        let token = Token::parse(token).map_err(|error| match error {
            JwtError::Form => Unknown::Token,
            error => Unknown::Jwt(error),
        })?;
        let (consumer, verifier) = self.claimed(&token, now)?;
        let verified = verifier.verify(token, now).await.map_err(|error| match error {
            JwtError::NoKeys => Problem::ConsumerKeys,
            error => Unknown::Jwt(error).into(),
        })?;
        let until = verified.claims.usable_until();
        self.remembered.put(digest, Arc::clone(consumer), verified.keys, until);
        Ok(Arc::clone(consumer))
    }

    /// The one consumer that the token claims to be of; else the reason that came furthest, for the log.
    fn claimed(&self, token: &Token<'_>, now: i64) -> Result<(&Arc<Consumer>, &Verifier), Unknown> {
        let (mut found, mut furthest) = (None, None);
        for consumer in &self.all {
            let Some(verifier) = consumer.known_by().verifier() else { continue };
            match verifier.check_claims(token, now) {
                Ok(()) if found.is_some() => return Err(Unknown::Ambiguous),
                Ok(()) => found = Some((consumer, verifier)),
                Err(error) => furthest = furthest.max(Some(error)),
            }
        }
        found.ok_or(furthest.map_or(Unknown::Token, Unknown::Jwt))
    }
}
