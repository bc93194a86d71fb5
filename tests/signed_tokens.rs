//! Consumers that authenticate with tokens that others signed: each refusal beside what is accepted, several consumers
//! of one issuer, keys that roll over, and issuers that are down.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::service::until_config_is;
use crate::support::glassine::{Consumer, Glassine, METADATA_ONLY, ProxyResponse, Setup, unidentified};
use crate::support::issuer::{SigningKey, jwks};
use crate::support::upstream::{FakeUpstream, Script};

const USERS: &str = "/v1.0/users";
const PAGE: &str = r#"{"value":[{"id":"u1"}]}"#;
const ISSUER: &str = "https://issuer.example/t";

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": "api://glassine", "exp": now() + 600, "azp": "one", "tid": "t" })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn credential(azp: &str, keys: &str) -> String {
    format!(
        "{{ jwt: {{ issuer: '{ISSUER}', audience: 'api://glassine', {keys}, claims: {{ azp: {azp}, tid: t }} }} }}"
    )
}

/// Two consumers of one issuer, whose keys are in a file, and one with a bearer token.
async fn stage(graph: &FakeUpstream, key: &SigningKey) -> Glassine {
    let mut setup = Setup::scripted(graph)
        .consumer(Consumer::known_by("one", credential("one", "jwks_file: keys.json")))
        .consumer(Consumer::known_by("two", credential("[two, zwei]", "jwks_file: keys.json")));
    setup.files.push(("keys.json", jwks([key])));
    setup.start().await
}

async fn get(proxy: &Glassine, token: &str) -> ProxyResponse {
    proxy.send("GET", USERS, &[("authorization", &format!("Bearer {token}"))]).await
}

async fn last_reason(proxy: &Glassine, count: usize) -> (String, Value) {
    let last = proxy.audited(count).await.pop().unwrap();
    (last["reason"].as_str().unwrap().to_owned(), last["consumer"].clone())
}

#[tokio::test]
async fn a_token_opens_what_its_consumer_may_and_nothing_of_another() {
    let (graph, key) = (FakeUpstream::always(Script::json(PAGE)).await, SigningKey::rsa("k"));
    let proxy = stage(&graph, &key).await;
    let id = |response: &ProxyResponse| response.json()["value"][0]["id"].as_str().unwrap().to_owned();
    let mut ids = Vec::new();
    for (azp, consumer) in [("one", "one"), ("two", "two"), ("zwei", "two")] {
        let response = get(&proxy, &key.token(&with("azp", json!(azp)))).await;
        assert_eq!(response.status, 200);
        ids.push(id(&response));
        assert_eq!(last_reason(&proxy, ids.len()).await, ("allowed".to_owned(), json!(consumer)));
    }
    assert!(ids[0] != ids[1] && ids[1] == ids[2]);
    ids.push(id(&proxy.get(USERS).await));
    assert!(!ids[..3].contains(&ids[3]));
    let token = key.token(&claims());
    let other = async |id: &str| {
        let target = format!("{USERS}/{id}");
        proxy.send("GET", &target, &[("authorization", &format!("Bearer {token}"))]).await
    };
    assert_eq!(other(&ids[0]).await.status, 200);
    assert_eq!((other(&ids[1]).await.status, other(&ids[3]).await.status), (404, 404));
}

#[tokio::test]
async fn every_token_that_is_not_right_gets_the_one_401_and_a_reason_in_the_audit() {
    let (graph, key) = (FakeUpstream::always(Script::json(PAGE)).await, SigningKey::p256("k"));
    let proxy = stage(&graph, &key).await;
    let stranger = SigningKey::p256("k");
    let refused = [
        (key.token(&with("iss", json!("https://issuer.example/other"))), "jwt_issuer"),
        (key.token(&with("aud", json!("api://other"))), "jwt_audience"),
        (key.token(&with("azp", json!("three"))), "jwt_claim"),
        (key.token(&with("tid", json!("other"))), "jwt_claim"),
        (key.token(&with("exp", json!(now() - 61))), "jwt_expired"),
        (key.token(&with("nbf", json!(now() + 120))), "jwt_not_yet_valid"),
        (key.token_with(&json!({ "alg": "none" }), &claims()), "jwt_algorithm"),
        (key.token_with(&json!({ "alg": "HS256" }), &claims()), "jwt_algorithm"),
        (key.token_with(&json!({ "kid": "other" }), &claims()), "jwt_unknown_key"),
        (key.token_with(&json!({ "typ": "logout+jwt" }), &claims()), "jwt_type"),
        (key.token_with(&json!({ "crit": ["x"] }), &claims()), "jwt_critical"),
        (stranger.token(&claims()), "jwt_signature"),
        ("no-token".to_owned(), "unauthenticated"),
    ];
    let mut reasons = BTreeMap::new();
    for (token, reason) in refused {
        let response = get(&proxy, &token).await;
        assert_eq!(
            (response.status, response.code().as_str()),
            (401, "InvalidAuthenticationToken"),
            "{reason}"
        );
        assert_eq!(
            response.headers["www-authenticate"],
            "Bearer realm=\"glassine\", error=\"invalid_token\""
        );
        assert!(!response.everything().contains("jwt"), "{}", response.everything());
        *reasons.entry(reason.to_owned()).or_default() += 1;
    }
    assert_eq!(graph.requests().len(), 0);
    assert_eq!(get(&proxy, &key.token(&claims())).await.status, 200);
    assert_eq!(proxy.audit().pop().unwrap()["consumer"], "one");
    let folder = proxy.stop().await;
    let file = folder.path().join("audit.jsonl");
    let log = std::fs::read_to_string(&file).unwrap();
    assert_eq!(unidentified(&file), reasons);
    assert!(!log.contains("eyJ") && !log.contains("api://other"), "{log}");
}

/// Fault: a token is valid for two consumers. Outcome: the client gets 401.
#[tokio::test]
async fn a_token_that_satisfies_two_consumers_is_nobodys() {
    let (graph, key) = (FakeUpstream::always(Script::json(PAGE)).await, SigningKey::p256("k"));
    let of = |audience: &str| {
        format!("{{ jwt: {{ issuer: '{ISSUER}', audience: {audience}, jwks_file: keys.json }} }}")
    };
    let mut setup = Setup::scripted(&graph)
        .consumer(Consumer::known_by("one", of("a")))
        .consumer(Consumer::known_by("two", of("b")));
    setup.files.push(("keys.json", jwks([&key])));
    let proxy = setup.start().await;
    for (audience, status) in [(json!("a"), 200), (json!(["b", "c"]), 200), (json!(["a", "b"]), 401)] {
        assert_eq!(
            get(&proxy, &key.token(&with("aud", audience.clone()))).await.status,
            status,
            "{audience}"
        );
    }
    assert_eq!(last_reason(&proxy, 3).await.0, "ambiguous_credential");
}

/// Fault: a token expires after it was accepted. Outcome: its requests get 401.
#[tokio::test]
async fn a_token_that_was_verified_ends_when_it_ends() {
    let (graph, key) = (FakeUpstream::always(Script::json(PAGE)).await, SigningKey::p256("k"));
    let proxy = stage(&graph, &key).await;
    // The leeway is a minute: this one has two seconds left.
    let token = key.token(&with("exp", json!(now() - 58)));
    assert_eq!(get(&proxy, &token).await.status, 200);
    for _ in 0..400 {
        if get(&proxy, &token).await.status == 401 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the token never ended");
}

/// Fault: a signing key is taken out of the key set's file. Outcome: its tokens get 401, also those that were accepted before.
#[tokio::test]
async fn a_file_of_keys_is_read_again_when_it_changes() {
    let (graph, old) = (FakeUpstream::always(Script::json(PAGE)).await, SigningKey::p256("old"));
    let proxy = stage(&graph, &old).await;
    let new = SigningKey::p256("new");
    let (old_token, new_token) = (old.token(&claims()), new.token(&claims()));
    assert_eq!((get(&proxy, &old_token).await.status, get(&proxy, &new_token).await.status), (200, 401));
    proxy.write("keys.json", &jwks([&new]));
    for _ in 0..120 {
        if get(&proxy, &new_token).await.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Also a token that was verified before and is cached.
    assert_eq!((get(&proxy, &old_token).await.status, get(&proxy, &new_token).await.status), (401, 200));
}

/// Fault: the key set's file becomes malformed, or holds a private key. Outcome: the last good keys stay in use.
#[tokio::test]
async fn a_bad_file_of_keys_leaves_the_last_good_state() {
    let (graph, key) = (FakeUpstream::always(Script::json(PAGE)).await, SigningKey::p256("k"));
    let proxy = stage(&graph, &key).await;
    let token = key.token(&claims());
    let mut private = key.jwk();
    private["d"] = json!("AQAB");
    for bad in [json!({ "keys": [private] }).to_string(), "{}".to_owned()] {
        proxy.write("keys.json", &bad);
        until_config_is(&proxy, false).await;
        assert_eq!(get(&proxy, &token).await.status, 200);
        proxy.write("keys.json", &jwks([&key]));
        until_config_is(&proxy, true).await;
    }
}

/// An issuer's key set behind a URL.
struct Keys {
    published: Arc<Mutex<Option<String>>>,
    fetches: Arc<AtomicUsize>,
    server: FakeUpstream,
}

impl Keys {
    async fn publish(set: Option<String>) -> Self {
        let (published, fetches) = (Arc::new(Mutex::new(set)), Arc::new(AtomicUsize::new(0)));
        let (shown, counted) = (Arc::clone(&published), Arc::clone(&fetches));
        let server = FakeUpstream::start(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            shown.lock().unwrap().as_ref().map_or(Script::status(503), Script::json)
        })
        .await;
        Self { published, fetches, server }
    }

    async fn proxy(&self, graph: &FakeUpstream) -> Glassine {
        let url = format!("jwks_url: 'http://{}/keys'", self.server.address());
        let more = "    limits: { concurrent: 200 }\n".to_owned();
        let consumer = Consumer { more, ..Consumer::known_by("one", credential("one", &url)) };
        Setup::scripted(graph).consumer(consumer).start().await
    }
}

/// Fault: an issuer's keys roll over while 90 requests are in progress. Outcome: all requests succeed, and the key set is fetched twice at most.
#[tokio::test]
async fn keys_that_roll_over_under_load_fail_no_request() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let (old, new) = (SigningKey::p256("old"), SigningKey::p256("new"));
    let keys = Keys::publish(Some(jwks([&old]))).await;
    let proxy = Arc::new(keys.proxy(&graph).await);
    let load = |tokens: Vec<String>| {
        tokens.into_iter().map(|token| {
            let proxy = Arc::clone(&proxy);
            tokio::spawn(async move { get(&proxy, &token).await.status })
        })
    };
    // Each token is new, so that no token is in the cache.
    let token = |key: &SigningKey, number: usize| key.token(&with("jti", json!(number)));
    let before: Vec<_> = load((0..30).map(|number| token(&old, number)).collect()).collect();
    *keys.published.lock().unwrap() = Some(jwks([&old, &new]));
    let during: Vec<_> =
        load((30..90).map(|number| token(if number % 2 == 0 { &old } else { &new }, number)).collect())
            .collect();
    for answered in before.into_iter().chain(during) {
        assert_eq!(answered.await.unwrap(), 200);
    }
    assert!(keys.fetches.load(Ordering::SeqCst) <= 2);
}

/// Fault: an issuer is down. Outcome: its consumers get 503 `identityUnavailable` with `Retry-After`, and other consumers are served.
#[tokio::test]
async fn while_an_issuer_is_down_its_consumers_wait_and_others_are_served() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let key = SigningKey::p256("k");
    let keys = Keys::publish(None).await;
    let proxy = keys.proxy(&graph).await;
    let response = get(&proxy, &key.token(&claims())).await;
    assert_eq!((response.status, response.code().as_str()), (503, "identityUnavailable"));
    assert!(response.headers.contains_key("retry-after"));
    // A token that cannot be valid is refused without the keys, and bearer tokens need no issuer.
    assert_eq!(get(&proxy, &key.token(&with("azp", json!("x")))).await.status, 401);
    assert_eq!(proxy.get(USERS).await.status, 200);
}

/// Fault: the configuration is reloaded while an issuer is down. Outcome: the keys at hand stay in use.
#[tokio::test]
async fn keys_outlive_an_outage_also_through_a_reload() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let key = SigningKey::p256("k");
    let keys = Keys::publish(Some(jwks([&key]))).await;
    let proxy = keys.proxy(&graph).await;
    assert_eq!(get(&proxy, &key.token(&claims())).await.status, 200);
    *keys.published.lock().unwrap() = None;
    proxy.write("acme.yaml", &METADATA_ONLY.replace("$.accountEnabled, ", ""));
    let reloads = async || {
        let metrics = proxy.admin_get("/metrics").await.text();
        metrics
            .lines()
            .filter(|line| line.starts_with("glassine_reloads_total"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let first = reloads().await;
    for _ in 0..120 {
        if reloads().await != first {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_ne!(reloads().await, first);
    assert_eq!(get(&proxy, &key.token(&with("jti", json!(2)))).await.status, 200);
}

/// Fault: a client invents addresses in `X-Forwarded-For`. Outcome: the address of the nearest untrusted hop counts.
#[tokio::test]
async fn what_a_trusted_proxy_says_decides_where_a_consumer_comes_from() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let limited = |more: &str| {
        let mut setup = Setup::scripted(&graph);
        setup.consumers[0].more = "    allow_from: [203.0.113.0/24, '2001:db8::/32']\n".to_owned();
        setup.more = more.to_owned();
        setup
    };
    let proxy = limited("trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]\n").start().await;
    for (field, status) in [
        ("203.0.113.9", 200),
        ("2001:db8::7", 200),
        ("::ffff:203.0.113.9", 200),
        ("203.0.113.9:4711", 200),
        ("192.0.2.1, 203.0.113.9, 10.1.2.3", 200),
        ("garbage, 203.0.113.9", 200),
        ("203.0.113.9, 192.0.2.1", 403),
        ("203.0.113.9, 192.0.2.1, 10.1.2.3", 403),
        ("10.1.2.3", 403),
        ("203.0.113.9, garbage", 400),
        ("203.0.113.9,", 400),
        ("unknown", 400),
    ] {
        assert_eq!(
            proxy.get_as("acme", USERS, &[("x-forwarded-for", field)]).await.status,
            status,
            "{field}"
        );
    }
    let two = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "192.0.2.1")];
    assert_eq!(proxy.get_as("acme", USERS, &two).await.status, 403, "the last line is of the nearest proxy");
    assert_eq!(proxy.get(USERS).await.status, 403, "without the field, the client is the proxy itself");
    let unknown = [("x-forwarded-for", "unknown")];
    assert_eq!(proxy.send("GET", USERS, &unknown).await.status, 401, "an unknown caller learns nothing more");

    // Another consumer may connect from anywhere, so the proxy does not close the connection already.
    let untrusting = limited("").consumer(Consumer::new("other", METADATA_ONLY)).start().await;
    let spoofed = untrusting.get_as("acme", USERS, &[("x-forwarded-for", "203.0.113.9")]).await;
    assert_eq!((spoofed.status, spoofed.code().as_str()), (403, "addressNotAllowed"));
}
