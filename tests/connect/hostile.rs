//! Hostile queries, cookies and responses from Entra. Beside each refusal is the legitimate form, which passes.

use serde_json::json;

use super::visitor::{Visitor, code, consented, consented_for, location, signed_in};
use super::{NEEDED, proxy, setup};
use crate::support::entra::{FakeEntra, TENANT, query};
use crate::support::glassine::ProxyResponse;

fn refused(response: &ProxyResponse, expected: &str) {
    assert_eq!((response.status, code(response).as_str()), (400, expected));
    assert!(!response.headers.contains_key("location"));
}

/// Fault: a link of the connection pages is used twice, or in another browser. Outcome: the page refuses it.
#[tokio::test]
async fn a_state_is_good_once_in_its_browser_and_for_its_step() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let asked = visitor.begin("acme", "").await;
    let (state, callback) = (asked["state"].clone(), signed_in(&entra.sign_in(&asked), &asked["state"]));
    let mut tampered = state.clone().into_bytes();
    *tampered.last_mut().unwrap() ^= 1;
    tampered[10] ^= 1;
    let tampered = String::from_utf8_lossy(&tampered).into_owned();
    for other in [tampered.as_str(), "", "x", &state[1..], &state[..state.len() - 1], &"A".repeat(4096)] {
        refused(&visitor.get(&signed_in("code", other)).await, "state_foreign");
    }
    refused(&visitor.get("/connect/signed-in?code=x").await, "state_foreign");
    refused(&visitor.get(&consented(&state)).await, "state_foreign");
    refused(&Visitor::new(&proxy, &entra).get(&callback).await, "state_browser");
    let mut other = Visitor::new(&proxy, &entra);
    other.begin("acme", "").await;
    refused(&other.get(&callback).await, "state_browser");
    assert_eq!(visitor.get(&callback).await.status, 303, "the browser that it belongs to");
    refused(&visitor.get(&callback).await, "state_used");
}

#[tokio::test]
async fn a_consent_is_good_once_in_its_browser_and_for_its_tenant() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let foreign = visitor.reach_consent("acme", "").await;
    let response =
        visitor.get(&consented_for("dddd1111-2222-3333-4444-555566667777", &foreign["state"])).await;
    assert_eq!((response.status, code(&response).as_str()), (403, "wrong_tenant"));
    let asked = visitor.reach_consent("acme", "").await;
    refused(&Visitor::new(&proxy, &entra).get(&consented(&asked["state"])).await, "state_browser");
    refused(&visitor.get(&signed_in("code", &asked["state"])).await, "state_foreign");
    assert_eq!(code(&visitor.get(&consented(&asked["state"])).await), "connected");
    refused(&visitor.get(&consented(&asked["state"])).await, "state_used");
    refused(&visitor.get(&consented(&foreign["state"])).await, "state_used");
}

#[tokio::test]
async fn a_consent_that_does_not_say_so_is_none() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let responses = [
        ("False", "consent_response"),
        ("", "consent_response"),
        ("1", "consent_response"),
        ("True", "connected"),
    ];
    for (says, expected) in responses {
        let asked = visitor.reach_consent("acme", "").await;
        let parameters = [("admin_consent", says), ("tenant", TENANT), ("state", &asked["state"])];
        let response = visitor.get(&format!("/connect/consented?{}", query(&parameters))).await;
        assert_eq!(code(&response), expected, "{says}");
    }
}

#[tokio::test]
async fn saying_that_it_was_granted_grants_nothing() {
    let entra = FakeEntra::start(&[]).await;
    let proxy = proxy(&entra).await;
    let response = Visitor::new(&proxy, &entra).connect("acme", "").await;
    assert_eq!(code(&response), "consent_missing");
}

#[tokio::test]
async fn a_code_from_another_sign_in_is_refused() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let (mut victim, mut attacker) = (Visitor::new(&proxy, &entra), Visitor::new(&proxy, &entra));
    let theirs = attacker.begin("acme", "").await;
    let swapped = entra.sign_in(&theirs);
    let own = victim.begin("acme", "").await;
    let response = victim.get(&signed_in(&swapped, &own["state"])).await;
    assert_eq!((response.status, code(&response).as_str()), (403, "code_not_redeemed"));
    assert!(
        !response.text().contains("script") && !response.text().contains("Grace"),
        "Entra's words stay away"
    );
    assert_eq!(victim.sign_in("acme", "").await.status, 303);
}

#[tokio::test]
async fn an_id_token_is_this_tenants_this_applications_and_this_sign_ins() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let other = "dddd1111-2222-3333-4444-555566667777";
    for (wrong, expected) in [
        (json!({ "tid": other }), "wrong_tenant"),
        (json!({ "tid": null }), "wrong_tenant"),
        (json!({ "iss": format!("{}/{other}/v2.0", entra.base()) }), "wrong_tenant"),
        (json!({ "aud": other }), "id_token_invalid"),
        (json!({ "nonce": "another" }), "id_token_invalid"),
        (json!({ "nonce": null }), "id_token_invalid"),
        (json!({ "exp": 1 }), "id_token_invalid"),
    ] {
        entra.change(|says| says.id_token = wrong.clone());
        let response = visitor.sign_in("acme", "").await;
        assert_eq!((response.status, code(&response).as_str()), (403, expected), "{wrong}");
    }
    entra.change(|says| says.id_token = json!({}));
    assert_eq!(visitor.sign_in("acme", "").await.status, 303);
    entra.change(|says| says.forged = true);
    assert_eq!(code(&visitor.sign_in("acme", "").await), "id_token_invalid");
}

#[tokio::test]
async fn a_configuration_that_leads_away_is_not_followed() {
    for elsewhere in ["https://evil.example/authorize", "//evil.example", "javascript:alert(1)"] {
        let entra = FakeEntra::start(&NEEDED).await;
        entra.change(|says| says.metadata = json!({ "authorization_endpoint": elsewhere }));
        let proxy = proxy(&entra).await;
        let mut visitor = Visitor::new(&proxy, &entra);
        let response = visitor.press("acme", "").await;
        assert_eq!(
            (response.status, code(&response).as_str()),
            (502, "directory_unreachable"),
            "{elsewhere}"
        );
        entra.change(|says| says.metadata = json!({}));
        assert_eq!(visitor.press("acme", "").await.status, 303, "and is asked for again");
    }
}

#[tokio::test]
async fn no_parameter_is_repeated_on_a_page_or_in_a_redirect() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let hostile = "\"><script>alert('marker')</script>";
    let names =
        ["code", "state", "error", "error_description", "error_uri", "tenant", "admin_consent", "scope", "x"];
    for page in ["signed-in", "consented", "acme", ""] {
        for name in names {
            let target = format!("/connect/{page}?{}", query(&[(name, hostile)]));
            let response = visitor.get(target.trim_end_matches('/')).await;
            // A connector's page repeats the state in its own form, escaped.
            let seen = response.everything().replace("&lt;script&gt;alert('marker", "");
            assert!(!seen.contains("marker"), "{page} {name}");
            assert!(seen.len() == response.everything().len() || (page, name) == ("acme", "state"));
        }
    }
    for name in
        ["error", "error_description", "tenant", "admin_consent", "code", "return_url", "redirect_uri"]
    {
        for page in ["signed-in", "consented"] {
            let asked = match page {
                "signed-in" => visitor.begin("acme", "").await,
                _ => visitor.reach_consent("acme", "").await,
            };
            let mut parameters = vec![(name, hostile), ("state", asked["state"].as_str())];
            parameters.extend([("error", "access_denied")].iter().filter(|_| name == "error_description"));
            let response = visitor.get(&format!("/connect/{page}?{}", query(&parameters))).await;
            assert!(response.status >= 400 && !response.everything().contains("marker"), "{page} {name}");
        }
    }
}

#[tokio::test]
async fn what_the_application_wants_back_is_bounded_and_escaped() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let page = visitor.get(&format!("/connect/acme?{}", query(&[("state", "\"><b>'&")]))).await;
    assert_eq!(page.status, 200);
    // An attribute is always in double quotes, so a single quote ends nothing.
    assert!(page.text().contains("value=\"&quot;&gt;&lt;b&gt;'&amp;\""));
    for bad in ["a b", "caf\u{e9}", "a\tb", &"a".repeat(513)] {
        let parameters = query(&[("state", bad)]);
        refused(&visitor.get(&format!("/connect/acme?{parameters}")).await, "parameters");
        refused(&visitor.press("acme", &parameters).await, "parameters");
    }
    let long = query(&[("state", &"a".repeat(512))]);
    assert_eq!(visitor.get(&format!("/connect/acme?{long}")).await.status, 200);
    assert_eq!(visitor.press("acme", &long).await.status, 303);
}

#[tokio::test]
async fn another_site_begins_nothing() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let (form, own) = (("content-type", "application/x-www-form-urlencoded"), proxy.url());
    for headers in [
        vec![form, ("sec-fetch-site", "cross-site")],
        vec![form, ("sec-fetch-site", "same-site")],
        vec![form, ("sec-fetch-site", "")],
        vec![form, ("origin", "https://evil.example")],
        vec![form, ("origin", "null")],
        vec![form, ("origin", "null"), ("sec-fetch-site", "cross-site")],
        vec![form, ("origin", &own), ("sec-fetch-site", "cross-site")],
        vec![form, ("origin", &own), ("origin", "https://evil.example")],
    ] {
        let response = visitor.send("POST", "/connect/acme", &headers, "").await;
        assert_eq!((response.status, code(&response).as_str()), (403, "cross_site"), "{headers:?}");
    }
    for headers in [
        vec![form],
        vec![form, ("origin", &own)],
        vec![form, ("origin", "null"), ("sec-fetch-site", "same-origin")],
        vec![form, ("origin", &own), ("sec-fetch-site", "same-origin")],
    ] {
        assert_eq!(visitor.send("POST", "/connect/acme", &headers, "").await.status, 303, "{headers:?}");
    }
}

#[tokio::test]
async fn a_form_is_short_and_a_form() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    refused(
        &visitor.send("POST", "/connect/acme", &[("content-type", "application/json")], "{}").await,
        "form",
    );
    refused(&visitor.send("POST", "/connect/acme", &[], "").await, "form");
    refused(&visitor.press("acme", &format!("x={}", "a".repeat(10_000))).await, "form");
    refused(&visitor.press("acme", "state=a&state=b").await, "parameters");
    assert_eq!(visitor.press("acme", "x=1&state=a").await.status, 303);
}

#[tokio::test]
async fn a_method_is_for_its_page() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let asked = visitor.begin("acme", "").await;
    let callback = signed_in(&entra.sign_in(&asked), &asked["state"]);
    for (method, target) in [
        ("POST", "/connect"),
        ("POST", "/connect/keys"),
        ("PUT", "/connect/acme"),
        ("POST", "/connect/acme/rules"),
        ("POST", callback.as_str()),
        ("HEAD", callback.as_str()),
    ] {
        assert_eq!(visitor.send(method, target, &[], "").await.status, 405, "{method} {target}");
    }
    assert_eq!(visitor.send("HEAD", "/connect/acme", &[], "").await.status, 200);
    assert_eq!(visitor.get(&callback).await.status, 303, "looking at it has not used it up");
}

#[tokio::test]
async fn only_this_hosts_pages_are_served() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let own = proxy.address.to_string();
    for (host, status) in [("evil.example", 421), ("evil.example:1", 421), (own.as_str(), 200)] {
        assert_eq!(proxy.send("GET", "/connect", &[("host", host)]).await.status, status, "{host}");
    }
    let old = format!("GET /connect HTTP/1.0\r\nHost: {own}\r\n\r\n");
    assert!(proxy.raw(old.as_bytes()).await.contains(" 421 "));
}

/// Fault: a link of the connection pages is used again after a reload. Outcome: the page refuses it.
#[tokio::test]
async fn a_used_state_stays_used_over_a_reload() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let used = visitor.begin("acme", "").await;
    let callback = signed_in(&entra.sign_in(&used), &used["state"]);
    assert_eq!(visitor.get(&callback).await.status, 303);
    let begun = visitor.begin("returning", "").await;
    let config =
        proxy.read("config.yaml").replace("name: acme", "name: renamed").replace("acme.yaml", "renamed.yaml");
    proxy.write("renamed.yaml", &proxy.read("acme.yaml"));
    proxy.write("config.yaml", &config);
    for _ in 0..120 {
        if visitor.get("/connect/renamed").await.status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    refused(&visitor.get(&callback).await, "state_used");
    let late = visitor.get(&signed_in(&entra.sign_in(&begun), &begun["state"])).await;
    assert_eq!(late.status, 303, "a flow that was under way goes on");
    assert!(location(&late).starts_with(&entra.base()));
}

/// Fault: a browser sends a flood of steps to the connection pages. Outcome: the steps are held up, and the pages stay available.
#[tokio::test]
async fn a_flood_of_steps_is_held_up_and_pages_stay() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let mut held_up = false;
    for _ in 0..200 {
        held_up |= visitor.get(&consented("x")).await.status == 429;
    }
    assert!(held_up);
    assert_eq!(visitor.get("/connect").await.status, 200);
}

#[tokio::test]
async fn without_the_setting_there_are_no_pages() {
    let entra = FakeEntra::start(&NEEDED).await;
    let mut setup = setup(&entra);
    setup.more.clear();
    setup.consumers.pop();
    let proxy = setup.start().await;
    for target in ["/connect", "/connect/acme", "/connect/keys"] {
        assert_eq!(proxy.send("GET", target, &[]).await.status, 401, "{target}");
    }
}
