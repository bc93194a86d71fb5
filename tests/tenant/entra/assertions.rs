//! Certificates and other issuers' tokens instead of a secret.

use std::sync::OnceLock;

use glassine::demo::tenant::{CertificateError, FederatedCredential};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Graph, SCOPE, but, claims};
use crate::support::issuer::{SigningKey, base64url, jwks};

const NAME: &str = "Outlook Mail";
const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ISSUER: &str = "https://kubernetes.example/cluster";
const SUBJECT: &str = "system:serviceaccount:analytics:glassine";
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// A certificate in DER and its key.
struct Identity {
    der: Vec<u8>,
    key: SigningKey,
}

impl Identity {
    fn new(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let mut params = CertificateParams::new(vec!["glassine.example".to_owned()]).unwrap();
        change(&mut params);
        let der = params.self_signed(&pair).unwrap().der().to_vec();
        Self { der, key: SigningKey::rsa_of("certificate", &pair.serialize_der()) }
    }

    /// Making an RSA key takes a while: most tests share one.
    fn shared() -> &'static Self {
        static SHARED: OnceLock<Identity> = OnceLock::new();
        SHARED.get_or_init(|| Self::new(|_| {}))
    }

    fn header(&self) -> Value {
        json!({ "alg": "PS256", "kid": null, "x5t#S256": base64url(Sha256::digest(&self.der)) })
    }
}

/// A tenant where the application has a certificate and trusts an issuer.
struct Setting {
    graph: Graph,
    client_id: String,
    issuer: SigningKey,
}

impl Setting {
    async fn new() -> Self {
        let graph = Graph::own().await;
        let issuer = SigningKey::rsa("issuer");
        let published = serde_json::from_str(&jwks([&issuer])).unwrap();
        graph.change(NAME, |it| {
            it.register_certificate(&Identity::shared().der).unwrap();
            it.trust(FederatedCredential {
                issuer: ISSUER.to_owned(),
                subject: SUBJECT.to_owned(),
                audience: AUDIENCE.to_owned(),
                jwks: published,
            });
        });
        let client_id = graph.application(NAME).client_id().to_owned();
        Self { graph, client_id, issuer }
    }

    /// The claims of a valid assertion of the application, with some replaced.
    fn claims(&self, with: &Value) -> Value {
        let now = jiff::Timestamp::now().as_second();
        let audience = format!("{}{}", self.graph.base(), self.graph.entra("/oauth2/v2.0/token"));
        let claims = json!({
            "aud": audience, "iss": self.client_id, "sub": self.client_id, "jti": unique(),
            "nbf": now, "iat": now, "exp": now + 300,
        });
        replaced(claims, with)
    }

    fn own(&self, header: &Value, with: &Value) -> String {
        let identity = Identity::shared();
        identity.key.token_with(&replaced(identity.header(), header), &self.claims(with))
    }

    fn federated(&self, with: &Value) -> String {
        self.issuer.token(&foreign_claims(with))
    }

    async fn ask(&self, assertion: &str) -> (u16, Value) {
        self.graph.ask(&self.form(assertion)).await
    }

    async fn denies(&self, assertion: &str, code: u32) {
        self.graph.denies(&self.form(assertion), 401, "invalid_client", code).await;
    }

    fn form<'a>(&'a self, assertion: &'a str) -> [(&'static str, &'a str); 5] {
        [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("scope", SCOPE),
            ("client_assertion_type", KIND),
            ("client_assertion", assertion),
        ]
    }
}

fn foreign_claims(with: &Value) -> Value {
    let now = jiff::Timestamp::now().as_second();
    let claims =
        json!({ "iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 600 });
    replaced(claims, with)
}

fn replaced(mut object: Value, with: &Value) -> Value {
    for (name, value) in with.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

fn unique() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    base64url(bytes)
}

#[tokio::test]
async fn an_assertion_of_the_registered_certificate_does_for_a_secret() {
    let set = Setting::new().await;
    for algorithm in ["PS256", "RS256"] {
        let (status, response) = set.ask(&set.own(&json!({ "alg": algorithm }), &json!({}))).await;
        assert_eq!(status, 200, "{response}");
        assert_eq!(claims(response["access_token"].as_str().unwrap())["appidacr"], "2");
    }
}

#[tokio::test]
async fn a_certificate_is_found_by_either_thumbprint_unless_entra_knows_one_only() {
    let set = Setting::new().await;
    let sha1 =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &Identity::shared().der);
    let by_sha1 = json!({ "alg": "RS256", "x5t#S256": null, "x5t": base64url(sha1) });
    assert_eq!(set.ask(&set.own(&by_sha1, &json!({}))).await.0, 200);
    set.denies(&set.own(&json!({ "x5t#S256": null, "x5t": "another" }), &json!({})), 700_027).await;
    set.graph.tenant.entra().find_certificates_by_sha1();
    set.denies(&set.own(&json!({}), &json!({})), 700_027).await;
    assert_eq!(set.ask(&set.own(&by_sha1, &json!({}))).await.0, 200);
}

#[tokio::test]
async fn an_assertion_is_for_the_token_endpoint_or_the_issuer() {
    let set = Setting::new().await;
    let base = set.graph.base();
    let id = set.graph.tenant.tenant_id();
    let with = |audience: String| set.own(&json!({}), &json!({ "aud": audience }));
    assert_eq!(set.ask(&with(format!("{base}/{id}/v2.0"))).await.0, 200);
    set.denies(&with(format!("{base}/{id}/oauth2/v2.0/authorize")), 700_023).await;
    set.denies(&with("https://login.microsoftonline.com/common/oauth2/v2.0/token".to_owned()), 700_023).await;
    set.denies(&set.own(&json!({}), &json!({ "aud": [format!("{base}/{id}/v2.0")] })), 700_023).await;
}

#[tokio::test]
async fn an_assertion_is_of_the_application_itself() {
    let set = Setting::new().await;
    let other = set.graph.tenant.client_id();
    set.denies(&set.own(&json!({}), &json!({ "sub": other })), 700_021).await;
    // An assertion that another application signed is neither this application's nor from an issuer that it trusts.
    set.denies(&set.own(&json!({}), &json!({ "iss": other, "sub": other })), 700_211).await;
    let assertion = set.own(&json!({}), &json!({}));
    let form = set.form(&assertion);
    set.graph.denies(&but(&form, "client_id", other), 401, "invalid_client", 700_211).await;
    assert_eq!(set.graph.ask(&form).await.0, 200);
}

#[tokio::test]
async fn an_assertion_has_the_right_key_algorithm_and_signature() {
    let set = Setting::new().await;
    let other = Identity::new(|_| {});
    let claims = set.claims(&json!({}));
    set.denies(&other.key.token_with(&other.header(), &claims), 700_027).await;
    set.denies(&other.key.token_with(&Identity::shared().header(), &claims), 700_027).await;
    set.denies(&set.own(&json!({ "x5t#S256": null }), &json!({})), 700_027).await;
    set.denies(&set.own(&json!({ "alg": "RS512" }), &json!({})), 700_027).await;
    set.denies(&set.own(&json!({ "alg": "none" }), &json!({})), 700_027).await;
    set.denies(&set.own(&json!({ "typ": null }), &json!({})), 50_027).await;
    set.denies("no.token", 50_027).await;
    // A header with another padding than the signature's.
    let (signed, _) =
        set.own(&json!({}), &json!({})).rsplit_once('.').map(|it| (it.0.to_owned(), ())).unwrap();
    let good = set.own(&json!({ "alg": "RS256" }), &json!({}));
    set.denies(&format!("{signed}.{}", good.rsplit_once('.').unwrap().1), 700_027).await;
    assert_eq!(set.ask(&good).await.0, 200);
    set.graph.change(NAME, |it| it.register_certificate(&other.der).unwrap());
    assert_eq!(set.ask(&other.key.token_with(&other.header(), &claims)).await.0, 200);
    set.graph.change(NAME, |it| it.remove_certificates());
    set.denies(&set.own(&json!({}), &json!({})), 700_027).await;
}

#[tokio::test]
async fn an_assertion_is_in_its_time_and_lives_a_day_at_most() {
    let set = Setting::new().await;
    let now = jiff::Timestamp::now().as_second();
    for (good, from, until) in [
        (true, now - 3600, now + 60),
        (true, now + 60, now + 600),
        (true, now, now + 86_300),
        (false, now - 3600, now - 400),
        (false, now + 600, now + 900),
        (false, now, now + 90_000),
    ] {
        let assertion = set.own(&json!({}), &json!({ "nbf": from, "exp": until }));
        match good {
            true => assert_eq!(set.ask(&assertion).await.0, 200, "{from} {until}"),
            false => set.denies(&assertion, 700_024).await,
        }
    }
    set.denies(&set.own(&json!({}), &json!({ "exp": null })), 50_027).await;
}

#[tokio::test]
async fn an_assertion_is_good_once() {
    let set = Setting::new().await;
    let assertion = set.own(&json!({}), &json!({}));
    assert_eq!(set.ask(&assertion).await.0, 200);
    set.denies(&assertion, 50_013).await;
    assert_eq!(set.ask(&set.own(&json!({}), &json!({}))).await.0, 200);
    set.denies(&set.own(&json!({}), &json!({ "jti": null })), 50_013).await;
}

#[tokio::test]
async fn an_assertion_says_what_it_is() {
    let set = Setting::new().await;
    let assertion = set.own(&json!({}), &json!({}));
    let form = set.form(&assertion);
    let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    set.graph.denies(&but(&form, "client_assertion_type", ""), 400, "invalid_request", 900_144).await;
    set.graph.denies(&but(&form, "client_assertion_type", saml), 400, "invalid_request", 90_023).await;
    assert_eq!(set.graph.ask(&form).await.0, 200);
}

#[tokio::test]
async fn certificates_end_and_only_rsa_ones_are_taken() {
    let set = Setting::new().await;
    let ended = Identity::new(|params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    let curve = rcgen::generate_simple_self_signed(vec!["glassine.example".to_owned()]).unwrap();
    set.graph.change(NAME, |it| {
        it.register_certificate(&ended.der).unwrap();
        assert_eq!(it.register_certificate(curve.cert.der()), Err(CertificateError::Key));
        assert_eq!(it.register_certificate(b"no certificate"), Err(CertificateError::Form));
    });
    set.denies(&ended.key.token_with(&ended.header(), &set.claims(&json!({}))), 700_027).await;
    assert_eq!(set.ask(&set.own(&json!({}), &json!({}))).await.0, 200);
}

#[tokio::test]
async fn a_trusted_issuers_token_replaces_a_secret_any_number_of_times() {
    let set = Setting::new().await;
    let token = set.federated(&json!({}));
    for _ in 0..2 {
        let (status, response) = set.ask(&token).await;
        assert_eq!(status, 200, "{response}");
    }
}

#[tokio::test]
async fn a_foreign_token_has_the_trusted_issuer_subject_and_audience() {
    let set = Setting::new().await;
    assert_eq!(set.ask(&set.federated(&json!({}))).await.0, 200);
    for (claim, code) in [("iss", 700_211), ("sub", 700_213), ("aud", 700_212)] {
        set.denies(&set.federated(&json!({ claim: "another" })), code).await;
        set.denies(&set.federated(&json!({ claim: null })), code).await;
    }
}

#[tokio::test]
async fn a_foreign_token_is_signed_by_its_issuer_and_in_its_time() {
    let set = Setting::new().await;
    let now = jiff::Timestamp::now().as_second();
    assert_eq!(set.ask(&set.federated(&json!({ "exp": now + 60 }))).await.0, 200);
    set.denies(&set.federated(&json!({ "exp": now - 400 })), 700_024).await;
    let foreign = foreign_claims(&json!({}));
    set.denies(&SigningKey::rsa("issuer").token(&foreign), 50_013).await;
    set.denies(&SigningKey::rsa("unknown").token(&foreign), 50_013).await;
    set.denies(&SigningKey::p256("issuer").token(&foreign), 50_013).await;
    set.denies(&set.issuer.token_with(&json!({ "alg": "PS256" }), &foreign), 50_013).await;
}
