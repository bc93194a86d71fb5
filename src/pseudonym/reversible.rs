//! Values that can be opened again by who holds the ring: `p~` tokens and sealed values.
//!
//! Both are AES-SIV (RFC 5297): the same value gives the same text, and a text that was not made with the key,
//! for this pseudonym domain and for this class or purpose does not open. The key already says all that; it
//! is said again as associated data so that a mistake in one of the two is not enough. Each piece of it is
//! a component of its own.

use super::Class;
use super::derive::{connection_state_key, reversible_key, seal_key};
use super::keys::KeyRing;
use super::primitives::{SIV_KEY_LEN, siv_open, siv_seal};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// What a reversible token begins with.
pub(super) const PREFIX: &str = "p~";

/// First component of associated data of `p~` tokens.
const TOKEN_LABEL: &[u8] = b"glassine/reversible/1";

/// First component of associated data of sealed values.
const SEAL_LABEL: &[u8] = b"glassine/seal/1";

/// First component of associated data of what the connection pages seal.
const CONNECTION_LABEL: &[u8] = b"glassine/connection-state/1";

type SivKey = Zeroizing<[u8; SIV_KEY_LEN]>;

/// The keys of one use, one per ring entry.
pub struct Sealer {
    label: &'static [u8],
    domain: String,
    newest: (char, SivKey),
    older: Vec<(char, SivKey)>,
}

impl Sealer {
    /// For `p~` tokens of one class.
    pub(super) fn tokens(ring: &KeyRing, domain: &str, class: Class) -> Self {
        Self::new(ring, TOKEN_LABEL, domain, |master| reversible_key(master, domain, class))
    }

    /// For values that the proxy seals for itself.
    pub(super) fn values(ring: &KeyRing, domain: &str) -> Self {
        Self::new(ring, SEAL_LABEL, domain, |master| seal_key(master, domain))
    }

    /// For what the connection pages hand to a browser; of no pseudonym domain.
    pub(super) fn connections(ring: &KeyRing) -> Self {
        Self::new(ring, CONNECTION_LABEL, "", connection_state_key)
    }

    fn new(ring: &KeyRing, label: &'static [u8], domain: &str, derive: impl Fn(&[u8; 32]) -> SivKey) -> Self {
        Self {
            label,
            domain: domain.to_owned(),
            newest: (ring.newest().id, derive(&ring.newest().master)),
            older: ring.older().iter().map(|key| (key.id, derive(&key.master))).collect(),
        }
    }

    /// The newest key's id and the sealed `plain`, as text. `context` is the class or purpose.
    pub fn seal(&self, context: &str, plain: &[u8]) -> String {
        let (id, key) = &self.newest;
        let mut text = String::from(*id);
        let headers = [self.label, self.domain.as_bytes(), context.as_bytes(), text.as_bytes()];
        let sealed = siv_seal(key, headers, plain);
        URL_SAFE_NO_PAD.encode_string(sealed, &mut text);
        text
    }

    /// The plain value of what [`Sealer::seal`] gave under the same context, with any key of the ring.
    pub fn open(&self, context: &str, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (id, sealed) = text.split_at_checked(1)?;
        let key = self.key(id)?;
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let headers = [self.label, self.domain.as_bytes(), context.as_bytes(), id.as_bytes()];
        siv_open(key, headers, &sealed)
    }

    fn key(&self, id: &str) -> Option<&SivKey> {
        let named = |(known, _): &&(char, SivKey)| id.starts_with(*known);
        std::iter::once(&self.newest).chain(&self.older).find(named).map(|(_, key)| key)
    }
}
