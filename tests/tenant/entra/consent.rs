//! The permission page, for administrators and everybody else.

use super::browser::{Browser, sent, stays, text};
use super::{Graph, SCOPE, TenantResponse, but};

const NAME: &str = "Outlook Mail - Meta Data Only";
const HERE: &str = "https://proxy.example/connect/consented";
const CONSENT: &str = "/v2.0/adminconsent";

async fn tenant() -> Graph {
    let graph = Graph::own().await;
    graph.change(NAME, |it| it.add_redirect_uri(HERE));
    graph
}

fn request(client_id: &str) -> Vec<(&'static str, &str)> {
    vec![("client_id", client_id), ("scope", SCOPE), ("redirect_uri", HERE), ("state", "a state")]
}

/// The page after signing in as this person.
async fn reach(browser: &mut Browser<'_>, client_id: &str, person: usize) -> TenantResponse {
    let page = browser.open(CONSENT, &request(client_id)).await;
    browser.choose(&page, person).await
}

fn granted(graph: &Graph) -> Vec<String> {
    graph.application(NAME).granted().map(str::to_owned).collect()
}

#[tokio::test]
async fn an_administrator_accepts_what_the_registration_lists() {
    let graph = tenant().await;
    let application = graph.application(NAME);
    let mut browser = Browser::new(&graph);
    let page = reach(&mut browser, application.client_id(), 0).await;
    for shown in
        ["Permissions requested", "Read basic mail in all mailboxes", "Read all group memberships", NAME]
    {
        assert!(text(&page).contains(shown), "{shown}: {}", text(&page));
    }
    assert!(granted(&graph).is_empty());
    let (place, told) = sent(&browser.press(&page, "decision", "accept").await);
    assert_eq!((place.as_str(), told["state"].as_str()), (HERE, "a state"));
    assert_eq!((told["admin_consent"].as_str(), told["tenant"].as_str()), ("True", graph.tenant.tenant_id()));
    assert!(told["scope"].contains("https://graph.microsoft.com/Mail.ReadBasic.All"), "{told:?}");
    let mut listed = application.configured().to_vec();
    listed.sort();
    assert_eq!(granted(&graph), listed);
}

#[tokio::test]
async fn the_older_form_has_no_scopes() {
    let graph = tenant().await;
    let application = graph.application(NAME);
    let mut browser = Browser::new(&graph);
    let asked = but(&request(application.client_id()), "scope", "");
    stays(&browser.open(CONSENT, &asked).await, 400, 900_144);
    let page = browser.open("/adminconsent", &asked).await;
    let page = browser.choose(&page, 0).await;
    let (_, told) = sent(&browser.press(&page, "decision", "accept").await);
    assert_eq!(told["admin_consent"], "True");
    assert!(!told.contains_key("scope") && !granted(&graph).is_empty());
}

#[tokio::test]
async fn an_administrator_declines_and_nothing_is_granted() {
    let graph = tenant().await;
    let application = graph.application(NAME);
    let mut browser = Browser::new(&graph);
    let page = reach(&mut browser, application.client_id(), 0).await;
    let (place, told) = sent(&browser.press(&page, "decision", "cancel").await);
    assert_eq!((place.as_str(), told["state"].as_str()), (HERE, "a state"));
    assert_eq!((told["error"].as_str(), told["error_subcode"].as_str()), ("access_denied", "cancel"));
    assert!(told["error_description"].starts_with("AADSTS65004: "), "{told:?}");
    assert!(granted(&graph).is_empty());
    // The form was sent, so the page cannot be used to accept any more.
    stays(&browser.press(&page, "decision", "accept").await, 400, 9_002_313);
    assert!(granted(&graph).is_empty());
}

#[tokio::test]
async fn an_ordinary_user_and_a_stranger_have_to_ask_somebody_else() {
    let graph = tenant().await;
    let application = graph.application(NAME);
    for (person, code, error) in [(1, 90_094, "access_denied"), (2, 50_020, "access_denied")] {
        let mut browser = Browser::new(&graph);
        let page = reach(&mut browser, application.client_id(), person).await;
        stays(&page, 403, code);
        assert!(!text(&page).contains("value=\"accept\""));
        let (_, told) = sent(&browser.press(&page, "decision", "cancel").await);
        assert_eq!(told["error"], error);
        assert!(told["error_description"].starts_with(&format!("AADSTS{code}: ")), "{told:?}");
    }
    assert!(granted(&graph).is_empty());
}

#[tokio::test]
async fn an_administrators_account_can_be_taken_instead() {
    let graph = tenant().await;
    let application = graph.application(NAME);
    let mut browser = Browser::new(&graph);
    let page = reach(&mut browser, application.client_id(), 1).await;
    let page = browser.press(&page, "decision", "another").await;
    let page = browser.choose(&page, 0).await;
    sent(&browser.press(&page, "decision", "accept").await);
    assert!(!granted(&graph).is_empty());
}

/// An ordinary user's browser sends a decision that the page does not offer.
#[tokio::test]
async fn a_forged_acceptance_grants_nothing() {
    let graph = tenant().await;
    let application = graph.application(NAME);
    let mut user = Browser::new(&graph);
    let page = reach(&mut user, application.client_id(), 1).await;
    let forged = TenantResponse { body: text(&page).replace("\"another\"", "\"accept\"").into(), ..page };
    stays(&user.press(&forged, "decision", "accept").await, 400, 90_094);
    // An administrator's page in another browser, where nobody or another person is signed in.
    let mut administrator = Browser::new(&graph);
    let page = reach(&mut administrator, application.client_id(), 0).await;
    stays(&user.press(&page, "decision", "accept").await, 400, 9_002_313);
    administrator.forget_session();
    stays(&administrator.press(&page, "decision", "accept").await, 400, 50_058);
    assert!(granted(&graph).is_empty());
}

#[tokio::test]
async fn a_consent_is_for_a_known_application_at_a_known_address() {
    let graph = tenant().await;
    let application = graph.application(NAME);
    let mut browser = Browser::new(&graph);
    let asked = request(application.client_id());
    let open =
        async |browser: &mut Browser<'_>, name, value| browser.open(CONSENT, &but(&asked, name, value)).await;
    stays(&open(&mut browser, "client_id", "another").await, 400, 700_016);
    stays(&open(&mut browser, "redirect_uri", "https://elsewhere.example/").await, 400, 50_011);
    stays(&open(&mut browser, "scope", "https://graph.microsoft.com/Mail.Read").await, 400, 70_011);
    stays(&open(&mut browser, "scope", "https://vault.azure.net/.default").await, 400, 500_011);
    let here = format!("{}/.default", graph.base());
    assert!(text(&open(&mut browser, "scope", &here).await).contains("Pick an account"));
}
