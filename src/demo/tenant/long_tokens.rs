//! Tokens of links with as many characters as a test asks for.
//!
//! The tokens of this tenant have a few hundred characters, like most of Graph's. Some of Graph's have thousands: links of up
//! to 16 KiB are known (<https://github.com/microsoftgraph/microsoft-graph-explorer-v4/issues/3184>). What makes the token
//! long says nothing here: a dot and base64url without a pattern, as encrypted state looks.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Tenant;
use super::rng::Rng;

/// Between the token and what makes it long. No token of this tenant has it.
const SEPARATOR: char = '.';

impl Tenant {
    /// Makes the tokens of all links this long, unless they are longer.
    #[must_use]
    pub fn with_tokens_of(self, characters: usize) -> Tenant {
        Tenant { token_length: characters, ..self }
    }

    /// The token as it stands in a link.
    pub(super) fn lengthened(&self, mut token: String) -> String {
        let missing = self.token_length.saturating_sub(token.len());
        if missing > 0 {
            let mut rng = Rng::of(self.directory.seed, &token, &[]);
            let noise: Vec<u8> = (0..missing).step_by(8).flat_map(|_| rng.bytes::<8>()).collect();
            token.push(SEPARATOR);
            token.extend(URL_SAFE_NO_PAD.encode(noise).chars().take(missing.saturating_sub(1)));
        }
        token
    }
}

/// The token that was made long.
pub(super) fn shortened(token: &str) -> &str {
    token.split(SEPARATOR).next().unwrap_or(token)
}
