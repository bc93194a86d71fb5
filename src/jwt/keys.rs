//! A key set (RFC 7517 section 5), and the verification of a signature with it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use super::algorithm::{Algorithm, KeyKind};
use super::error::JwtError;
use super::json;
use super::token::Token;
use glassine_core::graph::without_byte_order_mark;

/// The most keys of a set. Entra publishes about a dozen.
const MAX_KEYS: usize = 100;

/// Entra's placeholder for the tenant's id in a key's `issuer`.
const TENANT: &str = "{tenantid}";

/// The public keys of an issuer.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySet {
    /// Invariant: not empty.
    keys: Vec<Key>,
}

#[derive(Clone, PartialEq, Eq)]
struct Key {
    id: Option<String>,
    /// The only algorithm that the key is for, if the key names one.
    algorithm: Option<Algorithm>,
    /// The only issuer that the key is for, if the key names one: Entra's extension for key sets that tenants share.
    issuer: Option<String>,
    public: PublicKey,
}

#[derive(Clone, PartialEq, Eq)]
enum PublicKey {
    Ec { kind: KeyKind, x: Vec<u8>, y: Vec<u8> },
    Ed25519 { x: Vec<u8> },
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

/// Why a document cannot be used as a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not a JSON object with an array `keys` of objects, or a name occurs twice.
    #[error("this is not a JSON Web Key Set (an object with an array `keys`, in which no name comes twice)")]
    Form,
    /// No key that can verify a signature.
    #[error("no key of the set is a public RSA, EC or Ed25519 key for signatures")]
    NoUsableKey,
    /// A private key: everybody who can read the set can sign tokens.
    #[error("the set has a private key (`d`): replace it, and publish only its public part")]
    PrivateKey,
    /// More keys than the limit.
    #[error("the set has more than {MAX_KEYS} keys")]
    TooMany,
}

impl KeySet {
    /// Reads a key set, before which there may be a byte order mark. Leaves out keys that cannot verify signatures, because sets
    /// may have keys for other uses.
    ///
    /// # Errors
    /// [`KeySetError`] if the set is malformed or too large, has no key to verify with, or has a private key.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeySetError> {
        let set = json::object(without_byte_order_mark(bytes)).ok_or(KeySetError::Form)?;
        let written = set.get("keys").and_then(Value::as_array).ok_or(KeySetError::Form)?;
        if written.len() > MAX_KEYS {
            return Err(KeySetError::TooMany);
        }
        let objects: Option<Vec<_>> = written.iter().map(Value::as_object).collect();
        let objects = objects.ok_or(KeySetError::Form)?;
        if objects.iter().any(|key| key.contains_key("d")) {
            return Err(KeySetError::PrivateKey);
        }
        let keys: Vec<_> = objects.into_iter().filter_map(Key::read).collect();
        if keys.is_empty() { Err(KeySetError::NoUsableKey) } else { Ok(Self { keys }) }
    }

    /// Checks that one of the keys signed the token. Several keys may have the token's `kid`. A token without a `kid`
    /// is accepted only if exactly one key fits it.
    pub(super) fn verify(&self, token: &Token<'_>) -> Result<(), JwtError> {
        let named: Vec<_> = match &token.key_id {
            Some(id) => self.keys.iter().filter(|key| key.id.as_ref() == Some(id)).collect(),
            None => self.keys.iter().filter(|key| key.is_for(token)).collect(),
        };
        if named.is_empty() || (token.key_id.is_none() && named.len() > 1) {
            return Err(JwtError::UnknownKey);
        }
        let mut fitting = named.into_iter().filter(|key| key.is_for(token)).peekable();
        if fitting.peek().is_none() {
            return Err(JwtError::Key);
        }
        if fitting.any(|key| key.public.signed(token)) { Ok(()) } else { Err(JwtError::Signature) }
    }
}

impl Key {
    fn read(members: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let is_for_signatures = members.get("use").is_none_or(|it| it == "sig");
        let verifies =
            |operations: &Value| operations.as_array().is_some_and(|it| it.contains(&"verify".into()));
        if !is_for_signatures || !members.get("key_ops").is_none_or(verifies) {
            return None;
        }
        let algorithm = match members.get("alg") {
            None => None,
            Some(name) => Some(Algorithm::from_name(name.as_str()?)?),
        };
        Some(Self {
            id: text("kid").map(str::to_owned),
            algorithm,
            issuer: text("issuer").map(str::to_owned),
            public: PublicKey::read(members)?,
        })
    }

    /// Whether the key may sign such a token: its kind, algorithm and issuer fit.
    fn is_for(&self, token: &Token<'_>) -> bool {
        self.public.kind() == token.algorithm.key_kind()
            && self.algorithm.is_none_or(|algorithm| algorithm == token.algorithm)
            && self.issuer.as_ref().is_none_or(|issuer| is_issuer_of(issuer, token))
    }
}

/// Whether an Entra key, which names the issuer whose tokens it signs, may sign this token (Microsoft, "Access tokens
/// in the Microsoft identity platform", on validating the signing key's issuer).
fn is_issuer_of(issuer: &str, token: &Token<'_>) -> bool {
    let tenant = token.claims.text("tid");
    let issuer = match tenant {
        Some(tenant) => issuer.replace(TENANT, tenant),
        None => issuer.to_owned(),
    };
    token.claims.text("iss") == Some(issuer.as_str())
}

impl PublicKey {
    fn read(members: &Map<String, Value>) -> Option<Self> {
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(members.get(name)?.as_str()?).ok();
        let curve = members.get("crv").and_then(Value::as_str);
        match (members.get("kty")?.as_str()?, curve) {
            ("RSA", _) => {
                let (n, e) = (significant(bytes("n")?), significant(bytes("e")?));
                (is_strong_modulus(&n) && is_exponent(&e)).then_some(Self::Rsa { n, e })
            }
            ("EC", Some("P-256")) => Self::point(KeyKind::P256, 32, bytes("x")?, bytes("y")?),
            ("EC", Some("P-384")) => Self::point(KeyKind::P384, 48, bytes("x")?, bytes("y")?),
            ("OKP", Some("Ed25519")) => {
                let x = bytes("x")?;
                (x.len() == 32).then_some(Self::Ed25519 { x })
            }
            _ => None,
        }
    }

    /// Coordinates have the length of the curve's field (RFC 7518 section 6.2.1.2).
    fn point(kind: KeyKind, length: usize, x: Vec<u8>, y: Vec<u8>) -> Option<Self> {
        (x.len() == length && y.len() == length).then_some(Self::Ec { kind, x, y })
    }

    fn kind(&self) -> KeyKind {
        match self {
            Self::Ec { kind, .. } => *kind,
            Self::Ed25519 { .. } => KeyKind::Ed25519,
            Self::Rsa { .. } => KeyKind::Rsa,
        }
    }

    fn signed(&self, token: &Token<'_>) -> bool {
        let key = self.as_library();
        let algorithm = token.algorithm.as_library();
        let verified =
            jsonwebtoken::crypto::verify(token.signature, token.signed.as_bytes(), &key, algorithm);
        // The library returns an error if the signature is not base64url or the key is not a point on its curve.
        verified.unwrap_or(false)
    }

    fn as_library(&self) -> DecodingKey {
        match self {
            Self::Ec { x, y, .. } => DecodingKey::from_ec_der(&[&[0x04], x.as_slice(), y].concat()),
            Self::Ed25519 { x } => DecodingKey::from_ed_der(x),
            Self::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
        }
    }
}

/// Whether a modulus has 2048 to 8192 bits (minimum: NIST SP 800-131A; more only costs time).
fn is_strong_modulus(n: &[u8]) -> bool {
    (256..=1024).contains(&n.len())
}

/// Whether an exponent is one that the cryptography library takes: odd, from 3 to 33 bits.
fn is_exponent(e: &[u8]) -> bool {
    let number = e.iter().try_fold(0_u64, |number, octet| Some(number.checked_mul(256)? + u64::from(*octet)));
    number.is_some_and(|e| e % 2 == 1 && (3..1 << 33).contains(&e))
}

/// A number without zeros in front. RFC 7518 section 6.3.1.1 forbids them, but programs that copy the number from DER
/// write one where DER needs it for the sign, and the cryptography library takes none.
fn significant(number: Vec<u8>) -> Vec<u8> {
    number.into_iter().skip_while(|octet| *octet == 0).collect()
}
