//! Which consumer sends a request. Each consumer is known by a bearer token, a signed token or a client certificate.
//!
//! Every request comes through here, so costly work is done once. The certificate is read when its connection begins. A
//! verified signed token is remembered by its SHA-256 until the token or its issuer's keys expire. Verification depends
//! only on the token's bytes, the keys and the clock, so the remembered result stays right.
//!
//! A request that two consumers could have sent is refused: a certificate of one with a token of another, a certificate
//! with two consumers' names, a token that satisfies two. A consumer known by its certificate may also send a token
//! that belongs to no consumer, because SDKs cannot send requests without a token.

use std::sync::Arc;

use jiff::Timestamp;

use super::consumer::{Consumer, TokenDigest};
use super::problem::{Problem, Unknown};
use super::remembered::Remembered;
use crate::jwt::{JwtError, Token, Verifier};
use crate::server::Peer;

/// All consumers, and the signed tokens that were verified lately.
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

    /// The consumer that the token or the certificate belongs to.
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

    /// Compares the hashes of all consumers, so that the time does not show which one matched.
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
        // If no consumer has a signed token, do not parse this one.
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

    /// The one consumer whose issuer, audience and subject the token claims. Otherwise the error of the consumer that
    /// passed the most checks, for the log.
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
