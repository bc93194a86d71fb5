//! The proxy in front of an Entra whose consents are late, whose tokens cannot be read, or that throttles.

use std::time::{Duration, Instant};

use serde_json::json;

use super::Graph;
use super::proxy::{NAME, Visitor, connectable, connectable_in, shows, state};
use crate::support::glassine::{Glassine, ProxyResponse as Page};

const USERS: &str = "/v1.0/users?$top=1";

/// Signs in as the administrator and accepts.
async fn connects(graph: &Graph, proxy: &Glassine) -> Page {
    let mut visitor = Visitor::new(graph, proxy);
    let page = visitor.sign_in(0).await.unwrap();
    visitor.decide(&page, "accept").await
}

/// Waits until requests succeed, which takes some seconds.
async fn opens(proxy: &Glassine, target: &str) {
    let begun = Instant::now();
    while proxy.get(target).await.status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the permission does not come");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// How many token requests `act` costs.
async fn requests<T>(graph: &Graph, act: impl Future<Output = T>) -> (u64, T) {
    let before = graph.application(NAME).token_requests();
    let done = act.await;
    (graph.application(NAME).token_requests() - before, done)
}

/// Fault: a consent reaches Entra's tokens after the check. Outcome: requests succeed some seconds later, without a restart.
#[tokio::test]
async fn a_consent_that_shows_after_the_check_works_without_a_restart() {
    let (graph, proxy) = connectable().await;
    graph.tenant.entra().delay_consents(Duration::from_secs(3));
    assert_eq!(proxy.get(USERS).await.status, 403);
    shows(&connects(&graph, &proxy).await, "consent_missing");
    let (asked, early) = requests(&graph, proxy.get(USERS)).await;
    assert_eq!((asked, early.status), (0, 403), "not before the pause is over");
    opens(&proxy, USERS).await;
    let (asked, _) = requests(&graph, async {
        for _ in 0..10 {
            assert_eq!(proxy.get(USERS).await.status, 200);
        }
    })
    .await;
    assert_eq!(asked, 0, "nothing is missing any more");
}

/// Fault: a consent reaches Entra's tokens late, and Exchange responds 401 to a token without any. Outcome: mailboxes open some seconds later.
#[tokio::test]
async fn a_late_consent_opens_mailboxes_too() {
    let (graph, proxy) = connectable().await;
    let owner = graph.tenant.users().iter().find(|user| user.has_mailbox()).unwrap();
    let messages = format!("/v1.0/users/{}/messages?$top=1", proxy.id(owner.id()));
    graph.tenant.entra().delay_consents(Duration::from_secs(3));
    let denied = proxy.get(&messages).await;
    assert_eq!((denied.status, denied.code().as_str()), (403, "NoPermissionsInAccessToken"));
    shows(&connects(&graph, &proxy).await, "consent_missing");
    opens(&proxy, &messages).await;
}

#[tokio::test]
async fn a_check_that_finds_something_missing_lasts_as_long_as_it_may_and_asks_little() {
    let (graph, proxy) = connectable_in(4).await;
    graph.tenant.entra().delay_consents(Duration::from_secs(60));
    let mut visitor = Visitor::new(&graph, &proxy);
    let page = visitor.sign_in(0).await.unwrap();
    let begun = Instant::now();
    let (asked, outcome) = requests(&graph, visitor.decide(&page, "accept")).await;
    shows(&outcome, "consent_missing");
    assert_eq!(asked, 2);
    assert!((4.0..8.0).contains(&begun.elapsed().as_secs_f64()), "{:?}", begun.elapsed());
}

/// Fault: the access token cannot be read. Outcome: the check tries the permissions, and says what it cannot know.
#[tokio::test]
async fn a_token_that_cannot_be_read_is_tried() {
    let (graph, proxy) = connectable().await;
    graph.tenant.entra().make_tokens_opaque();
    let outcome = connects(&graph, &proxy).await;
    shows(&outcome, "granted_unverified");
    assert!(outcome.text().contains("Requests to Microsoft Graph succeed"), "{}", outcome.text());
    assert_eq!(state(&proxy), json!("granted_unverified"));
    assert_eq!(proxy.get(USERS).await.status, 200);
    let list = proxy.send("GET", "/connect", &[]).await.text();
    assert!(list.contains("Connected, permissions not readable"), "{list}");
}

#[tokio::test]
async fn what_graph_denies_to_a_token_that_cannot_be_read_is_missing() {
    let (graph, proxy) = connectable().await;
    graph.tenant.entra().make_tokens_opaque();
    graph.change(NAME, |it| it.restrict_mailboxes(Some(&[])));
    let outcome = connects(&graph, &proxy).await;
    shows(&outcome, "consent_missing");
    for missing in ["Mail.ReadBasic.All", "MailboxSettings.Read", "Contacts.Read"] {
        assert!(outcome.text().contains(&format!("<code>{missing}</code>")), "{}", outcome.text());
    }
    for granted in ["User.Read.All", "GroupMember.Read.All"] {
        assert!(!outcome.text().contains(&format!("<code>{granted}</code>")), "{}", outcome.text());
    }
}

/// Fault: a consent reaches Entra's tokens late, and they cannot be read. Outcome: requests succeed some seconds later.
#[tokio::test]
async fn a_late_consent_works_with_tokens_that_cannot_be_read() {
    let (graph, proxy) = connectable().await;
    graph.tenant.entra().make_tokens_opaque();
    graph.tenant.entra().delay_consents(Duration::from_secs(3));
    shows(&connects(&graph, &proxy).await, "consent_missing");
    opens(&proxy, USERS).await;
}

/// Fault: Entra throttles the check of a consent for longer than `wait_seconds`. Outcome: one request, and a page that says to wait; requests work afterwards.
#[tokio::test]
async fn a_check_that_is_throttled_for_long_stops_at_once_and_says_so() {
    let (graph, proxy) = connectable_in(4).await;
    graph.tenant.entra().throttle(1, Some(5));
    let (asked, outcome) = requests(&graph, connects(&graph, &proxy)).await;
    shows(&outcome, "directory_busy");
    assert_eq!(asked, 2, "the code, and one check");
    let (asked, response) = requests(&graph, proxy.get(USERS)).await;
    assert_eq!((asked, response.status), (0, 403), "Retry-After is obeyed, and the old token serves");
    opens(&proxy, USERS).await;
}

/// Fault: Entra throttles the check of a consent for less than `wait_seconds`. Outcome: the check goes on when Entra takes requests again.
/// Regression: the check ended with any `Retry-After`.
#[tokio::test]
async fn a_check_waits_as_long_as_entra_asks_if_there_is_time() {
    let (graph, proxy) = connectable_in(15).await;
    graph.tenant.entra().throttle(1, Some(1));
    let (asked, outcome) = requests(&graph, connects(&graph, &proxy)).await;
    shows(&outcome, "connected");
    assert_eq!(asked, 3, "the code, one check that Entra refuses, and one after it");
}

#[tokio::test]
async fn a_check_stops_when_entra_sees_a_loop() {
    let (graph, proxy) = connectable_in(15).await;
    graph.tenant.entra().delay_consents(Duration::from_secs(60));
    graph.tenant.entra().detect_loops(1);
    let (asked, outcome) = requests(&graph, connects(&graph, &proxy)).await;
    shows(&outcome, "directory_busy");
    assert_eq!(asked, 3, "the code, one check, and one that Entra refuses");
}

#[tokio::test]
async fn an_application_with_a_signing_key_of_its_own_can_be_connected() {
    let (graph, proxy) = connectable().await;
    graph.change(NAME, |it| it.use_own_signing_key());
    shows(&connects(&graph, &proxy).await, "connected");
}
