//! A parsed token (RFC 7515 section 3.1, the compact form) that is not yet verified.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::claims::Claims;
use super::error::JwtError;
use super::json;

/// The longest accepted token. Entra's have 1 to 3 KiB, a little more with many groups. Request heads may have 64 KiB.
pub const MAX_TOKEN: usize = 16 * 1024;

/// A well-formed token. Anybody can have made it until a [`Verifier`](super::Verifier) has verified it.
pub struct Token<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    pub(super) claims: Claims,
    /// Header and claims as sent: what is signed.
    pub(super) signed: &'a str,
    /// As sent, in base64url.
    pub(super) signature: &'a str,
}

impl<'a> Token<'a> {
    /// Reads a token.
    ///
    /// # Errors
    /// [`JwtError`] if the text is not a well-formed signed token of a known kind.
    pub fn parse(text: &'a str) -> Result<Self, JwtError> {
        if text.len() > MAX_TOKEN {
            return Err(JwtError::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JwtError::Form)?;
        let (header, claims) = signed.split_once('.').ok_or(JwtError::Form)?;
        // `none` has no signature; a fourth part is an encrypted token (RFC 7516).
        if signature.is_empty() || claims.contains('.') {
            return Err(JwtError::Form);
        }
        let header = part(header)?;
        let algorithm = check_header(&header)?;
        let key_id = optional_text(&header, "kid")?.map(str::to_owned);
        Ok(Self { algorithm, key_id, claims: Claims::new(part(claims)?)?, signed, signature })
    }

    pub(super) fn into_claims(self) -> Claims {
        self.claims
    }
}

fn part(text: &str) -> Result<Map<String, Value>, JwtError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| JwtError::Form)?;
    json::object(&bytes).ok_or(JwtError::Content)
}

fn check_header(header: &Map<String, Value>) -> Result<Algorithm, JwtError> {
    if header.contains_key("crit") {
        return Err(JwtError::Critical);
    }
    if !optional_text(header, "typ")?.is_none_or(is_known_type) {
        return Err(JwtError::Type);
    }
    let name = optional_text(header, "alg")?.ok_or(JwtError::Algorithm)?;
    Algorithm::from_name(name).ok_or(JwtError::Algorithm)
}

/// Media types are case-insensitive, and `application/` may be omitted (RFC 7515 section 4.1.9).
fn is_known_type(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(name.strip_prefix("application/").unwrap_or(&name), "jwt" | "at+jwt")
}

/// A member that must be a string if it is present.
pub(super) fn optional_text<'m>(
    members: &'m Map<String, Value>,
    name: &str,
) -> Result<Option<&'m str>, JwtError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JwtError::Content),
    }
}
