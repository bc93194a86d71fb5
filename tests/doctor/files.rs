//! What is wrong with the files that a configuration names.

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::*;
use crate::approvals::reviewer::Reviewer;

/// A certificate for a name that ends in a year, with its key.
fn certificate(name: &str, end: i32) -> (String, String) {
    certificate_of(&KeyPair::generate().unwrap(), name, end)
}

fn certificate_of(key: &KeyPair, name: &str, end: i32) -> (String, String) {
    let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(end, 1, 1);
    (parameters.self_signed(key).unwrap().pem(), key.serialize_pem())
}

/// With TLS, and its certificate trusted.
async fn with_tls() -> Glassine {
    with_tls_as(|_| {}).await
}

async fn with_tls_as(change: impl FnOnce(&mut Setup)) -> Glassine {
    let (tenant, url) = sample_tenant().await;
    let mut setup = Setup::in_front_of(url);
    setup.domain = own_domains(&tenant);
    setup.tls = true;
    change(&mut setup);
    setup.credential += "\n  ca_file: tls.crt";
    sealed(setup, &["graph-token", "tls.key"]).start().await
}

fn install(proxy: &Glassine, certificate: &str, key: &str) {
    proxy.write("tls.crt", certificate);
    proxy.write("tls.key", key);
}

#[tokio::test]
async fn secrets_that_others_can_read_or_change_are_told_with_the_command_that_ends_it() {
    let clinic = Clinic::consented().await;
    set_mode(&clinic.proxy, "secret", 0o644);
    let findings = examine(&clinic.proxy).await;
    findings.expect("keys", "client secret", "warn", &["can read it", "chmod o-r '"]);
    assert_eq!((findings.ran.code, findings.bad().len()), (Some(0), 1));
    set_mode(&clinic.proxy, "secret", 0o640);
    set_mode(&clinic.proxy, "keys.yaml", 0o602);
    let findings = examine(&clinic.proxy).await;
    findings.expect("keys", "client secret", "ok", &[]);
    findings.expect("keys", "key file", "fail", &["can change it", "chmod o-rwx '"]);
    findings.expect("token", "upstream", "skip", &["see the configuration section"]);
    findings.expect("network", "Graph HTTP", "ok", &[]);
    assert_eq!(findings.ran.code, Some(1));
}

#[tokio::test]
async fn a_malformed_key_file_is_reported_without_its_text() {
    let clinic = Clinic::consented().await;
    clinic.proxy.write("keys.yaml", "version: 1\nkeys: [no-key-at-all]\n");
    let findings = examine(&clinic.proxy).await;
    findings.expect("keys", "key ring", "fail", &["glassine keys new"]);
    assert!(!findings.all.to_string().contains("no-key-at-all"));
    assert_eq!(findings.ran.code, Some(1));
}

#[tokio::test]
async fn a_file_that_is_missing_fails_and_the_rest_is_looked_at() {
    let clinic = Clinic::consented().await;
    std::fs::remove_file(clinic.proxy.file("acme.yaml")).unwrap();
    let findings = examine(&clinic.proxy).await;
    assert_eq!(findings.ran.code, Some(1));
    let bad: Vec<_> = findings.of("configuration").filter(|it| it["outcome"] == "fail").collect();
    let [missing] = bad[..] else { panic!("{bad:?}") };
    assert!(text(&missing["message"]).contains("acme.yaml") && missing["advice"].is_string());
    findings.expect("keys", "key ring", "ok", &[]);
    findings.expect("clock", "Entra", "ok", &[]);
    findings.expect("public_url", "from here", "ok", &[]);
}

#[tokio::test]
async fn warnings_of_the_rules_are_told_with_their_line() {
    let rules = METADATA_ONLY.replace("  message:\n    keep:", "  message:\n    unlisted: keep\n    keep:");
    let clinic = Clinic::with(|setup| setup.rules(&rules)).await;
    let findings = examine(&clinic.proxy).await;
    let warned: Vec<_> = findings.of("configuration").filter(|it| it["outcome"] == "warn").collect();
    assert!(!warned.is_empty(), "{:#}", findings.all);
    let line = 1 + rules.lines().position(|line| line.contains("unlisted: keep")).unwrap();
    assert!(
        warned.iter().any(|it| text(&it["message"]).contains(&format!("acme.yaml:{line}: "))),
        "{warned:?}"
    );
    assert_eq!(findings.ran.code, Some(0));
}

#[tokio::test]
async fn a_good_certificate_is_good_from_outside_too() {
    let proxy = with_tls().await;
    let findings = examine(&proxy).await;
    assert_eq!(findings.bad(), [""; 0], "{:#}", findings.all);
    findings.expect("certificates", "listener", "ok", &["ends in"]);
    findings.expect("certificates", "listener's name", "ok", &["127.0.0.1"]);
    findings.expect("certificates", "listener's key", "ok", &[]);
    findings.expect("keys", "TLS private key", "ok", &[]);
    findings.expect("public_url", "from here", "ok", &["is this proxy"]);
}

#[tokio::test]
async fn a_self_signed_certificate_is_told_from_a_wrong_one() {
    let (tenant, url) = sample_tenant().await;
    let mut setup = Setup::in_front_of(url);
    setup.domain = own_domains(&tenant);
    setup.tls = true;
    let proxy = setup.start().await;
    let findings = examine(&proxy).await;
    findings.expect(
        "public_url",
        "from here",
        "warn",
        &["is self-signed", "tls.crt as an authority to trust"],
    );
    assert_eq!(findings.ran.code, Some(0), "{:#}", findings.all);
    // The file has another one than the proxy shows.
    proxy.write("tls.crt", &certificate("127.0.0.1", 2099).0);
    let findings = examine(&proxy).await;
    findings.expect("public_url", "from here", "fail", &["openssl s_client"]);
}

#[tokio::test]
async fn the_applications_certificate_and_key_are_looked_at() {
    let rsa = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let (own, key) = certificate_of(&rsa, "glassine.example", 2099);
    let der = CertificateDer::from_pem_slice(own.as_bytes()).unwrap();
    let clinic = Clinic::with(|mut setup| {
        setup.files.extend([("app.crt", own), ("app.key", key)]);
        let proof = "certificate_file: app.crt, private_key_file: app.key";
        setup.credential = setup.credential.replace("client_secret_file: secret", proof);
        setup
    })
    .await;
    set_mode(&clinic.proxy, "app.key", 0o600);
    let findings = examine(&clinic.proxy).await;
    findings.expect("certificates", "application", "ok", &["app.crt: ends in"]);
    findings.expect("keys", "application's private key", "ok", &["app.key"]);
    findings.expect("token", "upstream", "fail", &["AADSTS700027", "Certificates & secrets"]);
    clinic.change(|it| it.register_certificate(&der).unwrap());
    examine(&clinic.proxy).await.expect("token", "upstream", "ok", &[]);
    clinic.proxy.write("app.crt", &certificate_of(&rsa, "glassine.example", 2024).0);
    let findings = examine(&clinic.proxy).await;
    findings.expect("certificates", "application", "fail", &["app.crt: ended", "renew"]);
    findings.expect("token", "upstream", "fail", &["expired on 2024-01-01", "certificate_file"]);
}

#[tokio::test]
async fn a_listener_that_wants_client_certificates_is_not_asked_further() {
    let proxy = with_tls_as(|setup| {
        let (authority, _) = certificate("authority.example", 2099);
        setup.files.push(("consumers.pem", authority));
        setup.tls_more = ", client_ca_file: consumers.pem".to_owned();
        setup.consumers = vec![Consumer::known_by("acme", "{ mtls: { san: acme.example } }")];
        setup.tls_more += ", client_certificates: required";
    })
    .await;
    let findings = examine(&proxy).await;
    findings.expect("certificates", "client CA", "ok", &["ends in"]);
    findings.expect("public_url", "from here", "ok", &["wants a client certificate"]);
}

#[tokio::test]
async fn a_chain_is_in_order_or_told() {
    let proxy = with_tls().await;
    let (leaf, other) = (certificate("127.0.0.1", 2099), certificate("other.example", 2099));
    install(&proxy, &format!("{}{}", leaf.0, other.0), &leaf.1);
    // rcgen gives every self-signed certificate the same name.
    examine(&proxy).await.expect("certificates", "listener's chain", "ok", &["certificates 2"]);
    let mut named = CertificateParams::new(vec!["other.example".to_owned()]).unwrap();
    named.distinguished_name.push(rcgen::DnType::CommonName, "another authority");
    let unrelated = named.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    proxy.write("tls.crt", &format!("{}{unrelated}", leaf.0));
    let findings = examine(&proxy).await;
    findings.expect("certificates", "listener's chain", "fail", &["not issued by the one after it", "first"]);
}

#[tokio::test]
async fn an_expired_or_soon_expiring_certificate_is_reported() {
    let proxy = with_tls().await;
    let (ended, key) = certificate("127.0.0.1", 2024);
    install(&proxy, &ended, &key);
    let findings = examine(&proxy).await;
    findings.expect("certificates", "listener", "fail", &["ended", "days ago", "renew"]);
    findings.expect("certificates", "upstream CA", "fail", &["ended"]);
    findings.expect("certificates", "listener's key", "ok", &[]);
    assert_eq!(findings.ran.code, Some(1));
    let soon = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
        .saturating_add(jiff::Span::new().days(10));
    let mut parameters = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let (month, day) = (u8::try_from(soon.month()).unwrap(), u8::try_from(soon.day()).unwrap());
    parameters.not_after = date_time_ymd(soon.year().into(), month, day);
    let key = KeyPair::generate().unwrap();
    install(&proxy, &parameters.self_signed(&key).unwrap().pem(), &key.serialize_pem());
    examine(&proxy).await.expect("certificates", "listener", "warn", &["ends in 9 days", "renew"]);
}

#[tokio::test]
async fn a_certificate_with_a_wrong_name_chain_or_key_is_reported() {
    let proxy = with_tls().await;
    let (other, key) = certificate("other.example", 2099);
    install(&proxy, &other, &key);
    let findings = examine(&proxy).await;
    findings.expect(
        "certificates",
        "listener's name",
        "fail",
        &["does not name 127.0.0.1", "subjectAltName"],
    );
    findings.expect("certificates", "listener's chain", "ok", &[]);
    let (own, _) = certificate("127.0.0.1", 2099);
    proxy.write("tls.crt", &own);
    let findings = examine(&proxy).await;
    findings.expect("certificates", "listener's name", "ok", &[]);
    findings.expect(
        "certificates",
        "listener's key",
        "fail",
        &["cannot be used with the private key", "KeyMismatch"],
    );
}

#[tokio::test]
async fn who_has_approved_and_who_is_missing_is_told() {
    let alice = Reviewer::new("alice@contoso.com");
    let signers = alice.line("");
    let clinic = Clinic::with(|mut setup| {
        setup.more = "approvals: { signers_file: reviewers }\n".to_owned();
        setup.consumers[0].more = "    approved_by: [alice.sig]\n".to_owned();
        setup.files.push(("reviewers", signers));
        setup.prepare = Box::new(move |folder| {
            let config = folder.join("config.yaml");
            let statement =
                glassine(&["statement", "--config", config.to_str().unwrap(), "--consumer", "acme"]);
            std::fs::write(folder.join("alice.sig"), alice.sign(&statement.fine())).unwrap();
        });
        setup
    })
    .await;
    let findings = examine(&clinic.proxy).await;
    findings.expect(
        "configuration",
        "approvals of acme",
        "ok",
        &["approved by alice@contoso.com (required: 1)"],
    );
    assert_eq!(findings.ran.code, Some(0), "{:#}", findings.all);
    std::fs::remove_file(clinic.proxy.file("alice.sig")).unwrap();
    let findings = examine(&clinic.proxy).await;
    let parts =
        ["0 of 1 people have approved", "could still approve: alice@contoso.com", "ssh-keygen -Y sign"];
    findings.expect("configuration", "G0407", "fail", &parts);
    findings.expect("configuration", "G0403", "fail", &["alice.sig: there is no such file"]);
    assert_eq!(findings.ran.code, Some(1));
}
