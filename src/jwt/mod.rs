//! Verification of JSON Web Tokens that others signed (RFC 7519): consumers' credentials, and the id_tokens of sign-ins.
//!
//! A token is untrusted until it has passed every step of this list. Each step has been forgotten in some other
//! implementation (RFC 8725, "JSON Web Token Best Current Practices"):
//!
//! 1. **Size.** At most [`MAX_TOKEN`] bytes, before anything is parsed.
//! 2. **One reading.** Three parts of base64url without padding; header and claims are JSON objects in which no name
//!    occurs twice. Two readers could take different values from two `aud` members.
//! 3. **Algorithm.** `alg` is one that [`Expected`] pins, and only asymmetric algorithms can be pinned. So `none` is
//!    out, and so is an HMAC, whose secret an attacker could take from a public key. A key verifies only algorithms of
//!    its kind, and only its `alg` if it names one.
//! 4. **Kind.** `typ` is absent, `JWT` or `at+jwt`: an issuer signs logout tokens, proofs and events with the same
//!    keys. `crit` is refused, because the proxy knows no critical extension. `jku`, `jwk`, `x5u` and `x5c` are
//!    ignored, because with them a token brings its own key.
//! 5. **Claims.** Issuer, audience, an `exp` in the future, `nbf`, and every claim that the configuration requires.
//! 6. **Signature** by a key from the issuer's key set, found by `kid`.
//!
//! The claims are compared before the signature is verified. The comparison is cheap and reveals no more than the
//! response does, and a token for somebody else costs neither a verification nor a fetch of keys. [`Verifier::verify`]
//! hands out the [`Claims`] of a [`Token`] only after it has verified the signature.
//!
//! | file | what |
//! |---|---|
//! | `json` | JSON in which no name occurs twice |
//! | `algorithm` | the algorithms that can be pinned |
//! | `token` | a parsed token that is not yet verified |
//! | `claims` | the claims of a token, and the expected ones |
//! | `keys` | a key set (RFC 7517), and the verification of a signature with it |
//! | `source` | where key sets come from: a file, or a URL with a cache and rollover |
//! | `error` | every reason to refuse, for the log and never for the sender |

mod algorithm;
mod claims;
mod error;
mod json;
mod keys;
mod source;
mod token;

use std::sync::Arc;

pub use algorithm::Algorithm;
pub use claims::{Claims, Expected, RequiredClaim};
pub use error::JwtError;
pub use keys::{KeySet, KeySetError};
pub use source::{FetchTimes, KeySource};
pub use token::{MAX_TOKEN, Token};

/// Verifies tokens against the expected claims and the issuer's keys.
pub struct Verifier {
    expected: Expected,
    keys: Arc<KeySource>,
}

/// A token whose signature and claims are good.
pub struct Verified {
    /// The token's claims.
    pub claims: Claims,
    /// The key set that verified the token. A cache drops its entry when the source has another key set.
    pub keys: Arc<KeySet>,
}

impl Verifier {
    /// A verifier. Several verifiers may share one source of keys.
    pub fn new(expected: Expected, keys: Arc<KeySource>) -> Self {
        Self { expected, keys }
    }

    /// Where the keys come from.
    pub fn keys(&self) -> &Arc<KeySource> {
        &self.keys
    }

    /// Checks that the token claims to be for this verifier. The claims may be forged: the signature is not verified.
    ///
    /// # Errors
    /// [`JwtError`] of the first check that fails.
    pub(crate) fn check_claims(&self, token: &Token<'_>, now: i64) -> Result<(), JwtError> {
        self.expected.check(token, now)
    }

    /// Verifies a token at the time `now`, in seconds since 1970. May wait for keys to be fetched.
    ///
    /// # Errors
    /// [`JwtError`]; [`JwtError::NoKeys`] says nothing about the token.
    pub async fn verify(&self, token: Token<'_>, now: i64) -> Result<Verified, JwtError> {
        self.check_claims(&token, now)?;
        let keys = self.keys.verify(&token).await?;
        Ok(Verified { claims: token.into_claims(), keys })
    }
}
