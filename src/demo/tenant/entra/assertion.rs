//! Client assertions (RFC 7523): a token instead of a secret, signed with the application's certificate or by an issuer
//! that the application trusts.
//!
//! Stricter than Entra in one thing, so that a client's mistake shows: an assertion that the application signed is
//! valid once, needs a `jti`, and must expire within a day. Entra "doesn't place restrictions on the `exp` time
//! currently". Source: <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>.

use super::certificate::Certificate;
use super::jose::Compact;
use super::refusal::Refusal;
use super::registration::{FederatedCredential, Registration};

/// How far clocks may differ, in seconds.
const SKEW: i64 = 5 * 60;
/// The longest life of an assertion, in seconds.
const LONGEST: i64 = 24 * 60 * 60;

/// The identity of an assertion that the application signed, by which a second use is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Once {
    pub(super) id: String,
    /// Until when it must be remembered, in seconds since 1970.
    pub(super) until: i64,
}

/// Verifies an assertion. If the application signed it, returns the identity by which a second use is refused.
pub(super) fn verify(
    assertion: &str,
    application: &Registration,
    audiences: &[String],
    by_sha1_only: bool,
    now: i64,
) -> Result<Option<Once>, Refusal> {
    let assertion = Compact::parse(assertion).ok_or(Refusal::AssertionForm)?;
    if assertion.claim("iss") == application.client_id {
        check_key(&assertion, application, by_sha1_only, now)?;
        own(&assertion, application, audiences, now).map(Some)
    } else {
        federated(&assertion, &application.federated, now).map(|()| None)
    }
}

fn own(
    assertion: &Compact<'_>,
    application: &Registration,
    audiences: &[String],
    now: i64,
) -> Result<Once, Refusal> {
    let subject = assertion.claim("sub");
    if subject != application.client_id {
        return Err(Refusal::AssertionApplication(subject.to_owned()));
    }
    let audience = assertion.claim("aud");
    if !audiences.iter().any(|own| own == audience) {
        return Err(Refusal::AssertionAudience(audience.to_owned()));
    }
    let until = check_time(assertion, now)?;
    match assertion.claim("jti") {
        "" => Err(Refusal::AssertionReplayed),
        id => Ok(Once { id: format!("{} {id}", application.client_id), until: until + SKEW }),
    }
}

/// Checks that the header names a registered certificate and that the certificate's key signed. Entra finds a certificate by
/// `x5t#S256`, or by the older `x5t` (RFC 7515 sections 4.1.7 and 4.1.8).
fn check_key(
    assertion: &Compact<'_>,
    application: &Registration,
    by_sha1_only: bool,
    now: i64,
) -> Result<(), Refusal> {
    if !assertion.header("typ").is_some_and(|kind| kind.eq_ignore_ascii_case("JWT")) {
        return Err(Refusal::AssertionForm);
    }
    let by_sha256 = assertion.header("x5t#S256").filter(|_| !by_sha1_only);
    let (named, thumbprint): (_, fn(&Certificate) -> &str) = match by_sha256 {
        Some(named) => (named, |certificate| &certificate.thumbprint),
        None => (assertion.header("x5t").unwrap_or_default(), |certificate| &certificate.sha1),
    };
    let known = application.certificates.iter().find(|certificate| thumbprint(certificate) == named);
    let certificate = known.ok_or_else(|| Refusal::AssertionKey(named.to_owned()))?;
    if !certificate.valid.contains(&now) {
        return Err(Refusal::AssertionKeyExpired(named.to_owned()));
    }
    if assertion.is_signed_by(&certificate.key) { Ok(()) } else { Err(Refusal::AssertionSignature) }
}

/// Verifies a token of another issuer. It may be used again, because clients read it from a file many times.
fn federated(assertion: &Compact<'_>, trusted: &[FederatedCredential], now: i64) -> Result<(), Refusal> {
    let claim = |name: &str| assertion.claim(name).to_owned();
    let same_issuer: Vec<_> = trusted.iter().filter(|it| it.issuer == assertion.claim("iss")).collect();
    if same_issuer.is_empty() {
        return Err(Refusal::FederatedIssuer(claim("iss")));
    }
    let mut same_subject = same_issuer.iter().filter(|it| it.subject == assertion.claim("sub")).peekable();
    if same_subject.peek().is_none() {
        return Err(Refusal::FederatedSubject(claim("sub")));
    }
    let credential = same_subject.find(|it| it.audience == assertion.claim("aud"));
    let credential = credential.ok_or_else(|| Refusal::FederatedAudience(claim("aud")))?;
    let key = credential.key(assertion.header("kid"));
    // Entra accepts tokens of other issuers only with RS256.
    let signed =
        assertion.header("alg") == Some("RS256") && key.is_some_and(|key| assertion.is_signed_by(&key));
    if !signed {
        return Err(Refusal::FederatedSignature);
    }
    check_time(assertion, now).map(|_| ())
}

/// When the assertion expires, if it is valid now.
fn check_time(assertion: &Compact<'_>, now: i64) -> Result<i64, Refusal> {
    let until = assertion.time("exp").ok_or(Refusal::AssertionForm)?;
    let from = assertion.time("nbf").or_else(|| assertion.time("iat")).ok_or(Refusal::AssertionForm)?;
    let in_time = now + SKEW >= from && now < until.saturating_add(SKEW);
    if in_time && until.saturating_sub(now) <= LONGEST {
        Ok(until)
    } else {
        Err(Refusal::AssertionTime { now, from, until })
    }
}
