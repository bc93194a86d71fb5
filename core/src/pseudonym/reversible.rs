//! Values that only a holder of the key ring can open: `p~` tokens and sealed values.
//!
//! Both use AES-SIV (RFC 5297) over the padded value. Equal values give equal text. The length of the text tells only
//! the size to which the value was padded. Text opens only with its key, in its pseudonym domain, and for its class or
//! purpose. The key derivation already binds domain, class and purpose. The associated data binds them a second time, so
//! that one mistake is not enough to break the binding. Each is a separate component.

use super::Class;
use super::base64url;
use super::derive::{connection_state_key, reversible_key, seal_key};
use super::keys::{Key, KeyRing, key_id};
use super::padding::{self, Sizes};
use super::primitives::{IV_LEN, SIV_KEY_LEN, Siv};
use super::reserved::Reserved;
use zeroize::Zeroizing;

/// The prefix of a reversible token.
pub(super) const PREFIX: &str = "p~";

/// First component of the associated data of `p~` tokens.
const TOKEN_LABEL: &[u8] = b"glassine/reversible/2";

/// First component of the associated data of sealed values.
const SEAL_LABEL: &[u8] = b"glassine/seal/2";

/// First component of the associated data of values that the connection pages seal.
const CONNECTION_LABEL: &[u8] = b"glassine/connection-state/2";

type SivKey = Zeroizing<[u8; SIV_KEY_LEN]>;

/// Makes and opens the `p~` tokens of one class. A page has thousands of tokens, so their common work is done once.
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
        let (_, siv) = &self.0.newest;
        self.begin(out);
        base64url::append(&siv.seal([plain, padding::IDS.padding(plain.len())]), out);
    }

    /// Appends the place of the token of `plain`.
    pub(super) fn reserve(&self, plain: &[u8], out: &mut Vec<u8>, reserved: &mut Reserved) {
        self.begin(out);
        reserved.push([plain, padding::IDS.padding(plain.len())], out);
    }

    /// Makes the tokens in their places.
    pub(super) fn fill(&self, reserved: &mut Reserved, out: &mut [u8]) {
        let (_, siv) = &self.0.newest;
        reserved.fill(siv, out);
    }

    fn begin(&self, out: &mut Vec<u8>) {
        let (id, _) = &self.0.newest;
        out.extend_from_slice(PREFIX.as_bytes());
        out.extend_from_slice(id.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// The plain value of a token made with any key of the ring.
    pub(super) fn open(&self, token: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (_, siv, sealed) = self.0.read(token.strip_prefix(PREFIX)?)?;
        padding::IDS.unpadded(siv.open(&sealed)?)
    }
}

/// Seals and opens values for one use, such as the connection pages.
pub struct Sealer {
    label: &'static [u8],
    sizes: Sizes,
    domain: String,
    keys: PerKey<SivKey>,
}

impl Sealer {
    /// For the links that the proxy seals for itself.
    pub(super) fn values(ring: &KeyRing, domain: &str) -> Self {
        let derive = |key: &Key| seal_key(&key.master, domain);
        Self {
            label: SEAL_LABEL,
            sizes: padding::LINKS,
            domain: domain.to_owned(),
            keys: PerKey::new(ring, derive),
        }
    }

    /// For values that the connection pages hand to a browser. These belong to no pseudonym domain.
    pub(super) fn connections(ring: &KeyRing) -> Self {
        let derive = |key: &Key| connection_state_key(&key.master);
        Self {
            label: CONNECTION_LABEL,
            sizes: padding::STATES,
            domain: String::new(),
            keys: PerKey::new(ring, derive),
        }
    }

    /// Seals `plain` with the newest key and returns the key's id and the sealed text. `context` is the purpose.
    pub fn seal(&self, context: &str, plain: &[u8]) -> String {
        let (id, key) = &self.keys.newest;
        let sealed = self.siv(*id, key, context).seal([plain, self.sizes.padding(plain.len())]);
        format!("{id}{}", base64url::encode(&sealed))
    }

    /// Opens text that [`Sealer::seal`] made under the same context, with any key of the ring.
    pub fn open(&self, context: &str, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (id, key, sealed) = self.keys.read(text)?;
        self.sizes.unpadded(self.siv(id, key, context).open(&sealed)?)
    }

    fn siv(&self, id: char, key: &SivKey, context: &str) -> Siv {
        let bound = headers(self.label, &self.domain, context, id);
        Siv::new(key, bound.each_ref().map(Vec::as_slice))
    }
}

/// Whether a text has the form of a sealed link: a key id, then base64url of one of the sizes of links. Only the keys can
/// tell whether it is genuine.
pub fn has_form_of_link(text: &str) -> bool {
    let Some((id, sealed)) = text.split_at_checked(1) else { return false };
    let octets = base64url::decode(sealed).map(|octets| octets.len());
    key_id(id).is_some()
        && octets
            .and_then(|octets| octets.checked_sub(IV_LEN))
            .is_some_and(|padded| padding::LINKS.has(padded))
}

/// The associated data: the label, the pseudonym domain, the class or purpose, and the key id.
fn headers(label: &[u8], domain: &str, context: &str, id: char) -> [Vec<u8>; 4] {
    [label.to_vec(), domain.into(), context.into(), id.to_string().into()]
}

/// One value derived from each key of a ring.
struct PerKey<T> {
    newest: (char, T),
    older: Vec<(char, T)>,
}

impl<T> PerKey<T> {
    fn new(ring: &KeyRing, make: impl Fn(&Key) -> T) -> Self {
        let made = |key: &Key| (key.id, make(key));
        Self { newest: made(ring.newest()), older: ring.older().iter().map(made).collect() }
    }

    /// Reads a key id and the base64url after it. Returns the id, the value of this key, and the decoded octets.
    fn read(&self, text: &str) -> Option<(char, &T, Vec<u8>)> {
        let id = text.chars().next()?;
        let (_, made) = std::iter::once(&self.newest).chain(&self.older).find(|(known, _)| *known == id)?;
        let sealed = text.strip_prefix(id)?;
        Some((id, made, base64url::decode(sealed)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOMAIN: &str = "acme";
    const PURPOSE: &str = "link";

    fn ring() -> KeyRing {
        KeyRing::parse(&KeyRing::render_new(&master(), 'A', "2026-01-01T00:00:00Z")).unwrap()
    }

    fn master() -> [u8; 32] {
        std::array::from_fn(|at| u8::try_from(at * at % 251).unwrap())
    }

    #[test]
    fn a_link_has_its_form_under_every_id_of_a_key() {
        for id in ['A', '7', '-', '_'] {
            let ring = KeyRing::parse(&KeyRing::render_new(&master(), id, "2026-01-01T00:00:00Z")).unwrap();
            let link = Sealer::values(&ring, DOMAIN).seal(PURPOSE, b"nextLink");
            assert!(has_form_of_link(&link), "{link}");
        }
        assert!(!has_form_of_link("A"));
        assert!(!has_form_of_link(""));
    }

    /// The octets as a token of this label. They are sealed unpadded.
    fn token(label: &[u8], octets: &[u8]) -> String {
        let bound = headers(label, DOMAIN, Class::Id.name(), 'A');
        let siv =
            Siv::new(&reversible_key(&master(), DOMAIN, Class::Id), bound.each_ref().map(Vec::as_slice));
        format!("{PREFIX}A{}", base64url::encode(&siv.seal([octets])))
    }

    /// The octets as a sealed link of this label. They are sealed unpadded.
    fn link(label: &[u8], octets: &[u8]) -> String {
        let bound = headers(label, DOMAIN, PURPOSE, 'A');
        let siv = Siv::new(&seal_key(&master(), DOMAIN), bound.each_ref().map(Vec::as_slice));
        format!("A{}", base64url::encode(&siv.seal([octets])))
    }

    fn opens(token: &str) -> bool {
        ReversibleTokens::new(&ring(), DOMAIN, Class::Id).open(token).is_some()
    }

    fn unseals(link: &str) -> bool {
        Sealer::values(&ring(), DOMAIN).open(PURPOSE, link).is_some()
    }

    fn padded(content: &[u8], sizes: Sizes) -> Vec<u8> {
        [content, sizes.padding(content.len())].concat()
    }

    #[test]
    fn an_authentic_token_with_wrong_padding_is_refused() {
        let right = padded(b"id", padding::IDS);
        assert!(opens(&token(TOKEN_LABEL, &right)));
        for wrong in
            [b"id".as_slice(), b"id\x80", &[0; 48], &right[..47], &[right.as_slice(), &[0; 48]].concat()]
        {
            assert!(!opens(&token(TOKEN_LABEL, wrong)), "{wrong:?}");
        }
    }

    #[test]
    fn an_authentic_link_with_wrong_padding_is_refused() {
        let right = padded(b"{}", padding::LINKS);
        assert!(unseals(&link(SEAL_LABEL, &right)));
        for wrong in
            [b"{}".as_slice(), b"{}\x80", &[0; 1024], &right[..1023], &padded(b"{}", padding::STATES)]
        {
            assert!(!unseals(&link(SEAL_LABEL, wrong)), "{wrong:?}");
        }
    }

    /// The form before the padding. The octets may have the right padding by chance.
    #[test]
    fn tokens_and_links_of_the_first_form_are_refused() {
        for octets in [b"87d349ed-44d7-43e1-9a83-5f2406dee5bd".to_vec(), padded(b"id", padding::IDS)] {
            assert!(!opens(&token(b"glassine/reversible/1", &octets)));
        }
        for octets in [b"{}".to_vec(), padded(b"{}", padding::LINKS)] {
            assert!(!unseals(&link(b"glassine/seal/1", &octets)));
        }
    }
}
