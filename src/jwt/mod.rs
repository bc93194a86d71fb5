//! Verification of JSON Web Tokens that others signed (RFC 7519): consumers' credentials, and the id_tokens of sign-ins.
//!
//! A token is bytes from a stranger until the end of this list, each of whose steps has been forgotten by somebody
//! (RFC 8725, "JSON Web Token Best Current Practices"):
//!
//! 1. **Size.** At most [`MAX_TOKEN`] bytes, before anything is parsed.
//! 2. **One reading.** Three parts of base64url without padding, two JSON objects in which no name comes twice: what
//!    another reader would take from a second `aud` is nobody's guess.
//! 3. **Algorithm.** `alg` is one that the [`Expected`] pins, and all that can be pinned have a public and a private key. There is
//!    no `none`, and no HMAC that a published key could be the secret of. A key is tried only with algorithms of its
//!    own kind, and only with its own `alg` where it names one.
//! 4. **Kind.** `typ` is absent, `JWT` or `at+jwt`: an issuer signs logout tokens, proofs and events with the same keys. `crit`
//!    is refused, since nothing critical is understood here; `jku`, `jwk`, `x5u` and `x5c` are not looked at, because they let a
//!    token bring its own key.
//! 5. **Claims.** Issuer, audience, an `exp` that is there and ahead, `nbf`, and whatever claims the configuration asks for.
//! 6. **Signature**, by a key of the issuer's own set, found by `kid`.
//!
//! Claims are compared before the signature: the comparison is cheap and gives nothing away that the response does
//! not, and so a stranger's token costs no signature and no fetch of keys. Nobody gets at a [`Token`]'s claims before its
//! signature was good: only then does [`Verifier::verify`] hand out [`Claims`].
//!
//! | file | what |
//! |---|---|
//! | `json` | JSON in which no name comes twice |
//! | `algorithm` | what can be pinned |
//! | `token` | a token as read, believed by nobody |
//! | `claims` | what it says, and what is expected of it |
//! | `keys` | a key set (RFC 7517), and a signature against it |
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

/// What is expected of tokens, and whose keys sign them.
pub struct Verifier {
    expected: Expected,
    keys: Arc<KeySource>,
}

/// A token whose signature and claims are good.
pub struct Verified {
    /// What it says.
    pub claims: Claims,
    /// The key set that it was verified with. Who remembers the outcome forgets it when the source has another one.
    pub keys: Arc<KeySet>,
}

impl Verifier {
    /// A verifier; several may share one source of keys.
    pub fn new(expected: Expected, keys: Arc<KeySource>) -> Self {
        Self { expected, keys }
    }

    /// Where the keys come from.
    pub fn keys(&self) -> &Arc<KeySource> {
        &self.keys
    }

    /// Whether the token claims to be for this verifier. Says nothing about whether it is true.
    ///
    /// # Errors
    /// [`JwtError`], the first reason why not.
    pub fn check_claims(&self, token: &Token<'_>, now: i64) -> Result<(), JwtError> {
        self.expected.check(token, now)
    }

    /// Verifies a token at a time, in seconds since 1970. May wait for keys to be fetched.
    ///
    /// # Errors
    /// [`JwtError`]; [`JwtError::NoKeys`] says nothing about the token.
    pub async fn verify(&self, token: Token<'_>, now: i64) -> Result<Verified, JwtError> {
        self.check_claims(&token, now)?;
        let keys = self.keys.verify(&token).await?;
        Ok(Verified { claims: token.into_claims(), keys })
    }
}
