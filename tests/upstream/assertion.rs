//! Certificates and federated tokens in place of a client secret: the requests to the token endpoint.

use std::collections::HashMap;
use std::path::Path;

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use glassine::upstream::{
    CertificateError, CertificateFiles, Credential, OAuthError, Proof, SecretError, SecretSource, TokenError,
    TokenSettings, TokenSource,
};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::token::{EAGER, client_secret, granted, text_of};
use crate::support::entra::form;
use crate::support::upstream::{FakeUpstream, Script};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn settings(entra: &FakeUpstream, proof: Proof) -> TokenSettings {
    let Credential::Application { authority, tenant, client_id, .. } = client_secret(entra, EAGER).credential
    else {
        panic!("a client secret is an application's")
    };
    let credential = Credential::Application { authority, tenant, client_id, proof };
    TokenSettings { credential, ..client_secret(entra, EAGER) }
}

fn last_form(entra: &FakeUpstream) -> HashMap<String, String> {
    form(&entra.requests().pop().unwrap().body)
}

/// Writes a new certificate and its key into a folder. Returns the certificate in DER, and the key.
fn certify(folder: &Path) -> (Vec<u8>, KeyPair) {
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let params = CertificateParams::new(vec!["glassine.example".to_owned()]).unwrap();
    let certificate = params.self_signed(&pair).unwrap();
    std::fs::write(folder.join("app.crt"), certificate.pem()).unwrap();
    std::fs::write(folder.join("app.key"), pair.serialize_pem()).unwrap();
    (certificate.der().to_vec(), pair)
}

fn files(folder: &Path) -> Proof {
    Proof::Certificate(CertificateFiles {
        certificate: folder.join("app.crt"),
        private_key: folder.join("app.key"),
    })
}

fn part(text: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

/// Header and claims of an assertion, whose signature is checked with the key.
fn verified(assertion: &str, pair: &KeyPair) -> (Value, Value) {
    verified_as(assertion, pair, &RSA_PSS_2048_8192_SHA256)
}

fn verified_as(assertion: &str, pair: &KeyPair, algorithm: &'static RsaParameters) -> (Value, Value) {
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let own = aws_lc_rs::rsa::KeyPair::from_pkcs8(&pair.serialize_der()).unwrap();
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(aws_lc_rs::signature::KeyPair::public_key(&own));
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    public.verify(algorithm, signed.as_bytes(), &signature).expect("signed with the key");
    let (header, claims) = signed.split_once('.').unwrap();
    (part(header), part(claims))
}

#[tokio::test]
async fn a_certificate_signs_an_assertion_for_the_token_endpoint() {
    let entra = FakeUpstream::always(granted("one")).await;
    let folder = tempfile::tempdir().unwrap();
    let (der, pair) = certify(folder.path());
    let source = TokenSource::new(settings(&entra, files(folder.path()))).unwrap();
    assert_eq!(text_of(&source).await, "one");

    let sent = last_form(&entra);
    assert_eq!((sent["grant_type"].as_str(), sent["client_id"].as_str()), ("client_credentials", "app-1"));
    assert_eq!(sent["scope"], format!("{}/.default", entra.origin()));
    assert_eq!(sent["client_assertion_type"], ASSERTION_TYPE);
    assert!(!sent.contains_key("client_secret"));
    let (header, claims) = verified(&sent["client_assertion"], &pair);
    let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(der));
    assert_eq!(header, serde_json::json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint }));
    assert_eq!(claims["aud"], format!("{}/contoso.com/oauth2/v2.0/token", entra.origin()));
    assert_eq!((&claims["iss"], &claims["sub"]), (&"app-1".into(), &"app-1".into()));
    let now = jiff::Timestamp::now().as_second();
    let seconds = |name: &str| claims[name].as_i64().unwrap();
    assert!((now - 60..=now).contains(&seconds("nbf")) && seconds("iat") == seconds("nbf"));
    assert!((300..=600).contains(&(seconds("exp") - seconds("nbf"))), "{claims}");
}

fn unknown_certificate() -> Script {
    let body =
        r#"{"error":"invalid_client","error_codes":[700027],"error_description":"AADSTS700027: of alice"}"#;
    Script::status(401).body(body)
}

/// An Entra that finds certificates by these members of the header only.
async fn finding_by(members: &'static [&'static str]) -> FakeUpstream {
    FakeUpstream::start(move |request| {
        let assertion = form(&request.body)["client_assertion"].clone();
        let header = part(assertion.split('.').next().unwrap());
        let is_found = members.iter().any(|member| header.get(member).is_some());
        if is_found { granted("one") } else { unknown_certificate() }
    })
    .await
}

/// Fault: Entra does not find the certificate by its SHA-256 thumbprint. Outcome: the proxy names it by the SHA-1 one, once more.
#[tokio::test]
async fn a_certificate_that_is_not_found_by_one_thumbprint_is_named_by_the_other() {
    let entra = finding_by(&["x5t"]).await;
    let folder = tempfile::tempdir().unwrap();
    let (der, pair) = certify(folder.path());
    let source = TokenSource::new(settings(&entra, files(folder.path()))).unwrap();
    for requests in [2, 3, 4] {
        source.renewed().await.unwrap();
        assert_eq!(entra.requests().len(), requests, "what worked is tried first");
        let assertion = &last_form(&entra)["client_assertion"];
        let (header, _) = verified_as(assertion, &pair, &RSA_PKCS1_2048_8192_SHA256);
        let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &der);
        let thumbprint = URL_SAFE_NO_PAD.encode(sha1);
        assert_eq!(header, serde_json::json!({ "alg": "RS256", "typ": "JWT", "x5t": thumbprint }));
    }
}

#[tokio::test]
async fn a_certificate_that_entra_does_not_know_costs_two_requests_and_a_found_one_costs_one() {
    let refused = TokenError::Refused { error: OAuthError::InvalidClient, aadsts: Some(700_027) };
    for (members, requests, error) in [(&[][..], 2, Some(refused)), (&["x5t#S256"][..], 1, None)] {
        let entra = finding_by(members).await;
        let folder = tempfile::tempdir().unwrap();
        certify(folder.path());
        let source = TokenSource::new(settings(&entra, files(folder.path()))).unwrap();
        assert_eq!(source.renewed().await.err(), error);
        assert_eq!(entra.requests().len(), requests);
    }
}

#[tokio::test]
async fn every_assertion_has_a_unique_id() {
    let entra = FakeUpstream::always(granted("one")).await;
    let folder = tempfile::tempdir().unwrap();
    let (_, pair) = certify(folder.path());
    let source = TokenSource::new(settings(&entra, files(folder.path()))).unwrap();
    let mut ids = std::collections::HashSet::new();
    for _ in 0..3 {
        source.renewed().await.unwrap();
        let (_, claims) = verified(&last_form(&entra)["client_assertion"], &pair);
        assert!(ids.insert(claims["jti"].as_str().unwrap().to_owned()), "{claims}");
    }
}

/// Fault: the application's certificate is replaced. Outcome: the next token request uses the new certificate.
/// Fault: the application's private key is missing. Outcome: nothing is sent to Entra, and the error says that the file is missing.
#[tokio::test]
async fn a_certificate_that_was_replaced_signs_the_next_assertion() {
    let entra = FakeUpstream::always(granted("one")).await;
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    let source = TokenSource::new(settings(&entra, files(folder.path()))).unwrap();
    source.renewed().await.unwrap();
    let (_, pair) = certify(folder.path());
    source.renewed().await.unwrap();
    verified(&last_form(&entra)["client_assertion"], &pair);
    std::fs::remove_file(folder.path().join("app.key")).unwrap();
    let missing = CertificateError::Unreadable(std::io::ErrorKind::NotFound);
    assert_eq!(source.renewed().await.err(), Some(TokenError::Certificate(missing)));
    assert_eq!(entra.requests().len(), 2, "nothing is sent without a proof");
}

/// Fault: the file of a federated token is empty. Outcome: nothing is sent to Entra, and the error says so.
#[tokio::test]
async fn a_federated_token_is_read_for_each_request_and_sent_unchanged() {
    let entra = FakeUpstream::always(granted("one")).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let proof = Proof::FederatedToken(SecretSource::File(file.path().to_owned()));
    let source = TokenSource::new(settings(&entra, proof)).unwrap();
    for token in ["ey.first.x", "ey.second.x"] {
        std::fs::write(file.path(), format!("{token}\n")).unwrap();
        source.renewed().await.unwrap();
        let sent = last_form(&entra);
        assert_eq!(sent["client_assertion"], token);
        assert_eq!(sent["client_assertion_type"], ASSERTION_TYPE);
    }
    std::fs::write(file.path(), "").unwrap();
    assert_eq!(source.renewed().await.err(), Some(TokenError::Secret(SecretError::Empty)));
    assert_eq!(entra.requests().len(), 2, "nothing is sent without a proof");
}
