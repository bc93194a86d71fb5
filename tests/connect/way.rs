//! The flow, to each of its ends.

use std::collections::BTreeMap;
use std::path::Path;

use glassine::jwt::{Algorithm, Claims, Expected, KeySet, KeySource, Token, Verifier};
use glassine_core::pseudonym::{Class, Outcome};
use serde_json::{Value, json};

use super::visitor::{Visitor, code, consented, location, signed_in};
use super::{NEEDED, RETURN_URL, proxy, setup};
use crate::support::entra::{ADDRESS, CLIENT, FakeEntra, NAME, OID, SECRET, TENANT, form, query, refusal};
use crate::support::glassine::{Glassine, ProxyResponse, Setup, lines_of, unidentified, write_private};

fn names(roles: &[&str]) -> Vec<String> {
    roles.iter().map(|role| (*role).to_owned()).collect()
}

/// The claims of a result, verified as docs/CONNECT.md says.
async fn result(proxy: &Glassine, response: &ProxyResponse) -> Claims {
    assert_eq!(response.status, 303, "{}", response.text());
    let place = location(response);
    let (url, parameters) = place.split_once('?').unwrap();
    assert_eq!(url, RETURN_URL);
    let keys = proxy.send("GET", "/connect/keys", &[]).await;
    let expected = Expected {
        issuer: proxy.url(),
        audiences: vec!["https://analytics.example".to_owned()],
        algorithms: vec![Algorithm::EdDsa],
        claims: Vec::new(),
    };
    let verifier = Verifier::new(expected, KeySource::fixed(KeySet::parse(&keys.body).unwrap()).into());
    let token = form(parameters).remove("result").unwrap();
    let now = jiff::Timestamp::now().as_second();
    verifier.verify(Token::parse(&token).unwrap(), now).await.unwrap().claims
}

#[tokio::test]
async fn a_connection_is_made_checked_noted_and_shown() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    assert!(visitor.get("/connect").await.text().contains("Not connected"));
    let response = visitor.connect("acme", "").await;
    assert_eq!((response.status, code(&response).as_str()), (200, "connected"));
    let list = visitor.get("/connect").await.text();
    assert!(list.contains(">Connected<") && list.contains("Connected since 20"));
    let noted: Value = serde_json::from_str(&proxy.read("connections.json")).unwrap();
    assert_eq!(noted["connections"]["acme"]["state"], "connected");
    assert!(noted["connections"]["acme"]["tenant"].as_str().unwrap().starts_with("t~"));
    let everything =
        [list, response.everything(), proxy.read("connections.json"), proxy.read("audit.jsonl")].concat();
    for personal in [OID, ADDRESS, NAME, TENANT, "Grace", CLIENT, SECRET] {
        assert!(!everything.to_lowercase().contains(&personal.to_lowercase()), "{personal}");
    }
}

/// Fault: Entra writes a byte order mark before its OpenID configuration, its keys and its tokens. Outcome: a data source is connected.
#[tokio::test]
async fn a_connection_is_made_although_every_document_has_a_byte_order_mark() {
    let entra = FakeEntra::start(&NEEDED).await;
    entra.change(|says| says.marked = true);
    let proxy = proxy(&entra).await;
    let response = Visitor::new(&proxy, &entra).connect("acme", "").await;
    assert_eq!((response.status, code(&response).as_str()), (200, "connected"));
}

#[tokio::test]
async fn entra_is_asked_for_what_the_standards_and_the_issue_say() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let asked = visitor.begin("acme", "").await;
    let fixed = [
        ("client_id", CLIENT),
        ("response_type", "code"),
        ("response_mode", "query"),
        ("scope", "openid profile"),
        ("code_challenge_method", "S256"),
    ];
    fixed.iter().for_each(|(name, value)| assert_eq!(asked[*name], *value, "{name}"));
    assert_eq!(asked["redirect_uri"], format!("{}/connect/signed-in", proxy.url()));
    let again = Visitor::new(&proxy, &entra).begin("acme", "").await;
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(asked[name], again[name], "{name}");
    }
    let asked = visitor.reach_consent("acme", "").await;
    assert_eq!(asked["scope"], format!("{}/.default", entra.base()));
    assert_eq!(asked["client_id"], CLIENT);
    assert_eq!(asked["redirect_uri"], format!("{}/connect/consented", proxy.url()));
}

#[tokio::test]
async fn the_result_goes_back_signed_and_names_nobody() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let response = visitor.connect("returning", &query(&[("state", "opaque-&=%-of-theirs")])).await;
    let claims = result(&proxy, &response).await;
    assert_eq!(claims.text("connection"), Some("connected"));
    assert_eq!(claims.text("consumer"), Some("returning"));
    assert_eq!(claims.text("connector"), Some("outlook-mail-metadata-only"));
    assert_eq!(claims.text("state"), Some("opaque-&=%-of-theirs"));
    let issued = claims.get("iat").and_then(Value::as_i64).unwrap();
    assert_eq!(claims.get("exp"), Some(&Value::from(issued + 300)));
    let pseudonyms = proxy.pseudonyms("returning");
    let (mut id, mut email) = (Vec::new(), Vec::new());
    assert_eq!(pseudonyms.reversible(Class::Id, OID, &mut id), Outcome::Written);
    assert_eq!(pseudonyms.email(ADDRESS, &mut email), Outcome::Written);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    assert_eq!(claims.get("person"), Some(&json!({ "id": text(id), "email": text(email) })));
    assert!(claims.get("name").is_none() && claims.get("tid").is_none());
}

#[tokio::test]
async fn each_result_has_a_unique_id() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let first = visitor.connect("returning", "").await;
    let second = visitor.connect("returning", "").await;
    let (first, second) = (result(&proxy, &first).await, result(&proxy, &second).await);
    assert!(first.text("jti").is_some() && first.text("jti") != second.text("jti"));
    assert!(first.get("state").is_none());
}

#[tokio::test]
async fn what_is_missing_is_named_here_and_there() {
    let entra = FakeEntra::start(&NEEDED[1..]).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let response = visitor.connect("acme", "").await;
    assert_eq!(code(&response), "consent_missing");
    assert!(response.text().contains("<code>Mail.ReadBasic.All</code>"));
    assert!(visitor.get("/connect").await.text().contains("Consent missing"));
    let response = visitor.connect("returning", "").await;
    let claims = result(&proxy, &response).await;
    assert_eq!(claims.text("connection"), Some("consent_missing"));
    assert_eq!(claims.get("missing"), Some(&json!(["Mail.ReadBasic.All"])));
}

#[tokio::test]
async fn what_is_too_much_is_named_here_and_there() {
    let entra = FakeEntra::start(&[&NEEDED[..], &["Mail.ReadWrite"]].concat()).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let response = visitor.connect("acme", "").await;
    assert_eq!(code(&response), "over_privileged");
    assert!(visitor.get("/connect").await.text().contains("over-privileged"));
    let response = visitor.connect("returning", "").await;
    let claims = result(&proxy, &response).await;
    assert_eq!(claims.text("connection"), Some("over_privileged"));
    assert_eq!(claims.get("excess"), Some(&json!(["Mail.ReadWrite"])));
}

#[tokio::test]
async fn a_consent_that_takes_a_moment_to_show_is_waited_for() {
    let entra = FakeEntra::start(&[]).await;
    entra.change(|says| says.roles.push(names(&NEEDED)));
    let proxy = proxy(&entra).await;
    let response = Visitor::new(&proxy, &entra).connect("acme", "").await;
    assert_eq!(code(&response), "connected");
}

#[tokio::test]
async fn a_consent_that_was_given_again_keeps_its_date() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    visitor.connect("acme", "").await;
    let before = proxy.read("connections.json");
    visitor.connect("acme", "").await;
    assert_eq!(proxy.read("connections.json"), before);
}

#[tokio::test]
async fn declining_changes_nothing_and_is_reported() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let declined = |state: &str| {
        let said = "AADSTS65004: User declined to consent to access the app.\r\nTrace ID: 0";
        let parameters = [("error", "access_denied"), ("error_description", said), ("state", state)];
        format!("/connect/consented?{}", query(&parameters))
    };
    let asked = visitor.reach_consent("acme", "").await;
    let response = visitor.get(&declined(&asked["state"])).await;
    assert_eq!((response.status, code(&response).as_str()), (403, "consent_declined"));
    assert!(!response.text().contains("Trace ID"));
    assert!(!proxy.file("connections.json").exists());
    let asked = visitor.reach_consent("returning", "state=abc").await;
    let response = visitor.get(&declined(&asked["state"])).await;
    let claims = result(&proxy, &response).await;
    assert_eq!(claims.text("connection"), Some("failed"));
    assert_eq!(claims.text("error"), Some("consent_declined"));
    assert_eq!(claims.text("state"), Some("abc"));
    assert!(claims.get("person").is_none() && claims.get("tenant").is_none());
}

#[tokio::test]
async fn a_sign_in_that_entra_refuses_is_reported_in_fixed_words() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    for (said, expected) in [
        ("AADSTS50105: not assigned", "not_assigned"),
        ("AADSTS90094: admin", "not_administrator"),
        ("AADSTS53003: policy", "blocked_by_policy"),
        ("AADSTS50020: guest", "wrong_tenant"),
        ("AADSTS99999: news", "sign_in_declined"),
        ("AADSTS90095: approval", "approval_pending"),
        ("AADSTS90008: User.Read", "sign_in_permission"),
        ("AADSTS650051: name", "consent_collided"),
        ("AADSTS90055: throttled", "directory_busy"),
    ] {
        let asked = visitor.begin("acme", "").await;
        let parameters =
            [("error", "access_denied"), ("error_description", said), ("state", &asked["state"])];
        let response = visitor.get(&format!("/connect/signed-in?{}", query(&parameters))).await;
        assert_eq!((response.status, code(&response).as_str()), (403, expected), "{said}");
    }
}

/// Fault: Entra has a problem that passes while a data source is connected. Outcome: the page says to wait some minutes, and blames nothing else.
#[tokio::test]
async fn a_problem_of_entra_that_passes_is_told_as_one() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    for (response, at_the_code, at_the_check) in [
        (refusal(400, "temporarily_unavailable", 90_033), "directory_busy", "directory_busy"),
        (refusal(400, "server_error", 90_024), "directory_busy", "directory_busy"),
        (refusal(503, "temporarily_unavailable", 0), "directory_busy", "directory_busy"),
        (refusal(401, "invalid_client", 7_000_222), "code_not_redeemed", "check_failed"),
    ] {
        let says = |refusal| entra.change(|says| says.refusal = refusal);
        says(Some(response.clone()));
        let told = visitor.sign_in("acme", "").await;
        assert_eq!((told.status, code(&told).as_str()), (403, at_the_code), "{response:?}");
        says(None);
        let asked = visitor.reach_consent("acme", "").await;
        says(Some(response.clone()));
        let told = visitor.get(&consented(&asked["state"])).await;
        assert_eq!((told.status, code(&told).as_str()), (403, at_the_check), "{response:?}");
        says(None);
    }
    assert_eq!(code(&visitor.connect("acme", "").await), "connected");
}

/// Fault: Entra throttles the redemption of a code (429). Outcome: the check of the next consent asks for no token before the time is over.
#[tokio::test]
async fn a_throttled_redemption_closes_the_issuer_for_checks_too() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    // Its own token is here, so only the redemption is throttled.
    assert_eq!(proxy.get("/v1.0/users").await.status, 404, "this Entra is no Graph");
    let busy = refusal(429, "temporarily_unavailable", 90_055).header("Retry-After", "60");
    entra.change(|says| says.refusal = Some(busy));
    assert_eq!(code(&visitor.sign_in("acme", "").await), "directory_busy");
    entra.change(|says| says.refusal = None);
    assert_eq!(code(&visitor.connect("acme", "").await), "directory_busy");
}

#[tokio::test]
async fn every_step_is_in_the_audit() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    visitor.connect("acme", "").await;
    let again = visitor.get(&consented("made up")).await;
    assert_eq!(again.status, 400);
    let records = proxy.audited(4).await;
    let seen: Vec<_> = records
        .iter()
        .map(|it| {
            (it["endpoint"].as_str(), it["decision"].as_str(), it["reason"].as_str(), it["consumer"].as_str())
        })
        .collect();
    let (allowed, acme) = (Some("allowed"), Some("acme"));
    assert_eq!(
        seen,
        [
            (Some("connect-start"), allowed, Some("started"), acme),
            (Some("connect-signed-in"), allowed, Some("signed_in"), acme),
            (Some("connect-consented"), allowed, Some("connected"), acme),
            (Some("connect-consented"), Some("refused"), Some("state_foreign"), None),
        ]
    );
}

/// Fault: strangers try steps of connections that nobody began. Outcome: they are refused, and the audit log has one line a second of them.
#[tokio::test]
async fn refused_steps_are_summed() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    for _ in 0..5 {
        assert_eq!(visitor.get(&consented("made up")).await.status, 400);
    }
    let folder = proxy.stop().await;
    let file = folder.path().join("audit.jsonl");
    assert_eq!(unidentified(&file), BTreeMap::from([("state_foreign".to_owned(), 5)]));
    let own = lines_of(&file).iter().filter(|line| line["endpoint"] == "connect-consented").count();
    assert!(own < 5, "{own}");
}

#[tokio::test]
async fn requests_use_the_new_permissions_at_once() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let with_old = proxy.get("/v1.0/users").await;
    assert_eq!(with_old.status, 404, "this Entra is no Graph");
    let mut visitor = Visitor::new(&proxy, &entra);
    visitor.connect("acme", "").await;
    proxy.get("/v1.0/users").await;
    let asked: Vec<_> = entra.server.requests().into_iter().filter(|it| it.path() == "/v1.0/users").collect();
    let [before, after] = &asked[..] else { panic!("two requests") };
    assert_ne!(before.header("authorization"), after.header("authorization"));
}

#[tokio::test]
async fn a_connector_can_have_its_own_app_registration() {
    let entra = FakeEntra::start(&NEEDED).await;
    let mut setup = setup(&entra);
    setup.consumers[0].more =
        format!("    application: {{ client_id: {TENANT}, credential: {{ client_secret_file: secret }} }}\n");
    let proxy = setup.start().await;
    let asked = Visitor::new(&proxy, &entra).begin("acme", "").await;
    assert_eq!(asked["client_id"], TENANT);
    let asked = Visitor::new(&proxy, &entra).begin("returning", "").await;
    assert_eq!(asked["client_id"], CLIENT);
}

/// docs/CONNECT.md, "Several replicas": no replica has to see all steps, and a file that they share has the state for each.
#[tokio::test]
async fn replicas_share_the_steps_and_the_state_of_a_connection() {
    let entra = FakeEntra::start(&NEEDED).await;
    let shared = tempfile::tempdir().unwrap();
    let file = shared.path().join("connections.json");
    let replica = |public_url: Option<String>| {
        let more = format!("connect: {{ file: {}, wait_seconds: 1 }}\n", file.display());
        let prepare =
            Box::new(move |folder: &Path| public_url.iter().for_each(|url| publish_at(folder, url)));
        Setup { more, prepare, ..setup(&entra) }.start()
    };
    let one = replica(None).await;
    let other = replica(Some(one.url())).await;
    let mut visitor = Visitor::new(&one, &entra);
    let asked = visitor.begin("acme", "").await;
    visitor.proxy = &other;
    let sent_on = visitor.get(&signed_in(&entra.sign_in(&asked), &asked["state"])).await;
    let asked = form(location(&sent_on).split_once('?').unwrap().1);
    visitor.proxy = &one;
    assert_eq!(code(&visitor.get(&consented(&asked["state"])).await), "connected");
    for replica in [&one, &other] {
        visitor.proxy = replica;
        assert!(visitor.get("/connect").await.text().contains(">Connected<"));
    }
}

/// Gives the proxy of this folder the public URL of another one.
fn publish_at(folder: &Path, url: &str) {
    let file = folder.join("config.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let own = text.lines().find(|line| line.starts_with("public_url: ")).unwrap().to_owned();
    write_private(&file, text.replace(&own, &format!("public_url: {url}")));
}
