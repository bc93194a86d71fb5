//! Tokens that others signed: each refusal beside what is accepted, and key sets that come, change and fail.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use glassine::jwt::{
    Algorithm, Expected, FetchTimes, JwtError, KeySet, KeySetError, KeySource, MAX_TOKEN, RequiredClaim,
    Token, Verified, Verifier,
};
use glassine::upstream::{DocumentClient, Network};
use glassine_core::graph::Url;
use serde_json::{Value, json};

use crate::support::issuer::{SigningKey, base64url, jwks};
use crate::support::upstream::{FakeUpstream, Script};
use crate::support::waiting::until;

/// The time of the tests.
const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://issuer.example/t";
const AUDIENCE: &str = "api://glassine";
const TENANT: &str = "11111111-1111-1111-1111-111111111111";

fn expected() -> Expected {
    Expected {
        issuer: ISSUER.to_owned(),
        audiences: vec![AUDIENCE.to_owned()],
        algorithms: Algorithm::DEFAULT.to_vec(),
        claims: vec![RequiredClaim { name: "azp".to_owned(), one_of: vec!["a".to_owned(), "b".to_owned()] }],
    }
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 600, "nbf": NOW - 600, "azp": "a", "tid": TENANT })
}

/// The claims with one added or replaced; `null` removes it.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

fn fixed(set: &str) -> Arc<KeySource> {
    Arc::new(KeySource::fixed(KeySet::parse(set.as_bytes()).unwrap()))
}

fn verifier(keys: &[&SigningKey]) -> Verifier {
    Verifier::new(expected(), fixed(&jwks(keys.iter().copied())))
}

async fn verified(verifier: &Verifier, token: &str) -> Result<Verified, JwtError> {
    verifier.verify(Token::parse(token)?, NOW).await
}

async fn outcome(verifier: &Verifier, token: &str) -> Result<(), JwtError> {
    verified(verifier, token).await.map(drop)
}

/// RFC 7518 section 6.3.1.1 forbids a zero in front, and programs that copy the number from DER write one.
/// Fault: an issuer writes an RSA key with a zero octet in front. Outcome: its tokens are accepted.
#[tokio::test]
async fn zeros_in_front_of_an_rsa_key_mean_nothing() {
    let key = SigningKey::rsa("r");
    let set: Value = serde_json::from_str(&jwks([&key])).unwrap();
    let with_zeros = |name: &str, zeros: usize| {
        let mut set = set.clone();
        let number = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(set["keys"][0][name].as_str().unwrap())
            .unwrap();
        set["keys"][0][name] = base64url([vec![0; zeros], number].concat()).into();
        set.to_string()
    };
    for (name, zeros) in [("n", 0), ("n", 1), ("n", 5), ("e", 1)] {
        let verifier = Verifier::new(expected(), fixed(&with_zeros(name, zeros)));
        assert_eq!(outcome(&verifier, &key.token(&claims())).await, Ok(()), "{zeros} in {name}");
    }
    for exponent in [&[1][..], &[0], &[], &[1, 0], &[2, 0, 0, 0, 1]] {
        let mut set = set.clone();
        set["keys"][0]["e"] = base64url(exponent).into();
        let parsed = KeySet::parse(set.to_string().as_bytes());
        assert_eq!(parsed.err(), Some(KeySetError::NoUsableKey), "{exponent:?} cannot verify");
    }
}

#[tokio::test]
async fn a_good_token_of_every_kind_of_key_is_accepted() {
    let keys = [SigningKey::rsa("r"), SigningKey::p256("p"), SigningKey::p384("q"), SigningKey::ed25519("e")];
    let set = jwks(&keys);
    let all = Expected { algorithms: Algorithm::ALL.to_vec(), ..expected() };
    let verifier = Verifier::new(all, fixed(&set));
    for key in &keys {
        let good =
            verified(&verifier, &key.token(&claims())).await.map_err(|error| error.to_string()).unwrap();
        assert_eq!(good.claims.text("tid"), Some(TENANT));
        assert_eq!(good.claims.get("exp"), Some(&Value::from(NOW + 600)));
    }
    let pss = keys[0].token_with(&json!({ "alg": "PS256" }), &claims());
    assert_eq!(outcome(&verifier, &pss).await, Ok(()));
}

#[tokio::test]
async fn claims_are_compared_one_by_one() {
    use JwtError::{Audience, Claim, Content, Expired, Issuer, NoExpiry, NotYetValid};
    let key = SigningKey::p256("p");
    let verifier = verifier(&[&key]);
    for (name, value, result) in [
        ("iss", json!(ISSUER), Ok(())),
        ("iss", json!("https://issuer.example/other"), Err(Issuer)),
        ("iss", json!("https://issuer.example/t/"), Err(Issuer)),
        ("iss", json!([ISSUER]), Err(Content)),
        ("iss", Value::Null, Err(Issuer)),
        ("aud", json!([AUDIENCE]), Ok(())),
        ("aud", json!(["other", AUDIENCE]), Ok(())),
        ("aud", json!("api://glassine/"), Err(Audience)),
        ("aud", json!("API://glassine"), Err(Audience)),
        ("aud", json!([]), Err(Audience)),
        ("aud", json!([[AUDIENCE]]), Err(Audience)),
        ("aud", json!([AUDIENCE, 1]), Err(Audience)),
        ("aud", json!({ AUDIENCE: true }), Err(Audience)),
        ("aud", Value::Null, Err(Audience)),
        ("azp", json!("b"), Ok(())),
        ("azp", json!("c"), Err(Claim)),
        ("azp", json!("A"), Err(Claim)),
        ("azp", json!(1), Err(Claim)),
        ("azp", Value::Null, Err(Claim)),
        ("exp", json!(NOW - 59), Ok(())),
        ("exp", json!(NOW - 60), Err(Expired)),
        ("exp", json!((NOW + 10) as f64 + 0.5), Ok(())),
        ("exp", json!(0), Err(Expired)),
        ("exp", json!(-1), Err(Expired)),
        ("exp", json!(i64::MAX), Ok(())),
        ("exp", json!(1e300), Err(Content)),
        ("exp", json!((NOW + 10).to_string()), Err(Content)),
        ("exp", json!(null), Err(NoExpiry)),
        ("nbf", json!(NOW + 60), Ok(())),
        ("nbf", json!(NOW + 61), Err(NotYetValid)),
        ("nbf", json!("soon"), Err(Content)),
        ("nbf", Value::Null, Ok(())),
    ] {
        let token = key.token(&with(name, value.clone()));
        assert_eq!(outcome(&verifier, &token).await, result, "{name} {value}");
    }
}

#[tokio::test]
async fn a_claim_that_is_a_list_has_to_have_the_value() {
    let key = SigningKey::p256("p");
    let roles = RequiredClaim { name: "roles".to_owned(), one_of: vec!["Mail.Export".to_owned()] };
    let verifier = Verifier::new(Expected { claims: vec![roles], ..expected() }, fixed(&jwks([&key])));
    for (roles, result) in [
        (json!(["Other", "Mail.Export"]), Ok(())),
        (json!(["Other"]), Err(JwtError::Claim)),
        (json!([]), Err(JwtError::Claim)),
    ] {
        assert_eq!(outcome(&verifier, &key.token(&with("roles", roles.clone()))).await, result, "{roles}");
    }
}

#[tokio::test]
async fn the_algorithm_is_pinned_and_belongs_to_the_key() {
    let (rsa, p256) = (SigningKey::rsa("r"), SigningKey::p256("p"));
    let verifier = verifier(&[&rsa, &p256]);
    let es = |more: Value| p256.token_with(&more, &claims());
    assert_eq!(outcome(&verifier, &es(json!({}))).await, Ok(()));
    for (more, error) in [
        (json!({ "alg": "none" }), JwtError::Algorithm),
        (json!({ "alg": "None" }), JwtError::Algorithm),
        (json!({ "alg": "es256" }), JwtError::Algorithm),
        (json!({ "alg": "ES384" }), JwtError::Algorithm),
        (json!({ "alg": "RS512" }), JwtError::Algorithm),
        (json!({ "alg": "HS256" }), JwtError::Algorithm),
        (json!({ "alg": null }), JwtError::Algorithm),
        (json!({ "alg": ["ES256"] }), JwtError::Content),
        (json!({ "alg": "RS256" }), JwtError::Key),
        (json!({ "alg": "EdDSA" }), JwtError::Key),
        (json!({ "alg": "RS256", "kid": "r" }), JwtError::Signature),
    ] {
        assert_eq!(outcome(&verifier, &es(more.clone())).await, Err(error), "{more}");
    }
    let unsigned = es(json!({ "alg": "none" }));
    let unsigned = &unsigned[..=unsigned.rfind('.').unwrap()];
    assert_eq!(outcome(&verifier, unsigned).await, Err(JwtError::Form));
}

/// The classic attack: a verifier that takes `alg` from the token uses the published key as the secret of an HMAC.
/// Fault: a token is signed with an HMAC whose secret is the public key. Outcome: the token is refused.
#[tokio::test]
async fn a_public_key_is_not_accepted_as_an_hmac_secret() {
    let key = SigningKey::rsa("r");
    let verifier = verifier(&[&key]);
    let n = key.jwk()["n"].as_str().unwrap().to_owned();
    for secret in [n.clone(), key.jwk().to_string(), jwks([&key])] {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let header = json!({ "alg": "HS256", "kid": "r", "typ": "JWT" }).to_string();
        let signed = format!("{}.{}", base64url(header), base64url(claims().to_string()));
        let token = format!("{signed}.{}", base64url(hmac::sign(&secret, signed.as_bytes())));
        assert_eq!(outcome(&verifier, &token).await, Err(JwtError::Algorithm));
    }
    let symmetric = json!({ "keys": [{ "kty": "oct", "kid": "r", "k": n }] }).to_string();
    assert_eq!(KeySet::parse(symmetric.as_bytes()).err(), Some(KeySetError::NoUsableKey));
    assert_eq!(outcome(&verifier, &key.token(&claims())).await, Ok(()));
}

#[tokio::test]
async fn headers_say_what_a_token_is() {
    let key = SigningKey::p256("p");
    let verifier = verifier(&[&key]);
    let mine = SigningKey::p256("p");
    for (more, result) in [
        (json!({ "typ": "at+jwt" }), Ok(())),
        (json!({ "typ": "application/at+JWT" }), Ok(())),
        (json!({ "typ": null }), Ok(())),
        (json!({ "typ": "logout+jwt" }), Err(JwtError::Type)),
        (json!({ "typ": "dpop+jwt" }), Err(JwtError::Type)),
        (json!({ "typ": 1 }), Err(JwtError::Content)),
        (json!({ "crit": ["exp"] }), Err(JwtError::Critical)),
        (json!({ "crit": [] }), Err(JwtError::Critical)),
        (json!({ "kid": "other" }), Err(JwtError::UnknownKey)),
        (json!({ "kid": "P" }), Err(JwtError::UnknownKey)),
        (json!({ "kid": 1 }), Err(JwtError::Content)),
        (json!({ "kid": null }), Ok(())),
    ] {
        assert_eq!(outcome(&verifier, &key.token_with(&more, &claims())).await, result, "{more}");
    }
    // A key inside the token is never used.
    let brought =
        mine.token_with(&json!({ "jwk": mine.jwk(), "jku": "https://evil.example/keys" }), &claims());
    assert_eq!(outcome(&verifier, &brought).await, Err(JwtError::Signature));
}

/// Fault: a token has a claim twice, or is malformed. Outcome: the token is refused.
#[tokio::test]
async fn what_has_two_readings_or_none_is_refused() {
    let key = SigningKey::p256("p");
    let verifier = verifier(&[&key]);
    let header = r#"{"alg":"ES256","kid":"p"}"#;
    let body = claims().to_string();
    let twice = |member: &str| body.replacen('{', &format!("{{{member},"), 1);
    assert_eq!(outcome(&verifier, &key.raw(header, &body)).await, Ok(()));
    for (header, body) in [
        (header, twice(r#""azp":"evil""#)),
        (header, twice(r#""\u0061zp":"a""#)),
        (header, twice(r#""x":{"y":1,"y":2}"#)),
        (r#"{"alg":"none","alg":"ES256","kid":"p"}"#, body.clone()),
        (header, format!("{body}{body}")),
        (header, format!("[{body}]")),
        ("[]", body.clone()),
        ("", body.clone()),
    ] {
        assert_eq!(
            outcome(&verifier, &key.raw(header, &body)).await,
            Err(JwtError::Content),
            "{header} {body}"
        );
    }
    let good = key.token(&claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    for bad in [
        String::new(),
        "a.b".to_owned(),
        signed.to_owned(),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{signature}.{signature}"),
        format!("{signed}="),
        good.replacen('.', ".\n", 1),
        format!(" {good}"),
        good.replacen('.', "=.", 1),
    ] {
        assert_eq!(outcome(&verifier, &bad).await, Err(JwtError::Form), "{bad}");
    }
    for bad in [format!("{good}="), format!("{good}A"), format!("{signed}.AAAA"), format!("{good} ")] {
        assert_eq!(outcome(&verifier, &bad).await, Err(JwtError::Signature), "{bad}");
    }
}

/// Fault: a token is longer than 16 KiB. Outcome: the token is refused without verification.
#[tokio::test]
async fn a_token_is_no_longer_than_16_kib() {
    let key = SigningKey::p256("p");
    let verifier = verifier(&[&key]);
    let token = |length: usize| key.token(&with("x", json!("x".repeat(length))));
    let length = (0..).find(|length| token(MAX_TOKEN * 3 / 4 - 600 + length).len() >= MAX_TOKEN - 3).unwrap();
    let long = token(MAX_TOKEN * 3 / 4 - 600 + length);
    assert_eq!((outcome(&verifier, &long).await, long.len() <= MAX_TOKEN), (Ok(()), true));
    assert_eq!(outcome(&verifier, &token(MAX_TOKEN)).await, Err(JwtError::TooLong));
}

#[tokio::test]
async fn a_changed_token_has_no_signature() {
    let (key, other) = (SigningKey::rsa("r"), SigningKey::rsa("r"));
    let verifier = verifier(&[&key]);
    let good = key.token(&claims());
    let parts: Vec<_> = good.split('.').collect();
    let promoted = base64url(with("azp", json!("b")).to_string());
    let swapped = format!("{}.{promoted}.{}", parts[0], parts[2]);
    assert_eq!(outcome(&verifier, &good).await, Ok(()));
    assert_eq!(outcome(&verifier, &swapped).await, Err(JwtError::Signature));
    assert_eq!(outcome(&verifier, &other.token(&claims())).await, Err(JwtError::Signature));
}

#[tokio::test]
async fn no_character_of_a_token_can_be_another() {
    let key = SigningKey::p256("k");
    let verifier = verifier(&[&key]);
    let good = key.token(&claims());
    for (at, was) in good.char_indices() {
        for other in ['A', 'Q', 'g', 'w', '-', '.', '='] {
            let changed = format!("{}{other}{}", &good[..at], &good[at + 1..]);
            assert_eq!(outcome(&verifier, &changed).await.is_ok(), was == other, "{at}: {was} {other}");
        }
    }
}

/// Fault: a key set holds a private key, more than 100 keys, or no key for signatures. Outcome: the key set is refused.
#[test]
fn a_key_set_has_keys_for_signatures_and_no_secrets() {
    let key = SigningKey::rsa("r");
    let set = |change: Value| {
        let mut jwk = key.jwk();
        for (name, value) in change.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        json!({ "keys": [jwk] }).to_string()
    };
    let parse = |text: &str| KeySet::parse(text.as_bytes()).map(drop);
    for good in
        [json!({}), json!({ "key_ops": ["verify"] }), json!({ "alg": "RS256" }), json!({ "x5c": ["?"] })]
    {
        assert_eq!(parse(&set(good.clone())), Ok(()), "{good}");
    }
    for unusable in [
        json!({ "use": "enc" }),
        json!({ "key_ops": ["encrypt"] }),
        json!({ "alg": "RSA-OAEP" }),
        json!({ "alg": "HS256" }),
        json!({ "kty": "RSA2" }),
        json!({ "kty": "EC" }),
        json!({ "n": "AQAB" }),
        json!({ "n": 5 }),
    ] {
        assert_eq!(parse(&set(unusable.clone())), Err(KeySetError::NoUsableKey), "{unusable}");
    }
    assert_eq!(parse(&set(json!({ "d": "AQAB" }))), Err(KeySetError::PrivateKey));
    let many = vec![key.jwk(); 101];
    assert_eq!(parse(&json!({ "keys": many[..100] }).to_string()), Ok(()));
    assert_eq!(parse(&json!({ "keys": many }).to_string()), Err(KeySetError::TooMany));
    for bad in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":["x"]}"#, r#"{"keys":[],"keys":[]}"#] {
        assert_eq!(parse(bad), Err(KeySetError::Form), "{bad}");
    }
    assert_eq!(parse(r#"{"keys":[]}"#), Err(KeySetError::NoUsableKey));
}

#[tokio::test]
async fn a_key_is_for_its_algorithm_and_its_issuer_only() {
    let key = SigningKey::rsa("r");
    let check = async |name: &str, value: &str| {
        let mut jwk = key.jwk();
        jwk[name] = json!(value);
        let verifier = Verifier::new(expected(), fixed(&json!({ "keys": [jwk] }).to_string()));
        outcome(&verifier, &key.token(&claims())).await
    };
    assert_eq!(check("alg", "RS256").await, Ok(()));
    assert_eq!(check("alg", "PS256").await, Err(JwtError::Key));
    assert_eq!(check("issuer", ISSUER).await, Ok(()));
    assert_eq!(check("issuer", "https://issuer.example/other").await, Err(JwtError::Key));
    assert_eq!(check("issuer", "https://issuer.example/{tenantid}").await, Err(JwtError::Key));

    let issuer = format!("https://issuer.example/{TENANT}");
    let mut jwk = key.jwk();
    jwk["issuer"] = json!("https://issuer.example/{tenantid}");
    let shared = Verifier::new(
        Expected { issuer: issuer.clone(), ..expected() },
        fixed(&json!({ "keys": [jwk] }).to_string()),
    );
    assert_eq!(outcome(&shared, &key.token(&with("iss", json!(issuer)))).await, Ok(()));
}

#[tokio::test]
async fn two_keys_may_have_one_id_and_without_an_id_there_must_be_one_key() {
    let (old, new) = (SigningKey::p256("p"), SigningKey::p256("p"));
    let both = verifier(&[&old, &new]);
    for key in [&old, &new] {
        assert_eq!(outcome(&both, &key.token(&claims())).await, Ok(()));
        let nameless = key.token_with(&json!({ "kid": null }), &claims());
        assert_eq!(outcome(&both, &nameless).await, Err(JwtError::UnknownKey));
    }
}

/// An issuer whose key set is behind a URL, and whose server can be made to fail.
struct Remote {
    published: Arc<Mutex<Option<String>>>,
    fetches: Arc<AtomicUsize>,
    _server: FakeUpstream,
    verifier: Arc<Verifier>,
}

impl Remote {
    async fn new(published: Option<String>, pace: FetchTimes) -> Self {
        let (published, fetches) = (Arc::new(Mutex::new(published)), Arc::new(AtomicUsize::new(0)));
        let (shown, counted) = (Arc::clone(&published), Arc::clone(&fetches));
        let server = FakeUpstream::start(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            shown.lock().unwrap().as_ref().map_or(Script::status(503), Script::json)
        })
        .await;
        let url = Url::parse(&format!("http://{}/keys", server.address())).unwrap();
        let client = DocumentClient::new(url, &Network::default()).unwrap();
        let verifier = Verifier::new(expected(), Arc::new(KeySource::remote(client, pace)));
        Self { published, fetches, _server: server, verifier: Arc::new(verifier) }
    }

    fn publish(&self, set: Option<String>) {
        *self.published.lock().unwrap() = set;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    async fn outcome(&self, key: &SigningKey) -> Result<(), JwtError> {
        outcome(&self.verifier, &key.token(&claims())).await
    }
}

/// No fetch happens by itself during a test.
fn calm() -> FetchTimes {
    let hour = Duration::from_secs(3_600);
    FetchTimes { refresh: hour, stale: hour, retry: hour, burst: 2 }
}

/// Fault: 50 requests need an issuer's key set at once. Outcome: the key set is fetched once.
#[tokio::test]
async fn keys_are_fetched_once_whoever_waits() {
    let key = SigningKey::p256("p");
    let issuer = Remote::new(Some(jwks([&key])), calm()).await;
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (verifier, token) = (Arc::clone(&issuer.verifier), key.token(&claims()));
            tokio::spawn(async move { outcome(&verifier, &token).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(()));
    }
    assert_eq!(issuer.fetches(), 1);
}

/// Fault: an issuer starts to sign with a new key under load. Outcome: no request fails, and the key set is fetched once more.
#[tokio::test]
async fn a_rollover_under_load_fails_nobody() {
    let (old, new) = (Arc::new(SigningKey::p256("old")), Arc::new(SigningKey::p256("new")));
    let issuer = Remote::new(Some(jwks([&*old])), calm()).await;
    assert_eq!(issuer.outcome(&old).await, Ok(()));
    issuer.publish(Some(jwks([&*old, &*new])));
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let key = Arc::clone(if number % 2 == 0 { &old } else { &new });
            let verifier = Arc::clone(&issuer.verifier);
            tokio::spawn(async move { outcome(&verifier, &key.token(&claims())).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(()));
    }
    assert_eq!(issuer.fetches(), 2);
    issuer.publish(Some(jwks([&*new])));
    assert_eq!(issuer.outcome(&new).await, Ok(()));
}

/// Fault: a client sends tokens with invented key ids. Outcome: the key set is fetched twice more at most, and good tokens are accepted.
#[tokio::test]
async fn made_up_key_ids_cause_few_fetches() {
    let key = SigningKey::p256("p");
    let issuer = Remote::new(Some(jwks([&key])), calm()).await;
    for number in 0..20 {
        let stranger = SigningKey::p256(&format!("made-up-{number}"));
        assert_eq!(issuer.outcome(&stranger).await, Err(JwtError::UnknownKey));
    }
    assert_eq!(issuer.fetches(), 1 + 2, "the first one, and the budget");
    assert_eq!(issuer.outcome(&key).await, Ok(()));
    let expired = key.token_with(&json!({ "kid": "x" }), &with("exp", json!(1)));
    assert_eq!(outcome(&issuer.verifier, &expired).await, Err(JwtError::Expired));
}

/// Fault: an issuer's key set is unreachable or malformed. Outcome: the last good keys stay in use.
#[tokio::test]
async fn keys_at_hand_stay_in_use_while_the_issuer_is_down() {
    let (key, new) = (SigningKey::p256("p"), SigningKey::p256("new"));
    let pace =
        FetchTimes { refresh: Duration::ZERO, stale: Duration::ZERO, retry: Duration::ZERO, burst: 100 };
    let issuer = Remote::new(Some(jwks([&key])), pace).await;
    assert_eq!(issuer.outcome(&key).await, Ok(()));
    for broken in [None, Some("<html>".to_owned()), Some(r#"{"keys":[]}"#.to_owned())] {
        issuer.publish(broken);
        assert_eq!(issuer.outcome(&key).await, Ok(()));
        assert_eq!(issuer.outcome(&new).await, Err(JwtError::NoKeys), "it may be valid");
    }
    issuer.publish(Some(jwks([&new])));
    assert_eq!(issuer.outcome(&new).await, Ok(()));
    assert_eq!(issuer.outcome(&key).await, Err(JwtError::UnknownKey), "withdrawn");
}

/// Fault: an issuer is down at the first request. Outcome: the key set is fetched again after a pause, and then tokens are accepted.
#[tokio::test]
async fn an_issuer_that_is_down_at_first_is_asked_again() {
    let key = SigningKey::p256("p");
    let issuer = Remote::new(None, FetchTimes { retry: Duration::from_millis(50), ..calm() }).await;
    assert_eq!(issuer.outcome(&key).await, Err(JwtError::NoKeys));
    assert_eq!(issuer.outcome(&key).await, Err(JwtError::NoKeys));
    assert_eq!(issuer.fetches(), 1, "not at once");
    issuer.publish(Some(jwks([&key])));
    until("the key is known", async || issuer.outcome(&key).await.is_ok()).await;
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn the_same_keys_again_are_the_same_set() {
    let (key, new) = (SigningKey::p256("p"), SigningKey::p256("new"));
    let pace = FetchTimes { refresh: Duration::ZERO, stale: Duration::ZERO, ..calm() };
    let issuer = Remote::new(Some(jwks([&key])), pace).await;
    let token = key.token(&claims());
    let set =
        async || verified(&issuer.verifier, &token).await.map_err(|error| error.to_string()).unwrap().keys;
    let first = set().await;
    assert!(Arc::ptr_eq(&first, &set().await));
    assert!(issuer.fetches() >= 2);
    issuer.publish(Some(jwks([&key, &new])));
    assert!(!Arc::ptr_eq(&first, &set().await));
}
