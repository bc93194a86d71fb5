//! `connect`, and the keys of a consumer that belong to it.

use std::path::Path;
use std::time::Duration;

use super::{accepts, full, load, refuses, with};

const AUDIT: &str = "audit: { file: audit.jsonl }\n";
const CONNECT: &str = "audit: { file: audit.jsonl }\nconnect: { file: connections.json }\n";
const LIMITS: &str = "    limits: { concurrent: 64, requests_per_second: 200 }\n";

/// The full example with the connection pages, and one part replaced.
fn connecting(old: &str, new: &str) -> String {
    let text = full().replace(AUDIT, CONNECT);
    assert_eq!(text.matches(old).count(), 1, "{old:?}");
    text.replace(old, new)
}

#[test]
fn the_pages_are_there_if_wanted() {
    assert!(load(&full()).unwrap().connect().is_none());
    let config = accepts(AUDIT, CONNECT);
    let connect = config.connect().unwrap();
    assert_eq!(connect.file().path(), Path::new("etc/connections.json"));
    assert_eq!(connect.wait(), Duration::from_secs(15));
    let waiting = |seconds: &str| format!("connect: {{ file: c.json, wait_seconds: {seconds} }}\n{AUDIT}");
    assert_eq!(accepts(AUDIT, &waiting("60")).connect().unwrap().wait(), Duration::from_secs(60));
    for seconds in ["0", "61"] {
        refuses(AUDIT, &waiting(seconds), "G0401", seconds);
    }
}

#[test]
fn a_return_url_is_an_address_of_somebody_else_over_tls() {
    let returning = |url: &str| connecting(LIMITS, &format!("{LIMITS}    return_url: {url}\n"));
    let config = load(&returning("https://analytics.example/data/connected")).unwrap();
    let url = config.consumers()[0].return_url().unwrap();
    assert_eq!(
        (url.as_str(), url.origin().as_str()),
        ("https://analytics.example/data/connected", "https://analytics.example")
    );
    for (url, code) in [
        ("http://analytics.example/", "G0402"),
        ("https://analytics.example/?to=x", "G0401"),
        ("https://user@analytics.example/", "G0401"),
        ("javascript:alert(1)", "G0401"),
        ("/data", "G0401"),
    ] {
        assert_eq!(load(&returning(url)).unwrap_err(), [(code, url.to_owned())]);
    }
    let alone = with(LIMITS, &format!("{LIMITS}    return_url: https://a.example\n"));
    assert_eq!(load(&alone).unwrap_err(), [("G0401", "https://a.example".to_owned())]);
}

#[test]
fn the_pages_can_be_closed_to_strangers() {
    let limited =
        |networks: &str| connecting("connect: { ", &format!("connect: {{ allow_from: {networks}, "));
    let open = load(&connecting("connect: { ", "connect: { ")).unwrap();
    let closed = load(&limited("[10.0.0.0/8, 2001:db8::/32]")).unwrap();
    for (address, is_inside) in
        [("10.1.2.3", true), ("::ffff:10.1.2.3", true), ("2001:db8::1", true), ("192.0.2.1", false)]
    {
        let address = Some(address.parse().unwrap());
        assert!(open.connect().unwrap().may_come_from(address));
        assert_eq!(closed.connect().unwrap().may_come_from(address), is_inside, "{address:?}");
    }
    assert!(open.connect().unwrap().may_come_from(None) && !closed.connect().unwrap().may_come_from(None));
    assert_eq!(load(&limited("[]")).unwrap_err(), [("G0401", "[".to_owned())]);
    assert_eq!(load(&limited("[everybody]")).unwrap_err(), [("G0401", "everybody".to_owned())]);
}

#[test]
fn a_consumer_can_have_a_title() {
    let titled =
        |title: &str| with("name: acme-analytics", &format!("name: acme-analytics\n    title: {title}"));
    let title = |text: &str| load(text).map(|config| config.consumers()[0].title().to_owned());
    assert_eq!(title(&full()).unwrap(), "acme-analytics");
    assert_eq!(title(&titled("Acme Analytics, Zürich")).unwrap(), "Acme Analytics, Zürich");
    assert_eq!(title(&titled(&"ü".repeat(100))).unwrap().chars().count(), 100);
    for bad in ["''", "' '", "\"a\\nb\"", &"ü".repeat(101)] {
        assert_eq!(title(&titled(bad)).unwrap_err(), [("G0401", bad.to_owned())], "{bad}");
    }
}

#[test]
fn no_consumer_has_the_name_of_a_page() {
    for name in ["keys", "signed-in", "consented"] {
        let text = connecting("name: acme-analytics", &format!("name: {name}"));
        assert_eq!(load(&text).unwrap_err(), [("G0401", name.to_owned())]);
        assert!(load(&with("name: acme-analytics", &format!("name: {name}"))).is_ok(), "without the pages");
    }
}

#[test]
fn the_pages_need_an_app_registration() {
    let old = "credential: { client_secret_file: app.secret }";
    let text = connecting(old, "credential: { access_token_file: token }");
    assert_eq!(load(&text).unwrap_err(), [("G0401", "connections.json".to_owned())]);
    let own = "    application: { client_id: 11111111-0000-0000-0000-000000000000, credential: { client_secret_file: own } }\n";
    assert!(load(&text.replace(LIMITS, &format!("{LIMITS}{own}"))).is_ok());
}

#[test]
fn a_consumer_can_have_its_own_app_registration() {
    let own = |client: &str, credential: &str| {
        format!("{LIMITS}    application: {{ client_id: {client}, credential: {credential} }}\n")
    };
    let (id, secret) = ("11111111-0000-0000-0000-000000000000", "{ client_secret_file: own }");
    let config = accepts(LIMITS, &own(id, secret));
    let application = config.consumers()[0].application().unwrap();
    assert_eq!(application.client_id(), Some(id));
    assert_eq!(application.tenant(), Some("contoso.onmicrosoft.com"));
    refuses(LIMITS, &own("acme", secret), "G0401", "acme");
    refuses(LIMITS, &own(id, "{}"), "G0401", "{");
    let homeless = own(id, secret);
    let text = with(LIMITS, &homeless)
        .replace("  tenant: contoso.onmicrosoft.com\n", "")
        .replace("{ client_secret_file: app.secret }", "{ access_token_file: token }");
    assert_eq!(load(&text).unwrap_err(), [("G0401", "{".to_owned())], "an application without a tenant");
}
