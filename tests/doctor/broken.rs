//! What is wrong with credentials, servers, clocks and the public URL.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{Span, Timestamp};
use serde_json::json;

use super::*;
use crate::support::upstream::Script;

/// A page that is a valid response for every endpoint of the rules.
const PAGE: &str = r#"{"value":[{"id":"A"}]}"#;

/// A `Date` that is this many seconds behind.
fn date(behind: i64) -> String {
    let then = Timestamp::now().checked_sub(Span::new().seconds(behind)).unwrap();
    then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Fault: the client secret is wrong. Outcome: `doctor` says so and names its file.
#[tokio::test]
async fn a_wrong_secret_is_reported_with_its_place() {
    let clinic = Clinic::consented().await;
    clinic.proxy.write("secret", "not-the-secret");
    let findings = examine(&clinic.proxy).await;
    assert_eq!(findings.ran.code, Some(1));
    let file = clinic.proxy.file("secret").display().to_string();
    findings.expect(
        "token",
        "upstream",
        "fail",
        &["AADSTS7000215", "New client secret", "not its Secret ID", &file],
    );
    assert!(
        findings.of("endpoints").all(|it| it["outcome"] == "skip" && it["message"] == "there is no token")
    );
    assert!(!findings.all.to_string().contains("not-the-secret"));
}

/// Fault: the tenant id is wrong. Outcome: `doctor` says so.
#[tokio::test]
async fn a_wrong_tenant_is_reported() {
    let clinic = Clinic::consented().await;
    let config = clinic.proxy.read("config.yaml");
    let other = "99999999-0000-0000-0000-000000000000";
    clinic.proxy.write("config.yaml", &config.replace(clinic.tenant.tenant_id(), other));
    let findings = examine(&clinic.proxy).await;
    findings.expect("network", "Entra HTTP", "fail", &["responds with status 400", "Directory (tenant) ID"]);
    findings.expect("token", "upstream", "fail", &["AADSTS90002", "Directory (tenant) ID"]);
}

/// Fault: the application is disabled in Entra. Outcome: `doctor` says where to enable it.
#[tokio::test]
async fn a_disabled_application_is_reported() {
    let clinic = Clinic::consented().await;
    clinic.change(|it| it.set_enabled(false));
    examine(&clinic.proxy).await.expect(
        "token",
        "upstream",
        "fail",
        &["AADSTS7000112", "Enterprise applications"],
    );
}

/// Fault: Graph cannot be reached, or its name cannot be resolved. Outcome: `doctor` names the failing step and a command to check it.
#[tokio::test]
async fn an_unreachable_server_is_reported_with_the_failing_step() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let proxy = Setup::in_front_of(&url).start().await;
    let findings = examine(&proxy).await;
    let command = format!("nc -vz 127.0.0.1 {}", free.port());
    findings.expect("network", "Graph TCP", "fail", &["cannot connect", &command]);
    findings.expect("network", "Graph HTTP", "skip", &["TCP fails"]);
    findings.expect("clock", "Graph", "skip", &["has no date"]);
    findings.expect("token", "upstream", "ok", &[]);
    findings.expect("endpoints", "all", "skip", &["Graph cannot be reached"]);
    findings.expect("public_url", "from here", "ok", &[]);
    proxy.write("config.yaml", &proxy.read("config.yaml").replace(&url, "https://graph.invalid"));
    let findings = examine(&proxy).await;
    findings.expect("network", "Graph DNS", "fail", &["cannot be resolved", "getent hosts graph.invalid"]);
    findings.expect("network", "Graph TLS", "skip", &["DNS fails"]);
}

/// Fault: Graph's certificate is of an unknown authority. Outcome: `doctor` says so and names `upstream.ca_file`.
#[tokio::test]
async fn an_unknown_authority_is_reported_and_a_configured_one_is_trusted() {
    let graph = FakeUpstream::start_tls(|_| Script::json(PAGE)).await;
    let mut setup = Setup::in_front_of(format!("https://{}", graph.address()));
    setup.files.push(("graph.pem", pem(&graph)));
    let proxy = setup.start().await;
    let findings = examine(&proxy).await;
    findings.expect("network", "Graph TCP", "ok", &[]);
    findings.expect(
        "network",
        "Graph TLS",
        "fail",
        &["UnknownIssuer", "openssl s_client", "upstream.ca_file"],
    );
    let config = proxy.read("config.yaml");
    proxy.write("config.yaml", &config.replace("  timeouts:", "  ca_file: graph.pem\n  timeouts:"));
    let findings = examine(&proxy).await;
    findings.expect("network", "Graph TLS", "ok", &["trusted"]);
    findings.expect("certificates", "upstream CA", "ok", &[]);
    findings.expect("endpoints", "list-users", "ok", &["200, objects: 1; properties: id"]);
}

fn pem(upstream: &FakeUpstream) -> String {
    let ca = upstream.ca();
    let text = STANDARD.encode(&ca[0]);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

/// The differences stay in the same minute if a response takes 30 seconds: the doctor takes the time halfway between the request
/// and the response, and a loaded server writes its date at the end of it.
///
/// Fault: the machine's clock is wrong by minutes. Outcome: `doctor` warns or fails with the difference.
#[tokio::test]
async fn a_wrong_clock_is_reported() {
    for (behind, outcome, told) in [
        (0, "ok", "Graph's"),
        (150, "warn", "2 min ahead of Graph's"),
        (-700, "fail", "min behind Graph's"),
        (3_630, "fail", "60 min ahead of Graph's"),
    ] {
        let graph = FakeUpstream::start(move |_| Script::json(PAGE).header("date", &date(behind))).await;
        let findings = examine(&scripted(&graph).await).await;
        findings.expect("clock", "Graph", outcome, &[told]);
    }
}

#[tokio::test]
async fn each_no_of_graph_has_its_advice() {
    for (script, outcome, told) in [
        (Script::status(429), "warn", "throttles"),
        (Script::status(503), "fail", "Graph itself is failing"),
        (Script::status(401), "fail", "Graph refuses the token"),
        (Script::status(404), "warn", "--mailbox-in ADDRESS"),
        (Script::status(400), "fail", "Graph's reference"),
        (Script::json("{\"value\":["), "fail", "the proxy blocks the whole response"),
    ] {
        let graph = FakeUpstream::start(move |request| match request.path() {
            "/v1.0/users" => script.clone(),
            _ => Script::json(PAGE),
        })
        .await;
        let findings = examine(&scripted(&graph).await).await;
        findings.expect("endpoints", "list-users", outcome, &[told]);
        findings.expect("endpoints", "list-groups", "ok", &["objects: 1"]);
        findings.expect("permissions", "all", "skip", &["cannot be read here"]);
    }
}

/// Fault: one of Graph's endpoints hangs. Outcome: `doctor` reports it and tries the others.
#[tokio::test]
async fn an_endpoint_that_hangs_is_reported_and_the_others_are_tried() {
    let graph = FakeUpstream::start(|request| match request.path() {
        "/v1.0/groups" => Script::never(),
        _ => Script::json(PAGE),
    })
    .await;
    let proxy = Setup::scripted(&graph).impatient().start().await;
    let findings = examine(&proxy).await;
    findings.expect("endpoints", "list-groups", "fail", &["took too long", "upstream.timeouts"]);
    findings.expect("endpoints", "list-users", "ok", &["objects: 1"]);
}

#[tokio::test]
async fn a_token_that_something_else_writes_is_read_as_far_as_it_can_be() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let proxy = scripted(&graph).await;
    let end = |seconds: i64| Timestamp::now().as_second() + seconds;
    for (payload, outcome, told) in [
        (json!({ "exp": end(600), "roles": ["User.Read.All"] }), "ok", "with permissions: 1"),
        (json!({ "exp": end(-7_300) }), "fail", "the token expired 2 h ago"),
        (json!({ "exp": end(600), "scp": "Mail.Read" }), "warn", "acts for a person"),
    ] {
        let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
        proxy.write("graph-token", &format!("e30.{payload}.x"));
        examine(&proxy).await.expect("token", "upstream", outcome, &[told]);
    }
    proxy.write("graph-token", "opaque");
    examine(&proxy).await.expect("token", "upstream", "ok", &["cannot be read here"]);
}

#[tokio::test]
async fn an_account_without_a_mailbox_is_passed_over() {
    let graph = FakeUpstream::start(|request| match request.path() {
        "/v1.0/users" => Script::json(r#"{"value":[{"id":"guest"},{"id":"member"}]}"#),
        path if path.starts_with("/v1.0/users/guest/") => Script::status(404),
        _ => Script::json(PAGE),
    })
    .await;
    let findings = examine(&scripted(&graph).await).await;
    findings.expect("endpoints", "list-messages", "ok", &["objects: 1"]);
    findings.expect("endpoints", "get-message", "ok", &[]);
}

/// Users of whom only the last one has a mailbox that opens. Accounts without an address and guests come before.
const USERS: &str = r#"{"value":[
    {"id":"guest","mail":"guest@elsewhere.example","userType":"Guest"},
    {"id":"service","mail":null,"userType":"Member"},
    {"id":"odd","mail":"odd@contoso.com","userType":"Member"},
    {"id":"member","mail":"member@contoso.com","userType":"Member"}]}"#;

/// Graph with [`USERS`], which denies the mailbox settings of all whom `is_denied` names.
async fn denying_settings(is_denied: fn(&str) -> bool) -> FakeUpstream {
    let denied = Script::status(403)
        .header("content-type", "application/json")
        .body(r#"{"error":{"code":"ErrorAccessDenied"}}"#);
    FakeUpstream::start(move |request| match request.path().split_once("/mailboxSettings") {
        Some((user, _)) if is_denied(user) => denied.clone(),
        _ if request.path() == "/v1.0/users" => Script::json(USERS),
        _ => Script::json(PAGE),
    })
    .await
}

/// A token that shows these permissions.
fn token_with(roles: &[&str]) -> String {
    let payload = json!({ "exp": Timestamp::now().as_second() + 600, "roles": roles });
    format!("e30.{}.x", URL_SAFE_NO_PAD.encode(payload.to_string()))
}

/// The checks of endpoints in mailbox settings.
const SETTINGS: [&str; 3] =
    ["endpoints get-mailbox-settings", "endpoints get-time-zone", "endpoints get-user-purpose"];

const ALL: [&str; 5] =
    ["Mail.ReadBasic.All", "MailboxSettings.Read", "Contacts.Read", "GroupMember.Read.All", "User.Read.All"];

/// Fault: Exchange denies an odd account's mailbox. Outcome: `doctor` tries other accounts, those with an address first.
#[tokio::test]
async fn an_odd_account_is_no_failure_of_the_set_up() {
    let graph = denying_settings(|user| user.ends_with("/odd")).await;
    let proxy = scripted(&graph).await;
    for token in [token_with(&ALL), "opaque".to_owned()] {
        proxy.write("graph-token", &token);
        let findings = examine(&proxy).await;
        findings.expect("endpoints", "get-mailbox-settings", "ok", &["one object"]);
        findings.expect("endpoints", "get-message", "ok", &["one object"]);
        assert_eq!(findings.bad(), [""; 0], "{:#}", findings.all);
    }
    let settings: Vec<_> = graph.requests().iter().map(|it| it.path().to_owned()).collect();
    let of_guests =
        |path: &String| path.starts_with("/v1.0/users/guest/") || path.starts_with("/v1.0/users/service/");
    assert!(!settings.iter().any(of_guests), "accounts without a mailbox are not tried: {settings:?}");
}

/// Fault: Exchange denies every mailbox that `doctor` tries, although the permission is granted. Outcome: a warning asks for a mailbox.
#[tokio::test]
async fn what_no_missing_permission_explains_is_a_warning() {
    let graph = denying_settings(|_| true).await;
    let proxy = scripted(&graph).await;
    proxy.write("graph-token", &token_with(&ALL));
    let findings = examine(&proxy).await;
    let told = ["403 ErrorAccessDenied", "each of the 4 accounts that were tried", "--mailbox-in ADDRESS"];
    findings.expect("endpoints", "get-mailbox-settings", "warn", &told);
    let is_of_settings = |it: &String| SETTINGS.contains(&it.as_str());
    assert!(
        findings.ran.code == Some(0) && findings.bad().iter().all(is_of_settings),
        "{:?}",
        findings.bad()
    );
    let named = examine_with(&proxy, &["--mailbox-in", "member@contoso.com"]).await;
    named.expect(
        "endpoints",
        "get-mailbox-settings",
        "fail",
        &["Exchange keeps the application out of this mailbox"],
    );
}

#[tokio::test]
async fn what_a_missing_permission_explains_is_a_failure() {
    let graph = denying_settings(|_| true).await;
    let proxy = scripted(&graph).await;
    let others: Vec<_> = ALL.into_iter().filter(|role| *role != "MailboxSettings.Read").collect();
    proxy.write("graph-token", &token_with(&others));
    let findings = examine(&proxy).await;
    findings.expect(
        "endpoints",
        "get-mailbox-settings",
        "fail",
        &["MailboxSettings.Read; then Grant admin consent"],
    );
    findings.expect("permissions", "MailboxSettings.Read", "fail", &["missing"]);
    let is_of_settings = |path: &str| path.ends_with("/mailboxSettings");
    let asked = graph.requests().iter().filter(|it| is_of_settings(it.path())).count();
    assert_eq!(asked, 1, "other accounts would be denied as well");
    proxy.write("graph-token", "opaque");
    examine(&proxy).await.expect("endpoints", "get-mailbox-settings", "fail", &["Grant admin consent"]);
}

#[tokio::test]
async fn forwarded_tokens_are_not_the_doctors_to_have() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let mut setup = Setup::scripted(&graph);
    setup.credential = "credential: { forward: true }".to_owned();
    let proxy = sealed(setup, &[]).start().await;
    let findings = examine(&proxy).await;
    let reason = "consumers bring their own tokens for Graph (`forward: true`)";
    findings.expect("token", "upstream", "skip", &[reason]);
    findings.expect("endpoints", "all", "skip", &[reason]);
    let bypass: Vec<_> = findings.of("configuration").filter(|it| it["outcome"] == "warn").collect();
    assert!(
        matches!(bypass[..], [one] if text(&one["message"]).contains("ask it past this proxy")),
        "{bypass:?}"
    );
    assert_eq!((findings.ran.code, findings.bad().len()), (Some(0), 1));
}

#[tokio::test]
async fn a_public_url_with_no_response_or_a_foreign_one_is_reported() {
    let clinic = Clinic::consented().await;
    let config = clinic.proxy.read("config.yaml");
    let other = FakeUpstream::always(Script::json(PAGE)).await;
    let own = clinic.proxy.url();
    let public = |url: &str| config.replace(&format!("public_url: {own}"), &format!("public_url: {url}"));
    clinic.proxy.write("config.yaml", &public(&format!("http://{}", other.address())));
    let findings = examine(&clinic.proxy).await;
    findings.expect("public_url", "from here", "fail", &["responds with status 200", "pass requests on to"]);
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    clinic.proxy.write("config.yaml", &public(&format!("http://{free}")));
    let findings = examine(&clinic.proxy).await;
    findings.expect("public_url", "from here", "fail", &["but something listens on", "DNS"]);
    let idle = public(&format!("http://{free}"))
        .replace(&format!("listen: {}", clinic.proxy.address), &format!("listen: {free}"));
    clinic.proxy.write("config.yaml", &idle);
    let findings = examine(&clinic.proxy).await;
    findings.expect("public_url", "from here", "warn", &["the proxy is not running here", "glassine serve"]);
    assert_eq!(findings.ran.code, Some(0));
}
