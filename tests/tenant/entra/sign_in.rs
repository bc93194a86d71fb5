//! Signing in, and redeeming codes.

use std::sync::{Arc, OnceLock};

use glassine::demo::tenant::Registration;
use glassine::jwt::{Algorithm, Expected, KeySet, KeySource, RequiredClaim, Token, Verifier};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::browser::{Browser, sent, stays, text};
use super::{Graph, TenantResponse, but, claims};
use crate::support::issuer::base64url;

const NAME: &str = "Outlook Mail";
const HERE: &str = "https://proxy.example/connect/signed-in";
const VERIFIER: &str = "a-verifier-of-forty-three-characters-0123456789";
const AUTHORIZE: &str = "/oauth2/v2.0/authorize";

/// A tenant where the application has redirect URIs.
async fn tenant() -> Graph {
    let graph = Graph::own().await;
    graph.change(NAME, |it| it.add_redirect_uri(HERE));
    graph.change(NAME, |it| it.add_redirect_uri("https://proxy.example/other"));
    graph
}

fn challenge() -> &'static str {
    static CHALLENGE: OnceLock<String> = OnceLock::new();
    CHALLENGE.get_or_init(|| base64url(Sha256::digest(VERIFIER)))
}

/// A valid authorization request.
fn request(application: &Registration) -> Vec<(&'static str, &str)> {
    vec![
        ("client_id", application.client_id()),
        ("response_type", "code"),
        ("redirect_uri", HERE),
        ("scope", "openid profile"),
        ("state", "a state & more"),
        ("nonce", "a nonce"),
        ("code_challenge", challenge()),
        ("code_challenge_method", "S256"),
    ]
}

/// Signs somebody in. Returns the code.
async fn code(graph: &Graph, person: usize) -> String {
    let mut browser = Browser::new(graph);
    let client = graph.application(NAME);
    let page = browser.open(AUTHORIZE, &request(&client)).await;
    let (place, parameters) = sent(&browser.choose(&page, person).await);
    assert_eq!((place.as_str(), parameters["state"].as_str()), (HERE, "a state & more"));
    parameters["code"].clone()
}

/// A valid token request for a code.
async fn redeem(graph: &Graph, code: &str, change: (&str, &str)) -> (u16, Value) {
    let application = graph.application(NAME);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", application.client_id()),
        ("client_secret", application.client_secret()),
        ("scope", "openid profile"),
        ("code", code),
        ("redirect_uri", HERE),
        ("code_verifier", VERIFIER),
    ];
    let form = if change.0.is_empty() { form.to_vec() } else { but(&form, change.0, change.1) };
    graph.ask(&form).await
}

fn code_of(response: &(u16, Value)) -> (u16, u64) {
    (response.0, response.1["error_codes"][0].as_u64().unwrap_or_default())
}

#[tokio::test]
async fn somebody_signs_in_and_the_id_token_says_who() {
    let graph = tenant().await;
    let (status, response) = redeem(&graph, &code(&graph, 0).await, ("", "")).await;
    assert_eq!((status, &response["scope"]), (200, &json!("openid profile")), "{response}");
    let (id_token, person) = (response["id_token"].as_str().unwrap(), &graph.tenant.entra().people()[0]);
    let keys = graph.get(&graph.entra("/discovery/v2.0/keys")).await.to_string();
    let required = |name: &str, value: &str| RequiredClaim { name: name.into(), one_of: vec![value.into()] };
    let expected = Expected {
        issuer: format!("{}{}", graph.base(), graph.entra("/v2.0")),
        audiences: vec![graph.application(NAME).client_id().to_owned()],
        algorithms: vec![Algorithm::Rs256],
        claims: vec![
            required("nonce", "a nonce"),
            required("tid", graph.tenant.tenant_id()),
            required("oid", person.object_id()),
            required("name", person.name()),
            required("preferred_username", person.user_name()),
            required("ver", "2.0"),
        ],
    };
    let keys = KeySource::fixed(KeySet::parse(keys.as_bytes()).unwrap());
    let now = jiff::Timestamp::now().as_second();
    let verified = Verifier::new(expected, Arc::new(keys)).verify(Token::parse(id_token).unwrap(), now).await;
    assert!(verified.is_ok(), "{:?}", verified.err());
    assert!(person.is_administrator() && claims(id_token)["nbf"].is_i64());
}

#[tokio::test]
async fn a_guest_brings_the_directory_of_their_own() {
    let graph = tenant().await;
    let (_, response) = redeem(&graph, &code(&graph, 2).await, ("", "")).await;
    let claims = claims(response["id_token"].as_str().unwrap());
    let guest = &graph.tenant.entra().people()[2];
    assert_ne!(guest.tenant_id(), graph.tenant.tenant_id());
    assert_eq!(claims["tid"], guest.tenant_id());
    assert_eq!(claims["iss"], format!("{}/{}/v2.0", graph.base(), guest.tenant_id()));
}

#[tokio::test]
async fn an_id_token_says_no_more_than_was_asked_for() {
    let graph = tenant().await;
    let client = graph.application(NAME);
    for (scope, names, email) in [("openid", false, false), ("openid profile email", true, true)] {
        let mut browser = Browser::new(&graph);
        let asked = request(&client);
        let page = browser.open(AUTHORIZE, &but(&asked, "scope", scope)).await;
        let (_, parameters) = sent(&browser.choose(&page, 1).await);
        let (_, response) = redeem(&graph, &parameters["code"], ("scope", "")).await;
        let claims = claims(response["id_token"].as_str().unwrap());
        for name in ["name", "oid", "preferred_username"] {
            assert_eq!(claims[name].is_string(), names, "{scope}: {name}");
        }
        assert_eq!(claims["email"].is_string(), email, "{scope}");
        assert!(claims["sub"].is_string());
    }
}

#[tokio::test]
async fn a_code_is_redeemed_once_in_time_by_its_application() {
    let graph = tenant().await;
    let first = code(&graph, 0).await;
    let other = graph.application("Outlook Mail - Meta Data Only");
    let refused = async |change| code_of(&redeem(&graph, &first, change).await);
    assert_eq!(
        refused(("code_verifier", "another-verifier-of-forty-three-characters-01")).await,
        (400, 501_481)
    );
    assert_eq!(refused(("code_verifier", "")).await, (400, 501_481));
    assert_eq!(refused(("redirect_uri", "https://proxy.example/other")).await, (400, 500_112));
    assert_eq!(refused(("redirect_uri", "https://elsewhere.example/")).await, (400, 50_011));
    assert_eq!(refused(("scope", "openid https://graph.microsoft.com/Mail.Read")).await, (400, 65_001));
    assert_eq!(refused(("client_secret", "wrong")).await, (401, 7_000_215));
    assert_eq!(refused(("client_secret", "")).await, (401, 7_000_218));
    assert_eq!(refused(("client_id", other.client_id())).await, (401, 7_000_215));
    assert_eq!(code_of(&redeem(&graph, "1.unknown", ("", "")).await), (400, 70_000));
    assert_eq!(refused(("", "")).await, (200, 0));
    assert_eq!(refused(("", "")).await, (400, 54_005));
    let second = code(&graph, 0).await;
    graph.tenant.entra().advance_clock(601);
    assert_eq!(code_of(&redeem(&graph, &second, ("", "")).await), (400, 70_008));
}

#[tokio::test]
async fn a_code_cannot_be_redeemed_by_another_application() {
    let graph = tenant().await;
    let other = graph.application("Outlook Mail - Meta Data Only");
    graph.change(other.name(), |it| it.add_redirect_uri(HERE));
    let code = code(&graph, 0).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", other.client_id()),
        ("client_secret", other.client_secret()),
        ("code", &code),
        ("redirect_uri", HERE),
        ("code_verifier", VERIFIER),
    ];
    graph.denies(&form, 400, "invalid_grant", 70_000).await;
    assert_eq!(redeem(&graph, &code, ("", "")).await.0, 200);
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let graph = tenant().await;
    let mut browser = Browser::new(&graph);
    let client = graph.application(NAME);
    let asked = request(&client);
    for uri in
        ["https://proxy.example/connect/signed-in/", "https://PROXY.example/connect/signed-in", "https://a"]
    {
        stays(&browser.open(AUTHORIZE, &but(&asked, "redirect_uri", uri)).await, 400, 50_011);
    }
    stays(&browser.open(AUTHORIZE, &but(&asked, "redirect_uri", "")).await, 400, 900_144);
    stays(&browser.open(AUTHORIZE, &but(&asked, "client_id", "")).await, 400, 900_144);
    stays(&browser.open(AUTHORIZE, &but(&asked, "client_id", "<script>")).await, 400, 700_016);
    assert!(
        !text(&browser.open(AUTHORIZE, &but(&asked, "client_id", "<script>")).await).contains("<script>")
    );
    let twice = [asked.as_slice(), &asked[..1]].concat();
    stays(&browser.open(AUTHORIZE, &twice).await, 400, 9_002_313);
    graph.change(NAME, |it| it.set_enabled(false));
    stays(&browser.open(AUTHORIZE, &asked).await, 400, 7_000_112);
    graph.change(NAME, |it| it.set_enabled(true));
    assert!(text(&browser.open(AUTHORIZE, &asked).await).contains("Pick an account"));
}

#[tokio::test]
async fn the_application_learns_what_was_wrong_with_its_request() {
    let graph = tenant().await;
    let mut browser = Browser::new(&graph);
    let client = graph.application(NAME);
    let asked = request(&client);
    for (name, value, error, code) in [
        ("response_type", "", "invalid_request", 900_144),
        ("response_type", "id_token", "unsupported_response_type", 700_054),
        ("response_mode", "fragment", "unsupported_response_mode", 70_007),
        ("scope", "profile", "invalid_scope", 70_011),
        ("scope", "openid User.Read", "consent_required", 65_001),
        ("code_challenge", "", "invalid_request", 50_147),
        ("code_challenge", "short", "invalid_request", 501_491),
        ("code_challenge_method", "plain", "invalid_request", 501_491),
        ("code_challenge_method", "", "invalid_request", 501_491),
        ("prompt", "other", "invalid_request", 90_023),
        ("prompt", "none", "login_required", 50_058),
    ] {
        let (place, told) = sent(&browser.open(AUTHORIZE, &but(&asked, name, value)).await);
        assert_eq!((place.as_str(), told["error"].as_str()), (HERE, error), "{name}={value}");
        assert!(told["error_description"].starts_with(&format!("AADSTS{code}: ")), "{told:?}");
        assert_eq!(told["state"], "a state & more");
    }
}

#[tokio::test]
async fn somebody_can_change_their_mind() {
    let graph = tenant().await;
    let mut browser = Browser::new(&graph);
    let client = graph.application(NAME);
    let page = browser.open(AUTHORIZE, &request(&client)).await;
    let (place, told) = sent(&browser.press(&page, "decision", "cancel").await);
    assert_eq!(
        (place.as_str(), told["error"].as_str(), told["state"].as_str()),
        (HERE, "access_denied", "a state & more")
    );
    assert_eq!(told["error_subcode"], "cancel");
    // The form was sent, so the page cannot be used again.
    stays(&browser.choose(&page, 0).await, 400, 9_002_313);
}

#[tokio::test]
async fn a_session_spares_the_page_until_somebody_signs_out() {
    let graph = tenant().await;
    let mut browser = Browser::new(&graph);
    let client = graph.application(NAME);
    let asked = request(&client);
    let page = browser.open(AUTHORIZE, &asked).await;
    sent(&browser.choose(&page, 1).await);
    for prompt in ["", "none"] {
        let (_, parameters) = sent(&browser.open(AUTHORIZE, &but(&asked, "prompt", prompt)).await);
        assert!(parameters.contains_key("code"), "{parameters:?}");
    }
    for prompt in ["select_account", "login"] {
        let page = browser.open(AUTHORIZE, &but(&asked, "prompt", prompt)).await;
        assert!(text(&page).contains("Pick an account"), "{prompt}");
    }
    assert_eq!(browser.open("/oauth2/v2.0/logout", &[]).await.status.as_u16(), 200);
    assert!(text(&browser.open(AUTHORIZE, &asked).await).contains("Pick an account"));
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let graph = tenant().await;
    let mut browser = Browser::new(&graph);
    let client = graph.application(NAME);
    let asked = request(&client);
    let page = browser.open(AUTHORIZE, &asked).await;
    sent(&browser.choose(&page, 1).await);
    graph.tenant.entra().advance_clock(24 * 3600);
    assert!(text(&browser.open(AUTHORIZE, &asked).await).contains("Pick an account"));
}

#[tokio::test]
async fn form_post_sends_the_response_as_a_form() {
    let graph = tenant().await;
    let mut browser = Browser::new(&graph);
    let client = graph.application(NAME);
    let asked = but(&request(&client), "response_mode", "form_post");
    let page = browser.open(AUTHORIZE, &asked).await;
    let response = browser.choose(&page, 0).await;
    assert_eq!(response.status.as_u16(), 200);
    let form = text(&response);
    assert!(form.contains(&format!("<form method=\"post\" action=\"{HERE}\">")), "{form}");
    assert!(
        form.contains("name=\"state\" value=\"a state &amp; more\"") && form.contains("name=\"code\""),
        "{form}"
    );
}

#[tokio::test]
async fn pages_have_no_script_and_are_not_framed() {
    let graph = tenant().await;
    let client = graph.application(NAME);
    let page: TenantResponse = Browser::new(&graph).open(AUTHORIZE, &request(&client)).await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("script-src") && !text(&page).contains("<script"));
    for person in graph.tenant.entra().people() {
        assert!(text(&page).contains(person.user_name()));
    }
}
