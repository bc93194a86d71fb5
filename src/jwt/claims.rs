//! The claims of a token (RFC 7519 section 4), and which claims are expected.

use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::error::JwtError;
use super::token::{Token, optional_text};

/// How far the clocks of issuer and proxy may differ, in seconds (RFC 7519 section 4.1.4: "usually no more than a few
/// minutes"; the clocks of Entra and of the proxy follow NTP).
pub(super) const LEEWAY: i64 = 60;

/// The claims of a token. No `Debug`: they name people.
pub struct Claims {
    members: Map<String, Value>,
    expires: i64,
    not_before: Option<i64>,
}

impl Claims {
    pub(super) fn new(members: Map<String, Value>) -> Result<Self, JwtError> {
        let expires = date(&members, "exp")?.ok_or(JwtError::NoExpiry)?;
        let not_before = date(&members, "nbf")?;
        Ok(Self { members, expires, not_before })
    }

    /// When the proxy stops accepting the token: its expiry plus the leeway.
    pub(crate) fn usable_until(&self) -> i64 {
        self.expires.saturating_add(LEEWAY)
    }

    /// A claim of any type.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// A claim that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    fn is_for(&self, audiences: &[String]) -> bool {
        self.get("aud").is_some_and(|aud| names_one_of(aud, audiences))
    }
}

/// A `NumericDate` (RFC 7519 section 2) without its fraction of a second.
fn date(members: &Map<String, Value>, name: &str) -> Result<Option<i64>, JwtError> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let whole = value.as_i64().or_else(|| value.as_f64().and_then(whole_seconds));
    whole.map(Some).ok_or(JwtError::Content)
}

/// `None` from 2^53 seconds on, where a float no longer holds every second exactly.
fn whole_seconds(seconds: f64) -> Option<i64> {
    const MOST: f64 = 9_007_199_254_740_992.0;
    let text = format!("{:.0}", seconds.floor());
    (seconds.abs() < MOST).then(|| text.parse().ok()).flatten()
}

/// Whether a claim equals one of the values, or is an array of strings that contains one.
fn names_one_of(claim: &Value, values: &[String]) -> bool {
    match claim {
        Value::String(text) => values.contains(text),
        Value::Array(items) => {
            let mut texts = items.iter().filter_map(Value::as_str);
            items.iter().all(Value::is_string) && texts.any(|text| values.iter().any(|value| value == text))
        }
        _ => false,
    }
}

/// A claim that a token must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredClaim {
    /// Its name, such as `azp` or `tid`.
    pub name: String,
    /// The claim is one of these, or an array with one of these (`roles`). Compared byte for byte.
    pub one_of: Vec<String>,
}

/// The claims that a token must have to be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// `iss`, byte for byte.
    pub issuer: String,
    /// `aud` is one of these, or an array with one of these.
    pub audiences: Vec<String>,
    /// `alg` is one of these.
    pub algorithms: Vec<Algorithm>,
    /// Further claims. The token must have all of them.
    pub claims: Vec<RequiredClaim>,
}

impl Expected {
    pub(super) fn check(&self, token: &Token<'_>, now: i64) -> Result<(), JwtError> {
        let claims = &token.claims;
        let has = |required: &RequiredClaim| {
            claims.get(&required.name).is_some_and(|claim| names_one_of(claim, &required.one_of))
        };
        if !self.algorithms.contains(&token.algorithm) {
            return Err(JwtError::Algorithm);
        }
        if optional_text(&claims.members, "iss")? != Some(self.issuer.as_str()) {
            return Err(JwtError::Issuer);
        }
        if !claims.is_for(&self.audiences) {
            return Err(JwtError::Audience);
        }
        if !self.claims.iter().all(has) {
            return Err(JwtError::Claim);
        }
        // `exp` is exclusive, `nbf` inclusive (RFC 7519 sections 4.1.4 and 4.1.5).
        if now >= claims.usable_until() {
            return Err(JwtError::Expired);
        }
        if claims.not_before.is_some_and(|begin| now < begin.saturating_sub(LEEWAY)) {
            return Err(JwtError::NotYetValid);
        }
        Ok(())
    }
}
