//! Signed tokens in the compact form (RFC 7515 section 3.1), RSA only, as in Entra. Uses aws-lc-rs directly, so that
//! the proxy's tokens are verified by other code than the proxy's.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A parsed token that is not yet verified.
pub(super) struct Compact<'a> {
    header: Value,
    claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

/// The public half of an RSA key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// A key that tokens are signed with.
pub(super) struct SigningKey {
    id: String,
    pair: RsaKeyPair,
}

impl<'a> Compact<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Compact<'a>> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        Some(Compact { header: object(header)?, claims: object(claims)?, signed, signature })
    }

    /// A member of the header that is a string.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.as_str()
    }

    /// A claim that is a string. Empty if it is missing: the values it is compared with are never empty.
    pub(super) fn claim(&self, name: &str) -> &str {
        self.claims.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A claim that is a time, in seconds since 1970.
    pub(super) fn time(&self, name: &str) -> Option<i64> {
        self.claims.get(name)?.as_i64()
    }

    /// Whether the key signed the token with the header's algorithm, which must be RS256 or PS256.
    pub(super) fn is_signed_by(&self, key: &PublicKey) -> bool {
        let algorithm = match self.header("alg") {
            Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
            Some("PS256") => &RSA_PSS_2048_8192_SHA256,
            _ => return false,
        };
        let components = RsaPublicKeyComponents { n: &key.modulus, e: &key.exponent };
        components.verify(algorithm, self.signed.as_bytes(), &self.signature).is_ok()
    }
}

fn object(part: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok().filter(Value::is_object)
}

impl PublicKey {
    /// Takes big-endian numbers, with or without leading zeros.
    pub(super) fn new(modulus: &[u8], exponent: &[u8]) -> PublicKey {
        let significant = |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect();
        PublicKey { modulus: significant(modulus), exponent: significant(exponent) }
    }

    /// Reads a JSON Web Key (RFC 7518 section 6.3.1).
    pub(super) fn from_jwk(key: &Value) -> Option<PublicKey> {
        let number = |name: &str| URL_SAFE_NO_PAD.decode(key.get(name)?.as_str()?).ok();
        let is_rsa = key.get("kty").and_then(Value::as_str) == Some("RSA");
        is_rsa.then(|| Some(PublicKey::new(&number("n")?, &number("e")?))).flatten()
    }
}

impl SigningKey {
    /// A new key of 2048 bits. `None` if the system has no randomness. Takes about a tenth of a second.
    pub(super) fn generate() -> Option<SigningKey> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
        let digest = Sha256::digest(pair.public_key().as_ref());
        // 20 bytes, as long as Entra's key ids, which are SHA-1 thumbprints of certificates.
        let id = URL_SAFE_NO_PAD.encode(digest.first_chunk::<20>()?);
        Some(SigningKey { id, pair })
    }

    /// The public half as a JSON Web Key, without members that the publisher adds.
    pub(super) fn jwk(&self) -> Value {
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        let number = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "RSA", "use": "sig", "kid": self.id, "n": number(public.n), "e": number(public.e) })
    }

    /// A token with these claims (RS256). `None` if signing fails.
    pub(super) fn sign(&self, claims: &Value) -> Option<String> {
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": self.id });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        self.pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_token_verifies_with_its_key_only() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let token = key.sign(&json!({ "iss": "me", "exp": 5 })).unwrap();
        let read = Compact::parse(&token).unwrap();
        assert_eq!((read.claim("iss"), read.claim("sub"), read.time("exp")), ("me", "", Some(5)));
        assert!(read.is_signed_by(&PublicKey::from_jwk(&key.jwk()).unwrap()));
        assert!(!read.is_signed_by(&PublicKey::from_jwk(&other.jwk()).unwrap()));
    }

    #[test]
    fn texts_of_another_form_are_not_tokens() {
        for text in ["", "a.b", "e30.e30", "e30.W10.AA", "e30.e30.?", "e30.e30.e30.AA"] {
            assert!(Compact::parse(text).is_none(), "{text}");
        }
        assert!(Compact::parse("e30.e30.AA").is_some());
    }
}
