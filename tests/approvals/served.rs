//! A running proxy: nothing is served that nobody approved, and everybody hears about it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::reviewer::Reviewer;
use crate::cli::glassine;
use crate::support::glassine::{Glassine, METADATA_ONLY, Setup};
use crate::support::logs::Logs;
use crate::support::upstream::{FakeUpstream, Script};

const USERS: &str = "/v1.0/users";
const PAGE: &str = r#"{"value":[{"id":"u1","accountEnabled":true,"userType":"Member"}]}"#;

/// What reviewers sign for a folder's configuration.
fn statement(folder: &Path) -> String {
    let config = folder.join("config.yaml");
    glassine(&["statement", "--config", config.to_str().unwrap(), "--consumer", "acme"]).fine()
}

pub(super) fn sign(folder: &Path, people: &[Reviewer]) {
    let statement = statement(folder);
    for person in people {
        std::fs::write(folder.join(format!("{}.sig", person.name)), person.sign(&statement)).unwrap();
    }
}

/// A proxy whose consumer both people have approved. `options`: those of the first one's line in the signers file.
async fn approved(people: &Arc<[Reviewer; 2]>, options: &str) -> (FakeUpstream, Glassine) {
    approved_with(people, options, PAGE).await
}

/// The same, with another page from Graph.
pub(super) async fn approved_with(
    people: &Arc<[Reviewer; 2]>,
    options: &str,
    page: &str,
) -> (FakeUpstream, Glassine) {
    let graph = FakeUpstream::always(Script::json(page)).await;
    let mut setup = Setup::scripted(&graph);
    setup.more = "approvals: { signers_file: reviewers, require: 2 }\n".to_owned();
    setup.consumers[0].more = "    approved_by: [alice.sig, bob.sig]\n".to_owned();
    setup.files.push(("reviewers", people[0].line(options) + &people[1].line("")));
    let signing = Arc::clone(people);
    setup.prepare = Box::new(move |folder| sign(folder, &*signing));
    (graph, setup.start().await)
}

pub(super) fn people() -> Arc<[Reviewer; 2]> {
    Arc::new(["alice", "bob"].map(Reviewer::new))
}

/// What the admin listener says of the consumers.
async fn verbose(proxy: &Glassine) -> String {
    let text = proxy.admin_get("/readyz?verbose").await.text();
    text.split_inclusive('\n').filter(|line| !line.starts_with("key ")).collect()
}

pub(super) async fn until_verbose(proxy: &Glassine, is_expected: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    for _ in 0..120 {
        text = verbose(proxy).await;
        if is_expected(&text) {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never as expected: {text}");
}

async fn metric(proxy: &Glassine, name: &str) -> Option<String> {
    let metrics = proxy.admin_get("/metrics").await.text();
    metrics.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
}

#[tokio::test]
async fn who_has_approved_is_told() {
    let end = "20991231Z";
    let (_graph, proxy) = approved(&people(), &format!("valid-before=\"{end}\"")).await;
    assert_eq!(proxy.get(USERS).await.status, 200);
    let told = "approved by alice and bob (required: 2), until 2099-12-31T00:00:00Z\n";
    let checks = "[+] start ok\n[+] audit ok\n[+] files ok\n[+] token for acme ok\n";
    assert_eq!(verbose(&proxy).await, format!("ready\n{checks}acme: {told}"));
    assert_eq!(proxy.admin_get("/readyz").await.text(), "ready\n");
    let seconds = metric(&proxy, "glassine_approvals_end_timestamp_seconds{consumer=\"acme\"}").await;
    assert_eq!(seconds.as_deref(), Some("4102358400"));
    let checked = glassine(&["check", "--config", proxy.file("config.yaml").to_str().unwrap()]).fine();
    assert!(checked.ends_with(told), "{checked}");
    let json =
        glassine(&["check", "--format", "json", "--config", proxy.file("config.yaml").to_str().unwrap()])
            .json();
    let acme = &json["consumers"][0]["approval"];
    assert_eq!((&acme["required"], &acme["until"]), (&2.into(), &"2099-12-31T00:00:00Z".into()));
    let [alice, bob] = acme["approved_by"].as_array().unwrap().as_slice() else { panic!("{json}") };
    assert_eq!((&alice["name"], &alice["until"]), (&"alice".into(), &"2099-12-31T00:00:00Z".into()));
    assert_eq!((&bob["name"], bob.get("until")), (&"bob".into(), None));
    assert!(bob["key"].as_str().unwrap().starts_with("SHA256:"), "{json}");
}

#[tokio::test]
async fn an_end_within_a_month_is_told() {
    for (days, is_near) in [(29, true), (31, false)] {
        let end = Timestamp::now().checked_add(SignedDuration::from_hours(days * 24)).unwrap();
        let end = end.strftime("valid-before=\"%Y%m%d%H%M%SZ\"").to_string();
        let (_graph, proxy) = approved(&people(), &end).await;
        let told = verbose(&proxy).await;
        assert_eq!(told.contains("warning: this end is near"), is_near, "{days}: {told}");
    }
}

#[tokio::test]
async fn a_change_is_served_when_it_is_approved_and_not_before() {
    let people = people();
    let (_graph, proxy) = approved(&people, "").await;
    let before = proxy.get(USERS).await.text();
    assert!(before.contains("accountEnabled"));
    let rules = METADATA_ONLY.replace("      booleans: [$.accountEnabled]\n", "");
    assert!(rules != METADATA_ONLY);
    proxy.write("acme.yaml", &rules);

    let told = until_verbose(&proxy, |text| text.contains("G0407")).await;
    assert!(told.starts_with("ready\n"), "{told}");
    for part in [
        "\n[!] files: they cannot be used; the last good state goes on running\n",
        "\nthe files cannot be used; the last good state goes on running:\n",
        "alice.sig: this signature does not count",
        "0 of 2 people have approved",
        "could still approve: alice, bob",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(
        told.ends_with("acme: approved by alice and bob (required: 2)\n"),
        "what runs is approved: {told}"
    );
    assert_eq!(metric(&proxy, "glassine_config_good").await.as_deref(), Some("0"));
    assert_eq!(proxy.get(USERS).await.text(), before);

    let folder = proxy.file("config.yaml").parent().unwrap().to_owned();
    sign(&folder, &people[..1]);
    until_verbose(&proxy, |text| text.contains("1 of 2 people have approved")).await;
    assert_eq!(proxy.get(USERS).await.text(), before, "one of two is not enough");
    sign(&folder, &people[1..]);
    let after = proxy.until(USERS, |response| response.text() != before).await;
    assert!(!after.text().contains("accountEnabled"));
    assert_eq!(metric(&proxy, "glassine_config_good").await.as_deref(), Some("1"));
    let told = verbose(&proxy).await;
    assert!(told.contains("\n[+] files ok\n"), "{told}");
    assert!(told.ends_with("ok\nacme: approved by alice and bob (required: 2)\n"), "{told}");
    let events = proxy.events();
    let [start, unsigned, half, reload] = &events[..] else { panic!("{events:#?}") };
    for (record, event) in [(start, "start"), (reload, "reload")] {
        assert_eq!(record["event"], event);
        assert_eq!(record["consumers"][0]["approved_by"], serde_json::json!(["alice", "bob"]), "{record}");
    }
    for (record, errors) in [(unsigned, 3), (half, 2)] {
        assert_eq!(record["event"], "reload_failed");
        let codes: Vec<_> = record["errors"].as_array().unwrap().iter().map(|it| &it["code"]).collect();
        assert_eq!(codes, vec!["G0407"; errors], "{record}");
    }
}

#[tokio::test]
async fn a_reviewer_who_is_taken_off_the_signers_file_no_longer_counts() {
    let people = people();
    let (_graph, proxy) = approved(&people, "").await;
    let signers = proxy.read("reviewers");
    proxy.write("reviewers", &people[0].line(""));
    let told = until_verbose(&proxy, |text| text.contains("G0407")).await;
    assert!(
        told.contains("bob.sig: this signature does not count") && told.contains("1 of 2 people"),
        "{told}"
    );
    assert_eq!(proxy.get(USERS).await.status, 200, "what runs was approved when it was loaded");
    proxy.write("reviewers", &signers);
    until_verbose(&proxy, |text| !text.contains("G0407")).await;
}

/// No file changes when an approval ends, and the proxy reloaded only when one did.
#[tokio::test]
async fn an_end_is_told_when_it_comes() {
    let end = Timestamp::now().checked_add(SignedDuration::from_secs(4)).unwrap();
    let end = end.strftime("%Y%m%d%H%M%SZ").to_string();
    let (_graph, proxy) = approved(&people(), &format!("valid-before=\"{end}\"")).await;
    assert_eq!(metric(&proxy, "glassine_config_good").await.as_deref(), Some("1"));
    let told = until_verbose(&proxy, |text| text.contains("error[G0407]")).await;
    assert!(told.contains("the signature is of alice, whose key counted until "), "{told}");
    assert_eq!(metric(&proxy, "glassine_config_good").await.as_deref(), Some("0"));
    assert_eq!(proxy.get(USERS).await.status, 200, "an end does not stop what runs");
    glassine(&["serve", "--config", proxy.file("config.yaml").to_str().unwrap()])
        .fails(2, &["error[G0407]", "1 of 2 people have approved"]);
}

/// An administrator can do this. Nobody should have to find out by comparing files.
#[tokio::test]
async fn a_configuration_that_demands_fewer_approvals_is_told() {
    let logs = Logs::start();
    let (_graph, proxy) = approved(&people(), "").await;
    let config = proxy.read("config.yaml");
    let told =
        "WARN glassine::service::reload: the configuration demands fewer approvals than before, or none";
    proxy.write("config.yaml", &config.replace("require: 2", "require: 1"));
    until_verbose(&proxy, |text| text.contains("(required: 1)")).await;
    assert_eq!(logs.text().matches(told).count(), 1, "{}", logs.text());
    let without = config.replace("approvals: {", "# approvals: {").replace("approved_by:", "# approved_by:");
    proxy.write("config.yaml", &without);
    until_verbose(&proxy, |text| !text.contains("required")).await;
    assert_eq!(logs.text().matches(told).count(), 2, "{}", logs.text());
    proxy.write("config.yaml", &config);
    until_verbose(&proxy, |text| text.contains("(required: 2)")).await;
    assert_eq!(logs.text().matches(told).count(), 2, "more is no warning: {}", logs.text());
}
