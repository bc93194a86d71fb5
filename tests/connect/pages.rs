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
        "<code>from.emailAddress.address</code></td><td>one way: the address as a pseudonym",
        "<code>id</code></td><td>opens again: the id, for later requests",
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
        "<code>attendees[*].emailAddress.address</code></td><td>one way: the address as a pseudonym",
        "<h4>Users</h4><p><strong>Never leaves:</strong>",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("subjects"), "their lengths leave");
}

#[tokio::test]
async fn a_connectors_page_says_who_gets_the_data_and_what_is_signed() {
    let entra = FakeEntra::start(&NEEDED).await;
    let mut setup = setup(&entra).rules(METADATA_ONLY);
    setup.consumers[0].more = "    title: Acme & Sons\n".to_owned();
    let proxy = setup.start().await;
    let mut visitor = Visitor::new(&proxy, &entra);
    let page = visitor.get("/connect/acme").await.text();
    for shown in [
        "The data is for <strong>Acme &amp; Sons</strong>.",
        "The domain contoso.com stays readable; every other domain leaves as a token of its own.",
        "mail folders, messages leave as tokens that open again",
        "<code>['@odata.nextLink']</code></td><td>sealed link: a link to the proxy",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let fingerprint = page.split("<dt>Fingerprint</dt><dd><code>").nth(1).unwrap().get(..32).unwrap();
    assert!(fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()), "{fingerprint}");
    let other = visitor.get("/connect/returning").await.text();
    assert!(other.contains("The data is for <strong>returning</strong>.") && !other.contains(fingerprint));
    assert!(!page.contains("Everything leaves") && !page.contains("Permission not known"));
    assert!(visitor.get("/connect").await.text().contains("<dt>For</dt><dd>Acme &amp; Sons</dd>"));
}

#[tokio::test]
async fn a_blocklist_is_said_to_let_everything_out() {
    let entra = FakeEntra::start(&NEEDED).await;
    let open = METADATA_ONLY.replace("  mail-folder:\n", "  mail-folder:\n    unlisted: keep\n");
    let proxy = setup(&entra).rules(&open).start().await;
    let page = Visitor::new(&proxy, &entra).get("/connect/acme").await.text();
    for shown in [
        "<strong class=\"bad\">Everything leaves</strong> that no line of the rules names, of these objects: Mail folders",
        "<h4>Mail folders</h4><p><strong class=\"bad\">Everything leaves</strong>",
        "everything that no line names leaves, as written",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains("<h4>Messages</h4><p><strong class=\"bad\">"));
}

/// Under the words "what is listed here and nothing else", the page left out what no known permission opens.
#[tokio::test]
async fn an_endpoint_whose_permission_is_not_known_is_listed() {
    let entra = FakeEntra::start(&NEEDED).await;
    let rules = "version: 1\nconnector: c\ntitle: T\npurpose: P.\npermissions: []\nshapes:\n  s: { keep: { booleans: [$.unheardOf] } }\n\
                 endpoints:\n  - { name: e, get: /v1.0/newThings, response: { collection: s } }\n";
    let proxy = setup(&entra).rules(rules).start().await;
    let page = Visitor::new(&proxy, &entra).get("/connect/acme").await.text();
    for shown in [
        "<h3>Permission not known</h3>",
        "<h4>newThings</h4>",
        "<code>unheardOf</code></td><td>as it is: true or false",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
}

#[tokio::test]
async fn pages_are_closed_to_addresses_that_are_not_listed() {
    let entra = FakeEntra::start(&NEEDED).await;
    let start = async |connect: &str| {
        let mut setup = setup(&entra);
        setup.more =
            format!("trusted_proxies: [127.0.0.1]\nconnect: {{ file: connections.json, {connect} }}\n");
        setup.start().await
    };
    let proxy = start("allow_from: [203.0.113.0/24]").await;
    let status = async |target, from: Option<&str>| {
        let forwarded = from.map(|from| ("x-forwarded-for", from));
        let response = proxy.send("GET", target, forwarded.as_slice()).await;
        (response.status, response.text().contains("Code: <code>address</code>"))
    };
    for target in
        ["/connect", "/connect/acme", "/connect/acme/rules", "/connect/nobody", "/connect/signed-in"]
    {
        assert_eq!(status(target, None).await, (403, true), "{target}");
        assert_eq!(status(target, Some("198.51.100.7")).await, (403, true), "{target}");
        assert_eq!(status(target, Some("nonsense")).await, (403, true), "{target}");
        assert!(!status(target, Some("203.0.113.9")).await.1, "{target}");
    }
    assert_eq!(status("/connect", Some("203.0.113.9")).await.0, 200);
    for target in ["/connect/keys", "/connect/style.css"] {
        assert_eq!(status(target, None).await.0, 200, "{target}");
    }
    let open = start("wait_seconds: 1").await;
    assert_eq!(open.send("GET", "/connect", &[("x-forwarded-for", "nonsense")]).await.status, 200);
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
