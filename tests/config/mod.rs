//! The configuration file: what is accepted, and what is refused, with the place and the code of each refusal.

mod connect;
mod meant;
mod urls;

use std::path::Path;

use glassine::audit::{Rotate, SyncMode};
use glassine::config::files::{FileError, read_secret};
use glassine::config::{
    AuditSink, ClientCertificates, Config, ConsumerCredential, JwksLocation, ListenerLimits, Proof, Source,
    SubjectName, UpstreamCredential,
};

const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const OTHER_HASH: &str = "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The full example.
fn full() -> String {
    format!(
        r#"listen: 0.0.0.0:8443
public_url: https://graph-proxy.contoso.example
tls: {{ certificate_file: tls.crt, private_key_file: tls.key, client_ca_file: consumers-ca.pem }}
admin: {{ listen: 127.0.0.1:9901 }}
upstream:
  graph: https://graph.microsoft.com
  authority: https://login.microsoftonline.com
  ca_file: extra-roots.pem
  tenant: contoso.onmicrosoft.com
  client_id: 00000000-0000-0000-0000-000000000000
  credential: {{ client_secret_file: app.secret }}
keys: {{ file: keys.yaml }}
tenant_domains: [contoso.com]
consumers:
  - name: acme-analytics
    rules: rules/outlook-mail-metadata-only.yaml
    credential: {{ bearer_sha256: ["{HASH}"] }}
    allow_from: [203.0.113.0/24, 198.51.100.7, "2001:db8::/32", 192.168.7.0/24]
    limits: {{ concurrent: 64, requests_per_second: 200 }}
audit: {{ file: audit.jsonl }}
"#
    )
}

fn load(text: &str) -> Result<Config, Vec<(&'static str, String)>> {
    Config::load("etc/glassine.yaml", text).map_err(|report| {
        let place = |d: &glassine_core::diagnostic::Diagnostic| {
            let span = d.span.clone().unwrap_or_default();
            (d.code.as_str(), text.get(span).unwrap().to_owned())
        };
        report.diagnostics.iter().filter(|it| it.is_error()).map(place).collect()
    })
}

/// The full example with one part replaced, which must be there.
fn with(old: &str, new: &str) -> String {
    let text = full();
    assert_eq!(text.matches(old).count(), 1, "{old:?}");
    text.replace(old, new)
}

#[track_caller]
fn accepts(old: &str, new: &str) -> Config {
    load(&with(old, new)).unwrap_or_else(|found| panic!("{new}: {found:?}"))
}

/// One error, of this code, at this text.
#[track_caller]
fn refuses(old: &str, new: &str, code: &str, at: &str) {
    let found = load(&with(old, new)).expect_err(new);
    assert_eq!(found, [(code_of(code), at.to_owned())], "{new}");
}

fn code_of(code: &str) -> &'static str {
    let known = glassine_core::yaml::codes::ALL.iter().chain(glassine::config::codes::ALL);
    known.map(|it| it.as_str()).find(|it| *it == code).unwrap()
}

#[test]
fn what_deceives_a_reader_is_refused() {
    let plain = "tenant_domains: [contoso.com]";
    refuses(plain, "tenant_domains: [contoso.com] # \u{202e}", "G0003", "\u{202e}");
    refuses(plain, "tenant_domains: [!foo contoso.com]", "G0005", "!foo");
    refuses(plain, "tenant_domains: [&a contoso.com]", "G0006", "&a");
    refuses(plain, "? tenant_domains\n: [contoso.com]", "G0007", "?");
    accepts(plain, "tenant_domains: &all [contoso.com] # größer\r");
}

#[test]
fn the_full_example_loads() {
    let config = load(&full()).unwrap();
    assert_eq!(config.listen().to_string(), "0.0.0.0:8443");
    assert_eq!(config.public_url().as_str(), "https://graph-proxy.contoso.example");
    assert_eq!(config.tls().unwrap().certificate.path(), Path::new("etc/tls.crt"));
    assert_eq!(config.upstream().ca().unwrap().path(), Path::new("etc/extra-roots.pem"));
    assert_eq!(domains(&config), ["contoso.com"]);
    let UpstreamCredential::Application { tenant, proof: Proof::Secret(secret), .. } =
        config.upstream().credential()
    else {
        panic!("{config:?}");
    };
    assert_eq!(tenant, "contoso.onmicrosoft.com");
    assert!(matches!(secret, Source::File(file) if file.path() == Path::new("etc/app.secret")));
    assert!(matches!(config.audit(), AuditSink::File(file) if file.path() == Path::new("etc/audit.jsonl")));
    let consumer = &config.consumers()[0];
    assert_eq!((consumer.name(), consumer.pseudonym_domain()), ("acme-analytics", "acme-analytics"));
    let ConsumerCredential::Bearer(hashes) = consumer.credential() else { panic!("{consumer:?}") };
    assert_eq!(hashes[0].as_bytes()[..3], [0x01, 0x23, 0x45]);
    assert_eq!(consumer.limits().concurrent.get(), 64);
}

#[test]
fn an_absolute_path_is_unchanged() {
    let config = accepts("{ file: keys.yaml }", "{ file: /run/keys.yaml }");
    assert!(matches!(config.keys(), Source::File(file) if file.path() == Path::new("/run/keys.yaml")));
}

#[test]
fn a_small_configuration_gets_defaults() {
    let text = format!(
        "listen: 127.0.0.1:8080\npublic_url: http://localhost:8080\n\
         upstream: {{ credential: {{ access_token_env: GRAPH_TOKEN }} }}\nkeys: {{ environment: KEYS }}\n\
         consumers: [{{ name: a, rules: r.yaml, credential: {{ bearer_sha256: [{HASH}] }} }}]\naudit: {{ stdout: true }}\n"
    );
    let config = load(&text).unwrap();
    assert_eq!(config.upstream().graph().as_str(), "https://graph.microsoft.com");
    assert_eq!(config.upstream().authority().as_str(), "https://login.microsoftonline.com");
    assert!(config.tls().is_none() && config.admin().is_none());
    assert_eq!(config.audit(), &AuditSink::Stdout);
    assert!(matches!(config.keys(), Source::Environment { name, .. } if name == "KEYS"));
    assert!(config.consumers()[0].may_come_from("192.0.2.1".parse().unwrap()));
}

#[test]
fn plaintext_listening_is_for_loopback() {
    let tls =
        "tls: { certificate_file: tls.crt, private_key_file: tls.key, client_ca_file: consumers-ca.pem }\n";
    refuses(tls, "", "G0402", "0.0.0.0:8443");
    assert!(load(&full().replace(tls, "").replace("0.0.0.0:8443", "127.0.0.1:8443")).is_ok());
    assert!(load(&full().replace(tls, "").replace("0.0.0.0:8443", "\"[::1]:8443\"")).is_ok());
    refuses("0.0.0.0:8443", "localhost:8443", "G0401", "localhost:8443");
}

#[test]
fn an_admin_listener_beyond_loopback_speaks_tls_and_wants_a_token() {
    assert!(!accepts("127.0.0.1:9901", "127.0.0.2:9901").admin().unwrap().tls);
    let with_token = format!("10.0.0.1:9901, bearer_sha256: [{OTHER_HASH}]");
    let config = accepts("127.0.0.1:9901", &with_token);
    assert!(config.admin().unwrap().tls && config.admin().unwrap().tokens.len() == 1);
    assert!(accepts("127.0.0.1:9901", &with_token.replace("10.0.0.1", "127.0.0.1")).admin().is_some());
    refuses("127.0.0.1:9901", "10.0.0.1:9901", "G0401", "10.0.0.1:9901");
    refuses("127.0.0.1:9901", "127.0.0.1:9901, bearer_sha256: []", "G0401", "[");
    refuses("127.0.0.1:9901", "127.0.0.1:9901, bearer_sha256: [no-hash]", "G0401", "no-hash");
}

#[test]
fn probes_may_come_over_plain_http_from_anywhere() {
    let config = accepts("127.0.0.1:9901", "127.0.0.1:9901, probes: 0.0.0.0:9902");
    assert_eq!(config.admin().unwrap().probes, Some("0.0.0.0:9902".parse().unwrap()));
    assert_eq!(accepts("127.0.0.1:9901", "127.0.0.1:9901").admin().unwrap().probes, None);
    refuses("127.0.0.1:9901", "127.0.0.1:9901, probes: localhost:9902", "G0401", "localhost:9902");
}

#[test]
fn plaintext_upstreams_are_for_loopback() {
    accepts("https://graph.microsoft.com", "http://127.0.0.1:9000");
    refuses("https://graph.microsoft.com", "http://graph.example", "G0402", "http://graph.example");
    accepts("https://login.microsoftonline.com", "http://localhost:9000");
    refuses("https://login.microsoftonline.com", "http://10.0.0.1", "G0402", "http://10.0.0.1");
    refuses(
        "https://graph.microsoft.com",
        "https://graph.microsoft.com/v1.0",
        "G0401",
        "https://graph.microsoft.com/v1.0",
    );
}

#[test]
fn the_public_url_has_no_more_than_a_path() {
    let old = "https://graph-proxy.contoso.example";
    assert_eq!(accepts(old, "https://p.example/graph/").public_url().path(), "/graph");
    refuses(old, "http://p.example", "G0402", "http://p.example");
    for url in ["https://p.example/?q", "https://u@p.example", "https://p.example/a/../b"] {
        refuses(old, url, "G0401", url);
    }
}

#[test]
fn graph_is_asked_with_one_kind_of_credential() {
    let old = "{ client_secret_file: app.secret }";
    let proof = |credential: &str| match accepts(old, credential).upstream().credential() {
        UpstreamCredential::Application { proof, .. } => proof.clone(),
        other => panic!("{other:?}"),
    };
    let Proof::Certificate { certificate, private_key } =
        proof("{ certificate_file: app.crt, private_key_file: app.key }")
    else {
        panic!("a certificate")
    };
    assert!(certificate.path().ends_with("app.crt") && private_key.path().ends_with("app.key"));
    assert!(matches!(proof("{ federated_token_file: token }"), Proof::FederatedToken(_)));
    assert!(matches!(proof("{ client_secret_env: SECRET }"), Proof::Secret(_)));
    for bad in [
        "{}",
        "{ certificate_file: app.crt }",
        "{ private_key_file: app.key }",
        "{ certificate_file: a, private_key_file: b, client_secret_file: c }",
        "{ federated_token_file: a, managed_identity: {} }",
        "{ client_secret_file: a, client_secret_env: B }",
    ] {
        assert_eq!(load(&with(old, bad)).unwrap_err()[0].0, "G0401", "{bad}");
    }
    assert!(matches!(
        accepts(old, "{ forward: true }").upstream().credential(),
        UpstreamCredential::Forward { .. }
    ));
    for bad in ["{ forward: false }", "{ forward: true, access_token_file: a }"] {
        assert_eq!(load(&with(old, bad)).unwrap_err()[0].0, "G0401", "{bad}");
    }
    assert!(matches!(
        accepts(old, "{ access_token_file: token }").upstream().credential(),
        UpstreamCredential::AccessToken(_)
    ));
    let both = "{ access_token_file: a, client_secret_file: b }";
    assert_eq!(load(&with(old, both)).unwrap_err()[0].0, "G0401");
}

#[test]
fn a_client_secret_needs_its_application() {
    assert_eq!(load(&with("  tenant: contoso.onmicrosoft.com\n", "")).unwrap_err()[0].0, "G0401");
    refuses("contoso.onmicrosoft.com", "common", "G0401", "common");
    refuses("contoso.onmicrosoft.com", "a.example/x", "G0401", "a.example/x");
    refuses("00000000-0000-0000-0000-000000000000", "my-app", "G0401", "my-app");
}

#[test]
fn a_managed_identity_is_not_an_app_registration() {
    let application = "  client_id: 00000000-0000-0000-0000-000000000000\n";
    let with_identity =
        |identity: &str| load(&with("{ client_secret_file: app.secret }", identity).replace(application, ""));
    let id = "11112222-3333-4444-5555-666677778888";
    for (written, expected) in [
        ("{ managed_identity: {} }".to_owned(), None),
        (format!("{{ managed_identity: {{ client_id: {id} }} }}"), Some(id)),
    ] {
        match with_identity(&written).unwrap().upstream().credential() {
            UpstreamCredential::ManagedIdentity { client_id, .. } => {
                assert_eq!(client_id.as_deref(), expected)
            }
            other => panic!("{other:?}"),
        }
    }
    let bad = with_identity("{ managed_identity: { client_id: mine } }").unwrap_err();
    assert_eq!(bad, [("G0401", "mine".to_owned())]);
    let beside = load(&with("{ client_secret_file: app.secret }", "{ managed_identity: {} }")).unwrap_err();
    assert_eq!(beside, [("G0401", "00000000-0000-0000-0000-000000000000".to_owned())]);
}

#[test]
fn a_cloud_says_where_graph_and_entra_are() {
    let places = "  graph: https://graph.microsoft.com\n  authority: https://login.microsoftonline.com\n";
    for (cloud, graph, authority) in [
        ("worldwide", "https://graph.microsoft.com", "https://login.microsoftonline.com"),
        ("us_government_l4", "https://graph.microsoft.us", "https://login.microsoftonline.us"),
        ("us_government_l5", "https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
        ("china", "https://microsoftgraph.chinacloudapi.cn", "https://login.partner.microsoftonline.cn"),
    ] {
        let config = accepts(places, &format!("  cloud: {cloud}\n"));
        let upstream = config.upstream();
        assert_eq!((upstream.graph().as_str(), upstream.authority().as_str()), (graph, authority));
    }
    assert_eq!(accepts(places, "").upstream().graph().as_str(), "https://graph.microsoft.com");
    refuses(places, "  cloud: gcc\n", "G0401", "gcc");
    refuses(places, "  cloud: china\n  graph: https://graph.example\n", "G0401", "https://graph.example");
}

#[test]
fn graph_and_the_authority_are_of_one_cloud() {
    let graph = "https://graph.microsoft.com";
    refuses(graph, "https://graph.microsoft.us", "G0401", "https://graph.microsoft.us");
    assert!(load(&with(graph, "https://graph.example")).is_ok(), "a test server belongs to no cloud");
    let authority = "https://login.microsoftonline.com";
    assert_eq!(load(&with(authority, "https://login.microsoftonline.us")).unwrap_err()[0].0, "G0401");
    assert!(load(&with(authority, "https://login.example")).is_ok());
}

/// The example with another credential of its consumer.
fn known_by(credential: &str) -> Result<Config, Vec<(&'static str, String)>> {
    load(&with(&format!("{{ bearer_sha256: [\"{HASH}\"] }}"), credential))
}

#[track_caller]
fn refuses_credential(credential: &str, code: &str, at: &str) {
    assert_eq!(known_by(credential).expect_err(credential), [(code_of(code), at.to_owned())], "{credential}");
}

#[test]
fn a_consumer_is_known_by_one_kind_of_credential() {
    assert!(matches!(
        known_by("{ mtls: { san: a.example } }").unwrap().consumers()[0].credential(),
        ConsumerCredential::Certificate(names) if *names == [SubjectName::dns("a.example")]
    ));
    for none in ["{}", "{ bearer_sha256: [] }", "{ mtls: { san: [] } }"] {
        assert_eq!(known_by(none).unwrap_err()[0].0, "G0401", "{none}");
    }
    let two = format!("{{ mtls: {{ san: a.example }}, bearer_sha256: [\"{HASH}\"] }}");
    assert_eq!(known_by(&two).unwrap_err()[0].0, "G0401");
}

#[test]
fn certificate_names_are_whole_names_of_a_verified_certificate() {
    assert!(
        known_by("{ mtls: { san: ['uri:spiffe://acme.example/export', dns:acme, 'ip:2001:db8::1'] } }")
            .is_ok()
    );
    refuses_credential("{ mtls: { san: '*.acme.example' } }", "G0401", "'*.acme.example'");
    refuses_credential("{ mtls: { san: [a.example, CN=acme] } }", "G0401", "CN=acme");
    refuses_credential("{ mtls: { san: [a.example, A.example] } }", "G0405", "A.example");
    let without_ca = full().replace(", client_ca_file: consumers-ca.pem", "");
    let mtls = without_ca.replace(&format!("bearer_sha256: [\"{HASH}\"]"), "mtls: { san: a.example }");
    assert_eq!(load(&mtls).unwrap_err(), [("G0401", "{".to_owned())]);
    assert!(load(&without_ca).is_ok());
}

#[test]
fn client_certificates_are_required_unless_only_some_consumers_are_known_by_theirs() {
    let asked = |text: &str| load(text).unwrap().tls().unwrap().client_certificates;
    let mtls = full().replace(&format!("bearer_sha256: [\"{HASH}\"]"), "mtls: { san: a.example }");
    assert_eq!(asked(&full()), ClientCertificates::Required, "in addition to the token");
    assert_eq!(asked(&mtls), ClientCertificates::Required);
    let other = format!(
        "  - {{ name: other, rules: r.yaml, credential: {{ bearer_sha256: [{OTHER_HASH}] }} }}\naudit: {{"
    );
    let mixed = mtls.replace("audit: {", &other);
    assert_eq!(asked(&mixed), ClientCertificates::Optional);
    let say = |policy: &str| {
        mixed.replace("consumers-ca.pem", &format!("consumers-ca.pem, client_certificates: {policy}"))
    };
    assert_eq!(asked(&say("required")), ClientCertificates::Required);
    assert_eq!(asked(&say("optional")), ClientCertificates::Optional);
    assert_eq!(load(&say("maybe")).unwrap_err(), [("G0401", "maybe".to_owned())]);
    let alone = full().replace("client_ca_file: consumers-ca.pem", "client_certificates: required");
    assert_eq!(load(&alone).unwrap_err(), [("G0401", "required".to_owned())]);
}

#[test]
fn a_signed_token_has_issuer_audience_and_keys() {
    let jwt = |more: &str| format!("{{ jwt: {{ issuer: i, audience: a, {more} }} }}");
    let good = jwt("jwks_file: k.json, algorithms: [RS256, EdDSA], claims: { azp: [x, y], tid: t }");
    let config = known_by(&good).unwrap();
    let ConsumerCredential::Jwt(found) = config.consumers()[0].credential() else { panic!("{config:?}") };
    assert_eq!((found.expected.issuer.as_str(), found.expected.claims.len()), ("i", 2));
    assert_eq!(found.expected.claims[0].one_of, ["x", "y"]);
    assert!(matches!(&found.keys, JwksLocation::File(file) if file.path() == Path::new("etc/k.json")));
    assert!(known_by(&jwt("jwks_url: 'https://login.example/keys'")).is_ok());
    assert!(known_by(&jwt("jwks_url: 'http://127.0.0.1:9/keys'")).is_ok());
    refuses_credential(&jwt("jwks_url: 'http://login.example/keys'"), "G0402", "'http://login.example/keys'");
    refuses_credential(&jwt("jwks_url: keys.json"), "G0401", "keys.json");
    refuses_credential(&jwt("jwks_file: k, algorithms: HS256"), "G0401", "HS256");
    refuses_credential(&jwt("jwks_file: k, algorithms: [RS256, none]"), "G0401", "none");
    refuses_credential(&jwt("jwks_file: k, claims: { aud: x }"), "G0401", "aud");
    refuses_credential(&jwt("jwks_file: k, claims: { azp: '' }"), "G0401", "''");
    for bad in ["", "jwks_file: k, jwks_url: 'https://a.example'", "jwks_file: k, claims: { azp: [] }"] {
        assert_eq!(known_by(&jwt(bad)).unwrap_err()[0].0, "G0401", "{bad}");
    }
    refuses_credential("{ jwt: { issuer: '', audience: a, jwks_file: k } }", "G0401", "''");
    assert_eq!(known_by("{ jwt: { issuer: i, audience: [], jwks_file: k } }").unwrap_err()[0].0, "G0401");
}

#[test]
fn one_token_is_never_two_consumers() {
    let both = |first: &str, second: &str| {
        let consumer = format!("  - {{ name: other, rules: r.yaml, credential: {second} }}\naudit: {{");
        let text = with(&format!("{{ bearer_sha256: [\"{HASH}\"] }}"), first).replace("audit: {", &consumer);
        load(&text).map(drop).map_err(|found| found[0].0)
    };
    let jwt = |issuer: &str, audience: &str, claims: &str| {
        format!(
            "{{ jwt: {{ issuer: {issuer}, audience: {audience}, jwks_file: k, claims: {{ {claims} }} }} }}"
        )
    };
    let first = jwt("i", "a", "azp: x");
    for (second, result) in [
        (jwt("i", "a", "azp: y"), Ok(())),
        (jwt("i", "b", "azp: x"), Ok(())),
        (jwt("j", "a", "azp: x"), Ok(())),
        (jwt("i", "a", "azp: [y, x]"), Err("G0405")),
        (jwt("i", "[b, a]", "azp: x"), Err("G0405")),
        (jwt("i", "a", "tid: t"), Err("G0405")),
        (jwt("i", "a", ""), Err("G0405")),
    ] {
        assert_eq!(both(&first, &second), result, "{second}");
    }
    assert_eq!(both("{ mtls: { san: a.example } }", "{ mtls: { san: dns:A.example } }"), Err("G0405"));
    assert_eq!(both("{ mtls: { san: a.example } }", "{ mtls: { san: b.example } }"), Ok(()));
}

#[test]
fn trusted_proxies_are_networks_and_not_everybody() {
    let old = "audit: {";
    let trusted = |list: &str| format!("trusted_proxies: [{list}]\naudit: {{");
    let proxies = accepts(old, &trusted("10.0.0.0/8, '2001:db8::/32', 192.0.2.1"));
    assert!(proxies.trusted_proxies().contain("10.1.2.3".parse().unwrap()));
    assert!(!proxies.trusted_proxies().contain("192.0.2.2".parse().unwrap()));
    assert!(load(&full()).unwrap().trusted_proxies().is_empty());
    for bad in ["0.0.0.0/0", "'::/0'", "10.0.0.1/8", "proxy.example", "'::ffff:10.0.0.0/104'"] {
        refuses(old, &trusted(bad), "G0401", bad);
    }
}

#[test]
fn a_hash_is_64_hexadecimal_digits_of_something() {
    accepts(HASH, &HASH.to_uppercase());
    refuses(HASH, "secret-token", "G0401", "\"secret-token\"");
    let short = HASH.trim_start_matches("01");
    refuses(HASH, short, "G0401", &format!("\"{short}\""));
    let signed = format!("+1{short}");
    refuses(HASH, &signed, "G0401", &format!("\"{signed}\""));
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    refuses(HASH, empty, "G0401", &format!("\"{empty}\""));
}

fn second(name: &str, hash: &str, more: &str) -> String {
    let consumer =
        format!("  - {{ name: {name}, rules: r.yaml, credential: {{ bearer_sha256: [{hash}] }}{more} }}\n");
    with("audit: {", &format!("{consumer}audit: {{"))
}

#[test]
fn consumers_can_be_told_apart() {
    assert_eq!(load(&second("other", OTHER_HASH, "")).unwrap().consumers().len(), 2);
    assert_eq!(
        load(&second("acme-analytics", OTHER_HASH, "")).unwrap_err(),
        [("G0405", "acme-analytics".to_owned())]
    );
    let upper = HASH.to_uppercase();
    assert_eq!(load(&second("other", &upper, "")).unwrap_err(), [("G0405", upper)]);
    refuses("acme-analytics", "Acme", "G0401", "Acme");
}

#[test]
fn two_consumers_may_share_pseudonyms_on_purpose() {
    let shared = second("other", OTHER_HASH, ", pseudonym_domain: acme-analytics");
    assert_eq!(load(&shared).unwrap().consumers()[1].pseudonym_domain(), "acme-analytics");
}

#[test]
fn networks_are_matched_as_written() {
    let config = load(&full()).unwrap();
    let consumer = &config.consumers()[0];
    for (address, allowed) in [
        ("203.0.113.200", true),
        ("203.0.114.1", false),
        ("198.51.100.7", true),
        ("198.51.100.8", false),
        ("::ffff:203.0.113.9", true),
        ("2001:db8::1", true),
        ("2001:db9::1", false),
    ] {
        assert_eq!(consumer.may_come_from(address.parse().unwrap()), allowed, "{address}");
    }
    refuses("203.0.113.0/24", "203.0.113.5/24", "G0401", "203.0.113.5/24");
    refuses("203.0.113.0/24", "acme.example", "G0401", "acme.example");
    let list = "[203.0.113.0/24, 198.51.100.7, \"2001:db8::/32\", 192.168.7.0/24]";
    refuses(list, "[]", "G0401", "[");
}

#[test]
fn numbers_have_bounds() {
    refuses("concurrent: 64", "concurrent: 0", "G0401", "0");
    refuses("requests_per_second: 200", "requests_per_second: 200000", "G0401", "200000");
    assert_eq!(accepts("audit: {", "limits: { connections: 10 }\naudit: {").limits().connections.get(), 10);
    for key in ["drain_seconds", "lame_duck_seconds", "connections_per_address"] {
        let limits = format!("limits: {{ {key}: 99999 }}\naudit: {{");
        refuses("audit: {", &limits, "G0401", "99999");
    }
    for key in ["drain_seconds", "connections", "connections_per_address"] {
        refuses("audit: {", &format!("limits: {{ {key}: 0 }}\naudit: {{"), "G0401", "0");
    }
}

/// The limits with these lines in front of `audit`.
fn limits(lines: &str) -> ListenerLimits {
    accepts("audit: {", &format!("{lines}audit: {{")).limits()
}

#[test]
fn an_address_may_hold_a_quarter_of_the_connections_by_default() {
    let share = |lines: &str| limits(lines).connections_per_address.get();
    assert_eq!(share(""), 256);
    assert_eq!(share("limits: { connections: 10 }\n"), 3);
    assert_eq!(share("limits: { connections: 1 }\n"), 1);
    assert_eq!(share("limits: { connections: 10, connections_per_address: 10 }\n"), 10);
}

#[test]
fn a_lame_duck_needs_an_admin_listener_that_says_so() {
    const ADMIN: &str = "admin: { listen: 127.0.0.1:9901 }\n";
    let seconds =
        |admin: &str, lines: &str| accepts(ADMIN, &format!("{admin}{lines}")).limits().lame_duck.as_secs();
    assert_eq!((seconds(ADMIN, ""), seconds("", "")), (5, 0));
    assert_eq!(seconds(ADMIN, "limits: { lame_duck_seconds: 0 }\n"), 0);
    assert_eq!(seconds("", "limits: { lame_duck_seconds: 7 }\n"), 7);
    let default = limits("");
    assert!((default.lame_duck + default.drain).as_secs() < 30, "Kubernetes kills after 30 s");
}

#[test]
fn who_may_connect_is_known_if_everybody_says_from_where() {
    let list = "[203.0.113.0/24, 198.51.100.7, \"2001:db8::/32\", 192.168.7.0/24]";
    let connects = |pages: &str, address: [u8; 4]| {
        let config = accepts("keys: {", &format!("{pages}keys: {{"));
        config.connecting().map(|networks| networks.contain(address.into()))
    };
    let (consumer, browser, stranger) = ([203, 0, 113, 9], [10, 1, 2, 3], [192, 0, 2, 1]);
    assert_eq!(
        [consumer, browser, stranger].map(|it| connects("", it)),
        [Some(true), Some(false), Some(false)]
    );
    let pages = "connect: { file: connections.json, allow_from: [10.0.0.0/8] }\n";
    assert_eq!(
        [consumer, browser, stranger].map(|it| connects(pages, it)),
        [Some(true), Some(true), Some(false)]
    );
    assert_eq!(connects("connect: { file: connections.json }\n", consumer), None, "the pages are for all");
    assert_eq!(
        accepts(&format!("    allow_from: {list}\n"), "").connecting(),
        None,
        "the consumer is anywhere"
    );
}

#[test]
fn tenant_domains_are_domains() {
    assert_eq!(
        domains(&accepts(
            "[contoso.com]",
            "[Contoso.COM, '*.Contoso.com', bücher.example, '*.a.bücher.example']"
        )),
        ["contoso.com", "*.contoso.com", "xn--bcher-kva.example", "*.a.xn--bcher-kva.example"]
    );
    for bad in
        ["'@contoso.com'", "'*'", "'*.com'", "'*contoso.com'", "'a.*.contoso.com'", "contoso", "contoso.com."]
    {
        refuses("[contoso.com]", &format!("[{bad}]"), "G0401", bad);
    }
}

/// Strangers have domains below these. By name they stand for themselves alone, and a review finds them.
#[test]
fn a_wildcard_is_below_a_domain_of_ones_own() {
    for (shared, own) in [("co.uk", "contoso.co.uk"), ("onmicrosoft.com", "contoso.onmicrosoft.com")] {
        refuses("[contoso.com]", &format!("['*.{shared}']"), "G0401", &format!("'*.{shared}'"));
        let accepted = accepts("[contoso.com]", &format!("[{shared}, '*.{own}']"));
        assert_eq!(domains(&accepted), [shared.to_owned(), format!("*.{own}")]);
    }
}

fn domains(config: &Config) -> Vec<String> {
    config.tenant_domains().iter().map(ToString::to_string).collect()
}

#[test]
fn keys_and_audit_come_from_one_place() {
    assert_eq!(load(&with("{ file: keys.yaml }", "{ file: a, environment: B }")).unwrap_err()[0].0, "G0401");
    refuses("{ file: keys.yaml }", "{ environment: a-b }", "G0401", "a-b");
    assert_eq!(load(&with("{ file: audit.jsonl }", "{ stdout: false }")).unwrap_err()[0].0, "G0401");
    assert_eq!(load(&with("{ file: audit.jsonl }", "{ file: a, stdout: true }")).unwrap_err()[0].0, "G0401");
}

#[test]
fn the_audit_log_is_synchronized_and_rotated_as_written() {
    let of = |audit: &str| {
        let config = accepts("{ file: audit.jsonl }", audit);
        (config.audit_sync(), config.audit_rotate())
    };
    assert_eq!(of("{ file: audit.jsonl }"), (SyncMode::None, None));
    assert_eq!(of("{ file: audit.jsonl, sync: each }").0, SyncMode::Each);
    assert_eq!(of("{ file: audit.jsonl, sync: interval }").0, SyncMode::Interval);
    let default = Rotate { bytes: 512 * 1024 * 1024, keep: 30, daily: false };
    assert_eq!(of("{ file: audit.jsonl, rotate: {} }").1, Some(default));
    let own = of("{ file: audit.jsonl, rotate: { megabytes: 1, keep: 2, daily: true } }").1;
    assert_eq!(own, Some(Rotate { bytes: 1024 * 1024, keep: 2, daily: true }));
    for (audit, place) in [
        ("{ file: a, sync: often }", "often"),
        ("{ stdout: true, sync: each }", "each"),
        ("{ stdout: true, rotate: { keep: 2 } }", "{"),
        ("{ file: a, rotate: { keep: 0 } }", "0"),
        ("{ file: a, rotate: { megabytes: 1048577 } }", "1048577"),
    ] {
        refuses("{ file: audit.jsonl }", audit, "G0401", place);
    }
    accepts("{ file: audit.jsonl }", "{ stdout: true, sync: none }");
}

#[test]
fn all_mistakes_are_found_in_one_pass() {
    let text = full()
        .replace("0.0.0.0:8443", "nowhere")
        .replace("https://graph-proxy", "ftp://graph-proxy")
        .replace("tenant: contoso", "tennant: contoso")
        .replace("acme-analytics", "Acme")
        .replace("{ file: audit.jsonl }", "{}");
    let report = Config::load("glassine.yaml", &text).unwrap_err();
    let rendered = report.render();
    for place in
        ["glassine.yaml:1:", "glassine.yaml:2:", "glassine.yaml:9:", "glassine.yaml:15:", "glassine.yaml:20:"]
    {
        assert!(rendered.contains(place), "{place} missing in:\n{rendered}");
    }
}

#[test]
fn a_missing_section_does_not_hide_other_mistakes() {
    let text = full().replace("keys: { file: keys.yaml }\n", "").replace("acme-analytics", "Acme");
    let found = load(&text).unwrap_err();
    assert_eq!(found, [("G0401", String::new()), ("G0401", "Acme".to_owned())]);
    assert_eq!(load("tenant_domains: []\n").unwrap_err().len(), 6);
}

#[test]
fn unknown_and_duplicate_keys_are_refused() {
    assert_eq!(load(&with("keys:", "kyes: 1\nkeys:")).unwrap_err()[0].0, "G0001");
    assert_eq!(load(&with("keys:", "listen: 127.0.0.1:1\nkeys:")).unwrap_err()[0].0, "G0001");
    assert!(load("").is_err());
    assert!(load("- 1\n").is_err());
}

#[test]
fn secrets_are_read_without_the_white_space_around_them() {
    let dir = tempfile::tempdir().unwrap();
    let source = |name: &str, content: &[u8]| {
        std::fs::write(dir.path().join(name), content).unwrap();
        let file = dir.path().join(name).display().to_string();
        accepts("{ file: keys.yaml }", &format!("{{ file: {file} }}")).keys().clone()
    };
    assert_eq!(read_secret(&source("a", b"s3cret\n")).unwrap().as_str(), "s3cret");
    assert!(matches!(read_secret(&source("b", b" \n")), Err(FileError::Empty { .. })));
    assert!(matches!(read_secret(&source("c", b"s3\xffcret")), Err(FileError::NotText { .. })));
    assert!(matches!(read_secret(&source("u", b"\xff\xfes\x003\x00")), Err(FileError::Utf16 { .. })));
    assert!(matches!(read_secret(&source("d", &[b'a'; 70_000])), Err(FileError::TooLong { .. })));
    let missing = accepts("{ file: keys.yaml }", "{ environment: GLASSINE_TEST_NOT_SET }");
    assert!(matches!(read_secret(missing.keys()), Err(FileError::Environment { .. })));
    let directory = accepts("{ file: keys.yaml }", "{ file: / }");
    assert!(matches!(read_secret(directory.keys()), Err(FileError::Directory { .. })));
    let device = accepts("{ file: keys.yaml }", "{ file: /dev/null }");
    assert!(matches!(read_secret(device.keys()), Err(FileError::NotAFile { .. })));
}

#[cfg(unix)]
#[test]
fn a_secret_that_everybody_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    std::fs::write(&path, "s3cret").unwrap();
    let config = accepts("{ file: keys.yaml }", &format!("{{ file: {} }}", path.display()));
    for (mode, accepted) in [(0o600, true), (0o644, true), (0o666, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(read_secret(config.keys()).is_ok(), accepted, "{mode:o}");
    }
}
