//! Values that can be opened again by who holds the ring: `p~` tokens and sealed values.
//!
//! Both are AES-SIV (RFC 5297): the same value gives the same text, and a text that was not made with the key,
//! for this pseudonym domain and for this class or purpose does not open. The key already says all that; it
//! is said again as associated data so that a mistake in one of the two is not enough. Each piece of it is
//! a component of its own.

use super::Class;
use super::base64url;
use super::derive::{connection_state_key, reversible_key, seal_key};
use super::keys::{Key, KeyRing};
use super::primitives::{SIV_KEY_LEN, Siv};
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

/// Makes and opens the `p~` tokens of one class. A page has thousands of them, so what they have in common is done once.
pub(super) struct ReversibleTokens(PerKey<Siv>);

impl ReversibleTokens {
    pub(super) fn new(ring: &KeyRing, domain: &str, class: Class) -> Self {
        let siv = |key: &Key| {
            let bound = headers(TOKEN_LABEL, domain, class.name(), key.id);
            Siv::new(&reversible_key(&key.master, domain, class), bound.each_ref().map(Vec::as_slice))
        };
        Self(PerKey::new(ring, siv))
    }

    /// Appends the token of `plain`, made with the newest key.
    pub(super) fn write(&self, plain: &[u8], out: &mut Vec<u8>) {
        let (id, siv) = &self.0.newest;
        out.extend_from_slice(PREFIX.as_bytes());
        out.extend_from_slice(id.encode_utf8(&mut [0; 4]).as_bytes());
        base64url::append(&siv.seal(plain), out);
    }

    /// The plain value of a token that was made with any key of the ring.
    pub(super) fn open(&self, token: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (_, siv, sealed) = self.0.read(token.strip_prefix(PREFIX)?)?;
        siv.open(&sealed)
    }
}

/// The keys of one use.
pub struct Sealer {
    label: &'static [u8],
    domain: String,
    keys: PerKey<SivKey>,
}

impl Sealer {
    /// For values that the proxy seals for itself.
    pub(super) fn values(ring: &KeyRing, domain: &str) -> Self {
        Self::new(ring, SEAL_LABEL, domain, |key| seal_key(&key.master, domain))
    }

    /// For what the connection pages hand to a browser; of no pseudonym domain.
    pub(super) fn connections(ring: &KeyRing) -> Self {
        Self::new(ring, CONNECTION_LABEL, "", |key| connection_state_key(&key.master))
    }

    fn new(ring: &KeyRing, label: &'static [u8], domain: &str, derive: impl Fn(&Key) -> SivKey) -> Self {
        Self { label, domain: domain.to_owned(), keys: PerKey::new(ring, derive) }
    }

    /// The newest key's id and the sealed `plain`, as text. `context` is the purpose.
    pub fn seal(&self, context: &str, plain: &[u8]) -> String {
        let (id, key) = &self.keys.newest;
        format!("{id}{}", base64url::encode(&self.siv(*id, key, context).seal(plain)))
    }

    /// The plain value of what [`Sealer::seal`] gave under the same context, with any key of the ring.
    pub fn open(&self, context: &str, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (id, key, sealed) = self.keys.read(text)?;
        self.siv(id, key, context).open(&sealed)
    }

    fn siv(&self, id: char, key: &SivKey, context: &str) -> Siv {
        let bound = headers(self.label, &self.domain, context, id);
        Siv::new(key, bound.each_ref().map(Vec::as_slice))
    }
}

/// The associated data: what for, for whom, the class or purpose, and the key's id.
fn headers(label: &[u8], domain: &str, context: &str, id: char) -> [Vec<u8>; 4] {
    [label.to_vec(), domain.into(), context.into(), id.to_string().into()]
}

/// Something made from each key of a ring.
struct PerKey<T> {
    newest: (char, T),
    older: Vec<(char, T)>,
}

impl<T> PerKey<T> {
    fn new(ring: &KeyRing, make: impl Fn(&Key) -> T) -> Self {
        let made = |key: &Key| (key.id, make(key));
        Self { newest: made(ring.newest()), older: ring.older().iter().map(made).collect() }
    }

    /// A key's id, what was made from the key, and the octets in base64url behind the id.
    fn read(&self, text: &str) -> Option<(char, &T, Vec<u8>)> {
        let id = text.chars().next()?;
        let (_, made) = std::iter::once(&self.newest).chain(&self.older).find(|(known, _)| *known == id)?;
        let sealed = text.strip_prefix(id)?;
        Some((id, made, base64url::decode(sealed)?))
    }
}
