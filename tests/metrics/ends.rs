//! When tokens, keys and certificates end: what an operator has to renew, before it is too late.

use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::{ready, scrape, until};
use crate::service::{PAGE, USERS};
use crate::support::glassine::Setup;
use crate::support::upstream::{FakeUpstream, Script};

/// The first second of 2098 and of 2099.
const END_2098: f64 = 4_039_372_800.0;
const END_2099: f64 = 4_070_908_800.0;

/// A certificate that ends with the beginning of this year, and its key.
fn certificate(key: &KeyPair, year: i32) -> (String, String) {
    let mut parameters = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(year, 1, 1);
    (parameters.self_signed(key).unwrap().pem(), key.serialize_pem())
}

/// Fault: a certificate comes near its end. Outcome: `glassine_certificate_expiry_timestamp_seconds` says when, also after a new one came.
#[tokio::test]
async fn the_ends_of_certificates_are_known_and_follow_their_files() {
    let (own, application) =
        (KeyPair::generate().unwrap(), KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap());
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let mut setup = Setup::scripted(&graph);
    let (app, app_key) = certificate(&application, 2098);
    setup.files.extend([("app.crt", app), ("app.key", app_key)]);
    setup.credential = format!(
        "authority: http://{}\n  tenant: contoso.example\n  client_id: 00000000-0000-0000-0000-000000000001\n  \
         credential: {{ certificate_file: app.crt, private_key_file: app.key }}",
        graph.address()
    );
    setup.tls = true;
    let (listener, listener_key) = certificate(&own, 2099);
    setup.prepare = Box::new(move |folder| {
        std::fs::write(folder.join("tls.crt"), listener).unwrap();
        std::fs::write(folder.join("tls.key"), listener_key).unwrap();
    });
    let proxy = setup.start().await;
    let series = |role: &str, consumer: &str| {
        format!("glassine_certificate_expiry_timestamp_seconds{{role=\"{role}\",consumer=\"{consumer}\"}}")
    };
    let (listener, credential) = (series("listener", "none"), series("credential", "acme"));
    let first = scrape(&proxy).await;
    assert_eq!((first[&listener], first[&credential]), (END_2099, END_2098));
    // The one is read again at each use, the other one with a reload.
    proxy.write("app.crt", &certificate(&application, 2099).0);
    until(&proxy, &credential, END_2099).await;
    proxy.write("tls.crt", &certificate(&own, 2098).0);
    until(&proxy, &listener, END_2098).await;
    // What cannot be used does not serve: the metric is about what does.
    proxy.write("tls.crt", "-----BEGIN CERTIFICATE-----\n");
    until(&proxy, "glassine_config_good", 0.0).await;
    assert_eq!(scrape(&proxy).await[&listener], END_2098);
}

#[tokio::test]
async fn the_age_and_the_end_of_a_token_are_known_and_so_is_the_age_of_a_key() {
    let graph = FakeUpstream::start(|request| match request.path() {
        USERS => Script::json(PAGE),
        _ => Script::json(r#"{"token_type":"Bearer","expires_in":"3600","access_token":"one"}"#),
    })
    .await;
    let mut setup = Setup::scripted(&graph);
    setup.files.push(("secret", "s3cret".to_owned()));
    setup.credential = format!(
        "authority: http://{}\n  tenant: contoso.example\n  client_id: 00000000-0000-0000-0000-000000000001\n  \
         credential: {{ client_secret_file: secret }}",
        graph.address()
    );
    let proxy = setup.start().await;
    ready(&proxy).await;
    let after = scrape(&proxy).await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    let expiry = after["glassine_graph_token_expiry_timestamp_seconds{consumer=\"acme\"}"];
    assert!((now + 3_400.0..=now + 3_601.0).contains(&expiry), "{expiry} {now}");
    assert!(after["glassine_graph_token_age_seconds{consumer=\"acme\"}"] < 300.0);
    // The tests' key is of 2026-01-01.
    assert_eq!(after["glassine_key_created_timestamp_seconds{key=\"T\"}"], 1_767_225_600.0);
    let loaded = after["glassine_config_loaded_timestamp_seconds"];
    assert!((now - 300.0..=now).contains(&loaded.floor()), "{loaded} {now}");
}

/// Fault: a reload fails. Outcome: `glassine_config_loaded_timestamp_seconds` is still that of the last good one.
#[tokio::test]
async fn the_last_good_reload_has_a_time() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let proxy = Setup::scripted(&graph).start().await;
    let series = "glassine_config_loaded_timestamp_seconds";
    let first = scrape(&proxy).await[series];
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    proxy.write("acme.yaml", "version: broken\n");
    until(&proxy, "glassine_config_good", 0.0).await;
    assert_eq!(scrape(&proxy).await[series], first);
    let rules = crate::support::glassine::METADATA_ONLY;
    proxy.write("acme.yaml", rules);
    until(&proxy, "glassine_config_good", 1.0).await;
    assert!(scrape(&proxy).await[series] > first);
}
