//! `glassine doctor --live-facts`: what it asks, what the sample tenant does, and that no text of a response is in the report.

use std::sync::atomic::{AtomicUsize, Ordering};

use glassine::demo::tenant::Account;

use super::*;
use crate::canaries::detector::{Needle, find};
use crate::documents::{live_check_configuration, shows_live_facts};
use crate::support::glassine::serve_tenant;
use crate::support::upstream::Script;

const NEEDLE: Needle = Needle { text: "7d0bad", number: "730194" };

/// A marker for every text of a response.
const MARKER: &str = "7d0bad000001";

/// The report of a run, as scripts read it.
async fn report(proxy: &Glassine, more: &[&str]) -> Findings {
    examine_with(proxy, &[&["--live-facts"], more].concat()).await
}

impl Findings {
    fn lines(&self) -> impl Iterator<Item = &Value> {
        self.all["lines"].as_array().unwrap().iter()
    }

    /// The outcome of a question, with what was observed or why nothing was.
    fn line(&self, question: &str) -> (&str, &str) {
        let line = self.lines().find(|line| line["question"] == question).unwrap();
        let told = line.get("observed").or(line.get("reason")).unwrap();
        (text(&line["outcome"]), text(told))
    }
}

/// A tenant that requires tokens, as Graph does.
async fn strict() -> Clinic {
    let grant = |it: &mut Registration| {
        it.configured().to_vec().iter().for_each(|permission| it.grant(permission));
    };
    Clinic::of(serve_tenant(Tenant::new(7).require_token()).await, grant, |setup| setup).await
}

/// An account of each kind, with the option that names it.
fn named(tenant: &Tenant) -> Vec<String> {
    let of = |account| tenant.users().iter().find(|user| user.account() == account).unwrap();
    let options = [
        ("--mailbox-in", Account::Member),
        ("--room", Account::Room),
        ("--shared", Account::Shared),
        ("--guest", Account::Guest),
    ];
    let named = options
        .into_iter()
        .flat_map(|(option, account)| [option.to_owned(), of(account).user_principal_name().to_owned()]);
    named.collect()
}

#[tokio::test]
async fn the_check_finds_an_account_of_each_kind_by_itself() {
    let clinic = strict().await;
    let report = report(&clinic.proxy, &[]).await;
    let open: Vec<_> = report.lines().filter(|line| line["outcome"] == "not_asked").collect();
    assert!(open.is_empty(), "{open:#?}");
    assert_eq!(report.line("settings-purpose"), ("as_assumed", "room"));
    assert_eq!(report.ran.code, Some(0));
}

/// Fault: somebody names an account for the live check that is not there. Outcome: its questions are not asked, and nothing reads as a difference of Graph.
#[tokio::test]
async fn an_account_that_is_not_there_is_no_difference() {
    let clinic = strict().await;
    let guest = clinic.tenant.users().iter().find(|user| user.account() == Account::Guest).unwrap();
    let without_mailbox = report(&clinic.proxy, &["--mailbox-in", guest.user_principal_name()]).await;
    assert_eq!(without_mailbox.line("settings-user").0, "not_asked");
    assert!(without_mailbox.lines().all(|line| line["outcome"] != "different"));
    for (option, questions) in [
        ("--mailbox-in", ["settings-user", "next-messages", "order-outside-filter"]),
        ("--room", ["settings-room", "settings-purpose", "mailbox-of-room"]),
        ("--shared", ["settings-shared", "mailbox-of-shared", "settings-shared"]),
        ("--guest", ["settings-guest", "no-mailbox-guest", "settings-guest"]),
    ] {
        let report = report(&clinic.proxy, &[option, "nobody@tallgrass.example"]).await;
        for question in questions {
            let (outcome, why) = report.line(question);
            assert!(outcome == "not_asked" && why.contains(option), "{option} {question}: {outcome} {why}");
        }
        assert!(report.lines().all(|line| line["outcome"] != "different"), "{option}: {:#}", report.all);
    }
}

#[tokio::test]
async fn the_sample_tenant_does_what_the_questions_assume() {
    let clinic = strict().await;
    let named = named(&clinic.tenant);
    let named: Vec<_> = named.iter().map(String::as_str).collect();
    let report = report(&clinic.proxy, &named).await;
    for line in report.lines() {
        let is_settled = matches!(text(&line["outcome"]), "as_assumed" | "noted");
        assert!(is_settled, "{line:#}");
    }
    assert_eq!(report.all["cloud"], "another");
    assert!(report.all["requests"].as_u64().unwrap() < 160, "{}", report.all["requests"]);
    assert!(report.all["longest_link"].as_u64().unwrap() > 100);
    let text =
        run(&[&["--config", clinic.proxy.file("config.yaml").to_str().unwrap(), "--live-facts"], &named[..]]
            .concat())
        .await;
    let text = text.everything();
    assert!(shows_live_facts(&text), "docs/LIVE-CHECK.md shows something else than {text}");
}

#[tokio::test]
async fn the_report_has_no_data_of_the_tenant() {
    let clinic = strict().await;
    let named = named(&clinic.tenant);
    let named: Vec<_> = named.iter().map(String::as_str).collect();
    let config = clinic.proxy.file("config.yaml");
    let text = run(&[&["--config", config.to_str().unwrap(), "--live-facts"], &named[..]].concat()).await;
    let everything =
        format!("{}{}", report(&clinic.proxy, &named).await.all, text.everything()).to_lowercase();
    let people = clinic.tenant.users().iter().flat_map(|user| {
        [user.id(), user.display_name(), user.user_principal_name(), user.mail().unwrap_or("@@")]
    });
    let groups = clinic.tenant.groups().iter().map(|group| group.id());
    let own = [clinic.tenant.domain(), clinic.tenant.tenant_id(), &clinic.client_id, "eyJ", "127.0.0.1"];
    for personal in people.chain(groups).chain(own) {
        assert!(!everything.contains(&personal.to_lowercase()), "{personal}");
    }
}

/// The configuration that docs/LIVE-CHECK.md shows, with this tenant's addresses and ids.
#[tokio::test]
async fn the_configuration_of_the_page_is_enough() {
    let clinic = strict().await;
    let own = clinic.proxy.read("config.yaml");
    let graph = own.lines().find(|line| line.trim_start().starts_with("graph:")).unwrap().trim();
    let authority = own.lines().find(|line| line.trim_start().starts_with("authority:")).unwrap().trim();
    let zeros = "00000000-0000-0000-0000-000000000000";
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/");
    let page = live_check_configuration()
        .replacen(zeros, clinic.tenant.tenant_id(), 1)
        .replacen(zeros, &clinic.client_id, 1)
        .replace("upstream:\n", &format!("upstream:\n  {graph}\n  {authority}\n"))
        .replace("rules/", rules);
    clinic.proxy.write("page.yaml", &page);
    let ran = run(&["--config", clinic.proxy.file("page.yaml").to_str().unwrap(), "--live-facts"]).await;
    assert!(ran.everything().contains("  as assumed  next-users "), "{ran:?}");
}

/// A page whose every text is a marker, with links that lead on.
fn marked(url: &str, number: usize) -> String {
    let object = serde_json::json!({
        "id": MARKER, "mail": format!("{MARKER}@{MARKER}.example"), "userType": MARKER, "visibility": MARKER,
        "@odata.type": MARKER, "displayName": MARKER, MARKER: MARKER,
    });
    let link = format!("{url}/{MARKER}('{MARKER}')?%24{MARKER}={MARKER}&$skiptoken={MARKER}{number}");
    serde_json::json!({
        "@odata.context": MARKER, "@odata.count": MARKER, "value": [object, object, object],
        "@odata.nextLink": link, "@odata.deltaLink": link, "timeZone": MARKER, "userPurpose": MARKER,
        "jwks_uri": format!("https://{MARKER}.example/?{MARKER}"),
        "error": { "code": MARKER, "message": MARKER, "innerError": { "code": MARKER } },
    })
    .to_string()
}

/// A response with markers, as a server could send it.
fn marked_script(url: &str, number: usize) -> Script {
    let status = [200, 200, 200, 404, 403, 400, 418][number % 7];
    let mark = if number.is_multiple_of(2) { "\u{feff}" } else { "" };
    Script::status(status)
        .body(format!("{mark}{}", marked(url, number)))
        .header("content-type", MARKER)
        .header("preference-applied", MARKER)
        .header("request-id", MARKER)
        .header(MARKER, MARKER)
}

#[tokio::test]
async fn no_marker_of_a_response_is_in_the_report() {
    let elsewhere = FakeUpstream::always(Script::json("{}")).await;
    for follows in [true, false] {
        let number = AtomicUsize::new(0);
        let other = format!("http://{}", elsewhere.address());
        let graph = FakeUpstream::start(move |request| {
            let own = format!("http://{}", request.header("host").unwrap_or_default());
            marked_script(if follows { &own } else { &other }, number.fetch_add(1, Ordering::SeqCst))
        })
        .await;
        let proxy = scripted(&graph).await;
        let found = report(&proxy, &["--room", "room@contoso.com"]).await;
        let config = proxy.file("config.yaml");
        let text = run(&["--config", config.to_str().unwrap(), "--live-facts"]).await;
        let everything = format!("{}{}", found.all, text.everything());
        assert!(found.lines().any(|line| line["outcome"] == "different"), "{:#}", found.all);
        assert_eq!(find(everything.as_bytes(), NEEDLE).len(), 0, "{everything}");
        assert!(!everything.contains(&MARKER[..6]) && !everything.contains("contoso"), "{everything}");
        assert_eq!(everything.contains("leads to another server"), !follows);
        assert!(graph.requests().len() <= 2 * 160, "{}", graph.requests().len());
    }
    assert_eq!(elsewhere.requests().len(), 0, "no token goes to another server");
}

#[tokio::test]
async fn a_question_whose_permission_is_missing_is_not_asked() {
    let clinic = strict().await;
    clinic.change(|it| it.revoke("Contacts.Read"));
    let report = report(&clinic.proxy, &[]).await;
    assert_eq!(report.line("next-contacts"), ("not_asked", "Contacts.Read is not granted"));
    assert_eq!(report.line("next-users").0, "as_assumed");
}

#[tokio::test]
async fn without_a_token_nothing_is_asked() {
    let clinic = strict().await;
    clinic.proxy.write("secret", "not-the-secret");
    let report = report(&clinic.proxy, &[]).await;
    assert_eq!((report.ran.code, report.lines().count()), (Some(1), 0));
    assert!(text(&report.all["failed"]).contains("AADSTS7000215"), "{:#}", report.all);
}

/// Fault: Graph throttles the live check. Outcome: the check waits as long as Graph asks, or stops if that is long.
#[tokio::test]
async fn a_graph_that_asks_to_wait_is_left_alone() {
    let page = || Script::json(r#"{"value":[]}"#);
    let busy = |seconds: &str| Script::status(429).header("retry-after", seconds);
    let graph = FakeUpstream::in_turn(vec![busy("0.2"), page()]).await;
    let patient = report(&scripted(&graph).await, &[]).await;
    assert!(patient.lines().count() > 50 && graph.requests().len() > 20, "it goes on");
    let graph = FakeUpstream::always(busy("3600")).await;
    let stopped = report(&scripted(&graph).await, &[]).await;
    assert_eq!((stopped.ran.code, graph.requests().len()), (Some(1), 1));
    assert!(text(&stopped.all["failed"]).contains("throttles the application"), "{:#}", stopped.all);
}

#[tokio::test]
async fn options_of_the_live_check_need_it() {
    let clinic = Clinic::unconsented().await;
    let config = clinic.proxy.file("config.yaml");
    let config = config.to_str().unwrap();
    for args in [&["--room", "a@contoso.com"][..], &["--live-facts", "--guest", "no account"]] {
        assert_eq!(run(&[&["--config", config], args].concat()).await.code, Some(2), "{args:?}");
    }
}
