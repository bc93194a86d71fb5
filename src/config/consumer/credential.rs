//! A consumer's credential, of exactly one kind. The proxy recognizes the consumer by it.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use subtle::{Choice, ConstantTimeEq as _};

use crate::config::check::Context;
use crate::config::codes::{CONFIG_ADMITS, CONFIG_CONSUMER, CONFIG_VALUE};
use crate::config::raw::{self, Text};
use crate::config::url::check_document;
use crate::config::{FileRef, SubjectName};
use crate::jwt::{Algorithm, Expected, RequiredClaim};
use glassine_core::graph::Url;
use glassine_core::hex;
use glassine_core::yaml::{Spanned, Texts};

/// The SHA-256 of an empty text, which `sha256sum` prints for an unset variable.
const EMPTY_SHA256: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// The longest issuer, audience or claim, in bytes.
const MAX_TEXT: usize = 2_048;

/// Claims that have separate keys in the configuration, or that are always checked.
const RESERVED_CLAIMS: [&str; 5] = ["iss", "aud", "exp", "nbf", "iat"];

/// What the proxy recognizes a consumer by.
#[derive(Clone, Debug)]
pub enum ConsumerCredential {
    /// One of these bearer tokens. Invariant: not empty.
    Bearer(Vec<BearerHash>),
    /// A client certificate with one of these names. Invariant: not empty.
    Certificate(Vec<SubjectName>),
    /// A token that an issuer signed.
    Jwt(Box<JwtCredential>),
}

/// The SHA-256 of a bearer token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BearerHash([u8; 32]);

/// Which signed tokens belong to a consumer.
#[derive(Clone, Debug)]
pub struct JwtCredential {
    /// The claims that a token needs.
    pub expected: Expected,
    /// Where the issuer's keys come from.
    pub keys: JwksLocation,
}

/// Where an issuer's public keys come from.
#[derive(Clone, Debug)]
pub enum JwksLocation {
    /// A file.
    File(FileRef),
    /// A URL. The keys are fetched again when the issuer changes them.
    Url(Url),
}

impl BearerHash {
    /// The bytes. Compare them in constant time.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether the SHA-256 of a token is one of these. Compares all of them, in constant time.
    pub(crate) fn list_has(list: &[Self], digest: &[u8; 32]) -> bool {
        list.iter().fold(Choice::from(0), |any, hash| any | hash.0.ct_eq(digest)).into()
    }

    fn parse(text: &str) -> Option<Self> {
        hex::decoded(text)?.try_into().ok().map(Self)
    }
}

impl fmt::Debug for BearerHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerHash(…)")
    }
}

/// The credentials of the consumers before this one, and whether client certificates can be verified.
pub(super) struct KnownCredentials {
    has_client_ca: bool,
    hashes: HashSet<BearerHash>,
    names: HashSet<SubjectName>,
    tokens: Vec<Expected>,
}

impl KnownCredentials {
    pub(super) fn new(has_client_ca: bool) -> Self {
        Self { has_client_ca, hashes: HashSet::new(), names: HashSet::new(), tokens: Vec::new() }
    }
}

/// Checks that there is exactly one kind of credential, and that no earlier consumer has the same one.
pub(super) fn check_credential(
    credential: &Spanned<raw::ConsumerCredential>,
    taken: &mut KnownCredentials,
    context: &mut Context<'_>,
) -> Option<ConsumerCredential> {
    let raw::ConsumerCredential { bearer_sha256, mtls, jwt } = &credential.value;
    match (bearer_sha256, mtls, jwt) {
        (Some(hashes), None, None) if !hashes.value.is_empty() => {
            all(&hashes.value, |text| check_hash(text, taken, context)).map(ConsumerCredential::Bearer)
        }
        (None, Some(mtls), None) if !mtls.value.san.0.is_empty() => {
            check_names(mtls, taken, context).map(ConsumerCredential::Certificate)
        }
        (None, None, Some(jwt)) => {
            check_jwt(jwt, taken, context).map(|jwt| ConsumerCredential::Jwt(Box::new(jwt)))
        }
        _ => context.refuse(
            CONFIG_VALUE,
            &credential.span,
            "this consumer has no credential, or more than one kind",
            "write one of `bearer_sha256` (the hashes that `glassine token new` prints), `mtls` or `jwt`",
        ),
    }
}

/// Checks each text, so that one mistake does not hide the next.
fn all<T>(texts: &[Text], check: impl FnMut(&Text) -> Option<T>) -> Option<Vec<T>> {
    let checked: Vec<_> = texts.iter().map(check).collect();
    checked.into_iter().collect()
}

fn check_hash(text: &Text, taken: &mut KnownCredentials, context: &mut Context<'_>) -> Option<BearerHash> {
    let hash = check_digest(text, context)?;
    if !taken.hashes.insert(hash) {
        return context.refuse(
            CONFIG_CONSUMER,
            &text.span,
            "this token hash is listed twice",
            "give each consumer a different token",
        );
    }
    Some(hash)
}

/// The hashes of tokens that belong to no consumer.
pub(in crate::config) fn check_hashes(
    hashes: &Spanned<Vec<Text>>,
    context: &mut Context<'_>,
) -> Option<Vec<BearerHash>> {
    if hashes.value.is_empty() {
        let hint = "list the hashes that `glassine token new` prints, or remove the key";
        return context.refuse(CONFIG_VALUE, &hashes.span, "there is no token", hint);
    }
    all(&hashes.value, |text| check_digest(text, context))
}

fn check_digest(text: &Text, context: &mut Context<'_>) -> Option<BearerHash> {
    let Some(hash) = BearerHash::parse(&text.value) else {
        return context.refuse(
            CONFIG_VALUE,
            &text.span,
            "this is not a SHA-256 hash",
            "write 64 hexadecimal digits, as `glassine token new` prints them; never the token itself",
        );
    };
    if hash.0 == EMPTY_SHA256 {
        return context.refuse(
            CONFIG_VALUE,
            &text.span,
            "this is the hash of an empty text",
            "hash the token, without a newline",
        );
    }
    Some(hash)
}

fn check_names(
    mtls: &Spanned<raw::Mtls>,
    taken: &mut KnownCredentials,
    context: &mut Context<'_>,
) -> Option<Vec<SubjectName>> {
    let names = all(&mtls.value.san.0, |text| check_name(text, taken, context));
    if !taken.has_client_ca {
        let hint = "add `client_ca_file` to `tls`: the authorities that sign the certificates of consumers";
        return context.refuse(
            CONFIG_VALUE,
            &mtls.span,
            "client certificates cannot be verified without `client_ca_file`",
            hint,
        );
    }
    names
}

fn check_name(text: &Text, taken: &mut KnownCredentials, context: &mut Context<'_>) -> Option<SubjectName> {
    let Some(name) = SubjectName::parse(&text.value) else {
        return context.refuse(
            CONFIG_VALUE,
            &text.span,
            "this is not the name of a certificate's subject",
            "write a whole subjectAltName: dns:acme.example, uri:spiffe://acme.example/export, email:… or ip:…; no wildcards, no CN",
        );
    };
    if !taken.names.insert(name.clone()) {
        return context.refuse(
            CONFIG_CONSUMER,
            &text.span,
            "this certificate name is listed twice",
            "give each consumer a different name",
        );
    }
    Some(name)
}

fn check_jwt(
    jwt: &Spanned<raw::Jwt>,
    taken: &mut KnownCredentials,
    context: &mut Context<'_>,
) -> Option<JwtCredential> {
    let written = &jwt.value;
    let issuer = check_text(&written.issuer, context);
    let audiences = check_texts(&written.audience, &jwt.span, context);
    let algorithms = match &written.algorithms {
        None => Some(Algorithm::DEFAULT.to_vec()),
        Some(names) => check_algorithms(names, context),
    };
    let claims = check_claims(written, &jwt.span, context);
    let keys = check_keys(jwt, context);
    let expected =
        Expected { issuer: issuer?, audiences: audiences?, algorithms: algorithms?, claims: claims? };
    if taken.tokens.iter().any(|earlier| is_shared(earlier, &expected)) {
        return context.refuse(
            CONFIG_CONSUMER,
            &jwt.span,
            "one token could match both this consumer and an earlier one",
            "give each a different audience, or require different values of a claim, such as `azp`",
        );
    }
    if expected.claims.is_empty() {
        context.warn(
            CONFIG_ADMITS,
            &jwt.span,
            "without `claims`, every application that can get a token of this issuer for this audience is this consumer",
            "require the application: `claims: { azp: ITS_CLIENT_ID }` for Entra's tokens of version 2, `appid` for version 1",
        );
    }
    taken.tokens.push(expected.clone());
    Some(JwtCredential { expected, keys: keys? })
}

/// Whether one token could satisfy both. This check cannot find all such tokens: one with two audiences, or two values
/// of a claim, may satisfy two consumers that look separate here. Such a token is refused when it comes.
fn is_shared(one: &Expected, other: &Expected) -> bool {
    let meet = |a: &[String], b: &[String]| a.iter().any(|text| b.contains(text));
    let claims_meet = one.claims.iter().all(|claim| {
        let same = other.claims.iter().find(|it| it.name == claim.name);
        same.is_none_or(|same| meet(&claim.one_of, &same.one_of))
    });
    one.issuer == other.issuer
        && meet(&one.audiences, &other.audiences)
        && one.algorithms.iter().any(|algorithm| other.algorithms.contains(algorithm))
        && claims_meet
}

fn check_text(text: &Text, context: &mut Context<'_>) -> Option<String> {
    let is_text = (1..=MAX_TEXT).contains(&text.value.len()) && !text.value.contains(char::is_control);
    if is_text && text.value.trim() == text.value {
        return Some(text.value.clone());
    }
    let hint = "write it exactly as in the token; it is compared byte for byte";
    context.refuse(CONFIG_VALUE, &text.span, "this is not an issuer, audience or claim", hint)
}

fn check_texts(texts: &Texts, place: &Range<usize>, context: &mut Context<'_>) -> Option<Vec<String>> {
    if texts.0.is_empty() {
        return context.refuse(
            CONFIG_VALUE,
            place,
            "this list is empty, so no token would match",
            "name at least one value",
        );
    }
    all(&texts.0, |text| check_text(text, context))
}

fn check_algorithms(names: &Texts, context: &mut Context<'_>) -> Option<Vec<Algorithm>> {
    all(&names.0, |text| {
        Algorithm::from_name(&text.value).or_else(|| {
            context.refuse(
                CONFIG_VALUE,
                &text.span,
                "this is not a signature algorithm with a public key",
                "use RS256, PS256, ES256 or EdDSA (RFC 7518), or leave `algorithms` out to allow those four",
            )
        })
    })
    .filter(|algorithms| !algorithms.is_empty())
}

fn check_claims(
    jwt: &raw::Jwt,
    place: &Range<usize>,
    context: &mut Context<'_>,
) -> Option<Vec<RequiredClaim>> {
    let Some(written) = &jwt.claims else { return Some(Vec::new()) };
    let claims = written.0.iter().map(|(name, values)| {
        if RESERVED_CLAIMS.contains(&name.value.as_str()) {
            let hint = "write `issuer` and `audience` as separate keys; times are always checked";
            return context.refuse(CONFIG_VALUE, &name.span, "this claim cannot be in `claims`", hint);
        }
        let name = check_text(name, context);
        let one_of = values.0.as_ref().and_then(|values| check_texts(values, place, context));
        Some(RequiredClaim { name: name?, one_of: one_of? })
    });
    let claims: Vec<_> = claims.collect();
    claims.into_iter().collect()
}

fn check_keys(jwt: &Spanned<raw::Jwt>, context: &mut Context<'_>) -> Option<JwksLocation> {
    match (&jwt.value.jwks_file, &jwt.value.jwks_url) {
        (Some(file), None) => context.file(file).map(JwksLocation::File),
        (None, Some(url)) => check_document(url, context).map(JwksLocation::Url),
        (Some(_), Some(_)) | (None, None) => context.refuse(
            CONFIG_VALUE,
            &jwt.span,
            "the issuer's keys come from exactly one place",
            "write `jwks_url`, which the issuer's OpenID configuration names as `jwks_uri`, or `jwks_file`",
        ),
    }
}
