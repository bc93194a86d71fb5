//! `glassine test`: cases of rules files.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::{Ran, Scratch, glassine};

/// Two endpoints; what leaves of a user: `id`, `mail`, `jobTitle`, and `userType`.
const RULES: &str = "version: 1
connector: demo
title: Demo
purpose: Tests.
permissions: [User.Read.All]
shapes:
  user:
    pseudonymize:
      - { path: $.id, as: id, reversible: true }
      - { path: $.mail, as: email }
      - { path: $.jobTitle, as: text }
      - { path: $.userType, as: text }
endpoints:
  - name: list-users
    get: /v1.0/users
    query: { $top: { integer: { min: 1, max: 9 } } }
    response: { collection: user }
  - name: get-user
    get: /v1.0/users/{user}
    params: { user: { token: id } }
    response: { entity: user }
";

const PAGE: &str = r#"{"@odata.nextLink":"https://graph.microsoft.com/v1.0/users?$top=1&$skiptoken=abc",
    "value":[{"id":"u1","mail":"alice@contoso.com","jobTitle":"Counsel","userType":"Member","city":"Oslo"}]}"#;

struct Cases(Scratch);

impl Cases {
    fn new() -> Self {
        let scratch = Scratch::new();
        scratch.write("demo.yaml", RULES);
        fs::create_dir_all(scratch.path("cases/demo")).unwrap();
        scratch.write("cases/keys.yaml", include_str!("../../rules/cases/keys.yaml"));
        scratch.write("cases/README.md", "Not a case.");
        Self(scratch)
    }

    /// Writes the files of a case: name and content.
    fn case(&self, name: &str, files: &[(&str, &str)]) {
        fs::create_dir_all(self.0.path(&format!("cases/demo/{name}"))).unwrap();
        for (file, content) in files {
            self.0.write(&format!("cases/demo/{name}/{file}"), content);
        }
    }

    /// A page of users, with what `--update` writes about it.
    fn page(&self) {
        self.case("page", &[("request.txt", "GET /v1.0/users?$top=1\n"), ("input.json", PAGE)]);
        assert_eq!(self.test(&["--update"]).code, Some(0));
    }

    fn test(&self, options: &[&str]) -> Ran {
        let folder = self.0.path("cases");
        glassine(&[&["test", &folder][..], options].concat())
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.path(&format!("cases/demo/{file}"))).unwrap()
    }
}

#[test]
fn update_writes_what_leaves_in_the_order_of_the_response_and_the_case_passes_then() {
    let cases = Cases::new();
    cases.case("page", &[("request.txt", "GET /v1.0/users?$top=1\n"), ("input.json", PAGE)]);
    let ran = cases.test(&[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.everything().contains("cases/demo/page\n  nothing says what to expect"), "{ran:?}");
    let ran = cases.test(&["--update"]);
    assert!(ran.code == Some(0) && ran.everything().contains("cases/demo/page/expected.json"), "{ran:?}");
    let written = cases.read("page/expected.json");
    let link = "https://proxy.example/v1.0/users?$skiptoken=<sealed>";
    assert!(written.starts_with(&format!(
        "{{\n  \"@odata.nextLink\": \"{link}\",\n  \"value\": [\n    {{\n      \"id\""
    )));
    let order = ["\"id\": \"p~A", "\"mail\": \"t~A", "\"jobTitle\": \"t~A", "\"userType\": \"t~A"];
    let places: Vec<_> = order.iter().map(|part| written.find(part).expect(part)).collect();
    assert!(places.is_sorted() && !written.contains("Oslo"), "{written}");
    let ran = cases.test(&[]);
    assert!(ran.code == Some(0) && ran.everything().contains("demo.yaml: 1 passed, 0 failed"), "{ran:?}");
    // A case that passes keeps its file as it is.
    cases.case("page", &[("expected.json", &written.replace("\n  ", "\n        "))]);
    let by_hand = cases.read("page/expected.json");
    assert_eq!(cases.test(&["--update"]).code, Some(0));
    assert_eq!(cases.read("page/expected.json"), by_hand);
}

#[test]
fn each_difference_has_its_path_with_both_values() {
    let cases = Cases::new();
    cases.page();
    let mut expected: serde_json::Value = serde_json::from_str(&cases.read("page/expected.json")).unwrap();
    let user = expected["value"][0].as_object_mut().unwrap();
    let mail = user.insert("mail".to_owned(), "t~other".into()).unwrap();
    user.remove("userType");
    user.insert("odd name".to_owned(), true.into());
    expected["value"].as_array_mut().unwrap().push(json!({ "id": "x".repeat(300) }));
    cases.case("page", &[("expected.json", &expected.to_string())]);
    let ran = cases.test(&[]);
    let text = ran.everything();
    assert_eq!(ran.code, Some(1), "{text}");
    for line in [
        "failed: ",
        &format!("  $.value[0].mail: expected \"t~other\", got {mail}\n"),
        "  $.value[0]['odd name']: expected true, got nothing\n",
        "  $.value[0].userType: expected nothing, got \"t~A",
        "  $.value[1]: expected {\"id\":\"xxxx",
        "…, got nothing\n",
        "demo.yaml: 0 passed, 1 failed",
    ] {
        assert!(text.contains(line), "{line:?}: {text}");
    }
    let json = cases.test(&["--format", "json"]).json();
    let case = &json["connectors"][0]["cases"][0];
    assert_eq!((&case["passed"], &case["problem"]), (&false.into(), &json!(null)));
    let found = case["differences"].as_array().unwrap();
    assert_eq!(found.len(), 4);
    let removed = found.iter().find(|it| it["path"] == "$.value[0].userType").unwrap();
    assert!(removed.get("expected").is_none() && removed["got"].is_string(), "{removed}");
}

#[test]
fn a_refusal_is_compared_by_status_and_code() {
    let cases = Cases::new();
    let refused = |code: &str| format!("{{ \"status\": 400, \"code\": \"{code}\" }}");
    let request = ("request.txt", "GET /v1.0/users?$search=x\n");
    cases.case("refused", &[request, ("refused.json", &refused("optionNotAllowed"))]);
    assert_eq!(cases.test(&[]).code, Some(0));
    cases.case("refused", &[("refused.json", &refused("endpointNotAllowed"))]);
    let ran = cases.test(&[]);
    let line = "  $.code: expected \"endpointNotAllowed\", got \"optionNotAllowed\"\n";
    assert!(ran.code == Some(1) && ran.everything().contains(line), "{ran:?}");
    cases.case("refused", &[("request.txt", "GET /v1.0/users\n"), ("input.json", PAGE)]);
    let ran = cases.test(&[]);
    assert!(ran.code == Some(1) && ran.everything().contains("a refusal is expected"), "{ran:?}");
    // The request is admitted now, so the other file says what to expect.
    assert_eq!(cases.test(&["--update"]).code, Some(0));
    assert!(!Path::new(&cases.0.path("cases/demo/refused/refused.json")).exists());
    cases.case("refused", &[request]);
    let ran = cases.test(&[]);
    assert!(ran.code == Some(1) && ran.everything().contains("optionNotAllowed"), "{ran:?}");
    assert_eq!(cases.test(&["--update"]).code, Some(0));
    assert_eq!(cases.read("refused/refused.json"), refused("optionNotAllowed") + "\n");
}

#[test]
fn what_no_case_shows_is_a_note_or_with_require_all_a_failure() {
    let cases = Cases::new();
    let page = PAGE.replace("\"Counsel\"", "null").replace("\"userType\":\"Member\",", "");
    cases.case("page", &[("request.txt", "GET /v1.0/users\n"), ("input.json", &page)]);
    let ran = cases.test(&["--update"]);
    let text = ran.everything();
    assert_eq!(ran.code, Some(0), "{text}");
    for note in [
        "note: no case requests the endpoint get-user\n",
        "demo.yaml:11: no case shows $.value[*].jobTitle (pseudonymize as text), for example of list-users\n",
        "demo.yaml:12: no case shows $.value[*].userType",
    ] {
        assert!(text.contains(note), "{note:?}: {text}");
    }
    assert!(!text.contains(".mail") && !text.contains(".id "), "{text}");
    assert_eq!(cases.test(&["--require-all"]).code, Some(1));
    let json = cases.test(&["--require-all", "--format", "json"]).json();
    let connector = &json["connectors"][0];
    assert_eq!(connector["unrequested"], json!(["get-user"]));
    assert_eq!(
        (&connector["missing"][0]["line"], &connector["missing"][0]["endpoint"]),
        (&11.into(), &"list-users".into())
    );
    // A leaf that one endpoint shows is shown: the same line lets it out of the others.
    cases.case("page", &[("input.json", PAGE)]);
    let token = glassine(&[
        "pseudonym",
        "--keys",
        &cases.0.path("cases/keys.yaml"),
        "--consumer",
        "acme-analytics",
        "--as",
        "id",
        "--reversible",
        "u1",
    ]);
    let request = format!("GET /v1.0/users/{}", token.fine());
    cases.case("one", &[("request.txt", &request), ("input.json", r#"{"id":"u1"}"#)]);
    let ran = cases.test(&["--update", "--require-all"]);
    assert!(ran.code == Some(0) && ran.everything().contains("every leaf shown"), "{ran:?}");
}

#[test]
fn headers_that_rules_decide_about_can_follow_the_request_line() {
    let cases = Cases::new();
    cases.page();
    let request = "GET /v1.0/users?$top=1\nPrefer: odata.maxpagesize=0\nConsistencyLevel: eventual\n";
    cases.case("page", &[("request.txt", request)]);
    let ran = cases.test(&[]);
    assert!(ran.code == Some(1) && ran.everything().contains("\"status\":400"), "{ran:?}");
    for (header, line) in
        [("Accept: text/plain", "line 2"), ("no header", "line 2"), ("\nConsistencyLevel: session", "line 3")]
    {
        cases.case("page", &[("request.txt", &format!("GET /v1.0/users\n{header}\n"))]);
        cases.test(&[]).fails(2, &["cases/demo/page/request.txt", line]);
    }
}

#[test]
fn a_link_has_to_lead_where_graphs_link_leads_and_a_response_has_to_leave() {
    let cases = Cases::new();
    cases.case(
        "page",
        &[
            ("request.txt", "GET /v1.0/users\n"),
            ("input.json", &PAGE.replace("graph.microsoft.com", "evil.example")),
        ],
    );
    let ran = cases.test(&["--update"]);
    assert!(
        ran.code == Some(1) && ran.everything().contains("nothing of the response in `input.json` leaves"),
        "{ran:?}"
    );
    cases.case("page", &[("input.json", r#"{"id":"u1"}"#)]);
    let ran = cases.test(&[]);
    assert!(ran.code == Some(1) && ran.everything().contains("no `value` array"), "{ran:?}");
    fs::remove_file(cases.0.path("cases/demo/page/input.json")).unwrap();
    let ran = cases.test(&["--update"]);
    assert!(ran.code == Some(1) && ran.everything().contains("there is no `input.json`"), "{ran:?}");
}

#[test]
fn cases_that_cannot_be_tried_are_bad_input() {
    let cases = Cases::new();
    let folder = cases.0.path("cases");
    cases.test(&[]).fails(2, &[&folder, "there is no case"]);
    cases.page();
    let expected = cases.read("page/expected.json");
    for (file, content, says) in [
        ("request.txt", "users", "expected a method and a path"),
        ("input.json", "\u{0}", "nothing of the response"),
        ("expected.json", "{", "page/expected.json: the file is not the expected JSON"),
        ("refused.json", "{}", "keep the one that the rules should lead to"),
    ] {
        cases.page_with(file, content, &expected);
        let ran = cases.test(&[]);
        assert!(ran.code != Some(0) && ran.everything().contains(says), "{ran:?}");
        fs::remove_dir_all(cases.0.path("cases/demo/page")).unwrap();
    }
    cases.page_with("refused.json", r#"{ "status": 403, "code": "x", "message": "y" }"#, &expected);
    fs::remove_file(cases.0.path("cases/demo/page/expected.json")).unwrap();
    cases.test(&[]).fails(2, &["refused.json", "unknown field `message`"]);
    fs::rename(cases.0.path("demo.yaml"), cases.0.path("other.yaml")).unwrap();
    cases.test(&[]).fails(2, &["demo.yaml: there is no such file"]);
    fs::remove_file(cases.0.path("cases/keys.yaml")).unwrap();
    cases.test(&[]).fails(2, &["cases/keys.yaml: there is no such file"]);
    glassine(&["test", &cases.0.path("nowhere")]).fails(2, &["nowhere"]);
}

/// The cases of one file, wherever they are.
#[test]
fn the_rules_can_be_named() {
    let cases = Cases::new();
    cases.page();
    let (rules, keys) = (cases.0.path("demo.yaml"), cases.0.path("cases/keys.yaml"));
    let folder = cases.0.path("cases/demo");
    glassine(&["test", "--rules", &rules, "--keys", &keys, &folder]).fine();
    glassine(&["test", "--rules", &rules, &folder]).fails(2, &["demo/keys.yaml: there is no such file"]);
    let other = glassine(&["test", "--rules", &rules, "--keys", &keys, "--consumer", "other", &folder]);
    assert_eq!(other.code, Some(1), "other tokens");
}

impl Cases {
    /// The case of the page, with one more or other file.
    fn page_with(&self, file: &str, content: &str, expected: &str) {
        let request = ("request.txt", "GET /v1.0/users?$top=1\n");
        self.case("page", &[request, ("input.json", PAGE), ("expected.json", expected), (file, content)]);
    }
}
