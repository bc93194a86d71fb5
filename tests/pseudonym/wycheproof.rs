//! Project Wycheproof's vectors against the primitives that tokens are made with.

use glassine_core::pseudonym::primitives::{HmacKey, SIV_KEY_LEN, Siv};
use serde_json::Value;

use crate::support::data;

/// Calls `check` for each test of `file` whose group `accepts` takes, and returns their number.
fn each_test(file: &str, accepts: impl Fn(&Value) -> bool, check: impl Fn(&Value, &Value)) -> usize {
    let vectors = data::json(&data::vectors().join(file));
    let groups = vectors["testGroups"].as_array().unwrap().iter().filter(|group| accepts(group));
    let tests =
        groups.flat_map(|group| group["tests"].as_array().unwrap().iter().map(move |test| (group, test)));
    tests.inspect(|(group, test)| check(group, test)).count()
}

fn octets(test: &Value, name: &str) -> Vec<u8> {
    let hex = test[name].as_str().unwrap();
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn is_valid(test: &Value) -> bool {
    test["result"] == "valid"
}

fn is_our_key_size(group: &Value) -> bool {
    group["keySize"] == 8 * SIV_KEY_LEN
}

fn siv_key(test: &Value) -> [u8; SIV_KEY_LEN] {
    octets(test, "key").try_into().unwrap()
}

#[test]
fn hmac_sha256() {
    let checked = each_test(
        "wycheproof-hmac-sha256.json",
        |_| true,
        |group, test| {
            let mac = HmacKey::new(&octets(test, "key")).mac([octets(test, "msg").as_slice()]);
            let length = usize::try_from(group["tagSize"].as_u64().unwrap() / 8).unwrap();
            assert_eq!(mac[..length] == octets(test, "tag"), is_valid(test), "{test}");
        },
    );
    assert!(checked >= 50, "{checked} tests");
}

#[test]
fn aes_siv_with_one_header() {
    let checked = each_test("wycheproof-aes-siv-cmac.json", is_our_key_size, |_, test| {
        let (key, aad, plain, sealed) =
            (siv_key(test), octets(test, "aad"), octets(test, "msg"), octets(test, "ct"));
        assert_eq!(Siv::new(&key, [&aad]).seal([&plain]) == sealed, is_valid(test), "{test}");
        let opened = Siv::new(&key, [&aad]).open(&sealed).map(|opened| opened.to_vec());
        assert_eq!(opened, is_valid(test).then_some(plain), "{test}");
    });
    assert!(checked >= 30, "{checked} tests");
}

/// With a nonce, which RFC 5297 section 3 makes the last component of associated data.
#[test]
fn aes_siv_with_two_headers() {
    let checked = each_test("wycheproof-aead-aes-siv-cmac.json", is_our_key_size, |_, test| {
        let (key, aad, iv, plain) =
            (siv_key(test), octets(test, "aad"), octets(test, "iv"), octets(test, "msg"));
        let sealed = [octets(test, "tag"), octets(test, "ct")].concat();
        assert_eq!(Siv::new(&key, [&aad, &iv]).seal([&plain]) == sealed, is_valid(test), "{test}");
        let opened = Siv::new(&key, [&aad, &iv]).open(&sealed).map(|opened| opened.to_vec());
        assert_eq!(opened, is_valid(test).then_some(plain), "{test}");
    });
    assert!(checked >= 60, "{checked} tests");
}
