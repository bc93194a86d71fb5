//! What the pages show, and their headers.

use super::visitor::Visitor;
use super::{NEEDED, proxy, setup};
use crate::support::entra::FakeEntra;
use crate::support::glassine::{METADATA_ONLY, OUTLOOK_MAIL};

#[tokio::test]
async fn every_response_is_a_page_and_nothing_more() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let mut responses = vec![visitor.press("acme", "").await];
    for target in [
        "/connect",
        "/connect/acme",
        "/connect/acme/rules",
        "/connect/keys",
        "/connect/style.css",
        "/connect/nobody",
        "/connect/signed-in",
    ] {
        responses.push(visitor.get(target).await);
    }
    for response in responses {
        let header = |name: &str| response.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        let policy = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action ",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"));
        let text = response.text();
        assert!(!text.contains("<script") && !text.contains(" style=") && !text.contains("http-equiv"));
    }
}

#[tokio::test]
async fn a_form_may_lead_to_the_directory_and_back_and_nowhere_else() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let mut targets = async |page| {
        let response = visitor.get(page).await;
        let policy = response.headers["content-security-policy"].to_str().unwrap().to_owned();
        policy.split("form-action ").nth(1).unwrap().split(';').next().unwrap().to_owned()
    };
    let base = entra.base();
    assert_eq!(targets("/connect").await, "'none'");
    assert_eq!(targets("/connect/acme").await, format!("'self' {base}"));
    assert_eq!(targets("/connect/returning").await, format!("'self' {base} https://analytics.example"));
}

#[tokio::test]
async fn a_connectors_page_says_what_leaves_and_what_for() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = setup(&entra).rules(OUTLOOK_MAIL).start().await;
    let page = Visitor::new(&proxy, &entra).get("/connect/acme").await.text();
    for shown in [
        "<h1>Outlook Mail</h1>",
        "Time zone and working hours, to tell evenings from mornings.",
        "<h3>read mail of every mailbox without texts, previews and attachments</h3>",
        "Microsoft calls it <code>Mail.ReadBasic.All</code>.",
        "<code>Mail.Read</code> works instead, and opens more than is needed.",
        "<code>from.emailAddress.address</code></td><td>the address as a pseudonym",
        "<h4>Messages</h4><p><strong>Never leaves:</strong> attachments, texts, previews",
        "href=\"/connect/acme/rules\"",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains("<code>subject</code>"));
}

/// A connector that consists of a rules file only.
#[tokio::test]
async fn a_calendar_is_described_in_the_same_words() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = setup(&entra).rules(include_str!("../fixtures/calendar.yaml")).start().await;
    let page = Visitor::new(&proxy, &entra).get("/connect/acme").await.text();
    for shown in [
        "<h1>Calendar</h1>",
        "<h3>read the calendars of every mailbox without texts, attachments and extensions</h3>",
        "Microsoft calls it <code>Calendars.ReadBasic.All</code>.",
        "<h4>Calendar events</h4><p><strong>Never leaves:</strong> attachments, names of attendees, texts",
        "<code>attendees.emailAddress.address</code></td><td>the address as a pseudonym",
        "<h4>Users</h4><p><strong>Never leaves:</strong>",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("subjects"), "their lengths leave");
}

#[tokio::test]
async fn the_rules_are_shown_as_they_are() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let rules = proxy.send("GET", "/connect/acme/rules", &[]).await;
    assert_eq!(rules.text(), METADATA_ONLY);
    assert_eq!(rules.headers["content-type"], "text/plain; charset=utf-8");
}

#[tokio::test]
async fn titles_from_the_rules_are_texts() {
    let entra = FakeEntra::start(&NEEDED).await;
    let rules = METADATA_ONLY.replace("title: Outlook Mail", "title: <i onclick=x>Mail</i>");
    let proxy = setup(&entra).rules(&rules).start().await;
    let mut visitor = Visitor::new(&proxy, &entra);
    for page in ["/connect", "/connect/acme"] {
        let text = visitor.get(page).await.text();
        assert!(text.contains("&lt;i onclick=x&gt;Mail") && !text.contains("<i onclick"), "{page}");
    }
}

#[tokio::test]
async fn over_tls_the_cookie_is_for_this_host_only() {
    let entra = FakeEntra::start(&NEEDED).await;
    let proxy = proxy(&entra).await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let response = visitor.press("acme", "").await;
    let cookie = response.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("glassine-connect=") && cookie.contains("; HttpOnly; SameSite=Lax"));
}
