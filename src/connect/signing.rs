//! The result that goes back to the analytics application: a JSON Web Token (RFC 7519) signed with Ed25519 (RFC 8037),
//! by a key that every replica derives from the key ring. The proxy publishes the public keys of all ring entries as a
//! key set (RFC 7517), so that a result from before a key rotation still verifies.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::ticket::Person;
use crate::jws;
use glassine_core::pseudonym::KeyRing;

/// A browser delivers the result within a second. The rest allows for clocks that differ.
pub(super) const LIFETIME_SECONDS: i64 = 300;

/// The claims of a result.
#[derive(Serialize)]
pub(super) struct Claims<'a> {
    /// This proxy: `public_url`.
    pub(super) iss: &'a str,
    /// The origin of the consumer's return URL.
    pub(super) aud: &'a str,
    /// Seconds since 1970.
    pub(super) iat: i64,
    /// Seconds since 1970.
    pub(super) exp: i64,
    /// A unique id, by which the application refuses a second use.
    pub(super) jti: &'a str,
    /// The consumer's name in the configuration.
    pub(super) consumer: &'a str,
    /// The connector's name in the rules.
    pub(super) connector: &'a str,
    /// The fingerprint of the rules.
    pub(super) rules: &'a str,
    /// `connected`, `over_privileged`, `granted_unverified`, `consent_missing` or `failed`.
    pub(super) connection: &'a str,
    /// Why the connection failed, as a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<&'a str>,
    /// Needed permissions that are not granted.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) missing: &'a [String],
    /// Granted permissions that are not needed.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) excess: &'a [String],
    /// The tenant, as a pseudonym.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<&'a str>,
    /// Who connected, as pseudonyms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) person: Option<&'a Person>,
    /// The `state` that the application gave at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<&'a str>,
}

/// The keys that results are signed with, one per ring entry.
pub(super) struct ResultKeys {
    newest: ResultKey,
    older: Vec<ResultKey>,
}

struct ResultKey {
    pair: Ed25519KeyPair,
    /// The key's thumbprint (RFC 7638).
    id: String,
}

/// The cryptography library refused a key, or a claim could not be written. No input can cause either.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a result cannot be signed")]
pub(super) struct SigningError;

impl ResultKeys {
    pub(super) fn new(ring: &KeyRing) -> Result<Self, SigningError> {
        let keys: Result<Vec<_>, _> =
            ring.connection_result_seeds().iter().map(|seed| ResultKey::new(&**seed)).collect();
        let mut keys = keys?.into_iter();
        Ok(Self { newest: keys.next().ok_or(SigningError)?, older: keys.collect() })
    }

    /// The claims as a signed token.
    pub(super) fn sign(&self, claims: &Claims<'_>) -> Result<String, SigningError> {
        let header = json!({ "alg": "EdDSA", "kid": self.newest.id, "typ": "JWT" });
        let claims = serde_json::to_vec(claims).map_err(|_| SigningError)?;
        jws::compact(&header, &claims, |text| Ok(self.newest.pair.sign(text).as_ref().to_vec()))
    }

    /// The public keys as a key set.
    pub(super) fn key_set(&self) -> String {
        let keys = std::iter::once(&self.newest).chain(&self.older);
        json!({ "keys": keys.map(ResultKey::public).collect::<Vec<_>>() }).to_string()
    }
}

impl ResultKey {
    fn new(seed: &[u8]) -> Result<Self, SigningError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| SigningError)?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        // RFC 8037, appendix A.3: the required members in this order, and no white space.
        let digest = Sha256::digest(format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{x}\"}}"));
        Ok(Self { pair, id: URL_SAFE_NO_PAD.encode(digest) })
    }

    fn public(&self) -> serde_json::Value {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key());
        json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.id, "alg": "EdDSA", "use": "sig" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_id_is_the_thumbprint_of_rfc_8037() {
        // RFC 8037, appendix A.1 to A.3.
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = ResultKey::new(&seed).unwrap();
        assert_eq!(key.id, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(key.public()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    }
}
