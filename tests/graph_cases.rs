//! Published request targets and query options, each with the verdict it should get: through `explain` and through a
//! running proxy.

use serde_json::Value;

use crate::cli::{RULES, glassine};
use crate::support::data;
use crate::support::glassine::{Consumer, Glassine, Setup};
use crate::support::upstream::{FakeUpstream, Script};

/// Cases whose listed verdict differs from what these rules, or good sense, give.
const DISAGREEMENTS: &[(&str, Verdict, &str)] = &[
    (
        "/v1.0/users/u/mailfolders('AQMkADNkNAAAgEMAAAA')/messages/delta?$skiptoken=x",
        Verdict::Deny,
        "the path is open; a skip token that this proxy did not seal is not",
    ),
    (
        "$format=application/json;odata.metadata=full",
        Verdict::Allow,
        "responses are JSON; the option never reaches Graph",
    ),
    ("&&$select=body", Verdict::Allow, "nothing between two `&` is nothing"),
    ("$skiptoken=SEALED", Verdict::Deny, "stands for a sealed link; this text is none"),
    (
        "startDateTime=2024-01-01&endDateTime=2024-02-01",
        Verdict::Deny,
        "for calendar views, not for messages",
    ),
    ("$select=id+,+subject", Verdict::Allow, "names that cannot leave are taken out of the list in silence"),
    (
        "$filter=toRecipients/any(r:r/emailAddress/address eq 'p~abc')",
        Verdict::Deny,
        "addresses have no token that comes back, so there is nothing to compare with",
    ),
    ("includeHiddenFolders=true", Verdict::Deny, "open on mail folders, not on messages"),
];

/// Raw keys of the lists; a consumer has tokens in their place.
const KEYS: &[&str] = &[
    "ddfcd489-628b-40d7-b48b-57002df800e5@1717622f-1d94-4d0c-9d74-709fad664b77",
    "AdeleVance_adatum.com%23EXT%23@contoso.com",
    "AQMkADNkNAAAgEMAAAA",
    "alice@contoso.com",
    "alice%40contoso.com",
    "AAMk%2B%2F%3D%3D",
];

/// Raw keys that are too short to be replaced wherever they stand.
const SEGMENTS: &[(&str, &str)] =
    &[("/users/u/", "/users/{}/"), ("/groups/g/", "/groups/{}/"), ("/messages/AAMk/", "/messages/{}/")];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Allow,
    Deny,
}

struct Case {
    method: String,
    /// The target as listed, or the options.
    written: String,
    canonical: Option<String>,
    verdict: Verdict,
    /// The list's own verdict.
    listed: Verdict,
}

impl Case {
    /// `explain` without keys takes what has the form of sealed links and tokens for valid, and so does the list.
    fn explained(&self) -> Verdict {
        if self.written.contains("$skiptoken") { self.listed } else { self.verdict }
    }

    /// With a text that has the form of a sealed link.
    fn with_link(&self) -> String {
        let sealed = format!("$skiptoken=A{}", "A".repeat(1387));
        self.written.replace("$skiptoken=x", &sealed).replace("$skiptoken=SEALED", &sealed)
    }
}

/// The cases of a file.
fn cases(file: &str, written: &str) -> Vec<Case> {
    let list = data::json(&data::graph().join(file));
    let cases: Vec<_> = list["cases"].as_array().unwrap().iter().map(|case| read(case, written)).collect();
    assert!(cases.len() > 30, "{file}");
    cases
}

fn read(case: &Value, written: &str) -> Case {
    let text = |name: &str| case[name].as_str().map(str::to_owned);
    let written = text(written).unwrap();
    let ours = DISAGREEMENTS.iter().find(|(theirs, ..)| *theirs == written).map(|(_, verdict, _)| *verdict);
    let listed = if case["verdict"] == "allow" { Verdict::Allow } else { Verdict::Deny };
    let (method, canonical) = (text("method").unwrap_or("GET".into()), text("canonical"));
    Case { method, written, canonical, verdict: ours.unwrap_or(listed), listed }
}

fn with_token(target: &str, token: &str) -> String {
    let target = KEYS.iter().fold(target.to_owned(), |target, key| target.replace(key, token));
    SEGMENTS.iter().fold(target, |target, (raw, place)| target.replace(raw, &place.replace("{}", token)))
}

fn explain(method: &str, target: &str) -> (Verdict, Option<String>) {
    let ran = glassine(&["explain", "--rules", RULES, "--format", "json", &format!("{method} {target}")]);
    match ran.code {
        Some(0) => (Verdict::Allow, ran.json()["canonical"].as_str().map(str::to_owned)),
        // 2: not the target of a request at all, for example with a scheme and a host.
        Some(1 | 2) => (Verdict::Deny, None),
        _ => panic!("{target}: {ran:?}"),
    }
}

/// With `{id}` for every key, as the list has it.
fn without_keys(canonical: &str) -> String {
    let path = canonical.split('?').next().unwrap();
    let mut collection = false;
    let segments = path.split('/').map(|segment| {
        let is_key = collection && segment != "delta()";
        collection = matches!(segment, "users" | "mailFolders" | "groups");
        if is_key { "{id}" } else { segment }
    });
    segments.collect::<Vec<_>>().join("/")
}

#[test]
fn explain_gives_each_target_its_verdict() {
    for case in cases("path-cases.json", "raw") {
        let target = with_token(&case.with_link(), "p~Aabcdef");
        let (verdict, canonical) = explain(&case.method, &target);
        assert_eq!(verdict, case.explained(), "{target}");
        if verdict == Verdict::Allow {
            assert_eq!(without_keys(&canonical.unwrap()), case.canonical.unwrap(), "{target}");
        }
        let raw = explain(&case.method, &case.written).0;
        assert!(raw == Verdict::Deny || target == case.written, "{}: a raw key is admitted", case.written);
    }
}

#[test]
fn explain_gives_each_query_its_verdict() {
    for case in cases("query-cases.json", "query") {
        let target = format!("/v1.0/users/p~Aabcdef/messages?{}", case.with_link());
        assert_eq!(explain("GET", &target).0, case.explained(), "{target}");
    }
}

struct Stage {
    proxy: Glassine,
    graph: FakeUpstream,
}

impl Stage {
    async fn new() -> Self {
        let graph = FakeUpstream::always(Script::json(r#"{"value":[]}"#)).await;
        Self { proxy: Setup::scripted(&graph).start().await, graph }
    }

    /// The response to a target that is sent unchanged, and whether Graph got a request.
    async fn ask(&self, method: &str, target: &str) -> (Verdict, bool) {
        let before = self.graph.requests().len();
        let token = Consumer::token("acme");
        // A POST carries a batch. No other request may have a body.
        let body = r#"{"requests":[{"id":"1","method":"GET","url":"/users?$top=1"}]}"#;
        let body = if method == "POST" { body } else { "" };
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.proxy.address,
            body.len()
        );
        let response = self.proxy.raw(request.as_bytes()).await;
        let verdict = match response.split(' ').nth(1) {
            Some("200") => Verdict::Allow,
            Some(status) if status.starts_with('4') => Verdict::Deny,
            _ => panic!("{target}: {response}"),
        };
        (verdict, self.graph.requests().len() > before)
    }

    async fn check(&self, case: &Case, target: &str) {
        let is_allowed = case.verdict == Verdict::Allow;
        assert_eq!(self.ask(&case.method, target).await, (case.verdict, is_allowed), "{target}");
    }
}

#[tokio::test]
async fn the_proxy_gives_each_target_its_verdict() {
    let stage = Stage::new().await;
    let token = stage.proxy.id("AAMkAD+/x==");
    for case in cases("path-cases.json", "raw") {
        stage.check(&case, &with_token(&case.written, &token)).await;
    }
}

#[tokio::test]
async fn the_proxy_gives_each_query_its_verdict() {
    let stage = Stage::new().await;
    let user = stage.proxy.id("u1");
    for case in cases("query-cases.json", "query") {
        let query = case.written.replace(' ', "%20").replace('"', "%22");
        stage.check(&case, &format!("/v1.0/users/{user}/messages?{query}")).await;
    }
}

#[test]
fn each_disagreement_is_about_a_case_that_exists() {
    let both = [cases("path-cases.json", "raw"), cases("query-cases.json", "query")];
    let listed: Vec<_> = both.into_iter().flatten().map(|case| case.written).collect();
    for (written, _, reason) in DISAGREEMENTS {
        assert!(listed.iter().any(|case| case == written), "{written}: {reason}");
    }
}
