//! Places in the output that are reserved for reversible tokens, which are made together.
//!
//! Nearly every message of a page has an id that no table knows. To seal one takes 0.4 µs, most of it spent waiting: each
//! block of a CMAC needs the block before it, and the cipher is prepared for each token. The sanitizer therefore leaves
//! the token's place empty, goes on, and has up to [`TOGETHER`] ids sealed in the time of two. The length of a token
//! is known before the token, since ids are padded to one of a few lengths.
//!
//! The ids that wait are bounded by [`TOGETHER`] and [`Reserved::MAX_ID`]. Sealing overwrites them.

use super::Class;
use super::base64url;
use super::primitives::{IV_LEN, Siv};

/// How many tokens are made together. With more, the chains of blocks are longer than what the processor looks ahead.
const TOGETHER: usize = 8;

/// What a place holds until its token is made. No token has this character.
const EMPTY: u8 = b' ';

/// Ids whose tokens have a place, but are not made yet.
#[derive(Default)]
pub struct Reserved {
    /// The class of all of them.
    class: Option<Class>,
    /// For each id, room for the synthetic IV and the padded id, one behind the other.
    texts: Vec<u8>,
    places: Vec<Place>,
}

struct Place {
    /// Where in the output the token's base64url starts.
    start: usize,
    /// Octets of the text, with its IV.
    length: usize,
}

impl Reserved {
    /// Octets of the longest id that waits. Ids of messages have up to 200.
    pub(super) const MAX_ID: usize = 255;

    pub(super) fn class(&self) -> Option<Class> {
        self.class
    }

    pub(super) fn has_room(&self, class: Class) -> bool {
        self.class.is_none_or(|other| other == class) && self.places.len() < TOGETHER
    }

    /// For an id of this class. There must be room.
    pub(super) fn of(&mut self, class: Class) -> &mut Self {
        self.class = Some(class);
        self
    }

    /// Adds an id with its padding, and its place at the end of `out`.
    pub(super) fn push(&mut self, id: [&[u8]; 2], out: &mut Vec<u8>) {
        let before = self.texts.len();
        self.texts.extend_from_slice(&[0; IV_LEN]);
        id.iter().for_each(|part| self.texts.extend_from_slice(part));
        let length = self.texts.len() - before;
        self.places.push(Place { start: out.len(), length });
        out.resize(out.len() + base64url::encoded_length(length), EMPTY);
    }

    /// Seals all ids and writes them in their places.
    pub(super) fn fill(&mut self, siv: &Siv, out: &mut [u8]) {
        let (mut places, mut rest) = (self.places.iter(), self.texts.as_mut_slice());
        let mut next = || places.next().and_then(|place| rest.split_off_mut(..place.length));
        let mut texts: [&mut [u8]; TOGETHER] = std::array::from_fn(|_| next().unwrap_or_default());
        siv.seal_in_place(texts.each_mut().map(|text| &mut **text));
        for (place, text) in self.places.iter().zip(&texts) {
            base64url::write(text, out.get_mut(place.start..).unwrap_or_default());
        }
        self.texts.clear();
        self.places.clear();
        self.class = None;
    }
}

#[cfg(test)]
mod tests {
    use crate::pseudonym::{AddressPolicy, Class, KeyRing, Outcome, Pseudonyms, Reserved};

    fn pseudonyms() -> Pseudonyms {
        let master = std::array::from_fn(|at| u8::try_from(at * at % 251).unwrap());
        let ring = KeyRing::parse(&KeyRing::render_new(&master, 'A', "2026-01-01T00:00:00Z")).unwrap();
        ring.pseudonyms("acme", &AddressPolicy::default())
    }

    /// The tokens, written one by one and in reserved places. Before and behind each is other text.
    fn both(ids: &[(Class, String)]) -> (Vec<u8>, Vec<u8>) {
        let (one_by_one, together) = (pseudonyms(), pseudonyms());
        let (mut expected, mut out, mut reserved) = (Vec::new(), Vec::new(), Reserved::default());
        for (class, id) in ids {
            expected.push(b'"');
            out.push(b'"');
            assert_eq!(one_by_one.reversible(*class, id, &mut expected), Outcome::Written);
            assert_eq!(together.reversible_later(*class, id, &mut out, &mut reserved), Outcome::Written);
            assert_eq!(out.len(), expected.len(), "the length of a token is known before it is made");
        }
        together.fill(&mut reserved, &mut out);
        (expected, out)
    }

    #[test]
    fn tokens_are_the_same_one_by_one_and_together() {
        for count in 0..40 {
            let id = |at: usize| (Class::Id, format!("{at}{}", "x".repeat(at * 37 % 300)));
            let (expected, out) = both(&(0..count).map(id).collect::<Vec<_>>());
            assert_eq!(String::from_utf8(out), String::from_utf8(expected), "{count}");
        }
    }

    #[test]
    fn each_token_is_of_its_class() {
        let id = |at: usize| (if at.is_multiple_of(3) { Class::Text } else { Class::Id }, format!("id {at}"));
        let (expected, out) = both(&(0..20).map(id).collect::<Vec<_>>());
        assert_eq!(out, expected);
    }

    /// The second time a token is stored, so it is made at once; the third time it is copied.
    #[test]
    fn an_id_that_comes_again_has_the_same_token() {
        let (expected, out) = both(&vec![(Class::Id, "folder".to_owned()); 5]);
        assert_eq!(out, expected);
    }
}
