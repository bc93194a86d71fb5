//! The project's AES-SIV against the `aes-siv` crate.

use aes_siv::KeyInit as _;
use aes_siv::siv::Aes256Siv;
use glassine_core::pseudonym::primitives::Siv;
use proptest::array::uniform32;
use proptest::collection::vec;
use proptest::prelude::*;

fn key() -> impl Strategy<Value = [u8; 64]> {
    [uniform32(any::<u8>()), uniform32(any::<u8>())].prop_map(|halves| halves.concat().try_into().unwrap())
}

/// Lengths around the edges of blocks, and of the eight blocks that AES-CTR does at once.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..50), vec(any::<u8>(), 110..290)]
}

fn other(key: &[u8; 64]) -> Aes256Siv {
    Aes256Siv::new(key.into())
}

proptest! {
    #[test]
    fn seals_as_another_implementation_does(key in key(), one in octets(), two in octets(), plain in octets()) {
        let expected = other(&key).encrypt([&one, &two], &plain).unwrap();
        prop_assert_eq!(Siv::new(&key, [&one, &two]).seal([&plain]), expected);
        let expected = other(&key).encrypt([[0; 0]; 0], &plain).unwrap();
        prop_assert_eq!(Siv::new(&key, []).seal([&plain]), expected);
    }

    #[test]
    fn opens_what_another_implementation_sealed(key in key(), header in octets(), plain in octets()) {
        let sealed = other(&key).encrypt([&header], &plain).unwrap();
        let opened = Siv::new(&key, [&header]).open(&sealed);
        prop_assert_eq!(opened.map(|plain| plain.to_vec()), Some(plain));
    }

    #[test]
    fn opens_nothing_that_was_changed(key in key(), header in octets(), plain in octets(), at: prop::sample::Index) {
        let siv = Siv::new(&key, [&header]);
        let mut sealed = siv.seal([&plain]);
        *at.get_mut(&mut sealed) ^= 1;
        prop_assert_eq!(siv.open(&sealed), None);
        prop_assert_eq!(siv.open(&sealed[..at.index(16)]), None);
    }
}

#[test]
fn one_state_makes_any_number_of_tokens() {
    let siv = Siv::new(&[7; 64], [b"class"]);
    assert_eq!(siv.seal([b"one"]), siv.seal([b"one"]));
    assert_ne!(siv.seal([b"one"]), siv.seal([b"two"]));
}
