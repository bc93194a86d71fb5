//! Only the token that the issuer signed is accepted, in the one spelling in which it was signed. What is read as a token
//! has three parts, and `serde_json` reads its header and claims as objects.
//!
//! A stranger writes the whole text, and nothing but this code stands before the data of a consumer.

use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use glassine::jwt::{Algorithm, Expected, KeySet, KeySource, MAX_TOKEN, RequiredClaim, Token, Verifier};
use serde_json::{Map, Value};

use super::text;

/// An Ed25519 key whose private part nobody has any more.
const KEYS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"bFkTLlPq2lDaZCoThR5KbHEzKXPNtY5L3gsU0Hu1E_c"}]}"#;
/// The only token that it has signed.
const SIGNED: &str = "eyJhbGciOiJFZERTQSIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlL3QiLCJhdWQiOiJhcGk6Ly9nbGFzc2luZSIsImV4cCI6NDEwMjQ0NDgwMCwiYXpwIjoiYSJ9.W-vpEnuDKTcs7vRgr8pvG9D6M7mv0qs5VTu2yKMj-U07LX6c1tvECNcPiD7S_DeUqQRWTnORIhdtbJzgJlHKCQ";
/// A time before the token expires.
const NOW: i64 = 1_800_000_000;

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let keys = KeySet::parse(KEYS.as_bytes()).expect("a key set");
    let expected = Expected {
        issuer: "https://issuer.example/t".to_owned(),
        audiences: vec!["api://glassine".to_owned()],
        algorithms: Algorithm::ALL.to_vec(),
        claims: vec![RequiredClaim { name: "azp".to_owned(), one_of: vec!["a".to_owned()] }],
    };
    Verifier::new(expected, Arc::new(KeySource::fixed(keys)))
});

/// See the module. The input serves as a token, as the header and as the claims of one.
pub fn jwt(data: &[u8]) {
    assert!(accepts(SIGNED), "the token that was signed");
    let Some(written) = text(data) else { return };
    assert_eq!(accepts(written), written == SIGNED, "{written}");
    let [header, claims, signature] = parts(SIGNED).expect("three parts");
    let encoded = URL_SAFE_NO_PAD.encode(data);
    for forged in [format!("{encoded}.{claims}.{signature}"), format!("{header}.{encoded}.{signature}")] {
        assert_eq!(accepts(&forged), forged == SIGNED, "{forged}");
    }
}

fn accepts(written: &str) -> bool {
    let Ok(token) = Token::parse(written) else { return false };
    let [header, claims, _] = parts(written).expect("three parts");
    assert!(written.len() <= MAX_TOKEN && is_object(header) && is_object(claims), "{written}");
    let mut verifying = pin!(VERIFIER.verify(token, NOW));
    match verifying.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome.is_ok(),
        Poll::Pending => panic!("keys at hand are not waited for"),
    }
}

fn parts(written: &str) -> Option<[&str; 3]> {
    written.split('.').collect::<Vec<_>>().try_into().ok()
}

/// Whether another reader sees an object in this part, and this is the only way to write the part.
fn is_object(part: &str) -> bool {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(part) else { return false };
    let read = serde_json::from_slice::<Map<String, Value>>(&bytes);
    read.is_ok() && URL_SAFE_NO_PAD.encode(&bytes) == part
}
